"""`torch.accelerator`: there is no accelerator, only the CPU."""

from __future__ import annotations

from typing import Any

from gradus.engine.compat.absent import refuse


def is_available() -> bool:
    return False


def device_count() -> int:
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """None: there is no accelerator."""
    return


def synchronize(device: Any = None) -> None:
    """Return at once: operations are complete when they return."""


__getattr__ = refuse(__name__)
