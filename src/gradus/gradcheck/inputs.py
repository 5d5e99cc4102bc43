"""Calling a function of numbers, Values, tensors or arrays as one of float64 arrays, and asking for its gradients."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus.scalar import Value

Array = npt.NDArray[np.float64]


class Input:
    """One argument, as an array; `make` turns an array into what the function takes. Not `checked`: passed on as is."""

    checked = True

    def __init__(self, given: Any, array: Any) -> None:
        self.given = given
        self.array: Array = np.array(array, dtype=np.float64)

    def make(self, array: Array) -> Any:
        raise NotImplementedError

    def gradient(self, argument: Any) -> Array | None:
        """The gradient of an argument that `make` returned; None if there is none."""
        raise NotImplementedError


class Constant(Input):
    checked = False

    def __init__(self, given: Any) -> None:
        super().__init__(given, 0.0)

    def make(self, array: Array) -> Any:  # noqa: ARG002 (there is nothing to make)
        return self.given


class Scalar(Input):
    """A Value, of whatever class: ours, micrograd's, or the reader's own. A number becomes one of ours."""

    def __init__(self, given: Any) -> None:
        self.kind = type(given) if hasattr(given, "data") else Value
        super().__init__(given, given.data if hasattr(given, "data") else given)

    def make(self, array: Array) -> Any:
        return self.kind(float(array))

    def gradient(self, argument: Any) -> Array | None:
        return None if argument.grad is None else np.array(float(argument.grad))


class TensorInput(Input):
    """A floating-point tensor, ours or PyTorch's, taken in float64."""

    def __init__(self, given: Any) -> None:
        self.torch = library(given)
        super().__init__(given, given.detach().numpy())

    def make(self, array: Array) -> Any:
        return self.torch.tensor(array, dtype=self.torch.float64, requires_grad=True)

    def gradient(self, argument: Any) -> Array | None:
        return None if argument.grad is None else to_array(argument.grad)


class ArrayInput(Input):
    """A NumPy array; its function has no gradients of its own."""

    def __init__(self, given: Any) -> None:
        super().__init__(given, given)

    def make(self, array: Array) -> Any:
        return array.copy()


class Bare(ArrayInput):
    """A number for a function that takes nothing but numbers."""

    def make(self, array: Array) -> Any:
        return float(array)


def read(given: Any) -> Input:
    """How to handle an argument."""
    if hasattr(given, "grad_fn"):
        return TensorInput(given) if given.is_floating_point() else Constant(given)
    if isinstance(given, np.ndarray):
        return ArrayInput(given) if given.dtype.kind == "f" else Constant(given)
    if isinstance(given, bool):
        return Constant(given)
    return Scalar(given) if isinstance(given, (int, float)) or hasattr(given, "data") else Constant(given)


def library(tensor: Any) -> Any:
    """The package that a tensor is from: torch, or our engine."""
    module = type(tensor).__module__
    return importlib.import_module("gradus.engine" if module.startswith("gradus.engine") else "torch")


def flatten(result: Any) -> list[Any]:
    """A result, or the results in a list or tuple."""
    return [one for part in result for one in flatten(part)] if isinstance(result, (list, tuple)) else [result]


def to_array(result: Any) -> Array:
    """The numbers of a result, in its own shape."""
    if hasattr(result, "grad_fn"):
        return np.array(result.detach().numpy(), dtype=np.float64)
    return np.array(result.data if hasattr(result, "_prev") else result, dtype=np.float64)


def evaluate(fn: Callable[..., Any], inputs: Sequence[Input], arrays: Sequence[Array]) -> Array:
    """All of fn's results at these arrays, as one vector."""
    with np.errstate(all="ignore"):  # what is not finite is dealt with by who asked
        results = flatten(fn(*[one.make(array) for one, array in zip(inputs, arrays, strict=True)]))
    return np.concatenate([to_array(result).ravel() for result in results])


def backward(results: Sequence[Any], weights: Array) -> None:
    """Run backward from sum(weights * results). Weights other than 1 show whether it uses the gradient it is given."""
    if hasattr(results[0], "grad_fn"):
        torch = library(results[0])
        start, total = 0, None
        for result in results:
            count = int(to_array(result).size)
            part = (
                result * torch.tensor(weights[start : start + count].reshape(tuple(result.shape)), dtype=torch.float64)
            ).sum()
            total = part if total is None else total + part
            start += count
        total.backward()  # type: ignore[union-attr]  # there is at least one result
        return
    total = results[0] * float(weights[0])
    for result, weight in zip(results[1:], weights[1:], strict=True):
        total = total + result * float(weight)
    total.backward()
