"""Peak memory of a work's steps beyond that of the imports, each time in a fresh process."""

from __future__ import annotations

from gradus.bench.contestant import Contestant, Failure, Field, Roster, Tell
from gradus.bench.line import Line
from gradus.bench.resident import peak
from gradus.bench.rounds import disagreement, place
from gradus.bench.rows import Row


def measure(row: Row, threads: int, roster: Roster, tell: Tell) -> list[Line]:
    """One line, in bytes; none if the system does not report it."""
    if not peak():
        roster.note(f"{row.name} is measured on Linux only")
        return []
    field = Field(row, roster)
    line = Line(row.name, "", row.title, threads, "bytes", {}, field.absent, row.ratio, row.goals.get(""))
    for number in range(1, row.rounds + 1):
        tell(f"{place(row, threads)}: round {number} of {row.rounds}")
        for name, work in row.works.items():
            if name in field.absent:
                continue
            contestant = field.ready[name] = Contestant(name, work, threads, warmup=0)
            try:
                imported = contestant.imported()
                reply = contestant.time(row.steps)
            except Failure as error:
                field.lose(name, error)
                line.rounds.pop(name, None)
                continue
            finally:
                contestant.close()
            line.rounds.setdefault(name, []).append(reply.peak - imported)
            line.check[name] = reply.check[""]
    disagreement(line, roster)
    return [line]
