"""`torch.accelerator`: what there is besides the CPU, which is nothing."""

from __future__ import annotations

from typing import Any

from gradus.engine.compat.absent import refuse


def is_available() -> bool:
    return False


def device_count() -> int:
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """None: there is none."""
    return


def synchronize(device: Any = None) -> None:
    """Return at once: nothing is under way."""


__getattr__ = refuse(__name__)
