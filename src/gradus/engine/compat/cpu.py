"""`torch.cpu`: the one device, asked as a GPU would be."""

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
    """Nothing: it is the CPU already."""


def synchronize(device: Any = None) -> None:
    """Return at once: nothing is under way."""


def stream(stream: Any) -> AbstractContextManager[None]:
    """A `with` block that changes nothing."""
    return nullcontext()
