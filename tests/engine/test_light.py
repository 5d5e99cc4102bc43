"""The eager path is light: what an operation costs is counted, in calls and in arrays, never timed."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from gradus import engine
from gradus.engine import kernels
from gradus.engine.autograd.node import INPUTS, NOTHING, OUTPUT, Function
from gradus.engine.dtypes import Array
from gradus.engine.functions import operands
from gradus.engine.kernels.addition import add
from gradus.engine.nn import functional as F
from gradus.engine.ops import unary

Step = Callable[[], object]


def _mlp() -> Step:
    """A step of the lectures' MLP, its parameters plain tensors."""
    engine.manual_seed(1)
    C, W1, b1 = engine.randn(27, 10), engine.randn(30, 200), engine.randn(200)
    W2, b2 = engine.randn(200, 27), engine.randn(27)
    parameters = [C, W1, b1, W2, b2]
    for p in parameters:
        p.requires_grad = True
    x, y = engine.randint(0, 27, (32, 3)), engine.randint(0, 27, (32,))

    def step() -> None:
        h = engine.tanh(C[x].view(-1, 30) @ W1 + b1)
        loss = F.cross_entropy(h @ W2 + b2, y)
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            assert p.grad is not None
            p.data += -0.1 * p.grad

    return step


def _by_hand() -> Step:
    """Batch normalisation written out, with views and changes in place."""
    engine.manual_seed(1)
    W, gain, bias = engine.randn(8, 6), engine.ones(1, 6), engine.zeros(1, 6)
    parameters = [W, gain, bias]
    for p in parameters:
        p.requires_grad = True
    x = engine.randn(4, 2, 4)

    def step() -> None:
        h = x.view(4, -1) @ W
        h = gain * (h - h.mean(0, keepdim=True)) / h.std(0, keepdim=True)
        h += bias
        h[:, 0] *= 2
        h.retain_grad()
        loss = (h.T.exp() ** 2).sum()
        for p in parameters:
            p.grad = None
        loss.backward()
        with engine.no_grad():
            for p in parameters:
                assert p.grad is not None
                p -= 0.01 * p.grad

    return step


def _modules() -> Step:
    engine.manual_seed(1)
    nn = engine.nn
    model = nn.Sequential(
        nn.Embedding(9, 4), nn.Flatten(), nn.Linear(12, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 9)
    )
    optimizer = engine.optim.AdamW(model.parameters())
    x, y = engine.randint(0, 9, (5, 3)), engine.randint(0, 9, (5,))

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def _traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def _arrays() -> int:
    """How many arrays' memory is held."""
    ours = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)
    return len(tracemalloc.take_snapshot().filter_traces([ours]).traces)


@pytest.mark.usefixtures("_no_collector", "_traced")
@pytest.mark.parametrize("make", [_mlp, _by_hand, _modules])
def test_a_hundred_steps_without_the_garbage_collector_leave_nothing_behind(make: Callable[[], Step]) -> None:
    step = make()
    for _ in range(3):
        step()
    arrays, objects = _arrays(), len(gc.get_objects())
    for _ in range(100):
        step()
    assert len(gc.get_objects()) == objects
    assert _arrays() == arrays


def _calls(step: Step) -> int:
    """How many functions, of Python and of C, a step calls."""
    found = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal found
        found += event in ("call", "c_call")

    for _ in range(3):
        step()
    sys.setprofile(count)
    step()
    sys.setprofile(None)
    return found - 1  # setprofile itself


def test_a_recorded_product_takes_few_calls() -> None:
    a, b = (engine.ones(32, 32, requires_grad=True) for _ in range(2))
    assert _calls(lambda: a * b) <= 12
    assert _calls(lambda: a.tanh()) <= 9


def test_a_backward_of_one_operation_takes_few_calls() -> None:
    a, b, g = engine.ones(3, requires_grad=True), engine.ones(3, requires_grad=True), engine.ones(3)
    y = a * b
    assert _calls(lambda: y.backward(g, retain_graph=True)) <= 26


@pytest.mark.skipif(not kernels.enabled, reason="counts what happens with the compiled loops")
def test_a_step_of_the_lectures_mlp_takes_few_calls() -> None:
    assert _calls(_mlp()) <= 220


PLAIN: dict[str, Callable[[Any], Any]] = {
    "Add": lambda x: x + x,
    "Sub": lambda x: x - x,
    "RSub": lambda x: 1 - x,
    "Neg": lambda x: -x,
    "Lerp": lambda x: x.lerp(x, 0.3),
    "Clone": lambda x: x.clone(),
    "ToCopy": lambda x: x.double(),
    "CopyFrom": lambda x: engine.zeros(2, 3).copy_(x),
    "View": lambda x: x.view(-1),
    "Alias": lambda x: x[...],
    "Transpose": lambda x: x.transpose(0, 1),
    "T": lambda x: x.t(),
    "Permute": lambda x: x.permute(1, 0),
    "Expand": lambda x: x.expand(4, 2, 3),
    "Squeeze": lambda x: x.squeeze(0),
    "Unsqueeze": lambda x: x.unsqueeze(0),
    "Diagonal": lambda x: x.diagonal(),
    "Unfold": lambda x: x.unfold(1, 2, 1),
    "Split": lambda x: x.split(1)[0],
    "Unbind": lambda x: x.unbind()[0],
    "Cat": lambda x: engine.cat([x, x]),
    "Stack": lambda x: engine.stack([x, x]),
    "Contiguous": lambda x: x.t().contiguous(),
    "Sum": lambda x: x.sum(0),
    "Mean": lambda x: x.mean(),
    "Slice": lambda x: x[0],
    "Strided": lambda x: engine.as_strided(x, (2,), (1,)),
    "Index": lambda x: x[engine.tensor([1, 0])],
    "Real": lambda x: x.cfloat().real,
    "Imag": lambda x: x.cfloat().imag,
    "AngleOfReal": lambda x: x.angle(),
    "Conj": lambda x: x.cfloat().conj(),
    "Complex": lambda x: engine.complex(x, x),
    "ViewAsReal": lambda x: engine.view_as_real(x.cfloat()),
    "ViewAsComplex": lambda x: engine.view_as_complex(engine.stack([x, x], -1)),
}

# What is kept of an operation's inputs and outputs; an operation that is not here may keep any of them.
FROM_INPUTS: dict[str, Callable[[Any, Any], Any]] = {
    "Mul": lambda x, y: x * y,
    "Div": lambda x, y: x / y,
    "LerpByTensor": lambda x, y: x.lerp(y, y),
    "Var": lambda x, _: x.var(0),
    "Mm": lambda x, y: x @ y,
    "MatMul": lambda x, y: x @ y[0],
    "Angle": lambda x, _: x.cfloat().angle(),
    "Abs": lambda x, _: x.abs(),
    "Log": lambda x, _: x.log(),
    "Log10": lambda x, _: x.log10(),
    "Log2": lambda x, _: x.log2(),
    "Log1p": lambda x, _: x.log1p(),
    "Sin": lambda x, _: x.sin(),
    "Cos": lambda x, _: x.cos(),
    "Asin": lambda x, _: x.asin(),
    "Acos": lambda x, _: x.acos(),
    "Atan": lambda x, _: x.atan(),
    "Sinh": lambda x, _: x.sinh(),
    "Cosh": lambda x, _: x.cosh(),
    "Asinh": lambda x, _: x.asinh(),
    "Acosh": lambda x, _: x.acosh(),
    "Atanh": lambda x, _: x.atanh(),
    "CrossEntropy": lambda x, _: F.cross_entropy(x, engine.tensor([0, 1, 0])),
}
FROM_OUTPUT: dict[str, Callable[[Any], Any]] = {
    "Exp": lambda x: x.exp(),
    "Exp2": lambda x: x.exp2(),
    "Expm1": lambda x: x.expm1(),
    "Reciprocal": lambda x: x.reciprocal(),
    "Rsqrt": lambda x: x.rsqrt(),
    "Sqrt": lambda x: x.sqrt(),
    "Tan": lambda x: x.tan(),
    "Tanh": lambda x: x.tanh(),
}


def _operations(kind: type[Function] = Function) -> Iterator[type[Function]]:
    for found in kind.__subclasses__():
        if found.__module__ != unary.__name__:  # which holds bases of operations
            yield found
        yield from _operations(found)


@pytest.mark.parametrize(
    ("keeps", "tried"),
    [(NOTHING, PLAIN), (INPUTS, FROM_INPUTS), (OUTPUT, FROM_OUTPUT)],
    ids=["nothing", "inputs", "output"],
)
def test_every_operation_that_says_what_it_keeps_is_tried(keeps: int, tried: dict[str, Any]) -> None:
    assert {op.__name__ for op in _operations() if op.keeps == keeps} == set(tried)


@pytest.mark.parametrize("name", PLAIN)
def test_an_operation_that_says_so_keeps_no_array(name: str) -> None:
    node = PLAIN[name](engine.ones(2, 3, requires_grad=True)).grad_fn
    assert not any(isinstance(value, np.ndarray) for value in vars(node).values())


@pytest.mark.parametrize("name", FROM_INPUTS)
def test_an_operation_that_keeps_inputs_keeps_no_output(name: str) -> None:
    y = FROM_INPUTS[name](*(engine.ones(3, 3, requires_grad=True) for _ in range(2)))
    assert not any(value is y._array for value in vars(y.grad_fn).values())


@pytest.mark.parametrize("name", FROM_OUTPUT)
def test_an_operation_that_keeps_its_output_keeps_no_input(name: str) -> None:
    x = engine.ones(3, 3, requires_grad=True)
    assert not any(value is x._array for value in vars(FROM_OUTPUT[name](x).grad_fn).values())


BIG = 1 << 16  # numbers in an array, of 4 bytes


def _peak(run: Callable[[], object]) -> float:
    """The most memory held while running, in arrays of BIG numbers beyond what was held before."""
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    run()
    return (tracemalloc.get_traced_memory()[1] - before) / (4 * BIG)


@pytest.mark.skipif(not kernels.enabled, reason="counts what happens with the compiled loops")
@pytest.mark.usefixtures("_traced")
def test_a_walk_holds_few_gradients_at_a_time() -> None:
    engine.ones(BIG, requires_grad=True).tanh().sum().backward()  # the loop is loaded
    y = x = engine.ones(BIG, requires_grad=True)
    for _ in range(20):
        y = y.tanh()
    loss = y.sum()
    del y
    assert _peak(loss.backward) < 2.1  # a gradient and the next, while what forward kept is let go
    assert x.grad is not None


@pytest.mark.usefixtures("_traced")
def test_gradients_that_meet_are_added_in_place() -> None:
    x = engine.ones(BIG, requires_grad=True)
    add(x._array, x._array)  # the loop is loaded
    middle = x * 1
    loss = engine.cat([(middle * i).sum().view(1) for i in range(10)]).sum()
    assert _peak(loss.backward) < 4.1  # the sum, what arrives, and what that is made from
    assert x.grad is not None
    assert x.grad[0] == sum(range(10))


def test_what_arrives_at_a_leaf_several_times_is_added_to_a_gradient_of_its_own() -> None:
    x, seed = engine.ones(3, requires_grad=True), engine.ones(3)
    (x + x + x).backward(seed)
    first: Array = x.grad._array  # type: ignore[union-attr]
    (x * 2 + x).backward(seed)
    assert x.grad._array is first  # type: ignore[union-attr]
    assert x.grad.tolist() == [6.0, 6.0, 6.0]  # type: ignore[union-attr]
    assert seed.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.filterwarnings("ignore:overflow")
def test_numbers_that_were_met_before_are_the_same_numbers() -> None:
    x = engine.ones(2)
    for number in [0.0, -0.0, 0.0, 0.1, float("nan"), float("inf"), -1e40, 1e-50, 0.1]:
        for _ in range(2):
            np.testing.assert_array_equal((x * number).numpy(), np.array([number, number]).astype(np.float32))
            assert np.signbit((x * number).numpy()[0]) == np.signbit(number)
    for i in range(1000):
        assert (x * (i + 0.5)).tolist() == [i + 0.5] * 2
    assert len(operands._numbers) <= 101
