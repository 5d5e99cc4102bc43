"""A topological order of any graph: each node once, after all its operands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def topological_order(roots: Iterable[T], operands: Callable[[T], Sequence[T]]) -> list[T]:
    """The roots and everything they were computed from, each once and after its operands.

    >>> below = {"c": "ab", "b": "a", "a": ""}
    >>> topological_order(["c"], lambda node: list(below[node]))
    ['a', 'b', 'c']

    Depth first, the first operand's side first, with a list in place of recursion, so that depth has no limit. Nodes
    are told apart by identity.
    """
    order: list[T] = []
    seen: set[int] = set()
    stack: list[tuple[T, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, operands_done = stack.pop()
        if operands_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack += [(operand, False) for operand in reversed(operands(node))]
    return order
