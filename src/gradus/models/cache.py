"""The key/value cache: what attention keeps of the tokens that it has read, so that a new one costs one row.

Without it, every step of generation computes the keys and values of the whole text again, though they depend on what
came before only, and so are what they were. With it, a step computes those of the new token, writes them behind the
others, and its one query attends to all of them:

    k, v of token n  ->  K[:, :, n], V[:, :, n]                 (B, nh, size, hs), allocated once
    y = softmax(q K[:, :, :n + 1]ᵀ / sqrt(hs)) V[:, :, :n + 1]

A text longer than block_size is continued from its last block_size tokens: a window that moves by one with each token.
With it every token changes its position and no longer sees the one that has left, so all keys and values change: from
then on a step computes the whole window, as it would without a cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradus.backend import torch
from gradus.models.base import LanguageModel

Seen = tuple[torch.Tensor, torch.Tensor, torch.Tensor | None, bool]


class Past:
    """The keys and values of one layer."""

    k: torch.Tensor  # (B, nh, size, hs), filled up to where the rows have been read
    v: torch.Tensor

    def __init__(self, cache: Cache) -> None:
        self.cache, self.allocated = cache, False

    def append(self, k: torch.Tensor, v: torch.Tensor) -> Seen:
        """Add those of the new tokens, (B, nh, T, hs).

        Returns:
            k, v (B, nh, S, hs): those of the tokens before, too; and which of them the new ones see, as the arguments
            attn_mask and is_causal of `scaled_dot_product_attention`.
        """
        cache = self.cache
        self.allocate(k, v)
        if cache.ragged:
            self.k[cache.rows, :, cache.positions] = k.transpose(1, 2)  # (B, 1) and (B, T) choose (B, T, nh, hs)
            self.v[cache.rows, :, cache.positions] = v.transpose(1, 2)
        else:
            self.k[:, :, cache.start : cache.end] = k
            self.v[:, :, cache.start : cache.end] = v
        if cache.start == 0:
            return k, v, None, True
        return self.k[:, :, : cache.end], self.v[:, :, : cache.end], cache.mask, False

    def allocate(self, *like: torch.Tensor) -> None:
        """Room for keys and values like these in all rows, once: zeros, as what is masked is multiplied by 0."""
        if not self.allocated:
            rows, size = len(self.cache.lengths), self.cache.size
            self.k, self.v = (x.new_zeros(rows, x.size(1), size, x.size(3)) for x in like)
            self.allocated = True


class Cache:
    """What the layers of a model keep of rows of at most `size` tokens; the rows may differ in length.

    Attributes:
        tokens: (B, size), what was read.
        lengths: how many tokens that is in each row.
        layers: the `Past` of each layer.
        positions: of the new tokens, (T,), or (B, T) if the rows differ.
        start, end: of the new tokens in the longest row.
        mask: which tokens a new one sees, bool, (T, end) or (B, 1, T, end); None: all of them.
    """

    positions: torch.Tensor
    start: int
    end: int
    mask: torch.Tensor | None
    ragged: bool

    def __init__(self, batch: int, size: int, n_layer: int, device: Any = None) -> None:
        self.size = size
        self.tokens = torch.zeros(batch, size, dtype=torch.long, device=device)
        self.rows = torch.arange(batch, device=device)[:, None]  # (B, 1)
        self.lengths = [0] * batch
        self.layers = [Past(self) for _ in range(n_layer)]

    def extend(self, idx: torch.Tensor) -> None:
        """The new tokens are idx (B, T), for which there is room."""
        lengths, T, device = self.lengths, idx.size(1), idx.device
        self.start, self.ragged, self.mask = max(lengths), min(lengths) < max(lengths), None
        self.end, self.lengths = self.start + T, [n + T for n in lengths]
        if self.ragged:
            self.positions = torch.tensor(lengths, device=device)[:, None] + torch.arange(T, device=device)  # (B, T)
            self.tokens[self.rows, self.positions] = idx
            self.mask = (torch.arange(self.end, device=device) <= self.positions[:, :, None])[:, None]
        else:
            self.positions = torch.arange(self.start, self.end, device=device)  # (T,)
            self.tokens[:, self.start : self.end] = idx
            if T > 1:
                self.mask = torch.arange(self.end, device=device) <= self.positions[:, None]

    def before(self) -> torch.Tensor:
        """The token (B, 1) before the new ones, which are not the first."""
        T = self.end - self.start
        return self.tokens.gather(1, torch.tensor([[n - T - 1] for n in self.lengths], device=self.tokens.device))

    def row(self, i: int) -> torch.Tensor:
        """The tokens (n,) of a row."""
        return self.tokens[i, : self.lengths[i]]

    def clear(self) -> None:
        """Forget what was read; the memory is kept."""
        self.lengths = [0] * len(self.lengths)

    @staticmethod
    def join(caches: Sequence[Cache]) -> Cache:
        """One cache for the rows of several."""
        lengths = [n for cache in caches for n in cache.lengths]
        joined = Cache(len(lengths), caches[0].size, len(caches[0].layers), caches[0].tokens.device)
        joined.lengths, joined.tokens = lengths, torch.cat([cache.tokens for cache in caches])
        for whole, *parts in zip(joined.layers, *(cache.layers for cache in caches), strict=True):
            first = 0
            for part in parts:
                whole.allocate(part.k, part.v)
                last, n = first + len(part.k), max(part.cache.lengths)
                whole.k[first:last, :, :n] = part.k[:, :, :n]
                whole.v[first:last, :, :n] = part.v[:, :, :n]
                first = last
        return joined


class CachedModel(LanguageModel):
    """A model made of attention layers, which reads with a `Cache`. `read` computes no gradients."""

    n_layer: int

    def vectors(self, idx: torch.Tensor, cache: Cache | None = None) -> torch.Tensor:
        """What the blocks make of tokens (B, T), (B, T, C); with a cache they are its new ones."""
        raise NotImplementedError

    def head(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, C) -> logits (B, T, V)."""
        raise NotImplementedError

    def read(self, idx: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        cache: Cache = Cache(len(idx), self.block_size, self.n_layer, idx.device) if state is None else state
        with torch.no_grad():
            if max(cache.lengths) + idx.size(1) > self.block_size:  # the window moves
                rows = [torch.cat([cache.row(i), new])[-self.block_size :] for i, new in enumerate(idx)]
                if len({len(row) for row in rows}) > 1:
                    return self.read_rows(rows)
                cache.clear()
                idx = torch.stack(rows)
            cache.extend(idx)
            return self.head(self.vectors(idx, cache)[:, -1:])[:, -1], cache  # (B, V): only the last one is continued

    def join(self, states: Sequence[Any]) -> Any:
        return Cache.join(states)
