"""Many numbers to fewer, and in order: values, gradients and types as PyTorch's, over any dimensions."""

# ruff: noqa: ARG001, ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.compare import Program, agree, agree_with_differences, numbers

OVER_DIMS: dict[str, Program] = {
    "sum": lambda t, x, **k: x.sum(**k),
    "mean": lambda t, x, **k: t.mean(x, **k),
    "var": lambda t, x, **k: x.var(**k),
    "var biased": lambda t, x, **k: x.var(unbiased=False, **k),
    "std": lambda t, x, **k: t.std(x, **k),
    "std correction": lambda t, x, **k: x.std(correction=0, **k),
    "amax": lambda t, x, **k: x.amax(**k),
    "amin": lambda t, x, **k: t.amin(x, **k),
    "norm": lambda t, x, **k: x.norm(**k),
    "all": lambda t, x, **k: (x > -1).all(**k),
    "any": lambda t, x, **k: t.any(x > 1.5, **k),
    "nansum": lambda t, x, **k: x.nansum(**k),
    "nanmean": lambda t, x, **k: x.nanmean(**k),
    "var_mean": lambda t, x, **k: t.var_mean(x, **k),
    "std_mean": lambda t, x, **k: t.std_mean(x, **k),
}

DIMS: list[dict[str, object]] = [
    {},
    {"dim": 0},
    {"dim": 1},
    {"dim": -1},
    {"dim": (0, 1)},
    {"dim": (0, -1), "keepdim": True},
    {"dim": 1, "keepdim": True},
    {"dim": 5},
    {"dim": (0, 0)},
]


@pytest.mark.parametrize("options", DIMS, ids=str)
@pytest.mark.parametrize("name", OVER_DIMS)
def test_reduction_over_dims_equals_pytorch(name: str, options: dict[str, object]) -> None:
    if "keepdim" not in options or name not in ("norm",) or "dim" in options:
        agree(lambda t, x: OVER_DIMS[name](t, x, **options), numbers(2, 3, 4))


@pytest.mark.parametrize("shape", [(), (1,), (5,), (3, 0), (0,)], ids=str)
@pytest.mark.parametrize("name", [n for n in OVER_DIMS if n not in ("amax", "amin")])
def test_reduction_of_any_shape_equals_pytorch(name: str, shape: tuple[int, ...]) -> None:
    agree(OVER_DIMS[name], numbers(*shape))


OVER_ONE: dict[str, Program] = {
    "prod": lambda t, x, d: x.prod(d),
    "prod keepdim": lambda t, x, d: x.prod(d, keepdim=True),
    "logsumexp": lambda t, x, d: x.logsumexp(d),
    "logsumexp keepdim": lambda t, x, d: t.logsumexp(x, d, keepdim=True),
    "softmax": lambda t, x, d: x.softmax(d),
    "F.softmax": lambda t, x, d: t.nn.functional.softmax(x, dim=d),
    "log_softmax": lambda t, x, d: t.log_softmax(x, d),
    "cumsum": lambda t, x, d: x.cumsum(d),
    "cumprod": lambda t, x, d: t.cumprod(x, dim=d),
    "logcumsumexp": lambda t, x, d: t.logcumsumexp(x, d),
    "max": lambda t, x, d: x.max(d),
    "max keepdim": lambda t, x, d: x.max(d, keepdim=True),
    "min": lambda t, x, d: t.min(x, d),
    "max values": lambda t, x, d: x.max(dim=d).values,
    "argmax": lambda t, x, d: x.argmax(d),
    "argmax keepdim": lambda t, x, d: t.argmax(x, dim=d, keepdim=True),
    "argmin": lambda t, x, d: x.argmin(d),
    "sort": lambda t, x, d: x.sort(d),
    "sort descending": lambda t, x, d: t.sort(x, d, descending=True),
    "argsort": lambda t, x, d: x.argsort(d),
    "argsort descending": lambda t, x, d: x.argsort(dim=d, descending=True),
    "topk": lambda t, x, d: x.topk(2, d),
    "topk smallest": lambda t, x, d: t.topk(x, 2, dim=d, largest=False),
    "kthvalue": lambda t, x, d: x.kthvalue(2, d),
    "median": lambda t, x, d: x.median(d),
    "quantile": lambda t, x, d: x.quantile(0.3, d),
    "quantiles": lambda t, x, d: t.quantile(x, t.tensor([0.1, 0.5, 1.0], dtype=x.dtype), dim=d),
    "cummax": lambda t, x, d: x.cummax(d),
    "cummin": lambda t, x, d: t.cummin(x, d),
    "norm 1": lambda t, x, d: x.norm(1, d),
    "norm 3": lambda t, x, d: x.norm(3, dim=d),
    "norm inf": lambda t, x, d: x.norm(float("inf"), dim=d),
    "norm 0": lambda t, x, d: x.norm(0, dim=d),
    "diff": lambda t, x, d: t.diff(x, dim=d),
    "unbind": lambda t, x, d: x.unbind(d),
    "sum axis": lambda t, x, d: x.sum(axis=d, keepdims=True),
    "mean keepdims": lambda t, x, d: x.mean(d, keepdims=True),
    "count_nonzero": lambda t, x, d: (x > 0).count_nonzero(d),
    "mode": lambda t, x, d: x.round().mode(d).values,
    "sum as float32": lambda t, x, d: x.sum(d, dtype=t.float32),
}


@pytest.mark.parametrize("dim", [0, 1, -1, 3])
@pytest.mark.parametrize("name", OVER_ONE)
def test_reduction_along_one_dim_equals_pytorch(name: str, dim: int) -> None:
    agree(lambda t, x: OVER_ONE[name](t, x, dim), numbers(3, 4, 3), layouts=["T"])


@pytest.mark.parametrize(
    "name", [n for n in OVER_ONE if n not in ("unbind", "diff", "topk", "topk smallest", "kthvalue", "cumprod")]
)
def test_reduction_of_a_number_equals_pytorch(name: str) -> None:
    agree(lambda t, x: OVER_ONE[name](t, x, 0), numbers())


SMOOTH = [
    "prod",
    "logsumexp",
    "softmax",
    "log_softmax",
    "cumsum",
    "cumprod",
    "logcumsumexp",
    "max",
    "topk",
    "norm 3",
    "norm 1",
    "quantile",
    "sort",
    "median",
]


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient_of_reduction_is_its_slope(name: str) -> None:
    agree_with_differences(lambda t, x: OVER_ONE[name](t, x, 1), numbers(2, 4, seed=5))


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "amax", "norm", "std_mean"])
def test_gradient_of_reduction_over_dims_is_its_slope(name: str) -> None:
    agree_with_differences(lambda t, x: OVER_DIMS[name](t, x, dim=(0, 2)), numbers(2, 2, 3, seed=5))


WHOLE: dict[str, Program] = {
    "max": lambda t, x: x.max(),
    "min": lambda t, x: t.min(x),
    "prod": lambda t, x: x.prod(),
    "argmax": lambda t, x: x.argmax(),
    "median": lambda t, x: x.median(),
    "std of all": lambda t, x: t.std(x),
    "var False": lambda t, x: x.var(False),
    "aminmax": lambda t, x: t.aminmax(x),
    "trace": lambda t, x: x.trace(),
    "unique": lambda t, x: t.unique((x * 2).round().detach()),
    "unique with all": lambda t, x: (x * 2).round().detach().unique(return_inverse=True, return_counts=True),
    "unique_consecutive": lambda t, x: t.tensor([1, 1, 2, 2, 1]).unique_consecutive(return_counts=True),
    "bincount": lambda t, x: t.bincount(t.tensor([0, 1, 1, 5])),
    "bincount weights": lambda t, x: t.bincount(t.tensor([0, 1, 1]), t.tensor([0.5, 1.0, 2.0]), minlength=5),
    "histc": lambda t, x: t.histc(x.detach(), bins=4, min=-1, max=1),
    "histogram": lambda t, x: t.histogram(x.detach(), 5),
    "histogram density": lambda t, x: t.histogram(x.detach(), 5, range=(-2.0, 2.0), density=True),
    "searchsorted": lambda t, x: t.searchsorted(t.tensor([-1.0, 0.0, 1.0]), x.float().detach()),
    "bucketize right": lambda t, x: t.bucketize(x.detach(), t.tensor([-1.0, 0.0, 1.0]).double(), right=True),
    "dist": lambda t, x: t.dist(x, x * 2),
    "isin": lambda t, x: t.isin(t.tensor([1, 2, 3]), t.tensor([2, 5])),
    "equal": lambda t, x: t.equal(x, x.clone()),
    "equal shapes": lambda t, x: t.equal(x, x[0]),
    "allclose": lambda t, x: t.allclose(x, x + 1e-9),
    "sum of ints": lambda t, x: t.tensor([1, 2, 3], dtype=t.int32).sum(),
    "sum of bools": lambda t, x: (x > 0).sum(),
    "prod of ints": lambda t, x: t.tensor([1, 2, 3], dtype=t.uint8).prod(),
    "cumsum of bools": lambda t, x: (x > 0).cumsum(0),
    "mean of ints": lambda t, x: t.tensor([1, 2]).mean(),
    "mean of ints as floats": lambda t, x: t.tensor([1, 2]).mean(dtype=t.float32),
    "std of ints": lambda t, x: t.tensor([1, 2]).std(),
    "softmax of ints": lambda t, x: t.tensor([1, 2]).softmax(0),
    "norm of ints": lambda t, x: t.tensor([1, 2]).norm(),
    "max of ints": lambda t, x: t.tensor([[3, 1], [2, 9]]).max(1),
    "max of nothing": lambda t, x: x[:0].max(),
    "max of nothing along": lambda t, x: x[:0].max(0),
    "argmax of nothing": lambda t, x: x[:0].argmax(),
    "amax of nothing": lambda t, x: x[:0].amax(0),
    "sum of nothing": lambda t, x: x[:0].sum(0),
    "mean of nothing": lambda t, x: x[:0].mean(0),
    "prod of nothing": lambda t, x: x[:0].prod(),
    "topk too many": lambda t, x: x.topk(9),
    "argmax of equals": lambda t, x: t.tensor([1.0, 3.0, 3.0]).argmax(),
    "max of equals": lambda t, x: (x * 0).max(1),
    "max with nan": lambda t, x: (x * float("nan")).max(1).values,
    "max of equals, all": lambda t, x: (x * 0).max(),
    "sort of equals is stable": lambda t, x: t.tensor([1, 0, 1, 0]).sort(stable=True),
    "sort of equals descending": lambda t, x: t.tensor([1, 0, 1, 0]).sort(stable=True, descending=True),
    "nonzero": lambda t, x: (x > 0).nonzero(),
    "nonzero as tuple": lambda t, x: t.nonzero(x > 0, as_tuple=True),
    "where alone": lambda t, x: t.where(x > 0),
    "max unpacks": lambda t, x: [part.sum() for part in x.max(1)],
    "max by index": lambda t, x: x.max(1)[1],
    "trapezoid": lambda t, x: t.trapezoid(x),
    "cumsum dtype": lambda t, x: x.cumsum(0, dtype=t.float32),
    "sum wrong keyword": lambda t, x: x.sum(wrong=1),
    "norm of all": lambda t, x: t.norm(x),
    "fro": lambda t, x: x.norm("fro"),
    "cov": lambda t, x: t.cov(x),
    "corrcoef": lambda t, x: t.corrcoef(x),
    "nanmedian": lambda t, x: t.where(x > 1, float("nan"), x).nanmedian(),
    "sum_to_size": lambda t, x: x.sum_to_size(1, 4),
    "diagflat": lambda t, x: t.diagflat(x[0]),
    "var of one": lambda t, x: x[0, :1].var(),
}


@pytest.mark.parametrize("name", WHOLE)
def test_reduction_to_one_answer_equals_pytorch(name: str) -> None:
    agree(WHOLE[name], numbers(4, 4, seed=11))


@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "cumsum", "argmax", "all", "sort", "unique"])
def test_reduction_has_pytorchs_type(name: str, kind: str) -> None:
    def program(t: object, x: object) -> object:
        return getattr(x, name)(0) if name in ("cumsum", "sort") else getattr(x, name)()

    agree(program, np.array([3, 0, 1]).astype(kind), gradients=False)
