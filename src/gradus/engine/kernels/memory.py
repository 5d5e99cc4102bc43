"""Where arrays lie: at the start of a line of the cache, in memory that is kept for the next step.

A training step allocates the same arrays each time. By default the C library returns large ones to the system as soon
as they are freed, and the system has to clear every page before it lends it again: a fifth of a small GPT's step. And
it aligns memory to 16 bytes, so that three of four vectors of 64 bytes lie across two lines of the cache; multiplying
two small arrays then takes twice as long. NumPy lets one bring memory of one's own (NEP 49): four functions, here of a
few machine instructions each, around the C library's.

Small arrays that are freed are put on shelves, one for each number of lines, and the next array of as many lines takes
what was put there last: sooner than the C library finds it, and what was used last is still in the cache. Mostly NumPy
holds the interpreter's lock meanwhile, but not always: who finds another thread at the shelves goes to the C library.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # glibc's malloc.h
LINE = 64  # bytes
SHELVES = 1024  # arrays of fewer lines than this are put on shelves
KEPT = 1 << 24  # bytes on all shelves together
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

    malloc, calloc, free = function("malloc", 1), function("calloc", 2), function("free", 1)
    memcpy, memset = function("memcpy", 3), function("memset", 3)
    shelves = ir.GlobalVariable(module, ir.ArrayType(word, SHELVES), "shelves")  # on each the first free array, or 0
    kept, busy = (ir.GlobalVariable(module, word, name) for name in ("kept", "busy"))
    for variable in (shelves, kept, busy):
        variable.initializer = ir.Constant(variable.value_type, None)

    def define(name: str, arguments: int, body: Callable[..., Any]) -> Any:
        made = function(name, arguments)
        builder = ir.IRBuilder(made.append_basic_block())
        builder.ret(body(builder, *made.args[1:]) or word(0))
        return made

    def at(builder: Any, array: Any, back: int = 0) -> Any:
        """Where the number is that lies so many bytes before an array's start."""
        return builder.inttoptr(builder.sub(array, word(back)), word.as_pointer())

    def there(builder: Any, address: Any) -> Any:
        return builder.icmp_unsigned("!=", address, word(0))

    def lines(builder: Any, size: Any) -> Any:
        return builder.udiv(builder.add(size, word(LINE - 1)), word(LINE))

    def fresh(builder: Any, allocator: Any, size: Any, *first: Any) -> Any:
        """An array in a block of the C library's, of LINE bytes more, as that aligns it to 16 only."""
        whole = builder.mul(builder.add(lines(builder, size), word(1)), word(LINE))
        block = builder.call(allocator, [*first, whole])
        array = builder.and_(builder.add(block, word(LINE)), word(-LINE))
        with builder.if_then(there(builder, block)):
            builder.store(block, at(builder, array, 16))
            builder.store(size, at(builder, array, 8))
        return builder.select(there(builder, block), array, block)

    @contextlib.contextmanager
    def at_shelf(builder: Any, size: Any) -> Iterator[tuple[Any, Any]]:
        """What to do at the shelf for arrays of this size, with the bytes that they take; skipped where they have none
        and where another thread is at the shelves.
        """
        n = lines(builder, size)
        with builder.if_then(builder.icmp_unsigned("<", n, word(SHELVES))):
            before = builder.atomic_rmw("xchg", busy, word(1), "acquire")
            with builder.if_then(builder.icmp_unsigned("==", before, word(0))):
                yield builder.gep(shelves, [word(0), n]), builder.mul(n, word(LINE))
                builder.store_atomic(word(0), busy, "release", 8)

    def taken(builder: Any, size: Any) -> Any:
        """An array from its shelf, or 0."""
        array = builder.alloca(word)
        builder.store(word(0), array)
        with at_shelf(builder, size) as (shelf, much):
            first = builder.load(shelf)
            with builder.if_then(there(builder, first)):
                builder.store(builder.load(at(builder, first)), shelf)
                builder.store(size, at(builder, first, 8))
                builder.store(builder.sub(builder.load(kept), much), kept)
                builder.store(first, array)
        return builder.load(array)

    def allocate(builder: Any, size: Any) -> Any:
        array = taken(builder, size)
        with builder.if_then(there(builder, array)):
            builder.ret(array)
        return fresh(builder, malloc, size)

    def allocate_zeros(builder: Any, count: Any, each: Any) -> Any:
        size = builder.mul(count, each)
        array = taken(builder, size)
        with builder.if_then(there(builder, array)):
            builder.ret(builder.call(memset, [array, word(0), size]))
        return fresh(builder, calloc, size, word(1))

    def release(builder: Any, array: Any, _size: Any) -> None:
        left = builder.alloca(word)
        builder.store(array, left)
        with builder.if_then(there(builder, array)):
            with at_shelf(builder, builder.load(at(builder, array, 8))) as (shelf, much):
                after = builder.add(builder.load(kept), much)
                with builder.if_then(builder.icmp_unsigned("<=", after, word(KEPT))):
                    builder.store(builder.load(shelf), at(builder, array))
                    builder.store(array, shelf)
                    builder.store(after, kept)
                    builder.store(word(0), left)
            with builder.if_then(there(builder, builder.load(left))):
                builder.call(free, [builder.load(at(builder, array, 16))])

    allocating = define("allocate", 2, allocate)
    releasing = define("release", 3, release)

    def reallocate(builder: Any, array: Any, size: Any) -> Any:
        made = builder.call(allocating, [word(0), size])
        with builder.if_then(builder.and_(there(builder, array), there(builder, made))):
            before = builder.load(at(builder, array, 8))
            less = builder.select(builder.icmp_unsigned("<", before, size), before, size)
            builder.call(memcpy, [made, array, less])
            builder.call(releasing, [word(0), array, before])
        return made

    define("allocate_zeros", 3, allocate_zeros)
    define("reallocate", 3, reallocate)
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple().create_target_machine(opt=2)
    code = binding.create_mcjit_compiler(binding.parse_assembly(str(module)), target)
    code.finalize_object()
    return code
