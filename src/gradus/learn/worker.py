"""A process that runs checks, seen from the one that judges: started ahead of its job, given a time, and ended with all
that it started. A process that has run a learner's code is never used again."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

PACKAGE_ROOT = str(Path(__file__).parents[2])
STARTING = 120.0  # seconds within which even a very busy machine starts Python
END = object()


class OutOfTime(Exception):
    """The job has not answered in its time."""


class Worker:
    """A process waiting for jobs; it imports what is named ahead of them.

    Used with `with`, or ended with `end`.
    """

    def __init__(self, imports: Sequence[str] = ()) -> None:
        environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONIOENCODING="utf-8", MPLBACKEND="Agg")
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [PACKAGE_ROOT, os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gradus.learn.child", *imports],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=os.name == "posix",
        )
        self._lines: queue.Queue[Any] = queue.Queue()
        self.ready = False
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, job: Mapping[str, Any]) -> None:
        """Give it a job; `lines` gives what it answers."""
        assert self.process.stdin is not None
        with suppress(OSError):  # it has ended: then there are no lines
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()

    def lines(self, seconds: float) -> Iterator[dict[str, Any]]:
        """The lines that answer a job, as they come. Raises OutOfTime; ends early if the process does."""
        if not self.ready:
            self.ready = "ready" in (self._next(time.monotonic() + STARTING) or {})
        until = time.monotonic() + seconds
        while (line := self._next(until)) is not None:
            yield line
            if "end" in line or "failed" in line:
                return

    def end(self) -> None:
        """Kill the process and what it has started."""
        with suppress(OSError):
            if os.name == "posix":
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    def _next(self, until: float) -> dict[str, Any] | None:
        """The next line, None at the end of the output."""
        try:
            line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise OutOfTime from None
        if line is END:
            self._lines.put(END)
            return None
        return line if isinstance(line, dict) else None

    def _read(self) -> None:
        assert self.process.stdout is not None
        with suppress(OSError, ValueError):  # ValueError: closed, or not our JSON
            for line in self.process.stdout:
                self._lines.put(json.loads(line))
        self._lines.put(END)
