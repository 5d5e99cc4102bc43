"""The zip archive around a saved object: `data.pkl`, a record for the memory of each storage, and PyTorch's format
markers.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.serialization.storages import KINDS, Stored, numbers
from gradus.files import replacing

File = str | os.PathLike[str] | IO[bytes]

_VERSION = b"3\n"  # of the archive's layout
_ALIGNMENT = 64  # records begin at multiples of it, so that they can be mapped into memory
_LOCAL_HEADER = 30  # bytes before a record's name
_THE_SAME_TIME = (1980, 1, 1, 0, 0, 0)  # so that equal objects are saved as equal bytes


def write(f: File, program: bytes, memories: dict[str, Array]) -> None:
    """Write the archive; to a path, whole or not at all."""
    if not isinstance(f, (str, os.PathLike)):
        _write_archive(f, "archive", program, memories)
        return
    path = Path(f)
    if not path.parent.is_dir():
        raise RuntimeError(f"Parent directory {path.parent} does not exist.")
    with replacing(path) as file:
        _write_archive(file, path.stem, program, memories)


def _write_archive(file: IO[bytes], name: str, program: bytes, memories: dict[str, Array]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        records: dict[str, Any] = {
            "data.pkl": program,
            ".format_version": b"1",
            ".storage_alignment": str(_ALIGNMENT).encode(),
            "byteorder": sys.byteorder.encode(),
            **{f"data/{key}": array.view(np.uint8).data for key, array in memories.items()},
            "version": _VERSION,
        }
        for record, data in records.items():
            info = zipfile.ZipInfo(f"{name}/{record}", _THE_SAME_TIME)
            if file.seekable():
                info.extra = _padding(file.tell() + _LOCAL_HEADER + len(info.filename.encode()))
            archive.writestr(info, data)


def _padding(start: int) -> bytes:
    """An extra field, PyTorch's "FB", that moves a record starting at `start` to an aligned offset."""
    length = -(start + 4) % _ALIGNMENT
    return b"FB" + struct.pack("<H", length) + bytes(length)


@contextmanager
def opened(f: File) -> Iterator[Archive]:
    """Open an archive for reading; raises an UnpicklingError if it is damaged."""
    name = os.fspath(f) if isinstance(f, (str, os.PathLike)) else "this file"
    try:
        with zipfile.ZipFile(f) as file:
            yield Archive(file, name)
    except (zipfile.BadZipFile, EOFError) as error:
        raise pickle.UnpicklingError(
            f"{name} was not written by torch.save, or is damaged: {error}. (Files from before PyTorch 1.6 are not "
            "supported: load them with PyTorch and save them again.)"
        ) from None


class Archive:
    """A saved object's archive."""

    def __init__(self, file: zipfile.ZipFile, name: str) -> None:
        self._file, self._name = file, name
        self._memories: dict[str, Array] = {}
        names = file.namelist()
        programs = [n for n in names if n.rpartition("/")[2] == "data.pkl"]
        if len(programs) != 1:
            raise pickle.UnpicklingError(f"{name} is a zip archive, but not one of torch.save's: it has no data.pkl")
        self._folder = programs[0][: -len("data.pkl")]
        if f"{self._folder}constants.pkl" in names:
            raise pickle.UnpicklingError(f"{name} holds a TorchScript program, which torch.load does not run")
        order = f"{self._folder}byteorder"
        self._little = order not in names or file.read(order) == b"little"

    def program(self) -> bytes:
        """The pickle."""
        return self._record("data.pkl").tobytes()

    def memory(self, stored: Stored) -> Array:
        """The elements of a storage, (size,); the same array each time."""
        if stored.key not in self._memories:
            data = self._record(f"data/{stored.key}")
            expected = stored.size * np.dtype(KINDS[stored.name]).itemsize
            if data.size != expected:
                raise pickle.UnpicklingError(
                    f"{self._name}: storage {stored.key} has {data.size} bytes, its description says {expected}"
                )
            self._memories[stored.key] = numbers(data, stored.name, self._little)
        return self._memories[stored.key]

    def _record(self, record: str) -> Array:
        try:
            info = self._file.getinfo(self._folder + record)
        except KeyError:
            raise pickle.UnpicklingError(f"{self._name} has no record {record}") from None
        if info.compress_type != zipfile.ZIP_STORED:
            raise pickle.UnpicklingError(f"{self._name}: record {record} is compressed, which torch.save never does")
        data = np.empty(info.file_size, np.uint8)
        with self._file.open(info) as record_file:
            if record_file.readinto(data.data) != data.size:  # type: ignore[attr-defined]
                raise pickle.UnpicklingError(f"{self._name}: record {record} is cut short")
        return data
