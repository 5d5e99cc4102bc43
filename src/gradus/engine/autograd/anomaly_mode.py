"""Finding the operation whose gradient is NaN: `detect_anomaly` and `set_detect_anomaly`.

While it is on, every node counts as watched, so that the walk checks the gradients it returns; while it is off, it
costs the walk nothing.
"""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import Any

import numpy as np

from gradus.engine.autograd.node import Node

__all__ = ["detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_detect_anomaly"]

_mode = {"enabled": False, "check_nan": True}


class set_detect_anomaly:
    """Context manager or function: let backward raise at the first operation that returns a NaN gradient."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = dict(_mode)
        _set(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _set(self.before["enabled"], self.before["check_nan"])


class detect_anomaly(set_detect_anomaly):
    """`with set_detect_anomaly(True):`, and a warning that it is slow."""

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            UserWarning,
            stacklevel=2,
        )

    def __enter__(self) -> None:
        super().__init__(True, self.check_nan)


def is_anomaly_enabled() -> bool:
    """Return whether anomaly mode is on now."""
    return _mode["enabled"]


def is_anomaly_check_nan_enabled() -> bool:
    """Whether the mode, if it is on, checks for NaN."""
    return _mode["check_nan"]


def refuse_nan(node: Node, gradients: Any) -> None:
    """Raise if the mode is on and a gradient that a node returned has a NaN."""
    if not (_mode["enabled"] and _mode["check_nan"]):
        return
    for i, gradient in enumerate(gradients):
        if gradient is not None and type(gradient) is not tuple and np.isnan(np.asarray(gradient)).any():
            warnings.warn(f"Error detected in {node.name()}.", UserWarning, stacklevel=4)
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {i}th output.")


def _set(mode: bool, check_nan: bool) -> None:
    _mode.update(enabled=mode, check_nan=check_nan)
    Node.watched = mode
