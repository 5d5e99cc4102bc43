"""The page: whole HTML, nothing from outside, every word escaped, and the numbers that the record holds."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gradus.errors import UserError
from gradus.plots.curve import LossCurve
from gradus.report.climb import climb
from gradus.report.examine import write_run_page
from gradus.report.explain import explain
from gradus.report.page import one_line, render, write_page
from gradus.report.record import Guess, Question, Record, Rung, Sample, load_record
from gradus.training import create_run, set_up, train_setup, write_beginning

VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """Reads a page and complains of what is not closed; keeps the elements, and the text of each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def values(self, attribute: str) -> list[str]:
        return [value for _, attrs in self.elements if (value := attrs.get(attribute)) is not None]


def rung(name: str = "gpt", test: float = 1.5, **fields: object) -> Rung:
    curve = LossCurve(name, (0.5, 1.0, 2.0), (3.0, 2.5, 2.0), (1.0, 2.0), (2.4, 1.6))
    base = Rung(
        name, name, "gpt", 1000, 8, 1.25, 1.375, test, 2.25, 2.0, 300, {"lr": 0.1}, curve, (Sample("abc", "new"),)
    )
    return replace(base, **fields)  # type: ignore[arg-type]


def record(*rungs: Rung) -> Record:
    return Record("names", "documents", "a source", 27, (), rungs or (rung(),), 1, "gradus climb names")


def test_page_of_a_climb_is_well_formed_and_loads_nothing(climbed: tuple[Record, Path]) -> None:
    html = (climbed[1] / "index.html").read_text(encoding="utf-8")
    page = Page(html)
    assert page.values("src") == []
    inside = [value for value in page.values("href") if not value.startswith("#")]
    assert inside == ["data:,"]  # an empty icon, so that browsers do not ask for one
    assert {value[1:] for value in page.values("href") if value.startswith("#")} <= set(page.values("id"))
    assert re.findall(r"https?:|url\(|@import|<script", html) == []
    assert {tag for tag, _ in page.elements} >= {"title", "main", "h1", "table", "caption", "svg", "article", "footer"}
    assert ("html", {"lang": "en"}) in page.elements
    assert "prefers-color-scheme: dark" in html
    assert "width=device-width" in " ".join(page.values("content"))


def test_what_the_page_points_at_is_there_once(climbed: tuple[Record, Path]) -> None:
    page = Page((climbed[1] / "index.html").read_text(encoding="utf-8"))
    names = page.values("id")
    assert len(names) == len(set(names))
    assert set(page.values("aria-labelledby")) <= set(names)
    assert all(attrs.get("aria-label") for _, attrs in page.elements if attrs.get("role") == "img")


def test_table_of_the_page_has_the_numbers_of_the_record(climbed: tuple[Record, Path]) -> None:
    known, folder = climbed
    page = Page((folder / "index.html").read_text(encoding="utf-8"))
    shown = page.texts["tr"][1:]
    assert len(shown) == len(known.rungs)
    for text, climbed_rung in zip(shown, known.rungs, strict=True):
        numbers = [climbed_rung.train, climbed_rung.dev, climbed_rung.test]
        expected = [climbed_rung.title, *map("{:.4f}".format, numbers), f"{climbed_rung.bits:.3f}"]
        expected += [f"{climbed_rung.parameters:,}{climbed_rung.context}{climbed_rung.seconds:.1f}"]
        expected.append(one_line(climbed_rung))
        assert text == "".join(expected)
    assert known.command in page.texts["code"]


def test_best_value_of_each_column_is_marked_and_only_it() -> None:
    page = Page(render(record(rung("a", test=1.5), rung("b", test=1.4, train=1.3))))
    assert page.texts["strong"] == ["1.2500", "1.3750", "2.250", "1.3750", "1.4000", "2.250"]  # ties are both the best
    assert "strong" not in Page(render(record(rung()))).texts


@pytest.mark.parametrize("nasty", ["<script>alert(1)</script>", "a & b", "\"quoted\" 'too'", "</style><b>", "$body"])
def test_text_is_escaped_wherever_it_stands(nasty: str) -> None:
    bad = rung(
        nasty,
        title=nasty,
        curve=LossCurve(nasty, (1.0,), (2.0,), (1.0, 2.0), (2.0, 1.0)),
        settings={nasty: nasty},
        samples=(Sample(nasty, "new"),),
        guesses=((Guess(nasty[0], 0.5),),),
    )
    whole = replace(record(bad, rung()), corpus=nasty, source=nasty, command=nasty, questions=(Question(nasty, "<"),))
    html = render(whole)
    page = Page(html)
    assert "script" not in page.texts
    assert all(re.fullmatch(r"[\d.]+", text) for text in page.texts["b"])  # our own, never the text's
    assert nasty in page.texts["h1"][0]
    assert nasty in page.texts["code"]
    assert nasty in page.texts["dd"]
    assert any(nasty in title for title in page.texts["title"])
    passages = replace(whole, rungs=(replace(bad, samples=(Sample(nasty),)),))
    assert nasty in Page(render(passages)).texts["div"]


def test_words_are_told_apart_by_whether_they_were_read() -> None:
    samples = (Sample("one", "train"), Sample("two", "held out"), Sample("three", "new"), Sample("", "new"))
    html = render(record(rung(samples=samples)))
    assert '<li class="known">one</li><li class="found">two</li><li>three</li><li>∅</li>' in html
    assert "Of 4: 2 of its own making, 1 that it had read (dotted), 1 that it had never read" in html


def test_question_shows_what_each_model_sees() -> None:
    seeing_two = rung("bigram", context=2, guesses=((Guess("e", 0.75), Guess("\n", 0.25)),))
    html = render(replace(record(seeing_two), questions=(Question("\nabc", "e"),)))
    assert "<span>↵</span><span>a</span>" in html
    assert '<span class="seen">b</span><span class="seen">c</span><span class="asked">e</span>' in html
    assert '<li class="right"><samp>e</samp><span class="bar" style="--width:75.0%">' in html
    assert "<samp>↵</samp>" in html


def test_counting_model_is_a_level_not_a_curve() -> None:
    counting = rung("counts", model="ngram", dev=2.125, curve=LossCurve("counts", (), ()))
    page = Page(render(record(counting, rung("gpt"))))
    charts = [attrs for tag, attrs in page.elements if tag == "svg"]
    assert all("counts is at 2.125" in (chart["aria-label"] or "") for chart in charts)
    assert all("gpt ends at 1.600" in (chart["aria-label"] or "") for chart in charts)
    assert sum(tag == "polyline" for tag, _ in page.elements) == 2 * len(charts)  # train and dev of the one that learns


def test_page_without_a_curve_has_no_chart() -> None:
    counting = rung("counts", curve=LossCurve("counts", (), ()))
    assert "svg" not in Page(render(record(counting))).texts


def test_sliding_loss_has_a_column_when_there_is_one() -> None:
    assert "test, sliding" not in Page(render(record(rung()))).texts["th"]
    page = Page(render(record(rung("a"), rung("b", sliding=1.125))))
    assert "test, sliding" in page.texts["th"]
    assert "1.1250" in page.texts["td"]


def test_single_run_has_a_page_of_its_own(climbed: tuple[Record, Path]) -> None:
    gpt = next(rung for rung in climbed[0].rungs if rung.name == "gpt")
    path = write_run_page(climbed[1] / "gpt")
    page = Page(path.read_text(encoding="utf-8"))
    assert path == climbed[1] / "gpt" / "index.html"
    assert page.texts["h1"] == [f"GPT on {climbed[0].corpus}"]
    assert f"{gpt.dev:.4f}" in page.texts["td"]
    assert f"{gpt.test:.4f}" in page.texts["td"]
    assert f"gradus train --config {climbed[1] / 'gpt' / 'config.toml'}" in page.texts["code"]
    assert "Beside yardsticks" not in str(page.texts["h3"])  # compressing the text would take longer than all the rest


def test_a_page_says_what_its_command_gives_again(words: Path, tmp_path: Path) -> None:
    whole = record(rung())
    same, about = "prints the same numbers", "How many steps fit into the minutes depends on the machine"
    assert same in render(whole)
    assert about not in render(replace(whole, command="gradus climb 'my --minutes.txt'"))
    assert about in render(replace(whole, timed=True))
    compared = render(replace(record(rung("a"), rung("b")), subject="a comparison", timed=True))
    assert "measures the same runs again" in compared
    assert "A comparison on names" in compared
    for name, budget, told in (("timed", {"minutes": 0.001}, about), ("counted", {"steps": 2}, same)):
        setup = set_up({"corpus": str(words), "model": "bigram", **budget})
        run = create_run(setup, str(tmp_path / name))
        write_beginning(run, setup)
        train_setup(setup, run, evaluate=lambda _: 1.0)
        assert told in write_run_page(run.path).read_text(encoding="utf-8")
    timed, _ = climb(str(words), 0.001, only=["bigram"], out=tmp_path / "climb")
    assert (timed.timed, timed.subject) == (True, "the climb")


def test_commands_of_a_card_can_be_copied_whatever_the_names() -> None:
    page = Page(render(replace(record(rung(folder="runs/my climb/gpt")), corpus="my text.txt")))
    assert "gradus train 'my text.txt' --model gpt --minutes 1 --diagnose" in page.texts["code"]
    assert "gradus sample 'runs/my climb/gpt' --temperature 0.8" in page.texts["code"]


def test_mixture_is_of_the_best_network_that_can_be_mixed() -> None:
    assert "the best network of this climb that can be mixed" in explain(rung("mixture", model="mixture")).what


def test_one_line_takes_whole_words_and_unfolds_passages() -> None:
    several = rung(samples=tuple(Sample("word" * i, "new") for i in range(1, 6)))
    assert one_line(several, length=30) == "word, wordword, wordwordword"
    assert one_line(rung(samples=(Sample("a\n b   c" * 20),)), length=7) == "a b ca "
    assert one_line(rung(samples=())) == ""


def test_page_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*index\.html"):
        write_page(record(), tmp_path / "file" / "index.html")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"rungs": 3, "parts": []}', '{"rungs": [], "parts": [], "captions": []}']
)
def test_table_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "table.json"
    path.write_text(content)
    with pytest.raises(UserError, match="is not the table of a climb"):
        load_record(path)
    with pytest.raises(UserError, match="does not exist"):
        load_record(tmp_path / "other.json")
