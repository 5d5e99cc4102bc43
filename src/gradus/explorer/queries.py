"""What attention asked and what answered: the queries and keys of the `MultiHeadAttention`s of a transformer or an
encoder in one pass over one text, from which weights, scores and their formula follow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.backend import nn
from gradus.models.layers import MultiHeadAttention

Floats = NDArray[np.floating[Any]]


@dataclass
class Asked:
    """One attention, of one text.

    Attributes:
        n_head: nh.
        causal: whether a position sees no later one.
        q, k: (T, C) and (S, C), the heads side by side.
    """

    n_head: int
    causal: bool
    q: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    k: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def query(self, head: int, row: int) -> Floats:
        """(hs,)"""
        return self._heads(self.q)[head, row]

    def keys(self, head: int) -> Floats:
        """(S, hs)"""
        return self._heads(self.k)[head]

    def scores(self) -> Floats:
        """(nh, T, S): query · key / sqrt(hs); -inf for what is not seen."""
        q, k = self._heads(self.q), self._heads(self.k)
        out: Floats = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1])
        return np.where(np.tri(*out.shape[1:]) > 0, out, -np.inf) if self.causal else out

    def weights(self) -> Floats:
        """(nh, T, S): the softmax of the scores; rows sum to 1."""
        scores = self.scores()
        out: Floats = np.exp(scores - scores.max(axis=-1, keepdims=True))
        out /= out.sum(axis=-1, keepdims=True)
        return out

    def _heads(self, x: Floats) -> Floats:
        """(T, C) -> (nh, T, hs)"""
        return x.reshape(len(x), self.n_head, -1).swapaxes(0, 1)


@contextmanager
def watched(attention: MultiHeadAttention, *, causal: bool = False) -> Iterator[Asked]:
    """Within it, a pass over one text notes the queries and keys of an attention."""
    asked = Asked(attention.n_head, causal)

    def note(name: str, module: nn.Module) -> Any:
        return module.register_forward_hook(lambda _, __, y: setattr(asked, name, y[0].detach().float().cpu().numpy()))

    handles = [note("q", attention.query), note("k", attention.key)]
    try:
        yield asked
    finally:
        for handle in handles:
            handle.remove()


def row_of(asked: Asked, head: int, row: int) -> dict[str, Any]:
    """How one position divides its attention in one head.

    Returns:
        head, row; query (hs,), keys (S, hs), scores (S,) query · key / sqrt(hs), weights (S,) their softmax. What is
        not seen is not among them.
    """
    n = row + 1 if asked.causal else len(asked.k)
    return {
        "head": head,
        "row": row,
        "query": asked.query(head, row),
        "keys": asked.keys(head)[:n],
        "scores": asked.scores()[head, row, :n],
        "weights": asked.weights()[head, row, :n],
    }
