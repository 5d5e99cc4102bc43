"""`F.softmax` and `F.log_softmax`, where the dimension may be left out, and `F.gumbel_softmax`."""

from __future__ import annotations

import warnings
from typing import Any

from gradus.engine.functions import activations, empty, zeros_like
from gradus.engine.tensor import Tensor


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """eˣ / Σ eˣ along a dimension."""
    return activations.softmax(input, _default_dim(input, dim), dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """x - log Σ eˣ along a dimension."""
    return activations.log_softmax(input, _default_dim(input, dim), dtype)


def _default_dim(x: Tensor, dim: int | None) -> int:
    return dim if dim is not None else 0 if x.ndim in (0, 1, 3) else 1


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """softmax((logits + g) / tau) along dim, g drawn from the Gumbel distribution (Jang et al., 2016; Maddison et al.,
    2016).

    Args:
        hard: the result is 1 at its largest number and 0 elsewhere, with the gradient of the soft one.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    gumbels = -empty(logits.shape, dtype=logits.dtype).exponential_().log()
    soft = ((logits + gumbels) / tau).softmax(dim)
    if not hard:
        return soft
    one_hot = zeros_like(soft).scatter_(dim, soft.argmax(dim, keepdim=True), 1.0)
    return one_hot - soft.detach() + soft
