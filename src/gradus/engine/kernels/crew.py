"""Sharing one loop among threads, at the cost of a microsecond.

A crew is an array of words through which a thread offers the others a job: a compiled function and a range to call it
over. Everybody, the offering thread too, claims the next part of the range until none is left; so a thread that sleeps,
or that the system has put aside for another program, is never waited for unless it holds a part. Parts are cut in the
same places whatever the number of threads, so that results do not depend on it.

The helpers never need the interpreter's lock. When no job has come for a fraction of a millisecond they go to sleep,
which leaves the cores to others, and the next offer wakes them through a pipe.
"""

from __future__ import annotations

import os
import signal
import threading
import weakref
from typing import Any

import numpy as np
from numba import njit

from gradus.engine.dtypes import Array
from gradus.engine.kernels.native import (
    call,
    exchange,
    fetch_add,
    give_way,
    load,
    pause,
    read_bytes,
    store,
    write_bytes,
)

_options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
_inner = _options | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # called by compiled functions only

# Where in the array each word is; those that different threads write lie on cache lines of their own.
JOB, OPEN, CODE, ARGUMENTS, LENGTH, PART = range(6)  # written by who offers
NEXT, INSIDE, OWNED, ASLEEP, SETTINGS = 8, 16, 24, 32, 40
HELPERS, BEDS, CALLS, QUIT = SETTINGS, SETTINGS + 1, SETTINGS + 2, SETTINGS + 3
WORDS = 48

PATIENCE = 8000  # looks for a job before a helper sleeps; looks at a helper's part before who waits lends its core


@njit("void(int64[::1])", **_inner)
def _take_parts(crew: Array) -> None:
    code, arguments = load(crew, CODE), load(crew, ARGUMENTS)
    length, part = load(crew, LENGTH), load(crew, PART)
    while True:
        start = fetch_add(crew, NEXT, part)
        if start >= length:
            return
        call(code, arguments, start, min(start + part, length))


@njit("void(int64[::1], UniTuple(int64, 2), int64, int64)", **_inner)
def offer(crew: Array, job: Any, length: int, part: int) -> None:
    """Call the job over 0..length, `part` at a time, with everybody's help; return when all is done."""
    if length <= part or load(crew, HELPERS) == 0 or exchange(crew, OWNED, 1) != 0:
        for start in range(0, length, part):
            call(job[0], job[1], start, min(start + part, length))
        return
    store(crew, CODE, job[0])
    store(crew, ARGUMENTS, job[1])
    store(crew, LENGTH, length)
    store(crew, PART, part)
    store(crew, NEXT, 0)
    number = load(crew, JOB) + 1
    store(crew, OPEN, number)
    store(crew, JOB, number)
    if load(crew, ASLEEP) > 0:
        write_bytes(load(crew, CALLS), crew.ctypes.data, exchange(crew, ASLEEP, 0))
    _take_parts(crew)
    store(crew, OPEN, 0)
    looks = 0
    while load(crew, INSIDE) != 0:
        pause()
        looks += 1
        if looks > PATIENCE:
            give_way()
    store(crew, OWNED, 0)


@njit("void(int64[::1])", **_options)
def help_out(crew: Array) -> None:
    """What a helper does, until told to quit."""
    seen, looks = 0, 0
    byte = np.zeros(1, np.int8)
    while load(crew, QUIT) == 0:
        number = load(crew, JOB)
        if number != seen:
            seen, looks = number, 0
            fetch_add(crew, INSIDE, 1)
            if load(crew, OPEN) == number:
                _take_parts(crew)
            fetch_add(crew, INSIDE, -1)
        elif looks < PATIENCE:
            pause()
            looks += 1
        else:
            looks = 0
            fetch_add(crew, ASLEEP, 1)  # a job that comes just before goes on without us; the next one wakes us
            read_bytes(load(crew, BEDS), byte.ctypes.data, 1)


def alone() -> Array:
    """A crew without helpers."""
    return np.zeros(WORDS, np.int64)


def hire(helpers: int) -> Array:
    """A crew with helpers, already at work."""
    crew = alone()
    ends = os.pipe()
    weakref.finalize(crew, _close, ends).atexit = False  # not before: whoever holds the crew may still write
    crew[BEDS], crew[CALLS] = ends
    crew[HELPERS] = helpers
    for _ in range(helpers):
        threading.Thread(target=_help, args=(crew,), daemon=True, name="gradus").start()
    return crew


def _help(crew: Array) -> None:
    if hasattr(signal, "pthread_sigmask"):  # Ctrl-C is the main thread's
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    help_out(crew)


def dismiss(crew: Array) -> None:
    """Tell the helpers to go."""
    crew[QUIT] = 1
    os.write(crew[CALLS], bytes(int(crew[HELPERS])))
    crew[HELPERS] = 0


def _close(ends: tuple[int, int]) -> None:
    for end in ends:
        os.close(end)
