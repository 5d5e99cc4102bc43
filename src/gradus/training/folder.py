"""The folder of a run as the operating system sees it: making a new one, locking it, and its errors in one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from gradus.errors import UserError

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
def locked(folder: Path) -> Iterator[None]:
    """Within it, this process holds the lock on a folder, where the system has such locks. A process that ends, however
    it ends, lets go of it.

    Raises:
        UserError: if another process holds it.
    """
    descriptor = _lock(folder)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def saving(path: Path, addition: Callable[[], str] = str) -> Iterator[None]:
    """Within it, an OSError becomes a UserError in one line, with an addition that is made only then."""
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot save in {path}: {error.strerror or error}{addition()}") from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Within it, an OSError becomes a UserError in one line, except that a file does not exist."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the lock on a folder; None where the system has no such locks."""
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise UserError(f"another process is at work in {folder}; wait for it, or choose another folder") from None
    except OSError:  # a file system without locks
        os.close(descriptor)
        return None
    return descriptor
