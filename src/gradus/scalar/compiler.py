"""`compile`: a function of Values, traced once, and from then on run as compiled code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradus.scalar.listing import listing
from gradus.scalar.nn import Module
from gradus.scalar.program import Program, translate
from gradus.scalar.value import Value

Floats = NDArray[np.float64]
Form = tuple["Form", ...] | None  # how an argument is built: None a number, a tuple a list of such


def compile(fn: Callable[..., Value], parameters: Module | Iterable[Value] = ()) -> Compiled:
    """Make a program of a function of Values.

        f = compile(lambda a, b: (a * b + 1).tanh())
        f(2.0, -3.0)                    # the value: -0.9999...
        f.gradients(2.0, -3.0)          # the value, and a gradient for each argument
        print(f.source(2.0, -3.0))      # the program

        step = compile(lambda x, y: (1 - y * model(x)).relu(), model)
        step.backward([0.5, 0.1], 1.0)          # adds to the .grad of the model's parameters
        step.batch_backward(X, y)               # X (B, 2), y (B,): the same for B inputs, gradients summed

    The function is called when arguments of a new form come (a number, a list of two ...), with Values in place of
    numbers; what it did with them is the program for all that follow. So an `if` on a Value's data is decided then and
    for good (use `max`, `relu`, `abs`), and a number that it takes from elsewhere keeps the value it had, unless it is
    one of `parameters`, whose `data` is read at every run.

    Args:
        fn: takes numbers and (nested) lists of them, positionally, and returns one Value.
        parameters: the Values besides its arguments that it is to be differentiated for, or a Module that has them.
    """
    return Compiled(fn, parameters.parameters() if isinstance(parameters, Module) else list(parameters))


class Compiled:
    """What `compile` returns. Arguments are numbers, Values, and (nested) lists, tuples or arrays of them.

    Raises, from every method: what `fn` itself would (a logarithm of a negative number names its node, as in Value);
    TypeError for other arguments, or if fn does not return a Value.
    """

    def __init__(self, fn: Callable[..., Value], parameters: Sequence[Value]) -> None:
        self.fn = fn
        self.parameters = parameters
        self._programs: dict[tuple[Form, ...], Program] = {}

    def __repr__(self) -> str:
        return f"compile({getattr(self.fn, '__name__', self.fn)}), {len(self.parameters):,} parameters"

    def __call__(self, *args: Any) -> float:
        """The value."""
        leaves, forms = _flatten(args)
        values, _ = self._run(forms, _column(leaves), with_gradients=False)
        return float(values[0])

    def gradients(self, *args: Any) -> tuple[float, Any]:
        """The value, and a list of its gradients with respect to each argument, in the argument's own form."""
        leaves, forms = _flatten(args)
        values, d_inputs = self._run(forms, _column(leaves), with_gradients=True, accumulate=False)
        numbers = iter(d_inputs[:, 0].tolist())
        return float(values[0]), [_rebuild(form, numbers) for form in forms]

    def backward(self, *args: Any) -> float:
        """The value; its gradients are added to `grad` of the parameters, and of the Values among the arguments."""
        leaves, forms = _flatten(args)
        values, d_inputs = self._run(forms, _column(leaves), with_gradients=True)
        for leaf, gradient in zip(leaves, d_inputs[:, 0].tolist(), strict=True):
            if isinstance(leaf, Value):
                leaf.grad += gradient
        return float(values[0])

    def batch(self, *args: ArrayLike) -> Floats:
        """The values (B,) for a batch: every argument is an array with one more axis, the first, of B."""
        forms, inputs = _batch(args)
        return self._run(forms, inputs, with_gradients=False)[0]

    def batch_backward(self, *args: ArrayLike) -> Floats:
        """The same; the sum over the batch of the gradients is added to `grad` of the parameters."""
        forms, inputs = _batch(args)
        return self._run(forms, inputs, with_gradients=True)[0]

    def program(self, *args: Any) -> Program:
        """The program for arguments like these."""
        leaves, forms = _flatten(args)
        return self._traced(forms, [_data(leaf) for leaf in leaves])

    def source(self, *args: Any) -> str:
        """The program for arguments like these as text: straight-line Python, forward and backward."""
        return listing(self.program(*args))

    def __str__(self) -> str:
        """The text of every program there is so far."""
        return "\n\n".join(listing(program) for program in self._programs.values()) or "not called yet: no program"

    def _traced(self, forms: tuple[Form, ...], numbers: Sequence[float]) -> Program:
        if forms not in self._programs:
            root, inputs = self._call(forms, numbers)
            name = getattr(self.fn, "__name__", "")
            name = name if name.isidentifier() else "function"  # a lambda has no name
            self._programs[forms] = translate(name, root, inputs, self.parameters)
        return self._programs[forms]

    def _call(self, forms: tuple[Form, ...], numbers: Sequence[float]) -> tuple[Value, list[Value]]:
        """fn as it is, on fresh Values labelled after its arguments: what it returns, and these."""
        named = zip(forms, _argument_names(self.fn, len(forms)), strict=True)
        labels = [label for form, name in named for label in _labels(form, name)]
        inputs = [Value(number, label) for number, label in zip(numbers, labels, strict=True)]
        leaves = iter(inputs)
        root = self.fn(*[_rebuild(form, leaves) for form in forms])
        if not isinstance(root, Value):
            raise TypeError(f"the function to compile must return one Value, got {type(root).__name__}")
        return root, inputs

    def _run(
        self, forms: tuple[Form, ...], inputs: Floats, with_gradients: bool, accumulate: bool = True
    ) -> tuple[Floats, Floats]:
        """The values (B,) and their gradients for the inputs (I, B); those of the parameters are added to them."""
        from gradus.scalar.kernel import run  # Numba takes half a second to import: only those who run it wait for it

        program = self._traced(forms, inputs[:, 0].tolist())
        leaves = len(program.inputs) + len(program.parameters)
        wanted = np.ones(leaves + len(program.constants) + len(program.ops), dtype=np.bool_)
        wanted[leaves : leaves + len(program.constants)] = False
        fixed = np.array([parameter.data for parameter in program.parameters] + program.constants, dtype=np.float64)
        values, d_inputs, d_fixed, suspect = run(
            program.ops, program.a, program.b, wanted, program.result, inputs, fixed, with_gradients
        )
        for column in np.flatnonzero(suspect):
            self._call(forms, inputs[:, column].tolist())  # where a result was infinite or no number: raises if fn does
        if with_gradients and accumulate:
            for parameter, gradient in zip(program.parameters, d_fixed.tolist(), strict=False):
                parameter.grad += gradient
        return values, d_inputs


def _argument_names(fn: Callable[..., Any], count: int) -> list[str]:
    """What fn calls its positional arguments; those of *args get numbers."""
    parameters = inspect.signature(fn).parameters.values()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind == p.VAR_POSITIONAL), "x")
    return [*names, *(f"{rest}{i}" for i in range(count - len(names)))][:count]


def _flatten(args: Sequence[Any]) -> tuple[list[Value | float], tuple[Form, ...]]:
    """The numbers and Values of the arguments one after the other, and the arguments' forms."""
    leaves: list[Value | float] = []

    def form(arg: Any) -> Form:
        if isinstance(arg, np.ndarray):
            arg = arg.tolist()
        if isinstance(arg, (list, tuple)):
            return tuple(map(form, arg))
        if not isinstance(arg, (Value, int, float)):
            raise TypeError(f"an argument must be a number, a Value, or a list of these, got {type(arg).__name__}")
        leaves.append(arg)
        return None

    forms = tuple(map(form, args))
    return leaves, forms


def _batch(args: Sequence[ArrayLike]) -> tuple[tuple[Form, ...], Floats]:
    """The forms of one input, and all of them as (I, B)."""
    arrays = [np.asarray(arg, dtype=np.float64) for arg in args]
    sizes = [array.shape[:1] for array in arrays]
    if not arrays or not all(size == sizes[0] != (0,) and size for size in sizes):
        raise ValueError(
            f"every argument of a batch needs the batch as its first axis, the same and not empty, got shapes "
            f"{', '.join(str(array.shape) for array in arrays) or 'no arguments'}"
        )
    forms = tuple(_flatten([array[0].tolist()])[1][0] for array in arrays)
    columns = [array.reshape(len(array), -1) for array in arrays]
    return forms, np.ascontiguousarray(np.concatenate(columns, axis=1).T)


def _column(leaves: Sequence[Value | float]) -> Floats:
    return np.array([_data(leaf) for leaf in leaves], dtype=np.float64).reshape(-1, 1)


def _data(leaf: Value | float) -> float:
    return leaf.data if isinstance(leaf, Value) else leaf


def _labels(form: Form, name: str) -> list[str]:
    if form is None:
        return [name]
    return [label for i, part in enumerate(form) for label in _labels(part, f"{name}[{i}]")]


def _rebuild(form: Form, leaves: Any) -> Any:
    return next(leaves) if form is None else [_rebuild(part, leaves) for part in form]
