"""A graph in the DOT language, for those who have Graphviz: an ellipse for each operation, a record for its result."""

from __future__ import annotations

from gradus.graph.model import Computation
from gradus.graph.words import number, shape


def to_dot(graph: Computation) -> str:
    """The text of a .dot file; groups are clusters."""
    lines = [
        "digraph computation {",
        "  rankdir=LR;",
        '  node [shape=record, fontname="Helvetica", fontsize=11];',
        *_cluster(graph, -1, "  "),
    ]
    for i, node in enumerate(graph.nodes):
        end = f"op{i}" if _has_sign(graph, i) else f"n{i}"
        lines += [f"  n{operand} -> {end};" for operand in node.operands]
        if _has_sign(graph, i):
            lines.append(f"  op{i} -> n{i};")
    if graph.backward is False:
        lines.append('  label="backward not run: there are no gradients yet";')
    return "\n".join([*lines, "}", ""])


def _has_sign(graph: Computation, which: int) -> bool:
    return bool(graph.nodes[which].op) and graph.nodes[which].kind != "group"


def _cluster(graph: Computation, group: int, indent: str) -> list[str]:
    lines = []
    for i, node in enumerate(graph.nodes):
        if node.group != group:
            continue
        fields = [node.label, shape(node.shape) if node.data is None else "", node.note]
        if node.data is not None:
            fields.append(f"data {number(node.data)}")
        if graph.backward and node.grad is not None:
            fields.append(f"grad {number(node.grad)}")
        label = " | ".join(_record(words) for words in fields if words)
        lines.append(f'{indent}n{i} [label="{{ {label or " "} }}"];')
        if _has_sign(graph, i):
            lines.append(f'{indent}op{i} [shape=ellipse, label="{_quoted(node.op)}"];')
    for i, inner in enumerate(graph.groups):
        if inner.parent == group:
            body = _cluster(graph, i, indent + "  ")
            lines += [
                f"{indent}subgraph cluster_{i} {{",
                f'{indent}  label="{_quoted(inner.name)}";',
                *body,
                f"{indent}}}",
            ]
    return lines


def _quoted(words: str) -> str:
    return words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _record(words: str) -> str:
    """In a record label these characters have a meaning of their own."""
    return "".join(f"\\{c}" if c in '{}|<> \\"' and c != " " else c for c in words.replace("\n", " "))
