"""The Transformer as it is trained today: the GPT, with what a few years of experiments have changed in it.

Each change is a setting, so that it can be taken out and missed. The blocks are GPT-2's: attention, then an MLP, each
reading a normalised copy of the stream and adding its result to it. What differs is said at each part, with its paper.
"""

from __future__ import annotations

from gradus.backend import F, nn, torch
from gradus.models.base import mean_loss
from gradus.models.cache import Cache, CachedModel, Past
from gradus.models.config import ModernConfig
from gradus.models.gpt import initial_std

ROPE_BASE = 10_000.0  # the slowest pair of numbers turns once in 2π times so many positions


class Modern(CachedModel):
    """Embeddings, blocks, a last normalisation and a head; the first loss is ln V, as the head starts at zero."""

    def __init__(self, config: ModernConfig) -> None:
        super().__init__(config, context=config.block_size)
        self.settings, self.n_layer = config, config.n_layer
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = None if config.rope else nn.Embedding(config.block_size, config.n_embd)
        # Smear (Jordan et al., 2025, the NanoGPT speedrun): each token's vector gets a learned share of the one before,
        # in each of its numbers another, so that already the first layer sees pairs.
        self.smear = nn.Parameter(torch.zeros(config.n_embd)) if config.smear else None
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.n_layer)])
        self.norm = normalisation(config)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.register_buffer("cos", torch.empty(0), persistent=False)
        self.register_buffer("sin", torch.empty(0), persistent=False)
        self.cos, self.sin = rotation(config.block_size, config.n_embd // config.n_head)
        self._initialise(config)

    def _initialise(self, config: ModernConfig) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=initial_std(config.n_embd))
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=1.0)
        if config.tied:  # one matrix for both ends (Press and Wolf, 2017): fewer parameters, but it serves two masters
            self.wte.weight = self.lm_head.weight
        if config.zero_init:  # blocks that begin by adding nothing (Zhang et al., 2019, Fixup; muP)
            for block in self.blocks:
                nn.init.zeros_(block.attn.c_proj.weight)
                nn.init.zeros_(block.mlp.c_proj.weight)
            if not config.tied:
                nn.init.zeros_(self.lm_head.weight)

    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        T = idx.size(1)
        if self.block_size < T:
            raise ValueError(f"a row of {T} tokens is longer than block_size {self.block_size}: crop it to its end")
        logits = self.head(self.vectors(idx))  # (B, T, V)
        return logits, mean_loss(logits, targets)

    def vectors(self, idx: torch.Tensor, cache: Cache | None = None) -> torch.Tensor:
        T = idx.size(1)
        x = self.wte(idx)  # (B, T) -> (B, T, C)
        if self.smear is not None:
            before = F.pad(x[:, :-1], (0, 0, 1, 0))  # (B, T, C): the token before; none before the first
            if cache is not None and cache.start > 0:
                before[:, :1] = self.wte(cache.before())
            x = x + before * self.smear
        if self.wpe is not None:
            x = x + self.wpe(torch.arange(T, device=idx.device) if cache is None else cache.positions)
        turn = self._turn(T, cache) if self.settings.rope else None
        for i, block in enumerate(self.blocks):
            x = block(x, idx, turn, None if cache is None else cache.layers[i])
        return x

    def head(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.lm_head(self.norm(x))  # (B, T, C) -> (B, T, V)
        cap = self.settings.soft_cap
        if cap:  # keeps logits within ±cap (Gemma 2, 2024): no token is ever ruled out by much
            logits = cap * (logits / cap).tanh()
        return logits

    def _turn(self, T: int, cache: Cache | None) -> Rotation:
        if cache is None:
            return self.cos[:T], self.sin[:T]
        pos = cache.positions if cache.positions.dim() == 1 else cache.positions[:, None]  # (T,) or (B, 1, T)
        return self.cos[pos], self.sin[pos]


class Block(nn.Module):
    """Communication, then computation; each adds to the residual stream."""

    def __init__(self, config: ModernConfig) -> None:
        super().__init__()
        self.norm_1, self.attn = normalisation(config), Attention(config)
        self.norm_2, self.mlp = normalisation(config), MLP(config)

    def forward(
        self, x: torch.Tensor, idx: torch.Tensor, turn: Rotation | None, past: Past | None = None
    ) -> torch.Tensor:
        x = x + self.attn(self.norm_1(x), idx, turn, past)
        out: torch.Tensor = x + self.mlp(self.norm_2(x))
        return out


Rotation = tuple[torch.Tensor, torch.Tensor]  # cos and sin (T, hs), or (B, 1, T, hs)


class Attention(nn.Module):
    """softmax(q kᵀ / sqrt(hs)) v over the present and earlier positions, in heads of size hs = C / nh.

    Grouped queries (Ainslie et al., 2023): with n_kv_head < n_head, several query heads share one head of keys and
    values. Keys and values are what generation has to keep, so this makes that smaller.
    """

    def __init__(self, config: ModernConfig) -> None:
        super().__init__()
        self.n_head, self.n_kv_head = config.n_head, config.n_kv_head or config.n_head
        self.head_size = config.n_embd // config.n_head
        self.qk_norm, self.dropout = config.qk_norm, config.dropout
        self.c_attn = nn.Linear(config.n_embd, (self.n_head + 2 * self.n_kv_head) * self.head_size, bias=False)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=False)
        self.resid_dropout = nn.Dropout(config.dropout)
        # Value embeddings (Zhou et al., 2024, and the speedrun): what a token is, as part of its value in every block.
        width = self.n_kv_head * self.head_size
        self.value_embedding = nn.Embedding(config.vocab_size, width) if config.value_embeddings else None

    def forward(
        self, x: torch.Tensor, idx: torch.Tensor, turn: Rotation | None, past: Past | None = None
    ) -> torch.Tensor:
        B, T, C = x.size()
        nq, nkv, hs = self.n_head, self.n_kv_head, self.head_size
        qk, v = self.c_attn(x).split([(nq + nkv) * hs, nkv * hs], dim=2)
        if self.value_embedding is not None:
            v = v + self.value_embedding(idx)  # (B, T, nkv*hs)
        v = v.view(B, T, nkv, hs).transpose(1, 2)  # (B, nkv, T, hs)
        qk = qk.view(B, T, nq + nkv, hs).transpose(1, 2)  # (B, nq+nkv, T, hs): queries and keys, treated alike
        if self.qk_norm:  # queries and keys of one length (Henry et al., 2020): scores cannot grow without bound
            qk = F.rms_norm(qk, (hs,))
        if turn is not None:
            qk = rotate(qk, *turn)
        q, k = qk[:, :nq], qk[:, nq:]
        dropout, mask, causal = self.dropout if self.training else 0.0, None, True
        if past is not None:
            k, v, mask, causal = past.append(k, v)  # those of the tokens before, too
        y = F.scaled_dot_product_attention(q, k, v, mask, dropout, causal, enable_gqa=nkv < nq)  # (B, nq, T, hs)
        y = y.transpose(1, 2).contiguous().view(B, T, C)  # (B, nq, T, hs) -> the heads side by side again
        out: torch.Tensor = self.resid_dropout(self.c_proj(y))
        return out


class MLP(nn.Module):
    """Wider inside than outside, with 8 C² weights whatever the activation.

    relu2: relu(x)² (So et al., 2021, Primer); swiglu: silu(gate) * x (Shazeer, 2020); gelu: GPT-2's.
    """

    def __init__(self, config: ModernConfig) -> None:
        super().__init__()
        self.kind = config.mlp
        hidden = config.hidden
        self.c_fc = nn.Linear(config.n_embd, 2 * hidden if self.kind == "swiglu" else hidden, bias=False)
        self.act = {"relu2": nn.ReLU(), "swiglu": nn.SiLU(), "gelu": nn.GELU(approximate="tanh")}[self.kind]
        self.c_proj = nn.Linear(hidden, config.n_embd, bias=False)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.c_fc(x)  # (B, T, C) -> (B, T, 4C)
        if self.kind == "swiglu":
            gate, x = x.chunk(2, dim=2)
            x = self.act(gate) * x
        else:
            x = self.act(x).square() if self.kind == "relu2" else self.act(x)
        out: torch.Tensor = self.dropout(self.c_proj(x))  # (B, T, 4C) -> (B, T, C)
        return out


def normalisation(config: ModernConfig) -> nn.Module:
    """RMSNorm (Zhang and Sennrich, 2019) without a gain: the matrix that follows can learn it. Or GPT-2's LayerNorm."""
    if config.rms_norm:
        return nn.RMSNorm(config.n_embd, elementwise_affine=False)
    return nn.LayerNorm(config.n_embd, bias=False)


def rotation(block_size: int, head_size: int) -> Rotation:
    """cos and sin (T, hs) of the angles position * base^(-2i / hs) for the pairs i of a head; sin with the sign that
    `rotate` needs."""
    frequency = ROPE_BASE ** (-torch.arange(head_size // 2, dtype=torch.float32) / (head_size // 2))  # (hs / 2,)
    angle = torch.arange(block_size, dtype=torch.float32)[:, None] * frequency  # (T, hs / 2)
    return torch.cat([angle.cos(), angle.cos()], dim=1), torch.cat([-angle.sin(), angle.sin()], dim=1)


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary positions (Su et al., 2021, RoPE): (..., T, hs), where number i and number i + hs/2 of a head are a point
    in the plane, turned by an angle that grows with the position.

    The product of a query and a key then depends on their distance only, and no position has to be learned.
    """
    return x * cos + x.roll(x.size(-1) // 2, -1) * sin
