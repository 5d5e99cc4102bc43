"""`torch.backends.openmp`: the thread library of PyTorch's kernels, which this engine does not call."""

from __future__ import annotations


def is_available() -> bool:
    return False
