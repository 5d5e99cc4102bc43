"""`torch.UntypedStorage`: the bytes of a tensor's memory: their address and number."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds
from numpy.lib.stride_tricks import as_strided

from gradus.engine.autograd.record import Variable
from gradus.engine.dtypes import Array

__all__ = ["UntypedStorage"]


class UntypedStorage:
    """Memory as bytes; slices share it."""

    def __init__(self, array: Array) -> None:
        self._array = array  # (n,) uint8

    @classmethod
    def from_file(cls, filename: str | os.PathLike[str], shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """Map the first nbytes bytes of a file into memory; writing to them changes the file only if shared."""
        return cls(np.memmap(filename, np.uint8, mode="r+" if shared else "c", shape=(nbytes,)).view(np.ndarray))

    def data_ptr(self) -> int:
        return int(self._array.__array_interface__["data"][0])

    def nbytes(self) -> int:
        return self._array.size

    def untyped(self) -> UntypedStorage:
        return self

    def __len__(self) -> int:
        return self._array.size

    size = nbytes

    def __getitem__(self, index: Any) -> Any:
        return UntypedStorage(self._array[index]) if isinstance(index, slice) else int(self._array[index])

    def tolist(self) -> list[int]:
        found: list[int] = self._array.tolist()
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self._array.astype(dtype or np.uint8, copy=bool(copy))


def storage_of(input: Variable) -> UntypedStorage:
    """The memory of this tensor, or of its base if it is a view."""
    whole = input._array if input._base is None else input._base._array
    start, stop = byte_bounds(whole)
    flat = as_strided(whole, ((stop - start) // whole.itemsize if whole.size else 0,), (whole.itemsize,))
    return UntypedStorage(flat.view(np.uint8))
