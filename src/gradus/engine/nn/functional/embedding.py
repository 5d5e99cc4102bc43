"""Rows of a table looked up by index: `embedding`, `embedding_bag`, `one_hot`."""

from __future__ import annotations

import warnings
from typing import cast

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.grad_mode import no_grad
from gradus.engine.autograd.record import apply, apply_two
from gradus.engine.dtypes import Array
from gradus.engine.ops import embedding as rules
from gradus.engine.tensor import Tensor


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of weight (V, C) that input (...) selects -> (..., C).

    Args:
        input: int64 or int32.
        padding_idx: a row that gets no gradient; counted from the end if below 0.
        scale_grad_by_freq: a row's gradient is divided by how often input names it.
        max_norm: rows that are longer than this, by the norm `norm_type`, are first made this long, in place.

    Raises:
        RuntimeError: for other number types of input, and a weight that is no matrix.
        AssertionError: for a padding_idx that is no row.
        IndexError: for an index that is no row.
        NotImplementedError: for sparse, which is not supported.
    """
    if input._array.dtype.char not in "ilq":  # NumPy's letters for 32 and 64 bits
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{input.type()} instead (while checking arguments for embedding)"
        )
    if weight._array.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if padding_idx is not None:
        if not -len(weight._array) <= padding_idx < len(weight._array):
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= len(weight._array)
    if sparse:
        raise NotImplementedError("embedding's sparse gradients are not supported")
    if max_norm is not None:
        _shorten(weight, np.unique(input._array), max_norm, norm_type)
    return apply_two(rules.EmbeddingByFrequency if scale_grad_by_freq else rules.Embedding, weight, input, padding_idx)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of the rows of weight (V, C) that each bag of input names -> (B, C), 0 of an empty bag.

    Args:
        input: (B, N), each row a bag; or (K,), all bags one after the other. int64 or int32.
        offsets: (B,) where each bag of a one-dimensional input starts.
        max_norm: rows that are longer than this, by the norm `norm_type`, are first made this long, in place.
        scale_grad_by_freq: a row's gradient is divided by how often input names it; not for mode max.
        mode: "sum", "mean" or "max".
        per_sample_weights: as input; factors for the rows, for mode sum only.
        include_last_offset: offsets has one number more, where the last bag ends.
        padding_idx: a row that counts as not there.

    Raises:
        ValueError: for shapes that do not go together, and an unknown mode.
        RuntimeError: for number types, offsets, a padding_idx and indices that cannot be.
        NotImplementedError: for sparse, which is not supported, and for per_sample_weights with mean or max.
    """
    if weight.dtype is dtypes.int64 and input.is_floating_point():
        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is "
            "deprecated, and should now be `embedding_bag(input, weight, ...)`.",
            stacklevel=2,
        )
        weight, input = input, weight
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
            f"same shape as the input ({input.shape})"
        )
    if weight.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    starts = _starts(input, offsets)
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if sparse:
        raise NotImplementedError("embedding_bag's sparse gradients are not supported")
    if max_norm is not None:
        _shorten(weight, np.unique(input._array), max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )
    _check_types(input, weight, offsets, per_sample_weights)
    idx = input._array.reshape(-1)
    if starts.size and starts[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, "
            f"got {starts[0]}"
        )
    if starts.size and starts[-1] > len(idx):
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {len(idx)} but got offsets[-1] of {starts[-1]}"
        )
    if include_last_offset and input.ndim == 1:
        if not starts.size:
            raise RuntimeError("include_last_offset: number of offset should be at least 1")
        starts, idx = starts[:-1], idx[: starts[-1]]
    rows = len(weight._array)
    if idx.size and (idx.min() < 0 or idx.max() >= rows):
        wrong = idx[(idx < 0) | (idx >= rows)][0]
        raise RuntimeError(f"embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be {wrong}")
    bag = np.cumsum(np.bincount(starts, minlength=len(idx) + 1)[: len(idx)]) - 1
    if not starts.size:
        idx, bag = idx[:0], bag[:0]
    s = None if per_sample_weights is None else per_sample_weights.reshape(-1)[: len(idx)]
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise RuntimeError(
                f"padding_idx must be within the number of embeddings, {-rows} through {rows - 1}, but got "
                f"{padding_idx}"
            )
        kept = np.flatnonzero(idx != padding_idx % rows)
        idx, bag = idx[kept], bag[kept]
        s = None if s is None else s[Tensor._wrap(kept)]
    named = Tensor._wrap(idx)
    if mode == "max":
        return cast(Tensor, apply(rules.EmbeddingBagMax, weight, named, bag=bag, bags=len(starts)))
    settings = {"bag": bag, "bags": len(starts), "mean": mode == "mean", "by_frequency": scale_grad_by_freq}
    return cast(Tensor, apply(rules.EmbeddingBag, weight, named, s, **settings))


def _starts(input: Tensor, offsets: Tensor | None) -> Array:
    """Where each bag starts."""
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        return np.arange(len(input._array)) * input.shape[1]
    if input.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    return offsets._array


def _check_types(input: Tensor, weight: Tensor, offsets: Tensor | None, factors: Tensor | None) -> None:
    checking = "(while checking arguments for embedding_bag)"
    for x in (input, offsets):
        if x is not None and x._array.dtype.char not in "ilq":
            raise RuntimeError(
                "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but "
                f"got {x.type()} instead {checking}"
            )
    if not weight.is_floating_point():
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, "
            f"Float, Double; but got {weight.type()} instead {checking}"
        )
    if factors is not None and factors.dtype is not weight.dtype:
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 "
            f"'per_sample_weights'; but type {weight.type()} does not equal {factors.type()} {checking}"
        )


def _shorten(weight: Tensor, rows: Array, longest: float, p: float) -> None:
    """Make those rows of weight that are longer than `longest` that long, in place."""
    with no_grad():
        lengths = weight[Tensor._wrap(rows)].norm(p, -1, keepdim=True)
        factors = (longest / (lengths + 1e-7)).where(lengths > longest, 1)
        weight[Tensor._wrap(rows)] *= factors


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """(...) int64 -> (..., num_classes) int64, 1 at the number and 0 elsewhere."""
    x = tensor._array
    if x.dtype != np.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if x.size and x.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        if not x.size:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        num_classes = int(x.max()) + 1
    elif x.size and x.max() >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    return Tensor._wrap((x[..., None] == np.arange(num_classes)).astype(np.int64))
