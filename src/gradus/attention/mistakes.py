"""What breaks when a step of attention is left out or out of its order. Each of these runs without an error, and each
has been published."""

from __future__ import annotations

from gradus.attention.steps import Array, Weighted, attend, earlier, join, scores, softmax, split


def unscaled(q: Array, k: Array, v: Array, *, causal: bool = False) -> Weighted:
    """Attention without 1 / sqrt(hs). The scores have variance hs, so the softmax is nearly one-hot from the beginning:
    a token looks at one other, and hardly any gradient says that another would be better.

    >>> q, k, v = np.random.default_rng(0).normal(size=(3, 100, 64))
    >>> [round(float(f(q, k, v)[1].max(axis=1).mean()), 2) for f in (attend, unscaled)]  # the largest weight of a row
    [0.08, 0.76]

    Shapes are those of `attend`.
    """
    return attend(q, k, v, causal=causal, scale=1.0)


def masked_after_softmax(q: Array, k: Array, v: Array) -> Weighted:
    """Attention whose later tokens are removed from the weights, not from the scores. They are gone, but they were
    counted: the rows do not sum to 1 any more, and how much is missing tells each token about those that come.

    >>> q, k, v = np.random.default_rng(0).normal(size=(3, 4, 8))
    >>> masked_after_softmax(q, k, v)[1].sum(axis=1).round(2).tolist()
    [0.3, 0.4, 0.94, 1.0]

    Shapes are those of `attend`.
    """
    weights = softmax(scores(q, k)) * earlier(q)
    return weights @ v, weights


def heads_not_joined(x: Array, w_qkv: Array, n_head: int, *, causal: bool = False) -> Weighted:
    """Many heads without the matrix that joins them. The results stand beside each other, and what one head found stays
    in its part of the numbers: no number of the result comes from two heads.

    Shapes are those of `heads`.
    """
    C = x.shape[-1]
    qkv = x @ w_qkv
    q, k, v = (split(qkv[..., i * C : (i + 1) * C], n_head) for i in range(3))
    y, weights = attend(q, k, v, causal=causal)
    return join(y), weights
