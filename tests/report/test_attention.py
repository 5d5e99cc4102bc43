"""What a model looked at, drawn for a prompt: the weights on the picture are those of its forward pass."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.models import Transformer, build_model, inference
from gradus.models.inside import attention, embedding, translation_attention
from gradus.models.layers import MultiHeadAttention
from gradus.report.attention import draw_attention, sharpest
from gradus.text import CharTokenizer, Corpus

TOKENIZER = CharTokenizer.train(Corpus("letters", "documents", "", documents=("abcdefgh",)))
SIZE: dict[str, Any] = {"vocab_size": TOKENIZER.vocab_size, "block_size": 8, "n_layer": 2, "n_head": 2, "n_embd": 16}


def transformer(**settings: Any) -> Transformer:
    torch.manual_seed(0)
    model = build_model("transformer", **SIZE, **settings)
    assert isinstance(model, Transformer)
    return model


def test_the_attention_of_a_pair_is_that_of_its_layers() -> None:
    model = transformer()
    source, target = np.array([3, 1, 4, 0]), np.array([0, 4, 1, 3, 5, 0])
    found = translation_attention(model, source, target)
    assert [weights.shape for weights in found.encoder] == [(2, 4, 4)] * 2
    assert [weights.shape for weights in found.decoder] == [(2, 5, 5)] * 2
    assert [weights.shape for weights in found.cross] == [(2, 5, 4)] * 2
    for weights in (*found.encoder, *found.decoder, *found.cross):
        np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=0, atol=1e-5)
    assert not np.triu(found.decoder[0][0], 1).any()
    inputs: dict[Any, Any] = {}
    first = model.decoder[0]
    assert isinstance(first.cross_attention, MultiHeadAttention)
    handle = first.cross_attention.register_forward_hook(lambda module, given, _: inputs.update({module: given}))
    with inference(model):
        model(torch.from_numpy(source[None]), torch.from_numpy(target[None]))
        handle.remove()
        x, memory = inputs[first.cross_attention][:2]
        q, k = (
            linear(values).numpy()[0].reshape(-1, 2, 8).swapaxes(0, 1)
            for linear, values in ((first.cross_attention.query, x), (first.cross_attention.key, memory))
        )
    weights = np.exp(q @ k.swapaxes(1, 2) / math.sqrt(8))
    np.testing.assert_allclose(found.cross[0], weights / weights.sum(axis=2, keepdims=True), rtol=0, atol=1e-5)


def test_a_translation_is_drawn_with_the_prompt_above_and_the_answer_beside() -> None:
    model = transformer()
    figure = draw_attention(model, TOKENIZER, "cab", "bad")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["c", "a", "b", "↵"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a", "d", "↵"]
    ids = [TOKENIZER.encode(text) for text in ("cab", "bad")]
    cross = translation_attention(model, np.append(ids[0], 0), np.array([0, *ids[1], 0])).cross
    means = [weights.mean(axis=0) for weights in cross]
    np.testing.assert_allclose(np.asarray(axes.images[0].get_array()), means[sharpest(means)], rtol=0, atol=1e-6)


def test_the_sharpest_layer_is_the_one_that_looks_at_one_word_at_a_time() -> None:
    assert sharpest([np.full((3, 4), 0.25), np.eye(3, 4), np.full((3, 4), 0.25)]) == 1


@pytest.mark.parametrize(("name", "tokens"), [("gpt", "cabb"), ("encoder", "↵cabb↵")])
def test_all_heads_of_a_model_of_one_text_are_drawn(name: str, tokens: str) -> None:
    torch.manual_seed(0)
    model = build_model(name, **SIZE)
    axes = draw_attention(model, TOKENIZER, "cabb").axes
    assert len(axes) == 4
    assert [label.get_text() for label in axes[0].get_yticklabels()] == list(tokens)
    ids = TOKENIZER.encode("cabb") if name == "gpt" else np.array([0, *TOKENIZER.encode("cabb"), 0])
    for place, weights in enumerate(np.concatenate(attention(model, ids))):
        np.testing.assert_allclose(np.asarray(axes[place].images[0].get_array()), weights, rtol=0, atol=1e-6)


def test_the_vectors_of_an_encoder_are_without_that_of_its_mask() -> None:
    vectors = embedding(build_model("encoder", **SIZE))
    assert vectors is not None
    assert vectors.shape == (TOKENIZER.vocab_size, 16)


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(UserError, match="--attention needs a --prompt"):
        draw_attention(transformer(), TOKENIZER, "")
    with pytest.raises(UserError, match="trained without cross-attention: it does not see the prompt"):
        draw_attention(transformer(cross_attention=False), TOKENIZER, "cab", "b")
    with pytest.raises(UserError, match="the model Bigram has no attention to draw"):
        draw_attention(build_model("bigram", vocab_size=9, block_size=8), TOKENIZER, "cab")
    with pytest.raises(UserError, match="the prompt has 9 tokens, and the model reads at most 8"):
        draw_attention(build_model("gpt", **SIZE), TOKENIZER, "abcdefgha")
