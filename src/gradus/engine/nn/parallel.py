"""`torch.nn.parallel` with one device: wrappers that only call the model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradus.engine.compat import distributed
from gradus.engine.compat.absent import refuse
from gradus.engine.nn.module import Module


class DataParallel(Module):
    """The model itself, as `.module`; there are no devices to spread it over."""

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)


class DistributedDataParallel(Module):
    """A model in a process group, as `.module`: in a group of one, gradients need no averaging.

    Raises:
        ValueError: if there is no process group, in PyTorch's words.
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, **_: Any) -> None:
        super().__init__()
        distributed.get_world_size()
        self.module = module
        self.require_backward_grad_sync = True  # whether backward averages gradients; programs set it

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Do not average gradients within a `with` block."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before


__getattr__ = refuse(__name__)
