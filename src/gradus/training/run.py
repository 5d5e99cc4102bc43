"""A run is a folder. It holds the settings, the measurements, the tokenizer and one checkpoint of several files, which
is replaced as a whole or not at all: whatever stops a save, be it a full disk or a power cut, the checkpoint before it
stays whole and loadable. What was changed or damaged afterwards is found when it is read."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

from gradus.errors import UserError
from gradus.files import flush_folder, from_json, locked, note, saving, seal, sha256, target, to_json, write
from gradus.training.distributed import leads
from gradus.training.folder import reading
from gradus.training.metrics import Line, append_line, read_bytes, read_lines, up_to
from gradus.training.settings import parse_toml

FORMAT = 2  # 1 did not seal the settings and the tokenizer
STATE, MODEL, OPTIMIZER, BEST = "state.json", "model.safetensors", "optimizer.safetensors", "best.safetensors"
CONFIG, METRICS, TOKENIZER, SAMPLES = "config.toml", "metrics.jsonl", "tokenizer.json", "samples.txt"
LABELS = "labels.json"  # of a classifier: the names of its labels, in their order
TEXT = "text.txt"  # the text, where it came from a pipe and is nowhere else

# What can be done about a file that does not fit; RUN is the run's folder.
_ADVICE = {
    CONFIG: "put it back as it was; for other settings, start a new run",
    OPTIMIZER: "the model can still be used by gradus sample RUN and gradus eval RUN",
    BEST: "the last weights are still there: gradus sample RUN --last",
}
_ANEW = "put it back as it was, or train again with gradus train --config RUN/config.toml"


class RunFolder:
    """A run's folder on disk. Of several processes that train it only the leading one writes; in the others, what would
    write does nothing.

    How a checkpoint is written: every file goes to `<name>.new` first and is flushed to disk. Then `state.json`, which
    holds the sha256 of each file and one of itself, is replaced; that one rename is the commit. Then the new files take
    their names. A reader takes, of `<name>` and `<name>.new`, the one whose sum is in `state.json`, so it finds a whole
    checkpoint at every moment in between."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.writes = leads()

    def __repr__(self) -> str:
        return f"training.Run({str(self.path)!r})"

    @classmethod
    def create(cls, path: str | Path) -> RunFolder:
        """Make the folder of a new run.

        Raises:
            UserError: if there is something at the path already, or the folder cannot be made.
        """
        run = cls(path)
        with saving(run.path):
            if run.path.exists() and not (run.path.is_dir() and not any(run.path.iterdir())):
                raise run.taken()
            run.path.mkdir(parents=True, exist_ok=True)
        return run

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """Open a run that has begun.

        Raises:
            UserError: if there is none at the path.
        """
        run = cls(path)
        if not run.path.is_dir():
            near = difflib.get_close_matches(run.path.name, [other.name for other in runs_in(run.path.parent)], n=1)
            hint = f"; did you mean {run.path.parent / near[0]}?" if near else ""
            raise UserError(f"there is no run in {run.path}: no such folder{hint}")
        if not run.has_checkpoint:
            inside = ", ".join(map(str, runs_in(run.path)))
            raise UserError(
                f"{run.path} holds several runs; choose one of {inside}"
                if inside
                else f"there is no run in {run.path}: it has no {STATE}"
            )
        run.state()
        return run

    @property
    def has_checkpoint(self) -> bool:
        """Whether it has begun: there is a `state.json`."""
        return (self.path / STATE).is_file()

    @property
    def has_model(self) -> bool:
        """Whether its checkpoint holds a model yet."""
        return self.has_checkpoint and MODEL in self.state()["files"]

    def in_use(self) -> AbstractContextManager[None]:
        """Within it, no other process can train in this folder; UserError if another one does."""
        return locked(self.path) if self.writes else nullcontext()

    def taken(self) -> UserError:
        """The error for a new run in a folder that is not empty."""
        resume = f"resume it by gradus train --resume {self.path}, or " if self.has_checkpoint else ""
        return UserError(f"{self.path} already exists; {resume}choose another folder as out")

    # The checkpoint

    def save(self, files: Mapping[str, bytes], state: Mapping[str, Any]) -> None:
        """Replace the checkpoint. Files of the previous one that are not among `files` stay part of it.

        Args:
            files: the content of each file by name.
            state: what goes into `state.json`, besides the sums of the files.

        Raises:
            UserError: if a file cannot be written; the previous checkpoint is then still there.
        """
        if not self.writes:
            return
        with saving(self.path, self.still_whole):
            state = {**state, "metrics": sha256(read_bytes(self.path / METRICS))}
            sums = dict(self.state()["files"]) if self.has_checkpoint else {}
            self._finish(sums)
            sums.update({name: sha256(data) for name, data in files.items()})
            content = {"format": FORMAT, **state, "files": sums}
            text = to_json({**content, "seal": seal(content)}, indent=1)
            try:
                for name, data in (*files.items(), (STATE, text.encode())):
                    _write(self._new(name), data)
                flush_folder(self.path)
                self._rename(STATE)  # the commit
            except OSError:
                for name in (*files, STATE):
                    with suppress(OSError):
                        self._new(name).unlink(missing_ok=True)
                raise
            flush_folder(self.path)
            for name in files:
                self._rename(name)

    def update(self, files: Mapping[str, bytes] | None = None, **fields: Any) -> None:
        """Replace some files and fields of the checkpoint and keep the others. UserError as in `save`."""
        others = {name: value for name, value in self.state().items() if name not in ("format", "files", "seal")}
        self.save(files or {}, {**others, **fields})

    def state(self) -> dict[str, Any]:
        """What `state.json` says.

        Raises:
            UserError: if it is damaged, was changed, is not ours, or of another format.
        """
        path = self.path / STATE
        try:
            state: dict[str, Any] = from_json(path.read_bytes())
            version, sums = state["format"], state["files"]
            if type(version) is not int or not all(isinstance(s, str) and n == Path(n).name for n, s in sums.items()):
                raise TypeError
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path} is damaged, or was not written by gradus; {self._advice(STATE)}") from error
        if version > FORMAT:
            raise UserError(f"{path} was written by a later gradus than this; please update gradus")
        if version < FORMAT:
            raise UserError(f"{path} was written by an earlier gradus, in another format; {self._advice(STATE)}")
        if state.get("seal") != seal({name: value for name, value in state.items() if name != "seal"}):
            raise UserError(f"{path} was changed or is damaged: its sha256 is not its seal; {self._advice(STATE)}")
        return state

    def read(self, name: str) -> bytes:
        """A file of the checkpoint.

        Raises:
            UserError: if it is missing, damaged, changed, or not the one that was saved with this checkpoint.
        """
        path, sums, found = self.path / name, self.state()["files"], False
        if name not in sums:
            raise UserError(f"the checkpoint in {self.path} has no {name}")
        for candidate in (path, self._new(name)):
            with suppress(FileNotFoundError), reading(candidate):
                data = candidate.read_bytes()
                found = True
                if sha256(data) == sums[name]:
                    return data
        if self.state()["files"] != sums:  # a training run has saved in between
            return self.read(name)
        if not found:
            raise UserError(f"{path} is missing; {self._advice(name)}")
        raise UserError(
            f"{path} was changed, is damaged, or belongs to another run: its sha256 is not the one in {STATE}; "
            f"{self._advice(name)}"
        )

    def still_whole(self) -> str:
        """What to say behind an error: that its checkpoint is whole, if it has one."""
        return f"; the checkpoint of step {self.state().get('step')} is whole" if self.has_model else ""

    def _advice(self, name: str) -> str:
        return _ADVICE.get(name, _ANEW).replace("RUN", str(self.path))

    def _finish(self, sums: Mapping[str, str]) -> None:
        """Give their names to files that an earlier save committed and could not rename."""
        for name, sum_ in sums.items():
            new = self._new(name)
            if new.exists() and sha256(new.read_bytes()) == sum_:
                self._rename(name)

    def _new(self, name: str) -> Path:
        """Where a file waits for the commit: beside what it replaces, which a link may have put elsewhere."""
        place = target(self.path / name)
        return place.with_name(f"{place.name}.new")

    def _rename(self, name: str) -> None:
        os.replace(self._new(name), target(self.path / name))

    # What is beside the checkpoint

    def write(self, name: str, text: str) -> None:
        """Replace a text file as a whole.

        Raises:
            UserError: if it cannot be written; the previous file is then still there.
        """
        if self.writes:
            with saving(self.path):
                write(self.path / name, text.encode())

    def settings(self) -> dict[str, object]:
        """The flat table in `config.toml`. UserError as in `read`."""
        return parse_toml(self.read(CONFIG), self.path / CONFIG)

    def log(self, line: dict[str, Any]) -> None:
        """Add a line to `metrics.jsonl`. UserError if it cannot be written."""
        if self.writes:
            append_line(self.path / METRICS, line)

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of `metrics.jsonl`; those that are damaged are left out, and the user is told of them."""
        return [line.values for line in self._metrics()]

    def cut_metrics(self, step: int) -> None:
        """Remove the measurements after a step: a resumed run will make them again."""
        lines = self._metrics()
        if (self.path / METRICS).exists():
            self.write(METRICS, up_to(lines, step))

    def _metrics(self) -> list[Line]:
        path = self.path / METRICS
        lines = read_lines(path)
        if self.has_model:
            state = self.state()
            if sha256(up_to(lines, state.get("step", 0)).encode()) != state.get("metrics"):
                note(f"{path} is not what was saved with the checkpoint; the losses in it may be wrong")
        return lines


def runs_in(folder: str | Path) -> list[Path]:
    """The runs that lie in a folder, such as those of a climb, in the order in which they were begun."""
    found = []
    with suppress(OSError):
        found = [path for path in Path(folder).iterdir() if (path / STATE).is_file()]
    return sorted(found, key=lambda path: (_begun(path), path.name))


def _begun(run: Path) -> float:
    """When a run began: its tokenizer is the file that never changes."""
    with suppress(OSError):
        return (run / TOKENIZER).stat().st_mtime
    return 0.0


def _write(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
