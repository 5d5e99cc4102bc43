"""Adagrad: every number has its own learning rate, which falls with the gradients it has seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.optim.optimizer import Group, Optimizer, Params, check, check_fused, scalar_state
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
                self._start(p, p._array)

    def _start(self, key: Tensor, p: Array) -> dict[str, Any]:
        state = self.state[key]
        if not state:
            state["step"] = scalar_state()
            state["sum"] = Tensor._wrap(np.full(p.shape, self.defaults["initial_accumulator_value"], p.dtype))
        return state

    def update(self, key: Tensor, p: Array, g: Array, group: Group) -> None:
        state = self._start(key, p)
        total, step = state["sum"]._array, state["step"]._array
        step += 1
        if group["weight_decay"] != 0:
            g = g + p * group["weight_decay"]
        lr = group["lr"] / (1 + (float(step) - 1) * group["lr_decay"])
        total += g * g
        scale = np.sqrt(total)
        scale += group["eps"]
        p -= g * lr / scale
