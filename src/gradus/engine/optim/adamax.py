"""Adamax: Adam with the largest recent gradient in the place of the mean of their squares."""

from __future__ import annotations

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


class Adamax(Optimizer):
    """m ← β₁ m + (1 - β₁) g;  u ← max(β₂ u, |g| + eps);  p ← p - lr / (1 - β₁ᵗ) · m / u, where g includes
    weight_decay · p (Kingma and Ba, 2015)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
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
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def initial_state(self, p: Array, group: Group) -> State:
        return {"step": scalar_state(), "exp_avg": zeros_like(p), "exp_inf": zeros_like(p)}

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        t = next_step(state)
        beta1, beta2 = group["betas"]
        g = apply_weight_decay(p, g, group)
        m, u = state["exp_avg"]._array, state["exp_inf"]._array
        m += (g - m) * (1 - beta1)
        u *= beta2
        np.maximum(u, np.abs(g) + group["eps"], out=u)
        p -= m * (group["lr"] / (1 - beta1**t)) / u
