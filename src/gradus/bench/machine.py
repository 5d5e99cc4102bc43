"""The machine, and how much of it other programs used during a measurement."""

from __future__ import annotations

import importlib.util
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

from gradus import __version__

_PACKAGES = {"NumPy": "numpy", "Numba": "numba", "PyTorch": "torch", "micrograd": "micrograd"}


def cores() -> int:
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> dict[str, str | int]:
    """Processor, cores, and the versions of all contestants."""
    found = {name: version(package) for name, package in _PACKAGES.items() if importlib.util.find_spec(package)}
    return {
        "processor": processor(),
        "cores": cores(),
        "system": f"{platform.system()}, {platform.machine()}",
        "gradus": __version__,
        "Python": platform.python_version(),
        **found,
    }


class Others:
    """The cores that programs other than this one and its ended children have used since this object's creation."""

    def __init__(self) -> None:
        self._start, self._before = time.perf_counter(), self._seconds()

    def cores(self) -> float | None:
        """The average; None if the system does not report it."""
        now = self._seconds()
        if now is None or self._before is None:
            return None
        return max(0.0, now - self._before) / (time.perf_counter() - self._start)

    @staticmethod
    def _seconds() -> float | None:
        """What all programs have used, and what the host took from a virtual machine, less our own."""
        try:
            first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
        except OSError:
            return None
        user, nice, system, _idle, _waiting, irq, softirq, steal = map(int, first.split()[1:9])
        everyone = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        return everyone - sum(os.times()[:4])


def processor() -> str:
    """The processor's name, as the system reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
