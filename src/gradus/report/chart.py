"""The loss curves of the page as one inline SVG, drawn by hand: text stays text, colours follow the page's theme.

Time is logarithmic, because what a model learns in its first second and in its last minute are both worth seeing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

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
COLORS = 6  # of the page; the curves after so many have the same colours again, dashed
_POINTS = 240  # more points on a training line than this cannot be seen

Level = tuple[int | None, str, float]


def loss_chart(
    curves: Sequence[tuple[int, LossCurve]],
    levels: Sequence[Level] = (),
    *,
    width: int = 880,
    height: int = 420,
    labels: bool = True,
) -> Markup:
    """Draw loss against seconds of training.

    Args:
        curves: (color, curve); the color is an index into the page's --c0, --c1, ... A thin line is the training loss
            (running mean), a strong one with dots the loss over the dev split; a dot has its numbers in a tooltip.
        levels: (color or None for grey, name, loss) of what has no curve: dashed horizontal lines.
        width, height: of the view box, in CSS pixels.
        labels: write the names at the ends of the curves; without them the chart needs a legend beside it.

    Returns:
        an <svg> element that stands alone, labelled for screen readers.
    """
    curves = [(color, curve) for color, curve in curves if curve.train or curve.dev]
    longest = max((len(curve.label) for _, curve in curves), default=0) + len(" 1.234")
    right = 20 + 8 * longest if labels else 14  # 8 pixels hold a character
    plot = _Plot(curves, levels, width, height, right)
    told = [f"{curve.label} ends at {_end(curve)[1]:.3f}" for _, curve in curves]
    told += [f"{name} is at {loss:.3f}" for _, name, loss in levels]
    return el(
        "svg",
        plot.grid(),
        plot.levels(levels),
        *(plot.curve(color, curve) for color, curve in curves),
        plot.labels({curve.label: (color, *_end(curve)) for color, curve in curves}) if labels else "",
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
        self, curves: Sequence[tuple[int, LossCurve]], levels: Sequence[Level], width: int, height: int, right: int
    ) -> None:
        self.left, self.right, self.bottom, self.top = 44, width - right, height - 40, 16
        seconds = [s for _, curve in curves for s in (*curve.seconds, *curve.dev_seconds) if s > 0] or [1.0]
        self.t1 = max(seconds)
        self.t0 = min(max(min(seconds), self.t1 / 1000), self.t1 / 10)  # three decades at most, one at least
        losses = [loss for _, curve in curves for loss in (*_settled(curve), *curve.dev)]
        losses = [loss for loss in (*losses, *(loss for _, _, loss in levels)) if math.isfinite(loss)] or [0.0, 1.0]
        ceiling = max((loss for _, _, loss in levels), default=max(losses))
        self.high = min(max(losses), ceiling) + 0.05  # what lies above guessing is not worth the height
        self.step = _tick_step(self.high - min(losses) + 0.05)
        self.low = math.floor((min(losses) - 0.05) / self.step) * self.step

    def x(self, seconds: float) -> float:
        t = max(seconds, self.t0)
        return self.left + (self.right - self.left) * math.log(t / self.t0) / math.log(self.t1 / self.t0)

    def y(self, loss: float) -> float:
        return self.bottom + (self.top - self.bottom) * (min(loss, self.high) - self.low) / (self.high - self.low)

    def grid(self) -> Iterator[Markup]:
        decimals = max(0, -math.floor(math.log10(self.step) + 1e-9))
        for i in range(math.ceil((self.high - self.low) / self.step)):
            loss = self.low + i * self.step
            y = self.y(loss)
            yield el("line", class_="grid", x1=self.left, x2=self.right, y1=y, y2=y)
            yield el("text", f"{loss:.{decimals}f}", class_="tick", x=self.left - 8, y=y + 4, text_anchor="end")
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
        heights = spread({name: self.y(loss) - 6 for _, name, loss in levels}, 15, self.top - 5, self.bottom - 4)
        for color, name, loss in levels:
            paint, stick = ("var(--muted)", " stick") if color is None else (f"var(--c{color % COLORS})", "")
            y, label = self.y(loss), f"{name} {loss:.3f}"
            yield el("line", class_=f"level{stick}", x1=self.left, x2=self.right, y1=y, y2=y, stroke=paint)
            yield el("text", label, class_=f"name{stick}", x=self.left + 6, y=heights[name], fill=paint)

    def curve(self, color: int, curve: LossCurve) -> Iterator[Markup]:
        paint, dash = f"var(--c{color % COLORS})", "6 3" if color >= COLORS else None
        weight = max(0.0, min(0.95, 1 - 40 / max(1, len(curve.train))))  # a longer run is averaged over more points
        losses = zip(curve.seconds, curve.smoothed(weight), strict=True)
        train = _thin([(self.x(s), self.y(loss)) for s, loss in losses if s > 0 and math.isfinite(loss)])
        if len(train) > 1:
            yield el("polyline", class_="train", points=_join(train), stroke=paint)
        dev = [(s, loss) for s, loss in zip(curve.dev_seconds, curve.dev, strict=True) if math.isfinite(loss)]
        if len(dev) > 1:
            line = _join([(self.x(s), self.y(v)) for s, v in dev])
            yield el("polyline", class_="dev", points=line, stroke=paint, stroke_dasharray=dash)
        for seconds, loss in dev:
            place = {"cx": self.x(seconds), "cy": self.y(loss)}
            yield el(
                "g",
                el("title", f"{curve.label} after {clock(seconds)}: dev loss {loss:.4f}"),
                el("circle", **place, r=9, fill="transparent"),  # room for the pointer
                el("circle", **place, r=3.5, fill=paint),
                class_="dot",
            )

    def labels(self, ends: Mapping[str, tuple[int, float, float]]) -> Iterator[Markup]:
        heights = spread({name: self.y(end[2]) + 4 for name, end in ends.items()}, 17, self.top + 4, self.bottom)
        for name, (color, seconds, loss) in ends.items():
            paint, y = f"var(--c{color % COLORS})", heights[name]
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


def _tick_step(span: float) -> float:
    """The round number that cuts the span into four to ten pieces."""
    power = 10.0 ** math.floor(math.log10(span / 4))
    return max(power * m for m in (1, 2, 5) if power * m <= span / 4)


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
