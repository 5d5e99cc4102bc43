"""How many threads there are, and their pool (`pool.py`): one for matrix products and fused loops alike.

NumPy's BLAS has threads of its own, which wait by spinning: on an idle machine that costs nothing, but beside another
busy program a step becomes ten times slower. So the BLAS gets one thread.
"""

from __future__ import annotations

import functools
import os
import threading

import numpy as np

from gradus.engine.dtypes import Array

VARIABLE = "GRADUS_THREADS"

_count: int | None = None
_pool: Array | None = None
_SERIAL = np.zeros(48, np.int64)  # a pool (`pool.py`) without workers
_changing = threading.Lock()  # held while the pool is started or stopped


def get_num_threads() -> int:
    """Threads in use: `set_num_threads`, or GRADUS_THREADS, or the cores this process may run on (at most 8)."""
    global _count
    if _count is None:
        asked = os.environ.get(VARIABLE) or os.environ.get("OMP_NUM_THREADS") or ""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        _count = max(1, int(asked)) if asked.isdecimal() else min(cores, 8)
    return _count


def set_num_threads(n: int) -> None:
    """Use n threads from now on."""
    global _count, _pool
    if n < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    with _changing:
        if n == _count:
            return
        if _pool is not None:
            from gradus.engine.kernels.pool import stop

            stop(_pool)
        _count, _pool = n, None


@functools.cache
def limit_blas() -> frozenset[str]:
    """Let NumPy's BLAS use one thread from now on; returns the architectures that its kernels are for."""
    from threadpoolctl import ThreadpoolController

    libraries = ThreadpoolController().select(user_api="blas")
    libraries.limit(limits=1)
    return frozenset(library.get("architecture", "") for library in libraries.info())


def pool(*, parallel: bool = True) -> Array:
    """The thread pool, started at the first call; with parallel=False, one that runs all in the calling thread."""
    global _pool
    if not parallel:
        return _SERIAL
    started = _pool
    if started is not None:
        return started
    with _changing:
        if _pool is None:
            from gradus.engine.kernels.pool import start

            limit_blas()
            _pool = start(get_num_threads() - 1)
        return _pool


def _after_fork() -> None:
    """A forked child has none of its parent's threads."""
    global _pool, _changing
    _pool, _changing = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
