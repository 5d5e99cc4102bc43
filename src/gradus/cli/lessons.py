"""`gradus lessons`: the course, copied into a folder of the user's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

import gradus
from gradus import files
from gradus.cli.output import say
from gradus.cli.verb import Verb
from gradus.errors import UserError

PACKAGE = Path(gradus.__file__).parent
PLACES = (PACKAGE / "lessons", PACKAGE.parents[1] / "lessons")  # of an installed gradus, and of a checkout


@click.command("lessons", cls=Verb)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def command(folder: Path) -> None:
    """Copy the lessons into the folder DIR: each as a Python file and as a notebook. Nothing that is there is
    overwritten.
    """
    sources = [path for path in sorted(lessons_folder().iterdir()) if path.suffix in (".py", ".ipynb")]
    taken = [path.name for path in sources if (folder / path.name).exists()]
    if taken:
        raise UserError(f"{folder} has {taken[0]} already, perhaps with your work in it; choose another folder")
    with files.saving(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path in sources:
            files.write(folder / path.name, path.read_bytes())
    number = sum(path.suffix == ".ipynb" for path in sources)
    say(f"{folder}: {number} lessons; open them with:", shlex.join(["jupyter", "lab", str(folder)]))


def lessons_folder() -> Path:
    """Where the lessons of this gradus are.

    Raises:
        UserError: if it was installed without them.
    """
    for place in PLACES:
        if place.is_dir():
            return place
    raise UserError(f"this gradus has no lessons beside it: looked in {PLACES[0]}")
