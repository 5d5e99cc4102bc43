"""How loops are compiled: `loop` is called from Python and kept on disk, `inner` only from other compiled functions.

Numba compiles every function to the end, so that Python could call it. One that is only called from others is compiled
again as part of each of them, so here its own machine code is left out: a fifth of the time of all loops together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba.core import codegen, compiler, types

_njit: Any = numba.njit
_unliteral: Any = types.unliteral
_CodeLibrary: Any = codegen.JITCodeLibrary
_PassBuilder: Any = compiler.DefaultPassBuilder


def loop(signature: Any = None, *, fastmath: bool = True) -> Any:
    """Decorator: compile a function at its first call on this machine, or now, for the types of a signature.

    It needs no interpreter while it runs. `fastmath` lets sums be taken in another order, and knows no infinities.
    """
    return _njit(signature, cache=True, nogil=True, fastmath=fastmath, error_model="numpy", no_cfunc_wrapper=True)


def inner(*, fastmath: bool = True) -> Any:
    """Decorator: compile a function together with the compiled functions that call it, as part of each.

    It has no form of its own: Python cannot call it, it must not print, and an exception in it takes constants only.
    """

    def made(function: Callable[..., Any]) -> Any:
        dispatcher = _njit(
            pipeline_class=_Compiler,
            fastmath=fastmath,
            error_model="numpy",
            no_cpython_wrapper=True,
            no_cfunc_wrapper=True,
        )(function)
        template = dispatcher.get_call_template
        # To Numba a constant has a type of its own, and it would compile the function anew for each.
        dispatcher.get_call_template = lambda kinds, keywords: template([_unliteral(kind) for kind in kinds], keywords)
        return dispatcher

    return made


class _Library(_CodeLibrary):  # type: ignore[misc]
    """The code of a function, and of those it calls, only to be linked into others.

    Of Numba's three rounds of optimisation it gets the last; all three come again where it is linked.
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
        return 0  # there is none


class _Codegen:
    """Numba's own, without what it writes into machine code that is there."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def set_env(self, name: str, env: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)


class _Compiler(compiler.CompilerBase):
    """Numba's, with such a library to write into."""

    def define_pipelines(self) -> list[Any]:
        state: Any = self.state
        state.library = _Library(_Codegen(state.targetctx.codegen()), state.func_id.func_qualname)
        return [_PassBuilder.define_nopython_pipeline(state)]
