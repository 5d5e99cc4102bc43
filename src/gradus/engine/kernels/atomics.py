"""What threads in compiled loops synchronise with: atomic words, and system calls to yield and to wait.

The words are elements of an int64 array. All operations on them are sequentially consistent.
"""

from __future__ import annotations

import platform
import sys
from typing import Any

from llvmlite import ir
from numba import extending, types

intrinsic: Any = extending.intrinsic


def _pointer(context: Any, builder: Any, array_type: Any, words: Any, index: Any) -> Any:
    array = context.make_array(array_type)(context, builder, words)
    return builder.gep(array.data, [index])


@intrinsic
def load(typing_context: Any, words: Any, index: Any) -> Any:
    """Return words[index]."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        return builder.load_atomic(pointer, ordering="seq_cst", align=8)

    return types.int64(words, types.intp), code


@intrinsic
def store(typing_context: Any, words: Any, index: Any, value: Any) -> Any:
    """Set words[index] = value."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        builder.store_atomic(arguments[2], pointer, ordering="seq_cst", align=8)
        return context.get_dummy_value()

    return types.void(words, types.intp, types.int64), code


def _update(operation: str) -> Any:
    def typed(typing_context: Any, words: Any, index: Any, value: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = _pointer(context, builder, signature.args[0], arguments[0], arguments[1])
            return builder.atomic_rmw(operation, pointer, arguments[2], "seq_cst")

        return types.int64(words, types.intp, types.int64), code

    return intrinsic(typed)


fetch_add = _update("add")  # words[index] += value; returns the old value
exchange = _update("xchg")  # words[index] = value; returns the old value


@intrinsic
def pause(typing_context: Any) -> Any:
    """Tell the core that this is a spin-wait loop."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if platform.machine() in ("x86_64", "AMD64"):
            builder.call(
                builder.module.declare_intrinsic("llvm.x86.sse2.pause", fnty=ir.FunctionType(ir.VoidType(), [])), []
            )
        elif platform.machine() in ("aarch64", "arm64"):
            yielding = ir.FunctionType(ir.VoidType(), [ir.IntType(32)])
            builder.call(builder.module.declare_intrinsic("llvm.aarch64.hint", fnty=yielding), [ir.IntType(32)(1)])
        return context.get_dummy_value()

    return types.void(), code


_WINDOWS = sys.platform == "win32"
sched_yield: Any = types.ExternalFunction("SwitchToThread" if _WINDOWS else "sched_yield", types.int32())
_bytes = types.intp(types.int32, types.intp, types.uintp)  # file descriptor, address, count
read_bytes: Any = types.ExternalFunction("_read" if _WINDOWS else "read", _bytes)
write_bytes: Any = types.ExternalFunction("_write" if _WINDOWS else "write", _bytes)
