"""Where compiled loops are kept between processes, and what is said when one has to be compiled.

Numba keeps a compiled function as long as the file it is in stays the same. Ours call each other across files, so each
state of the files together gets a folder of its own.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HELPING = "GRADUS_PREPARES"  # set for the process that compiles beside another


def folder() -> Path:
    """NUMBA_CACHE_DIR or the user's cache folder, and in it one folder for what the sources are now."""
    told, home = os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME")
    place = Path(told) if told else (Path(home) if home else Path.home() / ".cache") / "gradus" / "loops"
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return place / digest.hexdigest()[:16]


@contextlib.contextmanager
def in_use() -> Iterator[None]:
    """Functions that are defined in here are kept in our folder."""
    import numba.core.config

    config: Any = numba.core.config

    _begin()
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder())
    try:
        yield
    finally:
        config.CACHE_DIR = before


@functools.cache
def _begin() -> subprocess.Popen[bytes] | None:
    """Say once that loops have to be compiled; if none has been, let another process begin from the other end.

    While Numba compiles anything, the garbage collector rests: so many objects are made, and nearly all are needed.
    """
    from numba.core import event

    class Listener(event.Listener):
        said = False
        depth = 0  # one function is compiled within another
        collects = False  # whether the collector was on before

        def on_start(self, event: Any) -> None:
            ours = event.data["dispatcher"].py_func.__module__.startswith("gradus.engine.kernels")
            if ours and not self.said:
                self.said = True
                print("gradus: compiling loops for this machine; this takes some seconds, once", file=sys.stderr)
            if not self.depth:
                self.collects = gc.isenabled()
                gc.disable()
            self.depth += 1

        def on_end(self, event: Any) -> None:
            self.depth -= 1
            if not self.depth and self.collects:
                gc.enable()

    register: Any = event.register
    register("numba:compile", Listener())
    if not folder().exists() and (os.cpu_count() or 1) > 1 and _HELPING not in os.environ:
        quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        with contextlib.suppress(OSError):
            environment = {**os.environ, _HELPING: "1"}
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "gradus.engine.kernels.prepare"], env=environment, **quiet
            )
    return None
