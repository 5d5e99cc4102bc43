"""The mixture: its probabilities by hand, and weights that no others beat on the text they were fitted on."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.models import Mixture, NGram, NGramConfig, build_model, inference

V, BLOCK = 7, 6
NETWORK = json.dumps({"name": "nplm", "context": 2, "n_embd": 4, "n_hidden": 8})

Ints = np.ndarray[Any, np.dtype[np.int64]]


def text(seed: int, rows: int = 40) -> tuple[Ints, Ints]:
    """Rows in which most tokens follow from the two before them."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(V, size=(rows, BLOCK + 1))
    for t in range(2, BLOCK + 1):
        ids[:, t] = np.where(rng.random(rows) < 0.7, (ids[:, t - 1] + 2 * ids[:, t - 2]) % V, ids[:, t])
    return ids[:, :-1].copy(), ids[:, 1:].copy()


def mixture(**settings: Any) -> Mixture:
    torch.manual_seed(0)
    sizes = {"vocab_size": V, "block_size": BLOCK}
    model = build_model("mixture", **sizes, network=NETWORK, **{"order": 3, **settings})
    assert isinstance(model, Mixture)
    model.count(*text(1))
    return model


def train_network(model: Mixture) -> None:
    optimizer = torch.optim.AdamW(model.network.requires_grad_(True).parameters(), lr=0.02)
    for step in range(150):
        x, y = text(100 + step)
        optimizer.zero_grad()
        model.network(torch.from_numpy(x), torch.from_numpy(y))[1].backward()
        optimizer.step()


def loss(model: Mixture, x: Ints, y: Ints) -> float:
    with inference(model):
        return float(model(torch.from_numpy(x), torch.from_numpy(y))[1].item())


def test_probabilities_are_the_weighted_mean_of_the_two_models() -> None:
    model = mixture(weights="constant", separator=5)
    model.weight = torch.tensor([0.3], dtype=torch.float64)
    x, _ = text(2)
    x[:, 0] = 5  # documents from their beginning: the n-gram model sees what it sees by itself
    counts = NGram(NGramConfig(V, BLOCK, order=3))
    counts.count(*text(1))
    with inference(model):
        mixed, network, ngram = (m(torch.from_numpy(x))[0].double() for m in (model, model.network, counts))
    expected = 0.3 * torch.softmax(network, -1).numpy() + 0.7 * ngram.exp().numpy()
    np.testing.assert_allclose(mixed.exp().numpy(), expected, rtol=1e-6)  # the network is float32


def test_the_fitted_weight_is_the_one_that_predicts_dev_best() -> None:
    model, dev = mixture(weights="constant", order=2), text(2)
    train_network(model)
    model.fit([dev])
    fitted = model.weight.item()
    best = loss(model, *dev)
    for other in np.linspace(0.01, 0.99, 99):
        model.weight = torch.tensor([other], dtype=torch.float64)
        assert loss(model, *dev) > best - 1e-9
    assert 0.01 < fitted < 0.99


def test_a_weight_for_each_count_of_the_context_fits_dev_better_and_unseen_contexts_want_the_network() -> None:
    one, many, dev = mixture(weights="constant"), mixture(weights="count"), text(2, rows=400)
    for model in (one, many):
        train_network(model)
        model.fit([dev])
    assert loss(many, *dev) < loss(one, *dev)
    found = many.ngram.predict(dev[0], before=-1)
    which = many.classes(found)
    often = which[(found.length == 2) & (found.total >= 4)]
    seldom = which[(found.length == 2) & (found.total == 1)]
    assert many.weight.numpy()[seldom].mean() > many.weight.numpy()[often].mean() + 0.05


def test_a_row_from_the_middle_of_a_text_has_a_shorter_context_at_its_start() -> None:
    model = mixture(weights="constant")
    model.weight = torch.tensor([0.0], dtype=torch.float64)  # the counts alone
    row = np.array([[0, 5, 1]])
    pair = model.ngram.predict(np.array([[0]]), before=-1).p[0]
    with inference(model):
        p = model(torch.from_numpy(row))[0].exp().numpy()
        padded = model.ngram(torch.from_numpy(row))[0].exp().numpy()
    np.testing.assert_allclose(p[0, 0], pair, rtol=1e-12)
    np.testing.assert_allclose(p[0, 1:], padded[0, 1:], rtol=1e-12)


def test_a_class_never_seen_on_dev_keeps_the_overall_weight_and_ten_tokens_go_half_the_way() -> None:
    one, many, (x, y) = mixture(weights="constant", order=2), mixture(weights="count", order=2), text(2)
    for model in (one, many):
        train_network(model)
        model.fit([(x, y)])
    overall, fitted = one.weight.item(), many.weight.numpy()
    found = many.ngram.predict(x, before=-1)
    which = many.classes(found)[found.place]
    with inference(many):
        network = np.exp(many._log_network(torch.from_numpy(x)).numpy()).reshape(-1, V)
    p_network, p_ngram = network[np.arange(y.size), y.ravel()], found.p[found.place, y.ravel()]
    tokens = np.bincount(which, minlength=len(fitted))
    np.testing.assert_allclose(fitted[tokens == 0], overall, rtol=1e-12)
    for each in np.flatnonzero(tokens):
        mine, weight = which == each, fitted[each]
        responsibility = weight * p_network[mine] / (weight * p_network[mine] + (1 - weight) * p_ngram[mine])
        share = tokens[each] / (tokens[each] + 10)
        assert weight == pytest.approx(share * responsibility.mean() + (1 - share) * overall, abs=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "a mixture needs a trained network; say of which run, by --of RUN"),
        ({"network": "gpt"}, r"network must be the JSON of a name and of settings .*, got gpt$"),
        ({"network": "[]"}, r"network must be the JSON .*, got \[\]$"),
        ({"network": '{"n_layer": 2}'}, "network must be the JSON"),
        ({"network": '{"name": "bigram", "block_size": 3}'}, "network must be the JSON"),
        ({"network": NETWORK, "separator": V}, "separator must be a token, 0 to 6, or -1, got 7"),
    ],
)
def test_what_is_no_network_is_said_in_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build_model("mixture", vocab_size=V, block_size=BLOCK, **settings)
