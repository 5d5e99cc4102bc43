"""One small program, run on the engine and on PyTorch: everything that can be seen of the two results is compared."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch as pytorch

import gradus.engine as engine
from gradus.engine.autograd.node import Node

Array = npt.NDArray[Any]
Program = Callable[..., Any]  # of torch and tensors, to a tensor, a number, or several

# Two correct sums differ by their order of adding: a few units in the last place, times a little.
CLOSE = {"float64": 1e-9, "float32": 3e-5, "float16": 4e-3}


@dataclass
class Seen:
    """What running a program showed: its error, or its outputs and the gradients of its inputs."""

    error: tuple[str, str] | None = None
    kinds: list[Any] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    gradients: list[Any] = field(default_factory=list)


def leaf(torch: Any, array: Array, layout: str = "C", wants: bool = True) -> Any:
    """A leaf tensor of these numbers: in order, with its axes backwards in memory ("T"), or with gaps between ("S")."""
    if layout == "T":
        made = torch.from_numpy(np.array(array.T, order="C").T)
    elif layout == "S" and array.ndim:
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        wide[..., ::2] = array
        made = torch.from_numpy(wide[..., ::2])
    else:
        made = torch.from_numpy(np.array(array, order="C"))
    return made.requires_grad_() if wants and array.dtype.kind in "fc" else made


def flat(result: Any) -> list[Any]:
    if isinstance(result, (tuple, list)):
        return [part for item in result for part in flat(item)]
    return [result]


def watch(roots: Sequence[Any]) -> None:
    """See to it that what an operation passes on is new where it may become a leaf's `.grad`: neither kept by the
    operation nor passed twice.
    """
    nodes = {id(node): node for node in (root.grad_fn for root in roots) if node is not None}
    waiting = list(nodes.values())
    while waiting:
        node = waiting.pop()
        written = node.__dict__.get("written")  # what a `CopySlices` runs
        for edge in (*node.edges, written):
            if isinstance(edge, Node) and id(edge) not in nodes:
                nodes[id(edge)] = edge
                waiting.append(edge)
    for node in nodes.values():
        _watch(node)


def _watch(node: Any) -> None:
    backward = node.backward

    def watched(dy: Any) -> Any:
        passed = backward(dy)
        kept: list[Any] = list(node.__dict__.values())
        gradients = passed if isinstance(passed, tuple) else (passed,)
        new = [g for g in gradients if isinstance(g, np.ndarray) and g.base is None and g is not dy]
        assert len({id(g) for g in new}) == len(new), f"{node.name()} passes an array twice"
        kept = [value for value in kept if isinstance(value, np.ndarray)]
        given = [g for g in gradients if isinstance(g, np.ndarray)]
        assert not any(np.may_share_memory(g, k) for g in given for k in kept), f"{node.name()} passes what it keeps"
        return passed

    node.backward = watched


def run(
    torch: Any, program: Program, arrays: Sequence[Array], layouts: Sequence[str], gradients: bool, names: bool
) -> Seen:
    seen = Seen()
    tensors = [leaf(torch, a, layout, gradients) for a, layout in zip(arrays, layouts, strict=True)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outputs = flat(program(torch, *tensors))
            for out in outputs:
                if isinstance(out, torch.Tensor):
                    node = out.grad_fn.name() if names and out.grad_fn is not None else None
                    seen.kinds.append((tuple(out.shape), str(out.dtype), out.requires_grad, node))
                    seen.values.append(np.array(out.detach().numpy()))
                else:
                    seen.kinds.append(type(out).__name__)
                    seen.values.append(out)
            roots = [o for o in outputs if isinstance(o, torch.Tensor) and o.requires_grad]
            if gradients and roots:
                weights = [np.cos(np.arange(o.numel()) + 1.0).reshape(tuple(o.shape)) for o in roots]
                seeds = [torch.tensor(w, dtype=o.dtype) for w, o in zip(weights, roots, strict=True)]
                if torch is engine:
                    watch(roots)
                torch.autograd.backward(roots, seeds)
            seen.gradients = [None if t.grad is None else np.array(t.grad.numpy()) for t in tensors]
    except Exception as error:
        seen.error = (type(error).__name__, str(error))
    return seen


def close(a: Any, b: Any, tolerance: float) -> None:
    if not isinstance(b, np.ndarray):
        assert a == b or (a != a and b != b), f"got {a}, PyTorch gives {b}"
        return
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    if b.dtype.kind in "fc":
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(a, b)


def agree(
    program: Program,
    *arrays: Array,
    layouts: Sequence[str] | None = None,
    gradients: bool = True,
    names: bool = False,
    tolerance: float | None = None,
) -> None:
    """The engine shows what PyTorch shows: types, shapes, values, gradients, or else an error of the same type."""
    where = layouts or ["C"] * len(arrays)
    theirs = run(pytorch, program, arrays, where, gradients, names)
    ours = run(engine, program, arrays, where, gradients, names)
    if theirs.error or ours.error:
        ours_type, theirs_type = (None if s.error is None else s.error[0] for s in (ours, theirs))
        assert ours_type == theirs_type, f"engine: {ours.error}, PyTorch: {theirs.error}"
        return
    for i, (a, b) in enumerate(zip(ours.kinds, theirs.kinds, strict=True)):
        assert a == b, f"output {i}: engine {a}, PyTorch {b}"
    within = tolerance or max([CLOSE.get(a.dtype.name, 1e-9) for a in arrays] or [3e-5])
    if any(isinstance(v, np.ndarray) and v.dtype in (np.float32, np.float16) for v in theirs.values):
        within = max(within, *(CLOSE.get(v.dtype.name, 0) for v in theirs.values if isinstance(v, np.ndarray)), 0)
    for a, b in zip(ours.values, theirs.values, strict=True):
        close(a, b, within)
    for i, (a, b) in enumerate(zip(ours.gradients, theirs.gradients, strict=True)):
        assert (a is None) == (b is None), f"gradient of input {i}: engine {a}, PyTorch {b}"
        if b is not None:
            close(a, b, within)


def same_error(program: Program, *arrays: Array) -> tuple[str, str]:
    """Both raise the same type; returns the two messages."""
    theirs = run(pytorch, program, arrays, ["C"] * len(arrays), True, False)
    ours = run(engine, program, arrays, ["C"] * len(arrays), True, False)
    assert theirs.error is not None, "PyTorch raises nothing here"
    assert ours.error is not None, f"the engine raises nothing here; PyTorch: {theirs.error}"
    assert ours.error[0] == theirs.error[0], f"engine: {ours.error}, PyTorch: {theirs.error}"
    return ours.error[1], theirs.error[1]


def numbers(*shape: int, seed: int = 0, low: float = -2.0, high: float = 2.0) -> Array:
    """Float64 numbers, no two alike and none very near 0 or each other's halfway points."""
    return np.asarray(np.random.default_rng([seed, *shape]).uniform(low, high, shape))


def slopes(program: Program, arrays: Sequence[Array], step: float = 1e-6) -> list[Array]:
    """The gradients of Σ cos(1 + i) yᵢ over the float outputs y of a program on the engine, by central differences."""

    def total() -> float:
        with engine.no_grad(), np.errstate(all="ignore"):
            outputs = flat(program(engine, *[engine.tensor(a) for a in arrays]))
        floats = [np.array(o.numpy()) for o in outputs if o.is_floating_point()]
        return float(sum((np.cos(np.arange(y.size) + 1.0).reshape(y.shape) * y).sum() for y in floats))

    found = []
    for array in arrays:
        slope = np.zeros_like(array)
        for place in np.ndindex(*array.shape):
            kept = array[place]
            array[place] = kept + step
            above = total()
            array[place] = kept - step
            below = total()
            array[place] = kept
            slope[place] = (above - below) / (2 * step)
        found.append(slope)
    return found


def agree_with_differences(program: Program, *arrays: Array) -> None:
    """The engine's gradients are the slopes of its values: to 1e-6, what float64 differences of step 1e-6 can show."""
    ours = run(engine, program, arrays, ["C"] * len(arrays), True, False)
    assert ours.error is None, ours.error
    for got, want in zip(ours.gradients, slopes(program, arrays), strict=True):
        np.testing.assert_allclose(np.zeros_like(want) if got is None else got, want, rtol=1e-5, atol=1e-6)
