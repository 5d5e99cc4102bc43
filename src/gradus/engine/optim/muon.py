"""Muon: momentum whose matrix is made orthogonal before each step, for the matrices inside a network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus.engine.dtypes import Array
from gradus.engine.kernels.products import product
from gradus.engine.optim.optimizer import Group, Optimizer, Params, State, check, zeros_like

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the polynomial with the steepest start (Keller Jordan)


class Muon(Optimizer):
    """b ← b + (1 - momentum)(g - b);  p ← (1 - lr · weight_decay) p - lr · r · orthogonal(b) (Jordan et al., 2024)

    nesterov uses g + momentum (b - g) for b. r is √max(1, rows / columns), or with adjust_lr_fn="match_rms_adamw"
    0.2 √max(rows, columns) (Liu et al., 2025). Only for matrices; give biases, norms, embeddings and the head to AdamW.
    The orthogonalisation is computed with every result rounded to bfloat16, as PyTorch does.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = COEFFICIENTS,
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check("lr", lr, message=f"Learning rate should be >= 0 but is: {lr}")
        check("momentum", momentum, message=f"momentum should be >= 0 but is: {momentum}")
        check("weight_decay", weight_decay, message=f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults: dict[str, Any] = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {p.shape}"
                    )

    def initial_state(self, p: Array, group: Group) -> State:
        return {"momentum_buffer": zeros_like(p)}

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        b = state["momentum_buffer"]._array
        momentum, lr = group["momentum"], group["lr"]
        b += (g - b) * (1 - momentum)
        direction = g + (b - g) * momentum if group["nesterov"] else b
        direction = orthogonal(direction, group["ns_coefficients"], group["ns_steps"], group["eps"])
        p *= 1 - lr * group["weight_decay"]
        p -= direction.astype(p.dtype) * (lr * _ratio(group["adjust_lr_fn"], *p.shape))


def orthogonal(
    g: Array, coefficients: tuple[float, float, float] = COEFFICIENTS, steps: int = 5, eps: float = 1e-7
) -> Array:
    """About U Vᵀ, for g = U S Vᵀ (rows, columns): `steps` times X ← a X + (b X Xᵀ + c (X Xᵀ)²) X, from X = g / ‖g‖.

    The singular values end between about 0.7 and 1.2: the iteration is stopped where it stops paying, not where it
    converges. The result is float32, of numbers that bfloat16 holds.
    """
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    tall = g.shape[0] > g.shape[1]
    x = bfloat16(g.T if tall else g)  # the smaller side first: X Xᵀ is small
    x = bfloat16(x / np.maximum(bfloat16(np.linalg.norm(x.astype(np.float64))), bfloat16(eps)))
    for _ in range(steps):
        gram = bfloat16(product(x, x.T))
        polynomial = bfloat16(b * gram + c * product(gram, gram))
        polynomial.flat[:: len(polynomial) + 1] += a  # a X + P X in one product
        x = bfloat16(product(polynomial, x))
    return x.T if tall else x


def bfloat16(x: npt.ArrayLike) -> Array:
    """Rounded to bfloat16, of two neighbours equally near to the even one; as float32."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    rounded = bits >> np.uint32(16)
    rounded &= np.uint32(1)
    rounded += np.uint32(0x7FFF)  # half of what is cut off, or with an odd neighbour below a little more
    rounded += bits
    rounded &= np.uint32(0xFFFF0000)
    return rounded.view(np.float32).reshape(np.shape(x))


def _ratio(adjust: str | None, rows: int, columns: int) -> float:
    if adjust == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1, rows / columns))
