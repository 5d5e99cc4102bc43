"""The resident memory of this process, as Linux reports it; 0 on other systems."""

from __future__ import annotations

import contextlib
from pathlib import Path

_PROCESS = Path("/proc/self")


def resident() -> int:
    """Resident bytes now."""
    return _status("VmRSS")


def peak() -> int:
    """The peak of resident bytes since the start or the last `forget_peak`."""
    return _status("VmHWM")


def forget_peak() -> None:
    """Reset the peak to what is resident now."""
    with contextlib.suppress(OSError):
        (_PROCESS / "clear_refs").write_text("5")


def _status(key: str) -> int:
    try:
        lines = (_PROCESS / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:")), 0)
