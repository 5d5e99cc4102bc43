"""Reading and writing `x[...]`: every kind of index, its values, gradients, views and errors as PyTorch's."""

# ruff: noqa: ARG001, ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch as pytorch

from gradus import engine as torch
from tests.engine.compare import Program, agree, agree_with_differences, numbers

X = numbers(4, 5, 3)

INDICES: dict[str, Program] = {  # torch, -> an index
    "int": lambda t: 1,
    "negative int": lambda t: -1,
    "int too large": lambda t: 4,
    "int, int": lambda t: (1, 2),
    "int, int, int": lambda t: (1, -2, 0),
    "too many": lambda t: (1, 2, 0, 0),
    "slice": lambda t: slice(1, 3),
    "slice step": lambda t: slice(None, None, 2),
    "slice beyond": lambda t: slice(2, 100),
    "slice empty": lambda t: slice(3, 1),
    "slice negative": lambda t: slice(-2, None),
    "slice backwards": lambda t: slice(None, None, -1),
    "slice of tensors": lambda t: slice(t.tensor(1), t.tensor(3)),
    "slice, int": lambda t: (slice(None), 1),
    "int, slice": lambda t: (1, slice(1, 4)),
    "slice, int, slice": lambda t: (slice(None), -1, slice(None)),
    "three slices": lambda t: (slice(1, 3), slice(0, 2), slice(None, None, 2)),
    "ellipsis": lambda t: ...,
    "ellipsis, int": lambda t: (..., 0),
    "int, ellipsis": lambda t: (0, ...),
    "int, ellipsis, int": lambda t: (0, ..., 1),
    "None": lambda t: None,
    "None, ellipsis": lambda t: (None, ...),
    "slice, None": lambda t: (slice(None), None),
    "slice, None, int": lambda t: (slice(None), None, 1),
    "None at the end": lambda t: (..., None),
    "list in tuple": lambda t: (slice(None), [-1], slice(None)),
    "last as list": lambda t: (slice(None), [-1]),
    "list": lambda t: [0, 2],
    "list of list": lambda t: [[1]],
    "list of lists": lambda t: [[0, 1], [2, 3]],
    "empty list": lambda t: [],
    "range": lambda t: range(3),
    "0-d tensor": lambda t: t.tensor(2),
    "1-d tensor": lambda t: t.tensor([0, 2, 2]),
    "2-d tensor": lambda t: t.tensor([[0, 1], [3, 3]]),
    "negative tensor": lambda t: t.tensor([-1, -4]),
    "int32 tensor": lambda t: t.tensor([1, 2], dtype=t.int32),
    "tensor too large": lambda t: t.tensor([0, 4]),
    "float tensor": lambda t: t.tensor([0.0, 1.0]),
    "tensor, tensor": lambda t: (t.tensor([0, 1, 1]), t.tensor([4, 0, 0])),
    "tensor, tensor broadcast": lambda t: (t.tensor([[0], [1]]), t.tensor([2, 3])),
    "tensors that do not broadcast": lambda t: (t.tensor([0, 1]), t.tensor([0, 1, 2])),
    "range, tensor": lambda t: (range(4), t.tensor([0, 1, 2, 1])),
    "list, tensor": lambda t: ([0, 1], t.tensor([2, 2])),
    "tensor, slice": lambda t: (t.tensor([1, 1]), slice(1, 3)),
    "slice, tensor": lambda t: (slice(1, 3), t.tensor([0, 0, 4])),
    "slice, tensor, tensor": lambda t: (slice(None), t.tensor([0, 1]), t.tensor([2, 0])),
    "tensor, slice, tensor": lambda t: (t.tensor([0, 1]), slice(None), t.tensor([2, 0])),
    "int, tensor": lambda t: (1, t.tensor([0, 3])),
    "tensor, int": lambda t: (t.tensor([0, 3]), 1),
    "int, slice, tensor": lambda t: (1, slice(None), t.tensor([0, 2])),
    "tensor, int at the end": lambda t: (t.tensor([0, 3]), slice(None), 1),
    "tensor, None": lambda t: (t.tensor([0, 1]), None),
    "ellipsis, tensor": lambda t: (..., t.tensor([0, 2])),
    "bool mask 1-d": lambda t: t.tensor([True, False, True, False]),
    "bool mask whole": lambda t: t.from_numpy(X > 0),
    "bool mask 2-d": lambda t: t.from_numpy(X[..., 0] > 0),
    "bool mask none": lambda t: t.zeros(4, dtype=t.bool),
    "bool mask later": lambda t: (slice(None), t.tensor([True, False, True, True, False])),
    "bool mask and int": lambda t: (t.tensor([True, False, True, False]), 1),
    "bool mask wrong": lambda t: t.tensor([True, False]),
    "bool list": lambda t: [True, False, False, True],
    "uint8 mask": lambda t: t.tensor([1, 0, 1, 0], dtype=t.uint8),
    "True": lambda t: True,
    "False": lambda t: False,
    "numpy int": lambda t: np.int64(1),
    "numpy array": lambda t: np.array([0, 2]),
    "str": lambda t: "a",
    "float": lambda t: 1.0,
    "tuple of tuple": lambda t: (slice(None), (0, 1)),
    "float in tuple": lambda t: (0, 1.5),
}


@pytest.mark.parametrize("layout", ["C", "T"])
@pytest.mark.parametrize("name", INDICES)
def test_reading_equals_pytorch(name: str, layout: str) -> None:
    agree(lambda t, x: x[INDICES[name](t)], X, layouts=[layout])


SAFE = [n for n in INDICES if n not in ("uint8 mask",)]


@pytest.mark.parametrize("value", ["number", "0-d", "row", "graph"])
@pytest.mark.parametrize("name", SAFE)
def test_writing_equals_pytorch(name: str, value: str) -> None:
    def program(t: Any, x: Any, v: Any) -> Any:
        y = x * 2
        index = INDICES[name](t)
        y[index] = {"number": 7, "0-d": v[0].detach(), "row": v.detach(), "graph": v}[value]
        return y * 3, y

    agree(program, X, numbers(3, seed=4))


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in SAFE
        if n
        not in (
            "tensor, tensor",
            "1-d tensor",
            "2-d tensor",
            "list of lists",
            "slice, tensor",
            "tensor, slice",
            "list, tensor",
        )
    ],
)
def test_adding_in_place_equals_pytorch(name: str) -> None:
    def program(t: Any, x: Any) -> Any:
        y = x * 2
        y[INDICES[name](t)] += 10
        return y

    agree(program, X)


@pytest.mark.parametrize(
    "name",
    [
        "int",
        "slice, int",
        "1-d tensor",
        "tensor, tensor broadcast",
        "bool mask 2-d",
        "slice, tensor, tensor",
        "range, tensor",
        "int, slice, tensor",
        "None, ellipsis",
    ],
)
def test_gradient_of_reading_is_its_slope(name: str) -> None:
    agree_with_differences(lambda t, x: x[INDICES[name](t)] ** 2, numbers(4, 5, 3))


SELECTING: dict[str, Program] = {
    "embedding by index": lambda t, x: x[t.tensor([[0, 1, 1], [3, 3, 0]])].sum(0),
    "number at": lambda t, x: x[1, 2, 0] * x[1, 2, 0],
    "index_select": lambda t, x: x.index_select(1, t.tensor([0, 0, 4])),
    "index_select wrong": lambda t, x: t.index_select(x, 1, t.tensor([5])),
    "masked_select": lambda t, x: x.masked_select(x > 0),
    "masked_select broadcast": lambda t, x: t.masked_select(x, x[0] > 0),
    "take": lambda t, x: x.take(t.tensor([0, 10, 10, 59])),
    "gather": lambda t, x: x.gather(1, t.tensor([[[0, 1, 2], [3, 4, 0]]])),
    "gather last": lambda t, x: t.gather(x, -1, t.zeros(4, 5, 1, dtype=t.long)),
    "gather repeated": lambda t, x: x.gather(2, t.ones(4, 5, 6, dtype=t.long)),
    "gather float index": lambda t, x: x.gather(1, x),
    "gather out of range": lambda t, x: x.gather(1, t.full((1, 1, 1), 5)),
    "gather ranks": lambda t, x: x.gather(1, t.tensor([0])),
    "take_along_dim": lambda t, x: t.take_along_dim(x, x.argmax(1, keepdim=True), 1),
    "scatter": lambda t, x: t.zeros(4, 5, 3, dtype=x.dtype).scatter(
        1, t.tensor([[[0, 1, 2]], [[3, 4, 0]], [[0, 0, 0]], [[1, 1, 1]]]), x[:, :1]
    ),
    "scatter number": lambda t, x: x.scatter(2, t.zeros(4, 5, 1, dtype=t.long), -1.0),
    "scatter_": lambda t, x: t.zeros(4, 3).scatter_(1, t.tensor([[0], [2], [1], [1]]), 1),
    "scatter_ of src": lambda t, x: (x * 1).scatter_(0, t.tensor([[[0, 1, 2]]]), x[:1, :1] * 5),
    "scatter_add": lambda t, x: t.zeros(2, 5, 3, dtype=x.dtype).scatter_add(
        0, t.tensor([0, 1, 0, 1])[:, None, None].expand(4, 5, 3), x
    ),
    "scatter_add_": lambda t, x: t.zeros(6, dtype=x.dtype).scatter_add_(0, t.tensor([1, 1, 3]), x[0, 0]),
    "scatter_add types": lambda t, x: t.zeros(6).scatter_add_(0, t.tensor([1, 1, 3]), x[0, 0]),
    "scatter_reduce amax": lambda t, x: t.zeros(3).scatter_reduce(
        0, t.tensor([0, 0, 2]), t.tensor([1.0, 5.0, -2.0]), "amax"
    ),
    "scatter_reduce mean": lambda t, x: t.ones(3).scatter_reduce(
        0, t.tensor([0, 0, 2]), t.tensor([1.0, 5.0, -2.0]), "mean", include_self=False
    ),
    "index_add": lambda t, x: x.index_add(0, t.tensor([0, 0, 3]), x[:3]),
    "index_add_ alpha": lambda t, x: (x * 1).index_add_(1, t.tensor([4]), x[:, :1], alpha=2),
    "index_copy": lambda t, x: x.index_copy(0, t.tensor([2, 1]), x[:2]),
    "index_fill": lambda t, x: x.index_fill(1, t.tensor([0, 2]), 9.0),
    "index_put": lambda t, x: x.index_put((t.tensor([0, 1]), t.tensor([2, 2])), x[2, :2]),
    "index_put accumulate": lambda t, x: (x * 1).index_put_((t.tensor([0, 0]),), x[1:3], accumulate=True),
    "masked_scatter": lambda t, x: x.masked_scatter(x > 0, x * 10),
    "masked_fill lower rank": lambda t, x: x.masked_fill(x[0] > 0, float("-inf")),
    "masked_fill int mask": lambda t, x: x.masked_fill(t.ones(3, dtype=t.long), 0.0),
    "masked_fill wrong shape": lambda t, x: x.masked_fill(t.ones(2, dtype=t.bool), 0.0),
    "masked_fill by tensor": lambda t, x: x.masked_fill(x > 0, x.sum()),
    "masked_fill_": lambda t, x: (x * 1).masked_fill_(x > 0, 0.5),
    "argwhere": lambda t, x: t.argwhere(x > 1),
    "one_hot": lambda t, x: t.nn.functional.one_hot(t.tensor([[0, 2], [1, 1]]), 4),
    "embedding": lambda t, x: t.nn.functional.embedding(t.tensor([[0, 2], [2, 1]]), x[0]),
    "embedding out of range": lambda t, x: t.nn.functional.embedding(t.tensor([5]), x[0]),
    "embedding float": lambda t, x: t.nn.functional.embedding(t.tensor([1.0]), x[0]),
    "count N": lambda t, x: _counts(t),
    "rows of one-hot": lambda t, x: _dlogits(t, x),
    "a row given to a 0-d index": lambda t, x: _row(t, x),
    "write wrong shape": lambda t, x: _put(t, (x * 1), 0, t.ones(4)),
    "write wrong rank": lambda t, x: _put(t, (x * 1), (0, 0, 0), t.ones(2)),
    "write one number as (1,)": lambda t, x: _put(t, (x * 1), (0, 0, 0), t.ones(1).double()),
    "write float into ints": lambda t, x: _put(t, t.zeros(3, dtype=t.long), 0, 2.7),
    "write float32 into float64": lambda t, x: _put(t, (x * 1), 0, t.ones(3)),
    "write float32 by tensor": lambda t, x: _put(t, (x * 1), t.tensor([0]), t.ones(3)),
    "write list": lambda t, x: _put(t, (x * 1), (0, 0), [1.0, 2.0, 3.0]),
    "write numpy": lambda t, x: _put(t, (x * 1), (0, 0), np.ones(3)),
    "write to a leaf": lambda t, x: _put(t, x, 0, 1.0),
    "write masked -inf": lambda t, x: _put(t, (x * 1), x < 0.5, float("-inf")).softmax(-1),
    "write into itself": lambda t, x: _put(t, x.clone(), 0, x[1] * 2),
    "overlapping copy": lambda t, x: _shift(t, x),
}


def _put(t: Any, x: Any, index: Any, value: Any) -> Any:
    x[index] = value
    return x


def _shift(t: Any, x: Any) -> Any:
    y = x.clone()
    y[1:] = y[:-1].clone()
    return y


def _counts(t: Any) -> Any:
    N = t.zeros((3, 3), dtype=t.int32)
    for i, j in [(0, 1), (0, 1), (2, 2)]:
        N[i, j] += 1
    P = (N + 1).float()
    P /= P.sum(1, keepdims=True)
    return N, P


def _dlogits(t: Any, x: Any) -> Any:
    y = t.tensor([0, 2, 1, 1])
    d = t.zeros(4, 5, dtype=x.dtype)
    d[range(4), y] = -1.0 / 4
    d[range(4), y] -= x[:, 0, 0]
    return d


def _row(t: Any, x: Any) -> Any:
    dC = t.zeros(5, 3, dtype=x.dtype)
    for k in t.tensor([1, 1, 4]):
        dC[k] += x[0, k]
    return dC


@pytest.mark.parametrize("name", SELECTING)
def test_selecting_equals_pytorch(name: str) -> None:
    agree(SELECTING[name], X)


SLOPES = [
    "index_select",
    "take",
    "gather",
    "gather repeated",
    "scatter",
    "scatter_add",
    "index_add",
    "index_put",
    "masked_fill by tensor",
    "embedding",
    "rows of one-hot",
    "a row given to a 0-d index",
]


@pytest.mark.parametrize("name", SLOPES)
def test_gradient_of_selecting_is_its_slope(name: str) -> None:
    agree_with_differences(SELECTING[name], numbers(4, 5, 3))


WRITES: dict[str, Any] = {
    "add to a row": lambda t, x: x.__setitem__(1, x[1].__iadd__(x[2])),
    "subtract a row": lambda t, x: x.__setitem__(1, x[1].__isub__(x[2])),
    "count": lambda t, x: x.__setitem__((1, 2), x[1, 2].__iadd__(1)),
    "a number": lambda t, x: x.__setitem__((slice(0, 2), 1), 7),
    "a row, from elsewhere": lambda t, x: x.__setitem__(0, t.arange(4, dtype=x.dtype)),
    "a row, by positions": lambda t, x: x.__setitem__(t.tensor([2, 0, 2]), t.arange(4, dtype=x.dtype)),
    "a number, by positions": lambda t, x: x.__setitem__(t.tensor([[2], [-3]]), 5),
    "leading sizes of 1": lambda t, x: x.__setitem__(0, t.ones(1, 1, 4, dtype=x.dtype)),
    "a row onto another": lambda t, x: x.__setitem__(0, x[2]),
    "all": lambda t, x: x.__setitem__(slice(None), 3),
    "a column": lambda t, x: x[:, 1].__iadd__(2),
    "wrapping around": lambda t, x: x[0].__imul__(2**30),
}
NO_WRITES: dict[str, Any] = {
    "a shape that does not fit": lambda t, x: x.__setitem__(0, t.ones(3, dtype=x.dtype)),
    "a row too far": lambda t, x: x.__setitem__(3, 1),
    "a position too far": lambda t, x: x.__setitem__(t.tensor([3]), 1),
    "too many indices": lambda t, x: x.__setitem__((0, 0, 0), 1),
    "a shifted part of itself": lambda t, x: x.view(-1).__setitem__(slice(1, 5), x.view(-1)[0:4]),
    "backwards": lambda t, x: x.__setitem__(slice(None, None, -1), 1),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("name", WRITES)
def test_writing_outside_a_graph_equals_pytorchs_and_is_counted(name: str, dtype: str) -> None:
    ours, theirs = (t.arange(12).reshape(3, 4).to(getattr(t, dtype)) for t in (torch, pytorch))
    before = ours._version
    WRITES[name](torch, ours)
    WRITES[name](pytorch, theirs)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    assert ours._version > before


@pytest.mark.parametrize("name", NO_WRITES)
def test_what_cannot_be_written_is_refused_as_by_pytorch(name: str) -> None:
    ours, theirs = (t.arange(12.0).reshape(3, 4) for t in (torch, pytorch))
    with pytest.raises((IndexError, RuntimeError, ValueError)) as expected:
        NO_WRITES[name](pytorch, theirs)
    with pytest.raises(expected.type):
        NO_WRITES[name](torch, ours)
    np.testing.assert_array_equal(ours.numpy(), np.arange(12.0).reshape(3, 4))


def test_a_change_by_a_row_is_noticed_by_backward() -> None:
    x = torch.ones(3, 4)
    w = torch.ones(3, 4, requires_grad=True)
    y = (w * x).sum()
    x[1] += torch.ones(4)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_rows_of_a_leaf_are_not_written() -> None:
    w = torch.ones(3, 4, requires_grad=True)
    for write in (lambda: w.__setitem__(0, 1.0), lambda: w[0].__iadd__(1.0), lambda: w.__setitem__(0, torch.ones(4))):
        with pytest.raises(RuntimeError, match="leaf"):
            write()
    with torch.no_grad():
        w[0] = 5.0
        w[1] += 1.0
    assert w.detach().sum().item() == 5 * 4 + 2 * 4 + 4
