"""The sampling that is shown is the sampling that is done: against the text that `gradus sample` writes, NumPy's
softmax and cuts, the Mersenne Twister's own words, and PyTorch's multinomial."""

from __future__ import annotations

import json
import math
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.explorer import VIEWS, Opened, to_wire
from gradus.explorer.sampling import sampling
from gradus.generation import SamplingRule, generate, samples, translations
from gradus.models import Mixture, NGram, Transformer
from tests.explorer.models import TEXT, opened

RULE: dict[str, Any] = {"temperature": 0.7, "top_k": 9, "top_p": 0.9, "min_p": 0.05, "repetition_penalty": 1.3}
KINDS = ("gpt", "modern", "bigram", "nplm", "mlp", "wavenet", "recurrent", "mixture", "ngram")


def of_kind(kind: str) -> Opened:
    sizes: dict[str, Any] = {"n_layer": 1, "n_head": 2, "n_embd": 16}
    network = json.dumps({"name": "gpt", **sizes})
    settings = {"modern": sizes, "transformer": sizes, "mixture": {"network": network, "order": 3}}
    run = opened(kind, **settings.get(kind, {}))
    if isinstance(run.model, NGram | Mixture):
        ids = run.encode(TEXT)[None]
        run.model.count(ids[:, :-1], ids[:, 1:])
    return run


def mt_doubles(seed: int, n: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """n numbers in [0, 1) of 53 bits, from the Twister's words."""
    words = np.random.RandomState(seed).randint(0, 2**32, size=2 * n, dtype=np.uint64)
    bits = (words[::2] << np.uint64(32) | words[1::2]) & np.uint64(2**53 - 1)
    return bits.astype(np.float64) * 2.0**-53


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", [{}, RULE, {"temperature": 0.0}])
def test_the_steps_write_what_sample_writes(kind: str, rule: dict[str, Any]) -> None:
    run = of_kind(kind)
    made = samples(run.model, run.tokenizer, "stream", prompt="the ", length=30, rule=SamplingRule(**rule), seed=5)
    expected = "".join(next(made))
    shown = [sampling(run, "the ", step, seed=5, **rule) for step in (29, 3, 12)]  # back and forth
    assert shown[0]["texts"] == [expected]
    assert shown[1]["texts"] == [expected[: 4 + 4]]
    assert shown[2]["texts"] == [expected[: 4 + 13]]
    assert "".join(token["piece"] for token in shown[0]["written"]) == expected[4:]
    for page in shown:
        assert page["draw"]["piece"] == expected[4 + page["step"]]
        assert page["pieces"][page["draw"]["rank"]] == page["draw"]["piece"]


def test_documents_follow_each_other_as_sample_prints_them() -> None:
    run = opened(text="." + TEXT.replace(".", ""))  # the separator is the space, the first of the alphabet
    run.text_kind = "documents"
    made = samples(run.model, run.tokenizer, "documents", prompt="th", seed=2)
    expected = ["".join(pieces) for pieces in islice(made, 3)]
    last = sum(len(text) - 2 + 1 for text in expected) - 1  # with the ends
    page = sampling(run, "th", last, seed=2)
    assert page["texts"] == expected
    assert [token["document"] for token in page["written"] if token["end"]] == [0, 1, 2]
    assert page["written"][-1]["end"]


def test_each_stage_is_what_its_definition_says() -> None:
    run = opened()
    page = sampling(run, "the dog sat on", 6, seed=3, **RULE)
    order, V = page["order"], run.config.vocab_size
    before = [*run.encode("the dog sat on"), *(token["id"] for token in page["written"][:-1])]
    logits = run.model(torch.tensor([before[-run.block_size :]]))[0][0, -1].detach().numpy()
    np.testing.assert_allclose(page["logits"], logits[order], atol=1e-5)
    assert sorted(order) == list(range(V))
    assert (np.diff(page["logits"]) <= 0).all()
    z = page["logits"].astype(np.float64)
    seen = np.isin(order, before)
    np.testing.assert_array_equal(page["seen"], seen)

    def softmax(z: Any) -> Any:
        e = np.exp(z - z.max())
        return e / e.sum()

    expected = {"logits": softmax(z)}
    z = np.where(seen, np.where(z < 0, z * 1.3, z / 1.3), z)
    expected["repetition_penalty"] = softmax(z)
    z = z / 0.7
    expected["temperature"] = softmax(z)
    z = np.where(z >= np.sort(z)[-9], z, -np.inf)
    expected["top_k"] = softmax(z)
    down = np.argsort(-z, kind="stable")
    least = np.searchsorted(np.cumsum(softmax(z)[down]), 0.9) + 1
    z = np.where(np.isin(np.arange(V), down[:least]), z, -np.inf)
    expected["top_p"] = softmax(z)
    z = np.where(softmax(z) >= 0.05 * softmax(z).max(), z, -np.inf)
    expected["min_p"] = softmax(z)
    assert [stage["name"] for stage in page["stages"]] == list(expected)
    for stage in page["stages"]:
        np.testing.assert_allclose(stage["p"], expected[stage["name"]], atol=1e-6)
        np.testing.assert_array_equal(stage["kept"], expected[stage["name"]] > 0)
        assert stage["left"] == (expected[stage["name"]] > 0).sum()
    assert [stage["active"] for stage in sampling(run, "the ")["stages"]] == [True, False, True, False, False, False]


def test_the_race_is_the_generators_and_its_winner_the_token() -> None:
    run = opened()
    V = run.config.vocab_size
    u = mt_doubles(11, 5 * V).reshape(5, V)  # the numbers of five draws
    for step in range(5):
        page = sampling(run, "the ", step, seed=11, temperature=1.5)
        p = np.empty(V)
        p[page["order"]] = page["stages"][2]["p"]
        q = -np.log1p(-u[step])
        racers = page["draw"]["racers"]
        assert page["draw"]["drawn"] == V
        assert racers[0]["id"] == page["draw"]["token"] == np.argmax(p / q)
        assert [racer["id"] for racer in racers] == np.argsort(-p / q)[:12].tolist()
        for racer in racers:
            id_ = racer["id"]
            assert racer["u"] == u[step, id_]
            assert racer["q"] == pytest.approx(q[id_], rel=1e-6)
            assert racer["p"] == pytest.approx(p[id_], rel=1e-6)
            assert racer["ratio"] == pytest.approx(p[id_] / q[id_], rel=1e-5)
            rival = max(p[j] / q[j] for j in range(V) if j != id_)
            assert racer["needed"] == pytest.approx(1 - math.exp(-p[id_] / rival), rel=1e-5)
            assert (racer["u"] < racer["needed"]) == (racer is racers[0])


def test_the_race_is_pytorchs() -> None:
    pytorch = pytest.importorskip("torch")
    run, generator = opened(), pytorch.Generator().manual_seed(7)
    for step in range(20):
        page = sampling(run, "the ", step, seed=7)
        p = pytorch.zeros(run.config.vocab_size)
        p[pytorch.from_numpy(page["order"])] = pytorch.from_numpy(page["stages"][2]["p"].copy())
        assert int(pytorch.multinomial(p, 1, generator=generator)) == page["draw"]["token"]


def test_greedy_steps_draw_nothing() -> None:
    draw = sampling(opened(), "the ", 4, temperature=0.0)["draw"]
    assert draw["greedy"]
    assert draw["rank"] == 0
    assert draw["p"] == 1
    assert draw["racers"] == []


@pytest.mark.parametrize("temperature", [None, 0.0, 1.5])
def test_a_translation_is_walked_along_to_its_end(temperature: float | None) -> None:
    run = of_kind("transformer")
    assert isinstance(run.model, Transformer)
    rule = SamplingRule(temperature or 0.0)
    expected = translations(run.model, run.tokenizer, ["the cat"], rule=rule, seed=4)
    page = sampling(run, "the cat", 500, seed=4, temperature=temperature)
    assert page["texts"] == expected
    assert page["ended"]
    assert page["step"] == len(page["written"]) - 1 < 16
    assert not sampling(run, "the cat", 0, seed=4, temperature=temperature)["ended"] or page["step"] == 0


def test_a_long_walk_is_that_of_generate_beyond_the_block() -> None:
    run = opened()
    row = torch.from_numpy(run.encode("the cat")[None])
    expected = generate(run.model, row, 60, generator=torch.Generator().manual_seed(1))[0].tolist()
    page = sampling(run, "the cat", 59, seed=1)
    assert [token["id"] for token in page["written"]] == expected[7:]


def test_a_model_that_goes_on_learning_is_sampled_as_it_is_now() -> None:
    run = opened()
    before = sampling(run, "the ", 8)["texts"]
    with torch.no_grad():
        for parameter in run.model.parameters():
            parameter.mul_(3.0)
    assert sampling(run, "the ", 8)["texts"] != before


def test_what_cannot_be_sampled_is_said_in_a_line() -> None:
    run = opened()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"text": "Ω"}, "unknown character 'Ω'"),
        ({"step": 1000}, "at most 1,000 steps are kept: step must be less, got 1000"),
        ({"top_k": 0}, "top_k must be 1 or more"),
    ]
    for arguments, message in wrong:
        with pytest.raises(UserError, match=message):
            sampling(run, **arguments)
    with pytest.raises(UserError, match="reads whole texts and writes none"):
        sampling(opened("encoder", n_layer=1, n_head=2, n_embd=16), "the")
    with pytest.raises(UserError, match="there is nothing to translate"):
        sampling(of_kind("transformer"), " ")
    with pytest.raises(UserError, match="the model cannot continue"):
        sampling(opened("ngram", method="additive", smoothing=0.0), "the")


def test_the_page_of_a_large_vocabulary_has_the_likeliest_tokens_and_all_in_columns() -> None:
    run = opened(text="".join(chr(0x4E00 + i) for i in range(1003)))
    rule: dict[str, Any] = {"top_k": 300, "temperature": 20.0}
    seed = next(s for s in range(100) if sampling(run, "一", 2, s, **rule)["draw"]["rank"] >= 200)
    given = VIEWS["sampling"].parse({"text": "一", "step": "2", "seed": f"{seed}", "top_k": "300", "temperature": "20"})
    page, whole = VIEWS["sampling"].function(run, **given), sampling(run, "一", 2, seed, **rule)
    rank, V = whole["draw"]["rank"], 1003
    assert page["ranks"] == [*range(200), rank]
    assert page["pieces"][-1] == whole["draw"]["piece"]
    edges = [c * V // 400 for c in range(401)]
    for short, long in zip(page["stages"], whole["stages"], strict=True):
        assert short["active"] == long["active"]
        if long["active"]:
            np.testing.assert_array_equal(short["p"], long["p"][page["ranks"]])
            for c, (start, end) in enumerate(pairwise(edges)):
                assert short["columns"][c] == long["p"][start:end].max()
                assert short["columns_kept"][c] == long["kept"][start:end].any()
    assert len(json.dumps(to_wire(page))) < 60_000
