"""`out=` and NumPy's names for arguments, as PyTorch's functions take them."""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch as pytorch

import gradus.engine as engine
from gradus.engine.functions.signatures import WITH_OUT
from tests.engine.compare import Program, agree, numbers

WRITING: dict[str, Program] = {
    "empty": lambda t, x: t.add(x, x, out=t.empty(0)),
    "its own": lambda t, x: (out := t.zeros(3, 4).double(), t.mul(x, 2, out=out) is out, out),
    "wider type": lambda t, x: t.add(x.float(), 1, out=t.zeros(3, 4).double()),
    "not into integers": lambda t, x: t.add(x, 1, out=t.zeros(3, 4, dtype=t.int64)),
    "not into another type": lambda t, x: t.matmul(x, x.t(), out=t.zeros(3, 3)),
    "bool into float": lambda t, x: t.gt(x, 0, out=t.zeros(3, 4)),
    "of another shape": lambda t, x: t.sum(x, 0, out=t.zeros(7).double()),
    "an input": lambda t, x: (y := x.clone(), t.exp(y, out=y), y),
    "a part": lambda t, x: (y := t.zeros(3, 4).double(), t.tanh(x[0], out=y[1]), y),
    "expanded": lambda t, x: t.exp(x, out=t.zeros(3, 1).double().expand(3, 4)),
    "several": lambda t, x: tuple(t.max(x, 0, out=(t.empty(0).double(), t.empty(0, dtype=t.int64)))),
    "several in one": lambda t, x: t.sort(x, out=t.empty(0)),
    "no tensor": lambda t, x: t.exp(x, out=3),
    "of a maker": lambda t, x: (t.arange(3, out=t.empty(0)), t.zeros(2, out=t.ones(2, dtype=t.int64))),
    "drawn": lambda t, x: (t.manual_seed(1), t.randn(3, out=t.empty(3)))[1],
    "stacked": lambda t, x: t.stack((x, x), axis=1, out=t.empty(0)),
    "joined into an input": lambda t, x: t.cat([x, x], out=x),
    "joined into a part of an input": lambda t, x: t.cat([x[:1], x[:1]], out=x),
    "joined into another part": lambda t, x: (t.cat([x[:1]], out=x[1:2]), x),
    "joined into gaps": lambda t, x: (t.cat([x[:, ::2]], out=x[:, 1::2]), x),
    "joined into an empty input": lambda t, x: (y := x[:0, 0].clone(), t.cat([y, x[0]], out=y)),
    "stacked into an input": lambda t, x: t.stack([x[0], x[1]], out=x),
    "stacked in columns into an input": lambda t, x: t.column_stack([x, x], out=x),
    "joined in depth": lambda t, x: (t.dstack([x, x], out=t.empty(0).double()), t.hstack([x], out=t.zeros(3, 4))),
    "joined": lambda t, x: t.cat([x, x], out=t.empty(0).double()),
    "not of a method": lambda t, x: x.add(1, out=x),
    "not of flip": lambda t, x: t.flip(x, (0,), out=x),
    "numpy's names": lambda t, x: (
        t.sum(x, axis=0, keepdims=True),
        x.cumsum(axis=1),
        t.var_mean(x, axis=0, keepdims=True),
        x.softmax(axis=0),
        t.sort(x, axis=0),
        x.amax(axis=(0, 1)),
    ),
    "both names": lambda t, x: x.sum(dim=0, axis=0),
    "both names of cumsum": lambda t, x: x.cumsum(0, axis=0),
}


@pytest.mark.parametrize("name", WRITING)
def test_out_equals_pytorch(name: str) -> None:
    agree(WRITING[name], numbers(3, 4), gradients=False)


@pytest.mark.parametrize("wants", ["input", "out"])
def test_nothing_is_written_into_out_where_a_gradient_would_be_recorded(wants: str) -> None:
    for torch in (engine, pytorch):
        x, out = torch.ones(2, requires_grad=wants == "input"), torch.ones(2, requires_grad=wants == "out")
        with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
            torch.exp(x, out=out)
        with torch.no_grad():
            assert torch.equal(torch.exp(x, out=out), torch.exp(x))


def test_a_resized_out_is_warned_of() -> None:
    for torch in (engine, pytorch):
        with pytest.warns(UserWarning, match="An output with one or more elements was resized"):
            torch.exp(torch.ones(2), out=torch.ones(3))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            torch.exp(torch.ones(2), out=torch.ones(0))


@pytest.mark.parametrize("name", WITH_OUT)
def test_each_function_with_out_has_one_in_pytorch(name: str) -> None:
    takes_anything: Any = getattr(pytorch, name)
    with pytest.raises(TypeError) as refused:
        takes_anything(pytorch.ones(1), out="nothing", nonsense=1)
    assert "unexpected keyword argument 'out'" not in str(refused.value)
