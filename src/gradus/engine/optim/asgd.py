"""ASGD: stochastic gradient descent whose average over the last steps is kept beside it."""

from __future__ import annotations

from typing import Any

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


class ASGD(Optimizer):
    """p ← (1 - λ η) p - η g;  ax ← ax + μ (p - ax);  then η = lr / (1 + λ lr t)^α and μ = 1 / max(1, t - t0) (Polyak
    and Juditsky, 1992)

    The average is `state[p]["ax"]`; until t0 steps are done it is p itself.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check("lr", lr, message=f"Invalid learning rate: {lr}")
        check("weight_decay", weight_decay)
        defaults: dict[str, Any] = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def initial_state(self, p: Array, group: Group) -> State:
        return {
            "step": scalar_state(),
            "eta": scalar_state(group["lr"]),
            "mu": scalar_state(1.0),
            "ax": zeros_like(p),
        }

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        t, eta, mu = next_step(state), state["eta"].item(), state["mu"].item()
        lr, lambd = group["lr"], group["lambd"]
        g = apply_weight_decay(p, g, group)
        p *= 1 - lambd * eta
        p -= g * eta
        average = state["ax"]._array
        if mu == 1:
            average[...] = p
        else:
            average += (p - average) * mu
        state["eta"]._array[...] = lr / (1 + lambd * lr * t) ** group["alpha"]
        state["mu"]._array[...] = 1 / max(1, t - group["t0"])
