"""Weights as length times direction, computed before every forward (Salimans and Kingma, 2016): the older form of
`parametrizations.weight_norm`.
"""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from gradus.engine.nn.module import Module
from gradus.engine.nn.parameter import Parameter, is_lazy
from gradus.engine.tensor import Tensor

M = TypeVar("M", bound=Module)


def norm_except_dim(v: Tensor, dim: int | None) -> Tensor:
    """‖v‖ over all dimensions but one, which all stay; dim None or -1 means over all of them."""
    if dim is None or dim == -1:
        return v.norm()
    return v.norm(2, [d for d in range(v.ndim) if d != dim % v.ndim], keepdim=True)


def scaled(v: Tensor, g: Tensor, dim: int | None) -> Tensor:
    """w = g v / ‖v‖, the norm as `norm_except_dim`'s."""
    return v * (g / norm_except_dim(v, dim))


class WeightNorm:
    """A forward pre-hook that computes the weight."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        """w = g v / ‖v‖"""
        return scaled(getattr(module, self.name + "_v"), getattr(module, self.name + "_g"), self.dim)

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))

    def remove(self, module: Module) -> None:
        """Make the weight a parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"], module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(weight.data))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Replace a parameter w by g and v, named `weight_g` and `weight_v`: w = g v / ‖v‖, the norm over all dimensions
    but `dim`, or over all.

    Raises:
        RuntimeError: if the parameter has a weight norm already.
        ValueError: if the parameter is not initialized yet.
    """
    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    if hook_of(WeightNorm, module, name) is not None:
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    hook, weight = WeightNorm(name, dim), getattr(module, name)
    if is_lazy(weight):
        raise ValueError(
            "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the dummy forward "
            "before applying weight normalization"
        )
    del module._parameters[name]
    module.register_parameter(name + "_g", Parameter(norm_except_dim(weight, dim).data))
    module.register_parameter(name + "_v", Parameter(weight.data))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Undo `weight_norm`; the weight stays as it is.

    Raises:
        ValueError: if the module has no such weight norm.
    """
    return remove_hook(WeightNorm, module, name, "weight_norm")


def hook_of(kind: type[Any], module: Module, name: str) -> int | None:
    """The key of the forward pre-hook of a class that computes a parameter; None if the module has none."""
    hooks: Any = module._forward_pre_hooks.items()
    return next((key for key, hook in hooks if isinstance(hook, kind) and hook.name == name), None)


def remove_hook(kind: type[Any], module: M, name: str, what: str) -> M:
    """Remove that hook, and make the weight a parameter again; a ValueError if the module has none."""
    key = hook_of(kind, module, name)
    if key is None:
        raise ValueError(f"{what} of '{name}' not found in {module}")
    module._forward_pre_hooks.pop(key).remove(module)  # type: ignore[attr-defined]
    return module
