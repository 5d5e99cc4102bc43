"""Clipping: gradients are kept below a norm, or each number of them below a value."""

from __future__ import annotations

import math
import types
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from gradus.engine.autograd import no_grad
from gradus.engine.dtypes import Array
from gradus.engine.kernels.optimizer import sum_of_squares
from gradus.engine.tensor import Tensor


@no_grad()
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,  # PyTorch's choice between two ways to the same result
) -> Tensor:
    """Scale all gradients by min(1, max_norm / (norm + 1e-6)), norm that of all of them as one vector (Pascanu et al.,
    2013).

    Returns:
        () the norm before clipping.

    Raises:
        RuntimeError: with `error_if_nonfinite`, if the norm is infinite or not a number.
    """
    generator = isinstance(parameters, types.GeneratorType)
    listed = _listed(parameters)
    if generator and not listed:
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3)
    gradients = [p.grad for p in listed if p.grad is not None]
    total = get_total_norm(gradients, norm_type, error_if_nonfinite)
    clip_grads_with_norm_(listed, max_norm, total)
    return total


@no_grad()
def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all tensors as one vector: the norm of their norms.    ()"""
    norm_type = float(norm_type)
    arrays = [tensor._array for tensor in _listed(tensors)]
    total: Any
    squares = sum_of_squares(arrays) if norm_type == 2.0 else None
    if squares is not None:
        total = np.float32(math.sqrt(squares))
    else:
        norms = [_norm(array, norm_type) for array in arrays]
        total = _norm(np.array(norms), norm_type) if norms else np.float32(0.0)
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, "
            "set `error_if_nonfinite=False`"
        )
    return Tensor._wrap(np.asarray(total))


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scale all gradients by min(1, max_norm / (total_norm + 1e-6))."""
    norm = total_norm._array
    factor = np.minimum(norm.dtype.type(max_norm) / (norm + norm.dtype.type(1e-6)), norm.dtype.type(1))
    if factor == 1:
        return
    for parameter in _listed(parameters):
        if parameter.grad is not None:
            array = parameter.grad._array
            np.multiply(array, array.dtype.type(factor), out=array)
            parameter.grad._version_counter[0] += 1


@no_grad()
def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor],
    clip_value: float,
    foreach: bool | None = None,
) -> None:
    """Every number of every gradient is brought into ±clip_value."""
    for parameter in _listed(parameters):
        if parameter.grad is not None:
            np.clip(parameter.grad._array, -float(clip_value), float(clip_value), out=parameter.grad._array)
            parameter.grad._version_counter[0] += 1


def _listed(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _norm(array: Array, order: float) -> Array:
    """The norm of an array as a vector, in its own number type."""
    flat = array.reshape(-1)
    if order == 2.0:
        norm = np.sqrt(np.dot(flat, flat))
    elif order == np.inf:
        norm = np.max(np.abs(flat), initial=0)
    elif order == 0.0:
        norm = np.count_nonzero(flat)
    elif order == 1.0:
        norm = np.sum(np.abs(flat))
    else:
        norm = np.sum(np.abs(flat) ** order) ** (1.0 / order)
    return np.asarray(norm, array.dtype)
