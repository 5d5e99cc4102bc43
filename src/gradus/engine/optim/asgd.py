"""ASGD: stochastic gradient descent whose average over the last steps is kept beside it."""

from __future__ import annotations

from typing import Any

from gradus.engine.dtypes import Array
from gradus.engine.optim.optimizer import Group, Optimizer, Params, check, scalar_state, zeros_like
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

    def update(self, key: Tensor, p: Array, g: Array, group: Group) -> None:
        state = self.state[key]
        lr, lambd = group["lr"], group["lambd"]
        if not state:
            state["step"] = scalar_state()
            state["eta"] = scalar_state(lr)
            state["mu"] = scalar_state(1.0)
            state["ax"] = zeros_like(p)
        state["step"]._array += 1
        step, eta, mu = (state[name].item() for name in ("step", "eta", "mu"))
        if group["weight_decay"] != 0:
            g = g + p * group["weight_decay"]
        p *= 1 - lambd * eta
        p -= g * eta
        average = state["ax"]._array
        if mu == 1:
            average[...] = p
        else:
            average += (p - average) * mu
        state["eta"]._array[...] = lr / (1 + lambd * lr * step) ** group["alpha"]
        state["mu"]._array[...] = 1 / max(1, step - group["t0"])
