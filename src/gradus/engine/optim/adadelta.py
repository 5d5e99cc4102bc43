"""Adadelta: steps in the parameter's own units, without a learning rate to choose."""

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
    next_step,
    scalar_state,
    zeros_like,
)
from gradus.engine.tensor import Tensor


class Adadelta(Optimizer):
    """s ← ρ s + (1 - ρ) g²;  Δ = g √(a + eps) / √(s + eps);  a ← ρ a + (1 - ρ) Δ²;  p ← p - lr · Δ, where g includes
    weight_decay · p (Zeiler, 2012)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check("lr", lr, message=f"Invalid learning rate: {lr}")
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check("eps", eps, message=f"Invalid epsilon value: {eps}")
        check("weight_decay", weight_decay)
        defaults: dict[str, Any] = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def initial_state(self, p: Array, group: Group) -> State:
        return {"step": scalar_state(), "square_avg": zeros_like(p), "acc_delta": zeros_like(p)}

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        next_step(state)
        rho, eps = group["rho"], group["eps"]
        g = apply_weight_decay(p, g, group)
        square, moved = state["square_avg"]._array, state["acc_delta"]._array
        square *= rho
        square += g * (1 - rho) * g
        delta = np.sqrt(moved + eps) / np.sqrt(square + eps) * g
        moved *= rho
        moved += delta * (1 - rho) * delta
        p -= delta * group["lr"]
