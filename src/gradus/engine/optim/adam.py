"""Adam and AdamW: steps of about the learning rate, whatever the gradient's scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gradus.engine.autograd.grad_mode import no_grad
from gradus.engine.dtypes import Array
from gradus.engine.kernels import optimizer as kernels
from gradus.engine.optim.optimizer import (
    Group,
    Optimizer,
    Params,
    check,
    check_betas,
    check_fused,
    scalar_state,
    zeros_like,
)
from gradus.engine.tensor import Tensor


def adamw_(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    largest: Array | None = None,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    step: float,
) -> None:
    """One step, in place, on p, m and v (and, for AMSGrad, on `largest`, the largest v so far); g is only read.

    p ← (1 - lr · weight_decay) p
    m ← β₁ m + (1 - β₁) g,   v ← β₂ v + (1 - β₂) g²
    p ← p - lr · m̂ / (√v̂ + eps),   m̂ = m / (1 - β₁ᵗ),   v̂ = v / (1 - β₂ᵗ),   t = step, from 1
    """
    if weight_decay != 0:
        p *= 1 - lr * weight_decay
    a = np.subtract(g, m, out=np.empty_like(m))
    a *= 1 - beta1
    m += a
    np.multiply(g, 1 - beta2, out=a)
    a *= g
    v *= beta2
    v += a
    if largest is not None:
        np.maximum(largest, v, out=largest)
    np.sqrt(v if largest is None else largest, out=a)
    a /= math.sqrt(1 - beta2**step)
    a += eps
    update = np.multiply(m, lr / (1 - beta1**step), out=np.empty_like(m))
    update /= a
    p -= update


class Adam(Optimizer):
    """m and v follow the mean of g and of g²; p ← p - lr · m̂ / (√v̂ + eps) (Kingma and Ba, 2015; see `adamw_`).

    weight_decay · p is added to g; AdamW decays p itself instead. amsgrad divides by the largest v so far (Reddi et
    al., 2018).
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        for name, value in (("lr", lr), ("betas[0]", betas[0]), ("betas[1]", betas[1])):
            if isinstance(value, Tensor) and foreach and not capturable:
                raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")
            if isinstance(value, Tensor) and value.numel() != 1:
                raise ValueError(f"Tensor {name} must be 1-element")
        check("lr", lr, message=f"Invalid learning rate: {lr}")
        check("eps", eps, message=f"Invalid epsilon value: {eps}")
        check_betas(betas)
        check("weight_decay", weight_decay)
        if not all(isinstance(beta, float) for beta in betas) and not all(isinstance(beta, Tensor) for beta in betas):
            raise ValueError("betas must be either both floats or both Tensors")
        check_fused(fused, foreach, differentiable)
        defaults: dict[str, Any] = {
            "lr": lr,
            "betas": tuple(beta.item() if isinstance(beta, Tensor) else beta for beta in betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    @no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        self._steps: list[tuple[tuple[Array, ...], dict[str, Any]]] = []  # what `update` found to do
        loss = super().step(closure)
        plain = [(arrays, _numbers(**options)) for arrays, options in self._steps if len(arrays) == 4]
        if len(plain) < len(self._steps) or not kernels.adamw(plain):
            for arrays, options in self._steps:
                adamw_(*arrays, **options)
        self._steps = []
        return loss

    def update(self, key: Tensor, p: Array, g: Array, group: Group) -> None:
        state = self.state[key]
        if not state:
            state["step"] = scalar_state()
            state["exp_avg"] = zeros_like(p)
            state["exp_avg_sq"] = zeros_like(p)
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = zeros_like(p)
        step = state["step"]._array
        step += 1
        decay = group["weight_decay"]
        if decay != 0 and not group["decoupled_weight_decay"]:
            g = g + p * decay
            decay = 0
        beta1, beta2 = group["betas"]
        options = {"lr": group["lr"], "beta1": beta1, "beta2": beta2, "eps": group["eps"]}
        moments = [state["exp_avg"]._array, state["exp_avg_sq"]._array]
        if group["amsgrad"]:
            moments.append(state["max_exp_avg_sq"]._array)
        self._steps.append(((p, g, *moments), {**options, "weight_decay": decay, "step": float(step)}))


def _numbers(
    *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, step: float
) -> tuple[float, ...]:
    """What a step is made of, as the fused loop takes it."""
    return 1 - lr * weight_decay, beta1, beta2, lr / (1 - beta1**step), math.sqrt(1 - beta2**step), eps


class AdamW(Adam):
    """Adam, but weight decay shrinks the parameter itself: p ← (1 - lr · weight_decay) p (Loshchilov and Hutter,
    2019).
    """

    forced: ClassVar[dict[str, Any]] = {"decoupled_weight_decay": True}

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
