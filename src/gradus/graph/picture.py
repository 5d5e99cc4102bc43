"""`Graph`: a computation that draws itself, as SVG, PNG, DOT or text, whole or with its groups folded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gradus import files
from gradus.graph.dot import to_dot
from gradus.graph.fold import contract
from gradus.graph.layout import Layout
from gradus.graph.model import Computation, Detail, Direction
from gradus.graph.scene import arrange, scene
from gradus.graph.svg import SVG, to_svg
from gradus.graph.text import to_text

DRAWN_UP_TO = 2000  # nodes, in a notebook: half a second, and three quarters of a megabyte
SHRUNK_UP_TO = 1400  # pixels


@dataclass(slots=True, repr=False)
class Graph(Computation):
    """A computation graph. In a notebook it shows itself; `save` writes it as .svg, .png, .dot or .txt."""

    def fold(self, *names: str, depth: int | None = None) -> Graph:
        """A new graph in which groups are single nodes.

        Args:
            names: the groups to fold, by full name ("layers.0") ; none and no depth: all of the outermost ones.
            depth: fold every group that has this many groups around it.

        Raises:
            KeyError: if there is no group of that name.
            ValueError: if a group cannot be folded because a path leaves it and comes back.
        """
        known = {group.name for group in self.groups}
        for name in names:
            if name not in known:
                raise KeyError(f"no group is called {name!r}; there are {', '.join(sorted(known)) or 'none'}")
        level = 0 if depth is None and not names else depth
        chosen = {
            position
            for position, group in enumerate(self.groups)
            if group.name in names or len(self.enclosing(position)) - 1 == level
        }
        return contract(self, chosen)

    def svg(self, *, detail: Detail | None = None, direction: Direction = "right") -> SVG:
        """The picture as SVG text, which a notebook shows: no scripts, no fonts of its own, for light and for dark.

        Args:
            detail: "full" writes every value and gradient; "map" draws a dot for each node, coloured by its gradient,
                and leaves the numbers to the tooltips. None takes "full" up to 150 nodes.
            direction: "right" from left to right, "down" from top to bottom, which a phone or a column of text can
                hold.
        """
        return to_svg(scene(self, detail=detail, direction=direction))

    def png(self, *, detail: Detail | None = None, direction: Direction = "right", scale: float = 2.0) -> bytes:
        """The same picture as PNG bytes, `scale` pixels to a unit of the SVG."""
        from gradus.graph.png import to_png  # Matplotlib takes a second to import

        return to_png(scene(self, detail=detail, direction=direction), scale=scale)

    def dot(self) -> str:
        """The graph in Graphviz's DOT language."""
        return to_dot(self)

    def text(self, *, limit: int = 200) -> str:
        """The graph as an indented tree for a terminal, at most `limit` lines of it."""
        return to_text(self, limit=limit)

    def layout(self) -> Layout:
        """Where everything goes in the full picture."""
        return arrange(self, "full")

    def save(self, path: str | Path, *, detail: Detail | None = None, direction: Direction = "right") -> Path:
        """Write the file, in the form that its ending names: .svg, .png, .dot or .txt.

        Raises:
            ValueError: for another ending.
        """
        path = Path(path)
        match path.suffix:
            case ".svg":
                data = self.svg(detail=detail, direction=direction).encode()
            case ".png":
                data = self.png(detail=detail, direction=direction)
            case ".dot":
                data = self.dot().encode("utf-8", "backslashreplace")
            case ".txt":
                data = self.text().encode("utf-8", "backslashreplace")
            case other:
                raise ValueError(
                    f"a graph is saved as .svg, .png, .dot or .txt, got {other or 'no ending'!r} in {path}"
                )
        files.write(path, data)
        return path

    def _repr_svg_(self) -> str | None:
        """The picture, unless it is too large for a notebook: `fold` it, or `save` it. One that is a little too wide is
        made smaller; a wider one scrolls, so that its numbers can be read."""
        if len(self) > DRAWN_UP_TO:
            return None
        drawn = scene(self)
        style = ' style="max-width:100%;height:auto"' if drawn.width <= SHRUNK_UP_TO else ""
        return to_svg(drawn).replace("<svg", f"<svg{style}", 1)
