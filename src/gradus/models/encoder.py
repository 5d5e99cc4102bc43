"""BERT: the Transformer's encoder by itself (Devlin et al., 2019), which reads a text instead of continuing it.

Every position sees all others, before and after. So there is nothing to predict at a position that is seen; instead
some tokens are masked, and the model says what they were. What it has learned of the language by this then serves to
put a label on a text, from far fewer texts than it would need from nothing: only the head is new.

Rows are padded with -1, which no position ever sees.
"""

from __future__ import annotations

from typing import Any, ClassVar

from gradus.backend import F, nn, torch
from gradus.models.base import NOT_SCORED, LanguageModel
from gradus.models.config import EncoderConfig
from gradus.models.layers import EncoderLayer, padding_mask

EPS, STD = 1e-12, 0.02  # BERT's, of its LayerNorms and of its first weights


class Encoder(LanguageModel):
    """Embeddings of tokens, positions and segments; layers; and one of two heads.

    With `n_labels` 0 the masked-token head: `targets` (B, T) are the original tokens where they were masked, else -1,
    and the logits are (B, T, V); while training (N, V), of the N masked positions only. With more, the classifier:
    `targets` (B,) are labels, the logits (B, n_labels). The token `vocab_size` is the mask: it has an embedding and is
    never predicted.

    >>> model = Encoder(EncoderConfig(vocab_size=11, block_size=8, n_layer=1, n_head=2, n_embd=16, n_labels=3))
    >>> texts = torch.tensor([[0, 3, 1, 4, 0], [0, 5, 0, -1, -1]])
    >>> logits, loss = model(texts, torch.tensor([2, 0]))
    >>> logits.shape
    torch.Size([2, 3])
    """

    kinds: ClassVar[tuple[str, ...]] = ("labelled", "documents", "stream")
    continues: ClassVar[bool] = False

    config: EncoderConfig

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config, context=config.block_size)
        C = config.n_embd
        self.pooling = config.pool
        self.embedding = nn.Embedding(config.vocab_size + 1, C)  # the last row is the mask
        self.positions = nn.Embedding(config.block_size, C)
        self.segments = nn.Embedding(config.n_segments, C) if config.n_segments else None
        self.embedding_norm = nn.LayerNorm(C, eps=EPS)
        self.dropout = nn.Dropout(config.dropout)
        sizes = C, config.n_head, config.n_hidden, config.dropout, config.norm
        self.layers = nn.ModuleList([EncoderLayer(*sizes, activation="gelu", eps=EPS) for _ in range(config.n_layer)])
        self.norm = nn.LayerNorm(C, eps=EPS) if config.norm == "pre" else nn.Identity()
        if config.n_labels:
            self.head = nn.Sequential(nn.Linear(C, C), nn.Tanh(), nn.Dropout(config.dropout))
            self.classifier = nn.Linear(C, config.n_labels)
        else:
            self.head = nn.Sequential(nn.Linear(C, C), nn.GELU(), nn.LayerNorm(C, eps=EPS))
            self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=STD)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None, segments: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Say what the masked tokens were, or which label a text has.

        Args:
            idx: (B, T) int64; -1 after the end of a text.
            targets: (B, T), -1 where nothing was masked; or labels (B,). None for no loss.
            segments: (B, T) int64, to which part of the input a token belongs; None means all to the first.
        """
        h = self.hidden(idx, segments)  # (B, T, C)
        if hasattr(self, "classifier"):
            logits = self.classifier(self.head(self.pool(h, idx)))  # (B, C) -> (B, n_labels)
            return logits, None if targets is None else F.cross_entropy(logits, targets)
        if targets is not None and self.training:  # the head of a large vocabulary costs as much as the layers
            h, targets = h[targets != NOT_SCORED], targets[targets != NOT_SCORED]  # (N, C), (N,)
        V = self.config.vocab_size
        logits = F.linear(self.head(h), self.embedding.weight[:V], self.bias)  # (B, T, C) -> (B, T, V)
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(-1, V), targets.view(-1), ignore_index=NOT_SCORED)

    def hidden(self, idx: torch.Tensor, segments: torch.Tensor | None = None) -> torch.Tensor:
        """(B, T) -> what the last layer made of every position, (B, T, C)."""
        T = idx.size(1)
        if self.block_size < T:
            raise ValueError(f"a row of {T} tokens is longer than block_size {self.block_size}")
        x = self.embedding(idx.clamp(min=0)) + self.positions.weight[:T]  # (B, T, C) + (T, C)
        if self.segments is not None:
            x = x + self.segments(torch.zeros_like(idx) if segments is None else segments)
        elif segments is not None:
            raise ValueError("this encoder has no segments: its n_segments is 0")
        x, mask = self.dropout(self.embedding_norm(x)), padding_mask(idx)
        for layer in self.layers:
            x = layer(x, mask)
        out: torch.Tensor = self.norm(x)
        return out

    def pool(self, h: torch.Tensor, idx: torch.Tensor) -> torch.Tensor:
        """One vector a text, (B, T, C) -> (B, C): its first position, or the mean of those that are no padding."""
        if self.pooling == "first":
            return h[:, 0]
        return mean_of_positions(h, idx)

    def read(self, idx: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:  # noqa: ARG002
        raise ValueError("an encoder reads whole texts and does not continue them")


def mean_of_positions(h: torch.Tensor, idx: torch.Tensor) -> torch.Tensor:
    """The mean of vectors (B, T, C) over the positions of idx (B, T) that are not -1: (B, C)."""
    seen = (idx >= 0).to(h.dtype).unsqueeze(2)  # (B, T, 1)
    return (h * seen).sum(dim=1) / seen.sum(dim=1)
