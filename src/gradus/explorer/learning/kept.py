"""What was computed of a run at a moment, kept while its weights on disk are the same: a slider over time comes back to
each moment often."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from gradus.explorer.learning.curves import folder_of
from gradus.explorer.opened import Opened, open_run
from gradus.training import RunFolder
from gradus.training.moments import MOMENTS, SUFFIX, moment_steps
from gradus.training.reopen import weights_file
from gradus.training.run import MODEL
from gradus.training.state import progress_of

Made = TypeVar("Made")

MOST = 1000  # results
MOST_OPENED = 40  # models

_results: OrderedDict[Any, Any] = OrderedDict()
_opened: OrderedDict[Any, Opened] = OrderedDict()
_lock = threading.Lock()


def once(opened: Opened, name: Any, make: Callable[[], Made]) -> Made:
    """What `make` gives for the weights of a run that are looked at, computed once; of a model in memory, whose weights
    may change unseen, each time."""
    if opened.folder is None:
        return make()
    key = identity(opened), name
    with _lock:
        if key in _results:
            _results.move_to_end(key)
            found: Made = _results[key]
            return found
    made = make()
    with _lock:
        _results[key] = made
        while len(_results) > MOST:
            _results.popitem(last=False)
    return made


def moments_of(run: RunFolder) -> list[tuple[int, Opened]]:
    """A run at each of its moments, in order, and at the end with its last weights, each with its step."""
    last = progress_of(run).step
    found = [(step, open_run(run.path, str(step))) for step in moment_steps(run) if step < last]
    out = []
    for step, opened in [*found, (last, open_run(run.path, "last"))]:
        key = identity(opened)
        with _lock:
            out.append((step, _opened.setdefault(key, opened)))
            _opened.move_to_end(key)
            while len(_opened) > MOST_OPENED:
                _opened.popitem(last=False)
    return out


def identity(opened: Opened) -> Any:
    """What tells these weights of a run from all others."""
    run, moment = folder_of(opened), opened.moment
    if moment in (None, "last"):
        sum_ = run.state()["files"][MODEL] if moment else weights_file(run)[1]
        return str(run.path.resolve()), sum_
    stat = (run.path / MOMENTS / f"{moment}{SUFFIX}").stat()
    return str(run.path.resolve()), moment, stat.st_mtime_ns, stat.st_size
