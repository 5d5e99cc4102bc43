"""What models that do not continue texts answer to one."""

from __future__ import annotations

from typing import Any

import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.generation import fill_masks, label_probabilities, translate, translations
from gradus.models import Encoder, EncoderConfig, Transformer, TransformerConfig, inference
from gradus.text import CharTokenizer

CHARS = CharTokenizer(["\n", *"abcdefgh "])
SIZE: dict[str, Any] = {"vocab_size": CHARS.vocab_size, "block_size": 12, "n_layer": 1, "n_head": 2, "n_embd": 16}
TEXTS = ["abc", "gh", "aaaa", "fed cba", "b", "abc"]


def test_translations_come_in_the_order_of_the_texts_and_as_each_alone() -> None:
    torch.manual_seed(3)
    model = Transformer(TransformerConfig(**SIZE))
    for beams in (1, 3):
        found = translations(model, CHARS, TEXTS, beams=beams)
        for text, target in zip(TEXTS, found, strict=True):
            source = torch.tensor([[*CHARS.encode(text).tolist(), 0]])
            (alone,) = translate(model, source, 12, stop=0, beams=beams)
            assert target == CHARS.decode(list(alone.ids)).strip()
    with pytest.raises(UserError, match="the text has 13 tokens with its end, and the model reads at most 12"):
        translations(model, CHARS, ["a" * 12])
    with pytest.raises(UserError, match="nothing to translate"):
        translations(model, CHARS, [" "])


def test_probabilities_of_labels_are_those_of_each_text_alone() -> None:
    torch.manual_seed(3)
    model = Encoder(EncoderConfig(**SIZE, n_labels=3))
    found = label_probabilities(model, CHARS, TEXTS)
    assert found.shape == (6, 3)
    for text, p in zip(TEXTS, found, strict=True):
        with inference(model):
            logits, _ = model(torch.tensor([[0, *CHARS.encode(text).tolist(), 0]]))
        assert p.tolist() == pytest.approx(torch.softmax(logits[0], dim=-1).tolist(), rel=1e-5)
    cut = label_probabilities(model, CHARS, ["abcabcabca", "abcabcabca" + "hhh"])
    assert cut[0].tolist() == pytest.approx(cut[1].tolist())


def test_hidden_tokens_are_named_with_their_probabilities() -> None:
    torch.manual_seed(3)
    model = Encoder(EncoderConfig(**SIZE))
    first, second = fill_masks(model, CHARS, "a[MASK]c [MASK]", top=10)
    assert sum(p for _, p in first) == pytest.approx(1)
    assert [p for _, p in second] == sorted((p for _, p in second), reverse=True)
    with inference(model):
        ids = [0, 1, CHARS.vocab_size, 3, 9, CHARS.vocab_size, 0]
        logits, _ = model(torch.tensor([ids]))
    expected = torch.softmax(logits[0, 5], dim=-1)
    assert dict(second) == pytest.approx({CHARS.decode([i]): expected[i].item() for i in range(10)}, rel=1e-5)
    with pytest.raises(UserError, match=r"write \[MASK\] for a token"):
        fill_masks(model, CHARS, "abc")
    with pytest.raises(UserError, match="the prompt has 11 tokens, and the model reads at most 10"):
        fill_masks(model, CHARS, "abcabcabca[MASK]")
