"""Mixed precision, as `torch.amp` has it, where there is one precision: accepted, and computed in float32.

PyTorch's autocast has matrices multiplied in bfloat16 or float16, which is faster where the hardware has such numbers.
Here it would be slower: a product of bfloat16 numbers is computed in float32 (`number_types.py`). So what is inside an
autocast stays float32, and is more exact than PyTorch's; a model that is to be in bfloat16 is made so by `.bfloat16()`.
A loss then needs no scaling either, so the scaler leaves it as it is.
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
    """A `with` block, or a decorator, that changes nothing.

    Args:
        device_type: "cpu", or another that is not there, which is warned of as PyTorch does.
        dtype: bfloat16 (the default) or float16; computed with is float32.

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
    """The loss scaler of float16 training, which float32 does not need: losses and gradients pass through."""

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
        """The outputs themselves."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Nothing: the gradients were not scaled."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """`optimizer.step()`."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Nothing: there is no scale."""

    def is_enabled(self) -> bool:
        return False

    def get_scale(self) -> float:
        return 1.0

    def state_dict(self) -> dict[str, Any]:
        """Empty, as that of a disabled scaler in PyTorch."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Nothing: there is no state."""


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast would do anything."""
    return False


__getattr__ = refuse(__name__)
