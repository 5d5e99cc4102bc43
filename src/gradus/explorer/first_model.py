"""A first model to look into, for who has none: a small GPT, trained in seconds on the text that gradus brings. It is
trained as `gradus train` would, by that command in a process of its own, and only when the page asks for it."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from gradus.training import RUNS
from gradus.training.folder import new_run_folder

# About ten seconds on an idle machine of two cores, for a dev loss near 2 nats.
COMMAND = shlex.split("gradus train words --model gpt --n-layer 2 --n-head 4 --n-embd 64 --batch-size 32 --steps 500")


class FirstModel:
    """The training of a first model: not begun, under way, done or failed.

    Args:
        command: what trains it; the folder is added.

    Attributes:
        folder: of the run; None before it is begun.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self.command = command
        self.folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._told: IO[bytes] | None = None  # what it says on standard error
        self._error = ""

    def start(self) -> None:
        """Begin, unless it is under way or done."""
        state = self.state()
        if state["running"] or state["done"]:
            return
        self.folder, self._told = new_run_folder(RUNS, "first-gpt"), tempfile.TemporaryFile()  # noqa: SIM115 (closed when it ends)
        command = [sys.executable, "-m", *self.command, "--out", str(self.folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self._told)

    def state(self) -> dict[str, Any]:
        """command; running; done; error: what went wrong, in a line, or ""."""
        status = None if self._process is None else self._process.poll()
        running = self._process is not None and status is None
        if self._told is not None and not running:
            self._told.seek(0)
            lines = self._told.read().decode("utf-8", "replace").strip().splitlines()
            self._error = (lines or [f"it ended with status {status}"])[-1] if status else ""
            self._told.close()
            self._told = None
        return {"command": " ".join(self.command), "running": running, "done": status == 0, "error": self._error}

    def stop(self) -> None:
        """End the training, if it is under way; what it has saved stays."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self.state()
