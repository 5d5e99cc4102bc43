"""The mean of all that came before, in three ways that give the same. The third is attention with all scores zero: what
is left to do is to let the tokens themselves choose the scores."""

from __future__ import annotations

from gradus.attention.steps import Array, Weighted, earlier, mask_later, softmax


def average_by_loop(x: Array) -> Weighted:
    """y[t] = mean of x[0], ..., x[t], one t after the other.

    >>> average_by_loop(np.array([[2.0], [4.0], [9.0]]))[0].tolist()
    [[2.0], [3.0], [5.0]]

    Args:
        x: (..., T, C).

    Returns:
        y (..., T, C), and the weights (T, T) by which it is a product, y = weights @ x.
    """
    y, weights = x * 0.0, earlier(x) * 0.0
    for t in range(x.shape[-2]):
        y[..., t, :] = x[..., : t + 1, :].mean(-2)
        weights[t, : t + 1] = 1 / (t + 1)
    return y, weights


def average_by_matrix(x: Array) -> Weighted:
    """The same as one product: row t of the matrix has 1 / (t + 1) up to the diagonal, and 0 after it."""
    ones = earlier(x)  # (T, T)
    weights = ones / ones.sum(-1)[:, None]
    return weights @ x, weights  # (T, T) @ (..., T, C) -> (..., T, C)


def average_by_softmax(x: Array) -> Weighted:
    """The same again: scores of zero, -inf where a token comes later, and the softmax of each row."""
    weights = softmax(mask_later(earlier(x) * 0))
    return weights @ x, weights
