"""Elementwise operations at NaN, infinity, zeros of either sign, ties and very large and small numbers: values and
gradients are PyTorch's. An operation is a row of a table.

Numbers go through one at a time: in long arrays PyTorch's vector loops have other slopes at NaN than its plain ones.
"""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch as pytorch

import gradus.engine as engine
from tests.engine.compare import Program

NUMBERS = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 6.0, 0.1, 5.5, -7.25]
FAR = [1e-30, -1e-30, 1e30, -1e30, 1e-10, 20.0, -20.0, 100.0, -100.0, 400.0, -400.0, 1e4, -1e4]
FEW = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 1e30, 20.0]

OF_ONE = """
    abs acos acosh asin asinh atan atanh ceil cos cosh deg2rad erf erfc exp exp2 expm1 floor frac log log10 log1p
    log2 logit nan_to_num neg rad2deg reciprocal relu round rsqrt selu sigmoid sign sin sinh sqrt square tan tanh
    trunc celu hardshrink rrelu
"""
ACTIVATIONS = """
    celu elu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid mish relu relu6 selu silu softplus
    softshrink softsign tanhshrink
"""
OF_TWO = """
    add sub mul div pow atan2 hypot maximum minimum fmax fmin copysign logaddexp logaddexp2 remainder floor_divide
    xlogy clamp_min clamp_max
"""
IN_PLACE = "celu elu hardsigmoid hardswish hardtanh leaky_relu mish relu relu6 rrelu selu silu"

UNARY: dict[str, Program] = {name: (lambda t, x, name=name: getattr(t, name)(x)) for name in OF_ONE.split()}
UNARY |= {f"F.{name}": (lambda t, x, name=name: getattr(t.nn.functional, name)(x)) for name in ACTIVATIONS.split()}
UNARY |= {
    "clamp": lambda t, x: x.clamp(-1, 1),
    "clamp below": lambda t, x: x.clamp(min=0.5),
    "clamp nowhere": lambda t, x: x.clamp(2, -2),
    "x ** 0": lambda t, x: x**0,
    "x ** 3": lambda t, x: x**3,
    "x ** -2": lambda t, x: x**-2,
    "x ** 0.5": lambda t, x: x**0.5,
    "x ** 2.5": lambda t, x: x**2.5,
    "0 ** x": lambda t, x: 0**x,
    "-2 ** x": lambda t, x: (-2) ** x,
    "x % 0": lambda t, x: x % 0,
    "x % -2": lambda t, x: x % -2,
    "fmod": lambda t, x: t.fmod(x, 0.3),
    "x // 0.3": lambda t, x: x // 0.3,
    "x / 0": lambda t, x: x / 0,
    "1 / x": lambda t, x: 1 / x,
    "copysign": lambda t, x: t.copysign(x, -1),
    "logit eps": lambda t, x: t.logit(x, 0.1),
    "round 2": lambda t, x: t.round(x, decimals=2),
    "round -1": lambda t, x: t.round(x, decimals=-1),
    "xlogy 0": lambda t, x: t.xlogy(0, x),
    "xlogy 2": lambda t, x: t.xlogy(2, x),
    "elu": lambda t, x: t.nn.functional.elu(x, 0.5),
    "celu 2": lambda t, x: t.nn.functional.celu(x, 2.0),
    "threshold": lambda t, x: t.nn.functional.threshold(x, 0.5, 2.0),
    "softplus": lambda t, x: t.nn.functional.softplus(x, 2.0, 5.0),
    "gelu": lambda t, x: t.nn.functional.gelu(x.double()),
    "gelu tanh": lambda t, x: t.nn.functional.gelu(x.double(), approximate="tanh"),
}
BINARY: dict[str, Program] = {name: (lambda t, a, b, name=name: getattr(t, name)(a, b)) for name in OF_TWO.split()}
BINARY |= {
    "lerp": lambda t, a, b: t.lerp(a, b, 0.3),
    "where": lambda t, a, b: t.where(a > b, a, b),
    "addcmul": lambda t, a, b: t.addcmul(a, a, b),
    "clamp between": lambda t, a, b: t.clamp(a, b, b + 1),
}


def _shown(torch: Any, program: Program, numbers: tuple[float, ...], kind: str) -> list[Any]:
    """The value and the gradients at one place, or the type of the error."""
    leaves = [torch.tensor([x], dtype=getattr(torch, kind), requires_grad=True) for x in numbers]
    y = program(torch, *leaves)
    seen = [float(y.detach()[0])]
    try:
        y.sum().backward()
    except RuntimeError:
        return [*seen, "no derivative"]
    return seen + [None if leaf.grad is None else float(leaf.grad[0]) for leaf in leaves]


def _agree(program: Program, numbers: tuple[float, ...], kind: str) -> None:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        ours, theirs = (_shown(torch, program, numbers, kind) for torch in (engine, pytorch))
    rough = kind == "float32"
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(b, float):
            assert a == pytest.approx(b, rel=2e-5 if rough else 1e-7, abs=1e-16, nan_ok=True), (numbers, ours, theirs)
        else:
            assert a == b, (numbers, ours, theirs)


@pytest.mark.parametrize("kind", ["float64", "float32"])
@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_one_number_at_extremes_is_pytorchs(name: str, kind: str) -> None:
    for x in [*NUMBERS, *(FAR if kind == "float64" else [])]:
        if not (name == "logit" and math.copysign(1, x) < 0 and x == 0):  # PyTorch's two loops differ at -0
            _agree(UNARY[name], (x,), kind)


@pytest.mark.parametrize("name", BINARY)
def test_a_function_of_two_numbers_at_extremes_and_ties_is_pytorchs(name: str) -> None:
    for a, b in itertools.product(FEW, FEW):
        _agree(BINARY[name], (a, b), "float64")


def test_clamp_between_tensors_shares_the_gradient_as_pytorch() -> None:
    for a, low, high in itertools.product([math.nan, 1.0, 2.0, 3.0], repeat=3):
        _agree(lambda t, *x: t.clamp(*x), (a, low, high), "float64")


def test_the_tail_of_erfc_is_exact() -> None:
    for kind in (engine.float64, engine.float32):
        x = engine.tensor([3.0, 6.0, 9.0], dtype=kind)
        want = [math.erfc(v) for v in (3.0, 6.0, 9.0)]
        np.testing.assert_allclose(engine.erfc(x).numpy(), want, rtol=1e-6)


def test_fmod_has_the_slope_of_the_quotient_its_value_was_made_with() -> None:
    x, y = (engine.tensor(v, dtype=engine.float64, requires_grad=True) for v in (1.0, 0.1))
    engine.fmod(x, y).backward()  # 1 = 9 * 0.1 + 0.0999..., though 1 / 0.1 is rounded to 10
    assert y.grad is not None
    assert y.grad.item() == -9


def test_a_relu_that_is_off_stops_an_infinite_gradient() -> None:
    for n in (3, 1000):
        x = engine.full((n,), -1.0, requires_grad=True)
        (x.relu() * math.inf).sum().backward()
        assert x.grad is not None
        assert not x.grad.any()


@pytest.mark.parametrize("name", IN_PLACE.split())
def test_an_activation_in_place_has_the_gradient_of_its_plain_form(name: str) -> None:
    for torch in (engine, pytorch):
        got = []
        for inplace in (False, True):
            x = torch.tensor([-4.0, -1.0, 0.5, 2.0, 7.0], requires_grad=True)
            y = getattr(torch.nn.functional, name)(x * 1.0, inplace=inplace)
            y.backward(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]))
            got.append([*y.tolist(), *x.grad.tolist()])
        assert got[0] == pytest.approx(got[1], rel=1e-5)


def test_random_leaky_relu_draws_pytorchs_slopes() -> None:
    x = [-1.0, 1.0, -2.0, -0.5, 3.0]
    for torch, seen in ((engine, ours := []), (pytorch, theirs := [])):  # type: ignore[var-annotated]
        torch.manual_seed(3)
        seen += torch.nn.functional.rrelu(torch.tensor(x), training=True).tolist()
    assert ours == pytest.approx(theirs)
