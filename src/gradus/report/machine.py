"""What the numbers were made on, in general terms: enough to judge a time, too little to tell which machine it was."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

from gradus import __version__, backend


def machine() -> dict[str, str]:
    """Versions and the number of cores, by the names that the page shows."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    tensors = "gradus.engine" if backend.name() == "engine" else f"PyTorch {version('torch')}"
    return {
        "gradus": __version__,
        "tensors": tensors,
        "Python": platform.python_version(),
        "NumPy": version("numpy"),
        "system": f"{platform.system()}, {platform.machine()}",
        "cores": str(cores),
    }
