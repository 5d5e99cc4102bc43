"""Running the command in the process of the tests, and texts to run it on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result

from gradus.cli import main

SMALL = ("--n-layer", "1", "--n-head", "2", "--n-embd", "8", "--block-size", "8", "--batch-size", "4")


def gradus(*args: object) -> Result:
    """What `gradus ARGS` does: exit_code, stdout and stderr."""
    return CliRunner().invoke(main, [str(arg) for arg in args])


def refused(*args: object) -> str:
    """The one line on standard error of a command that exits with status 2."""
    result = gradus(*args)
    assert result.exit_code == 2, result.output
    # What is said once on a machine is no part of it.
    (line,) = (line for line in result.stderr.splitlines() if "compiling loops" not in line)
    assert line.startswith("gradus: ")
    return line.removeprefix("gradus: ")


def write_stream(folder: Path, characters: int = 3000) -> Path:
    """A text of made-up words in long lines."""
    random = np.random.default_rng(5)
    words = ["the", "cat", "sat", "on", "a", "mat", "and", "ate", "it"]
    path = folder / "cats.txt"
    path.write_text(" ".join(random.choice(words, characters // 3))[:characters], encoding="utf-8")
    return path


def write_documents(folder: Path, number: int = 200) -> Path:
    """One made-up name a line."""
    random = np.random.default_rng(6)
    names = ["".join(random.choice(list("abcde"), random.integers(2, 7))) for _ in range(number)]
    path = folder / "pets.txt"
    path.write_text("\n".join(names) + "\n", encoding="utf-8")
    return path
