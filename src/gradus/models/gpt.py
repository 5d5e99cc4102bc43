"""GPT-2: the decoder-only Transformer of Radford et al. (2019), with the names nanoGPT gave its parts.

A stream of vectors, one for each token, passes through equal blocks. In each, attention (Vaswani et al., 2017) lets a
position gather from the positions before it, weighted by how well its query fits their keys; then an MLP works on
every position by itself. Both read a normalised copy of the stream and add their result to it (pre-norm), so that
gradients reach the first layer unhindered. What is new after the NPLM: which earlier tokens matter is computed from the
text, not fixed by their position, and all positions share the same weights.
"""

from __future__ import annotations

import math

from gradus.backend import F, nn, torch
from gradus.models.base import mean_loss
from gradus.models.cache import Cache, CachedModel, Past
from gradus.models.config import GPTConfig


class CausalSelfAttention(nn.Module):
    """softmax(q kᵀ / sqrt(hs)) v in each head of size hs = C / nh, over the present and earlier positions only."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)  # q, k, v of all heads at once
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)
        self.resid_dropout = nn.Dropout(config.dropout)
        self.n_head = config.n_head
        self.n_embd = config.n_embd
        self.dropout = config.dropout

    def forward(self, x: torch.Tensor, past: Past | None = None) -> torch.Tensor:
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(self.n_embd, dim=2)  # (B, T, C) -> three of (B, T, C)
        q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)  # (B, nh, T, hs)
        k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)  # (B, nh, T, hs)
        v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)  # (B, nh, T, hs)
        dropout, mask, causal = self.dropout if self.training else 0.0, None, True
        if past is not None:
            k, v, mask, causal = past.append(k, v)  # those of the tokens before, too
        # What `causal_attention` below computes, without ever holding all of the (T, T) weights.
        y = F.scaled_dot_product_attention(q, k, v, mask, dropout, causal)  # (B, nh, T, hs)
        y = y.transpose(1, 2).contiguous().view(B, T, C)  # the heads side by side again
        out: torch.Tensor = self.resid_dropout(self.c_proj(y))
        return out


def causal_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention written out: softmax(q kᵀ / sqrt(hs)) v, where a position sees itself and what is before it.

    Args:
        q, k, v: (B, nh, T, hs).

    Returns:
        y (B, nh, T, hs), and the weights (B, nh, T, T), of which each row sums to 1.
    """
    T, hs = q.size(-2), q.size(-1)
    scores = q @ k.transpose(-2, -1) / math.sqrt(hs)  # (B, nh, T, hs) @ (B, nh, hs, T) -> (B, nh, T, T)
    later = torch.ones(T, T, dtype=torch.bool, device=q.device).triu(1)  # True where the key comes after the query
    weights = F.softmax(scores.masked_fill(later, -math.inf), dim=-1)  # (B, nh, T, T)
    return weights @ v, weights  # (B, nh, T, T) @ (B, nh, T, hs) -> (B, nh, T, hs)


class MLP(nn.Module):
    """Four times as wide inside as outside, with GPT-2's tanh form of GELU (Hendrycks and Gimpel, 2016)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd, bias=config.bias)
        self.gelu = nn.GELU(approximate="tanh")
        self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd, bias=config.bias)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.gelu(self.c_fc(x))  # (B, T, C) -> (B, T, 4C)
        out: torch.Tensor = self.dropout(self.c_proj(x))  # (B, T, 4C) -> (B, T, C)
        return out


class Block(nn.Module):
    """Communication, then computation; each adds to the residual stream."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.mlp = MLP(config)

    def forward(self, x: torch.Tensor, past: Past | None = None) -> torch.Tensor:
        x = x + self.attn(self.ln_1(x), past)
        return x + self.mlp(self.ln_2(x))


class GPT(CachedModel):
    """Embeddings, blocks, a last LayerNorm, and a head with the token embedding's weights (Press and Wolf, 2017)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__(config, context=config.block_size)
        self.n_layer, self.n_head = config.n_layer, config.n_head
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(config.vocab_size, config.n_embd),
                "wpe": nn.Embedding(config.block_size, config.n_embd),
                "drop": nn.Dropout(config.dropout),
                "h": nn.ModuleList([Block(config) for _ in range(config.n_layer)]),
                "ln_f": nn.LayerNorm(config.n_embd, bias=config.bias),
            }
        )
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.transformer.wte.weight = self.lm_head.weight

        std = initial_std(config.n_embd)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.dim() == 2:  # LayerNorm's weights stay at one
                # 2 c_proj a block add to the residual stream: scaled so that its variance does not grow with the depth.
                added = 2 * config.n_layer if name.endswith("c_proj.weight") else 1
                nn.init.normal_(parameter, mean=0.0, std=std / math.sqrt(added))

    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        T = idx.size(1)
        if self.block_size < T:
            raise ValueError(f"a row of {T} tokens is longer than block_size {self.block_size}: crop it to its end")
        logits = self.head(self.vectors(idx))  # (B, T, V)
        return logits, mean_loss(logits, targets)

    def vectors(self, idx: torch.Tensor, cache: Cache | None = None) -> torch.Tensor:
        pos = torch.arange(idx.size(1), dtype=torch.long, device=idx.device) if cache is None else cache.positions
        x = self.transformer.wte(idx) + self.transformer.wpe(pos)  # (B, T, C) + (T, C) -> (B, T, C)
        x = self.transformer.drop(x)
        for i, block in enumerate(self.transformer.h):
            x = block(x, None if cache is None else cache.layers[i])
        return x

    def head(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.lm_head(self.transformer.ln_f(x))  # (B, T, C) -> (B, T, V)
        return logits


def initial_std(n_embd: int) -> float:
    """The standard deviation of the initial weights: GPT-2's 0.02 at its width of 768, and proportional to 1/√width, so
    that a layer's output has the same variance at any width.

    With 0.02 at any width, a narrow GPT learns more slowly: its dev loss after 500 steps on Shakespeare, at width 128,
    was 2.16; with this rule it is 2.02.
    """
    return 0.02 * math.sqrt(768 / n_embd)
