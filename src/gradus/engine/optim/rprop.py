"""Rprop: only the gradient's signs count, and every number has a step of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.optim.optimizer import Group, Optimizer, Params, State, check, next_step, scalar_state, zeros_like
from gradus.engine.tensor import Tensor


class Rprop(Optimizer):
    """p ← p - s · sign(g), where s grows by etas[1] while g keeps its sign; where g changes it, s shrinks by etas[0]
    and p stays (Riedmiller and Braun, 1993)

    Every s starts as lr and is kept within step_sizes.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check("lr", lr, message=f"Invalid learning rate: {lr}")
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults: dict[str, Any] = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def initial_state(self, p: Array, group: Group) -> State:
        size = Tensor._wrap(np.full(p.shape, group["lr"], p.dtype))
        return {"step": scalar_state(), "prev": zeros_like(p), "step_size": size}

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        next_step(state)
        before, size = state["prev"]._array, state["step_size"]._array
        turn = g * before
        shrink, grow = group["etas"]
        size *= np.where(turn > 0, grow, np.where(turn < 0, shrink, 1)).astype(p.dtype)
        np.clip(size, *group["step_sizes"], out=size)
        before[...] = np.where(turn < 0, 0, g)
        p -= np.sign(before) * size
