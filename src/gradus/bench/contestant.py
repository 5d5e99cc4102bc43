"""Contestants, as the parent process sees them: it starts a worker, requests steps of it and stops it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gradus.bench.rows import COMPILED, MICROGRAD, PYTORCH, TRANSFORMERS, Row

WARMUP = 2  # untimed steps before a contestant is ready: they load kernels and allocate memory

Tell: TypeAlias = Callable[[str], None]  # reports progress, a line at a time

_NEEDS = {
    PYTORCH: "torch",
    COMPILED: "torch",
    MICROGRAD: "micrograd",
    TRANSFORMERS: "transformers",
}  # contestant -> package
_NO_COMPILER = ("InvalidCxxCompiler", "CppCompileError", "No working C++ compiler")


class Failure(Exception):
    """A contestant failed; the message says why."""


@dataclass(frozen=True)
class Reply:
    """The result of a worker's `measure`."""

    seconds: dict[str, list[float]]
    check: dict[str, float]
    cores: float
    peak: int


@dataclass
class Roster:
    """The contestants that are unavailable on this machine, and the notes below the table."""

    absent: dict[str, str] = field(default_factory=dict)  # contestant -> reason
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of_this_machine(cls) -> Roster:
        """PyTorch and micrograd are available if they are installed."""
        return cls({name: "not installed" for name, package in _NEEDS.items() if not importlib.util.find_spec(package)})

    def fail(self, row: Row, name: str, error: Failure) -> str:
        """Note why a contestant has no figure; without a compiler it is left out of the later rows, too."""
        if name == COMPILED and any(sign in str(error) for sign in _NO_COMPILER):
            self.absent[name] = "no compiler"
            self.note("compiled PyTorch is not measured: it found no C++ compiler that works")
            return self.absent[name]
        self.note(f"{row.name}: {name} failed: {error}")
        return "failed"

    def note(self, line: str) -> None:
        """Add a note below the table, once."""
        if line not in self.notes:
            self.notes.append(line)


class Contestant:
    """A worker process. It sleeps between requests."""

    def __init__(
        self,
        name: str,
        work: str,
        threads: int,
        *,
        warmup: int = WARMUP,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        command = [sys.executable, "-P", "-m", "gradus.bench.worker", work, "--threads", str(threads)]
        command += ["--warmup", str(warmup), *(["--compiled"] if name == COMPILED else [])]
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  # until `close`
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            env={**_environment(name, threads), **(environment or {})},
        )

    def imported(self) -> int:
        """Wait until it is ready; return the bytes resident after its imports.

        Raises:
            Failure: if it cannot do this work.
        """
        return int(self._answer()["imported"])

    def time(self, steps: int, *, each: bool = False) -> Reply:
        """Run steps, after one that is not timed.

        Raises:
            Failure: if it ended instead.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"steps": steps, "each": each}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Failure(self._last_words()) from None
        return Reply(**self._answer())

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise Failure(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Failure(" ".join(str(answer["error"]).split())[:300])
        return answer

    def _last_words(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().split("\n")
        return next((line for line in reversed(lines) if line), f"it ended with status {self._process.returncode}")


class Field:
    """The contestants of a row, in the order of their turns."""

    def __init__(self, row: Row, roster: Roster) -> None:
        self.row, self.roster = row, roster
        self.absent = {name: roster.absent[name] for name in row.works if name in roster.absent}
        self.ready: dict[str, Contestant] = {}

    def time(self, name: str, steps: int, *, each: bool = False) -> Reply | None:
        """The reply of one contestant; None if it fails, which also removes it."""
        try:
            return self.ready[name].time(steps, each=each)
        except Failure as error:
            self.lose(name, error)
            return None

    def lose(self, name: str, error: Failure) -> None:
        """Remove a contestant."""
        contestant = self.ready.pop(name, None)
        if contestant is not None:
            contestant.close()
        self.absent[name] = self.roster.fail(self.row, name, error)


@contextmanager
def assembled(row: Row, threads: int, roster: Roster) -> Iterator[Field]:
    """All available contestants of a row, warmed up; their processes end with the block."""
    contestants = Field(row, roster)
    try:
        for name, work in row.works.items():
            if name not in contestants.absent:
                contestants.ready[name] = Contestant(name, work, threads)
        for name, contestant in list(contestants.ready.items()):
            try:
                contestant.imported()
            except Failure as error:
                contestants.lose(name, error)
        yield contestants
    finally:
        for contestant in contestants.ready.values():
            contestant.close()


def as_installed() -> dict[str, str]:
    """This environment without PYTHONDONTWRITEBYTECODE: an installed package has its bytecode cached."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _environment(name: str, threads: int) -> dict[str, str]:
    """The variables that set the number of threads of each BLAS."""
    pools = ("GRADUS_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    backend = "torch" if name in (PYTORCH, COMPILED) else "engine"
    return {**as_installed(), "GRADUS_BACKEND": backend, **dict.fromkeys(pools, str(threads))}
