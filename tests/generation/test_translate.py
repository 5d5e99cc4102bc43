"""Targets written by a Transformer: greedily, drawn, and by beams, against the model's own loss and brute force."""

from __future__ import annotations

import math
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

from gradus.backend import F, torch
from gradus.errors import UserError
from gradus.generation import Hypothesis, SamplingRule, beam_search, translate
from gradus.generation.translate import LENGTH_PENALTY, Candidate
from gradus.models import Transformer, build_model, inference

Ints = np.ndarray[Any, np.dtype[np.int64]]

V, BLOCK = 7, 9


@cache
def trained(steps: int = 40, vocab_size: int = V, longest: int = 7, **settings: Any) -> Transformer:
    """A model that has begun to learn to reverse words, and is not yet sure of anything."""
    torch.manual_seed(0)
    sizes = {"n_layer": 2, "n_head": 2, "n_embd": 16, "dropout": 0.0, **settings}
    model = build_model("transformer", vocab_size=vocab_size, block_size=longest + 2, **sizes)
    assert isinstance(model, Transformer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for step in range(steps):
        x = sources(100 + step, 16, longest, vocab_size)
        y = np.full((16, longest + 2), -1)
        for row, source in enumerate(x):
            word = source[source > 0]
            y[row, : len(word) + 2] = [0, *word[::-1], 0]
        optimizer.zero_grad()
        model(torch.from_numpy(x), torch.from_numpy(y))[1].backward()
        optimizer.step()
    return model


def sources(seed: int = 0, batch: int = 8, longest: int = 7, vocab_size: int = V) -> Ints:
    random = np.random.default_rng(seed)
    x = np.full((batch, longest + 1), -1)
    for row, n in enumerate(random.integers(1, longest + 1, size=batch)):
        x[row, : n + 1] = [*random.integers(1, vocab_size, size=n), 0]
    return x


def written(model: Transformer, x: Ints, **arguments: Any) -> list[Hypothesis]:
    return translate(model, torch.from_numpy(x), BLOCK, stop=0, **arguments)


def beams(model: Transformer, x: Ints, width: int, **arguments: Any) -> list[list[Hypothesis]]:
    return beam_search(model, torch.from_numpy(x), BLOCK, stop=0, beams=width, **arguments)


def log_p_of(model: Transformer, source: Ints, ids: tuple[int, ...], ended: bool) -> float:
    """Of a whole target at once: without a cache, and without the decoding loops."""
    y = np.array([[0, *ids, *([0] if ended else [])]])
    if y.size == 1:
        return 0.0
    with inference(model):
        logits, _ = model(torch.from_numpy(source[None]), torch.from_numpy(y))
    log_p = F.log_softmax(logits.double(), dim=-1).numpy()[0]
    return float(log_p[np.arange(y.shape[1] - 1), y[0, 1:]].sum())


@pytest.mark.parametrize("settings", [{}, {"norm": "post"}, {"cross_attention": False}])
def test_cached_greedy_decoding_equals_uncached(settings: dict[str, Any]) -> None:
    model, x = trained(**settings), sources()
    for source, found in zip(x, written(model, x), strict=True):
        ids: list[int] = []
        while len(ids) < BLOCK - 1:
            with inference(model):
                y = torch.tensor([[0, *ids, 0]])
                token = int(model(torch.from_numpy(source[None]), y)[0][0, -1].argmax().item())
            if token == 0:
                break
            ids.append(token)
        assert found.ids == tuple(ids)
        assert found.ended == (len(ids) < BLOCK - 1)
        assert found.log_p == pytest.approx(log_p_of(model, source, found.ids, found.ended), abs=1e-5)
    assert len({found.ids for found in written(model, x)}) > ("cross_attention" not in settings)


def test_the_targets_of_a_batch_are_those_of_its_rows_alone() -> None:
    model, x = trained(), sources(1)
    for width in (1, 3):
        together = written(model, x, beams=width)
        for row, found in zip(x, together, strict=True):
            (alone,) = written(model, row[row >= 0][None], beams=width)
            assert alone.ids == found.ids
            assert alone.log_p == pytest.approx(found.log_p, abs=1e-5)


def test_a_beam_of_width_1_is_greedy() -> None:
    for seed in range(3):
        model, x = trained(), sources(seed)
        for greedy, found in zip(written(model, x), beams(model, x, 1), strict=True):
            assert [h.ids for h in found] == [greedy.ids]
            assert found[0].log_p == pytest.approx(greedy.log_p, abs=1e-5)
            assert found[0].ended == greedy.ended


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.5])
def test_a_beam_wide_enough_finds_the_best_of_all_targets(length_penalty: float) -> None:
    words, longest = 3, 5  # the separator and two more; targets of up to 4 tokens and their end
    model = trained(20, vocab_size=words, longest=longest - 1)
    x = np.array([[1, 2, 0], [2, 0, -1], [1, 0, -1]])
    everything = [ids for n in range(longest) for ids in product(range(1, words), repeat=n)]
    found = beams(model, x, words**longest, length_penalty=length_penalty)
    for source, hypotheses in zip(x, found, strict=True):
        all_of_them = [Hypothesis(ids, log_p_of(model, source, ids, True), True) for ids in everything]
        expected = sorted(all_of_them, key=lambda h: -h.score(length_penalty))
        assert len(hypotheses) == len(everything)
        assert hypotheses[0].ids == expected[0].ids
        for one, other in zip(hypotheses, expected, strict=True):
            assert one.score(length_penalty) == pytest.approx(other.score(length_penalty), abs=1e-5)
    assert len({hypotheses[0].ids for hypotheses in found}) > 1 or length_penalty == 0


def test_a_beam_finds_likelier_targets_than_greedy_decoding() -> None:
    better = 0
    for seed in range(5):
        model, x = trained(), sources(seed)
        for greedy, found in zip(written(model, x), beams(model, x, 4, length_penalty=0), strict=True):
            assert found == sorted(found, key=lambda h: -h.log_p)
            assert len({h.ids for h in found}) == len(found)
            better += found[0].log_p > greedy.log_p + 1e-5 and found[0].ended >= greedy.ended
    assert better > 3


def test_the_scores_are_probabilities_of_the_targets_divided_by_the_penalty() -> None:
    model, x = trained(), sources(3)
    for source, found in zip(x, beams(model, x, 3), strict=True):
        for h in found:
            assert h.log_p == pytest.approx(log_p_of(model, source, h.ids, h.ended), abs=1e-5)
            n = len(h.ids) + h.ended
            assert h.score(0.6) == pytest.approx(h.log_p / ((5 + n) ** 0.6 / 6**0.6))


def test_what_a_watcher_sees_of_the_search_is_what_was_kept_and_dropped() -> None:
    """Rebuilt from the steps that were seen, the beginnings have the probabilities that the model gives them; the
    complete ones are what was found."""
    model, x, width = trained(), sources(4), 3
    steps: dict[int, list[list[Candidate]]] = {row: [] for row in range(len(x))}
    found = beams(model, x, width, watch=lambda source, candidates: steps[source].append(candidates))
    assert found == beams(model, x, width)
    for row, source in enumerate(x):
        beginnings: list[tuple[int, ...]] = [()]
        complete = []
        for candidates in steps[row]:
            following = []
            for c in candidates:
                ids = (*beginnings[c.beam], *([c.token] if c.token else []))
                assert c.log_p == pytest.approx(log_p_of(model, source, ids, c.token == 0), abs=1e-5)
                if c.fate == "kept":
                    following.append(ids)
                elif c.fate == "complete":
                    complete.append(Hypothesis(ids, c.log_p, True))
            assert candidates == sorted(candidates, key=lambda c: -c.log_p)
            assert len(candidates) == 2 * width or len(beginnings) == 1
            beginnings = following
            assert len(beginnings) == width
        assert sorted(complete, key=lambda h: -h.score(LENGTH_PENALTY))[:width] == found[row]


def test_tokens_are_drawn_with_their_probabilities() -> None:
    model = trained()
    x = np.tile(np.array([[3, 1, 0]]), (4000, 1))
    generator = torch.Generator().manual_seed(0)
    drawn = translate(model, torch.from_numpy(x), 1, stop=0, rule=SamplingRule(temperature=1.0), generator=generator)
    counts = np.bincount([h.ids[0] if h.ids else 0 for h in drawn], minlength=V) / len(x)
    expected = [math.exp(log_p_of(model, x[0], (token,) if token else (), not token)) for token in range(V)]
    np.testing.assert_allclose(counts, expected, rtol=0, atol=0.03)  # four standard errors
    again = written(model, x[:5], rule=SamplingRule(temperature=2.0), generator=torch.Generator().manual_seed(1))
    assert again == written(
        model, x[:5], rule=SamplingRule(temperature=2.0), generator=torch.Generator().manual_seed(1)
    )
    assert len({h.ids for h in again}) > 1


def test_a_target_is_cut_where_it_may_not_go_on() -> None:
    model, x = trained(0), sources()
    with torch.no_grad():
        end = model.embedding.weight[0]
        end.fill_(-10.0)  # its logit is about -160
        model.decoder_norm.get_parameter("bias").add_(1.0)
    for width in (1, 3):
        for h in translate(model, torch.from_numpy(x), 2, stop=0, beams=width):
            assert len(h.ids) == 2
            assert not h.ended
        assert {len(h.ids) for h in written(model, x, beams=width)} == {BLOCK - 1}
        assert {h.ids for h in translate(model, torch.from_numpy(x), 0, stop=0, beams=width)} == {()}


def test_what_cannot_be_done_is_said() -> None:
    model, x = trained(), torch.from_numpy(sources())
    with pytest.raises(ValueError, match="beams must be at least 1, got 0"):
        translate(model, x, 3, stop=0, beams=0)
    with pytest.raises(UserError, match="beam search draws nothing: use 1 beam or temperature 0, got 2 beams"):
        translate(model, x, 3, stop=0, beams=2, rule=SamplingRule())
    with pytest.raises(ValueError, match="max_new_tokens must be 0 or more, got -1"):
        translate(model, x, -1, stop=0)
