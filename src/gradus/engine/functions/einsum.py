"""einsum: sums of products by the names of the axes."""

from __future__ import annotations

import math
import string
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = ["einsum"]


def einsum(equation: Any, *operands: Any) -> Tensor:
    """Sums of products, by the names of the axes: `einsum("bij,bjk->bik", a, b)` (Einstein, 1916).

    The names may be numbers from 0 to 51, too: `einsum(a, [0, 1], b, [1, 2], [0, 2])`.

    Repeated names are taken along the diagonal; then products are summed, two operands at a time, over the names that
    the result does not have.
    """
    if not isinstance(equation, str):
        equation, operands = _from_sublists((equation, *operands))
    if not operands:
        raise ValueError("einsum(): must specify the equation string and at least one operand")
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


_LETTERS = string.ascii_uppercase + string.ascii_lowercase


def _from_sublists(operands: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The equation and operands of a call with lists of numbers instead of an equation."""
    terms = [_term(names) for names in operands[1::2]]
    equation = ",".join(terms)
    return (f"{equation}->{_term(operands[-1])}" if len(operands) % 2 else equation), operands[: 2 * len(terms) : 2]


def _term(names: Any) -> str:
    for name in names:
        if name is not Ellipsis and not 0 <= name < len(_LETTERS):
            raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")
    return "".join("..." if name is Ellipsis else _LETTERS[name] for name in names)


def _check_names(equation: str, terms: list[str], output: str) -> None:
    for i, c in enumerate(equation):
        if c not in _LETTERS and c not in " ,.->":
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {i} in the equation string, subscripts must be in [a-zA-Z]"
            )
    for i, term in enumerate([*terms, output]):
        if "." in term.replace("...", "", 1):
            where = f"operand {i}" if i < len(terms) else "the output"
            raise RuntimeError(f"einsum(): found '.' for {where} that is not part of any ellipsis")


def _read(equation: str, tensors: list[Tensor]) -> tuple[list[str], str]:
    """One name for each axis of each operand, and those of the result; the axes of "..." get names of their own."""
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    _check_names(equation, terms, output)
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
                f"dimensions ({x.ndim}) for operand {i} and no ellipsis was given"
            )
        for name, n in zip(term, x.shape, strict=True):
            if sizes.get(name, n) != n and 1 not in (sizes[name], n):
                raise RuntimeError(
                    f"einsum(): subscript {name} has size {n} for operand {i} which does not broadcast with "
                    f"previously seen size {sizes[name]}"
                )
            sizes[name] = max(sizes.get(name, 1), n)


def _diagonals(x: Tensor, names: str) -> tuple[Tensor, str]:
    for name in set(names):
        while names.count(name) > 1:
            a = names.index(name)
            b = names.index(name, a + 1)
            if x._array.shape[a] != x._array.shape[b]:
                raise RuntimeError(
                    f"einsum(): subscript {name} is repeated for an operand but the sizes don't match, "
                    f"{x._array.shape[b]} != {x._array.shape[a]}"
                )
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
