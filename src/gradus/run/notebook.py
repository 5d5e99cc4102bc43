"""Running a notebook from top to bottom on the engine, and writing it with its outputs.

A notebook is JSON (nbformat 4): cells, each with its source and, if it holds code, its outputs. No Jupyter is needed:
the cells are run in this process, in one namespace.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gradus import files
from gradus.errors import UserError
from gradus.run import inline
from gradus.run.cell import run_cell
from gradus.run.display import Recorder, display
from gradus.run.ipython import ipython_display
from gradus.run.stage import stage
from gradus.run.trouble import describe

Notebook = dict[str, Any]


def run_notebook(
    path: str | Path, output: str | Path | None = None, *, allow_errors: bool = False, debug: bool = False
) -> int:
    """Run the code cells of a notebook in their order. Progress, a line a cell, goes to standard error.

    Args:
        output: the new notebook to write, with outputs and pictures. None: text goes to standard output, and pictures
            are only named.
        allow_errors: continue after a cell that failed.
        debug: let exceptions through as they are.

    Returns:
        The exit status: 0; 1 after an exception; 2 if a cell needs something that is not supported or not installed.

    Raises:
        UserError: if the file is no notebook.
        SystemExit, KeyboardInterrupt: if a cell lets them through; the new notebook is written all the same.
    """
    path, output = Path(path), None if output is None else Path(output)
    notebook = read_notebook(path)
    cells = [cell for cell in notebook["cells"] if cell.get("cell_type") == "code"]
    for cell in cells:
        cell.update(outputs=[], execution_count=None)
    if output is not None and not output.parent.is_dir():
        raise UserError(f"cannot write {output}: there is no folder {output.parent}")
    try:
        with stage(path, (), file=False) as module, _figures_in_memory(), ipython_display():
            module.__dict__["display"] = display
            return _run_cells(path, cells, module.__dict__, output is not None, allow_errors, debug)
    finally:
        if output is not None:
            write_notebook(notebook, output)


def _run_cells(
    path: Path, cells: list[dict[str, Any]], namespace: dict[str, Any], quiet: bool, allow_errors: bool, debug: bool
) -> int:
    for count, cell in enumerate(cells, start=1):
        source = _text(cell["source"])
        if not source.strip():
            continue
        name = f"{path}, cell {count}"
        recorder = Recorder(quiet=quiet)
        cell.update(outputs=recorder.outputs, execution_count=count)
        began = time.perf_counter()
        print(f"[{count}/{len(cells)}] {_first_line(source)}", file=sys.stderr, flush=True)
        try:
            run_cell(source, name, count, namespace, recorder)
        except Exception as error:
            if debug:
                raise
            trouble = describe(error, is_program=lambda filename: filename.startswith(f"{path}, cell "))
            recorder.error(error, trouble.text)
            print(trouble.text, file=sys.stderr)
            if not allow_errors:
                return trouble.status
        seconds = time.perf_counter() - began
        if seconds >= 1:
            print(f"[{count}/{len(cells)}] took {seconds:.1f} s", file=sys.stderr, flush=True)
    return 0


def read_notebook(path: str | Path) -> Notebook:
    """A notebook's content.

    Raises:
        UserError: if the file cannot be read or is no notebook of format 4.
    """
    try:
        notebook = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the notebook {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no notebook: {error}") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or not isinstance(notebook.get("cells"), list):
        found = notebook.get("nbformat") if isinstance(notebook, dict) else None
        raise UserError(f"{path} is no notebook of format 4 (nbformat: {found}): open it in Jupyter and save it again")
    return notebook


def write_notebook(notebook: Notebook, path: str | Path) -> None:
    """Write a notebook as Jupyter does: texts as lists of lines, one space of indentation."""
    for cell in notebook["cells"]:
        cell["source"] = _lines(cell["source"])
        for output in cell.get("outputs", ()):
            if "text" in output:
                output["text"] = _lines(output["text"])
            for kind, value in output.get("data", {}).items():
                if kind.startswith("text/") or kind == "image/svg+xml":
                    output["data"][kind] = _lines(value)
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    with files.saving(path):
        files.write(path, text.encode("utf-8", "backslashreplace"))


@contextmanager
def _figures_in_memory() -> Iterator[None]:
    """Within the block, matplotlib draws for the cells' outputs."""
    before = os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = inline.NAME
    loaded = sys.modules.get("matplotlib")
    used = loaded.get_backend() if loaded is not None else None
    if loaded is not None:
        loaded.use(inline.NAME)
    try:
        yield
    finally:
        if before is None:
            del os.environ["MPLBACKEND"]
        else:
            os.environ["MPLBACKEND"] = before
        if used is not None and loaded is not None:
            loaded.use(used)


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _lines(text: str | list[str]) -> list[str]:
    return _text(text).splitlines(keepends=True)


def _first_line(source: str) -> str:
    line = source.strip().splitlines()[0]
    return line if len(line) <= 72 else line[:71] + "…"
