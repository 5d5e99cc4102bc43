"""Where compiled loops are kept between processes, and what is said when one has to be compiled.

Numba keeps a compiled function as long as the file it is in stays the same. Ours call each other across files, so each
state of the files together gets a folder of its own. A cache only saves time: whatever is wrong with it, nothing stops.
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

_HELPING = "GRADUS_PREPARES"  # set for the process that compiles beside another
SUM = hashlib.sha256().digest_size


@functools.cache
def folder() -> Path | None:
    """NUMBA_CACHE_DIR or the user's cache folder, and in it one folder for what the sources are now.

    None where there is no home: HOME is unset, and the system does not know the user."""
    told, home = os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME")
    try:
        place = Path(told) if told else (Path(home) if home else Path.home() / ".cache") / "gradus" / "loops"
    except RuntimeError:
        return None
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return place / digest.hexdigest()[:16]


@contextlib.contextmanager
def in_use() -> Iterator[None]:
    """Functions that are defined in here are kept in our folder."""
    from numba.core import dispatcher
    from numba.np.ufunc import ufuncbuilder

    _begin()
    modules: list[Any] = [dispatcher, ufuncbuilder]
    before = [module.FunctionCache for module in modules]
    for module in modules:
        module.FunctionCache = _kept()
    try:
        yield
    finally:
        for module, theirs in zip(modules, before, strict=True):
            module.FunctionCache = theirs


@functools.cache
def _kept() -> Any:
    """The class of a function's cache, as Numba wants it. Numba's own fails at a damaged file and at a full disk."""
    import numba
    from numba.core import caching, compiler, serialize

    base: Any = caching._Cache
    index_key: Any = caching.Cache._index_key
    rebuild: Any = compiler.CompileResult._rebuild
    dumps: Any = serialize.dumps
    version = (numba.__version__, sys.version_info[:2], getattr(sys, "abiflags", ""))

    class Kept(base):  # type: ignore[misc]
        """A file for each list of types: the sum of what follows, and the compiled function. Whatever is wrong with
        one, the function is compiled again."""

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
            with contextlib.suppress(Exception):  # what bytes that are not ours can raise, nobody knows
                data = path.read_bytes()
                if hashlib.sha256(data[SUM:]).digest() == data[:SUM]:
                    return rebuild(target_context, *pickle.loads(data[SUM:]))
            return None

        def save_overload(self, sig: Any, result: Any) -> None:
            path = self._path(sig, result.codegen)
            if result.library.has_dynamic_globals:  # addresses, which hold in this process alone
                return None
            if path is None:
                return _say_not_kept("there is no home folder")
            data = dumps(result._reduce())
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                files.write(path, hashlib.sha256(data).digest() + data, durable=False)
            except OSError as error:
                _say_not_kept(f"{path.parent}: {error.strerror or error}")

        def _path(self, sig: Any, codegen: Any) -> Path | None:
            place = folder()
            key = (*index_key(self, sig, codegen), *version)
            name = f"{self._py_func.__module__.rpartition('.')[2]}.{self._py_func.__qualname__}"
            return place and place / f"{name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}"

        def enable(self) -> None: ...

        def disable(self) -> None: ...

        def flush(self) -> None: ...

    return Kept


@functools.cache
def _say_not_kept(why: str) -> None:
    files.note(f"compiled loops cannot be kept ({why}), so each process compiles them; NUMBA_CACHE_DIR names a folder")


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
    place = folder()
    if place is None or place.exists() or _HELPING in os.environ or (os.cpu_count() or 1) == 1:
        return None
    with contextlib.suppress(OSError):  # what cannot be kept, another process need not compile
        place.mkdir(parents=True)
        quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        environment = {**os.environ, _HELPING: "1"}
        return subprocess.Popen([sys.executable, "-P", "-m", "gradus.engine.kernels.prepare"], env=environment, **quiet)
    return None
