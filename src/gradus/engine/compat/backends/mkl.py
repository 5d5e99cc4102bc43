"""`torch.backends.mkl`: Intel's mathematics library, which this engine does not call."""

from __future__ import annotations


def is_available() -> bool:
    return False
