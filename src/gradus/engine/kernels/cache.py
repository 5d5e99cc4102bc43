"""The cache of compiled loops on disk, and the note when one has to be compiled.

Numba's own cache is valid as long as a function's file does not change. Ours call each other across files, so each
state of all the files gets a folder of its own. A cache only saves time: no fault in it stops the program.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gradus import files

_HELPER = "GRADUS_PREPARES"  # set for the process that compiles in parallel with another
DIGEST = hashlib.sha256().digest_size


@functools.cache
def folder() -> Path | None:
    """The folder for the present sources, in NUMBA_CACHE_DIR or the user's cache folder.

    None if there is no home folder: HOME is unset, and the system does not know the user.
    """
    chosen, home = os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME")
    try:
        directory = Path(chosen) if chosen else (Path(home) if home else Path.home() / ".cache") / "gradus" / "loops"
    except RuntimeError:
        return None
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return directory / digest.hexdigest()[:16]


@contextlib.contextmanager
def active() -> Iterator[None]:
    """Within the block, functions are compiled with our cache."""
    from numba.core import dispatcher
    from numba.np.ufunc import ufuncbuilder

    _start_compiling()
    modules: list[Any] = [dispatcher, ufuncbuilder]
    originals = [module.FunctionCache for module in modules]
    for module in modules:
        module.FunctionCache = _disk_cache()
    try:
        yield
    finally:
        for module, original in zip(modules, originals, strict=True):
            module.FunctionCache = original


@functools.cache
def _disk_cache() -> Any:
    """The class of a function's cache, with Numba's interface. Numba's own fails at a damaged file and a full disk."""
    import numba
    from numba.core import caching, compiler, serialize

    base: Any = caching._Cache
    index_key: Any = caching.Cache._index_key
    rebuild: Any = compiler.CompileResult._rebuild
    dumps: Any = serialize.dumps
    version = (numba.__version__, sys.version_info[:2], getattr(sys, "abiflags", ""))

    class DiskCache(base):  # type: ignore[misc]
        """A file for each signature: a checksum and the compiled function. If anything is wrong with a file, the
        function is compiled again.
        """

        def __init__(self, py_func: Any) -> None:
            self._py_func = py_func

        @property
        def cache_path(self) -> str:
            return str(folder())

        def load_overload(self, sig: Any, target_context: Any) -> Any:
            target_context.refresh()
            path = self._path(sig, target_context.codegen())
            if path is None:
                return None
            with contextlib.suppress(Exception):  # damaged bytes can raise anything
                data = path.read_bytes()
                if hashlib.sha256(data[DIGEST:]).digest() == data[:DIGEST]:
                    return rebuild(target_context, *pickle.loads(data[DIGEST:]))
            return None

        def save_overload(self, sig: Any, result: Any) -> None:
            path = self._path(sig, result.codegen)
            if result.library.has_dynamic_globals:  # addresses, valid in this process only
                return None
            if path is None:
                return _note_no_cache("there is no home folder")
            data = dumps(result._reduce())
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                files.write(path, hashlib.sha256(data).digest() + data, durable=False)
            except OSError as error:
                _note_no_cache(f"{path.parent}: {error.strerror or error}")

        def _path(self, sig: Any, codegen: Any) -> Path | None:
            directory = folder()
            key = (*index_key(self, sig, codegen), *version)
            name = f"{self._py_func.__module__.rpartition('.')[2]}.{self._py_func.__qualname__}"
            return directory and directory / f"{name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}"

        def enable(self) -> None: ...

        def disable(self) -> None: ...

        def flush(self) -> None: ...

    return DiskCache


@functools.cache
def _note_no_cache(why: str) -> None:
    files.note(
        f"compiled loops cannot be cached ({why}), so each process compiles them; NUMBA_CACHE_DIR names a folder"
    )


@functools.cache
def _start_compiling() -> subprocess.Popen[bytes] | None:
    """Note once that loops have to be compiled; if the cache is new, start a process that compiles from the other end.

    The garbage collector is off while Numba compiles: it creates many objects, and nearly all of them are needed.
    """
    from numba.core import event

    class Listener(event.Listener):
        reported = False
        depth = 0  # one function is compiled within another
        collects = False  # whether the collector was on before

        def on_start(self, event: Any) -> None:
            ours = event.data["dispatcher"].py_func.__module__.startswith("gradus.engine.kernels")
            if ours and not self.reported:
                self.reported = True
                files.note("compiling loops for this machine; this takes some seconds, once")
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
    directory = folder()
    if directory is None or directory.exists() or _HELPER in os.environ or (os.cpu_count() or 1) == 1:
        return None
    with contextlib.suppress(OSError):  # without a cache, another process is of no use
        directory.mkdir(parents=True)
        quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        environment = {**os.environ, _HELPER: "1"}
        return subprocess.Popen([sys.executable, "-P", "-m", "gradus.engine.kernels.prepare"], env=environment, **quiet)
    return None
