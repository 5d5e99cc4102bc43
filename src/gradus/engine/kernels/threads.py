"""How many threads there are, and the crew they form (`crew.py`): one for the products and the fused loops alike.

NumPy's library of products has threads of its own, which wait by spinning: on an idle machine that costs nothing, but
beside another busy program a step becomes ten times slower. So that library gets one thread.
"""

from __future__ import annotations

import functools
import os
import threading

import numpy as np

from gradus.engine.dtypes import Array

VARIABLE = "GRADUS_THREADS"

_count: int | None = None
_crew: Array | None = None
_ALONE = np.zeros(48, np.int64)  # a crew (`crew.py`) without helpers
_changing = threading.Lock()  # held by who hires or dismisses


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
    global _count, _crew
    if n < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    with _changing:
        if n == _count:
            return
        if _crew is not None:
            from gradus.engine.kernels.crew import dismiss

            dismiss(_crew)
        _count, _crew = n, None


@functools.cache
def take_over() -> frozenset[str]:
    """From now on NumPy's library of products uses one thread. Gives the name of the processors its kernels are for."""
    from threadpoolctl import ThreadpoolController

    libraries = ThreadpoolController().select(user_api="blas")
    libraries.limit(limits=1)
    return frozenset(library.get("architecture", "") for library in libraries.info())


def crew(*, shared: bool = True) -> Array:
    """The threads with which to share a loop, hired when first asked for; or, if it is not to be shared, nobody."""
    global _crew
    if not shared:
        return _ALONE
    found = _crew
    if found is not None:
        return found
    with _changing:
        if _crew is None:
            from gradus.engine.kernels.crew import hire

            take_over()
            _crew = hire(get_num_threads() - 1)
        return _crew


def _forget() -> None:
    """A forked child has none of its parent's threads."""
    global _crew, _changing
    _crew, _changing = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
