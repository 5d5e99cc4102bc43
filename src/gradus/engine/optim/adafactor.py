"""Adafactor: the mean of squares kept as one row and one column, for matrices too large to keep it whole."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.dtypes.limits import limits_of
from gradus.engine.optim.optimizer import Group, Optimizer, Params, State, check, next_step, scalar_state, zeros_like
from gradus.engine.tensor import Tensor


class Adafactor(Optimizer):
    """p ← (1 - lr · weight_decay) p - α U / max(1, rms(U) / d), where U = g / √V (Shazeer and Stern, 2018)

    V is the running mean of g², whose weight for the new one is t^beta2_decay: of a vector, itself; of a matrix,
    R C / mean(R) from the means R of its rows and C of its columns. α = max(eps[1], rms(p)) min(lr, 1 / √t); eps[0],
    by default the dtype's, keeps R and V above 0.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check("lr", lr, message=f"Learning rate should be >= 0 but is: {lr}")
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        check("epsilon1", eps[0] or 0.0, message=f"epsilon1 should be >= 0 but is: {eps[0]}")
        check("epsilon2", eps[1], message=f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        check("weight_decay", weight_decay, message=f"weight_decay should be >= 0 but is: {weight_decay}")
        defaults: dict[str, Any] = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def initial_state(self, p: Array, group: Group) -> State:
        if p.ndim > 1:
            return {"step": scalar_state(), "row_var": zeros_like(p[..., :1]), "col_var": zeros_like(p[..., :1, :])}
        return {"step": scalar_state(), "variance": zeros_like(p)}

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        t, lr = next_step(state), group["lr"]
        eps1, eps2 = group["eps"]
        eps1 = limits_of(p.dtype).eps if eps1 is None else eps1
        alpha = max(eps2, rms(p)) * min(lr, 1 / math.sqrt(t))
        new = t ** group["beta2_decay"]
        p *= 1 - lr * group["weight_decay"]
        square = g * g
        if p.ndim > 1:
            rows, columns = state["row_var"]._array, state["col_var"]._array
            rows += (square.mean(-1, keepdims=True) - rows) * new
            columns += (square.mean(-2, keepdims=True) - columns) * new
            variance = rows * columns / np.maximum(rows.mean(-2, keepdims=True), eps1)
        else:
            variance = state["variance"]._array
            variance += (square - variance) * new
        update = g / np.sqrt(np.maximum(variance, eps1 * eps1))
        p -= update * (alpha / max(1.0, rms(update) / group["d"]))


def rms(x: Array) -> float:
    """√(mean of x²)"""
    return float(np.linalg.norm(x)) / math.sqrt(x.size)
