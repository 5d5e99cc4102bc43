"""The bigram network against the counts it must arrive at: with no penalty the relative frequencies, with one smoothed
ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.evaluation import evaluate
from gradus.models import Bigram, LanguageModel, build_model, inference
from gradus.training import set_up, train

Ints = np.ndarray[Any, np.dtype[np.int64]]


def text(size: int = 400) -> tuple[Ints, Ints]:
    """A row of five tokens in which every pair occurs, some of them seldom."""
    rng = np.random.default_rng(0)
    ids = np.concatenate([rng.choice(5, size=size, p=[0.4, 0.3, 0.15, 0.1, 0.05]), *np.ndindex(5, 5)])
    return ids[None, :-1].copy(), ids[None, 1:].copy()


def counts(x: Ints, y: Ints) -> np.ndarray[Any, np.dtype[np.float64]]:
    table = np.zeros((5, 5))
    np.add.at(table, (x.ravel(), y.ravel()), 1)
    return table


def converged(x: Ints, y: Ints, penalty: float = 0.0) -> Bigram:
    """The network at the minimum of its loss plus penalty * the mean of the squared table."""
    model = build_model("bigram", vocab_size=5, block_size=8)
    assert isinstance(model, Bigram)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=500, tolerance_grad=1e-7, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = model(torch.from_numpy(x), torch.from_numpy(y))[1] + penalty * (model.table.weight**2).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    return model


def predictions(model: LanguageModel) -> np.ndarray[Any, np.dtype[np.float64]]:
    with inference(model):
        return torch.softmax(model(torch.arange(5)[None])[0][0].double(), dim=-1).numpy()


def test_at_convergence_the_network_is_the_table_of_counts() -> None:
    x, y = text()
    table = counts(x, y)
    np.testing.assert_allclose(predictions(converged(x, y)), table / table.sum(1, keepdims=True), rtol=0, atol=1e-3)


def test_a_penalty_on_the_table_smooths_rows_towards_the_frequencies_of_the_tokens_the_rarest_most() -> None:
    x, y = text()
    table = counts(x, y)
    frequencies = table / table.sum(1, keepdims=True)
    shared = table.sum(0) / table.sum()  # what a row falls back on that is pulled to zero: the bias is left alone

    def distance(p: Any) -> Any:
        return np.abs(p - shared).sum(axis=1)

    weak, strong, endless = (predictions(converged(x, y, penalty)) for penalty in (0.01, 0.3, 1e4))
    assert (distance(strong) < distance(weak)).all()
    assert (distance(weak) < distance(frequencies)).all()
    np.testing.assert_allclose(
        endless, np.tile(shared, (5, 1)), atol=5e-3
    )  # the float32 optimizer stops a little early
    pull = 1 - distance(strong) / distance(frequencies)
    assert pull.argmax() == table.sum(1).argmin()  # the row that was seen least is smoothed most, as by added counts


@pytest.mark.slow
def test_trained_on_names_it_has_the_loss_of_the_counts() -> None:
    folder = os.environ.get("GRADUS_DATA")
    if not folder or not (Path(folder) / "names.txt").exists():
        pytest.skip("names.txt is not there: GRADUS_DATA names no folder that holds it")
    values = {"corpus": "names", "optimizer": "adam", "learning_rate": 0.1, "batch_size": 4096, "steps": 600}
    network = set_up({"model": "bigram", **values, "weight_decay": 0.0})
    train(network.model, network.batches, network.config)
    counted = set_up({"corpus": "names", "model": "ngram", "order": 2, "method": "additive", "smoothing": 0.1})
    train(counted.model, counted.batches, counted.config)
    for part in ("train", "dev"):
        losses = [evaluate(s.model, s.rows(part)).nats for s in (network, counted)]
        assert losses[0] == pytest.approx(losses[1], abs=1e-3)
