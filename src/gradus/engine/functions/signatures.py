"""How functions may be called besides by their own parameters: with NumPy's `axis` and `keepdims`, and with `out=`."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from gradus.engine.autograd.grad_mode import no_grad, state
from gradus.engine.autograd.in_place import apply_
from gradus.engine.autograd.record import Variable
from gradus.engine.functions.checks import check_cast
from gradus.engine.functions.operands import is_tensor
from gradus.engine.functions.storage import resize_
from gradus.engine.ops.copying import CopyFrom

# The functions of `torch` that take `out=` (methods do not): those that make tensors, in its type if none is asked for;
# those whose result must be of its type; and those whose result is converted.
MAKERS = """
arange empty eye full linspace logspace ones rand randint randn randperm zeros
""".split()  # noqa: SIM905
INTO_SAME = """
abs absolute addbmm addmm addmv addr amax amin aminmax baddbmm bmm ceil chain_matmul cross cummax cummin diag dot fix
floor frac gather ger heaviside histc histogram index_add index_copy index_reduce index_select inner kthvalue
log_softmax logcumsumexp masked_select matmul matrix_power max median min mm mode msort mv nan_to_num nanmedian
nanquantile neg negative norm quantile renorm round scatter scatter_add scatter_reduce sign softmax sort take
take_along_dim tensordot topk tril triu trunc vdot
""".split()  # noqa: SIM905
INTO_ANY = """
digamma erfinv gcd i0 igamma igammac lcm ldexp lgamma nextafter polygamma
acos acosh add addcdiv addcmul all any arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin asin asinh
atan atan2 atanh bernoulli bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor
bucketize cat clamp clamp_max clamp_min clip column_stack concat concatenate copysign cos cosh cumprod cumsum deg2rad
diff div divide dstack eq erf erfc exp exp2 expm1 float_power floor_divide fmax fmin fmod ge greater greater_equal gt
hstack hypot isin isneginf isposinf kron le lerp less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and
logical_not logical_or logical_xor logit logsumexp lt maximum mean minimum mul multinomial multiply nanmean nansum ne
nonzero normal not_equal outer pow prod rad2deg reciprocal remainder row_stack rsqrt searchsorted sigmoid signbit sin
sinc sinh sqrt square stack std sub subtract sum tan tanh true_divide var vstack where xlogy
""".split()  # noqa: SIM905
WITH_OUT = (*MAKERS, *INTO_SAME, *INTO_ANY)
# Those that have a parameter `out`: it may not be one of the tensors that they join, and costs less than a wrapper.
BY_THEMSELVES = ("cat", "column_stack", "concat", "concatenate", "dstack", "hstack", "row_stack", "stack", "vstack")

P = ParamSpec("P")
R = TypeVar("R")

_NUMPY = {"axis": "dim", "keepdims": "keepdim"}


def numpy_names(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function also be called with `axis` for `dim` and `keepdims` for `keepdim`."""

    @functools.wraps(function)
    def called(*args: P.args, **named: P.kwargs) -> R:
        if named:
            for theirs, ours in _NUMPY.items():
                if theirs in named and ours not in named:
                    named[ours] = named.pop(theirs)
        return function(*args, **named)

    return called


def renamed(dim: Any, keepdim: bool, old: dict[str, Any]) -> tuple[Any, bool]:
    """The same for a function that collects these keywords itself: a wrapper would cost `sum` and `max` a call more."""
    unknown = set(old) - {"axis", "keepdims"}
    if "axis" in old and dim is not None:
        unknown.add("axis")
    if unknown:
        raise TypeError(f"got an unexpected keyword argument '{unknown.pop()}'")
    return old.get("axis", dim), old.get("keepdims", keepdim)


def with_out(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that may be given `out=`, a tensor (or several) that its result is written into and that it returns.

    Raises:
        RuntimeError: if a gradient would have to be recorded, or the result's type does not fit into out's.
    """
    code = function.__code__  # inspect.signature of all these functions would add 2 ms to the import
    more = code.co_kwonlyargcount or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)

    if code.co_varnames[: code.co_argcount] == ("input",) and not more:

        @functools.wraps(function)
        def called_with_one(input: Any, *, out: Any = None) -> Any:  # costs half of what `called` does
            result = function(input)
            return result if out is None else write_out(function.__name__, result, out)

        return called_with_one

    @functools.wraps(function)
    def called(*args: Any, out: Any = None, **named: Any) -> Any:
        if out is None:
            return function(*args, **named)
        if function.__name__ in MAKERS and is_tensor(out):
            named.setdefault("dtype", out.dtype)
        return write_out(function.__name__, function(*args, **named), out)

    return called


def write_out(name: str, result: Any, out: Any) -> Any:
    """Write the result of the function of this name into out, and return out."""
    if isinstance(result, Variable):
        _write(name, result, out)
        return out
    if not isinstance(out, Sequence) or len(out) != len(result):
        raise TypeError(f"{name}(): argument 'out' must be a tuple of {len(result)} Tensors")
    for part, target in zip(result, out, strict=True):
        _write(name, part, target)
    return type(result)(*out) if hasattr(result, "_fields") else type(result)(out)


def _write(name: str, result: Any, out: Any) -> None:
    if not is_tensor(out):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if state.enabled and (result.requires_grad or out._edge() is not None):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    if name in INTO_ANY:
        check_cast(result._array.dtype, out._array.dtype)
    elif result._array.dtype != out._array.dtype:
        raise RuntimeError(f"{name}(): Expected out tensor to have dtype {result.dtype}, but got {out.dtype} instead")
    if out._array.shape != result._array.shape:
        if out._array.size:
            warnings.warn(
                f"An output with one or more elements was resized since it had shape {list(out._array.shape)}, which "
                f"does not match the required output shape {list(result._array.shape)}. This behavior is deprecated, "
                "and in a future PyTorch release outputs will not be resized unless they have zero elements. You can "
                "explicitly reuse an out tensor t by resizing it, inplace, to zero elements with t.resize_(0).",
                UserWarning,
                stacklevel=4,
            )
        resize_(out, result._array.shape)
    with no_grad():
        apply_(out, CopyFrom, result)
