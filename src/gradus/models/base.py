"""The one contract of every language model, counting ones too, familiar from nanoGPT and makemore.

    logits, loss = model(idx, targets=None)

`idx` (B, T) int64 are rows of tokens; `logits` (B, T, V) are, at every position, the scores of what comes next given
the tokens up to and including that position; `loss` is the mean negative log-likelihood, in nats, of the
`targets` (B, T) that are not -1. A model that learns by gradient descent also takes targets (B, S), S < T: those of the
last S positions. So one trainer, one evaluator, one generator and one table serve all models.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from gradus.backend import F, nn, torch
from gradus.models.config import ModelConfig

NOT_SCORED = -1  # the target of a position that is padding, or that another row scores


class LanguageModel(nn.Module):
    """A model that maps rows of tokens to the scores of each next token.

    Attributes:
        kinds: of which kinds of text it is a model.
        continues: whether it predicts the next token, so that it can be given a beginning and continues it.
        config: the settings it was built from.
        block_size: the longest row it is given.
        context: how many tokens, the current one included, a prediction can see. A model whose context is shorter than
            block_size takes rows of any length; what lies before the start of a row counts as token 0.
        carry: whether a call goes on from the state after the call before, so that windows must come in their order.
        state: what a model with `carry` goes on from; None for a new text, and in all other models.
    """

    kinds: ClassVar[tuple[str, ...]] = ("documents", "stream")
    continues: ClassVar[bool] = True
    config: ModelConfig
    block_size: int
    context: int
    carry: bool = False
    state: tuple[torch.Tensor, ...] | None = None

    def __init__(self, config: ModelConfig, *, context: int) -> None:
        super().__init__()
        self.config = config
        self.block_size = config.block_size
        self.context = context

    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(B, T) int64, and targets of the last positions or None -> logits (B, T, V), and the loss or None."""
        raise NotImplementedError

    def read(self, idx: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        """What follows rows of tokens that are read piece by piece.

        Args:
            idx: (B, T) int64, T at least 1: the tokens that are new.
            state: what the call before returned, which may be changed; None at the beginning.

        Returns:
            logits (B, V) of the next token, and the state for the next call: here the tokens of each row that the model
            can see.
        """
        rows = self.seen(idx, state)
        if len({len(row) for row in rows}) == 1:
            return self(torch.stack(rows))[0][:, -1], rows
        return torch.cat([self(row[None])[0][:, -1] for row in rows]), rows

    def read_rows(self, rows: Sequence[torch.Tensor]) -> tuple[torch.Tensor, Any]:
        """What `read` returns at the beginning, for rows (T,) that may differ in length."""
        if len({len(row) for row in rows}) == 1:
            return self.read(torch.stack(list(rows)))
        logits, states = zip(*(self.read(row[None]) for row in rows), strict=True)
        return torch.cat(logits), self.join(states)

    def join(self, states: Sequence[Any]) -> Any:
        """The state of all rows together, from those of each."""
        return [row for state in states for row in state]

    def seen(self, idx: torch.Tensor, rows: Sequence[torch.Tensor] | None) -> list[torch.Tensor]:
        """Of rows and the tokens (B, T) that follow them, what the model can see."""
        longest = min(self.block_size, max(1, self.context))
        whole = [new if rows is None else torch.cat([rows[i], new]) for i, new in enumerate(idx)]
        return [row[-longest:] for row in whole]

    def scored(self, targets: Any) -> int:
        """How many of the targets, an array or a tensor, count in the loss."""
        return int((targets != NOT_SCORED).sum())

    def num_parameters(self) -> int:
        """The number of parameters; a tied weight counts once."""
        return sum(parameter.numel() for parameter in self.parameters())


def mean_loss(logits: torch.Tensor, targets: torch.Tensor | None) -> torch.Tensor | None:
    """Cross-entropy of logits (B, T, V) against the targets (B, S) of the last S positions that are not -1, in nats;
    None without targets."""
    if targets is None:
        return None
    if targets.size(1) < logits.size(1):
        logits = logits[:, -targets.size(1) :].contiguous()
    return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=NOT_SCORED)


def rows_at_once(vocab_size: int, block_size: int) -> int:
    """How many rows are scored at a time: 64, or so few that their logits are at most 2^27 numbers, half a gigabyte."""
    return max(1, min(64, 2**27 // (vocab_size * block_size)))


def device_of(model: nn.Module) -> torch.device | str:
    """Where the model's parameters are, and where its rows should therefore be."""
    parameter = next(iter(model.parameters()), None)
    return "cpu" if parameter is None else parameter.device


@contextmanager
def inference(model: nn.Module) -> Iterator[None]:
    """Within it, the model is in eval mode, gradients are off, and a model that carries a state begins without one;
    afterwards every module is in the mode and the state it was in."""
    modes = [(module, module.training) for module in model.modules()]
    state = model.state if isinstance(model, LanguageModel) else None
    if state is not None:
        model.state = None
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode
        if isinstance(model, LanguageModel):
            model.state = state
