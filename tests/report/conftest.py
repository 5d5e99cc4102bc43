"""A small text on which a whole climb takes a second or two."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradus.report.climb import climb
from gradus.report.record import Record

SYLLABLES = ("ba", "lo", "mi", "ne", "ru", "ta", "sol")


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
    return climb(str(words), steps=4, seed=3, out=tmp_path_factory.mktemp("runs") / "climb")
