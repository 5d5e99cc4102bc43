"""The processes of one training, as torchrun starts them: which of them this one is, what they tell each other, and how
a model is spread over them.

Each process computes its rows of every batch. With DistributedDataParallel (Li et al., 2020) each has the whole model,
and the gradients are averaged while they are computed; with `fully_shard` (Zhao et al., 2023, FSDP) each has a part of
the weights, the gradients and the optimizer's state, and the whole of a layer only while it is computed.

The process of rank 0 leads: it alone writes and speaks. With one process nothing here does anything.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np

from gradus.backend import rank, world_size
from gradus.errors import UserError

T = TypeVar("T")


MEETING = timedelta(minutes=10)  # how long to wait for the others, at the start and in a step
SPEAKING = timedelta(seconds=5)  # how long to try to learn whether another process has reported the error
LOST = "another process of the training has ended, or is out of reach"
# Words of PyTorch's errors that say so; of most there is no class.
SIGNS = ("gloo", "nccl", "connection", "socket", "process group", "timed out", "diststore", "distnetwork")


class Lost(UserError):
    """Another process cannot be reached any more."""


def leads() -> bool:
    """Whether this process is the one that writes and speaks."""
    return rank() == 0


def rows() -> slice:
    """Which rows of a batch are this process's: of N processes, every N-th."""
    return slice(rank(), None, world_size())


def is_lost(error: Exception) -> bool:
    """Whether an error says that another process cannot be reached."""
    said = f"{type(error).__name__} {error}".lower()
    return world_size() > 1 and any(word in said for word in SIGNS)


# What they tell each other


def join(device: Any) -> None:
    """Meet the other processes, where there are some.

    Args:
        device: a torch.device. On CUDA the tensors there go by NCCL; those on the CPU go by Gloo in any case.

    Raises:
        UserError: if they cannot be reached.
    """
    if world_size() == 1:
        return
    import torch.distributed as dist

    if dist.is_initialized():
        return
    place = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=MEETING)
    except (RuntimeError, ValueError) as error:
        raise UserError(f"cannot reach the other processes by {place}: {str(error).splitlines()[0]}") from error


def total(*numbers: float) -> list[float]:
    """The sum of each number over all processes."""
    if world_size() == 1:
        return list(numbers)
    import torch
    import torch.distributed as dist

    sums = torch.tensor(numbers, dtype=torch.float64)
    with _reaching():
        dist.all_reduce(sums)
    found: list[float] = sums.tolist()
    return found


def mean(number: float) -> float:
    """The mean of a number over all processes."""
    return number if world_size() == 1 else total(number)[0] / world_size()


def first(value: T) -> T:
    """The leading process's value, in all of them."""
    if world_size() == 1:
        return value
    import torch.distributed as dist

    values = [value]
    with _reaching():
        dist.broadcast_object_list(values)
    return values[0]


def any_of(asked: Callable[[], bool]) -> Callable[[], bool]:
    """A question that all processes ask at the same time, and whether one of them says yes."""
    return asked if world_size() == 1 else lambda: total(asked())[0] > 0


def same_clock(clock: Callable[[], float]) -> Callable[[], float]:
    """The leading process's clock, for all of them: what depends on the time must be the same in all."""
    return clock if world_size() == 1 else lambda: first(clock())


def require_same(what: str, value: object) -> None:
    """Raise UserError in a process that has another value than the leading one has."""
    if first(value) != value:
        raise UserError(f"the {what} of process {rank()} differs from that of process 0: {value}")


def seed(number: int, step: int) -> None:
    """Let each process but the leading one draw random numbers of its own, from a step on."""
    if not leads():
        import torch

        torch.manual_seed(int(np.random.SeedSequence([number, rank(), step]).generate_state(1)[0]))


def gather_rows(part: Any, dim: int) -> Any:
    """The rows of a whole batch along a dimension of arrays, of which each process has those of `rows`."""
    if world_size() == 1:
        return part
    import torch.distributed as dist

    parts: list[Any] = [None] * world_size()
    with _reaching():
        dist.all_gather_object(parts, part)
    whole = np.empty([sum(p.shape[i] for p in parts) if i == dim else n for i, n in enumerate(part.shape)], part.dtype)
    for i, rows in enumerate(parts):
        whole[(slice(None),) * dim + (slice(i, None, world_size()),)] = rows
    return whole


@contextmanager
def _reaching() -> Iterator[None]:
    """Within it, that another process cannot be reached is a UserError."""
    try:
        yield
    except RuntimeError as error:
        if is_lost(error):
            raise Lost(LOST) from error
        raise


# The model in all of them


def replicate(network: Any, device: Any) -> Any:
    """A network whose gradients are the mean over all processes, by DistributedDataParallel."""
    if world_size() == 1:
        return network
    from torch.nn.parallel import DistributedDataParallel

    ids = [device] if device.type == "cuda" else None
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # broadcast_buffers has a new name from 2.13
        return DistributedDataParallel(network, device_ids=ids, broadcast_buffers=False, gradient_as_bucket_view=True)


def shard(model: Any, device: Any, *, compiled: bool) -> Any:
    """Divide a model's parameters between the processes, in place, by `fully_shard`: the layers in its lists each by
    themselves, and the rest together."""
    import torch
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    model.to(device)
    mesh = init_device_mesh(device.type, (world_size(),))
    layers = [layer for module in model.modules() if isinstance(module, torch.nn.ModuleList) for layer in module]
    for layer in layers:
        if compiled:
            layer.compile()
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    return model


def synchronise(network: Any, now: bool) -> None:
    """Whether the next backward pass brings the gradients of the processes together: of several that are accumulated,
    only the last has to."""
    if world_size() == 1:
        return
    if hasattr(network, "set_requires_gradient_sync"):  # FSDP
        network.set_requires_gradient_sync(now)
    else:
        network.require_backward_grad_sync = now


def whole(tensor: Any) -> Any:
    """A tensor on the CPU, gathered where each process has a part of it; then all of them must ask."""
    if hasattr(tensor, "full_tensor"):
        tensor = tensor.full_tensor()
    return tensor.detach().cpu()


def like(tensor: Any, other: Any) -> Any:
    """A tensor, spread over the processes as another one is."""
    if not hasattr(other, "full_tensor"):
        return tensor
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(tensor.to(other.device), other.device_mesh, other.placements)


# When one of them fails


def speaks() -> bool:
    """Whether this process is the first to report an error, and should do so; if the others cannot be asked, it
    should."""
    if world_size() == 1:
        return True
    try:
        from torch.distributed import TCPStore

        host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        store = TCPStore(host, port, None, is_master=False, timeout=SPEAKING, wait_for_workers=False)
        return bool(store.add(f"gradus/error/{os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", 1) == 1)
    except (ImportError, KeyError, ValueError, RuntimeError):
        return True
