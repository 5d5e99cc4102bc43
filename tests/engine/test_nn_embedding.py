"""Tables of vectors, looked up by number or bag by bag, draws from the Gumbel distribution, and distances of pairs:
values, gradients, printed forms and errors are PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as engine
from tests.engine.compare import agree_with_differences, numbers
from tests.engine.nn_compare import assert_close, assert_same_run, assert_same_start, build_both, normal

IDX = [1, 2, 4, 5, 4, 3, 2, 6, 1, 1]
OFFSETS = [0, 4, 4, 9]

OPTIONS: list[dict[str, Any]] = [
    {},
    {"padding_idx": 2},
    {"padding_idx": -3},
    {"max_norm": 1.0},
    {"scale_grad_by_freq": True},
]
BAG_OPTIONS = [*OPTIONS[:-1], {"include_last_offset": True}]


def run_bags(t: Any, kind: str, weights: bool, **options: Any) -> tuple[Any, ...]:
    table = t.tensor(normal(7, 3, kind=kind), requires_grad="max_norm" not in options)
    factors = t.tensor(normal(10, kind=kind), requires_grad=True) if weights else None
    if weights:
        options["per_sample_weights"] = factors
    offsets = t.tensor([*OFFSETS, len(IDX)] if "include_last_offset" in options else OFFSETS)
    y = t.nn.functional.embedding_bag(t.tensor(IDX), table, offsets, **options)
    if y.requires_grad:
        (y * t.tensor(normal(*y.shape, kind=kind, seed=4))).sum().backward()
    return y, table, table.grad, None if factors is None else factors.grad


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["sum", "mean", "max", "weighted"])
@pytest.mark.parametrize("options", BAG_OPTIONS, ids=str)
def test_embedding_bag_is_pytorchs(options: dict[str, Any], mode: str, kind: str) -> None:
    weighted = mode == "weighted"
    settings = {"mode": "sum" if weighted else mode, **options}
    theirs, ours = (run_bags(t, kind, weighted, **settings) for t in (torch, engine))
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            assert_close(a, b, kind)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_gradient_of_embedding_bag_by_finite_differences(mode: str) -> None:
    def bags(t: Any, table: Any, *factors: Any) -> Any:
        more = {"per_sample_weights": factors[0]} if factors else {}
        return t.nn.functional.embedding_bag(t.tensor(IDX), table, t.tensor(OFFSETS), mode=mode, **more)

    agree_with_differences(bags, numbers(7, 3), *([numbers(10)] if mode == "sum" else []))


def test_scaled_by_frequency_a_row_gets_the_mean_of_its_gradients() -> None:
    """As the documentation has it; PyTorch's CPU kernel divides by the counts of other rows."""
    table = engine.zeros(7, 1, requires_grad=True)
    bags = engine.nn.functional.embedding_bag(engine.tensor([IDX]), table, mode="sum", scale_grad_by_freq=True)
    bags.sum().backward()
    assert table.grad is not None
    assert table.grad[:, 0].tolist() == [0, 1, 1, 1, 1, 1, 1]


def test_the_last_offset_is_where_the_last_bag_ends() -> None:
    for t in (torch, engine):
        table = t.arange(4.0)[:, None]
        bags = bag(t, [1, 2, 3], table, [0, 2, 2], mode="sum", include_last_offset=True)
        assert bags.tolist() == [[3], [0]]


SHAPES: list[Callable[[Any], Any]] = [
    lambda t: t.nn.functional.embedding_bag(t.tensor([[1, 2], [0, 0]]), t.tensor(normal(4, 3))),
    lambda t: t.nn.functional.embedding_bag(t.tensor([[1, 2]]).int(), t.tensor(normal(4, 3)), mode="max"),
    lambda t: t.nn.functional.embedding_bag(t.tensor([], dtype=t.int64), t.ones(4, 3), t.tensor([0, 0]), mode="max"),
    lambda t: t.nn.functional.embedding_bag(t.tensor([], dtype=t.int64), t.ones(4, 3), t.tensor([], dtype=t.int64)),
    lambda t: t.nn.functional.embedding_bag(t.tensor([1, 2, 3]), t.ones(4, 3).half(), t.tensor([0, 1])),
]


@pytest.mark.parametrize("call", SHAPES)
def test_bags_of_every_shape(call: Callable[[Any], Any]) -> None:
    assert_close(call(engine), call(torch))


BAGS: list[dict[str, Any]] = [
    {},
    {"mode": "sum", "padding_idx": -1, "scale_grad_by_freq": True, "include_last_offset": True},
    {"mode": "max", "max_norm": 1.0, "norm_type": 1.0},
]


@pytest.mark.parametrize("options", BAGS, ids=str)
def test_embedding_bag_layer_is_pytorchs(options: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: nn.EmbeddingBag(7, 3, **options))
    assert_same_start(theirs, ours)
    ends = [*OFFSETS, len(IDX)]  # also where the last bag ends
    with torch.no_grad(), engine.no_grad():
        for a, b in zip(
            (ours(engine.tensor(IDX), engine.tensor(ends)), ours.weight),
            (theirs(torch.tensor(IDX), torch.tensor(ends)), theirs.weight),
            strict=True,
        ):
            assert_close(a, b)


def test_a_bag_of_given_numbers() -> None:
    table = engine.tensor([[1, 2.3, 3], [4, 5.1, 6.3]])
    layer = engine.nn.EmbeddingBag.from_pretrained(table)
    np.testing.assert_allclose(layer(engine.tensor([[1, 0]])).numpy(), [[2.5, 3.7, 4.65]], rtol=1e-6)
    assert not layer.weight.requires_grad


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_embedding_with_its_options_is_pytorchs(options: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: nn.Embedding(7, 3, **options))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [np.array(IDX)], "float32")


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("tau", [1, 0.3])
def test_gumbel_softmax_draws_what_pytorch_draws(tau: float, hard: bool) -> None:
    results = []
    for t in (torch, engine):
        t.manual_seed(3)
        x = t.tensor(normal(4, 6), requires_grad=True)
        y = t.nn.functional.gumbel_softmax(x, tau=tau, hard=hard, dim=-1)
        (y * t.tensor(normal(4, 6, seed=1))).sum().backward()
        results.append((y, x.grad))
    for a, b in zip(results[1], results[0], strict=True):
        assert_close(a, b)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, float("inf")])
def test_pdist_is_pytorchs(p: float) -> None:
    results = []
    for t in (torch, engine):
        x = t.tensor(normal(5, 3, kind="float64"), requires_grad=True)
        y = t.nn.functional.pdist(x, p)
        (y * t.tensor(normal(10, kind="float64"))).sum().backward()
        results.append((y, x.grad))
        assert t.equal(t.pdist(x, p), y)
    for a, b in zip(results[1], results[0], strict=True):
        assert_close(a, b, "float64")
    if 1 <= p < float("inf"):
        agree_with_differences(lambda t, x: t.pdist(x, p), numbers(4, 3))


def test_pdist_of_equal_rows_and_of_one_row() -> None:
    for p in (1.0, 2.0, float("inf")):
        gradients = []
        for t in (torch, engine):
            x = t.tensor([[1.0, 2.0], [1.0, 2.0], [3.0, 4.0]], requires_grad=True)
            t.pdist(x, p).sum().backward()
            gradients.append(x.grad)
        assert_close(gradients[1], gradients[0])
    assert engine.pdist(engine.ones(1, 3)).shape == (0,)


def bag(t: Any, idx: Any, table: Any = None, offsets: Any = None, **options: Any) -> Any:
    table = t.ones(5, 3) if table is None else table
    offsets = None if offsets is None else t.tensor(offsets)
    return t.nn.functional.embedding_bag(t.tensor(idx), table, offsets, **options)


BAD: list[tuple[str, Callable[[Any], Any]]] = [
    ("no offsets", lambda t: bag(t, [1, 2])),
    ("offsets of 2d", lambda t: bag(t, [1, 2], offsets=[[0]])),
    ("three axes", lambda t: bag(t, [[[1]]])),
    ("past the end", lambda t: bag(t, [1, 2, 3], offsets=[0, 4])),
    ("float offsets", lambda t: bag(t, [1, 2, 3], offsets=[0.0, 2.0])),
    ("float indices", lambda t: bag(t, [1.0, 2.0], offsets=[0])),
    ("no such row", lambda t: bag(t, [1, 9], offsets=[0], mode="max")),
    ("weights' type", lambda t: bag(t, [1, 2], None, [0], mode="sum", per_sample_weights=t.ones(2).double())),
    ("weights' shape", lambda t: bag(t, [1, 2], None, [0], mode="sum", per_sample_weights=t.ones(3))),
    ("weights of a mean", lambda t: bag(t, [1, 2], None, [0], per_sample_weights=t.ones(2))),
    ("mode", lambda t: bag(t, [1, 2], None, [0], mode="x")),
    ("frequency", lambda t: bag(t, [1, 2], None, [0], mode="max", scale_grad_by_freq=True)),
    ("padding", lambda t: bag(t, [1, 2], None, [0], padding_idx=7)),
    ("last offset", lambda t: bag(t, [1], None, t.zeros(0).long().numpy(), include_last_offset=True)),
    ("table", lambda t: bag(t, [1], t.ones(3), [0])),
    ("integer table", lambda t: bag(t, [1], t.ones(3, 3).long(), [0])),
    ("layer", lambda t: t.nn.EmbeddingBag(5, 3, padding_idx=9)),
    ("pdist of 1d", lambda t: t.pdist(t.ones(3))),
    ("pdist below 0", lambda t: t.pdist(t.ones(2, 3), -1)),
    ("pdist of integers", lambda t: t.pdist(t.ones(2, 3).long())),
]


@pytest.mark.parametrize(("name", "call"), BAD, ids=[name for name, _ in BAD])
def test_misuse_is_refused_in_pytorchs_words(name: str, call: Callable[[Any], Any]) -> None:
    del name
    with pytest.raises((ValueError, RuntimeError, AssertionError, NotImplementedError)) as expected:
        call(torch)
    with pytest.raises(expected.type) as got:
        call(engine)
    assert str(got.value) == str(expected.value)
