"""What the tests look at: models of a few random weights, in memory, and a run on disk that has hardly been trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradus.backend import torch
from gradus.explorer import Opened
from gradus.models import build_model
from gradus.report.train import train_run
from gradus.text import CharTokenizer
from gradus.training import RunFolder, create_run, set_up_new, write_beginning

TEXT = "the cat sat on the mat and the dog sat on the log. "


def opened(name: str = "gpt", *, block_size: int = 16, text: str = TEXT, **settings: Any) -> Opened:
    """A model with random weights over the characters of a text."""
    torch.manual_seed(5)
    tokenizer = CharTokenizer(sorted(set(text)))
    if name == "gpt":
        settings = {"n_layer": 2, "n_head": 2, "n_embd": 16, **settings}
    model = build_model(name, vocab_size=tokenizer.vocab_size, block_size=block_size, **settings)
    return Opened.of(model, tokenizer, f"random {name}")


def run(folder: Path, model: str = "gpt", *, steps: int = 20, diagnose: bool = False, **settings: Any) -> RunFolder:
    """A run of a few steps on a made-up text, in folder/MODEL."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text.txt").write_text(TEXT * 40)
    if model == "gpt":
        settings = {"n_layer": 2, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 4, **settings}
    setup = set_up_new({"corpus": str(folder / "text.txt"), "model": model, "steps": steps, **settings})
    made = create_run(setup, folder / model)
    with made.in_use():
        write_beginning(made, setup)
        train_run(made, setup, diagnose=diagnose)
    return made
