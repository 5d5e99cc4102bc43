"""Storages: the memory that tensors are views of, by their class names in PyTorch's files."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from gradus.engine import dtypes
from gradus.engine.dtypes import Array
from gradus.engine.tensor import Tensor

# The class of a storage in a file -> the format of its elements.
KINDS = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
    "ComplexFloatStorage": "c8",
    "ComplexDoubleStorage": "c16",
    "BFloat16Storage": "u2",  # the bits of an ml_dtypes.bfloat16
}
_NAMES = {np.dtype(kind).name: name for name, kind in KINDS.items() if name != "BFloat16Storage"}
_NAMES["bfloat16"] = "BFloat16Storage"


@dataclass(frozen=True)
class Stored:
    """A storage in a file: its class's name, its record's number, its device, and its number of elements."""

    name: str
    key: str
    location: str
    size: int


class Storage:
    """Memory to write, (n,) elements of one dtype."""

    def __init__(self, key: str, array: Array) -> None:
        self.key = key
        self.array = array

    @property
    def name(self) -> str:
        try:
            return _NAMES[self.array.dtype.name]
        except KeyError:
            raise TypeError(f"tensors of {dtypes.of_numpy(self.array.dtype)} are not saved here") from None


class Shelf:
    """The storages of the tensors that are written: tensors that share memory share a storage."""

    def __init__(self) -> None:
        self.storages: dict[object, Storage] = {}
        self._kept: list[Array] = []  # so that the memory is not freed and reused for another array

    def place(self, tensor: Tensor) -> tuple[Storage, int, tuple[int, ...]]:
        """A tensor's storage, and its offset and strides in it, in elements."""
        array = tensor._array
        whole = array if tensor._base is None else tensor._base._array
        if whole.dtype != array.dtype or not _is_dense(whole):
            whole = array
        if not _is_dense(whole):
            whole = array = np.ascontiguousarray(array).reshape(array.shape)
        start = whole.__array_interface__["data"][0]
        identity = (start, whole.nbytes, whole.dtype) if whole.size else id(whole)
        if identity not in self.storages:
            flat = as_strided(whole, (whole.size,), (whole.itemsize,))
            self.storages[identity] = Storage(str(len(self.storages)), flat)
            self._kept.append(whole)
        if not array.size:  # NumPy gives it no strides
            return self.storages[identity], 0, _contiguous(array.shape)
        offset = (array.__array_interface__["data"][0] - start) // array.itemsize
        return self.storages[identity], offset, tuple(stride // array.itemsize for stride in array.strides)


def numbers(data: Array, name: str, little: bool) -> Array:
    """Interpret a record's bytes, (n,) uint8, as the elements of a storage of that class."""
    dtype = np.dtype(KINDS[name])
    read = data.view(dtype.newbyteorder("<" if little else ">")).astype(dtype, copy=False)
    if name == "BoolStorage":
        return data != 0
    if name == "BFloat16Storage":
        return read.view(dtypes.bfloat16.numpy)
    return read


def view(storage: Array, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Array:
    """The part of a storage (n,) at an offset, with a shape and strides, in elements.

    Raises:
        ValueError: if it would reach outside the storage.
    """
    if len(size) != len(stride) or offset < 0 or any(n < 0 for n in (*size, *stride)):
        raise ValueError(f"a tensor of size {size}, stride {stride} and offset {offset} is invalid")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if 0 in size:
        return np.empty(size, storage.dtype)
    if last >= storage.size:
        raise ValueError(f"a tensor reaches to number {last} of a storage of {storage.size}")
    return as_strided(storage[offset:], size, tuple(step * storage.itemsize for step in stride))


def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a contiguous tensor of this shape."""
    sizes = [max(n, 1) for n in shape]
    return tuple(math.prod(sizes[i + 1 :]) for i in range(len(sizes)))


def _is_dense(array: Array) -> bool:
    """Whether an array's elements fill its memory without gaps, in any order of axes."""
    expected = array.itemsize
    for stride, n in sorted(zip(array.strides, array.shape, strict=True)):
        if n > 1:
            if stride != expected:
                return False
            expected *= n
    return True
