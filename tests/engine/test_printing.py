"""Printed forms, character for character as PyTorch prints them."""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch as pytorch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gradus.engine as engine
from tests.engine.compare import Program

PRINTED: dict[str, Program] = {
    "number": lambda t: t.tensor(2.126),
    "whole number": lambda t: t.tensor(3.0),
    "int": lambda t: t.tensor(3),
    "bool": lambda t: t.tensor(True),
    "float64": lambda t: t.tensor(1.5, dtype=t.float64),
    "negative": lambda t: t.tensor([1.0, -2.5, 3.25]),
    "whole floats": lambda t: t.tensor([1.0, -20.0, 300.0]),
    "mixed": lambda t: t.tensor([1.0, 2.5]),
    "ints": lambda t: t.tensor([1, -20, 300]),
    "int32": lambda t: t.tensor([1, 2], dtype=t.int32),
    "int8": lambda t: t.tensor([[1], [2]], dtype=t.int8),
    "uint8": lambda t: t.tensor([1, 2], dtype=t.uint8),
    "bools": lambda t: t.tensor([True, False]),
    "float16": lambda t: t.tensor([1.5, 2.0], dtype=t.float16),
    "wide range": lambda t: t.tensor([1.0, 0.0001, 1000.0]),
    "large": lambda t: t.tensor([1e9, 2e9]),
    "large whole": lambda t: t.tensor([100000000.0]),
    "larger whole": lambda t: t.tensor([123456789.0]),
    "small": lambda t: t.tensor([1e-5, 2e-5]),
    "zero and small": lambda t: t.tensor([0.0, 1e-10]),
    "zeros": lambda t: t.zeros(3),
    "zero": lambda t: t.tensor(0.0),
    "minus zero": lambda t: t.tensor(-0.0),
    "nan": lambda t: t.tensor(float("nan")),
    "inf": lambda t: t.tensor([float("inf"), 1.0]),
    "inf, nan, fraction": lambda t: t.tensor([float("-inf"), float("nan"), 0.5]),
    "only inf": lambda t: t.tensor([float("inf"), float("-inf")]),
    "empty": lambda t: t.tensor([]),
    "empty int": lambda t: t.zeros(0, dtype=t.long),
    "empty 2-d": lambda t: t.zeros(2, 0),
    "empty 2-d int": lambda t: t.zeros(0, 3, dtype=t.int32),
    "matrix": lambda t: t.arange(6.0).reshape(2, 3) / 3,
    "3-d": lambda t: t.arange(24).reshape(2, 3, 4),
    "4-d": lambda t: t.arange(16).reshape(2, 2, 2, 2) * 1.0,
    "long row": lambda t: t.arange(40),
    "long float row": lambda t: t.arange(30) / 7,
    "long row in matrix": lambda t: t.arange(60).reshape(2, 30),
    "1000 numbers": lambda t: t.arange(1000),
    "1001 numbers": lambda t: t.arange(1001),
    "summary 2-d": lambda t: t.arange(10000).reshape(100, 100),
    "summary of few rows": lambda t: t.arange(4000).reshape(4, 1000) / 3,
    "summary of few columns": lambda t: t.arange(4000).reshape(1000, 4) / 3,
    "summary 3-d": lambda t: t.arange(8000).reshape(20, 20, 20),
    "counts": lambda t: t.tensor([[0, 4410, 1306], [6640, 556, 541]], dtype=t.int32),
    "requires_grad": lambda t: t.tensor([1.0, 2.0], requires_grad=True),
    "grad_fn": lambda t: t.tensor([1.0, 2.0], requires_grad=True) * 2,
    "grad_fn on its own line": lambda t: t.arange(10.0).requires_grad_().reshape(1, 10) + 0.123,
    "dtype and grad_fn": lambda t: t.tensor([1.0, 2.0], dtype=t.float64, requires_grad=True).exp(),
    "long and dtype": lambda t: t.arange(12, dtype=t.float64) + 0.5,
    "sum": lambda t: t.tensor([1.0, 2.0], requires_grad=True).sum(),
    "Parameter": lambda t: t.nn.Parameter(t.ones(2, 2)),
    "Size": lambda t: t.zeros(2, 3).shape,
    "Size of number": lambda t: t.tensor(1).shape,
    "dtype": lambda t: [t.float32, t.int64, t.bool, t.uint8, t.float, t.long, t.half, t.double, t.int],
    "device": lambda t: [t.zeros(1).device, t.device("cpu"), t.device("cuda:1"), t.device("cuda", 0)],
    "type": lambda t: [t.zeros(1).type(), t.zeros(1, dtype=t.long).type(), t.zeros(1, dtype=t.bool).type()],
    "max": lambda t: t.tensor([[1.0, 5.0], [7.0, 2.0]]).max(1),
    "topk": lambda t: t.tensor([1.0, 5.0, 3.0]).topk(2),
    "sort": lambda t: t.tensor([3, 1, 2]).sort(),
    "list": lambda t: [t.tensor(1.0), t.tensor([2])],
    "str": lambda t: str(t.tensor([1.0])),
    "format": lambda t: f"{t.tensor([1.0])} {t.tensor(1.23456):.3f} {t.tensor(7):5d} {t.tensor(2.5)}",
    "detached": lambda t: (t.tensor([1.0], requires_grad=True) * 2).detach(),
    "transposed": lambda t: t.arange(6).reshape(2, 3).T,
    "a view of a leaf": lambda t: t.ones(3, requires_grad=True)[1:],
    "unpacked": lambda t: list(t.ones(2, requires_grad=True)),
    "finfo": lambda t: [t.finfo(t.float32).eps, t.finfo(t.float32).max, t.iinfo(t.int8).max],
}


@pytest.mark.parametrize("name", PRINTED)
def test_printed_form_is_pytorchs(name: str) -> None:
    assert repr(PRINTED[name](engine)) == repr(PRINTED[name](pytorch))


OPTIONS: list[dict[str, Any]] = [
    {"precision": 2},
    {"linewidth": 40},
    {"threshold": 5},
    {"edgeitems": 1, "threshold": 5},
    {"sci_mode": True},
    {"sci_mode": False},
    {"profile": "short"},
    {"profile": "full"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_print_options_are_pytorchs(options: dict[str, Any]) -> None:
    shown = []
    for t in (engine, pytorch):
        t.set_printoptions(**options)
        try:
            shown.append([repr(t.arange(12.0).reshape(2, 6) / 7), repr(t.tensor([1e-6, 1.0])), repr(t.arange(2000))])
        finally:
            t.set_printoptions(profile="default")
    assert shown[0] == shown[1]


FLOATS = st.one_of(
    st.floats(width=32),
    st.integers(-(10**9), 10**9).map(float),
    st.sampled_from([0.0, -0.0, 1e-5, 0.5, float("inf"), float("nan")]),
)


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(
    hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5), elements=st.floats(width=32)
    )
)
def test_any_floats_print_as_in_pytorch(array: Any) -> None:
    assert repr(engine.from_numpy(array)) == repr(pytorch.from_numpy(array))


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.lists(FLOATS, min_size=1, max_size=30), st.sampled_from(["float32", "float64"]))
def test_any_row_prints_as_in_pytorch(values: list[float], kind: str) -> None:
    with np.errstate(over="ignore"):
        array = np.array(values).astype(kind)
    assert repr(engine.from_numpy(array)) == repr(pytorch.from_numpy(array))


NODES: dict[str, Program] = {
    "add": lambda t, x: x + 1,
    "radd": lambda t, x: 1 + x,
    "sub": lambda t, x: x - 1,
    "rsub": lambda t, x: 1 - x,
    "mul": lambda t, x: x * 2,
    "div": lambda t, x: x / 2,
    "rdiv": lambda t, x: 1.0 / x,
    "neg": lambda t, x: -x,
    "pow": lambda t, x: x**2,
    "rpow": lambda t, x: 2**x,
    "pow tensor": lambda t, x: x**x,
    "remainder": lambda t, x: x % 2,
    "exp": lambda t, x: x.exp(),
    "log": lambda t, x: x.log(),
    "tanh": lambda t, x: x.tanh(),
    "sqrt": lambda t, x: x.sqrt(),
    "rsqrt": lambda t, x: x.rsqrt(),
    "relu": lambda t, x: x.relu(),
    "sigmoid": lambda t, x: x.sigmoid(),
    "abs": lambda t, x: x.abs(),
    "log10": lambda t, x: x.log10(),
    "sin": lambda t, x: x.sin(),
    "clamp": lambda t, x: x.clamp(0, 1),
    "clamp_min": lambda t, x: x.clamp(min=0),
    "sum": lambda t, x: x.sum(),
    "sum 0": lambda t, x: x.sum(0),
    "mean": lambda t, x: x.mean(),
    "mean 1": lambda t, x: x.mean(1),
    "var": lambda t, x: x.var(),
    "std": lambda t, x: x.std(0),
    "max": lambda t, x: x.max(),
    "max 1": lambda t, x: x.max(1)[0],
    "amax": lambda t, x: x.amax(1),
    "prod": lambda t, x: x.prod(),
    "norm": lambda t, x: x.norm(),
    "logsumexp": lambda t, x: x.logsumexp(1),
    "softmax": lambda t, x: x.softmax(1),
    "log_softmax": lambda t, x: x.log_softmax(1),
    "cumsum": lambda t, x: x.cumsum(0),
    "sort": lambda t, x: x.sort()[0],
    "topk": lambda t, x: x.topk(1)[0],
    "median": lambda t, x: x.median(),
    "view": lambda t, x: x.view(-1),
    "reshape": lambda t, x: x.reshape(3, 2),
    "t": lambda t, x: x.t(),
    "T": lambda t, x: x.T,
    "transpose": lambda t, x: x.transpose(0, 1),
    "permute": lambda t, x: x.permute(1, 0),
    "unsqueeze": lambda t, x: x.unsqueeze(0),
    "squeeze": lambda t, x: x[:, :1].squeeze(),
    "squeeze 1": lambda t, x: x[:, :1].squeeze(1),
    "expand": lambda t, x: x.expand(2, 2, 3),
    "flatten": lambda t, x: x.flatten(),
    "select": lambda t, x: x[0],
    "select 1": lambda t, x: x[:, 0],
    "slice": lambda t, x: x[1:],
    "slice 1": lambda t, x: x[:, 1:],
    "number": lambda t, x: x[0, 1],
    "None": lambda t, x: x[None],
    "index": lambda t, x: x[t.tensor([0])],
    "mask": lambda t, x: x[x > 0],
    "cat": lambda t, x: t.cat([x, x]),
    "stack": lambda t, x: t.stack([x, x]),
    "split": lambda t, x: x.split(1)[0],
    "unbind": lambda t, x: x.unbind()[0],
    "clone": lambda t, x: x.clone(),
    "double": lambda t, x: x.float().double(),
    "where": lambda t, x: t.where(x > 0, x, 0),
    "masked_fill": lambda t, x: x.masked_fill(x > 0, 0),
    "gather": lambda t, x: x.gather(1, t.tensor([[0]])),
    "tril": lambda t, x: x.tril(),
    "flip": lambda t, x: x.flip(0),
    "roll": lambda t, x: x.roll(1, 0),
    "repeat": lambda t, x: x.repeat(2, 1),
    "maximum": lambda t, x: t.maximum(x, x),
    "mm": lambda t, x: x @ x.t(),
    "mv": lambda t, x: x @ x[0],
    "dot": lambda t, x: x[0] @ x[0],
    "bmm": lambda t, x: x[None] @ x.t()[None],
    "matmul 3-d": lambda t, x: x[None] @ x.t(),
    "linear": lambda t, x: t.nn.functional.linear(x, x, x[:, 0]),
    "linear, no bias": lambda t, x: t.nn.functional.linear(x, x),
    "cross_entropy": lambda t, x: t.nn.functional.cross_entropy(x, t.tensor([0, 1])),
    "nll_loss": lambda t, x: t.nn.functional.nll_loss(x, t.tensor([0, 1])),
    "mse_loss": lambda t, x: t.nn.functional.mse_loss(x, x * 2),
    "gelu": lambda t, x: t.nn.functional.gelu(x),
    "F.relu": lambda t, x: t.nn.functional.relu(x),
    "silu": lambda t, x: t.nn.functional.silu(x),
    "leaky_relu": lambda t, x: t.nn.functional.leaky_relu(x),
    "elu": lambda t, x: t.nn.functional.elu(x),
    "layer_norm": lambda t, x: t.nn.functional.layer_norm(x, (3,)),
    "embedding": lambda t, x: t.nn.functional.embedding(t.tensor([0]), x),
    "dropout": lambda t, x: t.nn.functional.dropout(x, 0.5),
    "add_": lambda t, x: x.clone().add_(1),
    "mul_": lambda t, x: x.clone().mul_(2),
    "exp_": lambda t, x: x.clone().exp_(),
    "copy_": lambda t, x: t.zeros(2, 3).double().copy_(x),
    "setitem": lambda t, x: _set(t.zeros(2, 3).double(), 0, x[0]),
    "setitem by tensor": lambda t, x: _set(t.zeros(2, 3).double(), t.tensor([0]), x[:1]),
    "view of changed": lambda t, x: _set(x.clone(), 0, 1.0)[1],
    "view changed": lambda t, x: x.clone()[0].mul_(2),
    "diagonal": lambda t, x: x.diagonal(),
    "scatter_add": lambda t, x: x.scatter_add(1, t.tensor([[0]]), x),
    "index_select": lambda t, x: x.index_select(0, t.tensor([0])),
    "erf": lambda t, x: x.erf(),
    "softplus": lambda t, x: t.nn.functional.softplus(x),
}


def _set(x: Any, index: Any, value: Any) -> Any:
    x[index] = value
    return x


@pytest.mark.parametrize("name", NODES)
def test_grad_fn_has_pytorchs_name(name: str) -> None:
    data = [[1.0, 2.0, 3.0], [0.5, 1.5, 0.25]]
    found = [
        NODES[name](t, t.tensor(data, dtype=t.float64, requires_grad=True)).grad_fn.name() for t in (engine, pytorch)
    ]
    assert found[0] == found[1]
