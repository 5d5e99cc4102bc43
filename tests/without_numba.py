"""A pytest plugin, `-p tests.without_numba`: Numba cannot be imported, as on a machine where it does not exist."""

from __future__ import annotations

import sys
from pathlib import Path

THE_LOOPS_THEMSELVES = {"test_pool.py", "test_jit.py", "test_kernels.py", "test_memory.py", "test_first_process.py"}

for name in ("numba", "llvmlite"):
    sys.modules[name] = None  # type: ignore[assignment]


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if collection_path.name in THE_LOOPS_THEMSELVES else None
