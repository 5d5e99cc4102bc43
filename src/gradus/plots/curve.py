"""What a loss curve is, apart from how it is drawn: the figures, the page and the climb all pass this one object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class LossCurve:
    """The losses of one training run against the seconds it had been training. Losses are in nats per token.

    Raises:
        ValueError: if seconds and losses differ in length, or seconds go backwards.
    """

    label: str
    seconds: tuple[float, ...]  # when each training loss was measured
    train: tuple[float, ...]
    dev_seconds: tuple[float, ...] = ()  # when the whole dev split was scored
    dev: tuple[float, ...] = ()

    def __repr__(self) -> str:
        last = f", the last {self.dev[-1]:.4f}" if self.dev else ""
        return f"LossCurve({self.label!r}: {len(self.train):,} training losses, {len(self.dev):,} dev losses{last})"

    def __post_init__(self) -> None:
        for what, seconds, losses in (("train", self.seconds, self.train), ("dev", self.dev_seconds, self.dev)):
            if len(seconds) != len(losses):
                raise ValueError(f"{self.label}: {len(seconds)} times for {len(losses)} {what} losses")
            if any(later < earlier for earlier, later in pairwise(seconds)):
                raise ValueError(f"{self.label}: the times of the {what} losses go backwards")

    @classmethod
    def of(cls, metrics: Iterable[Mapping[str, float]], label: str) -> LossCurve:
        """The curve in the measurements of a run, as its metrics.jsonl has them."""
        lines = list(metrics)
        parts = [
            tuple(float(line[what]) for line in lines if loss in line)
            for loss in ("train_loss", "dev_loss")
            for what in ("seconds", loss)
        ]
        return cls(label, *parts)

    def smoothed(self, weight: float = 0.9) -> tuple[float, ...]:
        """The training losses as a running mean that forgets, corrected for its start (Adam's bias correction).

        weight 0 changes nothing; 0.9 averages over about the last ten points.
        """
        if not 0 <= weight < 1:
            raise ValueError(f"weight must be at least 0 and less than 1, got {weight}")
        mean, total, out = 0.0, 0.0, []
        for loss in self.train:
            mean = weight * mean + (1 - weight) * loss
            total = weight * total + (1 - weight)
            out.append(mean / total)
        return tuple(out)
