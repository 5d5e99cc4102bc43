"""SVG, PNG, DOT and text."""

from __future__ import annotations

import importlib.util
import re
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from gradus.graph import graph
from gradus.graph.scene import heat
from gradus.graph.words import number
from gradus.scalar import Value
from tests.graph.graphs import classic, network, scrambled, twice

SVG = "{http://www.w3.org/2000/svg}"
NOT_RUN = "backward not run"
DOCS = Path(__file__).parents[2] / "docs"


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_the_svg_shows_each_label_value_and_gradient() -> None:
    shown = words(graph(classic()).svg())
    for label, data, grad in [("a", "2.0000", "6.0000"), ("b", "−3.0000", "−4.0000"), ("L", "−8.0000", "1.0000")]:
        at = shown.index(label)
        assert shown[at : at + 4] == [label, data, "grad", grad]
    assert sorted(w for w in shown if w in "×+") == ["+", "×", "×"]


@pytest.mark.parametrize("label", ['a<b & "c"', "</svg><script>f()</script>", "x\x00\x07y", "größe α 模", "{|}"])
def test_any_label_makes_well_formed_xml_and_nothing_but_text(label: str) -> None:
    svg = graph(Value(1.0, label) + 1).svg()
    root = ET.fromstring(svg)
    shown = "".join(c if c >= " " else " " for c in label)
    assert shown in words(svg)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "g", "rect", "text", "path"}
    assert any((title.text or "").startswith(shown) for title in root.iter(f"{SVG}title"))


def test_the_svg_needs_nothing_from_outside_and_runs_nothing() -> None:
    svg = network(2, [2, 1]).svg()
    assert "<script" not in svg
    assert "<style" not in svg  # it would apply to the whole notebook
    assert "href" not in svg
    assert "url(" not in svg
    assert svg.count("http") == 1  # the namespace


def test_backward_not_run_is_said_once_and_no_zero_gradient_is_shown() -> None:
    svg = graph(classic(backward=False)).svg()
    assert svg.count(NOT_RUN) == 1
    assert "grad" not in [w for w in words(svg) if NOT_RUN not in w]
    assert NOT_RUN not in graph(classic()).svg()


def test_text_on_boxes_is_dark_on_light_whatever_the_page() -> None:
    """Contrast by WCAG's formula: at least 4.5 for a text on its box; for a caption 3, on white and on near black."""

    def luminance(color: str) -> float:
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(a: str, b: str) -> float:
        low, high = sorted((luminance(a), luminance(b)))
        return (high + 0.05) / (low + 0.05)

    from gradus.graph import scene

    for fill, _ in (scene.LEAF, scene.RESULT, scene.OUTPUT, scene.FOLDED):
        assert min(contrast(ink, fill) for ink in (scene.INK, scene.QUIET, scene.GRADIENT)) >= 4.5
    assert contrast("#ffffff", scene.SIGN) >= 4.5
    for page in ("#ffffff", "#0d1117"):
        assert contrast(scene.CAPTION, page) >= 3
        assert contrast(scene.LINE, page) >= 2.9


def test_a_notebook_gets_the_svg() -> None:
    found = graph(classic())
    shown = found._repr_svg_()
    assert shown is not None
    assert shown.replace(' style="max-width:100%;height:auto"', "") == found.svg()


def test_a_large_graph_is_a_map_with_the_numbers_in_the_tooltips() -> None:
    whole = network(3, [8, 8, 1])
    svg = whole.svg()
    dots = [element for element in ET.fromstring(svg).findall(f"{SVG}rect") if element.find(f"{SVG}title") is not None]
    assert len(dots) == len(whole) > 150
    titles = [element.findtext(f"{SVG}title") or "" for element in dots]
    assert titles[whole.find("x1")] == f"x1; data 1.5; grad {whole.nodes[whole.find('x1')].grad!r}"
    assert [w for w in words(svg) if "nodes" in w] == [w for w in words(svg) if w.startswith(f"{len(whole):,} nodes")]
    assert len(words(whole.svg(detail="full"))) > len(whole)


def test_colours_grow_with_the_gradient() -> None:
    assert heat(0.0, 1.0) == heat(None, 1.0) == "#ffffff"
    assert heat(1.0, 1.0) == "#d9590f"
    assert heat(-1.0, 1.0) == "#2064be"
    blues = [int(heat(strength, 1.0)[5:], 16) for strength in (0.001, 0.1, 0.5, 1.0)]
    assert blues == sorted(blues, reverse=True)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (2, "2.0000"),
        (-0.0, "0.0000"),
        (-3.14159, "−3.1416"),
        (1e-7, "1.000e−07"),
        (1e9, "1.000e+09"),
        (float("-inf"), "−inf"),
    ],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert number(value) == shown


def test_the_png_has_the_size_of_the_svg() -> None:
    found = graph(classic())
    png = found.png(scale=1.5)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    root = ET.fromstring(found.svg())
    width, height = struct.unpack(">II", png[16:24])
    assert abs(width - 1.5 * float(root.get("width") or 0)) <= 2
    assert abs(height - 1.5 * float(root.get("height") or 0)) <= 2


def test_the_png_takes_any_label() -> None:
    """matplotlib would read $ as mathematics."""
    assert graph(Value(1.0, r"$\frac{") + 1).png(scale=0.5)[:4] == b"\x89PNG"


def test_dot_has_a_node_for_each_value_and_operation_and_every_edge() -> None:
    dot = graph(twice()).dot()
    assert 'n0 [label="{ a | data 1.0000 | grad 4.0000 }"];' in dot
    assert dot.count("n0 -> op1;") == 2
    assert dot.count("op1 -> n1;") == 1
    assert dot.startswith("digraph")
    assert dot.count("{") == dot.count("}")


def test_dot_escapes_what_a_record_reads_as_its_own() -> None:
    dot = graph(Value(1.0, 'a|b{"<') + 1).dot()
    assert r"a\|b\{\"\<" in dot


def test_dot_nests_groups_as_clusters() -> None:
    dot = network(2, [1, 1]).dot()
    assert dot.count("subgraph cluster_") == 5
    assert 'label="layers.1.neurons.0";' in dot


def test_the_terminal_shows_the_tree_with_its_numbers() -> None:
    assert graph(classic()).text() == (
        "                         data          grad\n"
        "L = d × f             −8.0000        1.0000\n"
        "├─ d = e + c           4.0000       −2.0000\n"
        "│  ├─ e = a × b       −6.0000       −2.0000\n"
        "│  │  ├─ a             2.0000        6.0000\n"
        "│  │  └─ b            −3.0000       −4.0000\n"
        "│  └─ c               10.0000       −2.0000\n"
        "└─ f                  −2.0000        4.0000\n"
    )


def test_the_terminal_unfolds_a_shared_node_once() -> None:
    text = graph(twice()).text()
    assert text.count("b = a + a") == 1
    assert text.endswith("└─ b ↑\n")


def test_the_terminal_says_once_that_backward_was_not_run() -> None:
    assert graph(classic(backward=False)).text().count(NOT_RUN) == 1


def test_the_text_of_a_large_graph_stops_and_says_how_much_is_left() -> None:
    found = graph(scrambled(300, 1))
    lines = found.text(limit=20).splitlines()
    assert len(lines) == 22
    assert lines[-1].startswith("… and ")


@pytest.mark.parametrize("ending", [".svg", ".png", ".dot", ".txt"])
def test_save_writes_what_the_ending_says(ending: str, tmp_path: Path) -> None:
    found = graph(classic())
    path = found.save(tmp_path / f"g{ending}")
    expected = {".svg": found.svg(), ".dot": found.dot(), ".txt": found.text()}
    if ending == ".png":
        assert path.read_bytes() == found.png()
    else:
        assert path.read_text(encoding="utf-8") == expected[ending]


def test_save_refuses_an_unknown_ending(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.svg, \.png, \.dot or \.txt, got '\.pdf'"):
        graph(classic()).save(tmp_path / "g.pdf")


@pytest.mark.parametrize("name", ["classic", "neuron", "twice", "mlp-folded", "mlp"])
def test_the_pictures_in_the_docs_are_what_the_code_draws(name: str) -> None:
    spec = importlib.util.spec_from_file_location("make_graphs", DOCS / "make_graphs.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    kept, drawn = (DOCS / "images" / f"{name}.svg").read_text(encoding="utf-8"), script.PICTURES[name]()
    numbers = re.compile(r"-?\d+(?:\.\d+)?")
    assert numbers.split(kept) == numbers.split(drawn)
    for a, b in zip(numbers.findall(kept), numbers.findall(drawn), strict=True):
        assert float(a) == pytest.approx(float(b), abs=0.11)  # another machine may round a tenth of a pixel differently
