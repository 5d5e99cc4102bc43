"""A line of the result: each contestant's time, round by round, and the ratio that is judged."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

from gradus.bench.rows import GRADUS, Goal

QUIET = 0.2  # cores that other programs may use


@dataclass
class Line:
    """One part of one row with one number of threads.

    Attributes:
        unit: of what is measured: "s", "bytes", or "times" for a quotient.
        rounds: contestant -> what was measured in each round.
        absent: contestant -> why it has no figure.
        ratio: the figure is the first one's median over the second one's; None takes our median itself.
        check: contestant -> the number on which all must agree, after the last round.
        cores: contestant -> how many cores it kept at work.
        others: how many cores other programs kept at work meanwhile; None where the system does not tell.
    """

    row: str
    part: str
    title: str
    threads: int
    unit: str
    rounds: dict[str, list[float]]
    absent: dict[str, str]
    ratio: tuple[str, str] | None
    goal: Goal | None
    check: dict[str, float] = field(default_factory=dict)
    cores: dict[str, float] = field(default_factory=dict)
    others: float | None = None

    def median(self, name: str) -> float | None:
        """The median of a contestant's rounds; None if it has none."""
        return statistics.median(self.rounds[name]) if self.rounds.get(name) else None

    @property
    def figure(self) -> float | None:
        """The figure that is judged; None if one of its two contestants is missing."""
        if self.ratio is None:
            return self.median(GRADUS)
        above, below = self.median(self.ratio[0]), self.median(self.ratio[1])
        return None if above is None or not below else above / below

    @property
    def disturbed(self) -> bool:
        """Whether other programs used so much of the machine that the figure is unreliable."""
        return self.others is not None and self.others > QUIET

    @property
    def verdict(self) -> str:
        """Whether the figure reaches its goal; empty without a figure or a goal."""
        return "" if self.goal is None or self.figure is None else self.goal.verdict(self.figure)

    def as_json(self) -> dict[str, Any]:
        """All of it, with the medians."""
        contestants = {
            name: {
                "median": self.median(name),
                "rounds": taken,
                **({"check": self.check[name]} if name in self.check else {}),
                **({"cores": self.cores[name]} if name in self.cores else {}),
            }
            for name, taken in self.rounds.items()
        }
        goal = None
        if self.goal is not None:
            sign = "at most" if self.goal.at_most else "at least"
            goal = {"is": sign, "reach": self.goal.reach, "aim": self.goal.aim, "verdict": self.verdict or None}
        return {
            "row": self.row,
            "part": self.part,
            "title": self.title,
            "threads": self.threads,
            "unit": self.unit,
            "contestants": contestants,
            "absent": self.absent,
            "figure": self.figure,
            "ratio": None if self.ratio is None else " / ".join(self.ratio),
            "goal": goal,
            "others": self.others,
        }
