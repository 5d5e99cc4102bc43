"""CUDA, as `torch.cuda` is where there is no GPU: questions are answered with no, and what needs a GPU raises.

`synchronize` returns at once instead: there is nothing to wait for, since every computation is done when it returns.
"""

from __future__ import annotations

import importlib
from typing import Any, NoReturn

from gradus.engine.absent import refuse
from gradus.engine.cuda import amp

__all__ = [
    "amp",
    "current_device",
    "device_count",
    "empty_cache",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "synchronize",
]


_say_what_is_absent = refuse(__name__)


def is_available() -> bool:
    return False


def is_initialized() -> bool:
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    return False


def device_count() -> int:
    return 0


def manual_seed(seed: int) -> None:
    """Nothing: there is no GPU whose generator could be seeded. `torch.manual_seed` seeds the CPU's."""


def manual_seed_all(seed: int) -> None:
    """Nothing, as `manual_seed`."""


def seed() -> None:
    """Nothing, as `manual_seed`."""


def seed_all() -> None:
    """Nothing, as `manual_seed`."""


def synchronize(device: Any = None) -> None:
    """Return at once: nothing is under way."""


def empty_cache() -> None:
    """Nothing: there is no cache."""


def reset_peak_memory_stats(device: Any = None) -> None:
    """Nothing: no GPU's memory is in use."""


def memory_allocated(device: Any = None) -> int:
    return 0


def max_memory_allocated(device: Any = None) -> int:
    return 0


def memory_reserved(device: Any = None) -> int:
    return 0


def max_memory_reserved(device: Any = None) -> int:
    return 0


def set_device(device: Any) -> NoReturn:
    _raise()


def current_device() -> NoReturn:
    _raise()


def get_device_name(device: Any = None) -> NoReturn:
    _raise()


def get_device_capability(device: Any = None) -> NoReturn:
    _raise()


def get_device_properties(device: Any = None) -> NoReturn:
    _raise()


def __getattr__(name: str) -> Any:
    """The tensor types, `torch.cuda.FloatTensor` and the like, which are loaded when a program names one."""
    if name.endswith("Tensor"):
        found = importlib.import_module("gradus.engine.tensor_types").of_module("torch.cuda").get(name)
        if found is not None:
            return found
    return _say_what_is_absent(name)


def _raise() -> NoReturn:
    raise AssertionError("Torch not compiled with CUDA enabled")
