"""What users of the engine reported as wrong, one row each: values, types, gradients and errors are PyTorch's."""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradus.engine as engine
from tests.engine.compare import Array, Program, agree, numbers

NAN, INF = float("nan"), float("inf")
F32, F64, F16, I64, I32 = np.float32, np.float64, np.float16, np.int64, np.int32


def row(program: Program, *values: Any, dtype: Any = F32) -> tuple[Program, tuple[Array, ...]]:
    return program, tuple(np.asarray(v, dtype) for v in values)


def attend_nothing(t: Any, q: Any) -> Any:
    mask = t.tensor([[True, True, False], [False, False, False], [True, False, True]])
    floats = t.zeros(3, 3).masked_fill(~mask, -INF).to(q.dtype)
    f = t.nn.functional.scaled_dot_product_attention
    return f(q, q, q, attn_mask=mask), f(q, q, q, attn_mask=floats)


def in_place_module(name: str) -> Program:
    return lambda t, x: getattr(t.nn, name)(inplace=True)(x * 2)


def shift(_: Any, x: Any) -> Any:
    y = x
    y <<= 2
    return x, y


def shares(t: Any, x: Any) -> Any:
    return [y.data_ptr() == x.data_ptr() for y in (x.ravel(), x.take(t.arange(3)), x.sum_to_size(2, 3))]


@engine.no_grad()
def _generator_of_ours(x: Any) -> Any:
    yield (x * 2).requires_grad


NUMERICS = {
    "logcumsumexp far apart": row(lambda t, x: t.logcumsumexp(x, 0), [0.0, 200.0]),
    "logcumsumexp's slope": row(lambda t, x: t.logcumsumexp(x, 0), [0.0, 100.0]),
    "erfc of 6": row(lambda t, x: t.erfc(x) * 1e17, 6.0, dtype=F64),
    **{f"gelu of -400, {n}": row(lambda t, x: t.nn.functional.gelu(x), np.full(n, -400.0)) for n in (1000, 1021, 2047)},
    "cumsum of 200,000": row(lambda t, x: x.detach().cumsum(0)[-1], np.full(200_000, 0.1)),
    "layer_norm in 16 bits": row(lambda t, x: t.nn.functional.layer_norm(x, (512,)), numbers(2, 512) * 300, dtype=F16),
    "rms_norm in 16 bits": row(lambda t, x: t.nn.functional.rms_norm(x, (512,)), numbers(2, 512) * 300, dtype=F16),
    "norm in 16 bits": row(lambda t, x: x.norm(), numbers(4096) * 100, dtype=F16),
    "dist in 16 bits": row(lambda t, x, y: t.dist(x, y), numbers(4096) * 50, numbers(4096, seed=1) * 50, dtype=F16),
    "remainder of tenths": row(lambda t, x: t.remainder(x, 0.1), [1.0, 0.3, 5.7, -0.7, 1e8]),
    "fmod of tenths": row(lambda t, x: t.fmod(x, 0.1), [1.0, 0.3, 5.7, -0.7, 1e8], dtype=F64),
    "cosine_similarity of one and many": row(
        lambda t, a, b: t.nn.functional.cosine_similarity(a, b, dim=1), [[1.0], [2.0]], [[1.0, 2, 3], [3, 2, 0.1]]
    ),
    "attention to nothing": row(attend_nothing, numbers(1, 3, 4)),
}

NUMPYS_NUMBERS = {
    "/": row(lambda t, x: x / np.sqrt(8), [1.0, 2.0]),
    "*": row(lambda t, x: x * np.float64(3), [1.0, 2.0]),
    "-": row(lambda t, x: x - np.float64(3), [1.0, 2.0]),
    "clamp": row(lambda t, x: x.clamp(np.float64(1.5)), [1.0, 2.0]),
    "where": row(lambda t, x: t.where(x > 1, x, np.float64(0.5)), [1.0, 2.0]),
    "full": row(lambda t, x: t.full((2,), np.float64(0.5)), [1.0]),
    "alpha": row(lambda t, x: t.add(x, x, alpha=np.float64(0.5)), [1.0, 2.0]),
    "in a list": row(lambda t, x: t.tensor([1, np.float64(2.0)]), [1.0]),
}

KEYWORDS = {
    "axis of var_mean": row(lambda t, x: t.var_mean(x, axis=0), numbers(2, 3)),
    "axis of std_mean": row(lambda t, x: t.std_mean(x, axis=1), numbers(2, 3)),
    "axis of flip": row(lambda t, x: t.flip(x, dims=(1,)), numbers(2, 3)),
    "dtype of sum": row(lambda t, x: x.sum(dtype=t.int8), [200, 200], dtype=I64),
    "dtype of prod": row(lambda t, x: x.prod(dtype=t.int8), [20, 20], dtype=I64),
    "slope of quantile's q": row(lambda t, q: t.quantile(t.tensor([1.0, 4.0, 9.0]), q), 0.3),
    "a type by its dtype's name": row(lambda t, x: x.type("torch.int64"), [1.0]),
    "a misspelt keyword of Module.to": row(lambda t, x: t.nn.Linear(1, 1).to(dtpye=t.float64), [1.0]),
}

STRANGE = {
    "lerp from infinity": row(lambda t, a, b: t.lerp(a, b, 0.7), [INF, 1.0, -INF], [1.0, INF, 2.0]),
    "lerp by many": row(lambda t, a, b, w: t.lerp(a, b, w), [INF, 1.0, 2.0], [1.0, INF, 3.0], [0.7, 0.2, 1.0]),
    "median": row(lambda t, x: (x.median(), x.median(0)), [1.0, NAN, 3.0]),
    "quantile": row(lambda t, x: x.quantile(0.5), [1.0, NAN, 3.0]),
    "cummax": row(lambda t, x: x.cummax(0), [1.0, NAN, 3.0, 2.0]),
    "cummin": row(lambda t, x: x.cummin(0), [1.0, NAN, 3.0, 2.0]),
    "kl_div": row(lambda t, x: t.nn.functional.kl_div(x, t.tensor([0.5, NAN]), reduction="none"), [-1.0, -2.0]),
    **{
        name: row(lambda t, x, name=name: getattr(t.nn.functional, name)(x), NAN)
        for name in ("relu", "relu6", "hardtanh", "elu", "selu")
    },
    "clamp": row(lambda t, x: x.clamp(-1, 1), NAN),
    "abs": row(lambda t, x: x.abs(), NAN),
    "maximum": row(lambda t, a, b: t.maximum(a, b), [NAN, 1.0], [1.0, NAN]),
    "minimum": row(lambda t, a, b: t.minimum(a, b), [NAN, 1.0], [1.0, NAN]),
    "copysign": row(lambda t, a, b: t.copysign(a, b), [NAN, 0.0], [-1.0, -1.0]),
    "atan2(0, 0)": row(lambda t, a, b: t.atan2(a, b), [0.0], [0.0]),
    "logaddexp of infinities": row(lambda t, a, b: t.logaddexp(a, b), [INF, -INF, INF], [INF, -INF, 1.0]),
    "logit": row(lambda t, x: t.logit(x), [0.0, 1.0, NAN, 2.0]),
}

BY_NAME = {
    "__rmatmul__": row(lambda t, a, b: a.__rmatmul__(b), numbers(2, 3), numbers(2, 2)),
    "__rdiv__": row(lambda t, x: x.__rdiv__(2), [1.0, 4.0]),
}

TIES = {
    "clamp by tensors": row(lambda t, x, a, b: x.clamp(a, b), [1.0, 2.0, 3.0], [1.0, 2.0, 0.0], [1.0, 2.0, 3.0]),
    "fmax": row(lambda t, a, b: t.fmax(a, b), [1.0, 2.0], [1.0, 2.0]),
    "fmin": row(lambda t, a, b: t.fmin(a, b), [1.0, 2.0], [1.0, 2.0]),
    "median": row(lambda t, x: x.median(), [1.0, 1.0, 1.0]),
    "index_fill twice": row(lambda t, x, v: x.index_fill(0, t.tensor([1, 1]), v), [1.0, 2.0, 3.0], 5.0),
}

INTEGERS = {
    "addmm": row(lambda t, x: t.addmm(x, x, x), [[1, 2], [3, 4]], dtype=I64),
    "addmv": row(lambda t, x: t.addmv(x[0], x, x[0]), [[1, 2], [3, 4]], dtype=I64),
    "addr": row(lambda t, x: t.addr(x, x[0], x[1]), [[1, 2], [3, 4]], dtype=I64),
    "baddbmm": row(lambda t, x: t.baddbmm(x, x, x), [[[1, 2], [3, 4]]], dtype=I64),
    "addbmm of int32": row(lambda t, x: t.addbmm(x[0], x, x), [[[1, 2], [3, 4]]], dtype=I32),
    "arange": row(lambda t, x: t.arange(0.5, 5.5, 0.7, dtype=t.int64), 1.0),
    "linspace": row(lambda t, x: t.linspace(0, 10, 7, dtype=t.int64), 1.0),
    "logspace": row(lambda t, x: t.logspace(0, 3, 7, dtype=t.int64), 1.0),
    "scatter_reduce mean": row(
        lambda t, x: x.scatter_reduce(0, t.tensor([0, 0, 1]), x, "mean", include_self=False), [-3, -4, 5], dtype=I64
    ),
    "bincount with weights": row(lambda t, x: t.bincount(x, weights=t.tensor([1.0, 2.0, 4.0])), [0, 2, 2], dtype=I64),
    "hardtanh": row(lambda t, x: t.nn.functional.hardtanh(x), [-3, 0, 3], dtype=I64),
    "div(True, True)": row(lambda t, x: t.div(x, x), [True, True], dtype=bool),
    "to a negative power": row(lambda t, x: x**-1, [1, 2], dtype=I64),
}

SHAPES = {
    "cumprod of 0-d": row(lambda t, x: x.cumprod(0), 3.0),
    "gather of 0-d": row(lambda t, x: x.gather(0, t.tensor(0)), 3.0),
    "index_select of 0-d": row(lambda t, x: x.index_select(0, t.tensor([0])), 3.0),
    "cov of 0-d": row(lambda t, x: x.cov(), 3.0),
    "corrcoef of 0-d": row(lambda t, x: x.corrcoef(), 3.0),
    "householder_product of nothing": row(
        lambda t, a, tau: t.linalg.householder_product(a, tau), np.ones((3, 2)), np.ones(0)
    ),
    "squeeze(())": row(lambda t, x: x.squeeze(()), [[3.0]]),
    "batch_norm of nothing": row(lambda t, x: t.nn.functional.batch_norm(x, t.zeros(3), t.ones(3)), np.zeros((0, 3))),
    "softmax over nothing": row(lambda t, x: (x.softmax(1), x.log_softmax(1)), np.zeros((2, 0))),
    "sum and mean of nothing": row(lambda t, x: (x.sum(), x.mean(), x.prod(), x.sum(1), x.var(1)), np.zeros((2, 0))),
    "max of nothing": row(lambda t, x: x.max(), np.zeros((2, 0))),
    "amax over nothing": row(lambda t, x: x.amax(1), np.zeros((2, 0))),
    "argmax over nothing": row(lambda t, x: x.argmax(1), np.zeros((2, 0))),
}

MEMORY = {
    "<<=": row(shift, [1, 2], dtype=I64),
    "sharing": row(shares, numbers(2, 3)),
    "writing into an expanded tensor": row(lambda t, x: x.detach().expand(3, 2).add_(1), [1.0, 2.0]),
    **{name: row(in_place_module(name), [-1.0, 2.0]) for name in ("LeakyReLU", "SiLU", "ELU", "SELU")},
}

REFUSED = {
    "class weights of a wrong length": row(
        lambda t, x: t.nn.functional.cross_entropy(x, t.tensor([0]), weight=t.ones(2)), numbers(1, 3)
    ),
    "label smoothing of 1.5": row(
        lambda t, x: t.nn.functional.cross_entropy(x, t.tensor([0]), label_smoothing=1.5), numbers(1, 3)
    ),
    "Linear of integers": row(lambda t, x: t.nn.Linear(2, 1)(x), [1, 2], dtype=I64),
    "Linear of float64": row(lambda t, x: t.nn.Linear(2, 1)(x), [1.0, 2.0], dtype=F64),
    "int32 targets": row(lambda t, x: t.nn.functional.cross_entropy(x, t.tensor([0]).int()), numbers(1, 3)),
    "integer targets of BCE": row(lambda t, x: t.nn.functional.binary_cross_entropy(x, t.tensor([1])), [0.5]),
    "special.round of integers": row(lambda t, x: t.special.round(x), [1, 2], dtype=I64),
    "a list @ a tensor": row(lambda t, x: [[1.0, 2.0]] @ x, numbers(2, 3)),
    "movedim of repeated axes": row(lambda t, x: x.movedim((0, 0), (0, 1)), numbers(2, 3)),
}

REPORTED = {
    f"{kind}: {name}": case
    for kind, cases in {
        "numerics": NUMERICS,
        "NumPy's numbers": NUMPYS_NUMBERS,
        "keywords": KEYWORDS,
        "NaN and infinity": STRANGE,
        "by name": BY_NAME,
        "ties": TIES,
        "integers": INTEGERS,
        "0-d and empty": SHAPES,
        "memory": MEMORY,
        "refused": REFUSED,
    }.items()
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", REPORTED)
def test_what_was_reported_is_as_in_pytorch(name: str) -> None:
    program, arrays = REPORTED[name]
    agree(program, *arrays)


def test_no_grad_covers_a_generator_function() -> None:
    x = engine.ones(2, requires_grad=True)
    assert not next(_generator_of_ours(x))
    assert engine.is_grad_enabled()
