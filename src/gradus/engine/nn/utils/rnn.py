"""Sequences of different lengths, side by side: padded to the longest, or packed, one time step after the other.

>>> pack_sequence([tensor([1, 2, 3]), tensor([4, 5]), tensor([6])])
PackedSequence(data=tensor([1, 4, 6, 2, 5, 3]), batch_sizes=tensor([3, 2, 1]), sorted_indices=None, ...)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from gradus.engine import dtypes
from gradus.engine.compat.absent import refuse
from gradus.engine.dtypes import Array
from gradus.engine.functions import as_tensor, cat, full, sort
from gradus.engine.tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence_(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(PackedSequence_):
    """Sequences, the longest first, as the recurrent layers take them.

    Args:
        data: (sum of lengths, *) the first elements of all sequences, then the second ones of those that have one, ...
        batch_sizes: (T,) int64, how many sequences have a t-th element.
        sorted_indices: (B,) int64, the place that each sequence, the longest first, had in the caller's order; None if
            that order was already so.
        unsorted_indices: its inverse, computed if not given.
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if batch_sizes is None:  # PackedSequence((data, batch_sizes)), too
            if not (isinstance(data, list | tuple) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """`data` on another device or of another number type, as `Tensor.to`; itself if nothing changes."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def cpu(self, *args: Any, **kwargs: Any) -> Self:
        """Itself: all is here."""
        return self.to(*args, **{"device": "cpu", **kwargs})

    def cuda(self, *args: Any, **kwargs: Any) -> Self:
        """Raises, as PyTorch does on a machine without a GPU."""
        return self.to(*args, **{"device": "cuda", **kwargs})

    def double(self) -> Self:
        """`data` in float64."""
        return self.to(dtype=dtypes.float64)

    def float(self) -> Self:
        """`data` in float32."""
        return self.to(dtype=dtypes.float32)

    def half(self) -> Self:
        """`data` in float16."""
        return self.to(dtype=dtypes.float16)

    def long(self) -> Self:
        """`data` in int64."""
        return self.to(dtype=dtypes.int64)

    def int(self) -> Self:
        """`data` in int32."""
        return self.to(dtype=dtypes.int32)

    def short(self) -> Self:
        """`data` in int16."""
        return self.to(dtype=dtypes.int16)

    def char(self) -> Self:
        """`data` in int8."""
        return self.to(dtype=dtypes.int8)

    def byte(self) -> Self:
        """`data` in uint8."""
        return self.to(dtype=dtypes.uint8)

    @property
    def is_cuda(self) -> bool:
        """Whether `data` is on a GPU."""
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        """False: no memory is pinned for a GPU here."""
        return False

    def pin_memory(self) -> Self:
        """Return itself: there is no GPU to copy to."""
        return self


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The inverse of a permutation (B,) int64; None of None."""
    return None if permutation is None else Tensor._wrap(np.argsort(permutation._array))


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """B sequences (L_i, *) of any lengths -> (T, B, *), T the longest; (B, T, *) with batch_first.

    Raises:
        RuntimeError: if sequences is not a list of tensors, is empty, or has sizes that do not match; for an unknown
            padding_side.
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    listed = list(sequences)
    if not listed:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    left = padding_side == "left"
    lengths = np.array([len(sequence) for sequence in listed])
    longest = int(lengths.max())
    starts = (longest - lengths if left else np.zeros_like(lengths))[:, None]
    places = np.arange(longest) - starts
    table = np.where((places >= 0) & (places < lengths[:, None]), places + (lengths.cumsum() - lengths)[:, None], -1)
    return _spread(
        cat([sequence.to(listed[0].dtype) for sequence in listed]), table if batch_first else table.T, padding_value
    )


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The reverse: (T, B, *), or (B, T, *) with batch_first, and lengths (B,) -> B sequences (L_i, *)."""
    batch = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [sequence[: int(length)] for sequence, length in zip(batch, lengths, strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """B sequences (L_i, *), packed; see `pack_padded_sequence`."""
    lengths = as_tensor([len(sequence) for sequence in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """What is not padding of (T, B, *), or of (B, T, *) with batch_first, packed.

    Args:
        lengths: (B,) of the sequences, each at least 1.
        enforce_sorted: they are said to be sorted, the longest first; if not, they are sorted here.

    Raises:
        RuntimeError: for lengths that are not sorted though they are said to be, below 1, above T, or not B of them.
    """
    descending, sorted_indices = as_tensor(lengths, dtype=dtypes.int64), None
    if not enforce_sorted:
        descending, sorted_indices = sort(descending, descending=True)
        input = input.index_select(0 if batch_first else 1, sorted_indices)
    if batch_first:
        input = input.transpose(0, 1)
    sizes = descending._array
    _check_lengths(sizes, input)
    times, places = np.nonzero(np.arange(sizes[0])[:, None] < sizes)
    data = input[Tensor._wrap(times), Tensor._wrap(places)]
    batch_sizes = Tensor._wrap(np.bincount(times))
    return PackedSequence(data, batch_sizes, sorted_indices, None)


def _check_lengths(lengths: Array, input: Tensor) -> None:
    if lengths.ndim != 1:
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.ndim}D cpu Long tensor"
        )
    if not input.numel():
        raise RuntimeError("Cannot pack empty tensors.")
    if lengths.shape != (input.shape[1],):
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {lengths.size} (batch_size={input.shape[1]})"
        )
    if lengths[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if (lengths[1:] > lengths[:-1]).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you "
            "do not need ONNX exportability."
        )
    if lengths[0] > input.shape[0]:
        raise RuntimeError(
            f"Expected lengths to be at most the padded length {input.shape[0]}, but got a length of {lengths[0]}"
        )


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The reverse of `pack_padded_sequence`: (T, B, *), or (B, T, *) with batch_first, and the lengths (B,).

    Args:
        total_length: T, if larger than the longest sequence.

    Raises:
        ValueError: for a total_length below the longest sequence.
    """
    sizes = sequence.batch_sizes._array
    longest = len(sizes)
    if total_length is not None and total_length < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {longest}"
        )
    starts = (sizes.cumsum() - sizes)[:, None]
    places = np.arange(sizes[0])
    table = np.full((total_length or longest, sizes[0]), -1)
    table[:longest] = np.where(places < sizes[:, None], starts + places, -1)
    lengths = (table >= 0).sum(0)
    if sequence.unsorted_indices is not None:
        order = sequence.unsorted_indices._array
        table, lengths = table[:, order], lengths[order]
    return _spread(sequence.data, table.T if batch_first else table, padding_value), Tensor._wrap(lengths)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The reverse of `pack_sequence`: the sequences (L_i, *)."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences, batch_first=True), batch_first=True)


def _spread(rows: Tensor, table: Array, padding_value: float) -> Tensor:
    """The rows that a table of row numbers names; -1 names a row of padding, which is put behind the others."""
    padding = full((1, *rows.shape[1:]), padding_value, dtype=rows.dtype)
    return cat([rows, padding])[Tensor._wrap(table)]


__getattr__ = refuse(__name__)
