"""`check` for notebooks: the verdict on an exercise, shown where the cell's result is."""

from __future__ import annotations

import html
import linecache
import re
from pathlib import Path
from typing import Any

from gradus.errors import UserError
from gradus.learn import message
from gradus.learn.exercise import catalogue, find
from gradus.learn.folder import Folder
from gradus.learn.judge import Judge, Verdict
from gradus.learn.session import Session


class Shown:
    """A verdict that shows itself: as text, and in a notebook as a cell's output. `passed` says how it is."""

    def __init__(self, verdict: Verdict, text: str) -> None:
        self.passed, self.text = verdict.passed, text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        color = "#1a7f37" if self.passed else "#b35900"
        return f'<pre style="border-left: 3px solid {color}; padding-left: 1em">{html.escape(self.text)}</pre>'


def check(exercise: object, folder: str | Path = ".") -> Shown:
    """Check an exercise.

    Args:
        exercise: its name, for the file in the learner's folder; or the function or class itself, defined in a cell
            of the notebook. The whole cell is checked, in a process of its own, so it imports what it uses.
        folder: the learner's folder, or one in it, or the one above.

    Raises:
        UserError: if there is no such exercise, folder or cell.
    """
    if isinstance(exercise, str):
        with Session(Folder.search(Path(folder).resolve())) as session:
            verdict = session.check(find(exercise))
            return Shown(verdict, session.said(verdict))
    name, text = getattr(exercise, "__name__", ""), _cell(exercise)
    defining = [e for e in catalogue().values() if re.search(rf"^(def|class) {name}\b", e.solution, re.MULTILINE)]
    found = defining[0] if len(defining) == 1 else find(name)
    with Judge() as judge:
        verdict = judge.judge(found, text, "your cell")
    return Shown(verdict, message.message(verdict))


def _cell(thing: Any) -> str:
    """The text of the cell, or the file, in which a function or a class is defined."""
    method = (
        next((v for v in vars(thing).values() if hasattr(v, "__code__")), None) if isinstance(thing, type) else thing
    )
    code = getattr(method, "__code__", None)
    lines = linecache.getlines(code.co_filename) if code is not None else []
    if not lines:
        raise UserError(
            f"the cell that defines {getattr(thing, '__name__', thing)!r} is not to be found; give the exercise's name"
        )
    return "".join(lines)
