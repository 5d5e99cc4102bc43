"""RMSprop: the gradient divided by the running size of its recent ones."""

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


class RMSprop(Optimizer):
    """s ← α s + (1 - α) g²;  p ← p - lr · g / (√s + eps), where g includes weight_decay · p (Hinton, 2012)

    centered subtracts the square of g's running mean from s; momentum steps along b ← momentum · b + g / (√s + eps)
    instead.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check("lr", lr, message=f"Invalid learning rate: {lr}")
        check("eps", eps, message=f"Invalid epsilon value: {eps}")
        check("momentum", momentum)
        check("weight_decay", weight_decay)
        check("alpha", alpha)
        defaults: dict[str, Any] = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def initial_state(self, p: Array, group: Group) -> State:
        state = {"step": scalar_state(), "square_avg": zeros_like(p)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = zeros_like(p)
        return state

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        next_step(state)
        alpha, momentum, lr = group["alpha"], group["momentum"], group["lr"]
        g = apply_weight_decay(p, g, group)
        square = state["square_avg"]._array
        square *= alpha
        if group["centered"]:
            mean = state["grad_avg"]._array
            square[...] = multiply_add(g * (1 - alpha), g, square)
            mean[...] = multiply_add(g - mean, np.asarray(1 - alpha, p.dtype), mean)
            size = np.sqrt(multiply_add(-mean, mean, square))
        else:
            square += g * (1 - alpha) * g
            size = np.sqrt(square)
        size += group["eps"]
        if momentum > 0:
            held = state["momentum_buffer"]._array
            held *= momentum
            held += g / size
            p -= held * lr
        else:
            p -= g * lr / size


def multiply_add(a: Array, b: Array, c: Array) -> Array:
    """a · b + c; in float32 with one rounding, as PyTorch's kernels do: two would show where a · b and c cancel."""
    if a.dtype != np.float32:
        return a * b + c
    return (a.astype(np.float64) * b + c).astype(np.float32)
