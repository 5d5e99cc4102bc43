"""Attention in steps, each a short function: from the mean of what came before to many heads and to cross-attention,
and what happens when a step is left out.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(5, 8))  # five tokens of eight numbers
    >>> w_q, w_k, w_v = rng.normal(size=(3, 8, 4)) / 8**0.5
    >>> y, weights = head(x, w_q, w_k, w_v, causal=True)
    >>> y.shape, weights.shape
    ((5, 4), (5, 5))

Every function takes NumPy arrays, tensors of `gradus.engine` and tensors of PyTorch alike, with any number of axes in
front, and gives its result with the weights that led to it. `gradus.plots.plot_attention` draws them.

Shapes: T tokens that ask, S that are looked at, C numbers a token, nh heads of hs numbers.
"""

from gradus.attention.averages import average_by_loop, average_by_matrix, average_by_softmax
from gradus.attention.mistakes import heads_not_joined, masked_after_softmax, unscaled
from gradus.attention.steps import attend, cross, head, heads, mask_later, score_variance, scores, softmax

__all__ = [
    "attend",
    "average_by_loop",
    "average_by_matrix",
    "average_by_softmax",
    "cross",
    "head",
    "heads",
    "heads_not_joined",
    "mask_later",
    "masked_after_softmax",
    "score_variance",
    "scores",
    "softmax",
    "unscaled",
]
