"""What `gradus bench` measures: a row for each work, with its contestants and the goals of our engine.

This file imports nothing heavy, so that the command can list the rows.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from gradus.errors import UserError

GRADUS, PYTORCH, COMPILED = "gradus", "PyTorch", "compiled"
MICROGRAD, PRODUCTS = "micrograd", "products"
TRANSFORMERS, HALF, READING, UNCACHED = "transformers", "float16", "reading", "uncached"

Threads = Literal["each", "most", "one"]  # a row for each number of threads, for the largest only, or with one


@dataclass(frozen=True)
class Goal:
    """Bounds for a row's figure: lower bounds, or upper bounds if less is better."""

    reach: float
    aim: float | None = None
    at_most: bool = False

    def verdict(self, figure: float) -> str:
        """Which bound the figure reaches."""
        if self.aim is not None and self._met(self.aim, figure):
            return "aim reached"
        return "reached" if self._met(self.reach, figure) else "not reached"

    def _met(self, goal: float, figure: float) -> bool:
        return figure <= goal if self.at_most else figure >= goal


@dataclass(frozen=True)
class Row:
    """One work.

    Attributes:
        works: contestant -> what it does, "module:function" in this room.
        goals: part of the work -> its goal; a work without parts has the part "".
        ratio: the figure is the first contestant's time divided by the second's; None: our own time.
        rounds: the number of rounds in which the contestants take turns.
        steps: the number of timed steps in a turn.
        slow: whether `--quick` leaves the row out.
        how: the module that measures it.
    """

    name: str
    title: str
    works: Mapping[str, str]
    goals: Mapping[str, Goal] = field(default_factory=dict)
    ratio: tuple[str, str] | None = (PYTORCH, GRADUS)
    rounds: int = 7
    steps: int = 1
    threads: Threads = "each"
    slow: bool = False
    how: str = "rounds"

    def shortened(self) -> Row:
        """The row as `--quick` measures it."""
        return replace(self, rounds=min(self.rounds, 3), steps=max(1, self.steps // 4))

    def without(self, name: str) -> Row:
        """The row without a contestant."""
        return replace(self, works={other: work for other, work in self.works.items() if other != name})


def _all(work: str) -> dict[str, str]:
    return dict.fromkeys((GRADUS, PYTORCH, COMPILED), work)


def _both(work: str) -> dict[str, str]:
    return dict.fromkeys((GRADUS, PYTORCH), work)


def _at_least(reach: float, aim: float) -> dict[str, Goal]:
    return {"": Goal(reach, aim)}


def _at_most(reach: float, aim: float) -> dict[str, Goal]:
    return {"": Goal(reach, aim, at_most=True)}


def _everywhere(*parts: str) -> dict[str, Goal]:
    return dict.fromkeys(parts, Goal(1.0))


_SMALL = "transformers:small"

ROWS = (
    Row("mlp", "lecture MLP, hidden 200, batch 32", _all("lectures:mlp"), _at_least(1.8, 2.8), steps=200),
    Row("batchnorm", "the same with BatchNorm", _all("lectures:batchnorm"), _at_least(1.8, 2.8), steps=200),
    Row("wavenet", "WaveNet, 76,579 parameters, batch 32", _all("lectures:wavenet"), _at_least(1.3, 2.0), steps=50),
    Row("gpt-small", "GPT 4/4/128, batch 12 x 64", _all(_SMALL), _at_least(1.15, 1.5), steps=10),
    Row(
        "gpt-small-32",
        "GPT 4/4/128, batch 32 x 64",
        _all("transformers:small_32"),
        _at_least(1.15, 1.5),
        steps=4,
        slow=True,
    ),
    Row(
        "gpt-large",
        "GPT 6/6/384, batch 8 x 256",
        _all("transformers:large"),
        _at_least(1.0, 1.2),
        rounds=5,
        slow=True,
    ),
    Row(
        "gpt2",
        "GPT-2, 124 M parameters, batch 1 x 256",
        _both("transformers:gpt2"),
        _at_least(1.0, 1.2),
        rounds=3,
        steps=10,
        threads="most",
        slow=True,
    ),
    Row("forward", "GPT 6/6/384, forward of 1 x 256", _all("transformers:forward"), _at_least(1.0, 1.3), steps=5),
    Row(
        "memory",
        "peak memory of gpt-large",
        _both("transformers:large"),
        _at_most(1.0, 0.7),
        ratio=(GRADUS, PYTORCH),
        rounds=3,
        steps=3,
        threads="most",
        slow=True,
        how="memory",
    ),
    Row(
        "gpt2-memory",
        "peak memory of gpt2",
        _both("transformers:gpt2"),
        _at_most(1.0, 0.7),
        ratio=(GRADUS, PYTORCH),
        rounds=1,
        steps=3,
        threads="most",
        slow=True,
        how="memory",
    ),
    Row(
        "ops",
        "one op on 32 x 32, with gradient",
        _both("operations:every"),
        {"geometric mean": Goal(1.0, 2.0)},
        steps=500,
    ),
    Row(
        "few-rows",
        "linear layers on few rows, as in generation",
        _both("parts:few_rows"),
        _everywhere(
            *(f"{rows} x 768 -> 3072" for rows in (1, 2, 4, 8)),
            "1 x 768 -> 3072, no bias",
            "1 x 768 -> 3072, transposed",
            "8 x 768 -> 3072, transposed",
            "1 x 768 -> 50257",
        ),
        steps=20,
    ),
    Row(
        "generate",
        "GPT-2 of 124M, 200 tokens after 8; also as float16",
        {
            GRADUS: "generation:gpt2",
            TRANSFORMERS: "generation:gpt2_transformers",
            HALF: "generation:gpt2_half",
        },
        _at_least(1.3, 2.0),
        ratio=(TRANSFORMERS, GRADUS),
        rounds=3,
        threads="most",
        slow=True,
    ),
    Row(
        "generate-bandwidth",
        "the same over reading the weights from memory",
        {GRADUS: "generation:gpt2", READING: "generation:gpt2_reading"},
        _at_least(0.4, 0.6),
        ratio=(READING, GRADUS),
        rounds=3,
        threads="most",
        slow=True,
    ),
    Row(
        "generate-characters",
        "GPT 6/6/384 of characters, with and without a cache; also as float16",
        {
            GRADUS: "generation:characters",
            UNCACHED: "generation:characters_uncached",
            HALF: "generation:characters_half",
        },
        {"the last of 256": Goal(20.0)},
        ratio=(UNCACHED, GRADUS),
        rounds=3,
        threads="most",
        slow=True,
    ),
    Row(
        "draws",
        "random numbers: 10 million by normal_ and uniform_, else a million",
        _both("parts:draws"),
        _everywhere(
            "normal_",
            "uniform_",
            "rand",
            "randn",
            "randint",
            "randperm",
            "bernoulli",
            "dropout",
            "exponential_",
            "multinomial",
        ),
        steps=2,
    ),
    Row(
        "vocabulary",
        "50,257 logits; 64 rows of them",
        _both("parts:vocabulary"),
        _everywhere(
            "topk 50",
            "topk 50 of 64 rows",
            "sort",
            "argmax",
            "softmax",
            "log_softmax",
            "cross_entropy",
        ),
        steps=8,
    ),
    Row(
        "indexing",
        "parts of small tensors",
        _both("parts:indexing"),
        _everywhere(
            "N[3, 4] += 1",
            "C[5] += row, -= row",
            "C[5] = row",
            "C[2:4, 1] = 0.5",
            "C[places] = row",
            "C[5]",
            "C[3, 4]",
            "C[2:7]",
            "C[:, 2:7]",
            "C[places]",
            "C[5], with gradient",
            "C[:, 2:7], with gradient",
            "stack of 4 rows",
            "cat of 4 rows",
        ),
        steps=1000,
    ),
    Row(
        "floor",
        "gpt-small over its matrix products",
        {**_both(_SMALL), PRODUCTS: "products:small"},
        _at_most(1.8, 1.4),
        ratio=(GRADUS, PRODUCTS),
        steps=10,
    ),
    Row(
        "busy",
        "gpt-small, a core busy elsewhere, over idle",
        _both(_SMALL),
        {"median": Goal(2.0, at_most=True), "worst": Goal(5.0, at_most=True)},
        ratio=None,
        rounds=5,
        steps=20,
        how="busy",
    ),
    Row(
        "start",
        "from nothing",
        _both(_SMALL),
        {
            "import": Goal(0.2, at_most=True),
            "first step, no cache": Goal(8.0, at_most=True),
            "first step, later": Goal(1.0, at_most=True),
        },
        ratio=None,
        rounds=5,
        threads="most",
        slow=True,
        how="start",
    ),
    Row(
        "moons",
        "micrograd's demo, Values",
        {GRADUS: "moons:eager", MICROGRAD: "moons:micrograd"},
        ratio=(MICROGRAD, GRADUS),
        rounds=5,
        threads="one",
    ),
    Row(
        "moons-compiled",
        "micrograd's demo, compiled Values",
        {GRADUS: "moons:compiled", MICROGRAD: "moons:micrograd"},
        ratio=(MICROGRAD, GRADUS),
        rounds=5,
        threads="one",
        slow=True,
    ),
)


def choose_rows(names: Sequence[str], *, quick: bool = False) -> list[Row]:
    """The rows with these names, in the order of the table; without names all, or all that are not slow if quick.

    Raises:
        UserError: if no row has a name.
    """
    every = {row.name: row for row in ROWS}
    for name in names:
        if name not in every:
            near = difflib.get_close_matches(name, every, n=1)
            raise UserError(
                f"no row is called {name!r}; "
                + (f"did you mean {near[0]}?" if near else f"there are {', '.join(every)}")
            )
    chosen = [row for row in ROWS if row.name in names or (not names and not (quick and row.slow))]
    return [row.shortened() for row in chosen] if quick else chosen
