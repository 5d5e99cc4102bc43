"""How loops are compiled: `loop` is called from Python and cached on disk, `inner` only from compiled functions.

Numba generates machine code for every function that it compiles, so that Python could call it. A function that only
compiled functions call is compiled again as a part of each of them, so for `inner` that machine code is left out. This
uses Numba's private compiler, and pays for it: the first step of a small GPT with an empty cache takes 8.3 instead of
10.6 s. With a Numba that lacks what is used of it, `inner` compiles with Numba's public compiler.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba.core import codegen, compiler, types

_njit: Any = numba.njit
_unliteral: Any = types.unliteral
_CodeLibrary: Any = getattr(codegen, "JITCodeLibrary", object)

_PRIVATE: dict[Any, str] = {
    codegen: "JITCodeLibrary JITCPUCodegen",
    _CodeLibrary: "_optimize_functions _optimize_final_module _finalize_final_module _ensure_finalized",
    getattr(codegen, "JITCPUCodegen", object): "_module_pass_manager set_env",
    compiler: "CompilerBase DefaultPassBuilder",
}
_known = all(hasattr(owner, name) for owner, names in _PRIVATE.items() for name in names.split())

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

    flags = _FAST if fastmath else False

    def decorate(function: Callable[..., Any]) -> Any:
        if not _known:
            return _njit(fastmath=flags, error_model="numpy")(function)
        dispatcher = _njit(
            pipeline_class=_Compiler,
            fastmath=flags,
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


class _Library(_CodeLibrary):  # type: ignore[misc]
    """The code of an `inner` function and of those it calls, to be linked into others only.

    Of Numba's three rounds of optimization it gets the last one; all three follow where it is linked.
    """

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0  # there is no machine code


class _Codegen:
    """Numba's code generator, without what it writes into a function's machine code."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def set_env(self, name: str, env: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)


class _Compiler(getattr(compiler, "CompilerBase", object)):  # type: ignore[misc]
    """Numba's compiler, writing into such a library."""

    def define_pipelines(self) -> list[Any]:
        state: Any = self.state
        state.library = _Library(_Codegen(state.targetctx.codegen()), state.func_id.func_qualname)
        builder: Any = compiler.DefaultPassBuilder
        return [builder.define_nopython_pipeline(state)]
