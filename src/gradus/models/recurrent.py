"""Recurrent networks: one vector of state, updated by each token, is all that is remembered of the text before.

    Elman (1990)    h' = tanh(W x + U h + b)
    GRU             h' = (1 - z) n + z h       z says how much is kept, n = tanh(W x + r (U h)) is what is new
                    (Cho et al., 2014)
    LSTM            c' = f c + i g, h' = o tanh(c')       a second state c, that only gates touch: forget f, input i,
                    output o, and g, what is new (Hochreiter and Schmidhuber, 1997)

There is no window: what the state keeps can come from any distance, and a prediction costs the same after any length.
The prices: tokens must be read one after the other, and the gradient passes through every step in between. In Elman's
network it fades on the way; the gates of the other two let it pass.

Over a stream, the state of one window is where the next one starts. The gradient stops there: truncated
backpropagation through time (Williams and Peng, 1990).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradus.backend import nn, torch
from gradus.models.base import LanguageModel, mean_loss
from gradus.models.config import RecurrentConfig

CELLS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class Recurrent(LanguageModel):
    """Embeddings, n_layer recurrent layers, logits.

    With `config.carry`, each call goes on from the `state` in which the call before left the same rows; within
    `inference`, from none at first.
    """

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__(config, context=config.block_size)
        self.carry = config.carry
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        between = config.dropout if config.n_layer > 1 else 0.0
        self.cells = CELLS[config.cell](
            config.n_embd, config.n_hidden, config.n_layer, batch_first=True, dropout=between
        )
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.n_hidden, config.vocab_size)

        nn.init.normal_(self.wte.weight)
        for parameter in self.output.parameters():
            nn.init.normal_(parameter, std=0.01)  # nothing is preferred yet: the first loss is near ln V
        if config.cell == "lstm":  # remember at first (Jozefowicz et al., 2015): a forget gate's bias of 1
            for name, parameter in self.cells.named_parameters():
                if name.startswith("bias_ih"):
                    nn.init.ones_(parameter.detach()[config.n_hidden : 2 * config.n_hidden])

    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        logits, state = self._run(idx, self.state if self.carry else None)
        if self.carry:
            self.state = tuple(part.detach() for part in state)  # the gradient stops here
        return logits, mean_loss(logits, targets)

    def read(self, idx: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        logits, state = self._run(idx, state)  # only what is new is read
        return logits[:, -1], state

    def join(self, states: Sequence[Any]) -> Any:
        return tuple(torch.cat(parts, dim=1) for parts in zip(*states, strict=True))  # (n_layer, B, H)

    def _run(
        self, idx: torch.Tensor, state: tuple[torch.Tensor, ...] | None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """(B, T), and the state (n_layer, B, H), of an LSTM two of them -> logits (B, T, V), and the state after it."""
        one = self.config.cell != "lstm"  # type: ignore[attr-defined]
        given: Any = state[0] if one and state is not None else state
        h, after = self.cells(self.wte(idx), given)  # (B, T, E) -> (B, T, H)
        logits: torch.Tensor = self.output(self.dropout(h))  # (B, T, H) -> (B, T, V)
        return logits, (after,) if one else after
