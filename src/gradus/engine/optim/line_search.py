"""The line search of L-BFGS: how far to go along a direction, by the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from gradus.engine.tensor import Tensor


class Point(NamedTuple):
    """What is known of one step length: f there, its gradient, and the slope along the direction."""

    t: Any
    f: float
    g: Tensor
    slope: Any


def strong_wolfe(
    objective: Callable[[Any], tuple[float, Tensor]],
    t: Any,
    d: Tensor,
    start: Point,
    *,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_ls: int = 25,
) -> tuple[Point, int]:
    """A step t along d with f(t) <= f(0) + c1 t f'(0) and |f'(t)| <= c2 |f'(0)| (Nocedal and Wright, 2006, 3.5).

    Args:
        objective: (f, gradient) at a step length.
        t: the first step length to try.
        d: (n,) the direction.
        start: the point at 0.
        max_ls: how many further points may be tried.

    Returns:
        the point found, or the best one seen; and how often the objective was called.
    """

    def at(t: Any) -> Point:
        f, g = objective(t)
        return Point(t, f, g, g.dot(d))

    def too_high(point: Point) -> bool:
        return bool(point.f > start.f + c1 * point.t * start.slope)

    def flat_enough(point: Point) -> bool:
        return bool(abs(point.slope) <= -c2 * start.slope)

    # Bracket: go further until the points before and after must have a good one between them.
    before, new = start._replace(t=0), at(t)
    tried = 0
    while tried < max_ls:
        if flat_enough(new) and not (too_high(new) or (tried > 1 and new.f >= before.f)):
            return new, tried + 1
        if too_high(new) or (tried > 1 and new.f >= before.f) or new.slope >= 0:
            break
        bounds = (new.t + 0.01 * (new.t - before.t), new.t * 10)
        before, new = new, at(cubic_minimum(before, new, bounds))
        tried += 1
    else:
        before = start._replace(t=0)

    # Zoom: a cubic through both ends gives the next point, which replaces one of them.
    width = d.abs().max()
    slow = False  # the last point was near an end already
    low, high = (before, new) if before.f <= new.f else (new, before)
    first_is_low = low is before  # the cubic is taken from the first end to the second
    while tried < max_ls and abs(high.t - low.t) * width >= tolerance_change:
        ends = (low, high) if first_is_low else (high, low)
        left, right = min(low.t, high.t), max(low.t, high.t)
        t = cubic_minimum(*ends)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:
            if slow or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                slow = False
            else:
                slow = True
        else:
            slow = False
        new = at(t)
        tried += 1
        if too_high(new) or new.f >= low.f:
            ends = (low, new) if first_is_low else (new, low)
            first_is_low = ends[0].f <= ends[1].f
            low, high = ends if first_is_low else ends[::-1]
        else:
            if not flat_enough(new) and new.slope * (high.t - low.t) >= 0:
                high = low
            low = new
            if flat_enough(new):
                break
    return low, tried + 1


def cubic_minimum(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Where the cubic with a's and b's values and slopes is least, within the bounds; their middle if nowhere."""
    low, high = bounds or ((a.t, b.t) if a.t <= b.t else (b.t, a.t))
    d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square.sqrt() if isinstance(square, Tensor) else math.sqrt(square)
    if a.t <= b.t:
        least = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    else:
        least = a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
    return min(max(least, low), high)
