"""How every figure of gradus looks: size, type, colour and axes, applied to the figure and never to rcParams."""

from __future__ import annotations

from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as MatplotlibFigure

from gradus.plots.palette import GRID, INK, MUTED, SURFACE

SMALL, TEXT, TITLE = 8.0, 9.5, 12.0  # points


class Figure(MatplotlibFigure):
    """matplotlib's, which a notebook shows without pyplot."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Twice as fine as it is shown, for a screen with such pixels."""
        buffer, shown = BytesIO(), 96  # pixels an inch
        self.savefig(buffer, format="png", dpi=2 * shown)
        width, height = self.get_size_inches()
        return buffer.getvalue(), {"width": round(width * shown), "height": round(height * shown)}


def new_figure(width: float = 7.0, height: float = 4.0) -> Figure:
    """An empty figure, width and height in inches, that draws with Agg and lays itself out."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=SURFACE)
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes, *, title: str = "", xlabel: str = "", ylabel: str = "", grid: bool = True) -> Axes:
    """Give the axes our type and colours: no box, a light grid behind the data, title at the left."""
    axes.set_facecolor(SURFACE)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GRID)
    axes.tick_params(colors=MUTED, labelsize=SMALL, length=0)
    if grid:
        axes.grid(True, color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
    if title:
        axes.set_title(title, loc="left", fontsize=TITLE, color=INK)
    axes.set_xlabel(xlabel, fontsize=TEXT, color=MUTED)
    axes.set_ylabel(ylabel, fontsize=TEXT, color=MUTED)
    return axes


def bare(axes: Axes, *, title: str = "") -> Axes:
    """The axes of a picture: no spines, no grid."""
    dress(axes, title=title, grid=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes
