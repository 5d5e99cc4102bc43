"""The classic mistakes in a gradient, recognised by the numbers that they leave behind.

Each rule says what the gradient would be if that mistake alone had been made, and is tried in order of how hard it is
to meet by chance; the first that fits names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from gradus.gradcheck.inputs import Array

FIT = 1e-4  # relative; finite differences are good to about 1e-9, and a wrong rule is seldom this near


@dataclass(slots=True)
class Evidence:
    """What is known about a gradient that is wrong.

    Attributes:
        name, x, analytic, expected: the input, where it was taken, its gradient as given and as it should be.
        jacobian: (results, elements).
        weights: the gradient that came in from above, one for each result; not all 1, unless the gradient was given.
        shape: of the result, if there is one.
        others: what the gradients of the other inputs should be.
        uses: what each use of the input contributes.
        overwritten: what it would be if arrivals replaced one another anywhere on the way; last kept, first kept.
        recursive: what it would be without a topological order.
    """

    name: str
    x: Array
    analytic: Array
    expected: Array
    jacobian: Array
    weights: Array
    shape: tuple[int, ...] = ()
    others: Mapping[str, Array] = field(default_factory=dict)
    uses: Sequence[Array] = ()
    overwritten: Sequence[Array] = ()
    recursive: Array | None = None


def diagnose(evidence: Evidence) -> str:
    """The mistake in words; that it is none of the known ones, if so."""
    if evidence.analytic.shape != evidence.expected.shape:
        return _wrong_shape(evidence)
    for rule in RULES:
        said = rule(evidence)
        if said:
            return said
    return "none of the mistakes known by name"


def close(a: Array, b: Array) -> bool:
    """Equal as far as finite differences can tell."""
    size = float(np.abs(b).max(initial=0.0))
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= FIT * np.abs(b) + 1e-7 * max(size, 1e-3)))


def _wrong_shape(e: Evidence) -> str:
    shapes = f"its shape is {e.analytic.shape}, not {e.expected.shape}"
    if e.analytic.ndim >= 2 and close(np.swapaxes(e.analytic, -1, -2), e.expected):
        return f"transposed: {shapes}"
    for count in range(1, e.analytic.ndim + 1):
        for axes in combinations(range(e.analytic.ndim), count):
            summed = e.analytic.sum(axis=axes)
            if summed.size == e.expected.size and close(summed.reshape(e.expected.shape), e.expected):
                listed = ", ".join(map(str, axes))
                return f"not summed over the broadcast {'axes' if count > 1 else 'axis'} {listed}: {shapes}"
    return f"of the wrong shape: {shapes}"


def _not_finite(e: Evidence) -> str:
    return "" if np.all(np.isfinite(e.analytic)) else "not a finite number"


def _missing(e: Evidence) -> str:
    return "" if e.analytic.any() else "missing: no gradient arrives, it is zero"


def _sign(e: Evidence) -> str:
    return "the sign is wrong" if close(e.analytic, -e.expected) else ""


def _overwritten(e: Evidence) -> str:
    name, uses = e.name, e.uses
    for count in range(len(uses) - 1, 0, -1) if len(uses) <= 6 else (1,):
        for chosen in combinations(range(len(uses)), count):
            if len(uses) > 1 and close(e.analytic, np.sum([uses[i] for i in chosen], axis=0)):
                kept = ", ".join(str(i + 1) for i in chosen)
                return f"overwritten instead of accumulated: {name} is used {len(uses)} times, only use {kept} counts"
    for candidate, kept in zip(e.overwritten, ("last", "first"), strict=False):
        if close(e.analytic, candidate):
            return f"overwritten instead of accumulated: of several uses of a node only the {kept} counts"
    return ""


def _recursive(e: Evidence) -> str:
    if e.recursive is None or not close(e.analytic, e.recursive):
        return ""
    return "no topological order: a node passed its gradient on before it was complete, and again later"


def _chain(e: Evidence) -> str:
    ones = (np.ones_like(e.weights) @ e.jacobian).reshape(e.expected.shape)
    said = "the chain is broken: the local derivative is not multiplied by the incoming gradient"
    return said if close(e.analytic, ones) else ""


def _transposed(e: Evidence) -> str:
    if e.expected.ndim < 2:
        return ""
    turned = np.swapaxes(e.expected, -1, -2)
    shuffled = turned.reshape(e.expected.shape)  # the right shape, the wrong order
    return "transposed" if close(e.analytic, turned) or close(e.analytic, shuffled) else ""


def _swapped(e: Evidence) -> str:
    for other, expected in e.others.items():
        if close(e.analytic, expected):
            return f"the gradient of the wrong input: this is that of {other}"
    return ""


def _slice(e: Evidence) -> str:
    """Of an axis that a broadcast input was stretched along, only one place has counted."""
    terms = (e.weights[:, None] * e.jacobian).reshape(*e.shape, -1)
    for axis, length in enumerate(e.shape):
        for place in {0, length - 1} if length > 1 else ():
            part = np.take(terms, place, axis=axis).reshape(-1, e.expected.size).sum(axis=0).reshape(e.expected.shape)
            if close(e.analytic, part):
                where = "last" if place else "first"
                return f"not summed over the broadcast axis {axis}: only the {where} of its {length} places counts"
    return ""


def _input_scale(e: Evidence) -> str:
    if close(e.analytic, e.expected * e.x):
        return "off by the input itself: it is multiplied by it once too often"
    return "off by the input itself: it is divided by it" if close(e.analytic * e.x, e.expected) else ""


def _factor(e: Evidence) -> str:
    large = np.abs(e.expected) > 1e-6 * np.abs(e.expected).max(initial=0.0)
    if not large.any():
        return ""
    k = float(np.median(e.analytic[large] / e.expected[large]))
    if k == 0 or not close(e.analytic, k * e.expected):
        return ""
    said = f"off by a constant factor of {k:.6g}"
    for axis, length in enumerate(e.shape):
        if length > 1 and abs(k * length - 1) < FIT:
            return f"{said}, which is 1/{length}: averaged over axis {axis} instead of summed?"
    return f"{said}, which is 1/{round(1 / k)}" if abs(1 / k - round(1 / k)) < FIT and abs(k) < 1 else said


def _some(e: Evidence) -> str:
    wrong = np.argwhere(~np.isclose(e.analytic, e.expected, rtol=FIT, atol=1e-7))
    if len(wrong) in (0, e.expected.size):
        return ""
    places = ", ".join(str([*map(int, place)]) for place in wrong[:3]) + (" ..." if len(wrong) > 3 else "")
    return f"none of the mistakes known by name; {len(wrong)} of {e.expected.size} elements are wrong: {places}"


RULES: tuple[Callable[[Evidence], str], ...] = (
    _not_finite, _missing, _sign, _overwritten, _recursive, _chain, _transposed, _swapped, _slice, _input_scale,
    _factor, _some,
)  # fmt: skip
