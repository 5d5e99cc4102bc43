"""A graph for a terminal: the result at the top, what it was made from indented below it, numbers in columns beside."""

from __future__ import annotations

from collections.abc import Sequence

from gradus.graph.model import Computation, Node
from gradus.graph.words import number, shape

NO_GRADIENTS = "backward not run: there are no gradients yet"


def to_text(graph: Computation, *, limit: int = 200) -> str:
    """At most `limit` lines of an indented tree. A node that is used again is not unfolded again, only named, with ↑.

    Nodes without a label are called v1, v2 ... in the order of the computation, where they have to be named.
    """
    names = node_names(graph)
    rows: list[tuple[str, Node | None]] = []
    seen: set[int] = set()
    todo = [(output, "", "", "") for output in reversed(graph.outputs)]
    while todo and len(rows) < limit:
        which, before, branch, below = todo.pop()
        node = graph.nodes[which]
        if which in seen and node.operands:
            rows.append((f"{before}{branch}{names[which]} ↑", None))
            continue
        again = which in seen
        seen.add(which)
        rows.append((f"{before}{branch}{_said(node, names, which)}", None if again else node))
        inner = before + below
        last = len(node.operands) - 1
        for position in range(last, -1, -1):
            final = position == last
            todo.append((node.operands[position], inner, "└─ " if final else "├─ ", "   " if final else "│  "))
    return _table(graph, rows, left=len(graph) - len(seen))


def node_names(graph: Computation) -> list[str]:
    """Something to call each node by: its label, the number that a constant is, or v1, v2 ... for what has neither."""
    names = []
    unnamed = 0
    for node in graph.nodes:
        if node.label:
            names.append(node.label)
        elif node.op or node.data is None:
            unnamed += 1
            names.append(f"v{unnamed}")
        else:
            names.append(f"{node.data:g}")
    return names


def _said(node: Node, names: Sequence[str], which: int) -> str:
    """`d = e + c`, `o = tanh(n)`, `a`."""
    name = names[which]
    operands = [names[operand] for operand in node.operands]
    if not node.op:
        return name
    if node.kind == "group":
        return f"{name} = {node.op}({', '.join(operands)})"
    if node.op.startswith("**") and len(node.op) > 2:
        return f"{name} = {operands[0]}{node.op}"
    symbol = not node.op[0].isalpha()
    return (
        f"{name} = {f' {node.op} '.join(operands)}"
        if symbol and len(operands) > 1
        else f"{name} = {node.op}({', '.join(operands)})"
    )


def _table(graph: Computation, rows: list[tuple[str, Node | None]], left: int) -> str:
    graded = bool(graph.backward) and any(node.grad is not None for node in graph.nodes)
    wide = max(len(tree) for tree, _ in rows)
    lines = []
    for tree, node in rows:
        if node is None:
            lines.append(tree)
            continue
        cells = [number(node.data) if node.data is not None else shape(node.shape)]
        if graded:
            cells.append(number(node.grad) if node.grad is not None else node.note)
        elif node.note:
            cells.append(node.note)
        lines.append((f"{tree:<{wide}}  " + "  ".join(f"{cell:>12}" for cell in cells)).rstrip())
    has_data = any(node.data is not None for node in graph.nodes)
    head = f"{'':<{wide}}  {'data' if has_data else 'shape':>12}" + (f"  {'grad':>12}" if graded else "")
    more = [f"… and {left:,} more nodes"] if left > 0 else []
    note = [NO_GRADIENTS] if graph.backward is False else []
    return "\n".join([head, *lines, *more, *note]) + "\n"
