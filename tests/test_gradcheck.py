"""gradcheck: right gradients pass, each planted mistake is found and named."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradus.gradcheck import check, derivative
from gradus.scalar import Value


@pytest.fixture(params=["gradus.engine", "torch"])
def torch(request: pytest.FixtureRequest) -> Any:
    return pytest.importorskip(request.param)


def op(x: Value, data: float, local: float) -> Value:
    """An operation of one operand with the local derivative that it is told: y = x * local, shifted to `data`."""
    y = x * local
    y.data = data
    return y


def random(*shape: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.random.default_rng(seed).normal(size=shape)


# ---- what is right passes


@pytest.mark.parametrize(
    "fn",
    [
        lambda a, b: (a * b + a).tanh() / b,
        lambda a, b: (a.exp() + b * b).log() ** 2,
        lambda a, b: a.sin() * b.cos() - (a - b).sigmoid(),
        lambda a, b: [a * b, a + b, a.relu()],
    ],
)
def test_right_gradients_of_values_pass(fn: Callable[..., Any]) -> None:
    verdict = check(fn, 1.3, Value(-0.7))
    assert verdict.ok
    assert [one.name for one in verdict.inputs] == ["a", "b"]
    assert max(one.error for one in verdict.inputs) < 1e-8


def test_the_gradient_of_one_number_is_reported_as_it_is() -> None:
    verdict = check(lambda a, b, c, f: (a * b + c) * f, 2.0, -3.0, 10.0, -2.0)
    for name, grad in {"a": 6, "b": -4, "c": -2, "f": 4}.items():
        assert float(verdict[name].analytic) == pytest.approx(grad, rel=1e-12)
        assert float(verdict[name].numeric) == pytest.approx(grad, rel=1e-8)


def test_right_gradients_of_tensors_pass(torch: Any) -> None:
    x, w, b = (torch.tensor(random(*shape)) for shape in ((4, 3), (3, 2), (2,)))
    verdict = check(lambda x, w, b: (x @ w + b).tanh(), x, w, b)
    assert verdict.ok
    assert [one.numeric.shape for one in verdict.inputs] == [(4, 3), (3, 2), (2,)]


def test_integer_tensors_are_passed_on_unchecked(torch: Any) -> None:
    verdict = check(lambda table, index: table[index], torch.tensor(random(3, 2)), torch.tensor([0, 2, 2]))
    assert verdict.ok
    assert [one.name for one in verdict.inputs] == ["table"]


def test_arrays_with_gradients_worked_out_by_hand() -> None:
    def softmax_loss(logits: Any) -> Any:
        return np.log(np.exp(logits).sum()) - logits[1]

    def by_hand(logits: Any) -> Any:
        p = np.exp(logits) / np.exp(logits).sum()
        p[1] -= 1
        return p

    assert check(softmax_loss, random(5), grad=by_hand)


@pytest.mark.parametrize("x", [1e-4, 3e-3, 50.0, 1e4])
def test_steps_fit_the_place(x: float) -> None:
    """log near 0, where a step of 1e-3 would leave the domain, and far out."""
    verdict = check(lambda v: v.log(), x)
    assert verdict.ok
    assert float(verdict["v"].numeric) == pytest.approx(1 / x, rel=1e-6)


# ---- planted mistakes


class Overwriting:
    """A Value as beginners write it: backward sets gradients where it should add."""

    def __init__(self, data: float, prev: tuple[Any, ...] = ()) -> None:
        self.data, self.grad, self._prev = data, 0.0, prev
        self._backward: Callable[[], None] = lambda: None

    def __add__(self, other: Any) -> Overwriting:
        out = Overwriting(self.data + other.data, (self, other))

        def back() -> None:
            self.grad = out.grad
            other.grad = out.grad

        out._backward = back
        return out

    def __mul__(self, other: Any) -> Overwriting:
        other = other if isinstance(other, Overwriting) else Overwriting(other)
        out = Overwriting(self.data * other.data, (self, other))

        def back() -> None:
            self.grad = other.data * out.grad
            other.grad = self.data * out.grad

        out._backward = back
        return out

    def backward(self) -> None:
        order: list[Overwriting] = []

        def visit(node: Overwriting) -> None:
            if node not in order:
                for operand in node._prev:
                    visit(operand)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()


def test_overwritten_instead_of_accumulated() -> None:
    verdict = check(lambda a, b: a * b + a, Overwriting(2.0), Overwriting(-3.0))
    assert verdict["a"].mistake.startswith("overwritten instead of accumulated")
    assert verdict["b"].ok


def test_overwritten_deep_inside() -> None:
    """The inner node is used twice, the input once: what arrives at the input is still short."""

    def fn(a: Any) -> Any:
        inner = a * 3.0
        return inner * inner + inner

    assert check(fn, Overwriting(2.0))["a"].mistake.startswith("overwritten instead of accumulated")


def test_a_walk_without_a_topological_order() -> None:
    """a = 1; b = a + a; c = b + b: 4 in order, 6 without."""

    def fn(a: Any) -> Any:
        b = a + a
        return b + b

    assert check(fn, 1.0, grad=4.0)
    assert check(fn, 1.0, grad=6.0)["a"].mistake.startswith("no topological order")


def test_sign() -> None:
    assert check(lambda x: op(x, math.cos(x.data), math.sin(x.data)), 0.8)["x"].mistake == "the sign is wrong"


def test_missing() -> None:
    verdict = check(lambda a, b: a * b.data, 2.0, 3.0, grad=None)
    assert verdict["b"].mistake.startswith("missing")
    assert verdict["a"].ok


def test_a_constant_factor() -> None:
    verdict = check(lambda x: op(x, math.tanh(x.data), 2 * (1 - math.tanh(x.data) ** 2)), 0.7)
    assert verdict["x"].mistake == "off by a constant factor of 2"


def test_the_gradient_of_the_wrong_input() -> None:
    """d(ab)/da is b, not a."""
    verdict = check(lambda a, b: a * b, 3.0, 5.0, grad=lambda a, b: (a.data, b.data))
    assert verdict["a"].mistake == "the gradient of the wrong input: this is that of b"
    assert verdict["b"].mistake == "the gradient of the wrong input: this is that of a"


def test_off_by_the_input() -> None:
    """d(x**3)/dx = 3 x**2, not 3 x**3; and d(log x)/dx = 1/x, not 1."""
    x = random(5)
    assert "off by the input itself: it is multiplied" in check(lambda v: v**3, x, grad=lambda v: 3 * v**3)["v"].mistake
    assert "off by the input itself: it is multiplied" in check(np.log, abs(x), grad=np.ones(5)).inputs[0].mistake
    assert "off by the input itself: it is divided" in check(lambda v: v**3, x, grad=lambda v: 3 * v)["v"].mistake


def test_not_summed_over_a_broadcast_axis(torch: Any) -> None:
    x, b = torch.tensor(random(4, 3)), torch.tensor(random(3, seed=1))

    def fn(b: Any) -> Any:
        return x * b

    rows = x.numpy()
    assert check(fn, b, grad=rows.sum(0))
    assert check(fn, b, grad=rows)["b"].mistake.startswith("not summed over the broadcast axis 0: its shape is (4, 3)")
    assert check(fn, b, grad=rows[-1])["b"].mistake.startswith("not summed over the broadcast axis 0: only the last")
    assert "1/4: averaged over axis 0" in check(fn, b, grad=rows.mean(0))["b"].mistake


def test_transposed(torch: Any) -> None:
    x, w = random(3, 3), random(3, 3, seed=1)
    right = x.T @ np.ones((3, 3))
    tensors = torch.tensor(x), torch.tensor(w)
    assert check(lambda x, w: x @ w, *tensors, grad=(np.ones((3, 3)) @ w.T, right))
    assert check(lambda x, w: x @ w, *tensors, grad=(np.ones((3, 3)) @ w.T, right.T))["w"].mistake == "transposed"
    tall = random(3, 2)
    assert check(lambda t: t * t, tall, grad=2 * tall.T)["t"].mistake.startswith("transposed: its shape is (2, 3)")


def test_overwritten_in_tensors(torch: Any) -> None:
    """x*x + exp(x): only one of the two terms has counted."""
    x = torch.tensor(random(4))
    mistake = check(lambda x: (x * x + x.exp()).sum(), x, grad=lambda x: x.exp())["x"].mistake
    assert mistake.startswith("overwritten instead of accumulated: x is used 3 times")


def test_a_broken_chain(torch: Any) -> None:
    """A Function whose backward forgets its incoming gradient; by itself, on one number, nothing would show it."""

    class Square(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:  # noqa: ARG004
            (x,) = ctx.saved_tensors
            return 2 * x

    for shape in ((4,), ()):
        verdict = check(Square.apply, torch.tensor(random(*shape)), names=["x"])
        assert verdict["x"].mistake.startswith("the chain is broken")


def test_a_gradient_that_is_not_a_number() -> None:
    assert check(lambda x: op(x, x.data, math.nan), 1.0)["x"].mistake == "not a finite number"


def test_an_unknown_mistake_says_where() -> None:
    x = random(4)
    wrong = 2 * x
    wrong[2] += 1
    mistake = check(lambda x: x * x, x, grad=wrong)["x"].mistake
    assert mistake == "none of the mistakes known by name; 1 of 4 elements are wrong: [2]"


def test_the_worst_element_is_found() -> None:
    x = random(2, 3)
    wrong = 2 * x
    wrong[1, 2] += 0.5
    wrong[0, 1] += 0.1
    verdict = check(lambda x: x * x, x, grad=wrong)["x"]
    assert verdict.worst == (1, 2)
    assert verdict.error == pytest.approx(0.5, rel=1e-6)


# ---- kinks


@pytest.mark.parametrize("fn", [lambda x: x.relu(), lambda x: x.max(0.0)])
def test_at_a_kink_any_slope_between_the_two_will_do(fn: Callable[[Value], Value]) -> None:
    verdict = check(fn, 0.0)
    assert verdict.ok


def test_a_kink_is_reported_and_a_slope_outside_is_wrong() -> None:
    x = np.array([0.0, 1.0, -1.0])
    verdict = check(np.abs, x, grad=np.array([0.5, 1.0, -1.0]), names=["x"])
    assert verdict.ok
    assert verdict["x"].kinks == ((0,),)
    assert "kink at [0]" in str(verdict)
    assert not check(np.abs, x, grad=np.array([1.5, 1.0, -1.0]))


def test_beside_a_kink_the_step_is_small_enough() -> None:
    verdict = check(lambda x: x.relu(), 1e-5)
    assert verdict.ok
    assert float(verdict["x"].numeric) == pytest.approx(1.0, rel=1e-6)
    assert not check(lambda x: op(x, max(x.data, 0.0), 0.0), 1e-5)


# ---- the report and what is refused


def test_the_report_names_input_place_and_mistake() -> None:
    text = str(check(lambda a, b: a * b, 3.0, 5.0, grad=(-5.0, 3.0)))
    assert text.splitlines()[0] == "1 of 2 gradients wrong, 2 elements checked"
    assert "a: WRONG, worst error 10 (analytic -5, numeric 5)" in text
    assert "    the sign is wrong" in text
    assert "b: ok" in text


def test_what_cannot_be_checked_is_refused() -> None:
    with pytest.raises(TypeError, match="nothing to check"):
        check(lambda x: x, "text")
    with pytest.raises(TypeError, match="no backward"):
        check(lambda x: x.data, 1.0)
    with pytest.raises(TypeError, match="grad gave 1 gradients for 2 inputs"):
        check(lambda a, b: a * b, 1.0, 2.0, grad=1.0)
    with pytest.raises(ValueError, match="no finite difference can be taken at -1"):
        check(np.sqrt, np.array([-1.0]), grad=np.array([1.0]))


# ---- the first lesson


def test_the_slope_of_the_lectures_parabola() -> None:
    d = derivative(lambda x: 3 * x**2 - 4 * x + 5, 3.0)
    assert d.value == 20.0
    assert d.exact == 14.0
    assert d.by_backpropagation
    at = int(np.flatnonzero(d.steps == 1e-3)[0])
    assert d.forward[at] == pytest.approx(14.003, rel=1e-9)
    assert d.backward[at] == pytest.approx(13.997, rel=1e-9)
    assert d.central[at] == pytest.approx(14.0, rel=1e-9)
    assert derivative(lambda x: 3 * x**2 - 4 * x + 5, 2 / 3).exact == pytest.approx(0.0, abs=1e-15)


def test_the_best_step_is_where_curve_and_rounding_meet() -> None:
    d = derivative(math.sin, 1.0)
    assert not d.by_backpropagation
    assert d.exact == pytest.approx(math.cos(1.0), rel=1e-9)
    d = derivative(lambda x: x.sin(), 1.0)
    assert 1e-9 <= d.best("forward") <= 1e-7
    assert 1e-6 <= d.best("central") <= 1e-4
    assert d.errors("central").min() < d.errors("forward").min() / 10


def test_the_figure_shows_the_three_errors_on_logarithmic_axes() -> None:
    d = derivative(lambda x: x.exp(), 0.5)
    (axes,) = d.figure().axes
    assert [line.get_label() for line in axes.lines] == ["forward", "backward", "central"]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert np.array_equal(np.asarray(axes.lines[0].get_ydata()), d.errors("forward"))
    assert d._repr_png_()[0][:4] == b"\x89PNG"


def test_the_table_has_a_line_for_each_step() -> None:
    lines = derivative(lambda x: x * x, 2.0, steps=[0.5, 0.25]).table().splitlines()
    assert lines[1].split() == ["5e-01", "4.500000000000000", "3.500000000000000", "4.000000000000000"]
    assert len(lines) == 4


@pytest.mark.parametrize("steps", [[], [0.1, -0.1], [0.0]])
def test_steps_must_be_positive(steps: list[float]) -> None:
    with pytest.raises(ValueError, match="steps must be"):
        derivative(lambda x: x * x, 1.0, steps=steps)
