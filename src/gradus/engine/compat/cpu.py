"""`torch.cpu`: the functions of `torch.cuda` for the CPU."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from gradus.engine.compat.absent import refuse

__getattr__ = refuse(__name__)


def is_available() -> bool:
    return True


def is_initialized() -> bool:
    return True


def device_count() -> int:
    return 1


def current_device() -> str:
    return "cpu"


def set_device(device: Any) -> None:
    """Accepted, without effect: the CPU is the only device."""


def synchronize(device: Any = None) -> None:
    """Return at once: operations are complete when they return."""


def stream(stream: Any) -> AbstractContextManager[None]:
    """A context manager without effect."""
    return nullcontext()
