"""The colours of the rungs on a page: a hue for each network, one grey for all that count, ink for a mixture, which is
both. A rung has its colour wherever it is drawn."""

from __future__ import annotations

from gradus.plots.palette import SERIES, SERIES_DARK
from gradus.report.record import Record

HUES = (*SERIES, "#0f8ba0", "#8c4a2f")  # two more than the figures have: a climb has seven networks
HUES_DARK = (*SERIES_DARK, "#4cc3d6", "#c98d6e")
COUNTS, MIXED = "var(--counts)", "var(--ink)"


def colors(record: Record) -> list[str]:
    """A CSS colour for each rung. The networks after the eighth begin again with the first hue."""
    networks = [rung for rung in record.rungs if rung.trained]
    return [
        f"var(--c{networks.index(rung) % len(HUES)})" if rung.trained else MIXED if rung.mixed else COUNTS
        for rung in record.rungs
    ]
