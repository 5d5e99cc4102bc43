"""`torch.backends.mps`: Apple's GPUs, which this engine does not use."""

from __future__ import annotations


def is_available() -> bool:
    return False


def is_built() -> bool:
    return False
