"""`torch._C`, PyTorch's compiled part: the few switches of it that programs turn."""

from __future__ import annotations

from typing import Any

from gradus.engine.compat.absent import refuse
from gradus.engine.random.generator import Generator as Generator

_say_what_is_absent = refuse(__name__)
_OF_THE_JIT = ("_jit_set_", "_jit_override_", "_debug_set_")  # how PyTorch would compile, which is not done here


def _log_api_usage_once(event: str) -> None:
    """Nothing: nobody counts."""


def __getattr__(name: str) -> Any:
    if name.startswith(_OF_THE_JIT):
        return lambda *_: None
    return _say_what_is_absent(name)
