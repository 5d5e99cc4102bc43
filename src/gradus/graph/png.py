"""A scene as a PNG, by matplotlib's Agg: the same shapes in the same places as the SVG."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Patch, PathPatch
from matplotlib.path import Path

from gradus.graph.scene import Line, Marked, Rect, Scene, Text

CODES = {"M": [Path.MOVETO], "L": [Path.LINETO], "C": [Path.CURVE4] * 3}
LARGEST = 16_000  # pixels on a side


def to_png(scene: Scene, *, scale: float = 2.0) -> bytes:
    """The scene as a PNG file on white, `scale` pixels to a unit, fewer where a side would pass 16,000 pixels."""
    scale = min(scale, LARGEST / max(scene.width, scene.height))
    figure = Figure(figsize=(scene.width / 72, scene.height / 72), facecolor="white")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, scene.width)
    axes.set_ylim(scene.height, 0)
    for order, shape in enumerate(scene.shapes):
        for part in shape.shapes if isinstance(shape, Marked) else (shape,):
            match part:
                case Rect():
                    axes.add_patch(_rect(part, order))
                case Line():
                    axes.add_patch(_line(part, order))
                case Text():
                    place = {"start": "left", "middle": "center", "end": "right"}[part.anchor]
                    weight = "bold" if part.bold else "normal"
                    # units are points at 72 to the inch; DejaVu Sans is wider than what browsers take
                    words = part.words.replace("$", r"\$")
                    axes.text(
                        part.x,
                        part.y,
                        words,
                        size=0.92 * part.size,
                        color=part.fill,
                        ha=place,
                        weight=weight,
                        zorder=order,
                    )
    buffer = BytesIO()
    canvas.figure.savefig(buffer, format="png", dpi=72 * scale, metadata={"Title": scene.title})
    return buffer.getvalue()


def _rect(rect: Rect, order: int) -> Patch:
    radius = min(rect.radius, rect.width / 2, rect.height / 2)
    style = f"round,pad=0,rounding_size={radius}" if radius else "square,pad=0"
    patch: Patch
    if 2 * radius == rect.width == rect.height:
        patch = Circle((rect.x + radius, rect.y + radius), radius)
    else:
        patch = FancyBboxPatch((rect.x, rect.y), rect.width, rect.height, boxstyle=style)
    patch.set(zorder=order, linewidth=rect.thickness, edgecolor=rect.stroke)
    patch.set_facecolor((*_channels(rect.fill), rect.opacity))
    return patch


def _line(line: Line, order: int) -> PathPatch:
    points: list[tuple[float, float]] = []
    codes: list[Any] = []
    for command, values in line.pieces:
        codes += CODES[command]
        points += zip(values[::2], values[1::2], strict=True)
    return PathPatch(Path(points, codes), fill=False, edgecolor=line.stroke, linewidth=line.thickness, zorder=order)


def _channels(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
