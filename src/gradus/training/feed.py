"""From batches to the device: this process's rows of each batch of a step, and their share in the step's loss. For a
GPU they are made one step ahead, in a thread, while it computes, and copied from pinned memory."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from gradus.backend import torch, world_size
from gradus.models import LanguageModel
from gradus.training import distributed

Arrays = tuple[npt.NDArray[Any], npt.NDArray[Any]]
Part = tuple[torch.Tensor, torch.Tensor, int]  # x, y, and how many of the targets are scored


class BatchSource(Protocol):
    """Gives batches: inputs (B, T) and targets, int64, as the model takes them; they depend on the number of the batch
    only. Of its rows only those that are asked for are made."""

    @property
    def steps_per_epoch(self) -> int: ...

    def batch(self, step: int, rows: slice = ..., /) -> Arrays: ...


class MicroBatch(NamedTuple):
    """Some rows of a step, on the device.

    Attributes:
        share: what to multiply their mean loss with, so that the sum over a step is the mean over all its tokens; of
            several processes, the mean of their sums.
        last: whether the step has no more of them.
    """

    x: torch.Tensor
    y: torch.Tensor
    share: float
    last: bool


class Feed:
    """The batches of each step, `number` of them, as `device` takes them (None: the CPU)."""

    def __init__(self, model: LanguageModel, batches: BatchSource, number: int, device: Any = None) -> None:
        self.model, self.batches, self.number = model, batches, number
        self.device = None if device is None or device.type == "cpu" else device
        self.thread = ThreadPoolExecutor(1) if self.device is not None and self.device.type == "cuda" else None
        self.ahead: tuple[int, Future[list[Part]]] | None = None

    def step(self, step: int) -> tuple[list[MicroBatch], int]:
        """What this process computes in a step, and how many targets count in the loss of all processes."""
        parts = self._make(step) if self.thread is None else self._made_ahead(step, self.thread)
        (tokens,) = distributed.total(sum(scored for _, _, scored in parts))
        shares = [scored / tokens * world_size() for _, _, scored in parts]
        whole = zip(parts, shares, strict=True)
        return [MicroBatch(x, y, share, i == self.number) for i, ((x, y, _), share) in enumerate(whole, 1)], int(tokens)

    def _made_ahead(self, step: int, thread: ThreadPoolExecutor) -> list[Part]:
        made, self.ahead = self.ahead, None
        parts = made[1].result() if made is not None and made[0] == step else self._make(step)
        self.ahead = step + 1, thread.submit(self._make, step + 1)
        return parts

    def _make(self, step: int) -> list[Part]:
        return [self._part(step * self.number + i) for i in range(self.number)]

    def _part(self, number: int) -> Part:
        x, y = self.batches.batch(number, distributed.rows())
        scored = self.model.scored(y)
        if not scored and world_size() > 1:  # the others do score something: take part, with a share of 0
            x, y = self.batches.batch(number, slice(1))
            y = np.maximum(y, 0)
        return self._placed(x), self._placed(y), scored

    def _placed(self, array: npt.NDArray[Any]) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        if self.device is None:
            return tensor
        return (tensor.pin_memory() if self.thread is not None else tensor).to(self.device, non_blocking=True)
