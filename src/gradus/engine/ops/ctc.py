"""Connectionist temporal classification: how likely a labelling is, over all ways to stretch it in time."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array


class CtcLoss(Function):
    """y = -log Σ over paths π that come to the target of Π_t p[t, π_t]     (Graves et al., 2006)

    x (T, N, C) log probabilities; with α, β the log sums over beginnings and ends of paths through target symbol s,
    d log p[t, c] = (eˣ[t, c] - Σ_{s is c} e^(α[t, s] + β[t, s] + y - x[t, c])) dy, which is that of a log softmax.
    """

    def forward(self, x: Array, targets: list[Array], times: list[int], blank: int, forgive: bool) -> Array:
        self.x, self.times, self.forgive = x, times, forgive
        self.labels, self.paths = [], []
        losses = np.empty(x.shape[1], x.dtype)
        with np.errstate(all="ignore"):
            for n, target in enumerate(targets):
                labels = np.full(2 * len(target) + 1, blank)
                labels[1::2] = target
                seen = x[: times[n], n][:, labels].astype(np.float64)  # (T, S)
                begun = _sums(seen, labels)
                losses[n] = -_log_sum(begun[-1, -2:]) if times[n] else (0 if not len(target) else np.inf)
                self.labels.append(labels)
                self.paths.append(begun)
        self.losses = losses
        return np.where(np.isinf(losses), 0, losses) if forgive else losses.copy()

    def backward(self, dy: Array) -> Any:
        dx = np.zeros_like(self.x)
        with np.errstate(all="ignore"):
            for n, (labels, begun) in enumerate(zip(self.labels, self.paths, strict=True)):
                if not len(begun) or (self.forgive and np.isinf(self.losses[n])):
                    continue
                x = self.x[: self.times[n], n]
                seen = x[:, labels].astype(np.float64)
                ended = _sums(seen[::-1, ::-1], labels[::-1])[::-1, ::-1]
                shares = np.exp(begun + ended - seen + self.losses[n])  # α and β both count x[t]
                passed = np.exp(x)
                for s, label in enumerate(labels):
                    passed[:, label] -= shares[:, s]
                dx[: self.times[n], n] = passed * dy[n]
        return dx


def _sums(seen: Array, labels: Array) -> Array:
    """log Σ over the ways to symbol s at time t, each time's symbol counted: a symbol follows itself, the one before it
    or, past a blank, another one two before it.    (T, S)
    """
    total = np.full(seen.shape, -np.inf, seen.dtype)
    total[:1, :2] = seen[:1, :2]
    skips = np.zeros(len(labels), bool)
    skips[2:] = labels[2:] != labels[:-2]
    for t in range(1, len(seen)):
        before = total[t - 1]
        ways = np.full((3, len(labels)), -np.inf, seen.dtype)
        ways[0], ways[1, 1:] = before, before[:-1]
        ways[2, 2:] = np.where(skips[2:], before[:-2], -np.inf)
        total[t] = _log_sum(ways) + seen[t]
    return total


def _log_sum(x: Array) -> Any:
    return np.logaddexp.reduce(x, 0)
