"""The n-gram model: counting what follows what (Shannon, 1948), with additive smoothing.

    p(w | context) = (count(context, w) + s) / (count(context) + s V)

Nothing is learned by gradient: counts are the maximum-likelihood answer for a table, found in one pass. It is the
baseline that every network has to beat, and a strong one. What it teaches is why networks are needed: the table grows
with V^order, most of its cells stay empty, and what was counted in one context says nothing about the contexts
like it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.backend import torch
from gradus.models import trie
from gradus.models.base import NOT_SCORED, LanguageModel
from gradus.models.config import NGramConfig

Ints = NDArray[np.int64]

_MOST_PENDING = 1 << 20  # merge counted windows into the table at the latest when so many wait: rebuilding costs a sort


class NGram(LanguageModel):
    """Counts of the windows of `order` tokens, in the buffers level0, level1 ... counts, see `gradus.models.trie`.

    The logits are log probabilities in float64, hence the loss is exact; with smoothing 0 they are -inf for what was
    never seen.
    """

    counts: torch.Tensor

    def __init__(self, config: NGramConfig) -> None:
        super().__init__(config, context=config.order - 1)
        self.vocab_size = config.vocab_size
        self.order = config.order
        self.smoothing = config.smoothing
        for level in range(config.order):
            self.register_buffer(f"level{level}", torch.zeros((0,), dtype=torch.long))
        self.register_buffer("counts", torch.zeros((0,), dtype=torch.long))
        self._pending: list[Ints] = []  # windows (N, order) that are counted, but not yet merged into the buffers

    def count(self, x: Ints, y: Ints) -> None:
        """Add the rows x (B, T) with targets y (B, T) to the counts; where y is -1 nothing is counted."""
        scored = y != NOT_SCORED
        windows = np.concatenate([self._contexts(x), y[..., None]], axis=2)[scored]  # (N, order)
        self._check_tokens(windows)
        self._pending.append(windows)
        if sum(map(len, self._pending)) > max(_MOST_PENDING, len(self.counts)):
            self._merge()

    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        x: Ints = idx.cpu().numpy()
        self._check_tokens(x)
        self._merge()
        levels, counts = self._arrays()
        nodes = trie.find(levels[:-1], self._contexts(x).reshape(x.size, self.context), self.vocab_size)  # (B*T,)
        nodes, place = np.unique(nodes, return_inverse=True)  # work once for each different context
        log_p = _log_probabilities(trie.rows(levels[-1], counts, nodes, self.vocab_size), self.smoothing)
        logits = torch.from_numpy(log_p[place].reshape(*x.shape, self.vocab_size)).to(idx.device)  # (B, T, V)
        if targets is None:
            return logits, None
        y: Ints = targets.cpu().numpy().reshape(-1)
        scored = y != NOT_SCORED
        nats = -log_p[place[scored], y[scored]]
        mean = nats.mean() if len(nats) else float("nan")  # the mean of nothing, as cross_entropy has it
        return logits, torch.tensor(mean, dtype=torch.float64, device=idx.device)

    def num_parameters(self) -> int:
        """How many counts are stored: the cells (context, next token) that were seen."""
        self._merge()
        return len(self.counts)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """The buffers, with everything that was counted in them."""
        self._merge()
        return super().state_dict(*args, **kwargs)

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        """Take over saved counts; the buffers become as long as the saved ones."""
        self._pending = []
        for name, buffer in list(self.named_buffers()):
            if name in state_dict:
                setattr(self, name, torch.zeros(tuple(state_dict[name].shape), dtype=torch.long, device=buffer.device))
        return super().load_state_dict(state_dict, *args, **kwargs)

    def _contexts(self, x: Ints) -> Ints:
        """(B, T) -> (B, T, order - 1): what each position sees, oldest first; token 0 before the row's start."""
        if self.context == 0:
            return np.empty((*x.shape, 0), dtype=np.int64)
        padded = np.pad(x, ((0, 0), (self.context - 1, 0)))
        return np.lib.stride_tricks.sliding_window_view(padded, self.context, axis=1)

    def _check_tokens(self, tokens: Ints) -> None:
        if tokens.size and not (tokens.min() >= 0 and tokens.max() < self.vocab_size):
            raise IndexError(f"tokens must be 0 to {self.vocab_size - 1}, got {tokens.min()} to {tokens.max()}")

    def _arrays(self) -> tuple[list[Ints], Ints]:
        """The levels and counts that the buffers hold."""
        levels = [getattr(self, f"level{level}").cpu().numpy() for level in range(self.order)]
        return levels, self.counts.cpu().numpy()

    def _merge(self) -> None:
        """Rebuild the table from its cells and the windows that wait."""
        if not self._pending:
            return
        levels, counts = self._arrays()
        waiting = np.concatenate(self._pending)
        paths = np.concatenate([trie.unroll(levels, self.vocab_size), waiting])
        times = np.concatenate([counts, np.ones(len(waiting), dtype=np.int64)])
        levels, counts = trie.build(paths, times, self.vocab_size)
        device = self.counts.device
        for level, keys in enumerate(levels):
            setattr(self, f"level{level}", torch.from_numpy(keys).to(device))
        self.counts = torch.from_numpy(counts).to(device)
        self._pending = []


def _log_probabilities(counts: NDArray[np.float64], smoothing: float) -> NDArray[np.float64]:
    """Counts (M, V) -> log p (M, V); a context never seen, unsmoothed, gives nothing any probability."""
    counts += smoothing
    total = counts.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        return np.log(counts / np.where(total > 0, total, 1.0))
