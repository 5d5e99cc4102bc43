"""`torch._C`, PyTorch's compiled module: the few settings in it that programs change."""

from __future__ import annotations

from typing import Any

from gradus.engine.compat.absent import refuse
from gradus.engine.random.generator import Generator as Generator

_say_what_is_absent = refuse(__name__)
_OF_THE_JIT = ("_jit_set_", "_jit_override_", "_debug_set_")  # settings of PyTorch's compiler, without effect here


def _log_api_usage_once(event: str) -> None:
    """No effect: API usage is not logged."""


def __getattr__(name: str) -> Any:
    if name.startswith(_OF_THE_JIT):
        return lambda *_: None
    return _say_what_is_absent(name)
