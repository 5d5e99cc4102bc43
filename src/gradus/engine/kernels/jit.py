"""How loops are compiled: `loop` is called from Python and cached on disk, `inner` only from compiled functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba.core import types

_njit: Any = numba.njit
_unliteral: Any = types.unliteral

# Sums in another order, division by multiplication with the reciprocal; but infinities and NaN stay what they are.
_FAST = {"afn", "arcp", "contract", "nsz", "reassoc"}


def loop(signature: Any = None, *, fastmath: bool = True) -> Any:
    """Decorator: compile a function at its first call on this machine, or now if a signature is given.

    It releases the interpreter's lock. `fastmath` allows sums in another order.
    """
    flags = _FAST if fastmath else False
    return _njit(signature, cache=True, nogil=True, fastmath=flags, error_model="numpy", no_cfunc_wrapper=True)


def inner(*, fastmath: bool = True) -> Any:
    """Decorator: compile a function as a part of each compiled function that calls it.

    Python cannot call it, and an exception that it raises takes constants only.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = _njit(
            fastmath=_FAST if fastmath else False,
            error_model="numpy",
            no_cpython_wrapper=True,
            no_cfunc_wrapper=True,
        )(function)
        template = dispatcher.get_call_template
        # Numba gives a constant a type of its own, and would compile the function again for each.
        dispatcher.get_call_template = lambda arguments, keywords: template(
            [_unliteral(a) for a in arguments], keywords
        )
        return dispatcher

    return decorate
