"""`torch.backends.mkldnn`: Intel's neural network library, which this engine does not call."""

from __future__ import annotations


def is_available() -> bool:
    return False


enabled = True
