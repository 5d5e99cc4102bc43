"""The numbers of n-gram, bigram and mixture against counts made here one by one."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.explorer import Opened, open_run
from gradus.explorer.forward.bigram import cell, table
from gradus.explorer.forward.mixture import mixture
from gradus.explorer.forward.ngram import ngram
from gradus.models import Bigram, Mixture, NGram, build_model
from gradus.models.kneser_ney import modified_discounts, plain_kneser_ney
from gradus.text import CharTokenizer
from gradus.training import reopen
from tests.explorer.models import TEXT, opened, run

ORDER = 4
METHODS = {"modified-kneser-ney": modified_discounts, "kneser-ney": lambda _: (0.75,) * 3}


def counted(method: str = "modified-kneser-ney", order: int = ORDER, **settings: Any) -> tuple[Opened, str]:
    """An n-gram model of TEXT as one row, and its text: token 0, the blank, is before it."""
    seen = opened("ngram", order=order, method=method, **settings)
    ids = seen.encode(TEXT)
    assert isinstance(seen.model, NGram)
    seen.model.count(ids[None, :-1], ids[None, 1:])
    return seen, " " * (order - 1) + TEXT


def grams(text: str, n: int) -> Counter[str]:
    return Counter(text[i : i + n] for i in range(len(text) - n + 1))


def windows(seen: Opened, text: str, n: int) -> Counter[tuple[int, ...]]:
    """The windows of n tokens that the model has counted, the first of which ends with the second token."""
    ids = seen.encode(text[1:]).tolist()
    return Counter(tuple(ids[i : i + n]) for i in range(len(ids) - n + 1))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("written", "following"), [("the c", "a"), ("the d", "a"), ("gggg", "t"), ("on th", "e"), ("t", "h")]
)
def test_kneser_neys_path_ends_at_the_probability_computed_by_its_definition(
    method: str, written: str, following: str
) -> None:
    seen, text = counted(method)
    found = ngram(seen, written, following=int(seen.encode(following)[0]))
    gram = tuple(seen.encode(" " * ORDER + written + following).tolist())[-ORDER:]
    expected = plain_kneser_ney(windows(seen, text, ORDER), gram, seen.config.vocab_size, METHODS[method])
    assert found["p"] == pytest.approx(expected, rel=1e-12)
    shares = sum(level["share"] for level in found["levels"]) + found["uniform"]["share"]
    assert shares == pytest.approx(expected, rel=1e-12)
    logits = seen.model(torch.from_numpy(seen.row(written)[None]))[0][0, -1]
    assert found["p"] == pytest.approx(float(logits[gram[-1]].exp().item()), rel=1e-12)


@pytest.mark.parametrize("written", ["the c", "the ", "t.", "at on"])
def test_an_n_gram_shows_the_counts_that_are_in_the_text(written: str) -> None:
    seen, text = counted()
    found = ngram(seen, written)
    followers = {c["id"]: c["piece"] for c in found["candidates"]}
    padded = " " * ORDER + written
    fewer: Counter[tuple[int, ...]] = windows(seen, text, ORDER)
    for level in found["levels"]:
        k = level["length"]
        context = tuple(seen.encode(padded[len(padded) - k :]).tolist()) if k else ()
        after = {gram[-1]: n for gram, n in fewer.items() if gram[:-1] == context}
        assert level["seen"] == bool(after)
        if after:
            assert level["total"] == sum(after.values())
            assert level["different"] == len(after)
            assert level["candidate_counts"].tolist() == [after.get(id_, 0) for id_ in followers]
            assert level["counted_often"].tolist() == [
                sum(n == 1 for n in after.values()),
                sum(n == 2 for n in after.values()),
                sum(n > 2 for n in after.values()),
            ]
            D = (0.0, *modified_discounts(fewer.values()))
            assert level["gamma"] == pytest.approx(sum(D[min(n, 3)] for n in after.values()) / sum(after.values()))
        fewer = Counter(gram[1:] for gram in fewer)
    assert [level["length"] for level in found["levels"]] == [3, 2, 1, 0]
    assert "".join(found["levels"][0]["context"]) == padded[-3:]


def test_each_order_is_what_it_adds_and_what_it_leaves() -> None:
    seen, _ = counted()
    found = ngram(seen, "the c")
    for level, shorter in pairwise(found["levels"]):
        assert level["p"] == pytest.approx(level["own"] + level["gamma"] * level["lower"])
        assert level["lower"] == shorter["p"]
        assert shorter["weight"] == pytest.approx(level["weight"] * level["gamma"])
        assert level["own"] == pytest.approx((level["count"] - level["discount"]) / level["total"])
    assert found["levels"][-1]["lower"] == found["uniform"]["p"] == 1 / seen.config.vocab_size


@pytest.mark.parametrize("smoothing", [0.5, 0.0])
def test_additive_smoothing_is_the_count_and_s_over_the_total_and_s_v(smoothing: float) -> None:
    seen, text = counted("additive", order=3, smoothing=smoothing)
    found = ngram(seen, "the", following=int(seen.encode(" ")[0]))
    after = {gram[-1]: n for gram, n in windows(seen, " " + text, 3).items() if gram[:2] == tuple(seen.encode("he"))}
    V, count, total = seen.config.vocab_size, after[int(seen.encode(" ")[0])], sum(after.values())
    (level,) = found["levels"]
    assert (level["count"], level["total"]) == (count, total)
    assert found["p"] == pytest.approx((count + smoothing) / (total + smoothing * V))
    unseen = ngram(seen, "gg")
    assert unseen["p"] == pytest.approx(1 / V if smoothing else 0.0)
    assert unseen["levels"][0]["total"] == 0


def test_a_bigrams_table_is_that_of_the_softmax_and_the_counts_those_of_the_training_text(tmp_path: Path) -> None:
    folder = run(tmp_path, "bigram", steps=5, block_size=16)
    seen = open_run(folder.path)
    assert isinstance(seen.model, Bigram)
    found = table(seen)
    ids = found["ids"]
    logits = seen.model(torch.from_numpy(ids[:, None]))[0][:, 0]
    np.testing.assert_allclose(found["p"], logits.softmax(dim=-1).detach().numpy(), rtol=1e-5)
    pieces, pairs = found["pieces"], Counter(pairwise(reopen(folder).splits.train.text))
    assert found["counts"].tolist() == [[pairs[a, b] for b in pieces] for a in pieces]
    assert found["pairs"] == pairs.total()
    a, b = pieces.index("t"), pieces.index("h")
    one = cell(seen, "t", column=int(ids[b]))
    assert one["p"] == pytest.approx(found["p"][a, b], rel=1e-6)
    assert one["count"] == found["counts"][a, b]
    assert one["expected"] == pytest.approx(found["counts"][a, b] / found["counts"][a].sum())
    assert found["expected"][a, b] == pytest.approx(one["expected"])
    assert found["lowest_loss"] < found["loss"] < math.log(len(pieces)) + 0.1


def test_a_bigram_without_its_text_says_so() -> None:
    found = table(opened("bigram"))
    assert "counts" not in found
    assert "no training text" in found["missing"]
    with pytest.raises(UserError, match="row 99"):
        cell(opened("bigram"), "", row=99)


def mixed(separator: int) -> Opened:
    torch.manual_seed(1)
    tokenizer = CharTokenizer(sorted(set(TEXT)))
    V = tokenizer.vocab_size
    network = '{"name": "bigram"}'
    model = build_model("mixture", vocab_size=V, block_size=16, network=network, order=3, separator=separator)
    assert isinstance(model, Mixture)
    ids = tokenizer.encode(TEXT)
    model.network.load_state_dict({"table.weight": torch.randn(V, V), "bias": torch.randn(V)})
    model.count(ids[None, :-1], ids[None, 1:])
    model.weight = torch.linspace(0.1, 0.9, len(model.weight), dtype=torch.float64)
    return Opened.of(model, tokenizer)


@pytest.mark.parametrize("separator", [0, -1])
@pytest.mark.parametrize("written", [" the c", "the", "gg"])
def test_a_mixture_is_its_parts_by_their_weights(separator: int, written: str) -> None:
    seen = mixed(separator)
    model = seen.model
    assert isinstance(model, Mixture)
    found = mixture(seen, written)
    assert found["p"] == pytest.approx(
        found["weight"] * found["network_p"] + (1 - found["weight"]) * found["ngram_p"], rel=1e-6
    )
    idx = torch.from_numpy(seen.row(written)[None])
    p = model(idx)[0][0, -1].softmax(dim=-1)
    assert found["following"] == int(p.argmax().item())
    assert found["p"] == pytest.approx(float(p.max().item()), rel=1e-9)
    network = model.network(idx)[0][0, -1].softmax(dim=-1)
    assert found["network_p"] == pytest.approx(float(network[found["following"]].item()), rel=1e-5)
    assert found["ngram"]["p"] == pytest.approx(found["ngram_p"], rel=1e-12)
    for candidate in found["candidates"]:
        assert candidate["p"] == pytest.approx(float(p[candidate["id"]].item()), rel=1e-6)
