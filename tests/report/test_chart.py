"""The chart: what lies where, read back from the SVG; and the strings that escape by themselves."""

from __future__ import annotations

import doctest
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from gradus.plots.curve import LossCurve
from gradus.report import chart, markup
from gradus.report.chart import Level, loss_chart, spread
from gradus.report.markup import Markup, el, join


def marks(svg: str, tag: str, name: str) -> list[ElementTree.Element]:
    return [e for e in ElementTree.fromstring(svg).iter(tag) if e.get("class") == name]


def points(line: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in (line.get("points") or "").split())]


def test_time_and_loss_are_logarithmic() -> None:
    curve = LossCurve("gpt", (), (), (1.0, 10.0, 100.0), (4.0, 2.0, 1.0))
    (line,) = marks(loss_chart([("var(--c0)", curve)]), "polyline", "dev")
    (x0, y0), (x1, y1), (x2, y2) = points(line)
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)  # coordinates are written to a tenth of a pixel
    assert y1 - y0 == pytest.approx(y2 - y1, abs=0.2)
    assert x0 < x1
    assert y0 < y1  # SVG counts downward


def test_dot_tells_its_loss_and_its_time() -> None:
    svg = loss_chart([("var(--c2)", LossCurve("a & b", (), (), (2.0, 90.0), (3.0, 1.23456)))])
    titles = [e.text for e in ElementTree.fromstring(svg).iter("title")]
    assert titles == ["a & b after 2 s: dev loss 3.0000", "a & b after 1 min 30 s: dev loss 1.2346"]
    assert "var(--c2)" in svg


def test_level_lies_at_the_height_of_its_loss() -> None:
    curve = LossCurve("gpt", (), (), (1.0, 10.0), (3.0, 2.0))
    svg = loss_chart([("var(--c0)", curve)], [Level("grey", "counts", 2.0), Level("grey", "guessing", 3.0, "stick")])
    counts, guessing = (
        float(e.get("y1") or "nan") for e in (*marks(svg, "line", "level rung"), *marks(svg, "line", "level stick"))
    )
    assert [y for _, y in points(marks(svg, "polyline", "dev")[0])] == [guessing, counts]
    assert ElementTree.fromstring(svg).get("aria-label", "").endswith("counts is at 2.000; guessing is at 3.000.")


def test_what_is_worse_than_guessing_stays_on_the_sheet() -> None:
    curve = LossCurve("gpt", (0.1, 1.0, 10.0), (50.0, 3.0, 2.0), (0.5, 10.0), (27.0, 2.0))
    svg = loss_chart([("var(--c0)", curve)], [Level("grey", "guessing", 3.3, "stick")])
    for line in (*marks(svg, "polyline", "dev"), *marks(svg, "polyline", "train")):
        assert all(0 <= x <= 880 and 0 <= y <= 520 for x, y in points(line))


@pytest.mark.parametrize(
    "curve",
    [
        LossCurve("one point", (1.0,), (2.0,)),
        LossCurve("no time", (0.0, 0.0), (2.0, 2.0), (0.0,), (2.0,)),
        LossCurve("level", (1.0, 2.0), (2.0, 2.0), (2.0,), (2.0,)),
        LossCurve("not finite", (1.0, 2.0), (2.0, float("nan")), (1.0, 2.0), (2.0, float("inf"))),
        LossCurve("nothing", (), ()),
    ],
)
def test_curves_that_hardly_are_can_be_drawn(curve: LossCurve) -> None:
    svg = loss_chart([("var(--c0)", curve)], [Level("grey", "guessing", 3.3, "stick")])
    assert re.findall(r'"-?(?:nan|inf)', svg) == []
    assert ElementTree.fromstring(svg).tag == "svg"


def test_long_training_line_is_thinned_and_keeps_its_ends() -> None:
    seconds = tuple(1.0 + i / 100 for i in range(5000))
    svg = loss_chart([("var(--c0)", LossCurve("a", seconds, (2.0,) * 5000))])
    line = points(marks(svg, "polyline", "train")[0])
    assert 100 < len(line) <= 242
    assert line[0][0] == 44.0
    assert line[-1][0] == max(x for x, _ in line)


def test_names_that_would_overlap_are_moved_apart() -> None:
    assert spread({"a": 10.0, "b": 12.0, "c": 50.0}, 10.0, 0.0, 100.0) == {"a": 10.0, "b": 20.0, "c": 50.0}
    assert spread({"a": 95.0, "b": 99.0}, 10.0, 0.0, 100.0) == {"a": 90.0, "b": 100.0}
    curves = [(f"var(--c{i})", LossCurve(str(i), (), (), (1.0, 2.0), (3.0, 2.0 + i / 1000))) for i in range(3)]
    names = sorted(float(e.get("y") or "nan") for e in marks(loss_chart(curves), "text", "name"))
    assert min(b - a for a, b in pairwise(names)) >= 16.9


def test_names_of_levels_stand_above_their_own_lines_apart_from_each_other() -> None:
    curve = LossCurve("gpt", (), (), (1.0, 10.0), (3.0, 2.0))
    levels = [Level("grey", str(loss), loss) for loss in (1.7, 1.705, 1.71)]
    svg = loss_chart([("blue", curve)], levels)
    lines = [float(e.get("y1") or "nan") for e in marks(svg, "line", "level rung")]
    names = [float(e.get("y") or "nan") for e in marks(svg, "text", "name rung")]
    assert all(name < line for name, line in zip(names, lines, strict=True))
    assert min(a - b for a, b in pairwise(names)) >= 14.9


def test_elements_escape_text_and_attributes() -> None:
    made = el("p", "<b>", el("i", "&"), title='"<', hidden=False, open=True, data_x=1.25, id=None)
    assert made == '<p title="&quot;&lt;" open data-x="1.2">&lt;b&gt;<i>&amp;</i></p>'
    assert join(["<", (Markup("<br>"), "x")]) == "&lt;<br>x"


@pytest.mark.parametrize("module", [chart, markup])
def test_examples_in_the_docstrings_are_true(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert (result.failed, result.attempted > 0) == (0, True)
