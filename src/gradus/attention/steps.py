"""The steps of attention (Vaswani et al., 2017): scores, scale, mask, softmax, one head, many, cross-attention."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any  # a NumPy array, or a tensor of gradus.engine or of PyTorch
Weighted: TypeAlias = tuple[Array, Array]  # a result, and the weights of attention that led to it


def scores(q: Array, k: Array, *, scale: float | None = None) -> Array:
    """How well each query fits each key: q kᵀ · scale.

    Args:
        q: (..., T, hs).
        k: (..., S, hs).
        scale: 1 / sqrt(hs) unless given; `score_variance` shows why.

    Returns:
        (..., T, S)
    """
    factor = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    return q @ k.swapaxes(-1, -2) * factor  # (..., T, hs) @ (..., hs, S) -> (..., T, S)


def score_variance(head_size: int, *, n: int = 10_000, seed: int = 0) -> tuple[float, float]:
    """The variance of the scores of n random queries and keys, without the scale and with it.

    Each score is a sum of hs products. Of numbers with mean 0 and variance 1 each product has variance 1, so the sum
    has variance hs: the larger the heads, the larger the scores, and the softmax of large numbers is nearly one-hot.
    Divided by sqrt(hs), they have variance 1 in heads of any size.

    >>> [round(variance) for variance in score_variance(16)]
    [16, 1]
    """
    q, k = np.random.default_rng(seed).normal(size=(2, n, 1, head_size))
    return float(scores(q, k, scale=1.0).var()), float(scores(q, k).var())


def mask_later(scores: Array) -> Array:
    """-inf where the key comes after the query, so that the softmax gives it nothing: (..., T, T) -> (..., T, T)."""
    later = earlier(scores) == 0
    if isinstance(scores, np.ndarray):
        return np.where(later, -math.inf, scores)
    return scores.masked_fill(later, -math.inf)


def softmax(x: Array) -> Array:
    """Positive numbers that sum to 1, over the last axis: exp(x) / Σ exp(x)."""
    if isinstance(x, np.ndarray):
        e = np.exp(x - x.max(axis=-1, keepdims=True))  # the largest becomes 1, so that nothing overflows
        return e / e.sum(axis=-1, keepdims=True)
    return x.softmax(-1)


def attend(q: Array, k: Array, v: Array, *, causal: bool = False, scale: float | None = None) -> Weighted:
    """softmax(q kᵀ / sqrt(hs)) v: what each query gathers.

    Args:
        q: (..., T, hs), what each token asks for.
        k: (..., S, hs), what each token has to offer.
        v: (..., S, hs), what it gives if it is chosen.
        causal: a token sees itself and what is before it; T is S then.
        scale: 1 / sqrt(hs) unless given.

    Returns:
        y (..., T, hs), and the weights (..., T, S), of which each row sums to 1.
    """
    fits = scores(q, k, scale=scale)
    weights = softmax(mask_later(fits) if causal else fits)
    return weights @ v, weights  # (..., T, S) @ (..., S, hs) -> (..., T, hs)


def head(x: Array, w_q: Array, w_k: Array, w_v: Array, *, causal: bool = False) -> Weighted:
    """A single head of self-attention: queries, keys and values are three views of the same tokens.

    Args:
        x: (..., T, C).
        w_q, w_k, w_v: (C, hs).

    Returns:
        y (..., T, hs), and the weights (..., T, T).
    """
    return attend(x @ w_q, x @ w_k, x @ w_v, causal=causal)


def heads(x: Array, w_qkv: Array, w_o: Array, n_head: int, *, causal: bool = False) -> Weighted:
    """Many heads, each of which looks for something else; their results side by side, mixed by one more matrix.

    Args:
        x: (..., T, C).
        w_qkv: (C, 3C), the matrices of queries, keys and values of all heads beside each other.
        w_o: (C, C), which joins the heads.

    Returns:
        y (..., T, C), and the weights (..., nh, T, T).
    """
    C = x.shape[-1]
    qkv = x @ w_qkv  # (..., T, 3C)
    q, k, v = (split(qkv[..., i * C : (i + 1) * C], n_head) for i in range(3))  # (..., nh, T, hs) each
    y, weights = attend(q, k, v, causal=causal)
    return join(y) @ w_o, weights


def cross(x: Array, source: Array, w_q: Array, w_kv: Array, w_o: Array, n_head: int) -> Weighted:
    """Cross-attention: the tokens of one sequence ask, those of another answer. So a decoder looks at what it
    translates.

    Args:
        x: (..., T, C), from which the queries are.
        source: (..., S, C), from which keys and values are.
        w_q, w_o: (C, C).
        w_kv: (C, 2C).

    Returns:
        y (..., T, C), and the weights (..., nh, T, S).
    """
    C = x.shape[-1]
    kv = source @ w_kv  # (..., S, 2C)
    y, weights = attend(split(x @ w_q, n_head), split(kv[..., :C], n_head), split(kv[..., C:], n_head))
    return join(y) @ w_o, weights


def split(x: Array, n_head: int) -> Array:
    """The numbers of each token shared out to heads: (..., T, C) -> (..., nh, T, hs)."""
    return x.reshape(*x.shape[:-1], n_head, x.shape[-1] // n_head).swapaxes(-2, -3)


def join(y: Array) -> Array:
    """The heads side by side again: (..., nh, T, hs) -> (..., T, C)."""
    y = y.swapaxes(-2, -3)
    return y.reshape(*y.shape[:-2], y.shape[-2] * y.shape[-1])


def earlier(x: Array) -> Array:
    """(T, T) for x (..., T, anything), of its kind: 1 where the column is not after the row, 0 elsewhere."""
    T = x.shape[-2]
    if isinstance(x, np.ndarray):
        return np.tri(T, dtype=x.dtype)
    return x.new_ones(T, T).tril()
