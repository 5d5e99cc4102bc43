"""`torch.backends.cpu`: the processor's capability."""

from __future__ import annotations


def get_cpu_capability() -> str:
    """DEFAULT: NumPy and the compiled kernels choose instructions themselves."""
    return "DEFAULT"
