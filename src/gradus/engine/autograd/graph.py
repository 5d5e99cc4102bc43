"""`torch.autograd.graph`: nodes and saved tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gradus.engine.autograd.node import Node as Node
from gradus.engine.compat.absent import refuse

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = ["Node", "increment_version", "save_on_cpu"]

__getattr__ = refuse(__name__)


@contextmanager
def save_on_cpu(pin_memory: bool = False, device_type: str = "cuda") -> Iterator[None]:
    """A context manager without effect: saved tensors are in the CPU's memory already."""
    yield


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Increment the version of tensors whose data was changed unseen, so that a backward that saved them raises."""
    tensors: Any = [tensor] if hasattr(tensor, "_version_counter") else tensor
    for t in tensors:
        t._version_counter[0] += 1
