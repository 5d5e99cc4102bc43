"""A translation looked at: its probabilities against the model's own loss, attention against the formula by hand, the
tree of the beam against a search over all texts."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.explorer import VIEWS, Opened, to_wire
from gradus.explorer.forward.translation import beam, translation, translation_row
from gradus.generation import translations
from gradus.models import Transformer
from tests.explorer.models import opened

SIZES: dict[str, Any] = {"n_layer": 2, "n_head": 2, "n_embd": 16}


def translator(text: str = "#abcde ", **settings: Any) -> Opened:
    run = opened("transformer", text=text, **{**SIZES, **settings})
    run.text_kind = "pairs"
    run.tokenizer.separator = run.tokenizer.encode("#").item()
    with torch.no_grad():
        for parameter in run.model.parameters():
            parameter.mul_(1.5)
    return run


def model_of(run: Opened) -> Transformer:
    assert isinstance(run.model, Transformer)
    return run.model


def rows(run: Opened, source: str, target: str) -> list[Any]:
    return [torch.tensor([run.encode(text).tolist()]) for text in (f"{source}#", f"#{target}#")]


def test_the_words_have_the_probabilities_of_the_models_loss() -> None:
    run = translator()
    page = translation(run, "abc", "cba d")
    _, loss = run.model(*rows(run, "abc", "cba d"))
    assert loss is not None
    assert -page["log_p"].mean() == pytest.approx(loss.item(), abs=1e-5)
    assert "".join(page["source"]["pieces"]) == "abc#"
    assert "".join(page["read"]["pieces"]) == "#cba d"
    assert "".join(page["written"]["pieces"]) == "cba d#"
    assert not page["own"]
    for rank, piece, likeliest in zip(page["rank"], page["written"]["pieces"], page["likeliest"], strict=True):
        assert (rank == 1) == (piece == likeliest)


@pytest.mark.parametrize("width", [1, 4])
def test_without_a_target_the_model_writes_it(width: int) -> None:
    run = translator()
    page = translation(run, "abc", beams=width)
    (expected,) = translations(model_of(run), run.tokenizer, ["abc"], beams=width)
    assert page["own"]
    assert "".join(page["read"]["pieces"][1:]).strip() == expected


def test_attention_is_the_formula_by_hand() -> None:
    """The encoder and the decoder, layer by layer, with their attentions written out, in NumPy."""
    run = translator()
    model = model_of(run)
    source, target = rows(run, "abcd", "ba")
    found: dict[tuple[str, int], Any] = {}

    def attend(attention: Any, x: Any, seen: Any, name: tuple[str, int], *, causal: bool = False) -> Any:
        q, k, v = (
            m(of).numpy().reshape(of.shape[0], 2, 8).transpose(1, 0, 2)
            for m, of in ((attention.query, x), (attention.key, seen), (attention.value, seen))
        )
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(8)
        if causal:
            scores[:, np.triu(np.ones(scores.shape[1:]), 1) > 0] = -np.inf
        weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
        found[name] = weights
        return attention.output(torch.from_numpy((weights @ v).transpose(1, 0, 2).reshape(len(x), 16)))

    with torch.no_grad():
        x = model.embedding(source[0]) * 4 + model.positions[: source.shape[1]]
        for i, layer in enumerate(model.encoder):
            h = layer.add_1.norm(x)
            x = x + attend(layer.attention, h, h, ("encoder", i))
            x = x + layer.feed_forward(layer.add_2.norm(x))
        memory = model.encoder_norm(x)
        y = model.embedding(target[0, :-1]) * 4 + model.positions[: target.shape[1] - 1]
        for i, layer in enumerate(model.decoder):
            h = layer.add_1.norm(y)
            y = y + attend(layer.attention, h, h, ("decoder", i), causal=True)
            y = y + attend(layer.cross_attention, layer.add_2.norm(y), memory, ("cross", i))
            y = y + layer.feed_forward(layer.add_3.norm(y))
    for (part, layer), expected in found.items():
        page = translation(run, "abcd", "ba", part, layer)
        np.testing.assert_allclose(page["weights"].array, expected, atol=1e-5)
        for row in range(expected.shape[1]):
            one = translation_row(run, "abcd", "ba", part, layer, 1, row)
            n = row + 1 if part == "decoder" else expected.shape[2]
            np.testing.assert_allclose(one["weights"], expected[1, row, :n], atol=1e-5)
            np.testing.assert_allclose(one["keys"] @ one["query"] / math.sqrt(8), one["scores"], rtol=1e-4, atol=1e-6)
    assert len(found) == 6


def test_the_tree_is_the_search() -> None:
    run = translator()
    page = beam(run, "abc", beams=3)
    (expected,) = translations(model_of(run), run.tokenizer, ["abc"], beams=3)
    assert page["found"][0]["text"] == expected
    nodes = {c["node"]: c for step in page["steps"] for c in step} | {0: {"log_p": 0.0}}
    assert len(nodes) == 1 + sum(map(len, page["steps"]))
    for i, step in enumerate(page["steps"]):
        before = {0} if i == 0 else {c["node"] for c in page["steps"][i - 1] if c["fate"] == "kept"}
        for c in step:
            assert c["parent"] in before
            assert c["log_p"] == pytest.approx(nodes[c["parent"]]["log_p"] + c["step_log_p"])
        going = [c["log_p"] for c in step if c["fate"] == "kept"]
        assert going == sorted(going, reverse=True)
        assert len(going) == 3
    scores = [h["score"] for h in page["found"]]
    assert scores == sorted(scores, reverse=True)
    for h in page["found"]:
        assert [nodes[node]["piece"] for node in h["path"]] == [*h["pieces"], *(["#"] if h["ended"] else [])]
        assert h["log_p"] == pytest.approx(nodes[h["path"][-1]]["log_p"])
        assert h["divisor"] == pytest.approx(((5 + h["length"]) / 6) ** 0.6)
        assert h["score"] == pytest.approx(h["log_p"] / h["divisor"])
        assert nodes[h["path"][-1]]["fate"] == ("complete" if h["ended"] else "kept")


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_a_beam_as_wide_as_all_texts_finds_the_best_of_them(length_penalty: float) -> None:
    run = translator("#ab", block_size=5)
    page = beam(run, "ab", beams=30, length_penalty=length_penalty)
    scores = {}
    for n in range(4):
        for letters in product("ab", repeat=n):
            text = "".join(letters)
            _, loss = run.model(*rows(run, "ab", text))
            assert loss is not None
            scores[text] = -loss.item() * (n + 1) / ((5 + n + 1) / 6) ** length_penalty
    best = sorted(scores, key=lambda text: -scores[text])
    assert [h["text"] for h in page["found"]] == best
    for h in page["found"]:
        assert h["score"] == pytest.approx(scores[h["text"]], abs=1e-5)


def test_a_model_without_cross_attention_says_so() -> None:
    run = translator(cross_attention=False)
    assert translation(run, "abc", "ba")["weights"] is None
    assert translation(run, "abc", "ba", "decoder")["weights"].array.shape == (2, 3, 3)
    with pytest.raises(UserError, match="without cross-attention"):
        translation_row(run, "abc", "ba")


def test_what_is_not_there_is_said_in_a_line() -> None:
    run = translator()
    wrong: list[tuple[Callable[[], Any], str]] = [
        (lambda: translation(run, " "), "there is nothing to translate"),
        (lambda: translation(run, "abcde" * 4), "the text has 21 tokens with its end, and the model reads at most 16"),
        (lambda: translation(run, "a", "abcde" * 4), "the translation has 21 tokens with its end, .* at most 16"),
        (lambda: translation(run, "a", "b", "cross", 2), "the model has 2 layers, from 0: there is no layer 2"),
        (lambda: translation_row(run, "a", "b", row=2), "there are 2 heads of 2 rows, got head 0, row 2"),
        (lambda: beam(opened(), "the"), "a model of the kind gpt does not translate"),
    ]
    for call, message in wrong:
        with pytest.raises(UserError, match=message):
            call()


def test_the_views_travel() -> None:
    for name in ("forward/translation", "forward/translation/row", "forward/beam"):
        to_wire(VIEWS[name].function(translator(), **VIEWS[name].parse({"text": "abc"})))
