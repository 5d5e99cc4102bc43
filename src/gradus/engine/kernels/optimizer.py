"""One step of AdamW over the numbers of a parameter."""

from __future__ import annotations

import math

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads


def adamw(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    step: float,
) -> bool:
    """Do the step of `optim.adam.adamw_` in one pass; False, and nothing done, if the arrays are not for the loops."""
    if not kernels.fused(p, g, m, v):
        return False
    numbers = 1 - lr * weight_decay, beta1, beta2, lr / (1 - beta1**step), math.sqrt(1 - beta2**step), eps
    kernels.compiled().adamw(threads.crew(), *[a.reshape(-1) for a in (p, g, m, v)], numbers)
    return True
