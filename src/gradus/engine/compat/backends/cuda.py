"""`torch.backends.cuda`: settings for GPUs, without effect."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradus.engine.compat.absent import refuse


class _Matmul:
    """Settings of matrix multiplication on GPUs."""

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


class SDPBackend(enum.IntEnum):
    """PyTorch's implementations of attention."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(backends: SDPBackend | list[SDPBackend], set_priority: bool = False) -> Iterator[None]:
    """A context manager without effect: the engine has one implementation of attention.

    Raises:
        AssertionError: if backends is not an SDPBackend or a list of them.
    """
    assert isinstance(backends, (list, SDPBackend)), f"backends must be an SDPBackend or a list of them, got {backends}"
    yield


@contextmanager
def sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, **_: Any
) -> Iterator[None]:
    """A context manager that selects a GPU's implementation of attention; without effect."""
    before = dict(_attention)
    _attention.update(flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient)
    try:
        yield
    finally:
        _attention.update(before)


__getattr__ = refuse(__name__)
