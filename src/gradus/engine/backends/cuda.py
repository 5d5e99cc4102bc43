"""`torch.backends.cuda`: settings for GPUs, kept and not used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Matmul:
    """How a GPU would multiply matrices."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True


matmul = _Matmul()

_attention = {"flash": True, "mem_efficient": True, "math": True}


def is_built() -> bool:
    return False


def enable_flash_sdp(enabled: bool) -> None:
    _attention["flash"] = enabled


def enable_mem_efficient_sdp(enabled: bool) -> None:
    _attention["mem_efficient"] = enabled


def enable_math_sdp(enabled: bool) -> None:
    _attention["math"] = enabled


def flash_sdp_enabled() -> bool:
    return _attention["flash"]


def mem_efficient_sdp_enabled() -> bool:
    return _attention["mem_efficient"]


def math_sdp_enabled() -> bool:
    return _attention["math"]


@contextmanager
def sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, **_: Any
) -> Iterator[None]:
    """Choose a GPU's way to attention within a `with` block."""
    before = dict(_attention)
    _attention.update(flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient)
    try:
        yield
    finally:
        _attention.update(before)
