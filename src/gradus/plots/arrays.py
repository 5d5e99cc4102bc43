"""What a figure is drawn from, as a NumPy array: an array, a list, or a tensor of either backend, with or without a
gradient, on any device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def as_array(values: ArrayLike | Any) -> NDArray[Any]:
    """Numbers as an array."""
    return np.asarray(values.detach().cpu().numpy() if hasattr(values, "detach") else values)


def as_floats(values: ArrayLike | Any) -> NDArray[np.float64]:
    """Numbers as an array of float64."""
    return as_array(values).astype(np.float64)
