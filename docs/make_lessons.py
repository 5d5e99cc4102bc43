"""Makes the notebooks of the lessons: `python docs/make_lessons.py [NAME ...]` runs lessons/NAME.py, all by default,
and writes lessons/NAME.ipynb beside it, with what each cell printed and drew.

A notebook holds nothing that another run would not give again: cells are numbered, times and versions are left out,
and the sum of its source says which source it was made from.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

from gradus import files

LESSONS = Path(__file__).parent.parent / "lessons"
SECONDS = 600  # of a cell, at most
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def lessons() -> list[Path]:
    """The sources, in order."""
    return sorted(LESSONS.glob("[0-9][0-9]_*.py"))


def sum_of(source: Path) -> str:
    return hashlib.sha256(source.read_bytes()).hexdigest()


def notebook_of(source: Path) -> Any:
    """The notebook of a lesson, not yet run."""
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(KERNEL | {"gradus": {"source_sha256": sum_of(source)}})
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:03}"
        cell.metadata = {}
    return notebook


def run(source: Path) -> Any:
    """The notebook of a lesson, run; an exception in a cell ends it."""
    notebook = notebook_of(source)
    client = NotebookClient(
        notebook, timeout=SECONDS, record_timing=False, coalesce_streams=True,
        resources={"metadata": {"path": str(source.parent)}},
    )  # fmt: skip
    client.execute()
    notebook.metadata.language_info = KERNEL["language_info"]  # the kernel wrote its version into it
    return notebook


def main() -> None:
    """Run the lessons that are named, by their number or the beginning of their name; all if none is."""
    os.environ.pop("GRADUS_LESSONS", None)
    for source in lessons():
        if len(sys.argv) == 1 or source.name.startswith(tuple(sys.argv[1:])):
            files.write(source.with_suffix(".ipynb"), (nbformat.writes(run(source)) + "\n").encode())
            print(source.with_suffix(".ipynb").relative_to(LESSONS.parent))


if __name__ == "__main__":
    main()
