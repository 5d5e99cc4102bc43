"""Layouts and memory formats: how a tensor is stored in memory, under PyTorch's names."""

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
    """A constant with a name."""

    def __init__(self, name: str) -> None:
        self.name: Final = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class layout(_Name):
    """Whether a tensor is strided or sparse."""


class memory_format(_Name):
    """The order of the dimensions in memory."""


strided = layout("strided")
sparse_coo = layout("sparse_coo")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")

CHANNELS_LAST = {channels_last: 4, channels_last_3d: 5}  # the number of dimensions it requires


def check_layout(requested: Any) -> None:
    """Raise if a layout other than strided is requested."""
    if requested is not None and requested is not strided:
        raise NotImplementedError(f"gradus's engine has strided tensors only, not {requested}")


def check_format(requested: Any) -> None:
    """Raise unless it is a memory format or None."""
    if requested is not None and not isinstance(requested, memory_format):
        raise TypeError(f"memory_format must be torch.memory_format, not {type(requested).__name__}")


def in_format(x: Any, requested: Any) -> Any:
    """x in a memory format; x itself if it has it already.

    Raises:
        RuntimeError: if the format requires another number of dimensions.
        TypeError: if it is not a memory format.
    """
    check_format(requested)
    if requested is None or requested is preserve_format:
        return x
    if requested is contiguous_format:
        return x.contiguous()
    dims = CHANNELS_LAST[requested]
    if x.ndim != dims:
        raise RuntimeError(f"required rank {dims} tensor to use {requested.name} format")
    return x.movedim(1, -1).contiguous().movedim(-1, 1)


def order_of(x: Array) -> Literal["C", "K"]:
    """NumPy's `order` for a new array like x: that of x, or C if x is expanded."""
    return "C" if x.flags.c_contiguous or 0 in x.strides else "K"


def zeros_like(x: Array, dtype: np.dtype[Any]) -> Array:
    """Zeros of another dtype with the memory order of x."""
    return np.zeros(x.shape, dtype) if order_of(x) == "C" else np.zeros_like(x, dtype, order="K")


def by_memory(x: Array) -> list[int]:
    """The axes of x by decreasing stride; in their own order if x is expanded."""
    axes = list(range(x.ndim))
    return axes if order_of(x) == "C" else sorted(axes, key=lambda i: -x.strides[i])
