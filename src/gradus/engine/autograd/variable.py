"""`torch.autograd.Variable`, the wrapper of tensors with gradients before PyTorch 0.4."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from gradus.engine.autograd.record import Variable as _Base
from gradus.engine.autograd.record import wrap

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = ["Variable"]


class VariableMeta(type):
    """Makes every tensor an instance of `Variable`, and calls of it return tensors."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _Base)

    def __call__(cls, data: Any = None, requires_grad: bool = False, volatile: bool = False) -> Tensor:
        """A tensor that shares data's memory, detached from its graph."""
        if volatile:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
                UserWarning,
                stacklevel=2,
            )
        if data is None:
            return wrap([]).float()
        if not isinstance(data, _Base):
            kind = type(data)
            name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
            raise TypeError(f"Variable data has to be a tensor, but got {name}")
        tensor: Tensor = data.detach()  # type: ignore[attr-defined]
        return tensor.requires_grad_() if requires_grad else tensor


class Variable(metaclass=VariableMeta):
    """`Variable(tensor)` is a tensor, and every tensor is an instance of it."""
