"""`torch.__config__`: the versions of the engine and of NumPy."""

from __future__ import annotations

import numpy as np

from gradus.engine.compat.version import __version__
from gradus.engine.kernels import threads


def show() -> str:
    """The versions of the engine and of NumPy, one on each line."""
    return f"gradus's engine {__version__}, built with:\n  - NumPy {np.__version__}\n"


def parallel_info() -> str:
    """The number of threads in use."""
    return f"gradus's engine:\n\tthreads: {threads.get_num_threads()}\n"
