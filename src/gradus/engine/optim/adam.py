"""Adam and AdamW: steps of about the learning rate, whatever the gradient's scale."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels import optimizer as kernels
from gradus.engine.optim.optimizer import (
    Group,
    Optimizer,
    Params,
    State,
    Update,
    apply_weight_decay,
    check,
    check_betas,
    check_fused,
    next_step,
    scalar_state,
    zeros_like,
)
from gradus.engine.tensor import Tensor


class Adam(Optimizer):
    """p ← p - lr · m̂ / (√v̂ + eps), with m and v running means of g and of g² (Kingma and Ba, 2015).

    m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²,  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ),  t = 1, 2, ...

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

    def initial_state(self, p: Array, group: Group) -> State:
        state = {"step": scalar_state(), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros_like(p)
        return state

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        lr, (beta1, beta2), eps = group["lr"], group["betas"], group["eps"]
        m, v = state["exp_avg"]._array, state["exp_avg_sq"]._array
        t = next_step(state)
        g = apply_weight_decay(p, g, group)
        m += (g - m) * (1 - beta1)  # m ← β₁ m + (1 - β₁) g
        v *= beta2
        v += g * (1 - beta2) * g  # v ← β₂ v + (1 - β₂) g²
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]._array
            v = np.maximum(largest, v, out=largest)
        p -= m * (lr / (1 - beta1**t)) / (np.sqrt(v) / math.sqrt(1 - beta2**t) + eps)  # p ← p - lr m̂ / (√v̂ + eps)

    def update_all(self, updates: list[Update]) -> None:
        """Update all parameters in one fused loop where it takes them; else one after the other."""
        moments = [(state["exp_avg"]._array, state["exp_avg_sq"]._array) for _, _, state, _ in updates]
        arrays = [(p, g, m, v) for (p, g, _, _), (m, v) in zip(updates, moments, strict=True)]
        if any(group["amsgrad"] for *_, group in updates) or not kernels.fits(arrays):
            super().update_all(updates)
            return
        coefficients = [_coefficients(group, next_step(state)) for _, _, state, group in updates]
        for i, (p, g, _, group) in enumerate(updates):
            if not group["decoupled_weight_decay"]:
                arrays[i] = (p, apply_weight_decay(p, g, group), *moments[i])
        kernels.adamw(arrays, coefficients)


def _coefficients(group: Group, t: float) -> tuple[float, ...]:
    """What the fused loop takes: 1 - lr · weight_decay, β₁, β₂, lr / (1 - β₁ᵗ), √(1 - β₂ᵗ), eps."""
    lr, (beta1, beta2) = group["lr"], group["betas"]
    shrink = 1 - lr * float(group["weight_decay"]) if group["decoupled_weight_decay"] else 1.0
    return shrink, beta1, beta2, lr / (1 - beta1**t), math.sqrt(1 - beta2**t), group["eps"]


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
