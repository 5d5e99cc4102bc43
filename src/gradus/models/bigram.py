"""The bigram as a network of one layer: the simplest model that learns by gradient descent.

    logits = W[idx] + b

A table W (V, V) holds, in row i, the scores of every token that may follow token i; b (V,) those that every row shares.
It sees what a count of pairs sees, so what it can reach is known beforehand: the first check that the whole machinery
of training works. A look-up is the product of a one-hot vector with the table (makemore's first lecture, where there is
no b). Weight decay pulls W to zero and leaves b alone, so a row that was seldom seen falls back on the frequencies of
the tokens: what smoothing does for counts. Everything later on the ladder only replaces the table by a better function
of a longer context.
"""

from __future__ import annotations

from gradus.backend import nn, torch
from gradus.models.base import LanguageModel, mean_loss
from gradus.models.config import BigramConfig


class Bigram(LanguageModel):
    """One row of logits for each token. All start at zero: every next token is equally likely, and the first loss is
    exactly ln V."""

    def __init__(self, config: BigramConfig) -> None:
        super().__init__(config, context=1)
        self.table = nn.Embedding(config.vocab_size, config.vocab_size)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        nn.init.zeros_(self.table.weight)

    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        logits = self.table(idx) + self.bias  # (B, T) -> (B, T, V)
        return logits, mean_loss(logits, targets)
