"""The folder of a run as the operating system sees it: making a new one, and its errors in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from gradus.errors import UserError
from gradus.files import saving

RUNS = "runs"  # where the folders of runs lie by default


def new_run_folder(parent: str | Path, name: str) -> Path:
    """Make the folder `parent/name-1`, or with the first number after it that is free, and return its path.

    Of two processes that ask at once, each gets a folder of its own. UserError if it cannot be made.
    """
    with saving(Path(parent)):
        for number in count(1):
            path = Path(parent) / f"{name}-{number}"
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            return path
    raise AssertionError("there is a number for every folder")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Within it, an OSError becomes a UserError in one line, except that a file does not exist."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
