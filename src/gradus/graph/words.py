"""Numbers, shapes and nodes in words, and how wide words are."""

from __future__ import annotations

import math

from gradus.graph.model import Node


def number(value: float) -> str:
    """As the lectures print it: four decimals; very large and very small numbers in scientific notation."""
    if not math.isfinite(value):
        return str(value).replace("-", "−")
    if value == 0:
        return "0.0000"  # a negative zero is a distraction
    plain = 1e-4 <= abs(value) < 1e6
    return (f"{value:.4f}" if plain else f"{value:.3e}").replace("-", "−")


def shape(sizes: tuple[int, ...] | None) -> str:
    """(4, 3) as 4 × 3; a tensor of no dimensions is a scalar."""
    return "" if sizes is None else " × ".join(map(str, sizes)) if sizes else "scalar"


def shorten(name: str) -> str:
    return name if len(name) <= 28 else "…" + name[-27:]


def tooltip(node: Node) -> str:
    """All that is known of a node."""
    said = [node.label or (node.op if node.kind != "group" else "group") or "constant"]
    if node.op:
        said.append(f"{'class' if node.kind == 'group' else 'made by'} {node.op}")
    if node.data is not None:
        said.append(f"data {node.data!r}")
    if node.grad is not None:
        said.append(f"grad {node.grad!r}")
    if node.shape is not None:
        said.append(f"shape {tuple(node.shape)}")
    if node.local:
        said.append("local derivative " + ", ".join(f"{local:.6g}" for local in node.local))
    if node.note:
        said.append(node.note)
    return "; ".join(said)


def measure(words: str, size: float, *, bold: bool = False) -> float:
    """The width of a text in a common sans-serif face, a little on the safe side."""
    return size * sum(_ADVANCE.get(c, 0.62) for c in words) * (1.12 if bold else 1.0)


_ADVANCE = (
    dict.fromkeys("iljI.,:;'|![]()", 0.3)
    | dict.fromkeys("ftr ", 0.38)
    | dict.fromkeys("mwMW@%", 0.9)
    | dict.fromkeys("ABCDEFGHKNOPQRSUVXYZ", 0.7)
)
