"""In-place forms that refuse some tensors before they compute: of bits, and of `float_power`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradus.engine.dtypes.names import scalar_name
from gradus.engine.dtypes.promotion import result_type
from gradus.engine.functions import arithmetic, comparison
from gradus.engine.functions.checks import check_cast
from gradus.engine.functions.in_place import copy_, written
from gradus.engine.functions.operands import array_of, as_operand

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor


def _of_bits(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """... of integers: the error that they cannot become floats comes before the one for an unsupported dtype."""
    write = written(function)

    @functools.wraps(write)
    def changed(input: Tensor, other: Any) -> Tensor:
        check_cast(result_type(input._array, array_of(as_operand(other))), input._array.dtype)
        return write(input, other)

    return changed


bitwise_and_ = _of_bits(comparison.bitwise_and)
bitwise_or_ = _of_bits(comparison.bitwise_or)
bitwise_xor_ = _of_bits(comparison.bitwise_xor)
bitwise_left_shift_ = _of_bits(comparison.bitwise_left_shift)
bitwise_right_shift_ = _of_bits(comparison.bitwise_right_shift)


def float_power_(input: Tensor, exponent: Any) -> Tensor:
    """`float_power` in place, of float64."""
    if (dtype := input._array.dtype).name not in ("float64", "complex128"):
        raise RuntimeError(
            f"the base given to float_power_ has dtype {scalar_name(dtype)} but the operation's result requires dtype "
            "Double"
        )
    return copy_(input, arithmetic.float_power(input.clone(), exponent))  # the gradient needs what it overwrites
