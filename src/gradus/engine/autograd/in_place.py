"""Recording in-place operations: the target gets new values, a new version and, if it is recorded, a new grad_fn."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.grad_mode import state
from gradus.engine.autograd.node import LEAF, Edge, Function, Output, SavedVersion
from gradus.engine.autograd.record import Variable, wrap
from gradus.engine.autograd.views import CopySlices, follow_base, refuse_one_of_several
from gradus.engine.dtypes import Array
from gradus.engine.ops.number_types import SPECIAL, suited

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor


def apply_(target: Tensor, op: type[Function], *inputs: Any, option: Any = None, **options: Any) -> Tensor:
    """Compute `op(target, *inputs)`, write the result into `target`, and record it if an input requires a gradient.

    Raises:
        RuntimeError: if target is a leaf that requires a gradient, or the result has another shape.
    """
    arguments = (target, *inputs)
    edges: list[Edge] = [x._edge() if isinstance(x, Variable) and state.enabled else None for x in arguments]
    recorded = any(edge is not None for edge in edges)
    if recorded:
        _refuse_leaf(target)
    for x in inputs:
        if isinstance(x, Variable) and x._version_counter is target._version_counter:
            _refuse_partial_overlap(target._array, x._array)
    before = target._array
    repeated = before.base is not None and 0 in before.strides
    if repeated:
        refuse_repeated(before, op.into_repeated)
    if before.dtype.char in SPECIAL:
        op = suited(op, before.dtype.char)
    node = op()
    node.edges = edges
    arrays = [x._array if isinstance(x, Variable) else x for x in arguments]
    result = node.forward(*arrays, **options) if option is None else node.forward(*arrays, option)
    if isinstance(result, np.generic):
        result = node.keep_as_array(result)
    if result.shape != before.shape:
        raise RuntimeError(
            f"output with shape {list(before.shape)} doesn't match the broadcast shape {list(result.shape)}"
        )
    if recorded:
        attributes = (node.wrapped or node).__dict__
        for name, value in attributes.items():
            if value is before:
                attributes[name] = before.copy()  # backward needs the old values
            elif value is result:
                attributes[name] = before  # ... or the new ones
    whole = result.base is None and before.base is None and result is not before
    if not whole and np.may_share_memory(result, before):
        result = result.copy()
    if repeated:
        np.copyto(before, result, where=result != before)
    else:
        before[...] = result
    target._version_counter[0] += 1
    if recorded:
        saved: list[SavedVersion] = []
        for x, edge in zip(arguments, edges, strict=True):
            if isinstance(x, Variable):
                saved.append((x._version_counter, x._version_counter[0], id(x._array), x is target or edge))
        node.join(edges, saved)
        rewire(target, node)
    return target


def rewire(target: Tensor, node: Function | Output) -> None:
    """Make `node`, whose first edge leads to target's old grad_fn, its new one, after an in-place operation."""
    base = target._base
    target._version_counter[1:] = [node.name() if base is None else "CopySlices"]
    if base is None:
        target._become(node)
        target._rewired += 1
        return
    if base._node is LEAF and state.enabled and base._rewired == 0:
        raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    assert isinstance(node, Function)
    whole = CopySlices(node, base, target)
    whole.join((base._edge(), *node.edges[1:]), node.saved or ())
    base._become(whole)
    base._rewired += 1
    follow_base(target)


def become_view(target: Tensor, view: Callable[[Tensor], Tensor]) -> Tensor:
    """Turn a tensor into a view of itself, in place: with the view's shape, strides and grad_fn."""
    before = wrap(target._array)  # stands for the old target
    recorded = state.enabled and target._edge() is not None
    if recorded:
        _refuse_leaf(target)
        before._node = target._node
    out = view(before)
    target._array = out._array
    target._version_counter[0] += 1
    if recorded and out._node is not None and out is not before:
        target._become(out._node)
        target._rewired += target._base is None
    return target


def _refuse_leaf(target: Tensor) -> None:
    if target._base is not None:
        if target._one_of_several:
            refuse_one_of_several(target, "is being modified inplace")
        base = target._base
        if base._node is LEAF:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    elif target._node is LEAF:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")


def _refuse_partial_overlap(a: Array, b: Array) -> None:
    """Raise if two arrays overlap in memory, unless they are the same elements in the same order."""
    if not (a.size and b.size and _dense(a) and _dense(b)):
        return
    start_a, start_b = (x.__array_interface__["data"][0] for x in (a, b))
    same = start_a == start_b and a.nbytes == b.nbytes and a.strides == b.strides
    if not same and start_a < start_b + b.nbytes and start_b < start_a + a.nbytes:
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
            "memory location. Please clone() the tensor before performing the operation."
        )


def _dense(array: Array) -> bool:
    """Whether an array's elements fill a block of memory without gaps, in any order of its axes."""
    step = array.itemsize
    for stride, size in sorted(zip(array.strides, array.shape, strict=True)):
        if size != 1:
            if stride != step:
                return False
            step *= size
    return True


def refuse_repeated(array: Array, deprecated: str = "") -> None:
    """Raise if several elements of an array to write to share memory, as in an expanded tensor; if the operation is
    deprecated there, only warn.
    """
    if not any(stride == 0 and size > 1 for stride, size in zip(array.strides, array.shape, strict=True)):
        return
    if not array.size:
        return
    if not deprecated:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )
    warnings.warn(
        f"Use of {deprecated} on expanded tensors is deprecated. Please clone() the tensor before performing this "
        "operation. This also applies to advanced indexing e.g. tensor[indices] = tensor",
        UserWarning,
        stacklevel=4,
    )
