"""NAdam: Adam that looks one step of its momentum ahead."""

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


class NAdam(Optimizer):
    """p ← p - lr · ((1 - μₜ) g / (1 - Πₜ) + μₜ₊₁ m / (1 - Πₜ₊₁)) / (√v̂ + eps), with Adam's m and v̂,
    μₜ = β₁ (1 - 0.96^(t · momentum_decay) / 2) and Πₜ = μ₁ μ₂ ... μₜ (Dozat, 2016)

    weight_decay · p is added to g; decoupled_weight_decay decays p itself instead, as AdamW does.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check("momentum_decay", momentum_decay)
        defaults: dict[str, Any] = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def initial_state(self, p: Array, group: Group) -> State:
        return {
            "step": scalar_state(),
            "mu_product": scalar_state(1.0),
            "exp_avg": zeros_like(p),
            "exp_avg_sq": zeros_like(p),
        }

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        step, lr = next_step(state), group["lr"]
        beta1, beta2 = group["betas"]
        g = apply_weight_decay(p, g, group)
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1))
        state["mu_product"]._array *= mu
        product = state["mu_product"].item()
        m, v = state["exp_avg"]._array, state["exp_avg_sq"]._array
        m += (g - m) * (1 - beta1)
        v *= beta2
        v += g * (1 - beta2) * g
        size = np.sqrt(v / (1 - beta2**step))
        size += group["eps"]
        p -= g * (lr * (1 - mu) / (1 - product)) / size
        p -= m * (lr * mu_next / (1 - product * mu_next)) / size
