"""`Parameter` and `Buffer`: tensors that a module, given one as an attribute, takes into its books."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.dtypes import Array, get_default_dtype
from gradus.engine.tensor import Tensor


class Parameter(Tensor):
    """A tensor that training changes. Assigned to a module it joins `module.parameters()`.

    Args:
        data: shares its numbers with the parameter; nothing means an empty float tensor.
        requires_grad: whether `backward` computes its gradient; also true when made under `no_grad`.
    """

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        self._array = _array_of(data)
        self._counter = None
        self.requires_grad_(requires_grad)

    def __repr__(self, **_: Any) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that a module keeps but training does not change. Assigned to a module it joins `module.buffers()`."""

    persistent: bool = True

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        self._array = _array_of(data)
        self._counter = None
        self.persistent = persistent


def _array_of(data: Tensor | None) -> Array:
    if data is None:
        return np.empty(0, get_default_dtype().numpy)
    if not isinstance(data, Tensor):
        raise TypeError(f"a parameter is made from a Tensor, got {type(data).__name__}; use torch.tensor(...) first")
    return data._array
