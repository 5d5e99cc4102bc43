"""The neural probabilistic language model of Bengio, Ducharme, Vincent and Jauvin (JMLR, 2003).

    x = [C[w_1], ..., C[w_n]]           the embeddings of the n previous tokens, side by side
    logits = b + U tanh(d + H x) + W x  (W, the direct connections, is optional)
           = b + [U, W] [tanh(d + H x), x]     one product, not two sums as long as the vocabulary

The paper's idea, and what every later model keeps: give each token a learned vector. Tokens used alike come to lie
near each other, so what is learned of one context serves for the contexts like it; a table of counts must have seen
each by itself. The price is a context of fixed length, every place in which has weights of its own.
"""

from __future__ import annotations

import math

from gradus.backend import nn, torch
from gradus.models.config import NPLMConfig
from gradus.models.windows import WindowModel


class NPLM(WindowModel):
    """Embeddings of a fixed context, a tanh layer, logits; with C, H and [U, W] as in the paper.

    The embeddings start as N(0, 1). The tanh layer keeps that scale: its weights have the standard deviation (5/3) /
    sqrt(fan-in), where 5/3 makes up for what tanh squashes (He et al., 2015, as makemore's third lecture applies it).
    The output layer starts near zero, so that nothing is preferred yet and the first loss is close to ln V.
    """

    def __init__(self, config: NPLMConfig) -> None:
        super().__init__(config, context=config.context)
        width = config.context * config.n_embd
        self.direct = config.direct
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.hidden = nn.Linear(width, config.n_hidden) if config.n_hidden else None
        self.tanh = nn.Tanh()
        self.output = nn.Linear(config.n_hidden + (width if config.direct else 0), config.vocab_size)

        nn.init.normal_(self.wte.weight, mean=0.0, std=1.0)
        if self.hidden is not None:
            _init_linear(self.hidden, (5 / 3) / math.sqrt(width))
        _init_linear(self.output, 0.01)

    def score(self, x: torch.Tensor) -> torch.Tensor:
        x = self.wte(x).view(len(x), -1)  # (N, n) -> (N, n, E) -> (N, n*E): each window, oldest token first
        seen = [x] if self.direct else []
        if self.hidden is not None:
            seen = [self.tanh(self.hidden(x)), *seen]  # (N, H), and (N, n*E) with direct connections
        logits: torch.Tensor = self.output(torch.cat(seen, dim=1) if len(seen) > 1 else seen[0])  # (N, V)
        return logits


def _init_linear(layer: nn.Linear, std: float) -> None:
    nn.init.normal_(layer.weight, mean=0.0, std=std)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
