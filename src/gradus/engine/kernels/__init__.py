"""Fused kernels: functions of arrays, each written twice, in NumPy and as a compiled loop.

The NumPy form says what is computed, and computes small arrays and all number types but float32. Large float32 arrays
go to the loops (`loops/`, `heads.py`, `tiles.py`), which Numba compiles and a thread pool runs (`threads.py`,
`pool.py`).
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import threading
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels import memory

FLOAT32 = np.dtype(np.float32)
LEAST = 512  # elements; below, calling a loop costs as much as it saves

SOME = 512  # elements from which a loop is faster, once Numba is imported
MANY = 1 << 21  # elements from which importing Numba pays off


def accepts(first: Array, *others: Array | None) -> bool:
    """Whether the compiled loops take these arrays: float32, C-contiguous, writable, the first of `LEAST` elements."""
    if first.size < LEAST or first.dtype is not FLOAT32 or not first.flags.carray or not enabled:
        return False
    for a in others:  # noqa: SIM110 (a generator costs more than the checks)
        if a is not None and not (a.dtype is FLOAT32 and a.flags.carray):
            return False
    return True


# False uses the NumPy forms everywhere: the loops are tested against them, and they run where Numba is not installed.
enabled = importlib.util.find_spec("numba") is not None


_loading = threading.RLock()  # Numba's modules import each other in circles, which threads see half-way


@functools.cache
def compiled(module: str = "loops") -> Any:
    """The module with compiled loops, imported when first needed: importing Numba takes half a second."""
    from gradus.engine.kernels import cache

    memory.keep()
    with _loading, cache.active():
        return importlib.import_module(f"gradus.engine.kernels.{module}")


def worthwhile(elements: int) -> bool:
    """Whether a compiled loop pays off for so many elements: more are needed before the first one is loaded."""
    return enabled and elements >= (SOME if compiled.cache_info().currsize else MANY)
