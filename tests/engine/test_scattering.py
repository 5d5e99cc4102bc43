"""Writing by position: scatter_reduce, index_add and their relatives, with gradients, over odd shapes and types."""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.compare import Program, agree, agree_with_differences, numbers

REDUCE = ["sum", "prod", "mean", "amax", "amin"]
SRC = numbers(4, 3, seed=1)
TIED = np.array([[1.0, 0, 2], [1, 0, 2], [0, 0, 2], [1, 3, 2]])
WHERE = np.array([[0, 1, 1], [0, 1, 0], [0, 0, 0], [2, 1, 0]])


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", REDUCE)
@pytest.mark.parametrize("src", [SRC, TIED, TIED.astype(np.int64), TIED > 0], ids=["float", "ties", "int", "bool"])
def test_scatter_reduce_equals_pytorch(reduce: str, include_self: bool, src: np.ndarray) -> None:
    x = TIED[:3].astype(src.dtype)
    agree(
        lambda t, x, s: x.scatter_reduce(0, t.tensor(WHERE), s, reduce, include_self=include_self), x, src, names=False
    )


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", REDUCE)
def test_scatter_reduce_has_the_slopes_of_its_values(reduce: str, include_self: bool) -> None:
    agree_with_differences(
        lambda t, x, s: x.scatter_reduce(0, t.tensor(WHERE), s, reduce, include_self=include_self),
        numbers(3, 3),
        SRC.copy(),
    )


@pytest.mark.parametrize("reduce", REDUCE[1:])
@pytest.mark.parametrize("include_self", [True, False])
def test_index_reduce_equals_pytorch(reduce: str, include_self: bool) -> None:
    def program(t: object, x: object, s: object) -> object:
        where = t.tensor([0, 2, 0])  # type: ignore[attr-defined]
        return x.index_reduce(1, where, s, reduce, include_self=include_self)  # type: ignore[attr-defined]

    agree(program, numbers(2, 4), numbers(2, 3, seed=3))


WRITING: dict[str, Program] = {
    "index_fill twice": lambda t, x, v: x.index_fill(1, t.tensor([2, 1, 4, 2, 2]), v),
    "index_fill 0-d": lambda t, x, v: v.index_fill(0, t.tensor([0]), 3.0),
    "index_fill negative": lambda t, x, v: x.index_fill(0, t.tensor([-1]), 3.0),
    "index_fill too large": lambda t, x, v: x.index_fill(0, t.tensor([5]), 3.0),
    "index_fill int32": lambda t, x, v: x.index_fill(0, t.tensor([0], dtype=t.int32), 3.0),
    "index_fill matrix": lambda t, x, v: x.index_fill(0, t.tensor([[0]]), 3.0),
    "index_fill of many": lambda t, x, v: x.index_fill(0, t.tensor([0]), x[0]),
    "index_add 0-d": lambda t, x, v: v.index_add(0, t.tensor([0]), v, alpha=-1),
    "index_add twice": lambda t, x, v: x.index_add(1, t.tensor([1, 1]), x[:, :2], alpha=0.5),
    "index_add shape": lambda t, x, v: x.index_add(0, t.tensor([0, 1]), x[0, :2]),
    "index_add too many": lambda t, x, v: x.index_add(0, t.tensor([0, 1]), x[:1]),
    "index_add type": lambda t, x, v: x.index_add(0, t.tensor([0]), x[:1].float()),
    "index_add outside": lambda t, x, v: x.index_add(0, t.tensor([9]), x[:1]),
    "index_add float alpha": lambda t, x, v: x.long().index_add(0, t.tensor([0]), x[:1].long(), alpha=0.5),
    "index_copy 0-d": lambda t, x, v: v.index_copy(0, t.tensor([0]), v * 2),
    "index_copy shape": lambda t, x, v: x.index_copy(0, t.tensor([0]), x[0]),
    "index_copy too many": lambda t, x, v: x.index_copy(0, t.tensor([0, 1]), x[:1]),
    "index_copy outside": lambda t, x, v: x.index_copy(0, t.tensor([-1]), x[:1]),
    "index_reduce outside": lambda t, x, v: x.index_reduce(0, t.tensor([9]), x[:1], "prod"),
    "index_reduce sum": lambda t, x, v: x.index_reduce(0, t.tensor([0]), x[:1], "sum"),
    "index_put None": lambda t, x, v: x.index_put((t.tensor([0, 1]), None), v * 2),
    "index_put type": lambda t, x, v: x.index_put((t.tensor([0, 1]),), v.float()),
    "index_put accumulate": lambda t, x, v: x.index_put((t.tensor([1, -1, 1]),), x[0], accumulate=True),
    "put": lambda t, x, v: x.put(t.tensor([0, -1, 6]), x[0, :3]),
    "put accumulate": lambda t, x, v: x.put(t.tensor([3, 3]), x[0, :2], accumulate=True),
    "put outside": lambda t, x, v: x.put(t.tensor([99]), v.reshape(1)),
    "take": lambda t, x, v: (x.take(t.tensor([[0, -1], [3, 3]])), v.take(t.tensor(0))),
    "take outside": lambda t, x, v: x.take(t.tensor([99])),
    "take of int32": lambda t, x, v: x.take(t.tensor([0], dtype=t.int32)),
    "gather 0-d": lambda t, x, v: (v.gather(0, t.tensor([0])), x[0].gather(0, t.tensor(2)), v.gather(0, t.tensor(0))),
    "gather nothing": lambda t, x, v: x.gather(0, t.tensor([], dtype=t.uint8)),
    "index_select 0-d": lambda t, x, v: (v.index_select(0, t.tensor([0])), x.index_select(1, t.tensor(1))),
    "scatter 0-d": lambda t, x, v: (v.scatter(0, t.tensor(0), v * 2), v.scatter_add(0, t.tensor([0]), v.reshape(1))),
    "scatter nothing": lambda t, x, v: x.scatter(0, t.tensor([], dtype=t.int64), v),
    "scatter without src": lambda t, x, v: x.scatter(0, t.tensor([[0, 1]])),
    "scatter outside": lambda t, x, v: x.scatter(0, t.tensor([[9]]), x),
    "masked_scatter bytes": lambda t, x, v: x.masked_scatter(t.ones(3, 5, dtype=t.uint8), x),
    "masked_scatter wide": lambda t, x, v: x[0].masked_scatter(x > 0, x * 2),
    "masked_scatter short": lambda t, x, v: x.masked_scatter(x > -9, v.reshape(1)),
    "take_along_dim": lambda t, x, v: x.take_along_dim(t.tensor([[-1], [0], [-5]]), 1),
    "take_along_dim wide": lambda t, x, v: x.take_along_dim(t.tensor([[-1, 0]]), 1),
    "unravel_index": lambda t, x, v: t.unravel_index(t.tensor([[7, 0], [14, 3]]), (3, 5)),
    "nonzero_static": lambda t, x, v: (t.nonzero_static(x > 1, size=9), t.nonzero_static(x > -9, size=2)),
}


@pytest.mark.parametrize("name", WRITING)
def test_writing_by_position_equals_pytorch(name: str) -> None:
    agree(WRITING[name], numbers(3, 5), np.array(0.7))


EXPANDED: dict[str, Program] = {
    "add_": lambda t, x: x.add_(1),
    "copy_": lambda t, x: x.copy_(x * 2),
    "put in place": lambda t, x: x.__setitem__(0, 1.0),
    "fill_": lambda t, x: x.fill_(3.0),
    "zero_": lambda t, x: x.zero_(),
    "index_put_": lambda t, x: x.index_put_((t.tensor([0]),), t.tensor(2.0).double()),
    "masked_fill_": lambda t, x: x.masked_fill_(t.tensor([True, False, False]), 4.0),
    "scatter_": lambda t, x: x.scatter_(0, t.tensor([[0, 0, 0]]), 2.0),
    "index_add_": lambda t, x: x.index_add_(0, t.tensor([0]), t.ones(1, 3).double()),
    "exp_": lambda t, x: x.exp_(),
    "clamp_": lambda t, x: x.clamp_(0, 1),
    "cumsum_": lambda t, x: x.cumsum_(0),
}


@pytest.mark.parametrize("name", EXPANDED)
def test_writing_into_an_expanded_tensor_equals_pytorch(name: str) -> None:
    def program(t: object, x: object) -> object:
        wide = x.expand(2, 3)  # type: ignore[attr-defined]
        EXPANDED[name](t, wide)
        return wide

    agree(program, numbers(2, 1), gradients=False)
