"""`torch.return_types`: the named tuples that functions with several results give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor


def _shown(result: Any) -> str:
    parts = ",\n".join(f"{name}={part!r}" for name, part in zip(result._fields, result, strict=True))
    return f"torch.return_types.{type(result).__name__}(\n{parts})"


class ValuesIndices(NamedTuple):
    """Values, and where they were along a dimension."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class max(ValuesIndices):
    pass


class min(ValuesIndices):
    pass


class sort(ValuesIndices):
    pass


class topk(ValuesIndices):
    pass


class median(ValuesIndices):
    pass


class nanmedian(ValuesIndices):
    pass


class mode(ValuesIndices):
    pass


class kthvalue(ValuesIndices):
    pass


class cummax(ValuesIndices):
    pass


class cummin(ValuesIndices):
    pass


class histogram(NamedTuple):
    """Counts (or densities), and the ends of their intervals."""

    hist: Tensor
    bin_edges: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class histogramdd(NamedTuple):
    """Counts (or densities) of points, and the ends of the intervals of each coordinate."""

    hist: Tensor
    bin_edges: tuple[Tensor, ...]

    def __repr__(self) -> str:
        return _shown(self)


class aminmax(NamedTuple):
    """The smallest and the largest number."""

    min: Tensor
    max: Tensor

    def __repr__(self) -> str:
        return _shown(self)
