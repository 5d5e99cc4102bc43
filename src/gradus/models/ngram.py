"""The n-gram model: counting what follows what (Shannon, 1948), smoothed.

    additive:    p(w | context) = (count(context, w) + s) / (count(context) + s V)
    Kneser-Ney:  `gradus.models.kneser_ney`, where a context that was seldom seen leans on the shorter ones inside it

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
from gradus.models import packing, trie
from gradus.models.base import NOT_SCORED, LanguageModel
from gradus.models.config import NGramConfig
from gradus.models.kneser_ney import KneserNey, Predictions, modified_discounts

Ints = NDArray[np.int64]

_MOST_PENDING = 1 << 22  # windows that wait, of mostly 8 bytes each; merging them costs a pass over the table


class NGram(LanguageModel):
    """Counts of the windows of `order` tokens, in the buffers windows and counts, see `gradus.models.packing`.

    The logits are log probabilities in float64, hence the loss is exact; with additive smoothing of 0 they are -inf for
    what was never seen.

    >>> model = build_model("ngram", vocab_size=3, block_size=8, order=2, method="additive", smoothing=1.0)
    >>> model.count(np.array([[0, 1, 0]]), np.array([[1, 0, 1]]))  # after 0 twice a 1, after 1 once a 0
    >>> model(torch.tensor([[0, 1]]))[0].exp()
    tensor([[[0.2000, 0.6000, 0.2000],
             [0.5000, 0.2500, 0.2500]]], dtype=torch.float64)
    """

    windows: torch.Tensor  # (K, W) the distinct windows: a context from its newest token to its oldest, what followed
    counts: torch.Tensor  # (K,)

    def __init__(self, config: NGramConfig) -> None:
        super().__init__(config, context=config.order - 1)
        self.vocab_size = config.vocab_size
        self.settings = config
        words = packing.number_of_words(config.order, config.vocab_size)
        self.register_buffer("windows", torch.zeros((0, words), dtype=torch.long))
        self.register_buffer("counts", torch.zeros((0,), dtype=torch.long))
        self._pending: list[Ints] = []  # windows (N, W) that are counted, but not yet merged into the buffers
        self._predictor: KneserNey | Additive | None = None  # made of the buffers when it is first needed
        self.register_load_state_dict_pre_hook(_make_room)

    def count(self, x: Ints, y: Ints) -> None:
        """Add the rows x (B, T) with targets y (B, T) to the counts; where y is -1 nothing is counted."""
        scored = y != NOT_SCORED
        self._check_tokens(x)
        self._check_tokens(y[scored])
        self._pending.append(packing.pack([*self._contexts(x), y], self.vocab_size)[scored])
        if sum(map(len, self._pending)) > _MOST_PENDING:
            self._merge()

    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        x: Ints = idx.cpu().numpy()
        found = self.predict(x)
        with np.errstate(divide="ignore"):
            log_p = np.log(found.p)  # (U, V), once for each different context
        logits = torch.from_numpy(log_p[found.place].reshape(*x.shape, self.vocab_size)).to(idx.device)  # (B, T, V)
        if targets is None:
            return logits, None
        y: Ints = targets.cpu().numpy().reshape(-1)
        scored = y != NOT_SCORED
        nats = -log_p[found.place[scored], y[scored]]
        mean = nats.mean() if len(nats) else float("nan")  # the mean of nothing, as cross_entropy has it
        return logits, torch.tensor(mean, dtype=torch.float64, device=idx.device)

    def predict(self, x: Ints, *, before: int | Ints = 0) -> Predictions:
        """What the counts say of the token after each position of the rows x (B, T).

        Args:
            before: the token that precedes all rows, or each, (B, 1); -1 says that it is not known, so that the first
                contexts are shorter.
        """
        self._check_tokens(x)
        contexts = [column.reshape(-1) for column in self._contexts(x, before)]
        return self.predictor.predict(contexts, x.size)

    def num_parameters(self) -> int:
        """How many counts are stored: the cells (context, next token) that were seen."""
        self._merge()
        return len(self.counts)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """The buffers, with everything that was counted in them."""
        self._merge()
        return super().state_dict(*args, **kwargs)

    def _contexts(self, x: Ints, before: int | Ints = 0) -> list[Ints]:
        """(B, T) -> what each position sees, from its newest token to its oldest: `context` columns, each (B, T)."""
        T, longest = x.shape[1], self.context
        padded = np.concatenate([np.broadcast_to(before, (len(x), max(longest - 1, 0))), x], axis=1)
        return [padded[:, longest - 1 - back :][:, :T] for back in range(longest)]

    def _check_tokens(self, tokens: Ints) -> None:
        if tokens.size and not (tokens.min() >= 0 and tokens.max() < self.vocab_size):
            raise IndexError(f"tokens must be 0 to {self.vocab_size - 1}, got {tokens.min()} to {tokens.max()}")

    def _merge(self) -> None:
        """Put the windows that wait into the table."""
        if not self._pending:
            return
        new = packing.tally(np.concatenate(self._pending))
        self._pending, self._predictor = [], None
        table = packing.merge((self.windows.cpu().numpy(), self.counts.cpu().numpy()), new)
        device = self.counts.device
        self.windows, self.counts = (torch.from_numpy(array).to(device) for array in table)

    @property
    def predictor(self) -> KneserNey | Additive:
        """The counts as they are asked: a tree of contexts, with what follows each."""
        self._merge()
        if self._predictor is None:
            config, V = self.settings, self.vocab_size
            columns = packing.unpack(self.windows.cpu().numpy(), config.order, V)
            counts = self.counts.cpu().numpy()
            if config.method == "additive":
                self._predictor = Additive(columns, counts, V, config.smoothing)
            else:
                one = (config.discount,) * 3
                discounts = modified_discounts if config.method == "modified-kneser-ney" else lambda _: one
                self._predictor = KneserNey(columns, counts, V, discounts)
        return self._predictor


def _make_room(model: NGram, state_dict: Any, prefix: str, *_: Any) -> None:
    """Before counts are loaded: the buffers become as long as the saved ones, and what was counted is forgotten."""
    model._pending, model._predictor = [], None
    size = len(state_dict.get(f"{prefix}counts", ()))
    for name, buffer in list(model.named_buffers()):
        setattr(model, name, torch.zeros((size, *buffer.shape[1:]), dtype=torch.long, device=buffer.device))


class Additive:
    """The probabilities of additive smoothing; arguments and answers are those of `KneserNey`. A context that was never
    seen, unsmoothed, gives nothing any probability."""

    def __init__(self, columns: list[Ints], counts: Ints, vocab_size: int, smoothing: float) -> None:
        *self.contexts, self.cells = trie.build(columns, vocab_size)
        self.counts, self.vocab_size, self.smoothing = counts, vocab_size, smoothing

    def predict(self, contexts: list[Ints], size: int) -> Predictions:
        V = self.vocab_size
        path = [np.zeros(size, dtype=np.int64), *trie.walk(self.contexts, contexts, V)]
        nodes, place = np.unique(path[-1], return_inverse=True)
        seen = np.flatnonzero(nodes >= 0)
        row, cell = trie.children(self.cells, nodes[seen], V)
        counts = np.zeros((len(nodes), V))
        counts[seen[row], self.cells[cell] % V] = self.counts[cell]
        total = counts.sum(axis=1)
        whole = total + self.smoothing * V
        p = (counts + self.smoothing) / np.where(whole > 0, whole, 1.0)[:, None]
        length = np.where(nodes >= 0, len(contexts), 0)
        return Predictions(p, length, total.astype(np.int64), place)
