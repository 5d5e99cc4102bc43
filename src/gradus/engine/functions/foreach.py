"""`torch._foreach_add_` and its relatives: one method of tensors for each tensor of a list.

PyTorch computes them together on a GPU; here each is computed by itself, with the same numbers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gradus.engine.autograd.record import Variable

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

UNARY = """
abs acos asin atan ceil cos cosh erf erfc exp expm1 floor frac log log10 log1p log2 neg reciprocal round rsqrt sigmoid
sign sin sinh sqrt tan tanh trunc
""".split()  # noqa: SIM905
BINARY = "add clamp_max clamp_min div mul pow sub".split()  # noqa: SIM905
TERNARY = "addcdiv addcmul lerp".split()  # noqa: SIM905
IN_PLACE_ONLY = "copy zero".split()  # noqa: SIM905
FRESH_ONLY = "max norm".split()  # noqa: SIM905
_SAME = {"maximum": "clamp_min", "minimum": "clamp_max"}  # aliases in PyTorch

NAMES = frozenset(
    [f"_foreach_{name}" for name in (*UNARY, *BINARY, *TERNARY, *FRESH_ONLY, *_SAME)]
    + [f"_foreach_{name}_" for name in (*UNARY, *BINARY, *TERNARY, *IN_PLACE_ONLY, *_SAME)]
)


@functools.cache
def find(name: str) -> Callable[..., Any]:
    """The function of a name in `NAMES`. In-place functions return the tensors themselves, others a list of results.

    An operand is one number or tensor for all, or a list with one for each. `_foreach_addcmul_` and `_foreach_addcdiv_`
    take their factor, `value`, by its place, too.
    """
    method = name.removeprefix("_foreach_")
    in_place = method.endswith("_")
    base = method.rstrip("_")
    method = _SAME.get(base, base) + "_" * in_place

    def foreach(self: Sequence[Tensor], *operands: Any, **options: Any) -> Sequence[Tensor]:
        if not self:
            raise RuntimeError("Tensor list must have at least one tensor.")
        if base in ("addcmul", "addcdiv") and len(operands) == 3:
            *operands, options["value"] = operands  # type: ignore[assignment]
        columns = [_column(x, len(self)) for x in operands]
        keywords = {key: _column(x, len(self)) for key, x in options.items()}
        results = [
            getattr(x, method)(*(c[i] for c in columns), **{key: c[i] for key, c in keywords.items()})
            for i, x in enumerate(self)
        ]
        return self if in_place else results

    foreach.__name__ = foreach.__qualname__ = name
    return foreach


def _column(operand: Any, count: int) -> Sequence[Any]:
    """An operand for each tensor."""
    if isinstance(operand, Variable) and operand._array.ndim == 1 and len(operand._array) == count > 1:
        operand = list(operand)  # type: ignore[call-overload]
    if not isinstance(operand, (list, tuple)):
        return [operand] * count
    if len(operand) != count:
        raise RuntimeError(f"Tensor lists must have the same number of tensors, got {count} and {len(operand)}")
    return operand
