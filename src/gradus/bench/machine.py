"""What the figures were measured on."""

from __future__ import annotations

import importlib.util
import os
import platform
from importlib.metadata import version
from pathlib import Path

from gradus import __version__

_PACKAGES = {"NumPy": "numpy", "Numba": "numba", "PyTorch": "torch", "micrograd": "micrograd"}


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> dict[str, str | int | float]:
    """Processor, cores, how busy they were in the last minute, and the versions of all that takes part."""
    found = {name: version(package) for name, package in _PACKAGES.items() if importlib.util.find_spec(package)}
    return {
        "processor": processor(),
        "cores": cores(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0,
        "system": f"{platform.system()}, {platform.machine()}",
        "gradus": __version__,
        "Python": platform.python_version(),
        **found,
    }


def processor() -> str:
    """Its name, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
