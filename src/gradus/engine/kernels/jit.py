"""How loops are compiled: `loop` is called from Python and kept on disk, `inner` only from other compiled functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba.core import types

_njit: Any = numba.njit
_unliteral: Any = types.unliteral

# Sums in another order, divisions by way of reciprocals; but infinities and NaN stay what they are.
_FAST = {"afn", "arcp", "contract", "nsz", "reassoc"}


def loop(signature: Any = None, *, fastmath: bool = True) -> Any:
    """Decorator: compile a function at its first call on this machine, or now, for the types of a signature.

    It needs no interpreter while it runs. `fastmath` lets sums be taken in another order.
    """
    flags = _FAST if fastmath else False
    return _njit(signature, cache=True, nogil=True, fastmath=flags, error_model="numpy", no_cfunc_wrapper=True)


def inner(*, fastmath: bool = True) -> Any:
    """Decorator: compile a function together with the compiled functions that call it, as part of each.

    Python cannot call it, and an exception in it takes constants only.
    """

    def made(function: Callable[..., Any]) -> Any:
        dispatcher = _njit(
            fastmath=_FAST if fastmath else False,
            error_model="numpy",
            no_cpython_wrapper=True,
            no_cfunc_wrapper=True,
        )(function)
        template = dispatcher.get_call_template
        # To Numba a constant has a type of its own, and it would compile the function anew for each.
        dispatcher.get_call_template = lambda kinds, keywords: template([_unliteral(kind) for kind in kinds], keywords)
        return dispatcher

    return made
