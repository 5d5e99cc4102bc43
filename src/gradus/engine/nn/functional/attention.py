"""Scaled dot-product attention: one fused operation, or with a mask the operations one after the other."""

from __future__ import annotations

import math

import numpy as np

from gradus.engine import dtypes, random
from gradus.engine.autograd.record import apply, apply_one
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.nn.functional.dropout import check_probability, dropout
from gradus.engine.ops.attention import Attention
from gradus.engine.ops.softmax import SafeSoftmax
from gradus.engine.tensor import Tensor


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(q kᵀ scale + mask) v     (Vaswani et al., 2017)

    query (..., T, E), key (..., S, E), value (..., S, D) -> (..., T, D). attn_mask is added, or if bool says what may
    be seen; is_causal lets position t see s <= t. scale is 1/√E unless given.
    """
    if enable_gqa and key.size(-3) != query.size(-3):
        times = query.size(-3) // key.size(-3)
        key, value = key.repeat_interleave(times, -3), value.repeat_interleave(times, -3)
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "scaled_dot_product_attention: Expected query, key, and value to all be at least 2 dimensional, but got "
            f"query, key, value of {query.ndim}, {key.ndim}, {value.ndim} dimensions"
        )
    if not query._array.dtype == key._array.dtype == value._array.dtype:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{query.dtype} key.dtype: {key.dtype} and value.dtype: {value.dtype} instead."
        )
    if query._array.shape[-1] != key._array.shape[-1] or key._array.shape[-2] != value._array.shape[-2]:
        raise RuntimeError(
            "scaled_dot_product_attention: query and key must have the same last size, key and value the same last but "
            f"one, but got {list(query.shape)}, {list(key.shape)} and {list(value.shape)}"
        )
    if attn_mask is not None and attn_mask.dtype not in (dtypes.bool, query.dtype, dtypes.float32):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{attn_mask.dtype} and  query.dtype: {query.dtype} instead."
        )
    if query._array.dtype.kind not in dtypes.REAL:
        raise RuntimeError(f"expected scalar type Float but found {scalar_name(query._array.dtype)}")
    check_probability(dropout_p)
    factor = 1 / math.sqrt(query.size(-1)) if scale is None else scale
    if attn_mask is None and query.shape[:-2] == key.shape[:-2] == value.shape[:-2]:
        kept = None
        if dropout_p:
            shape = (*query.shape[:-1], key.size(-2))
            kept = random.bernoulli(shape, 1 - dropout_p, query._array.dtype)
            kept *= kept.dtype.type(1 / (1 - dropout_p) if dropout_p < 1 else 0.0)
        return apply(Attention, query, key, value, kept, causal=is_causal, scale=factor)
    if is_causal and attn_mask is not None:
        raise RuntimeError("Explicit attn_mask should not be set when is_causal=True")
    kind = query.dtype
    if query._array.dtype.itemsize == 2:
        query, key, value = query.float(), key.float(), value.float()
    scores = query @ key.transpose(-2, -1) * factor  # (..., T, E) @ (..., E, S) -> (..., T, S)
    if is_causal:
        attn_mask = Tensor._wrap(np.tri(query.size(-2), key.size(-2), dtype=bool))
    if attn_mask is not None:
        if attn_mask._array.dtype == bool:
            scores = scores.masked_fill(attn_mask.logical_not(), -math.inf)
        else:
            scores = scores + attn_mask
        weights = apply_one(SafeSoftmax, scores, -1)
    else:
        weights = scores.softmax(-1)
    return (dropout(weights, dropout_p) @ value).to(kind)
