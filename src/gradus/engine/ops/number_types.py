"""What operations do differently for numbers of 16 bits, and for complex ones.

The rules in `ops/` are written for real numbers of 32 or 64 bits. `record.apply` asks `suited` for what replaces an
operation on others:

* float16 and bfloat16: `InFloat32`, which computes the operation in float32, forward and backward, and rounds once.
* complex64 and complex128: `Conjugated` where the function is holomorphic, since the gradient of z is by convention
  the conjugate of that of the real rule; the operation itself where its rule holds as it is; one of
  `ops/complex_numbers.py` where only that has a meaning; and an error everywhere else.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gradus.engine.autograd.node import Edge, Function
from gradus.engine.dtypes import REAL, Array
from gradus.engine.ops import complex_numbers as cx

SPECIAL = "eEFD"  # NumPy's letters for float16, bfloat16, complex64, complex128

# Operations for which PyTorch rounds a number, too, to 16 bits.
_ROUNDED = {"Add", "Sub", "RSub", "Pow", "Remainder", "Fmod", "Atan2"}
# Normalisations whose parameters may be float32 where what they normalise is of 16 bits, and copies, which convert.
_MIXED = {"LayerNorm", "RMSNorm", "BatchNorm", "NativeGroupNorm", "CopyFrom"}

# Operations by name: those that only move numbers, backward too, and are right in any type as they are ...
MOVES = {"Clone", "ToCopy", "Cat", "Stack", "Contiguous", "Flip", "Roll", "Triangle"}
# ... those that are linear with real factors, where the rule for complex numbers is that for real ones ...
LINEAR = {
    *("Neg", "Where", "MaskedFill", "CopyFrom", "Sum", "Mean", "Cumsum", "Repeat", "RepeatInterleave"),
    *("Pad", "PadFromInside"),
    "Fft",  # its rule is written for complex numbers
    *("Index", "IndexPut", "Embedding", "IndexSelect", "Gather", "Scatter", "Dropout"),
}
# ... and those that have a complex derivative.
HOLOMORPHIC = {
    *("Add", "Sub", "RSub", "Mul", "Div", "Pow", "Reciprocal", "Sqrt", "Rsqrt", "Prod", "Cumprod"),
    *("Exp", "Exp2", "Expm1", "Log", "Log10", "Log2", "Log1p", "Sigmoid", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan"),
    *("Sinh", "Cosh", "Tanh", "Asinh", "Acosh", "Atanh", "Mm", "MatMul", "Linear"),
    *("Convolution", "TransposedConvolution"),
}

_found: dict[tuple[type[Function], str], type[Function]] = {}


def suited(op: type[Function], letter: str) -> type[Function]:
    """What computes this operation for numbers of a special type.

    Raises:
        NotImplementedError: if it has no meaning for complex numbers, or none here.
    """
    found = _found.get((op, letter))
    if found is None:
        found = _found[op, letter] = _in_float32(op) if letter in "eE" else _of_complex(op, letter)
    return found


def _in_float32(op: type[Function]) -> type[Function]:
    if op.__name__ in ("Expand", "Unfold"):
        return type(op.__name__, (ViewBackInFloat32,), {**_as(op), "view": True})
    exact = op.view or op.__name__ in MOVES or issubclass(op, InFloat32)
    return op if exact else type(op.__name__, (InFloat32,), _as(op))


def _of_complex(op: type[Function], letter: str) -> type[Function]:
    name = op.__name__
    if op.view or name in MOVES or name in LINEAR or op.__module__ == cx.__name__ or issubclass(op, Conjugated):
        return op
    if name in HOLOMORPHIC:
        return type(name, (Conjugated,), _as(op))
    if name == "Abs":
        return cx.Abs
    kind = "ComplexFloat" if letter == "F" else "ComplexDouble"
    raise NotImplementedError(f"\"{name.lower()}\" not implemented for '{kind}'")


def _as(op: type[Function]) -> dict[str, Any]:
    """The attributes of a class that replaces an operation."""
    return {"operation": op, "keeps": op.keeps, "name_": op.name_}


class _Around(Function):
    """An operation around another, which it computes in its own way."""

    operation: ClassVar[type[Function]]
    wrapped: Function

    def start(self) -> Function:
        self.wrapped = self.operation()
        self.wrapped.edges, self.wrapped.saved = self.edges, ()
        return self.wrapped

    def name(self) -> str:
        return self.wrapped.name()

    def keep_as_array(self, number: np.generic) -> Array:
        return self.wrapped.keep_as_array(number)

    def refuse_changed(self, counter: list[Any], version: int, address: int, edge: Edge | bool) -> None:
        self.wrapped.refuse_changed(counter, version, address, self.wrapped if edge is True else edge)

    def release(self) -> None:
        self.wrapped.release()
        if self.wrapped.saved is None:
            self.saved = None


class InFloat32(_Around):
    """An operation on float16 or bfloat16, computed in float32 and rounded once, and so is its derivative."""

    def forward(self, *inputs: Any, **options: Any) -> Any:
        wrapped = self.start()
        self.kinds = [x.dtype if isinstance(x, np.ndarray) else None for x in inputs]
        kind = next(kind for kind in self.kinds if kind is not None and kind.char in "eE")
        name = self.operation.__name__
        if name not in _MIXED:
            _refuse_mixed(name, inputs)
        wide = [widened(x) for x in inputs]
        if name in _ROUNDED:
            wide = [float(np.asarray(x).astype(kind)) if type(x) in (float, int) else x for x in wide]
        result = wrapped.forward(*wide, **options)
        rounded: Any
        if type(result) is tuple:
            rounded = tuple(narrowed(y, kind) for y in result)
            pairs = [*zip(wide, inputs, strict=True), *zip(result, rounded, strict=True)]
        else:
            rounded = narrowed(result, kind)
            pairs = [*zip(wide, inputs, strict=True), (result, rounded)]
        # What it keeps of its inputs and of its result it keeps as they are, of 16 bits.
        narrow = {id(y): x for y, x in pairs if isinstance(x, np.ndarray) and x is not y}
        for name, value in wrapped.__dict__.items():
            if id(value) in narrow:
                wrapped.__dict__[name] = narrow[id(value)]
        return rounded

    def backward(self, dy: Any) -> Any:
        kept = self.wrapped.__dict__
        before = dict(kept)
        for name, value in before.items():
            kept[name] = widened(value)
        several = [None if d is None else widened(d) for d in dy] if type(dy) is list else widened(dy)
        passed = self.wrapped.backward(several)
        kept.update(before)
        if type(passed) is not tuple:
            return self._like_input(passed, 0)
        return tuple(self._like_input(dx, i) for i, dx in enumerate(passed))

    def _like_input(self, dx: Any, i: int) -> Any:
        kind = self.kinds[min(i, len(self.kinds) - 1)]
        return dx if dx is None or kind is None else np.asarray(dx).astype(kind)


class ViewBackInFloat32(InFloat32):
    """A view of float16 or bfloat16 whose backward adds numbers, which it does in float32."""

    def forward(self, *inputs: Any, **options: Any) -> Any:
        self.kinds = [inputs[0].dtype]
        return self.start().forward(*inputs, **options)


def _refuse_mixed(name: str, inputs: tuple[Any, ...]) -> None:
    """Raise, as PyTorch does, if there are arrays of several floating-point types; a single number does not count."""
    kinds = [x.dtype.name for x in inputs if isinstance(x, np.ndarray) and x.ndim and x.dtype.kind in REAL]
    if len(set(kinds)) > 1:
        called = {"float32": "float", "float64": "double", "float16": "c10::Half", "bfloat16": "c10::BFloat16"}
        what = "m1 and m2" if name in ("Linear", "Mm", "MatMul") else f"all inputs of {name}"
        raise RuntimeError(
            f"expected {what} to have the same dtype, but got: {' != '.join(called[kind] for kind in kinds)}"
        )


def widened(x: Any) -> Any:
    """x in float32 if it is an array of 16-bit floats."""
    return x.astype(np.float32) if isinstance(x, np.ndarray) and x.dtype.char in "eE" else x  # their letters


def narrowed(y: Any, kind: np.dtype[Any]) -> Any:
    """A result in float32 rounded to a 16-bit type."""
    return np.asarray(y).astype(kind) if y.dtype == np.float32 else y


class Conjugated(_Around):
    """A holomorphic operation y = f(z).    dz = conj(f'(z)) dy, which is conj(f'(z) conj(dy)); of it the real part
    where an input is real
    """

    def forward(self, *inputs: Any, **options: Any) -> Any:
        self.real = [isinstance(x, np.ndarray) and x.dtype.kind != "c" for x in inputs]
        return self.start().forward(*inputs, **options)

    def backward(self, dy: Array) -> Any:
        passed = self.wrapped.backward(np.conj(dy))
        if type(passed) is not tuple:
            return np.conj(passed)
        return tuple(
            None if dx is None else dx.real if real else np.conj(dx)
            for dx, real in zip(passed, self.real, strict=False)
        )
