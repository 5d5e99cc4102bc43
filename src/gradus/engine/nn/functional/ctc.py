"""`ctc_loss`: learning a sequence of labels without being told when each of them occurs."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from gradus.engine.autograd.record import apply
from gradus.engine.functions.checks import floating_only
from gradus.engine.ops.ctc import CtcLoss
from gradus.engine.tensor import Tensor


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log of how likely the targets are, over all ways to place them in time (Graves et al., 2006).

    Args:
        log_probs: (T, N, C), or (T, C), such as log_softmax gives.
        targets: (N, S), or all one after the other; classes other than `blank`.
        input_lengths: (N,) how many of the T times count.
        target_lengths: (N,) how many labels each target has.
        blank: the class of no label.
        reduction: "mean" divides each loss by its number of labels first.
        zero_infinity: a target longer than its time allows has the loss 0 instead of infinity.

    Raises:
        RuntimeError: for lengths that do not fit, and a blank that is no class.
    """
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    floating_only(log_probs, "ctc_loss_cpu")
    batch = log_probs if log_probs.ndim == 3 else log_probs.unsqueeze(1)
    if batch.ndim != 3:
        raise RuntimeError(f"ctc_loss expects log_probs of 2 or 3 dimensions, but got {log_probs.ndim}")
    length, n, classes = batch.shape
    if targets._array.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"targets must be int64 or int32, but got {targets.dtype}")
    if not 0 <= blank < classes:
        raise RuntimeError(f"blank must be in label range, but got {blank} of {classes} classes")
    times, counts = _lengths(input_lengths), _lengths(target_lengths)
    for name, given in (("input_lengths", times), ("target_lengths", counts)):
        if len(given) != n:
            raise RuntimeError(f"{name} must be of size batch_size, but got {len(given)} for {n}")
    if times and not (min(times) >= 0 and max(times) <= length):
        raise RuntimeError(f"Expected input_lengths to have value at most {length}, but got value {max(times)}")
    labels = targets._array
    if labels.ndim == 1 and log_probs.ndim == 3:
        if sum(counts) != len(labels):
            raise RuntimeError(f"Expected tensor to have size {sum(counts)} at dimension 0, but got size {len(labels)}")
        rows = np.split(labels, np.cumsum(counts)[:-1]) if n else []
    else:
        table = labels.reshape(n, -1)
        if counts and max(counts) > table.shape[1]:
            raise RuntimeError(
                f"Expected tensor to have size at least {max(counts)} at dimension 1, but got size {table.shape[1]}"
            )
        rows = [row[:count] for row, count in zip(table, counts, strict=True)]
    losses = cast(Tensor, apply(CtcLoss, batch, targets=rows, times=times, blank=blank, forgive=zero_infinity))
    if reduction == "mean":
        return (losses / Tensor._wrap(np.maximum(counts, 1).astype(losses._array.dtype))).mean()
    if reduction == "sum":
        return losses.sum()
    return losses if log_probs.ndim == 3 else losses.squeeze(0)


def _lengths(given: Any) -> list[int]:
    return [int(n) for n in (given.reshape(-1).tolist() if isinstance(given, Tensor) else given)]
