"""`torch.__config__`: what this engine is built of."""

from __future__ import annotations

import numpy as np

from gradus.engine.compat.version import __version__
from gradus.engine.kernels import threads


def show() -> str:
    """One line each for the engine and for NumPy."""
    return f"gradus's engine {__version__}, built with:\n  - NumPy {np.__version__}\n"


def parallel_info() -> str:
    """How many threads are in use."""
    return f"gradus's engine:\n\tthreads: {threads.get_num_threads()}\n"
