"""The processor that loops are compiled for, and the shape of a micro-kernel's tile on it."""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from numba.core import config


def _has(feature: str) -> bool:
    """Whether the processor that Numba compiles for has a feature: this one, or the one that its settings name."""
    settings: Any = config
    if settings.CPU_NAME or settings.CPU_FEATURES:
        return f"+{feature}" in (settings.CPU_FEATURES or "").split(",")
    return bool(llvm.get_host_cpu_features().get(feature))


# A tile is as large as the vector registers allow: its sums, one row of b and one number of a.
if _has("avx512f"):
    LANES, ROWS, VECTORS = 16, 12, 2
elif _has("avx2"):
    LANES, ROWS, VECTORS = 8, 6, 2
else:
    LANES, ROWS, VECTORS = 4, 6, 2
COLUMNS = LANES * VECTORS
STRIP_ROWS, STRIP_VECTORS = 8, 2 if LANES == 16 else 1  # the tile of a product of a few rows
