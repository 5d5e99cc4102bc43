"""What a loss on the dev split is worth: the lines that guessing, letter frequencies and counts of pairs and triples
reach on it. A network that learns passes them one after the other."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.backend import torch
from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.explorer.forward.context import softmax
from gradus.explorer.learning.curves import folder_of
from gradus.explorer.opened import Opened
from gradus.explorer.view import View
from gradus.models import NOT_SCORED, LanguageModel, build_model, device_of, inference
from gradus.text import make_rows
from gradus.text.tokenizer import Ids
from gradus.training import RunFolder, Setup, reopen
from gradus.training.prepare import rows_for

Floats = NDArray[np.float64]

ORDERS = {"unigram": 1, "bigram": 2, "trigram": 3}
COUNTED = 20_000_000  # characters of a text at most that are counted
ROWS = 256  # at a time
LOOKED_AT = 2048  # tokens of dev on which a moment is measured

_lock = threading.RLock()
_kept: dict[tuple[str, str], DevText] = {}


@dataclass(frozen=True)
class DevText:
    """The text of a run, and what is measured on its dev split."""

    setup: Setup

    @cached_property
    def counts(self) -> dict[str, LanguageModel]:
        """The n-grams of ORDERS, counted on the train split."""
        return {name: self._counted(order) for name, order in ORDERS.items()}

    @cached_property
    def lines(self) -> dict[str, float]:
        """What each loses on the dev split, nats a token, from ln V down."""
        V = self.setup.tokenizer.vocab_size
        found = {"uniform": math.log(V)}
        for name, model in self.counts.items():
            rows = rows_for(model, self.setup.splits.dev, self.setup.tokenizer)
            found[name] = evaluate(model, rows, batch_size=ROWS).nats
        return found

    def sample(self, model: LanguageModel) -> tuple[Ids, Ids]:
        """Rows (B, T) from all of the dev split, of about 2,048 tokens, on which a model's moments are measured, with
        their targets; -1 is not scored."""
        rows = rows_for(model, self.setup.splits.dev, self.setup.tokenizer)
        number = min(len(rows), max(1, round(LOOKED_AT * len(rows) / rows.lengths.sum())))
        return rows.take(np.linspace(0, len(rows) - 1, number).round().astype(np.int64))

    @cached_property
    def counted(self) -> tuple[Ids, Ids, dict[str, Floats]]:
        """The sample of this run's model, and what the counts of ORDERS say of each of its tokens, (N, V)."""
        x, y = self.sample(self.setup.model)
        return x, y, {name: probabilities(model, x)[y != NOT_SCORED] for name, model in self.counts.items()}

    def _counted(self, order: int) -> LanguageModel:
        setup = self.setup
        V, T = setup.tokenizer.vocab_size, setup.model.block_size
        how = {"method": "additive", "smoothing": 1.0} if order == 1 else {}
        model = build_model("ngram", vocab_size=V, block_size=max(T, order), order=order, **how)
        rows = make_rows(setup.splits.train, setup.tokenizer, model.block_size, context=max(1, order - 1))
        for x, y in rows.batches(ROWS):
            model.count(x, y)
        return model


def probabilities(model: LanguageModel, x: Ids) -> Floats:
    """(B, T) -> (B, T, V), float64."""
    with inference(model):
        logits = model(torch.from_numpy(x).to(device_of(model)))[0].detach().double().cpu().numpy()
    return softmax(logits)


def dev_text(run: RunFolder) -> DevText:
    """The text of a run, opened once.

    Raises:
        UserError: if it is no text of tokens, no longer there, another one now, or too long to be counted while one
            waits.
    """
    data = run.state().get("data", {})
    key = str(run.path.resolve()), str(data.get("sha256"))
    with _lock:
        if key not in _kept:
            setup = reopen(run)
            if not setup.model.continues:
                raise UserError("lines are drawn for models that continue a text; this one answers it")
            if setup.corpus.characters > COUNTED:
                raise UserError(f"lines are drawn for texts of at most {COUNTED:,} characters")
            _kept.clear()  # one text at a time is enough, and may be large
            _kept[key] = DevText(setup)
        return _kept[key]


def lines(opened: Opened) -> dict[str, Any]:
    """What can be lost on the run's dev split without a network.

    Returns:
        uniform: ln V; unigram: frequencies alone, with one added to each count; bigram, trigram: counts of what
            follows one and two tokens (modified Kneser-Ney). Counted on the train split, nats a token on dev.
        unit: "character" or "token".
    """
    text = dev_text(folder_of(opened))
    with _lock:
        return {**text.lines, "unit": "character" if text.setup.config.tokenizer == "chars" else "token"}


VIEWS = {"learning/lines": View(lines)}
