"""What attention asked and what answered: the queries and keys of the `MultiHeadAttention`s of a transformer or an
encoder in one pass over one text, from which weights, scores and their formula follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from gradus.backend import nn
from gradus.explorer.forward.passes import Floats
from gradus.explorer.opened import Opened
from gradus.models import LanguageModel
from gradus.models.layers import MultiHeadAttention

Made = TypeVar("Made")


class Recent(Generic[Made]):
    """The last few results of something that takes a while, by what they are of: panels ask for the same again.

    >>> recent = Recent[int](most=2)
    >>> [recent.get(n, lambda: n * n) for n in (1, 2, 3)], list(recent.kept)
    ([1, 4, 9], [2, 3])
    """

    def __init__(self, most: int) -> None:
        self.most, self.kept = most, dict[Hashable, Made]()

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        found = self.kept.pop(key) if key in self.kept else make()
        self.kept[key] = found  # now the last
        while len(self.kept) > self.most:
            del self.kept[next(iter(self.kept))]
        return found


@dataclass
class Asked:
    """One attention, of one text.

    Attributes:
        n_head: nh.
        q, k: (T, C) and (S, C), the heads side by side.
        causal: whether a position sees no later one.
    """

    n_head: int
    q: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    k: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    causal: bool = False

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


def weights_of(opened: Opened) -> Hashable:
    """What changes when the weights of a model do."""
    return opened, sum(parameter._version for parameter in opened.model.parameters())


@contextmanager
def watched(model: LanguageModel) -> Iterator[dict[nn.Module, Asked]]:
    """Within it, a pass over one text notes the queries and keys of every attention, by its module. `causal` is for the
    caller to say."""
    found: dict[nn.Module, Asked] = {}

    def note(attention: MultiHeadAttention, name: str) -> Callable[[Any, Any, Any], None]:
        def hook(_: Any, __: Any, y: Any) -> None:
            asked = found.setdefault(attention, Asked(attention.n_head))
            setattr(asked, name, y[0].detach().float().cpu().numpy())

        return hook

    with ExitStack() as ends:
        for module in model.modules():
            if isinstance(module, MultiHeadAttention):
                ends.callback(module.query.register_forward_hook(note(module, "q")).remove)
                ends.callback(module.key.register_forward_hook(note(module, "k")).remove)
        yield found


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
