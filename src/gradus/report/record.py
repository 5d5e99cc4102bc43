"""What a climb found, as plain data: everything that the table and the page show, and nothing that they would compute.

A Record goes to `table.json` and comes back from it unchanged, so a page can be drawn again without training again.
Losses are mean negative log-likelihoods in nats per scored token; a token is a character.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from gradus import files
from gradus.errors import UserError
from gradus.plots.curve import LossCurve

Setting = str | int | float | bool
Subject = Literal["a run", "the climb", "a comparison"]


@dataclass(frozen=True)
class Part:
    """One split of the corpus: train, dev or test."""

    name: str
    documents: int  # 0 for a stream
    characters: int
    scored: int  # how many predictions its loss is the mean of


@dataclass(frozen=True)
class Sample:
    """A generated text. origin: "train" if the training split holds it word for word, "held out" if dev or test
    does, "new" if none does, "" where that cannot be asked (streams)."""

    text: str
    origin: str = ""


@dataclass(frozen=True)
class Guess:
    """A character that may come next, and the probability a model gives it."""

    token: str
    probability: float


@dataclass(frozen=True)
class Question:
    """A piece of the dev split, and the character that follows it there."""

    context: str
    answer: str


@dataclass(frozen=True)
class Yardstick:
    """A loss that needs no model of ours, in nats per character of dev and of test."""

    name: str
    dev: float
    test: float


@dataclass(frozen=True)
class Rung:
    """One model of the ladder after its training."""

    name: str  # its folder
    title: str
    model: str  # its name in the registry of models
    parameters: int  # parameters; for a counting model, counts
    context: int  # how many characters a prediction can see
    train: float
    dev: float
    test: float
    bits: float  # bits per character of the test split
    seconds: float  # of training, its own scoring of dev included; of a mixture, its network's too
    steps: int
    settings: Mapping[str, Setting]
    curve: LossCurve
    samples: tuple[Sample, ...]
    guesses: tuple[tuple[Guess, ...], ...] = ()  # the most likely answers to each of the record's questions
    sliding: float | None = None  # test loss with a sliding window, where the others are in separate windows
    interrupted: bool = False
    folder: str = ""  # the path of its run, as commands can use it

    def __repr__(self) -> str:
        return f"Rung({self.title}: {self.parameters:,} parameters, test loss {self.test:.4f})"

    @property
    def trained(self) -> bool:
        """Whether it is a single network, trained by gradient descent."""
        return bool(self.curve.train)

    @property
    def mixed(self) -> bool:
        """Whether it is a network and counts together."""
        return self.model == "mixture"

    @property
    def counts(self) -> bool:
        """Whether it only counts."""
        return not self.trained and not self.mixed


@dataclass(frozen=True)
class Record:
    """A climb, or a single run as a climb of one rung."""

    corpus: str
    kind: str  # "documents" or "stream"
    source: str
    vocab_size: int
    parts: tuple[Part, ...]
    rungs: tuple[Rung, ...]
    seed: int
    command: str  # the command that reproduces it
    subject: Subject = "the climb"  # what the page is about
    timed: bool = False  # whether training had a budget in minutes: how many steps fit differs between machines
    captions: tuple[str, ...] = ()  # what must be known to read the table
    questions: tuple[Question, ...] = ()  # what every rung is asked
    yardsticks: tuple[Yardstick, ...] = ()
    floor: Yardstick | None = None  # the loss of what wrote the text, where that is known: no model can pass it
    seconds: float = 0.0  # of the whole climb, counting and scoring included
    machine: Mapping[str, str] | None = None
    date: str = ""
    interrupted: bool = False

    def __repr__(self) -> str:
        rungs = ", ".join(f"{rung.name} {rung.test:.4f}" for rung in self.rungs)
        return f"Record({self.corpus}: {rungs or 'no rungs'})"

    @property
    def uniform(self) -> float:
        """The loss of guessing: ln V."""
        return math.log(self.vocab_size)

    @property
    def best(self) -> Rung | None:
        """The rung with the lowest dev loss: choosing one by its test loss would flatter it."""
        return min(self.rungs, key=lambda rung: rung.dev, default=None)

    @property
    def best_network(self) -> Rung | None:
        """Of the single networks, the one with the lowest dev loss."""
        return min((rung for rung in self.rungs if rung.trained), key=lambda rung: rung.dev, default=None)

    def save(self, path: str | Path) -> None:
        """Write the record as JSON, whole or not at all. UserError if it cannot be written."""
        with files.saving(path):
            files.write(path, files.to_json(asdict(self), indent=2).encode() + b"\n")


def load_record(path: str | Path) -> Record:
    """Read what Record.save wrote.

    Raises:
        UserError: if the file is missing, or is not a record.
    """
    try:
        data: dict[str, Any] = files.from_json(Path(path).read_bytes())
        data["parts"] = tuple(Part(**part) for part in data["parts"])
        data["rungs"] = tuple(_rung(rung) for rung in data["rungs"])
        data["captions"] = tuple(data["captions"])
        data["questions"] = tuple(Question(**question) for question in data["questions"])
        data["yardsticks"] = tuple(map(_yardstick, data["yardsticks"]))
        data["floor"] = None if data["floor"] is None else _yardstick(data["floor"])
        data["seconds"] = float(data["seconds"])
        return Record(**data)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; `gradus climb` writes one in the folder of the climb") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path} is not the table of a climb ({error}); climb again") from error


def _yardstick(data: dict[str, Any]) -> Yardstick:
    return Yardstick(data["name"], float(data["dev"]), float(data["test"]))


def _rung(data: dict[str, Any]) -> Rung:
    curve: dict[str, Any] = {k: v if k == "label" else tuple(map(float, v)) for k, v in data["curve"].items()}
    losses = {name: float(data[name]) for name in ("train", "dev", "test", "bits", "seconds")}
    if data["sliding"] is not None:
        losses["sliding"] = float(data["sliding"])
    return Rung(
        **{
            **data,
            **losses,
            "curve": LossCurve(**curve),
            "samples": tuple(Sample(**s) for s in data["samples"]),
            "guesses": tuple(tuple(Guess(**g) for g in guesses) for guesses in data["guesses"]),
        }
    )
