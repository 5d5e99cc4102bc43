"""The loops that are worth fusing, each beside the plain NumPy form that says what it computes.

A function here takes arrays and gives arrays. Large float32 arrays go to the compiled loops (`loops.py`), shared out
over the threads (`threads.py`); everything else to NumPy.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels import memory

LEAST = 2048  # numbers; below, calling a loop costs as much as it saves
SHARE = 16384  # numbers a thread should have to do, to be worth waking


def fused(*arrays: Array | None) -> bool:
    """Whether the compiled loops take these arrays: float32, in order in memory, the first one large."""
    first = arrays[0]
    assert first is not None
    if first.size < LEAST or not enabled:
        return False
    return all(a is None or (a.dtype == np.float32 and a.flags.c_contiguous) for a in arrays)


enabled = True  # False takes the NumPy forms everywhere: what the loops are tested against


@functools.cache
def compiled() -> Any:
    """The compiled loops; importing them takes half a second, so only when first needed."""
    memory.keep()
    return importlib.import_module("gradus.engine.kernels.loops")
