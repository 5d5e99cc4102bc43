"""Tensors and their memory: as_strided, resize_, and creating tensors with given strides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.in_place import become_view
from gradus.engine.autograd.record import apply, wrap
from gradus.engine.dtypes import dtype as DType
from gradus.engine.functions.checks import refuse_unknown
from gradus.engine.functions.sizes import index_of, sizes_of
from gradus.engine.ops.strided import Strided, extent, laid_out, memory

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = ["as_strided", "as_strided_", "empty_permuted", "empty_strided", "resize_as_"]


def as_strided(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """A view of input's memory: one step along dimension i is stride[i] elements further."""
    offset = memory(input._array)[1] if storage_offset is None else index_of(storage_offset)
    return apply(Strided, input, size=sizes_of((size,)), stride=sizes_of((stride,)), offset=offset)


def as_strided_(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """This very tensor, at other strides."""
    return become_view(input, lambda x: as_strided(x, size, stride, storage_offset))


def resize_(input: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """This very tensor in another shape, its memory kept as far as it reaches; what is new is not defined."""
    if input.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    if memory_format is not None and str(memory_format) != "torch.contiguous_format":
        raise RuntimeError(
            f"resize_ in another memory format than the contiguous one is not supported: {memory_format}"
        )
    shape = sizes_of(sizes)
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {list(shape)}")
    if shape != input._array.shape:
        whole, start = memory(input._array)
        stride = contiguous_strides(shape)
        need = start + extent(shape, stride)
        if need > len(whole):
            grown = np.zeros(need, whole.dtype)
            grown[: len(whole)] = whole
            whole = grown
        input._array = laid_out(whole, shape, stride, start)
    return input


def resize_as_(input: Tensor, the_template: Tensor) -> Tensor:
    """Resize input to the shape of the template."""
    return resize_(input, the_template._array.shape)


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a contiguous tensor of a shape."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


def empty_strided(
    size: Sequence[int],
    stride: Sequence[int],
    *,
    dtype: DType | None = None,
    requires_grad: bool = False,
    **others: Any,
) -> Tensor:
    """An uninitialized tensor (here zeros) with the given strides."""
    refuse_unknown("empty_strided", others)
    return _strided(size, stride, dtypes.to_numpy(dtype or dtypes.get_default_dtype()), requires_grad)


def new_empty_strided(
    input: Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    *,
    dtype: DType | None = None,
    requires_grad: bool = False,
    **others: Any,
) -> Tensor:
    """As empty_strided, in input's type."""
    refuse_unknown("new_empty_strided", others)
    return _strided(size, stride, input._array.dtype if dtype is None else dtypes.to_numpy(dtype), requires_grad)


def empty_permuted(
    size: Sequence[int],
    physical_layout: Sequence[int],
    *,
    dtype: DType | None = None,
    requires_grad: bool = False,
    **others: Any,
) -> Tensor:
    """An uninitialized tensor (here zeros) whose dimensions are in memory in the given order."""
    refuse_unknown("empty_permuted", others)
    shape, order = sizes_of((size,)), sizes_of((physical_layout,))
    if len(shape) != len(order):
        raise RuntimeError(
            f"Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
            f"{len(shape)} is not equal to len(physical_layout) = {len(order)}"
        )
    if sorted(order) != list(range(len(shape))):
        raise RuntimeError(f"Duplicate dim not allowed, or dim out of range, in physical_layout {list(order)}")
    steps = contiguous_strides(tuple(shape[i] for i in order))
    stride = [steps[order.index(i)] for i in range(len(shape))]
    return _strided(shape, stride, dtypes.to_numpy(dtype or dtypes.get_default_dtype()), requires_grad)


def _strided(size: Sequence[int], stride: Sequence[int], dtype: np.dtype[Any], requires_grad: bool) -> Tensor:
    shape, steps = sizes_of((size,)), sizes_of((stride,))
    if len(shape) != len(steps):
        raise RuntimeError(
            f"mismatch in length of strides and shape: dimensionality of sizes ({len(shape)}) must match "
            f"dimensionality of strides ({len(steps)})"
        )
    out = wrap(laid_out(np.zeros(extent(shape, steps), dtype), shape, steps, 0))
    return out.requires_grad_() if requires_grad else out
