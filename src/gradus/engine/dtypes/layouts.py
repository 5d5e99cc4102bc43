"""How a tensor's numbers may lie in memory, under PyTorch's names: layouts and memory formats."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np

from gradus.engine.dtypes import Array

__all__ = [
    "channels_last",
    "channels_last_3d",
    "contiguous_format",
    "layout",
    "memory_format",
    "preserve_format",
    "sparse_coo",
    "strided",
]


class _Name:
    """Something that is told by its name alone."""

    def __init__(self, name: str) -> None:
        self.name: Final = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class layout(_Name):
    """Whether all numbers are kept, or only those that are not 0."""


class memory_format(_Name):
    """The order of the dimensions in memory."""


strided = layout("strided")
sparse_coo = layout("sparse_coo")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")

CHANNELS_LAST = {channels_last: 4, channels_last_3d: 5}  # the dimensions that a tensor in it has


def check_layout(asked: Any) -> None:
    """Raise if it is asked for anything but a strided tensor."""
    if asked is not None and asked is not strided:
        raise NotImplementedError(f"gradus's engine has strided tensors only, not {asked}")


def check_format(asked: Any) -> None:
    """Raise if it is no memory format."""
    if asked is not None and not isinstance(asked, memory_format):
        raise TypeError(f"memory_format must be torch.memory_format, not {type(asked).__name__}")


def in_format(x: Any, asked: Any) -> Any:
    """A tensor whose numbers lie as the format says; the tensor itself if they do.

    Raises:
        RuntimeError: if it has not the dimensions that the format is for.
        TypeError: if it is no memory format.
    """
    check_format(asked)
    if asked is None or asked is preserve_format:
        return x
    if asked is contiguous_format:
        return x.contiguous()
    dims = CHANNELS_LAST[asked]
    if x.ndim != dims:
        raise RuntimeError(f"required rank {dims} tensor to use {asked.name} format")
    return x.movedim(1, -1).contiguous().movedim(-1, 1)


def order_of(x: Array) -> Literal["C", "K"]:
    """The order, as NumPy calls it, that what is made like x has: x's own, of expanded ones the usual one."""
    return "C" if x.flags.c_contiguous or 0 in x.strides else "K"


def zeros_like(x: Array, kind: np.dtype[Any]) -> Array:
    """Zeros of another type that lie in memory as x does."""
    return np.zeros(x.shape, kind) if order_of(x) == "C" else np.zeros_like(x, kind, order="K")


def by_memory(x: Array) -> list[int]:
    """The axes of x, that with the longest step in memory first; of an expanded one in their own order."""
    axes = list(range(x.ndim))
    return axes if order_of(x) == "C" else sorted(axes, key=lambda i: -x.strides[i])
