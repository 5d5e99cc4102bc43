"""Models by name: what is built, and the one line that each wrong setting gets."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

import gradus.models
from gradus.errors import UserError
from gradus.models import GPT, MODELS, GPTConfig, build_model


def test_settings_arrive_and_the_others_keep_their_defaults() -> None:
    model = build_model("gpt", vocab_size=9, block_size=5, n_layer=1, dropout=0)
    assert type(model) is GPT
    assert model.config == GPTConfig(9, 5, n_layer=1, n_head=4, n_embd=128, dropout=0.0, bias=False)


def test_every_configuration_begins_with_what_the_text_decides() -> None:
    for config, _ in MODELS.values():
        assert [field.name for field in fields(config)][:2] == ["vocab_size", "block_size"]


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("gtp", {}, "no model is called 'gtp': did you mean 'gpt'?"),
        ("xyz", {}, f"no model is called 'xyz': choose one of {', '.join(MODELS)}"),
        ("gpt", {"n_heads": 4}, "gpt has no setting 'n_heads': did you mean 'n_head'?"),
        ("bigram", {"order": 2}, "bigram has no setting 'order': choose one of vocab_size, block_size"),
        ("gpt", {"n_layer": "4"}, "n_layer must be of type int, got '4'"),
        ("gpt", {"n_layer": 4.0}, "n_layer must be of type int, got 4.0"),
        ("gpt", {"n_layer": True}, "n_layer must be of type int, got True"),
        ("gpt", {"bias": 1}, "bias must be of type bool, got 1"),
        ("gpt", {"n_embd": 10, "n_head": 4}, "n_embd must be a multiple of n_head, got n_embd 10 and n_head 4"),
        ("gpt", {"n_head": 0}, "n_head must be at least 1, got 0"),
        ("gpt", {"dropout": 1.0}, "dropout must be at least 0 and less than 1, got 1.0"),
        ("gpt", {"dropout": float("nan")}, "dropout must be at least 0 and less than 1, got nan"),
        ("ngram", {"order": 0}, "order must be at least 1, got 0"),
        ("ngram", {"method": "additive", "smoothing": -0.5}, "smoothing must be 0 or more, got -0.5"),
        ("ngram", {"method": "additive", "smoothing": float("inf")}, "smoothing must be 0 or more, got inf"),
        ("ngram", {"method": "katz"}, "method must be one of additive, kneser-ney, modified-kneser-ney, got 'katz'"),
        ("ngram", {"method": 3}, "method must be one of additive, kneser-ney, modified-kneser-ney, got 3"),
        ("ngram", {"smoothing": 1.0}, "smoothing is for the method additive, not for modified-kneser-ney"),
        ("ngram", {"method": "additive", "discount": 0.5}, "discount is for the method kneser-ney, not for additive"),
        ("ngram", {"method": "kneser-ney", "discount": 0.0}, "discount must be greater than 0 and at most 1, got 0.0"),
        ("nplm", {"context": 0}, "context must be at least 1, got 0"),
        ("mlp", {"norm": "batchnorm"}, "norm must be one of none, batch, layer, group, rms, got 'batchnorm'"),
        (
            "mlp",
            {"norm": "group", "n_hidden": 20},
            "n_hidden must be a multiple of norm_groups, got n_hidden 20 and norm_groups 8",
        ),
        ("bigram", {"vocab_size": 0}, "vocab_size must be at least 1, got 0"),
        ("nplm", {"block_size": -1}, "block_size must be at least 1, got -1"),
    ],
)
def test_what_cannot_be_built_is_said_in_one_line(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        build_model(name, **{"vocab_size": 9, "block_size": 5, **settings})
    assert str(error.value) == message


def test_every_public_name_can_be_imported() -> None:
    assert [name for name in gradus.models.__all__ if not hasattr(gradus.models, name)] == []
    with pytest.raises(AttributeError, match="no attribute 'lstm'"):
        _ = gradus.models.lstm
