"""How long it takes from nothing: to import the engine, and to have taken the first step of a small GPT, on a machine
that has never compiled a kernel and on one that has.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

from gradus.bench.contestant import Contestant, Failure, Field, Roster, Tell, as_installed
from gradus.bench.line import Line
from gradus.bench.rounds import place
from gradus.bench.rows import GRADUS, PYTORCH, Row

IMPORT, COLD, WARM = "import", "first step, no cache", "first step, later"
PACKAGES = {GRADUS: "gradus.engine", PYTORCH: "torch"}


def measure(row: Row, threads: int, roster: Roster, tell: Tell) -> list[Line]:
    """Three lines: the import, beyond the interpreter's own start; and the time from the start of a process to the end
    of its first step, with an empty cache of compiled kernels and with a full one."""
    field = Field(row, roster)
    lines = {
        part: Line(row.name, part, row.title, threads, "s", {}, field.absent, None, row.goals.get(part))
        for part in (IMPORT, COLD, WARM)
    }

    def note(part: str, name: str, seconds: float) -> None:
        lines[part].rounds.setdefault(name, []).append(seconds)

    def able() -> list[str]:
        return [name for name in row.works if name not in field.absent]

    tell(f"{place(row, threads)}: import")
    bare = statistics.median(_run("pass") for _ in range(row.rounds))
    for number in range(row.rounds + 1):
        for name in able():
            try:
                seconds = _run(f"import {PACKAGES[name]}") - bare
            except Failure as error:
                field.lose(name, error)
            else:
                if number:  # the first reads the files from the disk
                    note(IMPORT, name, seconds)
    with tempfile.TemporaryDirectory() as cache:
        for number in range(row.rounds + 1):
            tell(f"{place(row, threads)}: first step, " + (f"{number} of {row.rounds}" if number else "no cache"))
            for name in able():
                start = time.perf_counter()
                contestant = field.ready[name] = Contestant(
                    name, row.works[name], threads, warmup=1, environment={"NUMBA_CACHE_DIR": cache}
                )
                try:
                    contestant.imported()
                    note(WARM if number else COLD, name, time.perf_counter() - start)
                except Failure as error:
                    field.lose(name, error)
                finally:
                    contestant.close()
    return list(lines.values())


def _run(program: str) -> float:
    """Seconds that a fresh interpreter takes for a program.

    Raises:
        Failure: if the program fails.
    """
    start = time.perf_counter()
    command = [sys.executable, "-P", "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=as_installed())
    seconds = time.perf_counter() - start
    if ended.returncode:
        raise Failure(ended.stderr.strip().rpartition("\n")[2])
    return seconds
