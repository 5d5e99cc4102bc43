"""A run is a folder. It holds the settings, the measurements, the tokenizer and one checkpoint of several files, which
is replaced as a whole or not at all: whatever stops a save, be it a full disk or a power cut, the checkpoint before it
stays whole and loadable."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gradus.errors import UserError
from gradus.training.settings import read_toml

FORMAT = 1
STATE, MODEL, OPTIMIZER, BEST = "state.json", "model.safetensors", "optimizer.safetensors", "best.safetensors"
CONFIG, METRICS, TOKENIZER, SAMPLES = "config.toml", "metrics.jsonl", "tokenizer.json", "samples.txt"


class Run:
    """A run's folder on disk.

    How a checkpoint is written: every file goes to `<name>.new` first and is flushed to disk. Then `state.json`, which
    holds the sha256 of each file, is replaced; that one rename is the commit. Then the new files take their names. A
    reader takes, of `<name>` and `<name>.new`, the one whose sum `state.json` tells, so it finds a whole checkpoint at
    every moment in between."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, path: str | Path) -> Run:
        """Make the folder of a new run.

        Raises:
            UserError: if there is something at the path already, or the folder cannot be made.
        """
        run = cls(path)
        if run.path.exists() and not (run.path.is_dir() and not any(run.path.iterdir())):
            go_on = f"go on with it by gradus train --resume {run.path}, or " if run.has_checkpoint else ""
            raise UserError(f"{run.path} already exists; {go_on}choose another folder by --run")
        with _saving(run.path):
            run.path.mkdir(parents=True, exist_ok=True)
        return run

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """An existing run with a checkpoint.

        Raises:
            UserError: if the path holds none.
        """
        run = cls(path)
        if not run.path.is_dir():
            raise UserError(f"there is no run in {run.path}: no such folder")
        if not run.has_checkpoint:
            raise UserError(f"there is no run in {run.path}: it has no {STATE}")
        run.state()
        return run

    @property
    def has_checkpoint(self) -> bool:
        return (self.path / STATE).is_file()

    # The checkpoint

    def save(self, files: dict[str, bytes], state: dict[str, Any]) -> None:
        """Replace the checkpoint. Files of the checkpoint before that are not among `files` stay part of it.

        Args:
            files: the content of each file by name.
            state: what goes into `state.json`, besides the sums of the files.

        Raises:
            UserError: if the disk refuses; the checkpoint before is then still there.
        """
        with _saving(self.path, self._comfort):
            sums = dict(self.state()["files"]) if self.has_checkpoint else {}
            self._finish(sums)
            temps = [self.path / f"{name}.new" for name in (*files, STATE)]
            sums.update({name: _sha256(data) for name, data in files.items()})
            content = json.dumps({"format": FORMAT, **state, "files": sums}, indent=1).encode()
            try:
                for temp, data in zip(temps, (*files.values(), content), strict=True):
                    _write(temp, data)
                _flush_folder(self.path)
                os.replace(temps[-1], self.path / STATE)  # the commit
            except OSError:
                for temp in temps:
                    with suppress(OSError):
                        temp.unlink(missing_ok=True)
                raise
            _flush_folder(self.path)
            for name in files:
                os.replace(self.path / f"{name}.new", self.path / name)

    def state(self) -> dict[str, Any]:
        """What `state.json` says.

        Raises:
            UserError: if it is damaged, not ours, or of a later format.
        """
        path = self.path / STATE
        try:
            state = json.loads(path.read_bytes())
            if not isinstance(state["files"], dict) or not isinstance(state["format"], int):
                raise TypeError
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} is damaged, or was not written by gradus") from error
        if state["format"] > FORMAT:
            raise UserError(f"{path} was written by a later gradus than this; please update gradus")
        return dict(state)

    def read(self, name: str) -> bytes:
        """A file of the checkpoint.

        Raises:
            UserError: if it is missing, damaged, or not the one that was saved with this checkpoint.
        """
        path, sums, found = self.path / name, self.state()["files"], False
        if name not in sums:
            raise UserError(f"the checkpoint in {self.path} has no {name}")
        for candidate in (path, path.with_name(f"{name}.new")):
            with suppress(FileNotFoundError), _reading(candidate):
                data = candidate.read_bytes()
                found = True
                if _sha256(data) == sums[name]:
                    return data
        if self.state()["files"] != sums:  # a training run has saved in between
            return self.read(name)
        if not found:
            raise UserError(f"{path} is missing")
        raise UserError(f"{path} is damaged, or belongs to another run: its sha256 is not the one in {STATE}")

    def _comfort(self) -> str:
        return f"; the checkpoint of step {self.state().get('step')} is whole" if self.has_checkpoint else ""

    def _finish(self, sums: dict[str, str]) -> None:
        """Give their names to files that an earlier save committed and could not rename."""
        for name, sum_ in sums.items():
            new = self.path / f"{name}.new"
            if new.exists() and _sha256(new.read_bytes()) == sum_:
                os.replace(new, self.path / name)

    # What is beside the checkpoint

    def write(self, name: str, text: str) -> None:
        """Replace a text file as a whole.

        Raises:
            UserError: if the disk refuses; the file before is then still there.
        """
        temp = self.path / f"{name}.new"
        with _saving(self.path):
            try:
                _write(temp, text.encode())
                os.replace(temp, self.path / name)
            except OSError:
                with suppress(OSError):
                    temp.unlink(missing_ok=True)
                raise

    def settings(self) -> dict[str, object]:
        """The flat table in `config.toml`."""
        return read_toml(self.path / CONFIG)

    def log(self, line: dict[str, Any]) -> None:
        """Add a line to `metrics.jsonl`."""
        with _saving(self.path), open(self.path / METRICS, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of `metrics.jsonl`; one that a crash left unfinished ends them."""
        path = self.path / METRICS
        lines: list[dict[str, Any]] = []
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    lines.append(json.loads(line))
                except ValueError:
                    break
        return lines

    def cut_metrics(self, step: int) -> None:
        """Forget the measurements after a step: a resumed run will make them again."""
        lines = self.metrics()
        kept = [line for line in lines if line["step"] <= step]
        if (self.path / METRICS).exists():
            self.write(METRICS, "".join(json.dumps(line) + "\n" for line in kept))


def new_run_path(parent: str | Path, name: str) -> Path:
    """`parent/name-1`, or with the first number after it that is free."""
    number = 1
    while (path := Path(parent) / f"{name}-{number}").exists():
        number += 1
    return path


def _write(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    """Make the names in a folder durable; only POSIX systems have, and need, this."""
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _saving(path: Path, comfort: Callable[[], str] = str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot save in {path}: {error.strerror or error}{comfort()}") from error


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
