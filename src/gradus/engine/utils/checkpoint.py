"""`checkpoint`: accepted as in PyTorch, without recomputing anything.

PyTorch frees the intermediate results inside a checkpoint and recomputes them in backward, which saves memory. Here
they are kept: outputs and gradients are the same, and no memory is saved.
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
