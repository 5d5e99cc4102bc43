"""`check(fn, *inputs)`: are the gradients right, where are they worst, and which mistake is it?"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gradus.gradcheck import uses
from gradus.gradcheck.inputs import (
    Array,
    Bare,
    Input,
    Scalar,
    TensorInput,
    backward,
    evaluate,
    flatten,
    library,
    read,
    to_array,
)
from gradus.gradcheck.mistakes import Evidence, close, diagnose
from gradus.gradcheck.numeric import jacobian, sides
from gradus.scalar import Value


@dataclass(frozen=True, slots=True)
class InputCheck:
    """The verdict on one input.

    Attributes:
        analytic, numeric: the gradient as computed by backward (or given) and by central differences; of the weighted
            sum of the results, where there is more than one number.
        worst: the index of the element where they differ most, relative to the tolerance.
        error: |analytic - numeric| there.
        kinks: elements where the function has a left and a right slope; any value between them is accepted.
        mistake: what is wrong, in words; empty if nothing is.
    """

    name: str
    analytic: Array
    numeric: Array
    worst: tuple[int, ...]
    error: float
    kinks: tuple[tuple[int, ...], ...]
    mistake: str

    @property
    def ok(self) -> bool:
        return not self.mistake

    def __str__(self) -> str:
        at = f" at {list(self.worst)}" if self.worst else ""
        line = f"{self.name}: {'ok' if self.ok else 'WRONG'}, worst error {self.error:.2g}{at}"
        if self.analytic.shape == self.numeric.shape and self.numeric.size:
            line += f" (analytic {self.analytic[self.worst]:.9g}, numeric {self.numeric[self.worst]:.9g})"
        if self.mistake:
            line += f"\n    {self.mistake}"
        if self.kinks:
            places = ", ".join(str(list(place)) if place else "the input" for place in self.kinks[:5])
            line += f"\n    kink at {places}: not differentiable there, any slope between left and right will do"
        return line

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Check:
    """The verdict on all inputs; true if every gradient is right. Printed, it is a report."""

    inputs: tuple[InputCheck, ...]

    @property
    def ok(self) -> bool:
        return all(one.ok for one in self.inputs)

    def __bool__(self) -> bool:
        return self.ok

    def __getitem__(self, name: str) -> InputCheck:
        return {one.name: one for one in self.inputs}[name]

    def __str__(self) -> str:
        wrong = sum(not one.ok for one in self.inputs)
        elements = sum(one.numeric.size for one in self.inputs)
        said = "all gradients are right" if not wrong else f"{wrong} of {len(self.inputs)} gradients wrong"
        return "\n".join([f"{said}, {elements} elements checked", *map(str, self.inputs)])

    def __repr__(self) -> str:
        lines = str(self).splitlines()
        more = [f"… and {len(lines) - 20} more lines; print() shows them"] if len(lines) > 20 else []
        return "\n".join([*lines[:20], *more])


def check(
    fn: Callable[..., Any],
    *inputs: Any,
    grad: Any = None,
    rtol: float = 1e-5,
    atol: float = 1e-7,
    names: Sequence[str] = (),
) -> Check:
    """Compare the gradients of a function with finite differences.

    `fn` is given copies of the inputs: new Values of Values and numbers, new float64 leaves of tensors. Integer tensors
    and arrays, booleans, text and the like are passed on unchecked. The results, of any shape, are multiplied by fixed
    weights between 0.5 and 1.5 and summed before backward is called, so that an operation that ignores its incoming
    gradient is detected. If `fn` is a single operation, its mistake can often be named.

    Args:
        fn: takes the inputs; returns a Value, a tensor, or several. It is called about ten times for every element.
        grad: gradients of the sum of fn's results, obtained in another way: a function of the same inputs, or the
            gradients themselves (one, or a tuple with one for every checked input). The inputs may then also be NumPy
            arrays.
        rtol, atol: how far the two may differ, beside the error of the finite differences themselves.
        names: of the inputs; fn's parameter names if left out.

    Raises:
        TypeError: if nothing among the inputs can be checked, or nothing came back that has a gradient.
    """
    read_inputs = [read(one) for one in inputs]
    if not any(one.checked for one in read_inputs):
        raise TypeError(
            f"there is nothing to check: no Value, number or floating-point tensor among {len(inputs)} inputs"
        )
    if grad is not None:
        read_inputs = _as_fn_takes_them(fn, read_inputs)
    labels = _names(fn, len(inputs), names)
    arrays = [one.array for one in read_inputs]
    f = partial(evaluate, fn, read_inputs)
    arguments = [one.make(array) for one, array in zip(read_inputs, arrays, strict=True)]
    with np.errstate(all="ignore"):
        results = flatten(fn(*arguments))
    shape = to_array(results[0]).shape if len(results) == 1 else ()
    count = sum(to_array(result).size for result in results)
    checked = [i for i, one in enumerate(read_inputs) if one.checked]
    if grad is None:
        weights = np.random.default_rng(0).uniform(0.5, 1.5, count)
        analytic = _by_backward(read_inputs, arguments, results, weights, checked)
    else:
        weights = np.ones(count)
        analytic = dict(zip(checked, _given(grad, arguments, len(checked)), strict=True))
    slopes = {i: jacobian(f, arrays, i) for i in checked}
    expected = {i: (weights @ slopes[i][0]).reshape(arrays[i].shape) for i in checked}
    verdicts = []
    for i in checked:
        margin = atol + 10 * (weights @ slopes[i][1]).reshape(arrays[i].shape) + rtol * np.abs(expected[i])
        a, n = analytic[i], expected[i]
        same = a.shape == n.shape
        off = np.abs(a - n) if same else np.full(n.shape, np.inf)
        off = np.where(np.isnan(off), np.inf, off)
        kinks = _kinks(f, arrays, i, weights, a, off > margin) if same else []
        for kink in kinks:
            off[kink] = 0.0
        worst = tuple(int(k) for k in np.unravel_index(int(np.argmax(off / margin)), n.shape)) if n.size else ()
        mistake = ""
        if np.any(off > margin):
            evidence = Evidence(labels[i], arrays[i], a, n, slopes[i][0], weights, shape)
            evidence.others = {labels[j]: expected[j] for j in checked if j != i}
            _reconstruct(evidence, fn, read_inputs, arrays, i, weights)
            mistake = diagnose(evidence)
        unit = weights[0] if count == 1 else 1.0  # of a single number the reader expects its own derivative
        error = float(off[worst] / unit) if n.size else 0.0
        verdicts.append(InputCheck(labels[i], a / unit, n / unit, worst, error, tuple(kinks), mistake))
    return Check(tuple(verdicts))


def _as_fn_takes_them(fn: Callable[..., Any], inputs: list[Input]) -> list[Input]:
    """With gradients given, fn may be a function of plain numbers (math.sin)."""
    try:
        evaluate(fn, inputs, [one.array for one in inputs])
    except (TypeError, AttributeError):
        return [
            Bare(one.given) if isinstance(one, Scalar) and not hasattr(one.given, "data") else one for one in inputs
        ]
    return inputs


def _names(fn: Callable[..., Any], count: int, names: Sequence[str]) -> list[str]:
    if names:
        return list(names)
    try:
        found = [
            name
            for name, p in inspect.signature(fn).parameters.items()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        found = []
    return [found[i] if i < len(found) else f"input {i}" for i in range(count)]


def _by_backward(
    inputs: Sequence[Input], arguments: Sequence[Any], results: Sequence[Any], weights: Array, checked: Sequence[int]
) -> dict[int, Array]:
    if not all(hasattr(result, "backward") for result in results):
        kind = type(next(result for result in results if not hasattr(result, "backward"))).__name__
        raise TypeError(
            f"fn returned a {kind}, which has no backward; give the gradients as grad=, or return a Value or a tensor"
        )
    if not hasattr(results[0], "grad_fn") or any(result.requires_grad for result in results):
        backward(results, weights)
    found = {i: inputs[i].gradient(arguments[i]) for i in checked}
    return {i: np.zeros_like(inputs[i].array) if gradient is None else gradient for i, gradient in found.items()}


def _given(grad: Any, arguments: Sequence[Any], count: int) -> list[Array]:
    gradients = grad(*arguments) if callable(grad) else grad
    several = list(gradients) if isinstance(gradients, (tuple, list)) else [gradients]
    if len(several) != count:
        raise TypeError(f"grad gave {len(several)} gradients for {count} inputs")
    return [to_array(gradient) for gradient in several]


def _kinks(
    f: Callable[..., Array], arrays: Sequence[Array], which: int, weights: Array, analytic: Array, wrong: Any
) -> list[tuple[int, ...]]:
    """Those of the wrong elements that sit on a kink, with a value between the left and the right slope."""
    found = []
    for place in map(tuple, np.argwhere(wrong)):
        element = int(np.ravel_multi_index(place, wrong.shape)) if place else 0
        slopes = sides(f, arrays, which, element, weights)
        if slopes is not None:
            slack = 1e-5 * max(abs(slopes[0]), abs(slopes[1]))
            if min(slopes) - slack <= analytic[place] <= max(slopes) + slack:
                found.append(tuple(int(k) for k in place))
    return found


def _reconstruct(
    evidence: Evidence,
    fn: Callable[..., Any],
    inputs: Sequence[Input],
    arrays: Sequence[Array],
    which: int,
    weights: Array,
) -> None:
    """Run fn once more and see what each use of the input contributes, if that graph gives the right gradient."""
    chosen = inputs[which]
    if isinstance(chosen, (Scalar, Bare)):
        arguments = [
            Value(float(a)) if isinstance(one, (Scalar, Bare)) else one.make(a)
            for one, a in zip(inputs, arrays, strict=True)
        ]
        try:
            results = flatten(fn(*arguments))
        except (TypeError, AttributeError):  # fn wants its own class
            return
        if not all(isinstance(result, Value) for result in results):
            return
        trusted, last, first = (
            np.array(uses.walk(results, weights, arguments, rule)[which])
            for rule in (operator.add, uses.keep_last, uses.keep_first)
        )
        walked = uses.recursive(results, weights, arguments)
        recursive = None if walked is None else np.array(walked[which])
        contributions = []
    elif isinstance(chosen, TensorInput):
        arguments = [one.make(array) for one, array in zip(inputs, arrays, strict=True)]
        results = flatten(fn(*arguments))
        if len(results) != 1 or not results[0].requires_grad:
            return
        torch = library(results[0])
        scale = torch.tensor(weights.reshape(tuple(results[0].shape)), dtype=torch.float64)
        total = (results[0] * scale).sum()
        walks = [uses.TensorWalk(total, rule) for rule in (operator.add, uses.keep_last, uses.keep_first)]
        trusted, last, first = (walk.gradient(arguments[which]) for walk in walks)
        recursive, contributions = None, walks[0].arrivals.get(id(arguments[which]), [])
    else:
        return
    if close(trusted, evidence.expected):
        evidence.uses, evidence.overwritten, evidence.recursive = contributions, (last, first), recursive
