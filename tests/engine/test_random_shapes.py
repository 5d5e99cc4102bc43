"""Random calls of reductions, arrangements and selections, in PyTorch's own keyword forms: nan and infinity, ties,
0-d and empty, integers and bools, NumPy's scalars as arguments. What PyTorch shows, the engine shows.
"""

# ruff: noqa: ARG001, ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.compare import Program, agree

NUMBERS: dict[str, list[Any]] = {
    "float64": [0.0, -0.0, 1.0, 1.0, -1.5, 2.0, 0.5, np.nan, np.inf, -np.inf],
    "float32": [0.0, 1.0, 1.0, 2.0, -3.0, 0.25, np.nan],
    "int64": [0, 1, 1, -2, 3, 7],
    "int32": [0, 1, -5, 5],
    "uint8": [0, 1, 200, 255],
    "bool": [False, True],
}
SHAPES = [(), (1,), (4,), (0,), (2, 3), (3, 1), (0, 2), (2, 0), (2, 2, 3), (1, 1, 1)]


@st.composite
def arrays(draw: Any, kinds: tuple[str, ...] = tuple(NUMBERS), finite: bool = False) -> np.ndarray:
    kind: str = draw(st.sampled_from(kinds))
    shape: tuple[int, ...] = draw(st.sampled_from(SHAPES))
    size = int(np.prod(shape, dtype=int))
    values: list[Any] = [v for v in NUMBERS[kind] if not finite or np.isfinite(v)]
    return np.array(draw(st.lists(st.sampled_from(values), min_size=size, max_size=size)), kind).reshape(shape)


dims = st.one_of(st.integers(-3, 2), st.integers(-2, 1).map(np.int64), st.integers(-1, 1).map(np.array))
several = st.one_of(st.none(), dims, st.lists(st.integers(-3, 2), max_size=3).map(tuple))


@st.composite
def reducing(draw: Any, many: bool, keeps: bool = True) -> dict[str, Any]:
    """Keywords: dim or axis, keepdim or keepdims, or neither."""
    named: dict[str, Any] = {}
    if draw(st.booleans()):
        named[draw(st.sampled_from(["dim", "dim", "axis"]))] = draw(several if many else dims)
    if keeps and named and draw(st.booleans()):
        named[draw(st.sampled_from(["keepdim", "keepdims"]))] = draw(st.booleans())
    return named


MANY = "sum mean nansum nanmean amax amin all any var std var_mean std_mean logsumexp count_nonzero".split()  # noqa: SIM905
ONE = "prod max min argmax argmin median nanmedian mode cumsum cumprod cummax cummin softmax log_softmax sort".split()  # noqa: SIM905
SPREADS = ("var", "std", "var_mean", "std_mean")
NO_KEEPDIM = {"count_nonzero", "cumsum", "cumprod", "cummax", "cummin", "softmax", "log_softmax", "sort"}


def _readable(t: Any, named: dict[str, Any]) -> dict[str, Any]:
    """The same keywords, a 0-d array as a tensor."""
    return {k: t.tensor(int(v)) if isinstance(v, np.ndarray) else v for k, v in named.items()}


def _same(program: Program, *inputs: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        agree(program, *inputs)


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(st.data())
@pytest.mark.parametrize("name", [*MANY, *ONE])
def test_random_reduction_equals_pytorch(name: str, data: st.DataObject) -> None:
    x = data.draw(arrays())
    named = data.draw(reducing(name in MANY, name not in NO_KEEPDIM))
    if name in ("mode", "median", "nanmedian", "sort") and (not x.size or x.dtype == bool):
        return  # what an empty mode is, and which of equal bools comes first, PyTorch leaves open
    if name in ("max", "min") and any(isinstance(v, np.ndarray) for v in named.values()):
        return  # a tensor is what to compare with
    if name in ("cummax", "cummin", "amax", "amin") and not x.size:
        return  # PyTorch takes any dimension of nothing
    if "softmax" in name and x.dtype.kind != "f":
        return  # PyTorch refuses it only where there is a number
    if name in ("logsumexp", *SPREADS) and any(isinstance(v, tuple) for v in named.values()):
        return  # which of two faults is told first, and what no dimensions mean, differs
    if name in ("nanmean", "cumprod", "softmax", "log_softmax", "mode", *SPREADS) and np.isnan(x.astype(float)).any():
        return  # their gradients there are not compared
    _same(lambda t, y: getattr(y, name)(**_readable(t, named)), x)


@settings(max_examples=80, deadline=None, database=None, derandomize=True)
@given(
    arrays(("float64",), finite=True),
    st.floats(0, 1),
    dims,
    st.booleans(),
    st.sampled_from(["linear", "lower", "nearest"]),
)
@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_random_quantile_equals_pytorch(
    name: str, x: np.ndarray, q: float, dim: Any, keepdim: bool, interpolation: str
) -> None:
    named = {"dim": dim, "keepdim": keepdim, "interpolation": interpolation}
    _same(lambda t, y: getattr(y, name)(q, **_readable(t, named)), x)


WITH_DIM: dict[str, Any] = {
    "flip": lambda t, x, d, n: x.flip(d),
    "roll": lambda t, x, d, n: x.roll(n, d),
    "squeeze": lambda t, x, d, n: x.squeeze(d),
    "unsqueeze": lambda t, x, d, n: x.unsqueeze(d),
    "unbind": lambda t, x, d, n: x.unbind(d),
    "select": lambda t, x, d, n: x.select(d, n),
    "narrow": lambda t, x, d, n: x.narrow(d, n, 1),
    "chunk": lambda t, x, d, n: x.chunk(n, d),
    "split": lambda t, x, d, n: x.split(n, d),
    "tensor_split": lambda t, x, d, n: x.tensor_split(n, d),
    "diff": lambda t, x, d, n: x.diff(n, d),
    "repeat_interleave": lambda t, x, d, n: x.repeat_interleave(n, d),
    "movedim": lambda t, x, d, n: x.movedim(d, n),
    "transpose": lambda t, x, d, n: x.transpose(d, n),
    "unfold": lambda t, x, d, n: x.unfold(d, n, 1),
    "cat": lambda t, x, d, n: t.cat([x, x], d),
    "stack": lambda t, x, d, n: t.stack([x, x], d),
    "kthvalue": lambda t, x, d, n: x.kthvalue(n, d).values.detach(),
    "topk": lambda t, x, d, n: x.topk(n, d).values.detach(),
    "index_select": lambda t, x, d, n: x.index_select(d, t.tensor([n, 0])),
    "index_fill": lambda t, x, d, n: x.index_fill(d, t.tensor([n, 0, n]), 1),
    "index_add": lambda t, x, d, n: x.index_add(d, t.tensor([0, 0]), t.cat([x.narrow(d, 0, 1)] * 2, d)),
    "index_copy": lambda t, x, d, n: x.index_copy(d, t.tensor([0]), x.narrow(d, 0, 1) if x.ndim else x),
    "gather": lambda t, x, d, n: x.gather(d, t.zeros_like(x, dtype=t.int64) + n),
    "scatter": lambda t, x, d, n: x.scatter(d, t.zeros_like(x, dtype=t.int64) + n, 1),
    "scatter_add": lambda t, x, d, n: x.scatter_add(d, t.zeros_like(x, dtype=t.int64) + n, x),
    "unique_consecutive": lambda t, x, d, n: t.unique_consecutive(
        x.detach(), return_inverse=True, return_counts=True, dim=d
    ),
    "unique": lambda t, x, d, n: t.unique(x.detach(), return_inverse=True, return_counts=True, dim=d),
    "diagonal": lambda t, x, d, n: x.diagonal(n, d, n),
    "diag_embed": lambda t, x, d, n: x.diag_embed(n, d),
    "flatten": lambda t, x, d, n: x.flatten(d, n),
    "select_scatter": lambda t, x, d, n: x.select_scatter(x.select(d, 0) * 2, d, n),
    "trapezoid": lambda t, x, d, n: t.trapezoid(x.float(), dx=n, dim=d),
    "cumulative_trapezoid": lambda t, x, d, n: t.cumulative_trapezoid(x.float(), dim=d),
}


# Of nothing, PyTorch takes any dimension, or says so with an error of another type.
OF_NOTHING = {
    "roll", "cat", "diff", "index_select", "index_fill", "kthvalue", "trapezoid", "cumulative_trapezoid", "unique",
    "unique_consecutive",
}  # fmt: skip


@settings(max_examples=50, deadline=None, database=None, derandomize=True)
@given(st.data())
@pytest.mark.parametrize("name", WITH_DIM)
def test_random_arrangement_equals_pytorch(name: str, data: st.DataObject) -> None:
    x, dim, n = data.draw(arrays(finite=True)), data.draw(st.integers(-3, 2)), data.draw(st.integers(-1, 3))
    if not x.size and name in (
        "roll",
        "cat",
        "diff",
        "index_select",
        "index_fill",
        "kthvalue",
        "trapezoid",
        "cumulative_trapezoid",
    ):
        return
    if (x.dtype == bool and name in ("topk", "kthvalue")) or (name == "split" and not -x.ndim <= dim < x.ndim):
        return
    _same(lambda t, y: WITH_DIM[name](t, y, dim, n), x)


single = st.one_of(
    st.integers(-3, 2),
    st.integers(-2, 1).map(np.int64),
    st.none(),
    st.just(Ellipsis),
    st.booleans(),
    st.builds(slice, st.none() | st.integers(-3, 3), st.none() | st.integers(-3, 3), st.none() | st.integers(1, 2)),
    st.lists(st.integers(-2, 1), max_size=3),
    st.lists(st.integers(-2, 1), max_size=3).map(lambda v: np.array(v, np.int64)),
    st.lists(st.booleans(), min_size=2, max_size=3).map(np.array),
)


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(arrays(finite=True), st.one_of(single, st.lists(single, max_size=3).map(tuple)), st.booleans())
def test_random_index_equals_pytorch(x: np.ndarray, index: Any, put: bool) -> None:
    def program(t: Any, y: Any) -> Any:
        if not put:
            return y[index]
        y = y.clone()
        y[index] = 1
        return y

    _same(program, x)
