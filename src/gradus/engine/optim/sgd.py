"""Stochastic gradient descent, with momentum if asked."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.optim.optimizer import Group, Optimizer, Params, State, apply_weight_decay, check, check_fused
from gradus.engine.tensor import Tensor


class SGD(Optimizer):
    """b ← momentum · b + (1 - dampening) g;  p ← p - lr · b (nesterov: p ← p - lr (g + momentum · b)), where g includes
    weight_decay · p.

    The first b is g itself. Without momentum p ← p - lr · g. (Sutskever et al., 2013)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check("lr", lr, message=f"Invalid learning rate: {lr}")
        check("momentum", momentum)
        check("weight_decay", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_fused(fused, foreach, differentiable)
        defaults: dict[str, Any] = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def initial_state(self, p: Array, group: Group) -> State:
        return {"momentum_buffer": None} if group["momentum"] != 0 else {}

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        momentum = group["momentum"]
        g = apply_weight_decay(p, g, group)
        if momentum != 0:
            buffer = state["momentum_buffer"]
            if buffer is None:  # the first b is g itself
                buffer = state["momentum_buffer"] = Tensor._wrap(np.array(g, p.dtype))
            else:
                buffer._array *= momentum
                buffer._array += g * (1 - group["dampening"])
            g = g + buffer._array * momentum if group["nesterov"] else buffer._array
        p -= g * group["lr"]
