"""A rung's card on the page: what the model is, what it sees, what it expects next, and what it writes."""

from __future__ import annotations

from collections.abc import Iterable

from gradus.report.chart import clock
from gradus.report.explain import explain
from gradus.report.markup import Markup, el
from gradus.report.record import Record, Rung, Sample


def card(record: Record, i: int, rung: Rung) -> Markup:
    """The card of the i-th rung."""
    told = explain(rung)
    result = el(
        "span", "test ", el("b", f"{rung.test:.4f}"), f" nats · {rung.bits:.3f} bits per character", class_="result"
    )
    sees = el("p", told.sees)
    if rung.guesses:
        left = el("div", el("h4", "What it sees"), _cells(record, rung), sees)
        asked: Markup = el("div", left, el("div", el("h4", "What it expects"), _guesses(record, rung)), class_="pair")
    else:
        asked = sees
    return el(
        "article",
        el("header", el("h3", rung.title, id=f"rung{i}"), result),
        el("p", "Interrupted before its time was up.", class_="notice") if rung.interrupted else "",
        el("p", told.what),
        el("p", told.paper, class_="paper") if told.paper else "",
        asked,
        el("h4", "What it writes"),
        _samples(rung.samples),
        el("details", el("summary", "Settings"), _settings(rung)),
        class_="rung",
        style=f"--c:var(--c{i % 6})",
        aria_labelledby=f"rung{i}",
    )


def glyph(character: str) -> str:
    """A character as it can be seen in a cell: a space is ␣, a newline ↵, a tab ⇥."""
    return {" ": "␣", "\n": "↵", "\t": "⇥"}.get(character, character if character.isprintable() else "�")


def _cells(record: Record, rung: Rung) -> Markup:
    """The question, a cell for each character; what the model sees is filled."""
    first_seen = max(0, len(record.context) - rung.context)
    seen = (el("span", glyph(c), class_="seen" if i >= first_seen else None) for i, c in enumerate(record.context))
    label = f"It sees “{record.context[first_seen:]}”; next comes “{glyph(record.answer)}”"
    return el(
        "div", seen, el("span", glyph(record.answer), class_="asked"), class_="cells", role="img", aria_label=label
    )


def _guesses(record: Record, rung: Rung) -> Markup:
    """The most likely next characters as bars, the full width being certainty; the true one is bold."""
    return el(
        "ol",
        (
            el(
                "li",
                el("samp", glyph(guess.token)),
                el("span", class_="bar", style=f"--width:{100 * guess.probability:.1f}%"),
                el("span", f"{guess.probability:.1%}", class_="share"),
                class_="right" if guess.token == record.answer else None,
            )
            for guess in rung.guesses
        ),
        class_="guesses",
    )


def _samples(samples: Iterable[Sample]) -> Iterable[Markup]:
    samples = list(samples)
    if not any(sample.origin for sample in samples):
        return [el("div", (el("div", sample.text, class_="passage") for sample in samples), class_="passages")]
    kinds = {"train": "known", "held out": "found"}
    words = (el("li", sample.text or "∅", class_=kinds.get(sample.origin)) for sample in samples)
    meanings = {
        "new": "of its own making",
        "train": "that it had read (dotted)",
        "held out": "that it had never read but that the held-out text contains (marked)",
    }
    counts = {origin: sum(sample.origin == origin for sample in samples) for origin in meanings}
    told = [f"{counts[origin]} {meaning}" for origin, meaning in meanings.items() if counts[origin]]
    return [el("ul", words, class_="words"), el("p", f"Of {len(samples)}: {', '.join(told)}.", class_="legend")]


def _settings(rung: Rung) -> Markup:
    rows = [(name, f"{value}") for name, value in rung.settings.items()]
    if not rung.counts:
        rows += [("steps taken", f"{rung.steps:,}"), ("training took", clock(rung.seconds))]
    return el("dl", ((el("dt", name), el("dd", value)) for name, value in rows))
