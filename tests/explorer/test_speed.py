"""How long a picture takes. The bound is for machines that are busy; docs/explore.md has what was measured."""

from __future__ import annotations

import time

import pytest

from gradus.backend import torch
from gradus.explorer import VIEWS, Opened
from gradus.models import build_model
from gradus.text import CharTokenizer

SHOWN = (
    "about",
    "tokens",
    *(f"forward/{name}" for name in ("map", "next", "embedding", "heads", "attention", "residual", "lens", "units")),
)


@pytest.mark.slow
def test_124_million_parameters_show_a_text_of_32_tokens_in_seconds() -> None:
    """GPT-2's sizes with random weights."""
    letters = [chr(0x4E00 + i) for i in range(20_000)] + [chr(0x20000 + i) for i in range(30_256)]
    tokenizer = CharTokenizer(letters)
    torch.manual_seed(1)
    sizes = {"n_layer": 12, "n_head": 12, "n_embd": 768, "bias": True}
    model = build_model("gpt", vocab_size=tokenizer.vocab_size, block_size=1024, **sizes)
    gpt = Opened.of(model, tokenizer)
    assert model.num_parameters() > 124e6
    shown(gpt, "".join(letters[:32]))  # compiles loops, once on a machine
    begun = time.perf_counter()
    shown(gpt, "".join(letters[32:64]))
    took = time.perf_counter() - begun
    print(f"{took:.2f} s")
    assert took < 15


def shown(gpt: Opened, text: str) -> None:
    """What the Forward tab asks for when a text is typed."""
    for name in SHOWN:
        view = VIEWS[name]
        view.function(gpt, **{**view.parse({}), **({"text": text} if "text" in view.parameters else {})})
