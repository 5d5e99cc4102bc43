"""`torch.cuda` on a machine without GPUs: nothing is available, and functions that need a GPU raise an error.

`synchronize` returns at once instead, since operations are complete when they return.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any, NoReturn

from gradus.engine.compat.absent import refuse
from gradus.engine.compat.cuda import amp
from gradus.engine.compat.runtime import OutOfMemoryError

__all__ = [
    "CUDAGraph",
    "Event",
    "OutOfMemoryError",
    "Stream",
    "amp",
    "current_device",
    "current_stream",
    "default_stream",
    "device",
    "device_count",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "get_rng_state_all",
    "init",
    "initial_seed",
    "ipc_collect",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_cached",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_cached",
    "memory_reserved",
    "memory_stats",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "set_rng_state_all",
    "stream",
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
    """No effect: there is no GPU generator. `torch.manual_seed` seeds the CPU's."""


def manual_seed_all(seed: int) -> None:
    """No effect, as `manual_seed`."""


def seed() -> None:
    """No effect, as `manual_seed`."""


def seed_all() -> None:
    """No effect, as `manual_seed`."""


def synchronize(device: Any = None) -> None:
    """Return at once: operations are complete when they return."""


def empty_cache() -> None:
    """No effect: there is no cache."""


def reset_peak_memory_stats(device: Any = None) -> None:
    """No effect: no GPU memory is in use."""


def memory_allocated(device: Any = None) -> int:
    return 0


def max_memory_allocated(device: Any = None) -> int:
    return 0


def memory_reserved(device: Any = None) -> int:
    return 0


def max_memory_reserved(device: Any = None) -> int:
    return 0


def memory_stats(device: Any = None) -> dict[str, Any]:
    """Empty: there is no GPU memory."""
    return {}


def memory_cached(device: Any = None) -> int:
    return 0


def max_memory_cached(device: Any = None) -> int:
    return 0


def get_arch_list() -> list[str]:
    """Empty: nothing is compiled for GPUs."""
    return []


def get_rng_state_all() -> list[Any]:
    """Empty: there are no GPUs."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """No effect for an empty list.

    Raises:
        AssertionError: if the list is not empty.
    """
    for _ in new_states:
        _raise()


class Event:
    """An event on a GPU; raises an error, because there is no GPU."""

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        raise RuntimeError("Tried to instantiate dummy base class Event")


class Stream:
    """A stream of a GPU; raises an error, because there is no GPU."""

    def __init__(self, device: Any = None, priority: int = 0, **_: Any) -> None:
        raise RuntimeError("torch.cuda.Stream requires CUDA support")


class CUDAGraph:
    """A CUDA graph; raises an error, because there is no GPU."""

    def __init__(self, keep_graph: bool = False) -> None:
        raise RuntimeError("Tried to instantiate dummy base class CUDAGraph")


@contextlib.contextmanager
def stream(stream: Stream | None) -> Iterator[None]:
    """A context manager without effect: the only stream is None."""
    yield


class device:
    """A context manager that selects a GPU; without effect for None or an index below 0."""

    def __init__(self, device: Any) -> None:
        number = str(device).rpartition(":")[2]
        self.idx = -1 if device is None else int(number) if number.lstrip("-").isdecimal() else 0

    def __enter__(self) -> None:
        if self.idx >= 0:
            _raise()

    def __exit__(self, *_: object) -> None:
        """Nothing to restore."""


def current_stream(device: Any = None) -> NoReturn:
    _raise()


def default_stream(device: Any = None) -> NoReturn:
    _raise()


def mem_get_info(device: Any = None) -> NoReturn:
    _raise()


def get_rng_state(device: Any = "cuda") -> NoReturn:
    _raise()


def set_rng_state(new_state: Any, device: Any = "cuda") -> NoReturn:
    _raise()


def initial_seed() -> NoReturn:
    _raise()


def init() -> NoReturn:
    _raise()


def ipc_collect() -> NoReturn:
    _raise()


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> NoReturn:
    _raise()


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
    """Import the tensor types, such as `torch.cuda.FloatTensor`, at their first use."""
    if name.endswith("Tensor"):
        found = importlib.import_module("gradus.engine.compat.tensor_types").of_module("torch.cuda").get(name)
        if found is not None:
            return found
    return _say_what_is_absent(name)


def _raise() -> NoReturn:
    raise AssertionError("Torch not compiled with CUDA enabled")
