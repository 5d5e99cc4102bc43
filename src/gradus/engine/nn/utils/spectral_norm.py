"""Weights divided by their largest singular value, computed before every forward (Miyato et al., 2018): the older form
of `parametrizations.spectral_norm`.
"""

from __future__ import annotations

from typing import Any, TypeVar

from gradus.engine.autograd import no_grad
from gradus.engine.nn import functional as F
from gradus.engine.nn.conv import _ConvTranspose
from gradus.engine.nn.module import Module
from gradus.engine.nn.parameter import Parameter, is_lazy
from gradus.engine.nn.utils.weight_norm import hook_of, remove_hook
from gradus.engine.tensor import Tensor

M = TypeVar("M", bound=Module)


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """Dimension `dim` first, the others as one."""
    if dim != 0:
        weight = weight.permute(dim, *[d for d in range(weight.dim()) if d != dim])
    return weight.reshape(weight.size(0), -1)


def rows_of(module: Module, dim: int | None) -> int:
    """The dimension of a weight's outputs: 0, or 1 of a transposed convolution."""
    return dim if dim is not None else 1 if isinstance(module, _ConvTranspose) else 0


class SpectralNorm:
    """A forward pre-hook that computes the weight."""

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.name, self.dim, self.n_power_iterations, self.eps = name, dim, n_power_iterations, eps

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """w / σ, σ = uᵀ w v; before that, if asked for, v = wᵀ u and u = w v, each made of length 1."""
        weight, u, v = (getattr(module, self.name + end) for end in ("_orig", "_u", "_v"))
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(matrix.t().mv(u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(matrix.mv(v), dim=0, eps=self.eps))
                u, v = u.clone(), v.clone()  # a second forward changes them before the first one's backward
        sigma = u.dot(matrix.mv(v))
        return weight / sigma

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))

    def remove(self, module: Module) -> None:
        """Make the weight a parameter again."""
        with no_grad():
            weight = self.compute_weight(module, False)
        for end in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + end)
        module.register_parameter(self.name, Parameter(weight.detach()))


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divide a parameter w by its largest singular value, which is estimated by n_power_iterations steps of the power
    method at every forward in training.

    `weight_orig` is then the parameter, `weight_u` and `weight_v` are buffers. dim is that of w's rows as a matrix: 0,
    or 1 of a transposed convolution.

    Raises:
        RuntimeError: if the parameter has a spectral norm already.
        ValueError: for n_power_iterations below 1, and a parameter that is None or not initialized yet.
    """
    if hook_of(SpectralNorm, module, name) is not None:
        raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    hook, weight = SpectralNorm(name, n_power_iterations, rows_of(module, dim), eps), module._parameters[name]
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    if is_lazy(weight):
        raise ValueError(
            "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to run the dummy "
            "forward before applying spectral normalization"
        )
    with no_grad():
        height, width = as_matrix(weight, hook.dim).shape
        u, v = (F.normalize(weight.new_empty(n).normal_(0, 1), dim=0, eps=eps) for n in (height, width))
    delattr(module, name)
    module.register_parameter(name + "_orig", weight)
    setattr(module, name, weight.data)
    module.register_buffer(name + "_u", u)
    module.register_buffer(name + "_v", v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Undo `spectral_norm`; the weight stays as it is.

    Raises:
        ValueError: if the module has no such spectral norm.
    """
    return remove_hook(SpectralNorm, module, name, "spectral_norm")
