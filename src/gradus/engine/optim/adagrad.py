"""Adagrad: every number has its own learning rate, which falls with the gradients it has seen."""

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
    check_fused,
    next_step,
    scalar_state,
)
from gradus.engine.tensor import Tensor


class Adagrad(Optimizer):
    """s ← s + g²;  p ← p - lr / (1 + (t - 1) lr_decay) · g / (√s + eps), where g includes weight_decay · p (Duchi et
    al., 2011)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check("lr", lr, message=f"Invalid learning rate: {lr}")
        check("lr_decay", lr_decay)
        check("weight_decay", weight_decay)
        check("initial_accumulator_value", initial_accumulator_value)
        check("eps", eps, message=f"Invalid epsilon value: {eps}")
        check_fused(fused, foreach, differentiable)
        defaults: dict[str, Any] = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p] = self.initial_state(p._array, group)

    def initial_state(self, p: Array, group: Group) -> State:
        total = np.full(p.shape, group["initial_accumulator_value"], p.dtype)
        return {"step": scalar_state(), "sum": Tensor._wrap(total)}

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        t, total = next_step(state), state["sum"]._array
        g = apply_weight_decay(p, g, group)
        lr = group["lr"] / (1 + (t - 1) * group["lr_decay"])
        total += g * g
        scale = np.sqrt(total)
        scale += group["eps"]
        p -= g * lr / scale
