"""From a list of examples to a batch: tensors are stacked, numbers become tensors, containers are collated
recursively.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.functions import as_tensor, stack, tensor
from gradus.engine.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """A batch of examples of one form, as PyTorch's loader makes it.

    Tensors and arrays (...) become one tensor (B, ...); floats a float64 tensor (B,), ints an int64 one; strings and
    bytes stay a list; a dict of fields becomes a dict of batches, a tuple of fields a list of batches, a named tuple
    one of batches.

    Raises:
        RuntimeError: if the examples differ in shape or length.
        TypeError: if an example is of an unsupported type.
    """
    first = batch[0]
    match first:
        case Tensor():
            return stack(list(batch))
        case np.ndarray() if first.dtype.kind in "fciub":
            return stack([as_tensor(example) for example in batch])
        case np.generic() if first.dtype.kind in "fciub":
            return tensor(np.asarray(batch))
        case float():
            return tensor(batch, dtype=dtypes.float64)
        case int():
            return tensor(batch)
        case str() | bytes():
            return batch
        case Mapping():
            return _like(first, {key: default_collate([example[key] for example in batch]) for key in first})
        case tuple() if hasattr(first, "_fields"):
            return type(first)(*(default_collate(column) for column in zip(*batch, strict=True)))
        case Sequence():
            if any(len(example) != len(first) for example in batch):
                raise RuntimeError("each element in list of batch should be of equal size")
            columns = [default_collate(column) for column in zip(*batch, strict=True)]
            return columns if isinstance(first, tuple) else _like_list(first, columns)
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{first.dtype if isinstance(first, np.ndarray) else type(first)}"
    )


def default_convert(data: Any) -> Any:
    """Convert arrays inside data to tensors. A loader without batching calls this on each example."""
    match data:
        case Tensor() | str() | bytes():
            return data
        case np.ndarray() if data.dtype.kind in "fciub":
            return as_tensor(data)
        case np.generic() if data.dtype.kind in "fciub":
            return tensor(data)
        case Mapping():
            return _like(data, {key: default_convert(value) for key, value in data.items()})
        case tuple() if hasattr(data, "_fields"):
            return type(data)(*(default_convert(value) for value in data))
        case tuple():
            return [default_convert(value) for value in data]
        case Sequence():
            return _like_list(data, [default_convert(value) for value in data])
    return data


def _like(example: Mapping[Any, Any], fields: dict[Any, Any]) -> Any:
    """The fields as a mapping of the example's type, if it can be built, else a dict."""
    if type(example) is dict or not isinstance(example, MutableMapping):
        return fields
    clone = copy.copy(example)
    clone.update(fields)
    return clone


def _like_list(example: Sequence[Any], columns: list[Any]) -> Any:
    if type(example) is list or not isinstance(example, MutableSequence):
        return columns
    clone = copy.copy(example)
    clone[:] = columns
    return clone
