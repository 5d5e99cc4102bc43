"""A scene as SVG: plain shapes with plain attributes, for a notebook, an editor, a README and a browser alike."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from gradus.graph.scene import Line, Marked, Rect, Scene, Text

_FORBIDDEN = re.compile("[\x00-\x1f\ud800-\udfff\ufffe\uffff]")
FONT = "ui-sans-serif,system-ui,'Segoe UI',Helvetica,Arial,sans-serif"


class SVG(str):
    """The text of an SVG file, which a notebook shows as the picture it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"SVG({len(self):,} characters)"

    def _repr_svg_(self) -> str:
        return str(self)


def to_svg(scene: Scene) -> SVG:
    """The scene as the text of an SVG file."""
    width, height = round(scene.width), round(scene.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family={quoteattr(FONT)} role="img">',
        f"<title>{_words(scene.title)}</title>",
    ]
    lines += map(_shape, scene.shapes)
    lines.append("</svg>\n")
    return SVG("\n".join(lines))


def _shape(shape: Rect | Text | Line | Marked) -> str:
    match shape:
        case Rect():
            return _rect(shape)
        case Text():
            return _text(shape)
        case Line():
            path = "".join(f"{command}{' '.join(map(_short, values))}" for command, values in shape.pieces)
            return f'<path d="{path}" fill="none" stroke="{shape.stroke}" stroke-width="{_short(shape.thickness)}"/>'
        case Marked():
            title = f"<title>{_words(shape.title)}</title>"
            if len(shape.shapes) == 1 and isinstance(shape.shapes[0], Rect):
                return _rect(shape.shapes[0], title)
            return f"<g>{title}{''.join(map(_shape, shape.shapes))}</g>"


def _rect(rect: Rect, inside: str = "") -> str:
    x, y, width, height, radius = map(_short, (rect.x, rect.y, rect.width, rect.height, rect.radius))
    said = f'<rect x="{x}" y="{y}" width="{width}" height="{height}"'
    if rect.radius:
        said += f' rx="{radius}"'
    said += f' fill="{rect.fill}"'
    if rect.opacity < 1:
        said += f' fill-opacity="{rect.opacity}"'
    if rect.stroke != "none":
        said += f' stroke="{rect.stroke}"'
        if rect.thickness != 1:
            said += f' stroke-width="{_short(rect.thickness)}"'
    return f"{said}>{inside}</rect>" if inside else said + "/>"


def _text(text: Text) -> str:
    anchor = "" if text.anchor == "start" else f' text-anchor="{text.anchor}"'
    bold = ' font-weight="600"' if text.bold else ""
    place = f'x="{_short(text.x)}" y="{_short(text.y)}" font-size="{_short(text.size)}"'
    return f'<text {place} fill="{text.fill}"{anchor}{bold}>{_words(text.words)}</text>'


def _short(value: float) -> str:
    """One decimal is a tenth of a pixel: enough."""
    return f"{value:.1f}".removesuffix(".0")


def _words(words: str) -> str:
    """Escaped, without the control characters that XML forbids."""
    return escape(_FORBIDDEN.sub(" ", words))
