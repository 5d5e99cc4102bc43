"""Sharing one loop among threads, at the cost of a microsecond.

A crew is an array of words through which a thread offers the others a job: a compiled function and a range to call it
over. The range is cut into parts, and each thread has a share of them, the same one in every job: what it wrote in one
job is in its own cache when it reads it in the next. Everybody, the offering thread too, claims the parts of its share
one by one, then what is left of the others' shares; so a thread that sleeps, or that the system has put aside for
another program, is never waited for unless it holds a part. Parts are cut in the same places whatever the number of
threads, so that results do not depend on it.

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

from gradus.engine.dtypes import Array
from gradus.engine.kernels.jit import inner, loop
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

# Where in the array each word is; those that different threads write lie on cache lines of their own.
JOB, OPEN, CODE, ARGUMENTS, LENGTH, PART, SHARES = range(7)  # written by who offers
INSIDE, OWNED, ASLEEP, SETTINGS = 8, 16, 24, 32
HELPERS, BEDS, CALLS, QUIT = SETTINGS, SETTINGS + 1, SETTINGS + 2, SETTINGS + 3
NEXT, APART = 40, 8  # the next part of the first share, of the second, ...

PATIENCE = 8000  # looks for a job before a helper sleeps; looks at a helper's part before who waits lends its core


@inner()
def _take_parts(crew: Array, share: int) -> None:
    """Do what is left of this share, then of the others'."""
    code, arguments = load(crew, CODE), load(crew, ARGUMENTS)
    length, part, shares = load(crew, LENGTH), load(crew, PART), load(crew, SHARES)
    parts = (length + part - 1) // part
    for i in range(shares):
        mine = (share + i) % shares
        end = (mine + 1) * parts // shares
        while True:
            number = fetch_add(crew, NEXT + mine * APART, 1)
            if number >= end:
                break
            call(code, arguments, number * part, min((number + 1) * part, length))


@inner()
def offer(crew: Array, job: Any, length: int, part: int) -> None:
    """Call the job over 0..length, `part` at a time, with everybody's help; return when all is done."""
    shares = load(crew, HELPERS) + 1
    if length <= part or shares == 1 or exchange(crew, OWNED, 1) != 0:
        for start in range(0, length, part):
            call(job[0], job[1], start, min(start + part, length))
        return
    store(crew, CODE, job[0])
    store(crew, ARGUMENTS, job[1])
    store(crew, LENGTH, length)
    store(crew, PART, part)
    store(crew, SHARES, shares)
    for share in range(shares):
        store(crew, NEXT + share * APART, share * ((length + part - 1) // part) // shares)
    number = load(crew, JOB) + 1
    store(crew, OPEN, number)
    store(crew, JOB, number)
    if load(crew, ASLEEP) > 0:
        write_bytes(load(crew, CALLS), crew.ctypes.data, exchange(crew, ASLEEP, 0))
    _take_parts(crew, 0)
    store(crew, OPEN, 0)
    looks = 0
    while load(crew, INSIDE) != 0:
        pause()
        looks += 1
        if looks > PATIENCE:
            give_way()
    store(crew, OWNED, 0)


@loop()
def help_out(crew: Array, share: int) -> None:
    """What a helper does, until told to quit."""
    seen, looks = 0, 0
    byte = np.empty(1, np.int8)
    while load(crew, QUIT) == 0:
        number = load(crew, JOB)
        if number != seen:
            seen, looks = number, 0
            fetch_add(crew, INSIDE, 1)
            if load(crew, OPEN) == number:
                _take_parts(crew, share)
            fetch_add(crew, INSIDE, -1)
        elif looks < PATIENCE:
            pause()
            looks += 1
        else:
            looks = 0
            fetch_add(crew, ASLEEP, 1)  # a job that comes just before goes on without us; the next one wakes us
            read_bytes(load(crew, BEDS), byte.ctypes.data, 1)


def hire(helpers: int) -> Array:
    """A crew with helpers, already at work."""
    crew = np.zeros(NEXT + (helpers + 1) * APART, np.int64)
    ends = os.pipe()
    weakref.finalize(crew, _close, ends).atexit = False  # not before: whoever holds the crew may still write
    crew[BEDS], crew[CALLS] = ends
    crew[HELPERS] = helpers
    if helpers:
        help_out.compile("void(int64[::1], int64)")
    for share in range(1, helpers + 1):
        threading.Thread(target=_help, args=(crew, share), daemon=True, name="gradus").start()
    return crew


def _help(crew: Array, share: int) -> None:
    if hasattr(signal, "pthread_sigmask"):  # Ctrl-C is the main thread's
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    help_out(crew, share)


def dismiss(crew: Array) -> None:
    """Tell the helpers to go."""
    crew[QUIT] = 1
    os.write(crew[CALLS], bytes(int(crew[HELPERS])))
    crew[HELPERS] = 0


def _close(ends: tuple[int, int]) -> None:
    for end in ends:
        os.close(end)
