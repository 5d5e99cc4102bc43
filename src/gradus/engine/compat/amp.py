"""`torch.amp`, mixed precision: accepted, and computed in float32.

PyTorch's autocast multiplies matrices in bfloat16 or float16, which is faster on hardware that supports these types.
Here it would be slower: a product of bfloat16 matrices is computed in float32 (`number_types.py`). So operations inside
an autocast stay in float32, and are more precise than PyTorch's; `.bfloat16()` converts a model. Since a float32 loss
needs no scaling, the scaler does not change it.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from gradus.engine import dtypes
from gradus.engine.compat.absent import refuse
from gradus.engine.dtypes import dtype

Call = TypeVar("Call", bound=Callable[..., Any])

_KINDS = ("cpu", "cuda", "mps", "xpu")


class autocast:
    """A context manager and decorator without effect.

    Args:
        device_type: "cpu"; another is disabled with a warning, as in PyTorch.
        dtype: bfloat16 (the default) or float16; the computation uses float32.

    Raises:
        RuntimeError: if there is no such device type.
    """

    def __init__(
        self, device_type: str, dtype: dtype | None = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if dtypes.device(device_type).type not in _KINDS:
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        if device_type == "cuda" and enabled:
            warnings.warn(
                "User provided device_type of 'cuda', but CUDA is not available. Disabling", UserWarning, stacklevel=2
            )
            enabled = False
        self.device = device_type
        self.fast_dtype = dtypes.bfloat16 if dtype is None else dtype
        self._enabled = enabled

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def __call__(self, function: Call) -> Call:
        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return called  # type: ignore[return-value]


class GradScaler:
    """The loss scaler of float16 training, which float32 does not need: losses and gradients are not changed."""

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        pass

    def scale(self, outputs: Any) -> Any:
        """Return the outputs unchanged."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """No effect: gradients are not scaled."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """`optimizer.step()`."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """No effect: there is no scale."""

    def is_enabled(self) -> bool:
        return False

    def get_scale(self) -> float:
        return 1.0

    def state_dict(self) -> dict[str, Any]:
        """Empty, as for a disabled scaler in PyTorch."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """No effect: there is no state."""


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast has an effect."""
    return False


__getattr__ = refuse(__name__)
