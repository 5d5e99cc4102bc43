"""The same steps on an idle machine and beside another busy program.

An engine whose threads spin or wait for one another loses far more than the core it shares.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gradus.bench.contestant import Reply, Roster, Tell, assembled
from gradus.bench.line import Line
from gradus.bench.rounds import place, take_turns
from gradus.bench.rows import Row

MEDIAN, WORST = "median", "worst"


def measure(row: Row, threads: int, roster: Roster, tell: Tell) -> list[Line]:
    """Two lines: the median and the slowest busy step, each divided by the idle median."""
    idle: dict[str, list[Reply]] = {}
    busy: dict[str, list[Reply]] = {}
    with assembled(row, threads, roster) as field:
        for number in range(1, row.rounds + 1):
            tell(f"{place(row, threads)}: idle, round {number} of {row.rounds}")
            take_turns(field, row.steps, idle, each=True)
        with one_core_busy():
            for number in range(1, row.rounds + 1):
                tell(f"{place(row, threads)}: busy, round {number} of {row.rounds}")
                take_turns(field, row.steps, busy, each=True)
    found = {name: quotients(idle[name], busy[name]) for name in busy}
    return [
        Line(
            row=row.name,
            part=part,
            title=row.title,
            threads=threads,
            unit="times",
            rounds={name: [parts[part]] for name, parts in found.items()},
            absent=dict(field.absent),
            ratio=None,
            goal=row.goals.get(part),
        )
        for part in (MEDIAN, WORST)
    ]


@contextmanager
def one_core_busy() -> Iterator[None]:
    """Run a process that computes until the block or this process ends."""
    process = subprocess.Popen([sys.executable, "-P", "-m", "gradus.bench.busy", str(os.getpid())])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def quotients(idle: list[Reply], busy: list[Reply]) -> dict[str, float]:
    """The median and the slowest busy step divided by the median idle step."""
    quiet = statistics.median(_steps(idle))
    return {MEDIAN: statistics.median(_steps(busy)) / quiet, WORST: max(_steps(busy)) / quiet}


def _steps(replies: list[Reply]) -> list[float]:
    return [taken for reply in replies for taken in reply.seconds[""]]


def _spin(parent: int) -> None:
    """Compute until the parent process ends."""
    while os.getppid() == parent:
        for _ in range(1_000_000):
            pass


if __name__ == "__main__":
    _spin(int(sys.argv[1]))
