"""`torch.backends.cpu`: what the processor can do, as far as it matters here."""

from __future__ import annotations


def get_cpu_capability() -> str:
    """DEFAULT: NumPy and the compiled kernels choose instructions themselves."""
    return "DEFAULT"
