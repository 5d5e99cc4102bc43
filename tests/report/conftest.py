"""A small text on which a whole climb takes a second or two, and a ladder of few steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gradus.report import ladder
from gradus.report.climb import climb
from gradus.report.ladder import Plan
from gradus.report.record import Record

SYLLABLES = ("ba", "lo", "mi", "ne", "ru", "ta", "sol")


def short_climb(corpus: str, steps: int, **settings: Any) -> tuple[Record, Path]:
    """A climb whose networks take so few steps, each of which takes as long as ever."""

    def short(plan: Plan) -> Plan:
        return replace(plan, steps=steps, seconds=plan.seconds * steps / plan.steps) if plan.steps else plan

    rungs = tuple(replace(step, documents=short(step.documents), stream=short(step.stream)) for step in ladder.LADDER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ladder, "LADDER", rungs)
        return climb(corpus, **settings)


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 343 words, one a line."""
    path = tmp_path_factory.mktemp("text") / "words & <syllables>.txt"
    path.write_text("\n".join(a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def prose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of running text; its dev and test parts are longer than a row."""
    line = (
        "The quick brown fox jumps over the lazy dog, and number {} is as good as any other number that a fox knows. "
    )
    path = tmp_path_factory.mktemp("text") / "prose.txt"
    path.write_text("".join(line.format(i) for i in range(30)), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def climbed(words: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, Path]:
    """A climb of the whole ladder, four steps a rung."""
    return short_climb(str(words), 4, seed=3, out=tmp_path_factory.mktemp("runs") / "climb")
