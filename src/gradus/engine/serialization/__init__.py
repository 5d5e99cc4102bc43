"""`torch.save` and `torch.load`: PyTorch's files, written so that PyTorch reads them, and read without running them.

A file is a zip archive of a pickle (`data.pkl`: the object without its tensors' memory) and of that memory (`data/0`,
`data/1`, ...). A pickle is a program: Python's own reader calls whatever functions it names. Ours calls none of them.
It builds tensors, numbers, strings, containers, dtypes and shapes; objects of a class only if the caller allowed that
class, and then only by filling in their attributes, which runs none of the class's code.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from gradus.engine.compat.absent import refuse
from gradus.engine.dtypes import device
from gradus.engine.serialization import archive
from gradus.engine.serialization.classes import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)
from gradus.engine.serialization.reader import Reader
from gradus.engine.serialization.storages import Stored
from gradus.engine.serialization.writer import pickled

__all__ = [
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "load",
    "safe_globals",
    "save",
]

MapLocation = str | device | dict[str, str] | Callable[[Any, str], Any] | None


def save(
    obj: object,
    f: archive.File,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Write an object into a file: tensors, numbers, strings, bytes, lists, tuples, dicts, sets, objects of classes.

    >>> model = nn.Linear(2, 1)
    >>> torch.save({"model": model.state_dict(), "step": 100}, path)
    >>> checkpoint = torch.load(path)
    >>> model.load_state_dict(checkpoint["model"]), checkpoint["step"]
    (<All keys matched successfully>, 100)

    Tensors on shared memory (tied weights, views) are written once and still share it when loaded. A path is written
    atomically: a reader finds the old file or the new one, never a part. Symbolic links are followed; a device or a
    pipe is written directly.

    Args:
        f: a path, or an open binary file.
        pickle_protocol: 2, the only one that PyTorch reads with weights_only=True.

    Raises:
        RuntimeError: if the folder does not exist.
        pickle.PicklingError, TypeError: if something in the object cannot be written, such as a lambda.
    """
    _check_pickle_module(pickle_module)
    if not _use_new_zipfile_serialization:
        raise ValueError(
            "the format from before PyTorch 1.6 is not supported: leave _use_new_zipfile_serialization=True"
        )
    program, memories = pickled(obj, pickle_protocol)
    archive.write(f, program, memories)


def load(
    f: archive.File,
    map_location: MapLocation = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **_: Any,
) -> Any:
    """Read what `save`, ours or PyTorch's, wrote. No code named in the file is run.

    Args:
        f: a path, or an open binary file that can seek.
        map_location: where tensors go; only "cpu" is supported, and required for a file from a GPU, as in PyTorch.
        weights_only: True (also None): tensors, containers, numbers, strings, and objects of classes that
            `torch.serialization.add_safe_globals` allowed. False: also objects of the running program's own classes,
            the engine's, and argparse's namespaces. In both cases, classes that define `__setstate__`, `__reduce__`,
            `__new__` or `__del__` are refused.
        mmap: accepted; the file is read at once.

    Raises:
        pickle.UnpicklingError: if it contains anything else, or was not written by `save`.
        RuntimeError: if its tensors are on another device than the CPU, without a map_location.
    """
    _check_pickle_module(pickle_module)
    with archive.opened(f) as opened:
        reader = Reader(
            weights_only=weights_only is not False, storage=lambda stored: opened.memory(_at_home(stored, map_location))
        )
        return reader.read(opened.program())


def _at_home(stored: Stored, map_location: MapLocation) -> Stored:
    """The storage; raises an error if it may not be loaded to the CPU."""
    place: Any = stored.location
    if isinstance(map_location, dict):
        place = map_location.get(place, place)
    elif callable(map_location):
        place = "cpu"  # PyTorch calls the function to move a storage; here there is only the CPU
    elif map_location is not None:
        place = map_location
    try:
        kind = device(place).type
    except RuntimeError:
        if map_location is not None:
            raise
        raise pickle.UnpicklingError(f"the file's storages are on {place!r}, which is not a device") from None
    if kind != "cpu":
        raise RuntimeError(
            f"Attempting to deserialize object on a {kind.upper()} device but torch.{kind}.is_available() is False. "
            "If you are running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to "
            "map your storages to the CPU."
        )
    return stored


def _check_pickle_module(module: Any) -> None:
    if module not in (None, pickle):
        raise ValueError(
            "pickle_module is not supported: torch.load reads the file itself, so that no code in it is run"
        )


__getattr__ = refuse(__name__)
