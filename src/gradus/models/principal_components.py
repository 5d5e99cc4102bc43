"""The plane in which vectors of many dimensions vary most: how the embeddings of tokens are looked at. It knows no
tensors, so that pictures can be drawn before a backend is chosen."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def principal_components(vectors: ArrayLike, k: int = 2) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Project (N, D) vectors on the k directions in which they vary most.

    Returns:
        (N, k) coordinates, and (k,) the share of the variance that each holds. A direction's sign is free; we choose
        the one in which its largest coordinate is positive, so the same vectors always give the same picture.

    Raises:
        ValueError: if vectors is not (N, D) with D at least k and N at least k.
    """
    x = np.asarray(vectors, dtype=np.float64)
    if x.ndim != 2 or min(x.shape) < k:
        raise ValueError(f"vectors must be (N, D) with N and D at least {k}, got shape {x.shape}")
    u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)  # (N, r), (r,)
    points = u[:, :k] * s[:k]  # (N, k)
    points *= np.where(points[np.abs(points).argmax(axis=0), np.arange(k)] < 0, -1.0, 1.0)
    variance = s**2
    return points, variance[:k] / max(float(variance.sum()), np.finfo(np.float64).tiny)
