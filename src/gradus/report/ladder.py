"""The ladder: which models are climbed, in which order, how large each is and how it is trained.

LADDER is the one table to add a rung to. A rung has one plan for documents and one for a stream: the settings in which
it differs from the model's recipe, how many steps it takes, and how many seconds those steps need on an idle machine of
two cores. The default budget is the steps, so that a slow machine, or a busy one, prints the same numbers later; a
budget in minutes is shared out in proportion to the seconds, and there is an evaluation about every seven and a half of
them. The seconds are those of `words`, in the README's table; the steps of a stream are chosen to take as long. Sizes
that come from the text, the vocabulary and the longest document, are filled in by the climb.

Everything here was tuned on the dev split alone. For documents, the bigram network and the context of the NPLM had once
been chosen with test losses of `words` known; they were chosen again, by the dev losses of `words` and `names`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gradus.errors import UserError
from gradus.training import RECIPES

TRAINING_SHARE = 0.85  # of the minutes; the rest is for counting and for scoring the splits
LONGEST_ROW = 64  # documents longer than this are cut; the block of streams
SCORED_AT_MOST = 400_000  # characters of dev and test; more are scored on their beginning, and the table says so
TRAIN_SCORED_AT_MOST = 200_000  # of train, which is only there to be compared with them
DEV_WHILE_TRAINING = 60_000  # characters of dev that are scored again and again during training

ORDERS = (3, 4, 5, 6, 7)  # of the longer n-gram, chosen on dev ...
SMOOTHINGS = (0.3, 0.1, 0.03, 0.01, 0.003)  # ... together with what is added to each count ...
CHOOSING = 20_000  # ... by so many characters of it

SMALL_TEXT = 100_000  # characters; a smaller text is memorized within the budget


@dataclass(frozen=True)
class Plan:
    """How a rung is built and trained, and its budget."""

    settings: Mapping[str, Any] = field(default_factory=dict)  # of the model and of TrainConfig, beside its recipe
    steps: int = 0  # of the optimizer; 0 for a model that counts
    seconds: float = 0.0  # of those steps and their evaluations on an idle machine of two cores
    small: Mapping[str, Any] = field(default_factory=dict)  # what is different for a small text


@dataclass(frozen=True)
class Step:
    """A rung to be climbed. name: of its run folder; model: as `gradus train --model` calls it."""

    name: str
    title: str
    model: str
    documents: Plan
    stream: Plan

    def plan(self, kind: str, characters: int) -> Plan:
        """The plan for a text of this kind and length."""
        plan = self.documents if kind == "documents" else self.stream
        return replace(plan, settings={**plan.settings, **plan.small}) if characters < SMALL_TEXT else plan


_LAPLACE = Plan({"order": 2, "method": "additive", "smoothing": 1.0})
_ADDITIVE = Plan({"method": "additive"})  # order and smoothing are chosen on dev

LADDER = (
    Step("ngram-2", "bigram counts", "ngram", _LAPLACE, _LAPLACE),
    # The loss is convex, so the L2 penalty alone decides where training ends: it is the one whose exact minimum has the
    # lowest dev loss, summed over the corpora of the kind. The rest is what comes close to it in the time.
    Step(
        "bigram", "bigram network", "bigram",
        Plan({"optimizer": "adam", "batch_size": 1024, "learning_rate": 0.1, "weight_decay": 6e-6}, 1_000, 3.5),
        Plan({"optimizer": "adam", "batch_size": 128, "learning_rate": 0.1, "weight_decay": 1e-6}, 1_500, 3.5),
    ),
    Step("ngram", "n-gram counts", "ngram", _ADDITIVE, _ADDITIVE),  # becomes "5-gram counts" when dev has chosen
    Step("kneser-ney", "Kneser-Ney", "ngram", Plan(), Plan()),
    Step(
        "nplm", "NPLM", "nplm",  # a context of 3 is the lecture's; 8 is better on names, worse on words
        Plan({"context": 5, "n_embd": 24}, 6_000, 11.8),
        Plan({"context": 8, "n_embd": 24, "n_hidden": 300, "weight_decay": 0.01}, 2_400, 11.8),
    ),
    Step(
        "mlp", "MLP", "mlp",
        Plan({"context": 5, "n_embd": 24}, 5_000, 13.6, small={"weight_decay": 0.3}),
        Plan({"context": 8, "n_embd": 24, "n_hidden": 300}, 2_000, 13.6),
    ),
    Step("wavenet", "WaveNet", "wavenet", Plan({}, 2_400, 20.9, small={"weight_decay": 0.3}), Plan({}, 1_500, 20.9)),
    # On the dev split of words: LSTM 1.734 after 1,200 steps, GRU 1.753 after 1,600, which take as long.
    Step("recurrent", "LSTM", "recurrent", Plan({}, 1_500, 39.4, small={"dropout": 0.3}), Plan({}, 600, 39.4)),
    Step(
        "gpt", "GPT", "gpt",
        Plan({"n_layer": 2, "n_embd": 96, "batch_size": 32}, 4_000, 51.2, small={"dropout": 0.1}),
        Plan({}, 1_400, 51.2),
    ),
    Step(
        "modern", "modern GPT", "modern",
        # On the dev split of words after 1,600 steps: dropout 0.2 1.792, 0.3 1.838, 0.4 1.868.
        Plan(
            {"n_layer": 2, "n_embd": 96, "optimizer": "muon", "learning_rate": 1e-2, "schedule": "linear"},
            3_600, 139.7, small={"dropout": 0.2},
        ),
        Plan({}, 850, 139.7),
    ),
    Step("mixture", "mixture", "mixture", Plan(), Plan()),  # of the network that is best on dev, and Kneser-Ney
)  # fmt: skip


def choose(models: Sequence[str]) -> tuple[Step, ...]:
    """The rungs of these models, in the order of the ladder; all of them when no model is given.

    Raises:
        UserError: for a model that is on no rung.
    """
    known = tuple(dict.fromkeys(step.model for step in LADDER))
    for name in models:
        if name not in known:
            raise UserError(f"no rung of the ladder is called {name!r}; it has {', '.join(known)}")
    return tuple(step for step in LADDER if not models or step.model in models)


def mixes(step: Step, kind: str) -> bool:
    """Whether a rung's network can be mixed with counts: one that carries a state over the text cannot."""
    plan = step.plan(kind, SMALL_TEXT)
    return plan.steps > 0 and not {**RECIPES.get((step.model, kind), {}), **plan.settings}.get("carry", False)


def minutes_of(step: Step, steps: Sequence[Step], kind: str, minutes: float) -> float:
    """The minutes of training that a rung gets when these rungs, of which some are trained, share so many minutes."""
    seconds = {other.name: other.plan(kind, SMALL_TEXT).seconds for other in steps}
    return minutes * TRAINING_SHARE * seconds[step.name] / sum(seconds.values())


def evaluations(seconds: float) -> int:
    """How many evaluations on the dev split a rung has that trains for so many seconds: one about every seven and a
    half, so that they take little of the time."""
    return max(2, min(12, round(seconds / 7.5)))
