"""What an output of a network sees: each place of each layer as a dot, and the way down to the inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from gradus.plots.palette import GRID, INK, MUTED, SERIES, SURFACE
from gradus.plots.style import SMALL, bare, new_figure
from gradus.plots.visible import visible

COLUMN, ROW = 0.46, 0.62  # inches between two places, and between two layers


def plot_reach(
    symbols: Sequence[str],
    layers: Sequence[Mapping[int, Sequence[int]]],
    *,
    of: int,
    names: Sequence[str] | None = None,
    title: str = "What it sees",
) -> Figure:
    """Draw a network over a row of symbols, inputs at the bottom, and in colour all that one of its outputs depends on.

        >>> tree = [{1: (0, 1), 3: (2, 3)}, {3: (1, 3)}]
        >>> figure = plot_reach("emma", tree, of=3)

    Args:
        symbols: the T inputs.
        layers: for each layer, from the lowest: the places where it has an output -> the places of the layer below
            that this output is made of.
        of: the place of the output, in the last layer.
        names: of the layers; "layer 1" and so on if None.

    Raises:
        ValueError: if there is no layer, the last one has no output at `of`, or an output is made of what is not there.
    """
    if not layers:
        raise ValueError("no layers to draw: give at least one mapping of places to places")
    names = names if names is not None else [f"layer {k + 1}" for k in range(len(layers))]
    if len(names) != len(layers):
        raise ValueError(f"{len(layers)} layers need as many names, got {len(names)}")
    there: Sequence[int] | Mapping[int, Sequence[int]] = range(len(symbols))
    for name, layer in zip(names, layers, strict=True):
        if missing := {place for below in layer.values() for place in below} - set(there):
            raise ValueError(f"{name} reads the places {sorted(missing)}, where nothing is below it")
        there = layer
    if of not in layers[-1]:
        raise ValueError(f"{names[-1]} has no output at {of}, only at {sorted(layers[-1])}")

    seen = seen_by(layers, of)
    figure = new_figure(COLUMN * len(symbols) + 1.2, ROW * (len(layers) + 1) + 0.5)
    axes = bare(figure.add_subplot(), title=title)
    for k, layer in enumerate(layers, 1):
        for place, below in layer.items():
            on = place in seen[k]
            for source in below:
                axes.plot(
                    (source, place), (k - 1, k), color=SERIES[0] if on else GRID, linewidth=2.0 if on else 1.2,
                    zorder=2 if on else 1, gid="seen" if on else "unseen",
                )  # fmt: skip
    for k, places in enumerate([range(len(symbols)), *layers]):
        for place in places:
            on = place in seen[k]
            axes.plot(
                place, k, marker="o", markersize=15 if k == 0 else 9, zorder=3, linestyle="none",
                markerfacecolor=SERIES[0] if on else SURFACE, markeredgecolor=SERIES[0] if on else MUTED,
            )  # fmt: skip
    for place, symbol in enumerate(symbols):
        axes.text(
            place, -0.02, visible(symbol), ha="center", va="center", fontsize=SMALL + 1, zorder=4,
            color=SURFACE if place in seen[0] else INK,
        )  # fmt: skip
    axes.set_xlim(-0.6, len(symbols) - 0.4)
    axes.set_ylim(-0.5, len(layers) + 0.4)
    axes.set_xticks([])
    axes.set_yticks(range(len(layers) + 1), ["input", *names])
    return figure


def seen_by(layers: Sequence[Mapping[int, Sequence[int]]], of: int) -> list[set[int]]:
    """The places of the inputs, then of each layer, that the output at `of` depends on."""
    seen = [{of}]
    for layer in reversed(layers):
        seen.insert(0, {place for output in seen[0] for place in layer[output]})
    return seen
