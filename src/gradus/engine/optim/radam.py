"""RAdam: Adam that starts as plain momentum, until v has seen enough to be divided by."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.optim.optimizer import (
    Group,
    Optimizer,
    Params,
    State,
    apply_weight_decay,
    check,
    check_betas,
    next_step,
    scalar_state,
    zeros_like,
)
from gradus.engine.tensor import Tensor


class RAdam(Optimizer):
    """p ← p - lr · m̂ · r / (√v̂ + eps') where ρₜ > 5, else p ← p - lr · m̂; m and v are Adam's (Liu et al., 2020)

    ρₜ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ), ρ∞ = 2 / (1 - β₂) - 1,
    r = √((ρₜ - 4)(ρₜ - 2) ρ∞ / ((ρ∞ - 4)(ρ∞ - 2) ρₜ)): how far the variance of 1 / √v̂ is from its limit.
    weight_decay · p is added to g; decoupled_weight_decay decays p itself instead, as AdamW does.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check("lr", lr, message=f"Invalid learning rate: {lr}")
        check("eps", eps, message=f"Invalid epsilon value: {eps}")
        check_betas(betas)
        check("weight_decay", weight_decay)
        defaults: dict[str, Any] = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def initial_state(self, p: Array, group: Group) -> State:
        return {"step": scalar_state(), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        t = next_step(state)
        beta1, beta2 = group["betas"]
        g = apply_weight_decay(p, g, group)
        m, v = state["exp_avg"]._array, state["exp_avg_sq"]._array
        m += (g - m) * (1 - beta1)
        v *= beta2
        v += g * (1 - beta2) * g
        step = m * (group["lr"] / (1 - beta1**t))
        limit = 2 / (1 - beta2) - 1
        rho = limit - 2 * t * beta2**t / (1 - beta2**t)
        if rho > 5:
            rectified = math.sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho))
            step *= rectified * math.sqrt(1 - beta2**t) / (np.sqrt(v) + group["eps"])
        p -= step
