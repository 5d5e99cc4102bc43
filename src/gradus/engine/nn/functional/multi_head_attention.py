"""Attention with several heads, from the inputs' projections to the output's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.functions import cat, zeros
from gradus.engine.nn.functional.activations import softmax
from gradus.engine.nn.functional.attention import scaled_dot_product_attention
from gradus.engine.nn.functional.dropout import dropout
from gradus.engine.nn.functional.linear import linear
from gradus.engine.tensor import Tensor


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    _batch_first: bool = False,  # for nn.MultiheadAttention: N comes first, in the output, too
) -> tuple[Tensor, Tensor | None]:
    """What `nn.MultiheadAttention` computes; query (L, N, E), key and value (S, N, ·), or all without N.

    Args:
        in_proj_weight: (3E, E), W_q, W_k and W_v one above the other; or, with use_separate_proj_weight, q_proj_weight
            (E, E), k_proj_weight (E, kdim) and v_proj_weight (E, vdim).
        bias_k, bias_v: (1, 1, E) one more key and value for all.
        add_zero_attn: one more key and value of zeros.
        key_padding_mask: (N, S) or (S); True, or -inf, where a key must not be looked at.
        attn_mask: (L, S) or (N·num_heads, L, S); True, or -inf, where a query must not look at a key.
        static_k, static_v: (N·num_heads, S, E / num_heads) instead of the projections of key and value.
        average_attn_weights: the weights' mean over the heads instead of each head's.
        is_causal: says that `attn_mask` is the causal mask, which is then not computed with but known.

    Returns:
        (L, N, E) and, with need_weights, the weights (N, L, S) or (N, num_heads, L, S); else None.

    Raises:
        AssertionError, RuntimeError: for shapes that do not go together.
    """
    batched = _check(
        query,
        key,
        value,
        key_padding_mask,
        attn_mask,
        embed_dim_to_check,
        num_heads,
        use_separate_proj_weight,
        _batch_first,
    )
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    weights_in = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else in_proj_weight
    q, k, v = _project(query, key, value, weights_in, in_proj_bias)
    if not batched:
        q, k, v = q.unsqueeze(1), k.unsqueeze(1), v.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    elif _batch_first:
        q, k, v = q.transpose(0, 1), k.transpose(0, 1), v.transpose(0, 1)
    length, batch, width = q.shape
    more = 0  # keys that are not the caller's
    if bias_k is not None and bias_v is not None:
        for static, what in ((static_k, "key"), (static_v, "value")):
            if static is not None:
                raise AssertionError(f"bias cannot be added to static {what}.")
        k = cat([k, bias_k.expand(1, batch, width)])
        v = cat([v, bias_v.expand(1, batch, width)])
        more += 1
    elif bias_k is not None or bias_v is not None:
        names = ("bias_k", "bias_v") if bias_k is not None else ("bias_v", "bias_k")
        raise AssertionError(f"{names[0]} is set but {names[1]} is None")
    q, k, v = (_heads(x, num_heads) for x in (q, k, v))  # (N, heads, ·, d)
    k, v = _static(static_k, k, "static_k"), _static(static_v, v, "static_v")
    if add_zero_attn:
        zero = zeros((batch, num_heads, 1, width // num_heads), dtype=k.dtype)
        k, v = cat([k, zero], 2), cat([v, zero], 2)
        more += 1
    causal_only = is_causal and key_padding_mask is None and not need_weights and not more
    mask = None if causal_only else _mask(attn_mask, key_padding_mask, batch, num_heads, more, query.dtype)
    dropped = dropout_p if training else 0.0
    weights = None
    if need_weights:
        scores = (q * math.sqrt(num_heads / width)) @ k.transpose(-2, -1)  # (N, heads, L, S)
        weights = softmax(scores if mask is None else scores + mask, dim=-1)
        if dropped > 0.0:
            weights = dropout(weights, p=dropped)
        y = weights @ v
        if average_attn_weights:
            weights = weights.mean(dim=1)
        if not batched:
            weights = weights.squeeze(0)
    else:
        y = scaled_dot_product_attention(q, k, v, mask, dropped, causal_only)
    y = y.permute(2, 0, 1, 3).reshape(length, batch, width)
    y = linear(y, out_proj_weight, out_proj_bias)
    if not batched:
        return y.squeeze(1), weights
    return (y.transpose(0, 1) if _batch_first else y), weights


def _project(
    query: Tensor, key: Tensor, value: Tensor, weight: Any, bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """q, k and v: weight is one for all, or three."""
    biases: Any = (None,) * 3 if bias is None else bias.chunk(3)
    if isinstance(weight, Tensor):
        if query is key and key is value:
            q, k, v = linear(query, weight, bias).chunk(3, -1)
            return q, k, v
        weight = weight.chunk(3)
    elif weight is None:
        raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
    for name, each in zip("qkv", weight, strict=True):
        if each is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
    q, k, v = (linear(x, w, b) for x, w, b in zip((query, key, value), weight, biases, strict=True))
    return q, k, v


def _heads(x: Tensor, num_heads: int) -> Tensor:
    """(T, N, E) -> (N, heads, T, d)"""
    times, batch, width = x.shape
    return x.reshape(times, batch, num_heads, width // num_heads).permute(1, 2, 0, 3)


def _static(given: Tensor | None, computed: Tensor, name: str) -> Tensor:
    """What was given (N·heads, S, d) as (N, heads, S, d); or what was computed."""
    if given is None:
        return computed
    batch, num_heads, _, width = computed.shape
    for axis, size in ((0, batch * num_heads), (2, width)):
        if given.size(axis) != size:
            raise AssertionError(f"expecting {name}.size({axis}) of {size}, but got {given.size(axis)}")
    return given.reshape(batch, num_heads, -1, width)


def _mask(
    attn_mask: Tensor | None, padding: Tensor | None, batch: int, num_heads: int, more: int, kind: dtypes.dtype
) -> Tensor | None:
    """Both masks as one to be added to the scores (N, heads, L, S)."""
    total: Tensor | None = None
    if attn_mask is not None:
        total = _additive(attn_mask, kind)
        if total.dim() == 3:
            total = total.reshape(batch, num_heads, *total.shape[1:])
    if padding is not None:
        of_keys = _additive(padding, kind).unsqueeze(1).unsqueeze(1)
        total = of_keys if total is None else total + of_keys
    if total is not None and more:
        total = cat([total, zeros((*total.shape[:-1], more), dtype=total.dtype)], dim=-1)
    return total


def _additive(mask: Tensor, kind: dtypes.dtype) -> Tensor:
    """A mask to add to scores: True becomes -inf."""
    if mask.dtype is dtypes.bool:
        zero, never = kind.numpy.type(0), kind.numpy.type(-np.inf)
        return Tensor._wrap(np.where(mask._array, never, zero))
    if not mask.is_floating_point():
        raise AssertionError("only bool and floating types of attn_mask are supported")
    return mask


def _check(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    padding: Tensor | None,
    attn_mask: Tensor | None,
    embed_dim: int,
    num_heads: int,
    separate: bool,
    batch_first: bool,
) -> bool:
    """Whether there is a batch; raises where the shapes do not go together."""
    if query.dim() not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query tensor"
        )
    batched = query.dim() == 3
    how = "batched (3-D)" if batched else "unbatched (2-D)"
    if key.dim() != query.dim() or value.dim() != query.dim():
        raise AssertionError(
            f"For {how} `query`, expected `key` and `value` to be {query.dim()}-D"
            f" but found {key.dim()}-D and {value.dim()}-D tensors respectively"
        )
    if padding is not None and padding.dim() != query.dim() - 1:
        raise AssertionError(
            f"For {how} `query`, expected `key_padding_mask` to be `None` or {query.dim() - 1}-D"
            f" but found {padding.dim()}-D tensor instead"
        )
    if query.shape[-1] != embed_dim:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim}, but got {query.shape[-1]}")
    if embed_dim % num_heads:
        raise AssertionError(f"embed_dim {embed_dim} not divisible by num_heads {num_heads}")
    if not separate and key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
    if attn_mask is not None:
        time, first = (1, 0) if batched and batch_first else (0, 1)
        batch = query.shape[first] if batched else 1
        pairs = (query.shape[time], key.shape[time])
        wanted = pairs if attn_mask.dim() == 2 else (batch * num_heads, *pairs)
        if attn_mask.dim() not in (2, 3):
            raise AssertionError(
                f"For {how} `query`, expected `attn_mask` to be `None`, 2-D or 3-D"
                f" but found {attn_mask.dim()}-D tensor instead"
            )
        if tuple(attn_mask.shape) != wanted:
            raise RuntimeError(
                f"The shape of the {attn_mask.dim()}D attn_mask is {attn_mask.shape}, but should be {wanted}."
            )
    return batched
