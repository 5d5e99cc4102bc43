"""The Transformer of "Attention Is All You Need" (Vaswani et al., 2017): it reads a source and writes a target.

The encoder turns the source into as many vectors, each of which has seen all others. The decoder writes the target
token by token, as a GPT does, and in every layer looks at the encoder's vectors: there a French word finds the English
one that it says. One matrix serves three times: it embeds source and target, and its rows are what the logits compare
with.

Rows are padded with -1, which no position ever sees: a row has the same logits in any batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from gradus.backend import F, nn, torch
from gradus.models.base import NOT_SCORED, LanguageModel
from gradus.models.config import TransformerConfig
from gradus.models.layers import CachedKeys, DecoderLayer, EncoderLayer, padding_mask, sinusoids


class Transformer(LanguageModel):
    """Encoder, decoder, and one embedding for both and for the output.

    >>> model = Transformer(TransformerConfig(vocab_size=11, block_size=8, n_layer=1, n_head=2, n_embd=16))
    >>> x = torch.tensor([[3, 1, 4, 0], [5, 9, 0, -1]])  # two sources, ended by the separator 0
    >>> y = torch.tensor([[0, 4, 1, 3, 0], [0, 9, 5, 0, -1]])  # their targets, begun and ended by it
    >>> logits, loss = model(x, y)
    >>> logits.shape
    torch.Size([2, 4, 11])
    """

    kinds: ClassVar[tuple[str, ...]] = ("pairs",)
    continues: ClassVar[bool] = False

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config, context=config.block_size)
        C = config.n_embd
        self.label_smoothing = config.label_smoothing
        self.embedding = nn.Embedding(config.vocab_size, C)
        self.scale = math.sqrt(C)
        if config.position_encoding == "learned":
            self.positions = nn.Parameter(torch.empty(config.block_size, C))
        else:
            self.register_buffer("positions", sinusoids(config.block_size, C), persistent=False)
        self.dropout = nn.Dropout(config.dropout)
        sizes = C, config.n_head, 4 * C, config.dropout, config.norm
        self.encoder = nn.ModuleList([EncoderLayer(*sizes) for _ in range(config.n_layer)])
        self.decoder = nn.ModuleList(
            [DecoderLayer(*sizes, cross_attention=config.cross_attention) for _ in range(config.n_layer)]
        )
        pre = config.norm == "pre"  # after layers that end with a norm, no other is needed
        self.encoder_norm, self.decoder_norm = (nn.LayerNorm(C) if pre else nn.Identity() for _ in range(2))
        self._initialise()

    def _initialise(self) -> None:
        for name, parameter in self.named_parameters():
            if name == "embedding.weight":  # times sqrt(C) where it is read: numbers of about 1
                nn.init.normal_(parameter, std=1 / self.scale)
            elif name == "positions":
                nn.init.normal_(parameter, std=math.sqrt(0.5))  # as large as the waves
            elif parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Score every next token of the targets, given the source and the tokens before.

        Args:
            idx: (B, S) int64, sources; -1 after their end.
            targets: (B, T) int64, from their first separator to their last; -1 after it.

        Returns:
            logits (B, T - 1, V) of targets[:, 1:], and their mean negative log-likelihood, in nats. While training, it
            is that of a smoothed target: label_smoothing of its weight is spread over all tokens (Szegedy et al.,
            2016).

        Raises:
            ValueError: without targets, or if a row is longer than block_size.
        """
        if targets is None:
            raise ValueError("the transformer scores targets: model(source, target); to write one, use read")
        memory, mask = self.encode(idx)
        logits = self._decode(targets[:, :-1], memory, mask)
        loss = F.cross_entropy(
            logits.view(-1, logits.size(-1)),
            targets[:, 1:].reshape(-1),
            ignore_index=NOT_SCORED,
            label_smoothing=self.label_smoothing if self.training else 0.0,
        )
        return logits, loss

    def scored(self, targets: Any) -> int:
        """How many tokens of the targets count in the loss: not the separators that they begin with."""
        return super().scored(targets[:, 1:])

    def encode(self, idx: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Sources (B, S) -> what the encoder made of them, (B, S, C), and where they may be seen, (B, 1, 1, S)."""
        x, mask = self._embed(idx), padding_mask(idx)
        for layer in self.encoder:
            x = layer(x, mask)
        return self.encoder_norm(x), mask

    def start(self, idx: torch.Tensor) -> Translation:
        """The state from which `read` begins to write the targets of sources (B, S)."""
        return Translation(*self.encode(idx), length=0, cache={})

    def read(self, idx: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        """What follows in targets that are read piece by piece.

        Args:
            idx: (B, T) int64, the tokens of the targets that are new; the first is the separator. No padding.
            state: from `start`, or from the call before; it stays as it is.

        Returns:
            logits (B, V) of the next token, and the state for the next call.
        """
        if state is None:
            raise ValueError("the transformer writes what a source says: begin with the state of model.start(source)")
        after = replace(state, length=state.length + idx.size(1), cache=dict(state.cache))
        logits = self._decode(idx, state.memory, state.mask, state.length, after.cache)
        return logits[:, -1], after

    def _decode(
        self,
        y: torch.Tensor,
        memory: torch.Tensor,
        mask: torch.Tensor,
        before: int = 0,
        cache: CachedKeys | None = None,
    ) -> torch.Tensor:
        """(B, T) tokens of the targets, with `before` others in the cache -> logits (B, T, V).

        Padding needs no mask here: it comes after all that is scored, and no position sees what comes later.
        """
        x = self._embed(y, before)
        for layer in self.decoder:
            x = layer(x, memory, mask, cache)
        return F.linear(self.decoder_norm(x), self.embedding.weight)  # (B, T, C) -> (B, T, V)

    def _embed(self, idx: torch.Tensor, before: int = 0) -> torch.Tensor:
        end = before + idx.size(1)
        if self.block_size < end:
            raise ValueError(f"a row of {end} tokens is longer than block_size {self.block_size}")
        x = self.embedding(idx.clamp(min=0)) * self.scale + self.positions[before:end]  # (B, T, C) + (T, C)
        out: torch.Tensor = self.dropout(x)
        return out


@dataclass(frozen=True)
class Translation:
    """How far the targets of some sources are written.

    Attributes:
        memory: (B, S, C), what the encoder made of the sources.
        mask: (B, 1, 1, S) bool, where that may be seen.
        length: how many tokens of the targets are read.
        cache: the keys and values of both attentions in every layer.
    """

    memory: torch.Tensor
    mask: torch.Tensor
    length: int
    cache: CachedKeys

    def select(self, rows: torch.Tensor) -> Translation:
        """The state of these rows (int64), in their order; a row may come several times."""
        cache = {attention: (k[rows], v[rows]) for attention, (k, v) in self.cache.items()}
        return Translation(self.memory[rows], self.mask[rows], self.length, cache)
