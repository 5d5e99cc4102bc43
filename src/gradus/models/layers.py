"""The layers of the Transformer (Vaswani et al., 2017) that `transformer` and `encoder` are made of: attention in many
heads, a small network for every position, and the two ways to add their results to the stream.

Shapes: B rows, T positions of the sequence that asks, S of the one that is looked at, C numbers a position, nh heads of
hs = C / nh numbers. A mask is bool and says what may be seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from gradus.backend import F, nn, torch

Norm = Literal["pre", "post"]
Activation = Literal["relu", "gelu"]
KeysValues = tuple[torch.Tensor, torch.Tensor]  # (B, nh, S, hs) each
CachedKeys = dict[nn.Module, KeysValues]  # what each attention has seen, while a text is written token by token


class MultiHeadAttention(nn.Module):
    """In each head softmax(q kᵀ / sqrt(hs)) v; then the heads side by side, through one more matrix.

    The queries come from x. Keys and values come from another sequence (cross-attention) or from x too
    (self-attention).

    >>> attention = MultiHeadAttention(n_embd=8, n_head=2)
    >>> french, english = torch.randn(1, 5, 8), torch.randn(1, 3, 8)
    >>> attention(french, english).shape
    torch.Size([1, 5, 8])
    """

    def __init__(self, n_embd: int, n_head: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_head, self.dropout = n_head, dropout
        self.query, self.key, self.value = (nn.Linear(n_embd, n_embd) for _ in range(3))
        self.output = nn.Linear(n_embd, n_embd)

    def forward(
        self,
        x: torch.Tensor,
        source: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
        *,
        causal: bool = False,
        cache: CachedKeys | None = None,
    ) -> torch.Tensor:
        """Let each position of x gather from the source.

        Args:
            x: (B, T, C).
            source: (B, S, C); None means x itself.
            mask: bool, broadcast to (B, nh, T, S): True where the position may be seen; None means everywhere.
            causal: a position sees itself and what is before it; instead of a mask.
            cache: of the calls before, whose positions are not in x any more; it is added to.

        Returns:
            (B, T, C)
        """
        q = self._heads(self.query(x))  # (B, T, C) -> (B, nh, T, hs)
        k, v = self._keys_values(x, source, cache)  # (B, nh, S, hs) each
        T, S = q.size(2), k.size(2)
        if causal and T < S:  # the new positions are the last T of S; a single one sees them all
            mask = None if T == 1 else torch.ones(T, S, dtype=torch.bool, device=x.device).tril(S - T)
            causal = False
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=causal)
        out: torch.Tensor = self.output(y.transpose(1, 2).flatten(2))  # (B, nh, T, hs) -> (B, T, C)
        return out

    def _keys_values(self, x: torch.Tensor, source: torch.Tensor | None, cache: CachedKeys | None) -> KeysValues:
        before = None if cache is None else cache.get(self)
        if source is not None and before is not None:
            return before  # the source is the same all the time
        seen = x if source is None else source
        k, v = self._heads(self.key(seen)), self._heads(self.value(seen))  # (B, S, C) -> (B, nh, S, hs)
        if before is not None:
            k, v = torch.cat([before[0], k], dim=2), torch.cat([before[1], v], dim=2)
        if cache is not None:
            cache[self] = k, v
        return k, v

    def _heads(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, C) -> (B, nh, T, hs)"""
        return x.view(x.size(0), x.size(1), self.n_head, -1).transpose(1, 2)


class FeedForward(nn.Module):
    """W₂ f(W₁ x + b₁) + b₂ at every position by itself; wider inside than outside."""

    def __init__(self, n_embd: int, n_hidden: int, dropout: float = 0.0, activation: Activation = "relu") -> None:
        super().__init__()
        self.inside = nn.Linear(n_embd, n_hidden)
        self.activation = nn.ReLU() if activation == "relu" else nn.GELU()
        self.dropout = nn.Dropout(dropout)
        self.outside = nn.Linear(n_hidden, n_embd)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.outside(self.dropout(self.activation(self.inside(x))))  # (B, T, C), 4C inside
        return out


class AddAndNorm(nn.Module):
    """How the result of a layer f joins the stream x.

    post: norm(x + f(x)), as in the paper. Every layer is followed by a norm that its gradients have to pass.
    pre:  x + f(norm(x)), (Xiong et al., 2020). The stream runs through untouched; one norm is needed at its end.
    """

    def __init__(self, n_embd: int, norm: Norm, dropout: float = 0.0, eps: float = 1e-5) -> None:
        super().__init__()
        self.pre = norm == "pre"
        self.norm = nn.LayerNorm(n_embd, eps=eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, f: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        out: torch.Tensor = x + self.dropout(f(self.norm(x))) if self.pre else self.norm(x + self.dropout(f(x)))
        return out


class EncoderLayer(nn.Module):
    """Attention to all positions of the own sequence, before and after; then the feed-forward network.

    >>> layer = EncoderLayer(n_embd=8, n_head=2)
    >>> idx = torch.tensor([[4, 1, 3], [2, 5, -1]])  # the second row is shorter
    >>> x = torch.randn(2, 3, 8)
    >>> layer(x, padding_mask(idx)).shape
    torch.Size([2, 3, 8])
    """

    def __init__(
        self,
        n_embd: int,
        n_head: int,
        n_hidden: int = 0,
        dropout: float = 0.0,
        norm: Norm = "pre",
        activation: Activation = "relu",
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(n_embd, n_head, dropout)
        self.feed_forward = FeedForward(n_embd, n_hidden or 4 * n_embd, dropout, activation)
        self.add_1, self.add_2 = (AddAndNorm(n_embd, norm, dropout, eps) for _ in range(2))

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """(B, T, C), and a mask broadcast to (B, nh, T, T) or None -> (B, T, C)"""
        x = self.add_1(x, lambda x: self.attention(x, mask=mask))
        out: torch.Tensor = self.add_2(x, self.feed_forward)
        return out


class DecoderLayer(nn.Module):
    """Attention to the own sequence up to the present position; to the memory, which the encoder made of the source;
    then the feed-forward network.

    With `cross_attention=False` the second attention looks at the own sequence too, and the source is never seen: for
    the experiment that shows what cross-attention is good for.
    """

    def __init__(
        self,
        n_embd: int,
        n_head: int,
        n_hidden: int = 0,
        dropout: float = 0.0,
        norm: Norm = "pre",
        activation: Activation = "relu",
        eps: float = 1e-5,
        *,
        cross_attention: bool = True,
    ) -> None:
        super().__init__()
        self.crosses = cross_attention
        self.attention = MultiHeadAttention(n_embd, n_head, dropout)
        self.cross_attention = MultiHeadAttention(n_embd, n_head, dropout)
        self.feed_forward = FeedForward(n_embd, n_hidden or 4 * n_embd, dropout, activation)
        self.add_1, self.add_2, self.add_3 = (AddAndNorm(n_embd, norm, dropout, eps) for _ in range(3))

    def forward(
        self,
        x: torch.Tensor,
        memory: torch.Tensor,
        memory_mask: torch.Tensor | None = None,
        cache: CachedKeys | None = None,
    ) -> torch.Tensor:
        """(B, T, C); memory (B, S, C) and what may be seen of it, broadcast to (B, nh, T, S) -> (B, T, C)

        With a cache, x are the positions that are new.
        """
        x = self.add_1(x, lambda x: self.attention(x, causal=True, cache=cache))
        if self.crosses:
            x = self.add_2(x, lambda x: self.cross_attention(x, memory, memory_mask, cache=cache))
        else:
            x = self.add_2(x, lambda x: self.cross_attention(x, causal=True, cache=cache))
        out: torch.Tensor = self.add_3(x, self.feed_forward)
        return out


def padding_mask(idx: torch.Tensor) -> torch.Tensor:
    """Where rows of tokens (B, S) are no padding, that is not -1, as a mask for attention (B, 1, 1, S): all heads and
    all positions may see the same."""
    return (idx >= 0)[:, None, None, :]


def sinusoids(length: int, n_embd: int) -> torch.Tensor:
    """Positions as waves (length, C): number 2i is sin(t / 10000^(2i / C)), number 2i + 1 the cosine of the same.

    The wavelengths go from 2π to 10,000 · 2π. Seen from any position, the one k steps on is the same rotation away.
    """
    frequency = torch.exp(torch.arange(0, n_embd, 2, dtype=torch.float32) * (-math.log(10_000.0) / n_embd))  # (C/2,)
    angle = torch.arange(length, dtype=torch.float32)[:, None] * frequency  # (length, C/2)
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)[:, :n_embd]  # an odd C drops the last cosine
