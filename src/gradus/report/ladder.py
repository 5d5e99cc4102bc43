"""The ladder: which models are climbed, in which order, how large each is and how it is trained.

LADDER is the one table to add a rung to. A rung has one plan for documents and one for a stream: the settings of the
model, those of its training, how many steps it takes, and how many seconds those steps need on an idle machine of two
cores. The default budget is the steps, so that a slow machine, or a busy one, prints the same numbers later; a budget
in minutes is shared out in proportion to the seconds. Sizes that come from the text, the vocabulary and the longest
document, are filled in by the climb.

Everything here was tuned on the dev split alone. For documents, the bigram network and the context of the NPLM had once
been chosen with test losses of `words` known; they were chosen again, by the dev losses of `words` and `names`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gradus.errors import UserError

TRAINING_SHARE = 0.92  # of the minutes; the rest is for counting and for scoring the splits
LONGEST_ROW = 64  # documents longer than this are cut; the block of streams
SCORED_AT_MOST = 400_000  # characters of a split; a longer one is scored on its beginning, and the table says so
DEV_WHILE_TRAINING = 60_000  # characters of dev that are scored again and again during training

ORDERS = (3, 4, 5, 6, 7)  # of the longer n-gram, chosen on dev ...
SMOOTHINGS = (0.3, 0.1, 0.03, 0.01, 0.003)  # ... together with what is added to each count ...
CHOOSING = 20_000  # ... by so many characters of it

SMALL_TEXT = 100_000  # characters; a smaller text is memorized within the budget


@dataclass(frozen=True)
class Plan:
    """How a model is built and trained: settings of its configuration and of TrainConfig, and its budget."""

    model: Mapping[str, Any]
    training: Mapping[str, Any]
    steps: int = 0  # of the optimizer; 0 for a model that counts
    seconds: float = 0.0  # of those steps and their evaluations on an idle machine of two cores
    small: Mapping[str, Any] = field(default_factory=dict)  # what is different in the model for a small text


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
        return replace(plan, model={**plan.model, **plan.small}) if characters < SMALL_TEXT else plan


_COUNT = {"batch_size": 256, "evaluations": 1}

LADDER = (
    Step(
        name="ngram-2",
        title="bigram counts",
        model="ngram",
        documents=Plan({"order": 2, "method": "additive", "smoothing": 1.0}, _COUNT),
        stream=Plan({"order": 2, "method": "additive", "smoothing": 1.0}, _COUNT),
    ),
    Step(
        name="bigram",
        title="bigram network",
        model="bigram",
        # The loss is convex, so the L2 penalty alone decides where training ends: it is the one whose exact minimum has
        # the lowest dev loss, summed over the corpora of the kind. The rest is what comes close to it in the time.
        documents=Plan(
            {},
            {"optimizer": "adam", "batch_size": 1024, "learning_rate": 0.1, "weight_decay": 6e-6},
            steps=1_800,
            seconds=6.5,
        ),
        stream=Plan(
            {},
            {"optimizer": "adam", "batch_size": 128, "learning_rate": 0.1, "weight_decay": 1e-6},
            steps=1_600,
            seconds=6.5,
        ),
    ),
    Step(
        name="ngram",
        title="n-gram counts",  # becomes "5-gram counts" when dev has chosen
        model="ngram",
        documents=Plan({}, _COUNT),
        stream=Plan({}, _COUNT),
    ),
    Step(
        name="nplm",
        title="NPLM",
        model="nplm",
        documents=Plan(
            {"context": 5, "n_embd": 24, "n_hidden": 200},  # 3 is the lecture's; 8 is better on names, worse on words
            {"batch_size": 64, "learning_rate": 3e-3, "weight_decay": 0.1},
            steps=9_500,
            seconds=24.0,
        ),
        stream=Plan(
            {"context": 8, "n_embd": 24, "n_hidden": 300},
            {"batch_size": 16, "learning_rate": 3e-3, "weight_decay": 0.01},
            steps=3_000,
            seconds=24.0,
        ),
    ),
    Step(
        name="gpt",
        title="GPT",
        model="gpt",
        documents=Plan(
            {"n_layer": 2, "n_head": 4, "n_embd": 96, "dropout": 0.0},
            {"batch_size": 32, "learning_rate": 3e-3, "weight_decay": 0.1},
            steps=12_500,
            seconds=130.0,
            small={"dropout": 0.1},
        ),
        stream=Plan(
            {"n_layer": 4, "n_head": 4, "n_embd": 96, "dropout": 0.0},
            {"batch_size": 16, "learning_rate": 3e-3, "weight_decay": 0.1},
            steps=2_900,
            seconds=130.0,
        ),
    ),
)


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


def minutes_of(step: Step, steps: Sequence[Step], kind: str, minutes: float) -> float:
    """The minutes of training that a rung gets when these rungs share so many minutes; 0 for counting."""
    seconds = {other.name: other.plan(kind, SMALL_TEXT).seconds for other in steps}
    whole = sum(seconds.values())
    return minutes * TRAINING_SHARE * seconds[step.name] / whole if whole else 0.0


def evaluations(seconds: float) -> int:
    """How many evaluations on the dev split a rung has that trains for so many seconds: one about every five, so that
    they take little of the time."""
    return max(2, min(12, round(seconds / 5)))
