"""Timing in rounds: the contestants take turns, some steps each, and must compute the same result."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gradus.bench.contestant import Field, Reply, Roster, Tell, assembled
from gradus.bench.line import Line
from gradus.bench.rows import GRADUS, PRODUCTS, READING, Row

AGREE = 1e-3  # relative difference of two correct losses, at most: float32 sums in another order, over many steps
MEAN = "geometric mean"


def measure(row: Row, threads: int, roster: Roster, tell: Tell) -> list[Line]:
    """A line for each part of the row; if there are several, also their geometric mean."""
    replies: dict[str, list[Reply]] = {}
    with assembled(row, threads, roster) as field:
        for number in range(1, row.rounds + 1):
            tell(f"{place(row, threads)}: round {number} of {row.rounds}")
            take_turns(field, row.steps, replies)
    parts = list(next(iter(replies.values()))[0].seconds) if replies else [""]
    lines = [_line(row, part, threads, field, replies) for part in parts]
    for line in lines:
        disagreement(line, roster)
        overuse(line, roster)
    return [*lines, _mean(row, threads, lines)] if len(lines) > 1 else lines


def place(row: Row, threads: int) -> str:
    """Which row is being measured, in words."""
    return f"{row.name}, {threads} thread{'s' if threads > 1 else ''}"


def take_turns(field: Field, steps: int, replies: dict[str, list[Reply]], *, each: bool = False) -> None:
    """One round; the replies of a contestant that fails are discarded."""
    for name in list(field.ready):
        reply = field.time(name, steps, each=each)
        if reply is None:
            replies.pop(name, None)
        else:
            replies.setdefault(name, []).append(reply)


def disagreement(line: Line, roster: Roster) -> None:
    """Remove contestants whose result differs from ours: their times are not comparable."""
    ours = line.check.get(GRADUS)
    for name, theirs in line.check.items():
        if ours is None or name in (GRADUS, PRODUCTS, READING) or math.isclose(ours, theirs, rel_tol=AGREE):
            continue
        del line.rounds[name]
        line.absent[name] = "disagrees"
        roster.note(f"{line.row}: {name} computed {theirs:.6g} where gradus computed {ours:.6g}")


def overuse(line: Line, roster: Roster) -> None:
    """Note contestants that used more cores than they had threads."""
    for name, cores in line.cores.items():
        if cores > line.threads + 0.1:
            roster.note(f"{line.row}: {name} kept {cores:.1f} cores at work with {line.threads} threads")


def _line(row: Row, part: str, threads: int, field: Field, replies: dict[str, list[Reply]]) -> Line:
    return Line(
        row=row.name,
        part=part,
        title=row.title,
        threads=threads,
        unit="s",
        rounds={name: [reply.seconds[part][0] for reply in given] for name, given in replies.items()},
        absent=dict(field.absent),
        ratio=row.ratio,
        goal=row.goals.get(part),
        check={name: given[-1].check[part] for name, given in replies.items()},
        cores={name: sum(reply.cores for reply in given) / len(given) for name, given in replies.items()},
    )


def _mean(row: Row, threads: int, lines: Sequence[Line]) -> Line:
    """The geometric mean of the parts, to which each contributes equally, however long it takes."""
    names = [name for name in lines[0].rounds if all(name in line.rounds for line in lines)]
    rounds = {
        name: [
            math.prod(taken) ** (1 / len(lines)) for taken in zip(*(line.rounds[name] for line in lines), strict=True)
        ]
        for name in names
    }
    absent = {name: why for line in lines for name, why in line.absent.items()}
    return Line(row.name, MEAN, row.title, threads, "s", rounds, absent, row.ratio, row.goals.get(MEAN))
