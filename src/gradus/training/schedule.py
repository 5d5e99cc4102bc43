"""The learning-rate schedule over the budget, whether that is in steps or in minutes."""

from __future__ import annotations

import math


def learning_rate_factor(progress: float, *, schedule: str, warmup: float, min_ratio: float) -> float:
    """The learning rate at a point of the budget, as a fraction of its peak.

    It rises linearly over the warm-up, then decays to `min_ratio` at the end of the budget: along half a cosine
    (Loshchilov and Hutter, 2017), linearly, or not at all.

    Args:
        progress: the fraction of the budget that is spent, 0 to 1; more counts as 1.
        schedule: `cosine`, `linear` or `constant`.
        warmup: the fraction of the budget that the warm-up takes, 0 to 1.
        min_ratio: the factor at the end, 0 to 1.

    Raises:
        ValueError: for another schedule.
    """
    if progress < warmup:
        return progress / warmup
    decayed = min(1.0, (progress - warmup) / (1 - warmup)) if warmup < 1 else 0.0
    if schedule == "cosine":
        factor = 0.5 * (1 + math.cos(math.pi * decayed))
    elif schedule == "linear":
        factor = 1 - decayed
    elif schedule == "constant":
        return 1.0
    else:
        raise ValueError(f"schedule must be cosine, linear or constant, got {schedule!r}")
    return min_ratio + (1 - min_ratio) * factor
