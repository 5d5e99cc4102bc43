"""`torch.distributed` in one process: a group of size 1 works, a larger one raises an error.

`is_available()` is False, so that programs that check it run in one process.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Sequence
from typing import Any

from gradus.engine.compat.absent import refuse
from gradus.engine.tensor import Tensor

__all__ = [
    "ReduceOp",
    "all_gather",
    "all_gather_object",
    "all_reduce",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "destroy_process_group",
    "gather",
    "get_backend",
    "get_rank",
    "get_world_size",
    "init_process_group",
    "is_available",
    "is_initialized",
    "is_nccl_available",
    "is_torchelastic_launched",
    "new_group",
    "reduce",
    "scatter",
]


class ReduceOp(enum.Enum):
    """The reduction over the processes."""

    SUM = "sum"
    AVG = "avg"
    PRODUCT = "product"
    MIN = "min"
    MAX = "max"
    BAND = "band"
    BOR = "bor"
    BXOR = "bxor"


_backend: str | None = None  # of the group; None before it is initialized


def is_available() -> bool:
    return False


def is_nccl_available() -> bool:
    return False


def is_initialized() -> bool:
    """Whether `init_process_group` was called."""
    return _backend is not None


def is_torchelastic_launched() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def init_process_group(
    backend: str | None = None,
    init_method: str | None = None,
    timeout: Any = None,
    world_size: int = -1,
    rank: int = -1,
    store: Any = None,
    **_: Any,
) -> None:
    """Initialize a group with this process only.

    Args:
        world_size, rank: default to the variables WORLD_SIZE and RANK, which torchrun sets.

    Raises:
        ValueError: if neither gives them, or the group is already initialized.
        RuntimeError: if the group has more than one process, or the backend is nccl.
    """
    global _backend
    if _backend is not None:
        raise ValueError("trying to initialize the default process group twice!")
    size = world_size if world_size >= 0 else _from_environment("WORLD_SIZE")
    rank = rank if rank >= 0 else _from_environment("RANK")
    if size != 1 or rank != 0:
        raise RuntimeError(
            f"gradus's engine computes in one process, and this would be process {rank} of {size}: start the program "
            "without torchrun, or run it on PyTorch"
        )
    if backend is not None and "nccl" in backend:
        raise RuntimeError("Distributed package doesn't have NCCL built in: it connects GPUs; use backend='gloo'")
    _backend = backend or "gloo"


def destroy_process_group(group: Any = None) -> None:
    """Destroy the group."""
    global _backend
    _checked()
    _backend = None


def get_rank(group: Any = None) -> int:
    _checked()
    return 0


def get_world_size(group: Any = None) -> int:
    _checked()
    return 1


def get_backend(group: Any = None) -> str:
    return _checked()


def new_group(ranks: Sequence[int] | None = None, **_: Any) -> str:
    """A group of some of the processes: the same group."""
    _checked()
    return "group of rank 0"


def barrier(group: Any = None, async_op: bool = False, **_: Any) -> None:
    """Wait for all processes: returns at once, with one process."""
    _checked()


def all_reduce(tensor: Tensor, op: ReduceOp = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
    """Reduce over the processes, in place: with one process, the tensor is unchanged."""
    return _done(async_op)


def reduce(tensor: Tensor, dst: int = 0, op: ReduceOp = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
    """As `all_reduce`, the result in process dst."""
    return _done(async_op)


def broadcast(tensor: Tensor, src: int = 0, group: Any = None, async_op: bool = False) -> Any:
    """Copy process src's tensor to all processes."""
    return _done(async_op)


def broadcast_object_list(object_list: list[Any], src: int = 0, group: Any = None, **_: Any) -> None:
    """Copy process src's objects to all processes."""
    _checked()


def all_gather(tensor_list: list[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False) -> Any:
    """Copy the tensors of all processes into the list's tensors."""
    tensor_list[0].copy_(tensor)
    return _done(async_op)


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Put the objects of all processes into the list."""
    _checked()
    object_list[0] = obj


def gather(
    tensor: Tensor, gather_list: list[Tensor] | None = None, dst: int = 0, group: Any = None, async_op: bool = False
) -> Any:
    """Copy the tensors of all processes into process dst's list."""
    if gather_list is None:
        raise ValueError("Argument ``gather_list`` must be specified on destination rank.")
    gather_list[0].copy_(tensor)
    return _done(async_op)


def scatter(
    tensor: Tensor, scatter_list: list[Tensor] | None = None, src: int = 0, group: Any = None, async_op: bool = False
) -> Any:
    """Send each process one tensor of process src's list."""
    if scatter_list is None:
        raise ValueError("Argument ``scatter_list`` must be specified on source rank.")
    tensor.copy_(scatter_list[0])
    return _done(async_op)


class Work:
    """The handle of an asynchronous operation, which is complete already."""

    def wait(self, timeout: Any = None) -> bool:
        return True

    def is_completed(self) -> bool:
        return True


def _done(async_op: bool) -> Work | None:
    _checked()
    return Work() if async_op else None


def _checked() -> str:
    if _backend is None:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return _backend


def _from_environment(variable: str) -> int:
    if variable not in os.environ:
        raise ValueError(
            "Error initializing torch.distributed using env:// rendezvous: "
            f"environment variable {variable} expected, but not set"
        )
    return int(os.environ[variable])


__getattr__ = refuse(__name__)
