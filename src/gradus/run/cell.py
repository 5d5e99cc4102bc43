"""Running one cell: its statements in the notebook's namespace, the value of its last expression, then its figures."""

from __future__ import annotations

import ast
import linecache
import sys
from typing import Any

from gradus.run.display import Recorder, bundle, recording, show_figures
from gradus.run.magic import TIMER, Timer, read_cell


def run_cell(source: str, name: str, count: int, namespace: dict[str, Any], recorder: Recorder) -> None:
    """Run a cell and record what it shows.

    Args:
        source: the cell's text.
        name: what tracebacks call it.
        count: its number, for the output.
        namespace: the notebook's names; read and written.

    Raises:
        BaseException: whatever the cell lets through. What it showed before that is recorded.
    """
    with recording(recorder):
        cell = read_cell(source, lambda line: print(f"gradus run: {line}", file=sys.stderr))
        # Tracebacks quote lines from here.
        linecache.cache[name] = (len(cell.text), None, (cell.text + "\n").splitlines(keepends=True), name)
        namespace[TIMER] = Timer()
        timer = Timer()
        timer.__enter__()
        value = _run(ast.parse(cell.text, name), name, namespace)
        if value is not None and not _ends_with_semicolon(cell.text):
            namespace["_"] = value
            if not _will_be_shown(value):
                recorder.result(*bundle(value), count)
        show_figures()
        if cell.magic == "%%time":
            timer.__exit__(None, None, None)
        if cell.magic == "%%capture":
            recorder.clear()


def _run(tree: ast.Module, name: str, namespace: dict[str, Any]) -> Any:
    """Run a cell's statements; the value of the last, if it is an expression."""
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        exec(compile(tree, name, "exec", dont_inherit=True), namespace)
        return None
    statements = ast.Module(tree.body[:-1], tree.type_ignores)
    exec(compile(statements, name, "exec", dont_inherit=True), namespace)
    return eval(compile(ast.Expression(last.value), name, "eval", dont_inherit=True), namespace)


def _ends_with_semicolon(text: str) -> bool:
    """Whether the value of the last expression is not to be shown. (A semicolon in a last comment does not count.)"""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and lines[-1].split("#")[0].rstrip().endswith(";")


def _will_be_shown(value: Any) -> bool:
    """Whether it is a figure that is still open, which is shown when the cell ends."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or getattr(value, "number", None) is None:
        return False
    return any(pyplot.figure(number) is value for number in pyplot.get_fignums())
