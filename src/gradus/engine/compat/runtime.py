"""Global settings: compilation, threads, precision, determinism."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from gradus.engine.kernels import threads

__all__ = [
    "OutOfMemoryError",
    "are_deterministic_algorithms_enabled",
    "compile",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_storage",
    "is_warn_always_enabled",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_num_threads",
    "set_warn_always",
    "typename",
    "use_deterministic_algorithms",
]


def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """Return the module or function unchanged; without one, a decorator that does so.

    Nothing is compiled: the engine's fused kernels are compiled already.
    """
    return (lambda function: function) if model is None else model


class OutOfMemoryError(RuntimeError):
    """PyTorch's error if a GPU is out of memory; never raised here."""


def set_flush_denormal(mode: bool) -> bool:
    """Return whether the setting is supported: False for True, because subnormal numbers are never flushed to zero."""
    return not mode


def is_warn_always_enabled() -> bool:
    """Whether `set_warn_always(True)` is set."""
    return _warn_always[0]


def set_warn_always(b: bool) -> None:
    """Accepted, without effect: Python's `warnings` decides which warnings are repeated."""
    _warn_always[0] = b


_warn_always = [False]


def get_deterministic_debug_mode() -> int:
    """0 (off), 1 (warn) or 2 (error), from `use_deterministic_algorithms`."""
    return 0 if not _deterministic["mode"] else 1 if _deterministic["warn_only"] else 2


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Accepted: every operation here gives the same result each time."""
    mode = (
        {"default": 0, "warn": 1, "error": 2}.get(debug_mode, debug_mode) if isinstance(debug_mode, str) else debug_mode
    )
    if mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    use_deterministic_algorithms(mode != 0, warn_only=mode == 1)


def typename(obj: Any) -> str:
    """The type of a tensor, such as torch.FloatTensor; the full class name of any other object."""
    if hasattr(obj, "_array"):
        return str(obj.type())
    kind = obj if isinstance(obj, type) else type(obj)
    module = kind.__module__.replace("gradus.engine", "torch", 1)
    return kind.__name__ if module == "builtins" else f"{module}.{kind.__name__}"


def is_storage(obj: Any) -> bool:
    """False: tensors have no storage objects here."""
    return False


def set_num_threads(num: int) -> None:
    """Set how many threads the fused loops and large matrix products may use."""
    if not isinstance(num, int) or isinstance(num, bool):
        raise TypeError(f"set_num_threads expects an int, but got {type(num).__name__}")
    threads.set_num_threads(num)


def get_num_threads() -> int:
    """How many threads the fused loops and the large matrix products may use."""
    return threads.get_num_threads()


def set_num_interop_threads(num: int) -> None:
    """Accepted, without effect: operations run one after the other."""
    if num < 1:
        raise RuntimeError("set_num_interop_threads expects a positive integer")


def get_num_interop_threads() -> int:
    """1: operations run one after the other."""
    return 1


_precision = "highest"


def set_float32_matmul_precision(precision: str) -> None:
    """Accepted: float32 matrices are always multiplied in float32, the "highest" precision."""
    global _precision
    if precision not in ("highest", "high", "medium"):
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; "
            "the current setFloat32MatmulPrecision call has no effect.",
            UserWarning,
            stacklevel=2,
        )
        return
    _precision = precision


def get_float32_matmul_precision() -> str:
    """The precision that was set: "highest" (the default), "high" or "medium"."""
    return _precision


_deterministic = {"mode": False, "warn_only": False}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted: every operation here gives the same result each time."""
    _deterministic.update(mode=mode, warn_only=warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Whether `use_deterministic_algorithms(True)` is set."""
    return _deterministic["mode"]


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether `use_deterministic_algorithms` was called with warn_only=True."""
    return _deterministic["warn_only"]
