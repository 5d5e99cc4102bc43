"""How many threads the fused loops use, and how they wait: one small pool, asleep whenever it has nothing to do.

The matrix products have a pool of their own inside NumPy. The two never work at the same time, because a loop here
returns only when all its parts are done; and threads that sleep, rather than spin, leave the cores to the other pool
and to other programs.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

VARIABLE = "GRADUS_THREADS"

_count: int | None = None
_pool: ThreadPoolExecutor | None = None


def get_num_threads() -> int:
    """Threads in use: `set_num_threads`, or GRADUS_THREADS, or the cores this process may run on (at most 8)."""
    global _count
    if _count is None:
        asked = os.environ.get(VARIABLE) or os.environ.get("OMP_NUM_THREADS") or ""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        _count = max(1, int(asked)) if asked.isdecimal() else min(cores, 8)
    return _count


def set_num_threads(n: int) -> None:
    """Use n threads in the fused loops from now on."""
    global _count, _pool
    if n < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    if _pool is not None and n != _count:
        _pool.shutdown()
        _pool = None
    _count = n


def split(n: int, work: Callable[[int, int], object], least: int = 1) -> None:
    """Do work(start, stop) over 0..n in as many parts as there are threads, none smaller than `least`."""
    global _pool
    parts = min(get_num_threads(), n // max(least, 1))
    if parts <= 1:
        work(0, n)
        return
    if _pool is None:
        _pool = ThreadPoolExecutor(get_num_threads() - 1, thread_name_prefix="gradus")
    ends = [n * i // parts for i in range(parts + 1)]
    others = [_pool.submit(work, start, stop) for start, stop in itertools.pairwise(ends[1:])]
    work(ends[0], ends[1])
    for other in others:
        other.result()


def _forget() -> None:
    """A forked child has none of its parent's threads."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
