"""Functions of each number: values, types, shapes and gradients as PyTorch's, whatever the shape and the layout."""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.engine.compare import Program, agree, agree_with_differences, numbers

ANY, POSITIVE, UNIT, ABOVE_ONE = (-2.0, 2.0), (0.1, 3.0), (-0.9, 0.9), (1.1, 4.0)

UNARY: dict[str, tuple[Program, tuple[float, float]]] = {
    "neg": (lambda t, x: -x, ANY),
    "pos": (lambda t, x: +x, ANY),
    "abs": (lambda t, x: x.abs(), ANY),
    "builtin abs": (lambda t, x: abs(x), ANY),
    "torch.abs": (lambda t, x: t.abs(x), ANY),
    "exp": (lambda t, x: x.exp(), ANY),
    "torch.exp": (lambda t, x: t.exp(x), ANY),
    "exp2": (lambda t, x: t.exp2(x), ANY),
    "expm1": (lambda t, x: t.expm1(x), ANY),
    "log": (lambda t, x: x.log(), POSITIVE),
    "torch.log": (lambda t, x: t.log(x), POSITIVE),
    "log2": (lambda t, x: x.log2(), POSITIVE),
    "log10": (lambda t, x: x.log10(), POSITIVE),
    "log1p": (lambda t, x: x.log1p(), POSITIVE),
    "sqrt": (lambda t, x: x.sqrt(), POSITIVE),
    "rsqrt": (lambda t, x: x.rsqrt(), POSITIVE),
    "square": (lambda t, x: x.square(), ANY),
    "reciprocal": (lambda t, x: x.reciprocal(), POSITIVE),
    "sin": (lambda t, x: x.sin(), ANY),
    "cos": (lambda t, x: x.cos(), ANY),
    "tan": (lambda t, x: x.tan(), UNIT),
    "asin": (lambda t, x: x.asin(), UNIT),
    "acos": (lambda t, x: x.acos(), UNIT),
    "atan": (lambda t, x: x.atan(), ANY),
    "arctan": (lambda t, x: t.arctan(x), ANY),
    "sinh": (lambda t, x: x.sinh(), ANY),
    "cosh": (lambda t, x: x.cosh(), ANY),
    "tanh": (lambda t, x: x.tanh(), ANY),
    "torch.tanh": (lambda t, x: t.tanh(x), ANY),
    "asinh": (lambda t, x: x.asinh(), ANY),
    "acosh": (lambda t, x: x.acosh(), ABOVE_ONE),
    "atanh": (lambda t, x: x.atanh(), UNIT),
    "erf": (lambda t, x: x.erf(), ANY),
    "erfc": (lambda t, x: x.erfc(), ANY),
    "sigmoid": (lambda t, x: x.sigmoid(), ANY),
    "logit": (lambda t, x: x.logit(), (0.1, 0.9)),
    "relu": (lambda t, x: x.relu(), ANY),
    "torch.relu": (lambda t, x: t.relu(x), ANY),
    "floor": (lambda t, x: x.floor(), ANY),
    "ceil": (lambda t, x: x.ceil(), ANY),
    "trunc": (lambda t, x: x.trunc(), ANY),
    "frac": (lambda t, x: x.frac(), ANY),
    "round": (lambda t, x: x.round(), ANY),
    "round decimals": (lambda t, x: t.round(x, decimals=2), ANY),
    "sign": (lambda t, x: x.sign(), ANY),
    "clamp both": (lambda t, x: x.clamp(-1, 1), ANY),
    "clamp min": (lambda t, x: x.clamp(min=0.3), ANY),
    "clamp max": (lambda t, x: t.clamp(x, max=0.3), ANY),
    "clamp_min": (lambda t, x: x.clamp_min(0.5), ANY),
    "clip": (lambda t, x: t.clip(x, -0.5, 0.5), ANY),
    "nan_to_num": (lambda t, x: x.log().nan_to_num(0.0), ANY),
    "deg2rad": (lambda t, x: t.deg2rad(x), ANY),
    "sinc": (lambda t, x: t.sinc(x), POSITIVE),
    "x ** 2": (lambda t, x: x**2, ANY),
    "x ** 3": (lambda t, x: x**3, ANY),
    "x ** 0": (lambda t, x: x**0, ANY),
    "x ** 1": (lambda t, x: x**1, ANY),
    "x ** -1": (lambda t, x: x**-1, POSITIVE),
    "x ** -0.5": (lambda t, x: x**-0.5, POSITIVE),
    "x ** -1.5": (lambda t, x: x**-1.5, POSITIVE),
    "x ** 0.5": (lambda t, x: x**0.5, POSITIVE),
    "x ** 2.7": (lambda t, x: x**2.7, POSITIVE),
    "10 ** x": (lambda t, x: 10**x, ANY),
    "2.5 ** x": (lambda t, x: 2.5**x, ANY),
    "1 - x": (lambda t, x: 1 - x, ANY),
    "1.0 / x": (lambda t, x: 1.0 / x, POSITIVE),
    "x / 3": (lambda t, x: x / 3, ANY),
    "3 * x": (lambda t, x: 3 * x, ANY),
    "x + 1": (lambda t, x: x + 1, ANY),
    "x - 1.5": (lambda t, x: x - 1.5, ANY),
    "x % 0.7": (lambda t, x: x % 0.7, ANY),
    "x // 0.7": (lambda t, x: x // 0.7, ANY),
    "fmod": (lambda t, x: t.fmod(x, 0.7), ANY),
    "div floor": (lambda t, x: t.div(x, 0.7, rounding_mode="floor"), ANY),
    "div trunc": (lambda t, x: t.div(x, 0.7, rounding_mode="trunc"), ANY),
    "add alpha": (lambda t, x: x.add(2, alpha=3), ANY),
    "softplus": (lambda t, x: t.nn.functional.softplus(x), ANY),
    "gelu": (lambda t, x: t.nn.functional.gelu(x), ANY),
    "gelu tanh": (lambda t, x: t.nn.functional.gelu(x, approximate="tanh"), ANY),
    "silu": (lambda t, x: t.nn.functional.silu(x), ANY),
    "elu": (lambda t, x: t.nn.functional.elu(x, 1.3), ANY),
    "leaky_relu": (lambda t, x: t.nn.functional.leaky_relu(x, 0.2), ANY),
    "clone": (lambda t, x: x.clone(), ANY),
    "to float64": (lambda t, x: x.to(t.float64), ANY),
    "float": (lambda t, x: x.float(), ANY),
    "isnan": (lambda t, x: t.isnan(x), ANY),
    "isfinite": (lambda t, x: t.isfinite(x), ANY),
    "isinf": (lambda t, x: t.isinf(x), ANY),
    "masked_fill": (lambda t, x: x.masked_fill(x > 0, -5.0), ANY),
    "where scalar": (lambda t, x: t.where(x > 0, x, 0.0), ANY),
    "where -inf": (lambda t, x: t.where(x > 0, x, float("-inf")), ANY),
    "exp of clone": (lambda t, x: x.clone().exp_(), ANY),
    "xlogy": (lambda t, x: t.xlogy(x, x), POSITIVE),
    "lerp": (lambda t, x: x.lerp(x * 2, 0.3), ANY),
    "signbit": (lambda t, x: t.signbit(x), ANY),
    "logical_not": (lambda t, x: t.logical_not(x), ANY),
    "heaviside": (lambda t, x: t.heaviside(x.detach(), t.zeros((), dtype=x.dtype)), ANY),
    "isposinf": (lambda t, x: t.isposinf(x), ANY),
    "float_power": (lambda t, x: t.float_power(x, 2), ANY),
    "logaddexp2": (lambda t, x: t.logaddexp2(x, x * 2), ANY),
}

SHAPES: list[tuple[tuple[int, ...], str]] = [
    ((), "C"),
    ((5,), "C"),
    ((2, 3), "C"),
    ((3, 4), "T"),
    ((2, 3, 4), "S"),
    ((0,), "C"),
    ((2, 0, 3), "C"),
]
FLAT_PARTS = {"isnan", "isfinite", "isinf", "signbit", "logical_not", "heaviside", "isposinf"}
JUMPS = {
    "floor",
    "ceil",
    "trunc",
    "round",
    "round decimals",
    "sign",
    "x // 0.7",
    "div floor",
    "div trunc",
    "float",
    "nan_to_num",
}


@pytest.mark.parametrize(("shape", "layout"), SHAPES)
@pytest.mark.parametrize("name", UNARY)
def test_function_of_one_tensor_equals_pytorch(name: str, shape: tuple[int, ...], layout: str) -> None:
    program, (low, high) = UNARY[name]
    agree(program, numbers(*shape, low=low, high=high), layouts=[layout])


@pytest.mark.parametrize("name", [n for n in UNARY if n not in FLAT_PARTS | JUMPS | {"where -inf"}])
def test_gradient_of_function_of_one_tensor_is_its_slope(name: str) -> None:
    program, (low, high) = UNARY[name]
    agree_with_differences(program, numbers(2, 3, seed=1, low=low, high=high))


BINARY: dict[str, tuple[Program, tuple[float, float]]] = {
    "add": (lambda t, a, b: a + b, ANY),
    "sub": (lambda t, a, b: a - b, ANY),
    "mul": (lambda t, a, b: a * b, ANY),
    "div": (lambda t, a, b: a / b, POSITIVE),
    "pow": (lambda t, a, b: a**b, POSITIVE),
    "torch.pow": (lambda t, a, b: t.pow(a, b), POSITIVE),
    "remainder": (lambda t, a, b: a % b, POSITIVE),
    "fmod": (lambda t, a, b: t.fmod(a, b), POSITIVE),
    "floor_divide": (lambda t, a, b: a // b, POSITIVE),
    "maximum": (lambda t, a, b: t.maximum(a, b), ANY),
    "minimum": (lambda t, a, b: t.minimum(a, b), ANY),
    "max of two": (lambda t, a, b: t.max(a, b), ANY),
    "atan2": (lambda t, a, b: t.atan2(a, b), ANY),
    "hypot": (lambda t, a, b: t.hypot(a, b), ANY),
    "logaddexp": (lambda t, a, b: t.logaddexp(a, b), ANY),
    "where": (lambda t, a, b: t.where(a > b, a, b), ANY),
    "where of numbers": (lambda t, a, b: t.where(a > b, 1.0, 0.0), ANY),
    "lerp": (lambda t, a, b: t.lerp(a, b, 0.25), ANY),
    "addcmul": (lambda t, a, b: t.addcmul(a, a, b, value=0.5), ANY),
    "addcdiv": (lambda t, a, b: t.addcdiv(a, a, b, value=0.5), POSITIVE),
    "clamp to tensors": (lambda t, a, b: a.clamp(min=b), ANY),
    "eq": (lambda t, a, b: a == b, ANY),
    "ne": (lambda t, a, b: a != b, ANY),
    "lt": (lambda t, a, b: a < b, ANY),
    "le": (lambda t, a, b: a <= b, ANY),
    "gt": (lambda t, a, b: a > b, ANY),
    "ge": (lambda t, a, b: t.ge(a, b), ANY),
    "isclose": (lambda t, a, b: t.isclose(a, b), ANY),
    "sub alpha": (lambda t, a, b: t.sub(a, b, alpha=2), ANY),
    "copysign": (lambda t, a, b: t.copysign(a, b), ANY),
    "logical_and": (lambda t, a, b: (a > 0).logical_and(b > 0), ANY),
    "bitwise or of masks": (lambda t, a, b: (a > 0) | (b > 0), ANY),
}

PAIRS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((3,), (3,)),
    ((), (4,)),
    ((4,), ()),
    ((), ()),
    ((27,), (2, 27)),
    ((2, 3), (1, 3)),
    ((2, 1), (1, 3)),
    ((2, 3, 4), (4,)),
    ((2, 3, 4), (3, 1)),
    ((0,), (1,)),
    ((2, 0), (2, 1)),
    ((3,), (4,)),
]


@pytest.mark.parametrize(("a", "b"), PAIRS)
@pytest.mark.parametrize("name", BINARY)
def test_function_of_two_tensors_broadcasts_as_in_pytorch(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    program, (low, high) = BINARY[name]
    agree(program, numbers(*a, low=low, high=high), numbers(*b, seed=7, low=low, high=high))


@pytest.mark.parametrize("layouts", [("T", "C"), ("C", "T"), ("S", "T")])
@pytest.mark.parametrize("name", BINARY)
def test_function_of_two_tensors_reads_any_layout(name: str, layouts: tuple[str, str]) -> None:
    program, (low, high) = BINARY[name]
    agree(program, numbers(3, 4, low=low, high=high), numbers(3, 4, seed=7, low=low, high=high), layouts=layouts)


SMOOTH = [
    "add",
    "sub",
    "mul",
    "div",
    "pow",
    "remainder",
    "maximum",
    "atan2",
    "hypot",
    "logaddexp",
    "where",
    "lerp",
    "addcmul",
    "addcdiv",
]


@pytest.mark.parametrize(("a", "b"), [((2, 3), (3,)), ((), (2, 2)), ((2, 1), (1, 2))])
@pytest.mark.parametrize("name", SMOOTH)
def test_gradient_of_function_of_two_tensors_is_its_slope(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    program, (low, high) = BINARY[name]
    agree_with_differences(program, numbers(*a, low=low, high=high), numbers(*b, seed=7, low=low, high=high))


EDGES: dict[str, Program] = {
    "sign of a bool": lambda t, x: (t.sign(x > 0), (x > 0).sign_()),
    "sqrt at 0": lambda t, x: (x * 0).sqrt(),
    "log at 0": lambda t, x: (x * 0).log(),
    "log below 0": lambda t, x: (-x.abs()).log(),
    "pow 0 at 0": lambda t, x: (x * 0) ** 0,
    "pow 0.5 at 0": lambda t, x: (x * 0) ** 0.5,
    "pow negative at 0": lambda t, x: (x * 0) ** -1,
    "0 ** tensor": lambda t, x: 0 ** (x * 0),
    "tensor ** tensor at 0": lambda t, x: (x * 0) ** x.abs(),
    "1 / 0": lambda t, x: 1 / (x * 0),
    "0 / 0": lambda t, x: (x * 0) / (x * 0),
    "x // 0": lambda t, x: x // 0.0,
    "x % 0": lambda t, x: x % 0.0,
    "exp of much": lambda t, x: (x * 1000).exp(),
    "sigmoid of much": lambda t, x: (x * 1000).sigmoid(),
    "softplus of much": lambda t, x: t.nn.functional.softplus(x * 1000),
    "tanh of much": lambda t, x: (x * 1000).tanh(),
    "relu at 0": lambda t, x: (x * 0).relu(),
    "relu of nan": lambda t, x: (x * float("nan")).relu(),
    "abs at 0": lambda t, x: (x * 0).abs(),
    "clamp at its limit": lambda t, x: (x * 0).clamp(0, 1),
    "clamp crossed": lambda t, x: x.clamp(1, -1),
    "clamp of nan": lambda t, x: (x * float("nan")).clamp(0, 1),
    "maximum of equals": lambda t, x: t.maximum(x, x * 1),
    "maximum with nan": lambda t, x: t.maximum(x, x * float("nan")),
    "round half to even": lambda t, x: (t.tensor([0.5, 1.5, 2.5, -0.5, -1.5]) + x[0, 0] * 0).round(),
    "norm at 0": lambda t, x: (x * 0).norm(),
    "logsumexp of -inf": lambda t, x: (x * 0 - float("inf")).logsumexp(-1),
    "softmax with -inf": lambda t, x: x.masked_fill(x > 0, float("-inf")).softmax(-1),
    "std of equals": lambda t, x: (x * 0).std(),
    "prod with a zero": lambda t, x: (x * t.tensor([1.0, 0.0, 1.0], dtype=x.dtype)).prod(1),
    "prod with two zeros": lambda t, x: (x * t.tensor([0.0, 0.0, 1.0], dtype=x.dtype)).prod(1),
    "cumprod with a zero": lambda t, x: (x * t.tensor([1.0, 0.0, 1.0], dtype=x.dtype)).cumprod(1),
    "a tensor twice": lambda t, x: x * x + x / x,
    "int division by zero": lambda t, x: t.tensor([1, 2]) / 0,
    "int mod": lambda t, x: t.tensor([-7, 7, -6]) % 3,
    "int floor division": lambda t, x: t.tensor([-7, 7, -6]) // 3,
    "int trunc division": lambda t, x: t.div(t.tensor([-7, 7, -6]), 3, rounding_mode="trunc"),
    "int fmod": lambda t, x: t.fmod(t.tensor([-7, 7, -6]), 3),
    "int power": lambda t, x: t.tensor([2, 3]) ** 5,
    "int power negative": lambda t, x: t.tensor([2, 3]) ** -1,
    "uint8 wraps": lambda t, x: t.tensor([250], dtype=t.uint8) + 10,
    "int8 wraps": lambda t, x: t.tensor([100], dtype=t.int8) * 2,
    "bool add": lambda t, x: t.tensor([True, False]) + t.tensor([True, True]),
    "bool mul": lambda t, x: t.tensor([True, False]) * t.tensor([True, True]),
    "bool sub": lambda t, x: t.tensor([True]) - t.tensor([True]),
    "neg bool": lambda t, x: -t.tensor([True]),
    "neg uint8": lambda t, x: -t.tensor([3], dtype=t.uint8),
    "invert bool": lambda t, x: ~t.tensor([True, False]),
    "invert int": lambda t, x: ~t.tensor([5, -1]),
    "invert float": lambda t, x: ~t.tensor([5.0]),
    "shift": lambda t, x: (t.tensor([5, 8]) << 1) + (t.tensor([5, 8]) >> 1),
    "xor": lambda t, x: t.tensor([5, 8]) ^ 3,
    "and of bool and int": lambda t, x: t.tensor([True, False]) & t.tensor([1, 3]),
    "exp of ints": lambda t, x: t.exp(t.tensor([1, 2])),
    "sqrt of bool": lambda t, x: t.sqrt(t.tensor([True, False])),
    "floor of ints": lambda t, x: t.tensor([1, 2]).floor(),
    "abs of bool": lambda t, x: t.tensor([True]).abs(),
    "relu of ints": lambda t, x: t.tensor([-1, 2]).relu(),
    "sigmoid of ints": lambda t, x: t.tensor([-1, 2]).sigmoid(),
    "clamp ints by floats": lambda t, x: t.tensor([-1, 2]).clamp(min=0.5),
    "nothing to clamp": lambda t, x: x.clamp(),
    "eq None": lambda t, x: x == None,  # noqa: E711
    "ne str": lambda t, x: x != "a",
    "add None": lambda t, x: x + None,
    "add list": lambda t, x: x + [1, 2, 3],  # noqa: RUF005
    "list times": lambda t, x: [1.0] * x,
    "and of floats": lambda t, x: x & 1,
    "numpy array on the right": lambda t, x: x.detach() * np.ones(3),
    "numpy scalar on the right": lambda t, x: x * np.float64(2),
    "numpy scalar on the left": lambda t, x: np.float64(2) * x.detach(),
    "numpy int on the right": lambda t, x: t.tensor([1, 2]) * np.int64(3),
    "a chain": lambda t, x: ((x * 2).tanh() + x.exp().log1p() / 3).sigmoid(),
    "bool of one": lambda t, x: bool(x[0, 0] > -100),
    "bool of many": lambda t, x: bool(x),
    "float of one": lambda t, x: float(x[0, 1]),
    "int of one": lambda t, x: int(x[0, 1] * 100),
    "round of one": lambda t, x: round(x[0, 1].item(), 2),
    "format .4f": lambda t, x: f"{x[0, 0]:.4f}",
    "format d": lambda t, x: f"{t.tensor(5):d}",
    "percent": lambda t, x: f"{x[0, 0].item():+.2f} {x.mean().item():.3f}",
}


@pytest.mark.parametrize("name", EDGES)
def test_edge_of_arithmetic_is_pytorchs(name: str) -> None:
    def program(torch: Any, x: Any) -> Any:
        with np.errstate(all="ignore"):
            return EDGES[name](torch, x)

    agree(program, numbers(2, 3))


@pytest.mark.parametrize("name", UNARY)
def test_function_of_float32_stays_float32(name: str) -> None:
    program, (low, high) = UNARY[name]
    agree(program, numbers(3, 2, seed=3, low=low, high=high).astype(np.float32))


INT_DOMAIN = [n for n in UNARY if n not in ("logit",)]


@pytest.mark.parametrize("name", INT_DOMAIN)
def test_function_of_integers_has_pytorchs_type(name: str) -> None:
    agree(UNARY[name][0], np.array([1, 2, 3]))
