"""The loss curves of the page as one inline SVG, drawn by hand: text stays text, colours follow the page's theme.

Time is logarithmic, because what a model learns in its first second and in its last minute are both worth seeing; so is
the loss, because the last steps down are small and the dearest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gradus.plots.curve import LossCurve
from gradus.report.markup import Markup, el

_TIMES = (
    0.001,
    0.003,
    0.01,
    0.03,
    0.1,
    0.3,
    1.0,
    3.0,
    10.0,
    30.0,
    60.0,
    180.0,
    600.0,
    1800.0,
    3600.0,
    10800.0,
    36000.0,
)
_LOSSES = [m * 10.0**e for e in range(-4, 3) for m in (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 8)]
_POINTS = 240  # more points on a training line than this cannot be seen


@dataclass(frozen=True)
class Level:
    """A horizontal line: the loss of what has no curve. kind: "rung", "stick" for a yardstick, or "floor"."""

    paint: str
    name: str
    loss: float
    kind: str = "rung"


def loss_chart(
    curves: Sequence[tuple[str, LossCurve]],
    levels: Sequence[Level] = (),
    *,
    width: int = 880,
    height: int = 520,
    labels: bool = True,
) -> Markup:
    """Draw loss against seconds of training.

    Args:
        curves: (paint, curve), paint being a CSS colour. A thin line is the training loss (running mean), a strong one
            with dots the loss over the dev split; a dot has its numbers in a tooltip.
        levels: of what has no curve.
        width, height: of the view box, in CSS pixels.
        labels: write the names at the ends of the curves; without them the chart needs a legend beside it.

    Returns:
        an <svg> element that stands alone, labelled for screen readers.
    """
    curves = [(paint, curve) for paint, curve in curves if curve.train or curve.dev]
    longest = max((len(curve.label) for _, curve in curves), default=0) + len(" 1.234")
    right = 20 + 8 * longest if labels else 14  # 8 pixels hold a character
    plot = _Plot(curves, levels, width, height, right)
    told = [f"{curve.label} ends at {_end(curve)[1]:.3f}" for _, curve in curves]
    told += [f"{level.name} is at {level.loss:.3f}" for level in levels]
    return el(
        "svg",
        plot.grid(),
        plot.levels(levels),
        *(plot.curve(paint, curve) for paint, curve in curves),
        plot.labels({curve.label: (paint, *_end(curve)) for paint, curve in curves}) if labels else "",
        class_="chart",
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label=f"Loss in nats per character against seconds of training. {'; '.join(told)}.",
    )


def spread(wanted: Mapping[str, float], gap: float, low: float, high: float) -> dict[str, float]:
    """Move positions apart, as little as needed, so that neighbours keep the gap and all lie between low and high.

    >>> spread({"a": 10.0, "b": 12.0}, 10.0, 0.0, 100.0)
    {'a': 10.0, 'b': 20.0}
    """
    names = sorted(wanted, key=lambda name: wanted[name])
    out: dict[str, float] = {}
    last = low - gap
    for name in names:
        last = out[name] = max(wanted[name], last + gap)
    limit = high
    for name in reversed(names):
        out[name] = min(out[name], limit)
        limit = out[name] - gap
    return out


def clock(seconds: float) -> str:
    """0.1 s, 12 s, 1 min, 2 min 30 s, 1 h.

    >>> [clock(s) for s in (0.125, 3.44, 12.3, 60, 150, 3600)]
    ['0.12 s', '3.4 s', '12 s', '1 min', '2 min 30 s', '1 h']
    """
    if seconds < 9.95:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    parts = [(whole // 3600, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    return " ".join(f"{n} {unit}" for n, unit in parts if n)


class _Plot:
    """The plot: positions of seconds and nats, and the marks drawn there."""

    def __init__(
        self, curves: Sequence[tuple[str, LossCurve]], levels: Sequence[Level], width: int, height: int, right: int
    ) -> None:
        self.left, self.right, self.bottom, self.top = 44, width - right, height - 40, 16
        seconds = [s for _, curve in curves for s in (*curve.seconds, *curve.dev_seconds) if s > 0] or [1.0]
        self.t1 = max(seconds)
        self.t0 = min(max(min(seconds), self.t1 / 1000), self.t1 / 10)  # three decades at most, one at least
        at = [level.loss for level in levels]
        losses = [*at, *(loss for _, curve in curves for loss in (*_settled(curve), *curve.dev))]
        losses = [loss for loss in losses if math.isfinite(loss) and loss > 0] or [1.0]
        self.high = (
            min(max(losses), max(at, default=math.inf)) * 1.03
        )  # what lies above guessing is not worth the height
        self.low = min(losses) * 0.97
        self.ends = max((_end(curve)[1] for _, curve in curves), default=self.high)

    def x(self, seconds: float) -> float:
        t = max(seconds, self.t0)
        return self.left + (self.right - self.left) * math.log(t / self.t0) / math.log(self.t1 / self.t0)

    def y(self, loss: float) -> float:
        inside = min(max(loss, self.low), self.high)
        return self.bottom + (self.top - self.bottom) * math.log(inside / self.low) / math.log(self.high / self.low)

    def grid(self) -> Iterator[Markup]:
        above = math.inf
        for loss in (loss for loss in _LOSSES if self.low <= loss <= self.high):
            y = self.y(loss)
            if above - y < 20:  # pixels that a number takes
                continue
            above = y
            yield el("line", class_="grid", x1=self.left, x2=self.right, y1=y, y2=y)
            yield el("text", f"{loss:g}", class_="tick", x=self.left - 8, y=y + 4, text_anchor="end")
        taken = -math.inf
        for seconds in (t for t in _TIMES if self.t0 <= t <= self.t1):
            x = self.x(seconds)
            if x - taken < 40:  # pixels that a time takes
                continue
            taken = x
            yield el("line", class_="grid", x1=x, x2=x, y1=self.bottom, y2=self.bottom + 5)
            yield el("text", clock(seconds), class_="tick", x=x, y=self.bottom + 18, text_anchor="middle")
        middle = (self.left + self.right) / 2
        yield el("text", "time in training", class_="tick", x=middle, y=self.bottom + 36, text_anchor="middle")

    def levels(self, levels: Sequence[Level]) -> Iterator[Markup]:
        """The lines, each with its name where no curve runs: on the right above the ends of all curves, else on the
        left."""
        for level in levels:
            y = self.y(level.loss)
            yield el("line", class_=f"level {level.kind}", x1=self.left, x2=self.right, y1=y, y2=y, stroke=level.paint)
        for on_right in (False, True):
            side = {level.name: level for level in levels if (level.loss > self.ends) is on_right}
            wanted = {name: 5 - self.y(level.loss) for name, level in side.items()}  # upward: above its own line
            heights = {name: -y for name, y in spread(wanted, 15, 4 - self.bottom, 4 - self.top).items()}
            for name, level in side.items():
                place = {"x": self.right - 6, "text_anchor": "end"} if on_right else {"x": self.left + 6}
                label = f"{name} {level.loss:.3f}"
                yield el("text", label, class_=f"name {level.kind}", y=heights[name], fill=level.paint, **place)

    def curve(self, paint: str, curve: LossCurve) -> Iterator[Markup]:
        weight = max(0.0, min(0.95, 1 - 40 / max(1, len(curve.train))))  # a longer run is averaged over more points
        losses = zip(curve.seconds, curve.smoothed(weight), strict=True)
        train = _thin([(self.x(s), self.y(loss)) for s, loss in losses if s > 0 and math.isfinite(loss)])
        if len(train) > 1:
            yield el("polyline", class_="train", points=_join(train), stroke=paint)
        dev = [(s, loss) for s, loss in zip(curve.dev_seconds, curve.dev, strict=True) if math.isfinite(loss)]
        if len(dev) > 1:
            line = _join([(self.x(s), self.y(v)) for s, v in dev])
            yield el("polyline", class_="dev", points=line, stroke=paint)
        for seconds, loss in dev:
            place = {"cx": self.x(seconds), "cy": self.y(loss)}
            yield el(
                "g",
                el("title", f"{curve.label} after {clock(seconds)}: dev loss {loss:.4f}"),
                el("circle", **place, r=9, fill="transparent"),  # room for the pointer
                el("circle", **place, r=3.5, fill=paint),
                class_="dot",
            )

    def labels(self, ends: Mapping[str, tuple[str, float, float]]) -> Iterator[Markup]:
        heights = spread({name: self.y(end[2]) + 4 for name, end in ends.items()}, 17, self.top + 4, self.bottom)
        for name, (paint, seconds, loss) in ends.items():
            y = heights[name]
            start = self.x(seconds) + 6
            yield el("line", class_="lead", x1=start, y1=self.y(loss), x2=self.right + 8, y2=y - 4, stroke=paint)
            yield el("text", f"{name} {loss:.3f}", class_="name", x=self.right + 12, y=y, fill=paint)


def _end(curve: LossCurve) -> tuple[float, float]:
    """When a curve ends, and what it came to: the lowest dev loss, whose weights are kept, or else the last of the
    training loss."""
    return (curve.dev_seconds[-1], min(curve.dev)) if curve.dev else (curve.seconds[-1], curve.smoothed()[-1])


def _settled(curve: LossCurve) -> Sequence[float]:
    """The running training loss without its first tenth, which starts anywhere."""
    return curve.smoothed()[len(curve.train) // 10 :]


def _thin(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most _POINTS of the points, evenly over the width of the sheet, the last kept."""
    if len(points) <= _POINTS:
        return points
    least = (points[-1][0] - points[0][0]) / _POINTS
    kept = [points[0]]
    for point in points[1:-1]:
        if point[0] - kept[-1][0] >= least:
            kept.append(point)
    return [*kept, points[-1]]


def _join(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
