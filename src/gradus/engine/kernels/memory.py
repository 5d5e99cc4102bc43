"""NumPy's allocator: arrays are aligned to cache lines, in memory that the process keeps for the next step.

A training step allocates the same arrays each time. By default the C library returns large ones to the system as soon
as they are freed, and the system has to clear every page that it hands out again: a fifth of a small GPT's step. And
memory is aligned to 16 bytes, so that three of four vectors of 64 bytes straddle two cache lines; multiplying two small
arrays then takes twice as long. NumPy accepts an allocator of our own (NEP 49): four functions, here of a
few machine instructions each, around the C library's.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # glibc's malloc.h
LINE = 64  # bytes
_SET_HANDLER = 304  # the index of PyDataMem_SetHandler in NumPy's C API table


_here: contextvars.ContextVar[bool] = contextvars.ContextVar("gradus_memory", default=False)
_use: Callable[[], object] | None = None  # installs our allocator in this context


@functools.cache
def keep() -> None:
    """Let the C library keep up to 1 GiB of freed memory, and align arrays to cache lines; glibc only."""
    global _use
    if sys.platform != "linux" or sys.maxsize < 1 << 32:
        return
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 1 << 25)  # the most that glibc accepts
        mallopt(_TRIM_THRESHOLD, 1 << 30)
        mallopt(_TOP_PAD, 1 << 26)
        with contextlib.suppress(Exception):  # then arrays are aligned as by default
            _use = _aligned()
    arrange()


def arrange() -> None:
    """Install our allocator in this thread or task, for which NumPy has one of its own, if `keep` was ever called."""
    if _use is not None and not _here.get():
        _use()
        _here.set(True)


class _Handler(ctypes.Structure):
    """NumPy's PyDataMem_Handler: a name, a version, and allocator's functions, each given `context` first."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("context", ctypes.c_void_p),
        ("malloc", ctypes.c_void_p),
        ("calloc", ctypes.c_void_p),
        ("realloc", ctypes.c_void_p),
        ("free", ctypes.c_void_p),
    )


def _aligned() -> Callable[[], object]:
    code = _compiled()
    addresses = (code.get_function_address(name) for name in ("allocate", "allocate_zeros", "reallocate", "release"))
    handler = _Handler(b"gradus, aligned", 1, None, *addresses)
    for immortal in (code, handler):  # arrays may outlive this module
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(immortal))
    pointer, capsule = ctypes.pythonapi.PyCapsule_GetPointer, ctypes.pythonapi.PyCapsule_New
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    capsule.restype, capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    numpy: Any = np
    table = ctypes.cast(pointer(numpy._core._multiarray_umath._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(table[_SET_HANDLER])
    return functools.partial(set_handler, capsule(ctypes.addressof(handler), b"mem_handler", None))


def _compiled() -> Any:
    """The four functions as machine code. The words before an array are its block's address and its size in bytes."""
    from llvmlite import binding, ir

    word = ir.IntType(64)
    module = ir.Module("memory")
    module.triple = binding.get_process_triple()

    def function(name: str, arguments: int) -> Any:
        return ir.Function(module, ir.FunctionType(word, [word] * arguments), name)

    malloc, calloc, free, memcpy = (
        function(*each) for each in (("malloc", 1), ("calloc", 2), ("free", 1), ("memcpy", 3))
    )

    def define(name: str, arguments: int, body: Callable[..., Any]) -> Any:
        """A function whose first argument, NumPy's `context`, is not passed to `body`."""
        defined = function(name, arguments)
        builder = ir.IRBuilder(defined.append_basic_block())
        builder.ret(body(builder, *defined.args[1:]) or word(0))
        return defined

    def before(builder: Any, array: Any, distance: int) -> Any:
        """A pointer to the word `distance` bytes before an array."""
        return builder.inttoptr(builder.sub(array, word(distance)), word.as_pointer())

    def not_null(builder: Any, address: Any) -> Any:
        return builder.icmp_unsigned("!=", address, word(0))

    def aligned(builder: Any, allocator: Any, size: Any, *first: Any) -> Any:
        """An array in a block that is LINE bytes larger (the C library aligns to 16 bytes); 0 if there is none."""
        block = builder.call(allocator, [*first, builder.add(size, word(LINE))])
        array = builder.and_(builder.add(block, word(LINE)), word(-LINE))
        with builder.if_then(not_null(builder, block)):
            builder.store(block, before(builder, array, 16))
            builder.store(size, before(builder, array, 8))
        return builder.select(not_null(builder, block), array, block)

    def release(builder: Any, array: Any, _size: Any) -> None:
        with builder.if_then(not_null(builder, array)):
            builder.call(free, [builder.load(before(builder, array, 16))])

    allocating = define("allocate", 2, lambda builder, size: aligned(builder, malloc, size))
    define("allocate_zeros", 3, lambda builder, n, each: aligned(builder, calloc, builder.mul(n, each), word(1)))
    releasing = define("release", 3, release)

    def reallocate(builder: Any, array: Any, size: Any) -> Any:
        new = builder.call(allocating, [word(0), size])
        with builder.if_then(builder.and_(not_null(builder, array), not_null(builder, new))):
            old = builder.load(before(builder, array, 8))
            smaller = builder.select(builder.icmp_unsigned("<", old, size), old, size)
            builder.call(memcpy, [new, array, smaller])
            builder.call(releasing, [word(0), array, old])
        return new

    define("reallocate", 3, reallocate)
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple().create_target_machine(opt=2)
    code = binding.create_mcjit_compiler(binding.parse_assembly(str(module)), target)
    code.finalize_object()
    return code
