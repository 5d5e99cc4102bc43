"""Models of a fixed context, which predict each token from a window: the last `context` tokens, and nothing else.

The windows of a row, for context 3 and the row 0 e m m a:

    . . 0    . 0 e    0 e m    e m m    m m a        (what lies before the row, here a dot, is token 0)

Each window is an example by itself, as in makemore's lectures: a model of this kind is a function from (N, context)
tokens to (N, V) logits.
"""

from __future__ import annotations

from gradus.backend import F, torch
from gradus.models.base import NOT_SCORED, LanguageModel, mean_loss


def windows(idx: torch.Tensor, context: int, last: int) -> torch.Tensor:
    """(B, T) -> (B * last, context): for each of the last positions its `context` tokens, its own at the end."""
    before = context - 1 + last - idx.size(1)  # tokens that are missing, or if negative not needed
    row = F.pad(idx, (before, 0)) if before > 0 else idx[:, -before:]
    return row if last == 1 else row.unfold(1, context, 1).flatten(0, 1)


class WindowModel(LanguageModel):
    """A model that says in `score` what follows each of N windows.

    In training, only the windows whose target is scored are computed; the logits of the others are 0. So a batch of
    single positions costs no more than those, and padding has no part in BatchNorm's statistics.
    """

    def score(self, x: torch.Tensor) -> torch.Tensor:
        """Windows (N, context) int64 -> logits (N, V)."""
        raise NotImplementedError

    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        if targets is None or not self.training:
            x = windows(idx, self.context, idx.size(1))  # (B*T, n)
            logits = self.score(x).unflatten(0, idx.shape)  # (B*T, n) -> (B*T, V) -> (B, T, V)
            return logits, mean_loss(logits, targets)

        x = windows(idx, self.context, targets.size(1))  # (B*S, n)
        y = targets.flatten()  # (B*S,)
        if targets.size(1) == 1:
            logits = self.score(x)  # (B, V)
            return logits.view(len(y), 1, -1), F.cross_entropy(logits, y, ignore_index=NOT_SCORED)
        scored = y != NOT_SCORED
        some = self.score(x[scored])  # (N, n) -> (N, V)
        logits = torch.zeros(len(y), some.size(-1), dtype=some.dtype, device=some.device)
        logits[scored] = some
        return logits.unflatten(0, targets.shape), F.cross_entropy(some, y[scored])
