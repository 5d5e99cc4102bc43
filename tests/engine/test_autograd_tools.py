"""What helps with gradients: finding NaN, derivatives of functions, modules as functions, assertions of closeness."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch as theirs

import gradus.engine as ours
from gradus.engine.autograd.node import Node
from gradus.engine.compat.absent import NotSupported

BOTH: list[Any] = [ours, theirs]


def in_both(program: Any) -> list[Any]:
    """What a program gives on each, or the type and first line of its error."""
    found = []
    for t in BOTH:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found.append(plain(program(t)))
            except Exception as error:
                found.append(
                    (
                        type(error).__name__,
                        str(error).split("\n")[0].replace("gradus.engine.tensor.Tensor", "torch.Tensor"),
                    )
                )
    return found


def plain(x: Any) -> Any:
    if isinstance(x, (tuple, list)):
        return type(x)(plain(part) for part in x)
    return (tuple(x.shape), x.tolist()) if isinstance(x, (ours.Tensor, theirs.Tensor)) else x


def agree(program: Any) -> None:
    mine, other = in_both(program)
    assert mine == other


# ---- NaN


def _backward_of_nan(t: Any, **mode: Any) -> Any:
    x = t.tensor([0.0, 1.0], requires_grad=True)
    with t.autograd.set_detect_anomaly(True, **mode):
        (x.sqrt() * 0).sum().backward()
    return x.grad


def test_anomaly_mode_names_the_operation_that_gave_nan() -> None:
    agree(_backward_of_nan)
    assert str(in_both(lambda t: _backward_of_nan(t, check_nan=False))) == str(2 * [((2,), [np.nan, 0.0])])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", UserWarning)
        with pytest.raises(RuntimeError, match="SqrtBackward0"):
            _backward_of_nan(ours)
    assert [str(w.message) for w in seen] == ["Error detected in SqrtBackward0."]


def test_anomaly_mode_is_on_within_its_block_only() -> None:
    def program(t: Any) -> list[bool]:
        seen = [t.is_anomaly_enabled()]
        with t.autograd.detect_anomaly():
            seen.append(t.is_anomaly_enabled())
            x = t.ones(2, requires_grad=True)
            (x * x).sum().backward()
        seen += [t.is_anomaly_enabled(), t.is_anomaly_check_nan_enabled()]
        t.autograd.set_detect_anomaly(True)
        seen.append(t.is_anomaly_enabled())
        t.autograd.set_detect_anomaly(False)
        return [*seen, x.grad.tolist() == [2.0, 2.0]]

    agree(program)
    assert Node.watched is False  # the walk looks at nothing more
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        ours.autograd.detect_anomaly()


# ---- functions of one's own


def test_defaults_of_forward_reach_setup_context() -> None:
    def program(t: Any) -> Any:
        class Scaled(t.autograd.Function):  # type: ignore[misc]
            @staticmethod
            def forward(x: Any, k: float = 3.0) -> Any:
                return x * k

            @staticmethod
            def setup_context(ctx: Any, inputs: Any, output: Any) -> None:  # noqa: ARG004
                ctx.k, ctx.count = inputs[1], len(inputs)

            @staticmethod
            @t.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
            def backward(ctx: Any, dy: Any) -> Any:
                return dy * ctx.k, None

        x = t.ones(2, requires_grad=True)
        Scaled.apply(x).sum().backward()
        Scaled.apply(x, k=2.0).sum().backward()
        return x.grad

    agree(program)


def test_a_module_of_autograd_has_the_names_that_programs_import() -> None:
    for t in BOTH:
        function = t.autograd.function
        assert issubclass(function.InplaceFunction, function.Function)
        assert function.FunctionCtx.__name__ == "FunctionCtx"
    assert ours.autograd.graph.Node is Node
    with ours.autograd.graph.save_on_cpu():
        pass
    x = ours.ones(2, requires_grad=True)
    y = x * x
    ours.autograd.graph.increment_version(x)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


# ---- grad mode


def test_no_grad_holds_within_each_step_of_a_generator_and_not_between() -> None:
    def program(t: Any) -> list[Any]:
        def steps() -> Any:
            given: Any = None
            try:
                while True:
                    given = yield given, t.is_grad_enabled()
            except ValueError:
                yield "caught", t.is_grad_enabled()
            finally:
                ended.append(t.is_grad_enabled())
            return 7

        ended: list[Any] = []
        steps = t.no_grad()(steps)
        seen: list[Any] = []
        generator = steps()
        moves: list[Any] = [lambda: next(generator), lambda: generator.send(3), lambda: generator.throw(ValueError())]
        for move in moves:
            seen += [move(), t.is_grad_enabled()]
        try:
            next(generator)
        except StopIteration as stop:
            seen.append(stop.value)
        closed = steps()
        next(closed)
        closed.close()
        return [*seen, *ended, t.is_grad_enabled()]

    agree(program)


def test_a_decorated_class_runs_its_constructor_inside() -> None:
    def program(t: Any) -> Any:
        @t.no_grad()
        class Thing:
            def __init__(self) -> None:
                self.enabled = t.is_grad_enabled()

            def later(self) -> Any:
                return t.is_grad_enabled()

        return Thing().enabled, Thing().later()

    agree(program)


def test_inference_mode_is_told_from_no_grad() -> None:
    def program(t: Any) -> list[bool]:
        seen = []
        for mode in (t.no_grad(), t.inference_mode(), t.inference_mode(False), t.inference_mode(mode=True)):
            with t.inference_mode(), mode:
                seen += [t.is_inference_mode_enabled(), t.is_grad_enabled()]
            with mode:
                seen += [t.is_inference_mode_enabled(), t.is_grad_enabled()]
        for decorator in (t.inference_mode, t.inference_mode(), t.inference_mode(False)):
            seen.append(decorator(lambda: t.is_inference_mode_enabled())())
        return seen

    agree(program)


def test_numpy_of_a_parameter_is_given_under_no_grad() -> None:
    for t in BOTH:
        w = t.ones(2, requires_grad=True)
        with pytest.raises(RuntimeError, match="Can't call numpy"):
            w.numpy()
        with t.no_grad():
            assert w.numpy().tolist() == [1.0, 1.0]


# ---- derivatives of functions


FUNCTIONS = [
    lambda t: t.autograd.functional.jacobian(lambda x: x * x, t.arange(3.0)),
    lambda t: t.autograd.functional.jacobian(lambda x, y: (x[:2] * y.sum(), y.sqrt()), (t.arange(3.0), t.ones(2, 2))),
    lambda t: t.autograd.functional.jacobian(lambda _: t.ones(2), t.ones(2)),
    lambda t: t.autograd.functional.jacobian(lambda x: x.sum(), t.ones(2, 2)),
    lambda t: t.autograd.functional.vjp(lambda x: x**3, t.arange(3.0), t.arange(3.0)),
    lambda t: t.autograd.functional.vjp(lambda x, y: (x * y).sum(), (t.arange(3.0), t.ones(3))),
]


@pytest.mark.parametrize("program", FUNCTIONS)
def test_derivatives_of_functions_are_pytorchs(program: Any) -> None:
    agree(program)


def test_second_derivatives_are_refused() -> None:
    with pytest.raises(NotSupported, match="a gradient has no gradient"):
        ours.autograd.functional.jacobian(lambda x: x * x, ours.ones(2), create_graph=True)
    with pytest.raises(AttributeError, match=r"does not support .*hessian, which PyTorch has"):
        ours.autograd.functional.hessian  # noqa: B018


# ---- modules as functions


def test_functional_call_puts_tensors_in_place_of_parameters_and_takes_them_away() -> None:
    def program(t: Any) -> Any:
        model = t.nn.Sequential(t.nn.Linear(2, 2, bias=False), t.nn.BatchNorm1d(2))
        before = [p.detach().clone() for p in model.parameters()]
        w = t.eye(2, requires_grad=True)
        given = {"0.weight": w}, {"1.running_mean": t.ones(2)}
        model.eval()
        y = t.func.functional_call(model, given, (t.arange(4.0).view(2, 2),))
        y.sum().backward()
        same = all(t.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
        return y.detach(), w.grad, same, model[0].weight.grad is None

    agree(program)
    with pytest.raises(AttributeError, match="no parameter or buffer 'w'"):
        ours.func.functional_call(ours.nn.Linear(1, 1), {"w": ours.ones(1)}, ours.ones(1))
    with pytest.raises(RuntimeError, match=r"missing keys \['bias'\]"):
        ours.func.functional_call(ours.nn.Linear(1, 1), {"weight": ours.ones(1, 1)}, ours.ones(1), strict=True)


def test_functional_call_replaces_a_tied_parameter_everywhere() -> None:
    def program(t: Any) -> Any:
        model = t.nn.Sequential(t.nn.Linear(2, 2, bias=False), t.nn.Linear(2, 2, bias=False))
        model[1].weight = model[0].weight
        return t.func.functional_call(model, {"0.weight": 2 * t.eye(2)}, t.ones(2)).detach()

    agree(program)


# ---- closeness


PAIRS = [
    lambda t: (t.ones(2), t.ones(2) + 1e-6),
    lambda t: (t.ones(2), t.ones(2) + 1e-4),
    lambda t: (t.ones(2, 3), t.ones(3, 2)),
    lambda t: (t.ones(2), t.ones(2, dtype=t.float64)),
    lambda _: (1.0, 1.0 + 1e-9),
    lambda _: (1.0, 2.0),
    lambda _: (1, 1.0),
    lambda t: ([t.ones(1), 2.0], [t.ones(1), 3.0]),
    lambda _: ([1], [1, 2]),
    lambda t: ({"a": t.ones(1)}, {"b": t.ones(1)}),
    lambda t: (t.tensor([float("nan")]), t.tensor([float("nan")])),
    lambda t: (t.tensor([float("inf")]), t.tensor([float("inf")])),
    lambda t: (t.arange(3), t.tensor([0, 1, 3])),
    lambda _: (np.ones(2), np.ones(2) * 1.1),
    lambda _: ("a", "a"),
    lambda t: (t.ones(2), 1.0),
]


@pytest.mark.parametrize("pair", PAIRS)
def test_assert_close_decides_as_pytorch_does(pair: Any) -> None:
    agree(lambda t: t.testing.assert_close(*pair(t)))
    agree(lambda t: t.testing.assert_close(*pair(t), equal_nan=True, check_dtype=False))
    agree(lambda t: t.testing.assert_close(*pair(t), rtol=0.5, atol=0.0))


def test_assert_close_says_how_far_apart() -> None:
    with pytest.raises(AssertionError) as mine:
        ours.testing.assert_close(ours.tensor([1.0, 2.0, 3.0]), ours.tensor([1.0, 2.5, 3.0]))
    with pytest.raises(AssertionError) as other:
        theirs.testing.assert_close(theirs.tensor([1.0, 2.0, 3.0]), theirs.tensor([1.0, 2.5, 3.0]))
    assert str(mine.value).splitlines()[:3] == str(other.value).splitlines()[:3]
    assert "Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)" in str(mine.value)
    with pytest.raises(AssertionError, match=r"^mine$"):
        ours.testing.assert_close(1.0, 2.0, msg="mine")
