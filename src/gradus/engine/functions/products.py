"""Products of vectors and matrices: matmul and its relatives, and einsum, which names the axes."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradus.engine.functions.complex_numbers import conj
from gradus.engine.functions.operands import rounded_once, tensor_of
from gradus.engine.ops import matmul as mm_
from gradus.engine.variable import Variable, apply_two

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "cdist", "chain_matmul", "cross", "dot", "einsum", "ger",
    "inner", "kron", "matmul", "mm", "mv", "outer", "tensordot", "vdot",
]  # fmt: skip


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The product of matrices, of batches of them, or of a matrix and a vector."""
    if not isinstance(other, Variable):
        other = tensor_of(other)
    return apply_two(mm_.Mm if input._array.ndim == 2 == other._array.ndim else mm_.MatMul, input, other)


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """(n, m) @ (m, p) -> (n, p)."""
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    return matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """(B, n, m) @ (B, m, p) -> (B, n, p)."""
    if input.ndim != 3 or mat2.ndim != 3:
        raise RuntimeError(f"batch{1 if input.ndim != 3 else 2} must be a 3D tensor")
    expected = (input.shape[0], input.shape[2])
    if tuple(mat2.shape[:2]) != expected:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{expected[0]}, {expected[1]}] but got: "
            f"[{mat2.shape[0]}, {mat2.shape[1]}]."
        )
    return matmul(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """(n, m) @ (m,) -> (n,)."""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {input.ndim - 1}, {input.ndim}, {vec.ndim}")
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Σ input tensor, of vectors."""
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    return matmul(input, tensor)


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """Σ conj(input) other, of vectors."""
    return dot(conj(input), other)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Σ over the last axes of both."""
    if not input.ndim or not other.ndim:
        return input * other
    return tensordot(input, other, ([input.ndim - 1], [other.ndim - 1]))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """(n,), (m,) -> (n, m), each product."""
    if input.ndim != 1:
        raise RuntimeError(f"outer: Expected 1-D argument self, but got {input.ndim}-D")
    if vec2.ndim != 1:
        raise RuntimeError(f"outer: Expected 1-D argument vec2, but got {vec2.ndim}-D")
    return input.unsqueeze(1) * vec2.unsqueeze(0)


ger = outer


def factors_by_place(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function that may be called as of old, `addmm(beta, input, alpha, mat1, mat2)`, too."""

    @functools.wraps(function)
    def called(*args: Any, **named: Any) -> Tensor:
        if len(args) > 3:
            factors = [x for x in args if not isinstance(x, Variable)]
            args = tuple(x for x in args if isinstance(x, Variable))
            if len(args) != 3 or len(factors) > 2 or named:
                raise TypeError(f"{function.__name__}() received an invalid combination of arguments")
            named = dict(zip(("beta", "alpha"), factors, strict=False))
        return function(*args, **named)

    return called


@factors_by_place
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha mat1 @ mat2."""
    return _sum(input, beta, mm, mat1, mat2, alpha)


@factors_by_place
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha mat @ vec."""
    return _sum(input, beta, mv, mat, vec, alpha)


@factors_by_place
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha outer(vec1, vec2)."""
    return _sum(input, beta, outer, vec1, vec2, alpha)


@factors_by_place
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha batch1 @ batch2, matrix by matrix."""
    return _sum(input, beta, bmm, batch1, batch2, alpha)


@factors_by_place
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha times the sum of batch1 @ batch2 over the batch."""
    return _sum(input, beta, lambda a, b: bmm(a, b).sum(0), batch1, batch2, alpha)


def _sum(input: Tensor, beta: Any, times: Callable[..., Tensor], a: Tensor, b: Tensor, alpha: Any) -> Tensor:
    """beta input + alpha times(a, b); with a beta of 0 nothing of input remains, no NaN either."""

    def computed(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        product = times(a, b)
        if alpha != 1:
            product = product * alpha
        if beta == 0:
            return product.expand(x.expand_as(product).shape)
        return (x if beta == 1 else x * beta) + product

    return rounded_once(computed, input, a, b)


def chain_matmul(*matrices: Tensor) -> Tensor:
    product = matrices[0]
    for matrix in matrices[1:]:
        product = mm(product, matrix)
    return product


def cross(input: Tensor, other: Tensor, dim: int = -1) -> Tensor:
    """The vector at right angles to two, along a dimension of size 3."""
    if input.size(dim) != 3 or other.size(dim) != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.size(dim)} and {other.size(dim)}"
        )
    return input.roll(-1, dim) * other.roll(1, dim) - input.roll(1, dim) * other.roll(-1, dim)


def kron(input: Tensor, other: Tensor) -> Tensor:
    """Every number of input times all of other, as blocks."""
    n = max(input.ndim, other.ndim)
    a = input.reshape(*(1,) * (n - input.ndim), *input.shape)
    b = other.reshape(*(1,) * (n - other.ndim), *other.shape)
    spread_a = a.reshape(*[m for size in a.shape for m in (size, 1)])
    spread_b = b.reshape(*[m for size in b.shape for m in (1, size)])
    return (spread_a * spread_b).reshape(*[p * q for p, q in zip(a.shape, b.shape, strict=True)])


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0) -> Tensor:
    """The distance of every row of x1 to every row of x2."""
    return (x1.unsqueeze(-2) - x2.unsqueeze(-3)).norm(p, dim=-1)


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sum products over the last axes of a and the first of b, or over the axes named."""
    if isinstance(dims, int):
        first, second = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        first, second = (
            [d % x.ndim for d in ([ds] if isinstance(ds, int) else ds)] for ds, x in zip(dims, (a, b), strict=True)
        )
    left = [i for i in range(a.ndim) if i not in first]
    right = [i for i in range(b.ndim) if i not in second]
    n = math.prod(a.shape[i] for i in first)
    if [a.shape[i] for i in first] != [b.shape[i] for i in second]:
        raise RuntimeError(
            f"contracted dimensions need to match, but first has sizes {[a.shape[i] for i in first]} in dims "
            f"{first} and "
            f"second has sizes {[b.shape[i] for i in second]} in dims {second}"
        )
    x = a.permute(*left, *first).reshape(math.prod(a.shape[i] for i in left), n)
    y = b.permute(*second, *right).reshape(n, math.prod(b.shape[i] for i in right))
    return (x @ y).reshape(*[a.shape[i] for i in left], *[b.shape[i] for i in right])


# ---- einsum


def einsum(equation: str, *operands: Any) -> Tensor:
    """Sums of products, by the names of the axes: `einsum("bij,bjk->bik", a, b)` (Einstein, 1916).

    Repeated names are taken along the diagonal; then products are summed, two operands at a time, over the names that
    the result does not have.
    """
    tensors = list(operands[0]) if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else list(operands)
    terms, output = _read(equation, tensors)
    _check_sizes(terms, tensors)
    result, have = _diagonals(tensors[0], terms[0])
    for i in range(1, len(tensors)):
        other, names = _diagonals(tensors[i], terms[i])
        later = output + "".join(terms[i + 1 :])
        result, have = _contract(result, have, other, names, later)
    summed = [i for i, name in enumerate(have) if name not in output]
    if summed:
        result = result.sum(summed)
        have = "".join(name for name in have if name in output)
    return result.permute(*[have.index(name) for name in output]) if have else result


def _read(equation: str, tensors: list[Tensor]) -> tuple[list[str], str]:
    """One name for each axis of each operand, and those of the result; the axes of "..." get names of their own."""
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(tensors):
        raise RuntimeError(
            "einsum(): "
            + ("fewer" if len(terms) > len(tensors) else "more")
            + f" operands were provided than specified in the equation {equation!r}: {len(tensors)} for {len(terms)}"
        )
    hidden = [x.ndim - len(term) + 3 if "..." in term else 0 for term, x in zip(terms, tensors, strict=True)]
    names = [chr(0x100 + i) for i in range(max(hidden))]
    terms = [
        term.replace("...", "".join(names[len(names) - n :])) if "..." in term else term
        for term, n in zip(terms, hidden, strict=True)
    ]
    letters = "".join(terms)
    if arrow:
        output = output.replace("...", "".join(names))
    else:
        output = "".join(names) + "".join(sorted(c for c in set(letters) - set(names) if letters.count(c) == 1))
    for i, name in enumerate(output):
        if name not in letters:
            raise RuntimeError(
                f"einsum(): output subscript {name} does not appear in the equation for any input operand"
            )
        if name in output[:i]:
            raise RuntimeError(f"einsum(): output subscript {name} appears more than once in the output")
    return terms, output


def _check_sizes(terms: list[str], tensors: list[Tensor]) -> None:
    sizes: dict[str, int] = {}
    for i, (term, x) in enumerate(zip(terms, tensors, strict=True)):
        if len(term) != x.ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(term)}) does not match the number of "
                "dimensions "
                f"({x.ndim}) for operand {i} and no ellipsis was given"
            )
        for name, n in zip(term, x.shape, strict=True):
            if sizes.get(name, n) != n and 1 not in (sizes[name], n):
                raise RuntimeError(
                    f"einsum(): subscript {name} has size {n} for operand {i} which does not broadcast with "
                    "previously seen "
                    f"size {sizes[name]}"
                )
            sizes[name] = max(sizes.get(name, 1), n)


def _diagonals(x: Tensor, names: str) -> tuple[Tensor, str]:
    for name in set(names):
        while names.count(name) > 1:
            a = names.index(name)
            b = names.index(name, a + 1)
            x = x.diagonal(0, a, b)
            names = names[:a] + names[a + 1 : b] + names[b + 1 :] + name
    return x, names


def _contract(a: Tensor, a_names: str, b: Tensor, b_names: str, later: str) -> tuple[Tensor, str]:
    """One product of two operands as a batched matrix product, summing what nothing later needs."""
    a, a_names = _without(a, a_names, b_names + later)
    b, b_names = _without(b, b_names, a_names + later)
    both = [n for n in a_names if n in b_names]
    batch = [n for n in both if n in later]
    inner_names = [n for n in both if n not in later]
    left = [n for n in a_names if n not in both]
    right = [n for n in b_names if n not in both]
    a = a.permute(*[a_names.index(n) for n in [*batch, *left, *inner_names]]) if a_names else a
    b = b.permute(*[b_names.index(n) for n in [*batch, *inner_names, *right]]) if b_names else b
    nb, nl, nr = len(batch), len(left), len(right)
    wide = [max(p, q) for p, q in zip(a.shape[:nb], b.shape[:nb], strict=True)]
    l_shape, r_shape = list(a.shape[nb : nb + nl]), list(b.shape[b.ndim - nr :])
    k = [max(p, q) for p, q in zip(a.shape[nb + nl :], b.shape[nb : b.ndim - nr], strict=True)]
    a = a.expand(*wide, *l_shape, *k).reshape(*wide, math.prod(l_shape), math.prod(k))
    b = b.expand(*wide, *k, *r_shape).reshape(*wide, math.prod(k), math.prod(r_shape))
    return (a @ b).reshape(*wide, *l_shape, *r_shape), "".join([*batch, *left, *right])


def _without(x: Tensor, names: str, wanted: str) -> tuple[Tensor, str]:
    gone = [i for i, name in enumerate(names) if name not in wanted]
    return (x.sum(gone), "".join(n for n in names if n in wanted)) if gone else (x, names)
