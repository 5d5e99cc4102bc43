"""One operation at a time on a small tensor, forward and backward: the overhead of an operation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradus.backend import torch
from gradus.bench.work import SEED, Step, Work

SIDE = 32

_OPERATIONS: dict[str, tuple[int, Callable[..., torch.Tensor]]] = {  # number of operands, operation
    "add": (2, torch.add),
    "mul": (2, torch.mul),
    "matmul": (2, torch.matmul),
    "tanh": (1, torch.tanh),
}


def every() -> Work:
    """add, mul, matmul and tanh of (32, 32) float32."""
    return Work(
        {name: _step(operation, operands) for name, (operands, operation) in _OPERATIONS.items()},
        check=lambda leaf: float(leaf.grad.abs().sum().item()),
    )


def _step(operation: Callable[..., torch.Tensor], operands: int) -> Step:
    random = np.random.default_rng(SEED)
    *leaves, g = (torch.from_numpy(random.normal(size=(SIDE, SIDE)).astype(np.float32)) for _ in range(operands + 1))
    for leaf in leaves:
        leaf.requires_grad = True

    def step() -> torch.Tensor:
        for leaf in leaves:
            leaf.grad = None
        operation(*leaves).backward(g)
        return leaves[0]

    return step
