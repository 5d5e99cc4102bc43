"""GPT-2 itself, 124 million parameters: it trains from scratch here, and the released weights, where they are, say what
they say elsewhere."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from gradus.backend import torch
from gradus.files import sha256_of
from gradus.generation import SamplingRule, generate
from gradus.hub import import_run
from gradus.hub.download import RELEASES
from gradus.models import inference
from gradus.text import gpt2_tokenizer
from gradus.training import load_model, set_up_new


@pytest.mark.slow
def test_the_first_loss_of_gpt2_is_near_that_of_guessing(data_folder: Path) -> None:
    setup = set_up_new(
        {"corpus": str(data_folder / "tinyshakespeare.txt"), "preset": "gpt2", "block_size": 256, "batch_size": 1}
    )
    assert setup.model.num_parameters() == 124_439_808 - (1024 - 256) * 768
    with inference(setup.model):
        x, y = setup.batches.batch(0)
        loss = setup.model(torch.from_numpy(x), torch.from_numpy(y))[1].item()
    assert loss == pytest.approx(math.log(50_257), abs=0.3)  # the head's initial logits have a small variance


@pytest.mark.slow
def test_the_released_weights_give_the_known_logits_and_words(tmp_path: Path) -> None:
    """Needs a folder with openai-community/gpt2's config.json and model.safetensors, GRADUS_GPT2."""
    if not os.environ.get("GRADUS_GPT2"):
        pytest.skip("GRADUS_GPT2 does not name a folder with the released config.json, model.safetensors and tokenizer")
    folder = Path(os.environ["GRADUS_GPT2"])
    assert sha256_of(folder / "model.safetensors") == RELEASES["gpt2"].sums["model.safetensors"]
    model, tokenizer = load_model(import_run(folder, tmp_path / "run")), gpt2_tokenizer()
    prompt = torch.from_numpy(tokenizer.encode("Hello, I'm a language model,"))[None]
    with inference(model):
        logits = model(prompt)[0][0, -1]
    known = {" not": -94.6874, " and": -94.768, " I": -95.112, " so": -95.482, " but": -95.506}
    for word, value in known.items():
        assert logits[tokenizer.encode(word)[0]].item() == pytest.approx(value, abs=1e-3)
    words = tokenizer.decode(generate(model, prompt, 24, SamplingRule(temperature=0))[0, prompt.size(1) :].tolist())
    expected = " not a programming language. I'm a language model. I'm a language model. I'm a language model. I'm"
    assert words[: len(expected)] == expected[: len(words)]
