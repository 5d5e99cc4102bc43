"""A model's parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from gradus.engine.functions import cat
from gradus.engine.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters one after the other: (total,)."""
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """The reverse: each parameter becomes its piece of the vector (total,), and shares its memory."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec)}")
    at = 0
    for parameter in parameters:
        end = at + parameter.numel()
        parameter.data = vec.data[at:end].view(parameter.shape)
        at = end
