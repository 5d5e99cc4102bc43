"""Arrays and functions by address.

`floats` makes an array of an address, `halves` one of float16; `job` and `call` let one thread hand a compiled function
with its arguments to another.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba import extending, njit, types
from numba.core import cgutils
from numba.core.errors import TypingError

from gradus.engine.dtypes import Array

carray: Any = numba.carray  # type: ignore[attr-defined]
intrinsic: Any = extending.intrinsic

_WORD = ir.IntType(64)
_FLOAT = ir.FloatType()
_HALF_WORD = ir.IntType(16)


@intrinsic
def _float_pointer(typing_context: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], _FLOAT.as_pointer())

    return types.CPointer(types.float32)(types.intp), code


@njit(inline="always", cache=True)
def floats(address: int, n: int) -> Array:
    """The n float32 elements at an address, as an array."""
    array: Array = carray(_float_pointer(address), n)
    return array


@intrinsic
def _half_pointer(typing_context: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], _HALF_WORD.as_pointer())

    return types.CPointer(types.uint16)(types.intp), code


@njit(inline="always", cache=True)
def halves(address: int, n: int) -> Array:
    """The n float16 elements at an address, as an array of their bits, which `widened` makes numbers of."""
    array: Array = carray(_half_pointer(address), n)
    return array


@intrinsic
def widened(typing_context: Any, bits: Any) -> Any:
    """A float16 number, given its bits, as float32."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fpext(builder.bitcast(arguments[0], ir.HalfType()), _FLOAT)

    return types.float32(types.uint16), code


@intrinsic
def job(typing_context: Any, function: Any, arguments: Any) -> Any:
    """The compiled `function(*arguments, start, stop)` as two addresses, of its code and of its arguments.

    The arguments are stored on the caller's stack: the addresses are valid until the caller returns.
    """
    if not isinstance(function, types.Dispatcher) or not isinstance(arguments, types.BaseTuple):
        raise TypingError("job(function, arguments) takes a compiled function and a tuple")
    each: Any = arguments
    argument_types = (*each, types.intp, types.intp)
    called: Any = function.get_call_type(typing_context, argument_types, {})

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        compiled = function.dispatcher.overloads[called.args]
        context.add_linking_libs([compiled.library])
        name = f"job.{compiled.fndesc.mangled_name}"
        shape = ir.FunctionType(ir.VoidType(), [_WORD, _WORD, _WORD])
        entry = builder.module.globals.get(name)
        if entry is None:
            entry = ir.Function(builder.module, shape, name)
            entry.linkage = "internal"
            inner = ir.IRBuilder(entry.append_basic_block())
            stored = inner.inttoptr(entry.args[0], context.get_value_type(arguments).as_pointer())
            unpacked = cgutils.unpack_tuple(inner, inner.load(stored))
            context.call_internal_no_propagate(inner, compiled.fndesc, called, [*unpacked, *entry.args[1:]])
            for instruction in inner.block.instructions:
                # Inlined: another copy, compiled earlier in this process, may round differently.
                if isinstance(instruction, ir.instructions.CallInstr):
                    instruction.attributes.add("alwaysinline")
            inner.ret_void()
        slot = cgutils.alloca_once_value(builder, values[1])
        return context.make_tuple(
            builder, signature.return_type, [builder.ptrtoint(entry, _WORD), builder.ptrtoint(slot, _WORD)]
        )

    return types.UniTuple(types.int64, 2)(function, arguments), code


@intrinsic
def call(typing_context: Any, code_at: Any, arguments_at: Any, start: Any, stop: Any) -> Any:
    """Call a job over start..stop, given its two addresses."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        shape = ir.FunctionType(ir.VoidType(), [_WORD, _WORD, _WORD])
        builder.call(builder.inttoptr(values[0], shape.as_pointer()), values[1:])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.intp, types.intp), code
