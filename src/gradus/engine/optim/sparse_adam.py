"""SparseAdam: Adam for gradients that hold only the rows that were used, which this engine does not make."""

from __future__ import annotations

from typing import Any

from gradus.engine.dtypes import Array
from gradus.engine.optim.optimizer import Group, Optimizer, Params, check_betas, number
from gradus.engine.tensor import Tensor


class SparseAdam(Optimizer):
    """Made as in PyTorch; its step refuses dense gradients, as PyTorch's does, and all gradients here are dense."""

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not number(lr) > 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps > 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        defaults: dict[str, Any] = {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize}
        super().__init__(params, defaults)

    def update(self, key: Tensor, p: Array, g: Array, group: Group) -> None:
        raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
