"""The learning rate's course over the budget, whatever the budget is counted in."""

from __future__ import annotations

import math


def learning_rate_factor(progress: float, *, schedule: str, warmup: float, min_ratio: float) -> float:
    """The part of the highest learning rate to use at a point of the budget.

    It rises in a straight line over the warm-up, then falls to `min_ratio` at the end of the budget: along half a
    cosine (Loshchilov and Hutter, 2017), in a straight line, or not at all.

    Args:
        progress: the part of the budget that is spent, 0 to 1; more counts as 1.
        schedule: `cosine`, `linear` or `constant`.
        warmup: the part of the budget that the warm-up takes, 0 to 1.
        min_ratio: the factor at the end, 0 to 1.

    Raises:
        ValueError: for another schedule.
    """
    if progress < warmup:
        return progress / warmup
    fall = min(1.0, (progress - warmup) / (1 - warmup)) if warmup < 1 else 0.0
    if schedule == "cosine":
        height = 0.5 * (1 + math.cos(math.pi * fall))
    elif schedule == "linear":
        height = 1 - fall
    elif schedule == "constant":
        return 1.0
    else:
        raise ValueError(f"schedule must be cosine, linear or constant, got {schedule!r}")
    return min_ratio + (1 - min_ratio) * height
