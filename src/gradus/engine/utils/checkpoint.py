"""`checkpoint`: PyTorch's trade of time for memory, which this engine accepts and does not make.

PyTorch forgets what was computed inside a checkpoint and computes it again for backward. Here it is kept: the numbers
and the gradients are the same, the memory is not smaller, and nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradus.engine.compat.absent import refuse


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    determinism_check: str = "default",
    debug: bool = False,
    **kwargs: Any,
) -> Any:
    """`function(*args, **kwargs)`."""
    return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Sequence[Callable[[Any], Any]], segments: int, input: Any, use_reentrant: bool | None = None
) -> Any:
    """The functions (or the layers of a Sequential) applied one after the other."""
    for function in functions:
        input = function(input)
    return input


__getattr__ = refuse(__name__)
