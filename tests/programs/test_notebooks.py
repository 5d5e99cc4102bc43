"""Five notebooks in the manner of the lectures': from top to bottom, with their pictures, into a new notebook."""

from __future__ import annotations

import json
from math import log
from pathlib import Path

import pytest

from tests.programs.conftest import SCRIPTS
from tests.programs.printed import Run, losses


def run_notebook(run: Run, folder: Path, name: str, pictures: int) -> str:
    """Run a notebook into a new one that shows so many pictures and no error: what its cells printed."""
    path = SCRIPTS / "notebooks" / f"{name}.ipynb"
    before = path.read_bytes()
    run(path, "--output", folder / "new.ipynb")
    assert path.read_bytes() == before
    cells = json.loads((folder / "new.ipynb").read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    assert [output for output in outputs if output["output_type"] == "error"] == []
    assert sum("image/png" in output.get("data", {}) for output in outputs) == pictures
    return "".join("".join(output.get("text", ())) for output in outputs)


# A notebook, how many pictures it shows, what stands before its last two losses, and what they have to stay below.
NOTEBOOKS = [
    ("1_counting", 2, r"counting: |step 29: ", 2.6),
    ("2_mlp", 3, r"train: |dev: ", 2.6),
    ("3_activations", 7, r"train |val ", 3.0),
    ("5_wavenet", 1, r"train |val ", 2.8),
]


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize(("name", "pictures", "pattern", "bound"), NOTEBOOKS)
def test_a_notebook_runs_and_learns(
    run: Run, folder: Path, name: str, pictures: int, pattern: str, bound: float
) -> None:
    found = losses(run_notebook(run, folder, name, pictures), pattern)
    assert len(found) == 2
    assert max(found) < bound < log(27)


@pytest.mark.usefixtures("words")
def test_gradients_by_hand_are_the_engines(run: Run, folder: Path) -> None:
    printed = run_notebook(run, folder, "4_by_hand", pictures=1)
    compared = [line for line in printed.splitlines() if "| exact: " in line]
    assert len(compared) == 28
    assert [line for line in compared if "approximate: True" not in line] == []
    # Step by step they are so to the last bit, as in the lecture; in one formula, sums are taken in another order.
    assert sum("exact: True" in line for line in compared) >= 20
    found = losses(printed, "train |val ")
    assert len(found) == 2
    assert max(found) < 2.8
