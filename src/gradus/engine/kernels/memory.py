"""Where arrays lie in memory: aligned to a cache line, in memory that the process keeps for the next step.

A training step allocates the same arrays each time. By default the C library returns large ones to the system as soon
as they are freed, and the system has to clear every page before it lends it again: a fifth of a small GPT's step. And
it aligns memory to 16 bytes, so that three of four vectors of 64 bytes lie across two lines of the cache; multiplying
two small arrays then takes twice as long. NumPy accepts an allocator of our own (NEP 49): four functions, here of a
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
_SET_HANDLER = 304  # the place of PyDataMem_SetHandler in NumPy's table of functions


_here: contextvars.ContextVar[bool] = contextvars.ContextVar("gradus_memory", default=False)
_use: Callable[[], object] | None = None  # has NumPy take memory from us


@functools.cache
def keep() -> None:
    """Let the C library keep what is freed, up to 1 GiB, and arrays begin with a line. Not where it is not glibc."""
    global _use
    if sys.platform != "linux" or sys.maxsize < 1 << 32:
        return
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 1 << 25)  # the most that glibc accepts
        mallopt(_TRIM_THRESHOLD, 1 << 30)
        mallopt(_TOP_PAD, 1 << 26)
        with contextlib.suppress(Exception):  # arrays then lie anywhere, as by default
            _use = _aligned()
    arrange()


def arrange() -> None:
    """NumPy asks each thread, and each task, anew whose memory to take: ours, once `keep` was called anywhere."""
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
    places = (code.get_function_address(name) for name in ("allocate", "allocate_zeros", "reallocate", "release"))
    handler = _Handler(b"gradus, by lines", 1, None, *places)
    for kept in (code, handler):  # for good: arrays may outlive this module
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
    pointer, capsule = ctypes.pythonapi.PyCapsule_GetPointer, ctypes.pythonapi.PyCapsule_New
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    capsule.restype, capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    numpy: Any = np
    table = ctypes.cast(pointer(numpy._core._multiarray_umath._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(table[_SET_HANDLER])
    return functools.partial(set_handler, capsule(ctypes.addressof(handler), b"mem_handler", None))


def _compiled() -> Any:
    """The four functions as machine code. Before an array lie where its block begins and how many bytes it has."""
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
        """A function whose first argument is NumPy's `context`, which `body` is not given."""
        made = function(name, arguments)
        builder = ir.IRBuilder(made.append_basic_block())
        builder.ret(body(builder, *made.args[1:]) or word(0))
        return made

    def before(builder: Any, array: Any, distance: int) -> Any:
        """A pointer to the word that lies `distance` bytes before an array."""
        return builder.inttoptr(builder.sub(array, word(distance)), word.as_pointer())

    def there(builder: Any, address: Any) -> Any:
        return builder.icmp_unsigned("!=", address, word(0))

    def aligned(builder: Any, allocator: Any, size: Any, *first: Any) -> Any:
        """An array in a block that is LINE bytes larger (the C library aligns to 16 bytes); 0 if there is none."""
        block = builder.call(allocator, [*first, builder.add(size, word(LINE))])
        array = builder.and_(builder.add(block, word(LINE)), word(-LINE))
        with builder.if_then(there(builder, block)):
            builder.store(block, before(builder, array, 16))
            builder.store(size, before(builder, array, 8))
        return builder.select(there(builder, block), array, block)

    def release(builder: Any, array: Any, _size: Any) -> None:
        with builder.if_then(there(builder, array)):
            builder.call(free, [builder.load(before(builder, array, 16))])

    allocating = define("allocate", 2, lambda builder, size: aligned(builder, malloc, size))
    define("allocate_zeros", 3, lambda builder, n, each: aligned(builder, calloc, builder.mul(n, each), word(1)))
    releasing = define("release", 3, release)

    def reallocate(builder: Any, array: Any, size: Any) -> Any:
        made = builder.call(allocating, [word(0), size])
        with builder.if_then(builder.and_(there(builder, array), there(builder, made))):
            old = builder.load(before(builder, array, 8))
            smaller = builder.select(builder.icmp_unsigned("<", old, size), old, size)
            builder.call(memcpy, [made, array, smaller])
            builder.call(releasing, [word(0), array, old])
        return made

    define("reallocate", 3, reallocate)
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple().create_target_machine(opt=2)
    code = binding.create_mcjit_compiler(binding.parse_assembly(str(module)), target)
    code.finalize_object()
    return code
