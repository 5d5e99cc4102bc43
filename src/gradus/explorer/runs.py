"""The runs that a page may look into: each has an id, by which the page names it. No path is taken from an address."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gradus.errors import UserError
from gradus.explorer.opened import Opened, open_run
from gradus.models import MODELS
from gradus.training import RunFolder, runs_in
from gradus.training.run import STATE

KEPT = 4  # opened models at a time


class Runs:
    """Runs by id, opened when they are asked for, and anew when they have changed on disk.

    Args:
        paths: finds the folders of the runs, each time that the list is asked for; a climb stands for all of its own.
        first: the run that the page opens on; without one, it asks.
    """

    def __init__(self, paths: Callable[[], Iterable[str | Path]], first: str | Path | None = None) -> None:
        self._find, self.first = paths, None if first is None else id_of(Path(first))
        self._paths: dict[str, Path] = {}
        self._opened: OrderedDict[tuple[str, str | None], tuple[object, Opened]] = OrderedDict()
        self._in_memory: dict[str, Opened] = {}
        self._lock = threading.Lock()

    def add(self, opened: Opened) -> str:
        """Offer a model in memory, too; returns its id."""
        self._in_memory[opened.name] = opened
        return opened.name

    def listed(self) -> list[dict[str, Any]]:
        """The runs: id, name, kind (the model's name), note (what it was trained on, and for how long)."""
        found: dict[str, Path] = {}
        for path in map(Path, self._find()):
            for run in [path] if (path / STATE).exists() or not runs_in(path) else runs_in(path):
                found[id_of(run)] = run
        self._paths = found
        rows = [_row(id_, path) for id_, path in found.items()]
        return rows + [
            {"id": id_, "name": id_, "kind": opened.kind, "note": "in memory"}
            for id_, opened in self._in_memory.items()
        ]

    def open(self, id_: str, moment: str | None = None) -> Opened:
        """The run of an id.

        Raises:
            UserError: if there is none, or it is no longer on disk.
        """
        if id_ in self._in_memory:
            return self._in_memory[id_]
        if id_ not in self._paths:
            self.listed()
        if id_ not in self._paths:
            raise UserError(f"there is no run {id_[:80]!r} here; the list at the top has those that there are")
        path, key = self._paths[id_], (id_, moment)
        stamp = _stamp(path)
        with self._lock:
            if key in self._opened and self._opened[key][0] == stamp:
                self._opened.move_to_end(key)
                return self._opened[key][1]
            opened = open_run(path, moment)
            self._opened[key] = (stamp, opened)
            while len(self._opened) > KEPT:
                self._opened.popitem(last=False)
            return opened


def id_of(path: Path) -> str:
    """The folder's name, and enough of its whole path to tell it from others: the same whenever a page is opened."""
    return f"{path.resolve().name}-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:6]}"


def _stamp(path: Path) -> object:
    """What changes when a run is saved. UserError if it is no longer there."""
    try:
        state = (path / STATE).stat()
    except OSError as error:
        raise UserError(f"the run {path} is no longer there ({error.strerror})") from error
    return state.st_mtime_ns, state.st_size, state.st_ino


def _row(id_: str, path: Path) -> dict[str, Any]:
    try:
        run = RunFolder.open(path)
        settings, state = run.settings(), run.state()
        kind, loss = str(settings.get("model")), state.get("test_loss")
        steps = "" if hasattr(MODELS[kind][1], "count") else f", {state.get('step', 0):,} steps"
        text = Path(str(state.get("data", {}).get("corpus"))).name
        note = f"{kind} on {text}{steps}" + (f", test loss {loss:.3f}" if isinstance(loss, float) else "")
    except (UserError, KeyError) as error:
        kind, note = "", str(error)
    return {"id": id_, "name": str(path), "kind": kind, "note": note}
