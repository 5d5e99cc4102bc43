"""Special functions: values and gradients as PyTorch's over their whole ranges, gradients as finite differences."""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch as pytorch

import gradus.engine as engine
from tests.engine.compare import Array, Program, agree, agree_with_differences, numbers, same_error

ANY, POSITIVE, UNIT, CHANCE = (-30.0, 60.0), (0.01, 60.0), (-0.999999, 0.999999), (1e-9, 0.999)

OF_ONE: dict[str, tuple[Program, tuple[float, float]]] = {
    "lgamma": (lambda t, x: t.lgamma(x), ANY),
    "digamma": (lambda t, x: x.digamma(), POSITIVE),
    "trigamma": (lambda t, x: t.polygamma(1, x), POSITIVE),
    "polygamma 2": (lambda t, x: x.polygamma(2), POSITIVE),
    "polygamma 4": (lambda t, x: t.special.polygamma(4, x), POSITIVE),
    "mvlgamma": (lambda t, x: t.mvlgamma(x + 2, 3), POSITIVE),
    "erfinv": (lambda t, x: t.erfinv(x), UNIT),
    "erfc": (lambda t, x: t.erfc(x), (-6.0, 9.0)),
    "i0": (lambda t, x: t.i0(x), ANY),
    "i0e": (lambda t, x: t.special.i0e(x), ANY),
    "i1": (lambda t, x: t.special.i1(x), ANY),
    "i1e": (lambda t, x: t.special.i1e(x), ANY),
    "entr": (lambda t, x: t.special.entr(x), POSITIVE),
    "ndtr": (lambda t, x: t.special.ndtr(x), (-5.0, 9.0)),
    "log_ndtr": (lambda t, x: t.special.log_ndtr(x), ANY),
    "ndtri": (lambda t, x: t.special.ndtri(x), CHANCE),
    "erfcx": (lambda t, x: t.special.erfcx(x), (-20.0, 60.0)),
    "expit": (lambda t, x: t.special.expit(x), ANY),
    "sinc": (lambda t, x: t.special.sinc(x), ANY),
    "xlog1py": (lambda t, x: t.special.xlog1py(2, x), POSITIVE),
    "igamma": (lambda t, x: t.igamma(t.full_like(x.detach(), 2.5), x), POSITIVE),
    "igammac": (lambda t, x: t.igammac(t.full_like(x.detach(), 2.5), x), POSITIVE),
    "zeta": (lambda t, x: t.special.zeta(3, x), POSITIVE),
    "ldexp": (lambda t, x: t.ldexp(x, t.tensor(3)), ANY),
    "angle": (lambda t, x: t.angle(x), ANY),
    "frexp": (lambda t, x: t.frexp(x)[0], (1.1, 1.9)),
}


@pytest.mark.parametrize("name", OF_ONE)
def test_a_special_function_of_one_number_is_pytorchs(name: str) -> None:
    program, (low, high) = OF_ONE[name]
    agree(program, numbers(200, low=low, high=high), tolerance=1e-8)
    agree(program, numbers(30, low=low, high=min(high, 5.0)).astype(np.float32), tolerance=2e-3)


@pytest.mark.parametrize("name", [name for name in OF_ONE if name != "angle"])
def test_a_special_function_has_the_slope_of_its_values(name: str) -> None:
    program, (low, high) = OF_ONE[name]
    agree_with_differences(program, numbers(6, low=max(low, -2.5), high=min(high, 3.0)))


def test_special_functions_of_integers_are_floats() -> None:
    for name in ("lgamma", "digamma", "erfinv", "i0"):
        agree(lambda t, x, name=name: getattr(t, name)(x), np.array([1, 2, 5]), gradients=False)


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_the_incomplete_gamma_functions_over_a_wide_range(name: str) -> None:
    rng = np.random.default_rng(0)
    a = rng.uniform(0.01, 20, 400)
    x = a * rng.uniform(0.05, 3, 400)
    agree(lambda t, a, x: getattr(t, name)(a.detach(), x.detach()), a, x, tolerance=1e-8)


def test_the_incomplete_gamma_function_keeps_its_digits_where_it_is_tiny() -> None:
    q = engine.igammac(engine.tensor([1e-30], dtype=engine.float64), engine.tensor([0.5], dtype=engine.float64))
    assert q.item() == pytest.approx(1e-30 * 0.5597735947761608, rel=1e-12, abs=0)  # a E₁(x), Abramowitz & Stegun 5.1


def test_zeta_over_a_wide_range() -> None:
    rng = np.random.default_rng(1)
    s, q = rng.uniform(1.01, 30, 300), rng.uniform(0.01, 50, 300)
    agree(lambda t, s, q: t.special.zeta(s.detach(), q), s, q)


@pytest.mark.parametrize("name", ["gcd", "lcm"])
@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
def test_divisors_and_multiples(name: str, kind: Any) -> None:
    a, b = np.array([[0, 4, 6, 21]], kind), np.array([[0], [6], [14]], kind)
    agree(lambda t, a, b: getattr(t, name)(a, b), a, b, gradients=False)
    same_error(lambda t, a: getattr(t, name)(a, a), numbers(3))


def test_floats_are_taken_apart_and_put_together() -> None:
    x = np.array([0.0, 1.0, -2.5, 1e-300, 1e300, 0.75])
    agree(lambda t, x: tuple(t.frexp(x)), x, gradients=False)
    agree(lambda t, x: t.nextafter(x, t.ones_like(x)), x)
    agree(lambda t, x: t.ldexp(x, t.tensor([1, 2, 3, 0, 1, 5])), x)
    same_error(lambda t, x: t.ldexp(x, 2), x)
    same_error(lambda t, x: t.frexp(x.long()), x)


def test_running_sums_do_not_drift() -> None:
    x: Array = np.full(200_000, 0.1, np.float32)
    ours, theirs = engine.tensor(x).cumsum(0)[-1].item(), pytorch.tensor(x).cumsum(0)[-1].item()
    assert ours == theirs
    agree(lambda t, x: t.cumprod(x, 0), np.full(1000, 1.0001, np.float32), tolerance=1e-6)


@pytest.mark.parametrize("x", [[0.0, 200.0], [0.0, 100.0], [-300.0, 0.0, 5.0], [math.inf, 1.0], [800.0, -800.0, 3.0]])
def test_logcumsumexp_neither_overflows_nor_vanishes(x: list[float]) -> None:
    agree(lambda t, x: t.logcumsumexp(x, 0), np.array(x))
    agree(lambda t, x: t.logcumsumexp(x, 0), np.array(x, np.float32))


def test_logcumsumexp_has_the_slope_of_its_values() -> None:
    for axis in (0, 1):
        agree_with_differences(lambda t, x, axis=axis: t.logcumsumexp(x, axis), numbers(3, 4))
    agree(lambda t, x: t.logcumsumexp(x, 0), numbers())


FUNCTIONS: list[tuple[str, Program]] = [
    ("lgamma", lambda t, x: t.lgamma(x)),
    ("digamma", lambda t, x: x.digamma()),
    ("polygamma 0", lambda t, x: x.polygamma(0)),
    ("polygamma 1", lambda t, x: t.polygamma(1, x)),
    ("polygamma 3", lambda t, x: t.polygamma(3, x)),
]
IDS = [name for name, _ in FUNCTIONS]
PLACES = np.array([1e-8, 0.3, 1.0, 1.5, 2.0, 5.25, 9.99, 10.5, 40.0, 1e4])


@pytest.mark.parametrize(("name", "function"), FUNCTIONS, ids=IDS)
def test_relatives_of_gamma_above_zero(name: str, function: Program) -> None:
    del name
    agree(function, PLACES)
    agree(function, PLACES[1:].astype(np.float32))
    agree_with_differences(function, numbers(6, low=0.5, high=12.0))


@pytest.mark.parametrize(("name", "function"), FUNCTIONS[:2], ids=IDS[:2])
def test_relatives_of_gamma_below_zero_and_at_its_poles(name: str, function: Program) -> None:
    del name
    agree(function, np.array([-0.5, -1.25, -7.7, -30.5]))
    agree(function, np.array([0.0, -0.0, -1.0, -2.0, np.inf, np.nan]), gradients=False)
    agree(lambda t, x: function(t, x.long()), np.array([1.0, 4.0]), gradients=False)


def test_inverse_error_function() -> None:
    agree(lambda t, x: t.erfinv(x), np.array([-0.999, -0.7, -0.2, 0.0, 0.3, 0.71, 0.9999999]))
    agree(lambda t, x: x.erfinv(), np.array([-0.9, 0.5, 0.9], np.float32))
    agree(lambda t, x: x.erfinv(), np.array([-1.0, 1.0, 1.5, np.nan]), gradients=False)
    agree_with_differences(lambda t, x: t.erfinv(x), numbers(5, low=-0.95, high=0.95))
