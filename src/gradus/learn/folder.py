"""The learner's folder: a file for each exercise, progress.txt, and copies of what was replaced. Nothing of the
learner's is overwritten without a copy.

progress.txt says which exercise is the current one, and of each that has passed the sha256 of the file as it passed: a
file that has changed since counts as not yet right. It is written by the process that judges, from what it read before
the learner's code ran.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from gradus import files
from gradus.errors import UserError
from gradus.learn.exercise import Exercise, catalogue, find

PROGRESS = "progress.txt"
DEFAULT = "exercises"
HEAD = "# gradus learn: the current exercise, and what has passed, with the sha256 of the file as it was\n"
PACKAGE_TEXT = '''"""What you have written, as `from mine.value import Value` imports it. Where an exercise has not
passed, gradus's own stands in. It works in a script or a notebook of this folder as it does in an exercise."""

from pathlib import Path

from gradus.learn.folder import Folder
from gradus.learn.modules import install

install(Folder(Path(__file__).parents[1]).right())
'''


@dataclass
class Progress:
    """What progress.txt says."""

    current: str
    passed: dict[str, str] = field(default_factory=dict)  # exercise: sha256
    hints: dict[str, int] = field(default_factory=dict)  # exercise: how many have been shown


class Folder:
    """A learner's folder that exists. UserError if it isn't one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not _is_one(path):
            raise UserError(
                f"{path} is not a folder of exercises: it has no {PROGRESS} of gradus learn's; gradus learn init "
                "makes one in a new folder"
            )

    @classmethod
    def make(cls, path: Path) -> tuple[Folder, int]:
        """Make a folder, or add what it lacks; what is there stays as it is. Returns also the number of new files."""
        new = 0
        if (path / PROGRESS).exists():
            cls(path)  # another program's progress.txt: refused before anything is written
        with files.saving(path):
            path.mkdir(parents=True, exist_ok=True)
            (path / "mine").mkdir(exist_ok=True)
            wanted = {f"{e.stem}.py": e.stub for e in catalogue().values()}
            wanted |= {"mine/__init__.py": PACKAGE_TEXT, PROGRESS: _text(Progress(next(iter(catalogue()))))}
            for name, text in wanted.items():
                if not (path / name).exists():
                    files.write(path / name, text.encode())
                    new += 1
        return cls(path), new

    @classmethod
    def search(cls, start: Path) -> Folder:
        """The folder that `start` lies in, or `start`/exercises. UserError if there is none."""
        for path in (start, *start.parents, start / DEFAULT):
            if _is_one(path):
                return cls(path)
        raise UserError(
            f"there is no folder of exercises here; gradus learn init makes one, {DEFAULT}, and tells how to begin"
        )

    def shown(self, exercise: Exercise) -> str:
        """The path of the learner's file as seen from where one is."""
        path = self.file(exercise).resolve()
        return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)

    def file(self, exercise: Exercise) -> Path:
        return self.path / f"{exercise.stem}.py"

    def text(self, exercise: Exercise) -> str:
        """What the learner has written. UserError if the file is gone, or is no text."""
        path = self.file(exercise)
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise UserError(f"{path} is gone; gradus learn reset {exercise.name} writes its beginning again") from None
        except UnicodeDecodeError:
            raise UserError(f"{path} is not text in UTF-8; save it as such") from None

    def progress(self) -> Progress:
        """Read progress.txt; lines about exercises that don't exist are left out."""
        progress = Progress(next(iter(catalogue())))
        for line in (self.path / PROGRESS).read_text("utf-8", "replace").splitlines():
            match line.split():
                case ["current", name] if name in catalogue():
                    progress.current = name
                case ["passed", name, seal] if name in catalogue():
                    progress.passed[name] = seal
                case ["hints", name, number] if name in catalogue() and number.isdecimal():
                    progress.hints[name] = int(number)
        return progress

    def write(self, progress: Progress) -> None:
        with files.saving(self.path / PROGRESS):
            files.write(self.path / PROGRESS, _text(progress).encode())

    def right(self, progress: Progress | None = None) -> dict[str, tuple[str, str]]:
        """The files that are as they passed, by exercise: path and text."""
        found = {}
        for name, seal_then in (progress or self.progress()).passed.items():
            exercise = find(name)
            if self.file(exercise).is_file():
                text = self.file(exercise).read_text("utf-8", "replace")
                if seal(text) == seal_then:
                    found[name] = (str(self.file(exercise)), text)
        return found

    def reset(self, exercise: Exercise) -> Path | None:
        """Write the stub over the learner's file. Returns the copy of what was there, None if there was nothing new."""
        path, copy = self.file(exercise), None
        with files.saving(path):
            if path.exists() and path.read_bytes() != exercise.stub.encode():
                (self.path / "copies").mkdir(exist_ok=True)
                taken = {p.name for p in (self.path / "copies").iterdir()}
                number = next(n for n in range(1, len(taken) + 2) if f"{exercise.stem}.{n}.py" not in taken)
                copy = self.path / "copies" / f"{exercise.stem}.{number}.py"
                files.write(copy, path.read_bytes())
            files.write(path, exercise.stub.encode())
        return copy


def _is_one(path: Path) -> bool:
    """Whether a folder has a progress.txt, and it is ours."""
    return (path / PROGRESS).is_file() and (path / PROGRESS).read_text("utf-8", "replace").startswith(HEAD[:15])


def seal(text: str) -> str:
    """The sha256 of a file's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _text(progress: Progress) -> str:
    lines = [f"current {progress.current}"]
    lines += [f"passed {name} {progress.passed[name]}" for name in catalogue() if name in progress.passed]
    lines += [f"hints {name} {progress.hints[name]}" for name in catalogue() if name in progress.hints]
    return HEAD + "\n".join(lines) + "\n"
