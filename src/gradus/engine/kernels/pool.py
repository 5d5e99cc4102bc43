"""A thread pool that shares one loop among threads, at the cost of a microsecond.

The pool is an array of words through which one thread hands the others a job: a compiled function and a range to call
it over. The range is cut into parts, and each thread has a share of them, the same one in every job: what it wrote in
one job is in its own cache when it reads it in the next. Every thread, the caller too, claims the parts of its share
one by one, then those left of the others' shares; so nobody waits for a thread that sleeps, or that the system has
descheduled, unless it holds a part. Parts are cut in the same places whatever the number of threads, so that results do
not depend on it.

The workers never need the interpreter's lock. When no job has come for a fraction of a millisecond they go to sleep,
which leaves the cores to others, and the next job wakes them through a pipe.
"""

from __future__ import annotations

import os
import signal
import threading
import weakref
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.atomics import (
    exchange,
    fetch_add,
    load,
    pause,
    read_bytes,
    sched_yield,
    store,
    write_bytes,
)
from gradus.engine.kernels.calls import call
from gradus.engine.kernels.jit import inner, loop

# The index of each word; those that different threads write are on cache lines of their own.
JOB, OPEN, CODE, ARGUMENTS, LENGTH, PART, SHARES = range(7)  # written by the caller
ACTIVE, LOCK, SLEEPING, SETTINGS = 8, 16, 24, 32
WORKERS, READ_END, WRITE_END, QUIT = SETTINGS, SETTINGS + 1, SETTINGS + 2, SETTINGS + 3
NEXT, STRIDE = 40, 8  # the next part of the first share, of the second, ...

SPINS = 8000  # polls for a job before a worker sleeps; polls for the workers' last parts before the caller yields


@inner()
def _run_parts(pool: Array, share: int) -> None:
    """Run what is left of this share, then of the others'."""
    code, arguments = load(pool, CODE), load(pool, ARGUMENTS)
    length, part, shares = load(pool, LENGTH), load(pool, PART), load(pool, SHARES)
    parts = (length + part - 1) // part
    for i in range(shares):
        mine = (share + i) % shares
        end = (mine + 1) * parts // shares
        while True:
            number = fetch_add(pool, NEXT + mine * STRIDE, 1)
            if number >= end:
                break
            call(code, arguments, number * part, min((number + 1) * part, length))


@inner()
def parallel_for(pool: Array, job: Any, length: int, part: int) -> None:
    """Call the job over 0..length, `part` at a time, on all threads; return when all of it is done."""
    shares = load(pool, WORKERS) + 1
    if length <= part or shares == 1 or exchange(pool, LOCK, 1) != 0:
        for start in range(0, length, part):
            call(job[0], job[1], start, min(start + part, length))
        return
    store(pool, CODE, job[0])
    store(pool, ARGUMENTS, job[1])
    store(pool, LENGTH, length)
    store(pool, PART, part)
    store(pool, SHARES, shares)
    for share in range(shares):
        store(pool, NEXT + share * STRIDE, share * ((length + part - 1) // part) // shares)
    number = load(pool, JOB) + 1
    store(pool, OPEN, number)
    store(pool, JOB, number)
    if load(pool, SLEEPING) > 0:
        write_bytes(load(pool, WRITE_END), pool.ctypes.data, exchange(pool, SLEEPING, 0))
    _run_parts(pool, 0)
    store(pool, OPEN, 0)
    spins = 0
    while load(pool, ACTIVE) != 0:
        pause()
        spins += 1
        if spins > SPINS:
            sched_yield()
    store(pool, LOCK, 0)


@loop()
def work(pool: Array, share: int) -> None:
    """The loop of a worker, until told to quit."""
    last, spins = 0, 0
    byte = np.empty(1, np.int8)
    while load(pool, QUIT) == 0:
        number = load(pool, JOB)
        if number != last:
            last, spins = number, 0
            fetch_add(pool, ACTIVE, 1)
            if load(pool, OPEN) == number:
                _run_parts(pool, share)
            fetch_add(pool, ACTIVE, -1)
        elif spins < SPINS:
            pause()
            spins += 1
        else:
            spins = 0
            fetch_add(pool, SLEEPING, 1)  # a job that starts just before this is run without us; the next one wakes us
            read_bytes(load(pool, READ_END), byte.ctypes.data, 1)


def start(workers: int) -> Array:
    """A pool whose worker threads run already."""
    pool = np.zeros(NEXT + (workers + 1) * STRIDE, np.int64)
    ends = os.pipe()
    weakref.finalize(pool, _close, ends).atexit = False  # not before: whoever holds the pool may still write
    pool[READ_END], pool[WRITE_END] = ends
    pool[WORKERS] = workers
    if workers:
        work.compile("void(int64[::1], int64)")
    for share in range(1, workers + 1):
        threading.Thread(target=_run_worker, args=(pool, share), daemon=True, name="gradus").start()
    return pool


def _run_worker(pool: Array, share: int) -> None:
    if hasattr(signal, "pthread_sigmask"):  # Ctrl-C is the main thread's
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    work(pool, share)


def stop(pool: Array) -> None:
    """Tell the workers to quit."""
    pool[QUIT] = 1
    os.write(pool[WRITE_END], bytes(int(pool[WORKERS])))
    pool[WORKERS] = 0


def _close(ends: tuple[int, int]) -> None:
    for end in ends:
        os.close(end)
