"""The same module built in PyTorch and here, run on the same numbers, and what both give, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

import gradus.engine as engine
from tests.engine.compare import watch

Array = np.ndarray[Any, np.dtype[Any]]
Build = Callable[[Any], Any]  # from torch.nn or engine.nn to a module

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}  # a few roundings of each type's last digit, on numbers of size about 1


def build_both(build: Build, seed: int = 5) -> tuple[Any, Any]:
    """(PyTorch's module, ours), built after the same seed."""
    torch.manual_seed(seed)
    theirs = build(torch.nn)
    engine.manual_seed(seed)
    return theirs, build(engine.nn)


def array(x: Any) -> Array:
    return np.asarray(x.detach())


def assert_close(ours: Any, theirs: Any, kind: str = "float32", what: str = "") -> None:
    a, b = array(ours), array(theirs)
    assert a.shape == b.shape, what
    assert a.dtype == b.dtype, what
    np.testing.assert_allclose(a, b, rtol=TOLERANCE[kind] * 10, atol=TOLERANCE[kind], err_msg=what)


def assert_same_start(theirs: Any, ours: Any) -> None:
    """The same names, in the same order, of the same numbers; and the same printed form."""
    expected, got = theirs.state_dict(), ours.state_dict()
    assert list(got) == list(expected)
    for name, value in expected.items():
        assert_close(got[name], value, what=name)
    assert repr(ours) == repr(theirs)


def tensors(arrays: Sequence[Array], wants: bool = True) -> tuple[list[Any], list[Any]]:
    """The arrays as PyTorch's tensors and as ours; those of floats want gradients."""
    theirs = [torch.tensor(a, requires_grad=wants and a.dtype.kind == "f") for a in arrays]
    ours = [engine.tensor(a, requires_grad=wants and a.dtype.kind == "f") for a in arrays]
    return theirs, ours


def flat(output: Any) -> list[Any]:
    """The tensors of an output, however it nests them."""
    if isinstance(output, tuple | list):
        return [tensor for each in output for tensor in flat(each)]
    return [] if output is None else [output]


def weighted_sum(outputs: Sequence[Any], make: Callable[[Array], Any]) -> Any:
    """A number in which every element of every output has its own weight."""
    total: Any = 0.0
    for i, output in enumerate(outputs):
        weights = np.cos(np.arange(output.numel()) * 1.7 + i).reshape(tuple(output.shape)).astype(array(output).dtype)
        total = total + (output * make(weights)).sum()
    return total


def assert_same_run(theirs: Any, ours: Any, arrays: Sequence[Array], kind: str, **options: Any) -> None:
    """The same outputs, and the same gradients of every parameter and input."""
    their_in, our_in = tensors(arrays)
    their_out, our_out = flat(theirs(*their_in, **options)), flat(ours(*our_in, **options))
    assert len(our_out) == len(their_out)
    for i, (a, b) in enumerate(zip(our_out, their_out, strict=True)):
        assert_close(a, b, kind, f"output {i}")
    weighted_sum(their_out, torch.tensor).backward()
    total = weighted_sum(our_out, engine.tensor)
    watch([total])
    total.backward()
    gradients = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        expected = gradients[name].grad
        if expected is None:
            assert parameter.grad is None, name
        else:
            assert_close(parameter.grad, expected, kind, f"gradient of {name}")
    for i, (a, b) in enumerate(zip(our_in, their_in, strict=True)):
        if b.grad is not None:
            assert_close(a.grad, b.grad, kind, f"gradient of input {i}")


def normal(*shape: int, kind: str = "float32", seed: int = 0) -> Array:
    return np.random.default_rng(seed + 31 * len(shape)).standard_normal(shape).astype(kind)
