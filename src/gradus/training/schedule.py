"""The learning-rate schedule over the budget, whether that is in steps or in minutes."""

from __future__ import annotations

import math
from typing import Literal

Schedule = Literal["cosine", "linear", "wsd", "inverse-sqrt", "step", "constant"]

STEP_AT, STEP_TO = 0.5, 0.1  # `step`: from half of the budget a tenth, as in makemore's lectures
DECAY_FROM = 0.8  # `wsd`: stable until the last fifth of the budget


def learning_rate_factor(progress: float, *, schedule: Schedule, warmup: float, min_ratio: float) -> float:
    """The learning rate at a point of the budget, as a fraction of its peak.

    It rises linearly over the warm-up. Then it decays to `min_ratio` at the end of the budget: along half a cosine
    (`cosine`, Loshchilov and Hutter, 2017) or along a straight line, all the way (`linear`) or in the last fifth of the
    budget only (`wsd`: warm-up, stable, decay; Hu et al., 2024). Or it stays at its peak (`constant`), or falls at half
    of the budget to a tenth of it (`step`).

    Args:
        progress: the fraction of the budget that is spent, 0 to 1; more counts as 1.
        schedule: `cosine`, `linear`, `wsd`, `inverse-sqrt`, `constant` or `step`.
        warmup: the fraction of the budget that the warm-up takes, 0 to 1.
        min_ratio: the factor at the end, 0 to 1.
    """
    if progress < warmup:
        return progress / warmup
    if schedule == "constant":
        return 1.0
    if schedule == "inverse-sqrt":
        return math.sqrt(warmup / min(1.0, progress))
    if schedule == "step":
        return 1.0 if progress <= STEP_AT else STEP_TO
    start = max(warmup, DECAY_FROM) if schedule == "wsd" else warmup  # of the decay
    decayed = min(1.0, max(0.0, progress - start) / (1 - start)) if start < 1 else 0.0
    factor = 0.5 * (1 + math.cos(math.pi * decayed)) if schedule == "cosine" else 1 - decayed
    return min_ratio + (1 - min_ratio) * factor
