"""The loops that are worth fusing, each beside the plain NumPy form that says what it computes.

A function here takes arrays and gives arrays. Large float32 arrays go to the compiled loops (`loops.py`, `heads.py`,
`tiles.py`), which share their work among the threads (`threads.py`, `crew.py`); everything else to NumPy.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels import memory

FLOAT32 = np.dtype(np.float32)
LEAST = 512  # numbers; below, calling a loop costs as much as it saves

SOME, MANY = 512, 1 << 21  # numbers that take NumPy longer than a loop; than importing Numba, too


def fused(first: Array, *others: Array | None) -> bool:
    """Whether the compiled loops take these arrays: float32, in order in memory, not read-only, the first one large."""
    if first.size < LEAST or first.dtype is not FLOAT32 or not first.flags.carray or not enabled:
        return False
    for a in others:  # noqa: SIM110 (a generator takes longer than its checks)
        if a is not None and not (a.dtype is FLOAT32 and a.flags.carray):
            return False
    return True


# False takes the NumPy forms everywhere: what the loops are tested against, and what runs where there is no Numba.
enabled = importlib.util.find_spec("numba") is not None


@functools.cache
def compiled(module: str = "loops") -> Any:
    """The compiled loops of a module; importing the first takes half a second, so only when first needed."""
    from gradus.engine.kernels import cache

    memory.keep()
    with cache.in_use():
        return importlib.import_module(f"gradus.engine.kernels.{module}")


def worthwhile(numbers: int) -> bool:
    """Whether so many numbers are worth a compiled loop: many have to be, if this process has not loaded one yet."""
    return enabled and numbers >= (SOME if compiled.cache_info().currsize else MANY)
