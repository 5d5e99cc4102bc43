"""A rung's card on the page: what the model is, how it compares, what it sees and expects next, what it writes, its
file, and what to do next."""

from __future__ import annotations

import shlex
from base64 import b64encode
from collections.abc import Iterable, Sequence

from gradus.report.chart import clock
from gradus.report.colors import colors
from gradus.report.compare import comparison
from gradus.report.explain import explain, source
from gradus.report.markup import Markup, el
from gradus.report.picture import Picture
from gradus.report.record import Guess, Question, Record, Rung, Sample


def card(record: Record, i: int, pictures: Sequence[Picture] = ()) -> Markup:
    """The card of the i-th rung."""
    rung = record.rungs[i]
    told = explain(rung)
    result = el(
        "span", "test ", el("b", f"{rung.test:.4f}"), f" nats · {rung.bits:.3f} bits per character", class_="result"
    )
    compared = comparison(record, i)
    return el(
        "article",
        el("header", el("h3", rung.title, id=f"rung{i}"), result),
        el("p", "Interrupted before its time was up.", class_="notice") if rung.interrupted else "",
        el("p", told.what),
        el("p", compared, class_="compared") if compared else "",
        el("p", told.sees),
        el("p", told.paper, class_="paper") if told.paper else "",
        _questions(record.questions, rung),
        el("h4", "What it writes"),
        _samples(rung.samples),
        _pictures(pictures),
        _next(record, i),
        _source(rung),
        el("details", el("summary", "Settings"), _settings(rung)),
        class_="rung",
        style=f"--c:{colors(record)[i]}",
        aria_labelledby=f"rung{i}",
    )


def glyph(character: str) -> str:
    """A character as it can be seen in a cell: a space is ␣, a newline ↵, a tab ⇥."""
    return {" ": "␣", "\n": "↵", "\t": "⇥"}.get(character, character if character.isprintable() else "�")


def _questions(questions: Sequence[Question], rung: Rung) -> Iterable[Markup]:
    asked = [(q, guesses) for q, guesses in zip(questions, rung.guesses, strict=False) if guesses]
    if not asked:
        return []
    answers = (el("div", _cells(question, rung), _guesses(question, guesses)) for question, guesses in asked)
    return [el("h4", "What it sees, and what it expects next"), el("div", answers, class_="questions")]


def _cells(question: Question, rung: Rung) -> Markup:
    """The question, a cell for each character; what the model sees is filled."""
    context, answer = question.context, glyph(question.answer)
    first_seen = max(0, len(context) - rung.context)
    seen = (el("span", glyph(c), class_="seen" if i >= first_seen else None) for i, c in enumerate(context))
    label = f"It sees “{context[first_seen:]}”; next comes “{answer}”"
    return el("div", seen, el("span", answer, class_="asked"), class_="cells", role="img", aria_label=label)


def _guesses(question: Question, guesses: Iterable[Guess]) -> Markup:
    """The most likely next characters as bars, the full width being certainty; the true one is bold."""
    return el(
        "ol",
        (
            el(
                "li",
                el("samp", glyph(guess.token)),
                el("span", class_="bar", style=f"--width:{100 * guess.probability:.1f}%"),
                el("span", f"{guess.probability:.1%}", class_="share"),
                class_="right" if guess.token == question.answer else None,
            )
            for guess in guesses
        ),
        class_="guesses",
    )


def words(samples: Iterable[Sample]) -> Markup:
    """Generated documents, each marked by whether it was read in training."""
    kinds = {"train": "known", "held out": "found"}
    return el("ul", (el("li", s.text or "∅", class_=kinds.get(s.origin)) for s in samples), class_="words")


def _samples(samples: Sequence[Sample]) -> Iterable[Markup]:
    if not any(sample.origin for sample in samples):
        return [el("div", (el("div", sample.text, class_="passage") for sample in samples), class_="passages")]
    meanings = {
        "new": "of its own making",
        "train": "that it had read (dotted)",
        "held out": "that it had never read but that the held-out text contains (marked)",
    }
    counts = {origin: sum(sample.origin == origin for sample in samples) for origin in meanings}
    told = [f"{counts[origin]} {meaning}" for origin, meaning in meanings.items() if counts[origin]]
    return [words(samples), el("p", f"Of {len(samples)}: {', '.join(told)}.", class_="legend")]


def _pictures(pictures: Sequence[Picture]) -> Iterable[Markup]:
    if not pictures:
        return []
    figures = (
        el(
            "figure",
            el("img", src="data:image/png;base64," + b64encode(p.png).decode(), alt=p.caption, loading="lazy"),
            el("figcaption", p.caption, class_="caption"),
        )
        for p in pictures
    )
    return [el("h4", "What it looks like inside"), el("div", figures, class_="pictures")]


def _next(record: Record, i: int) -> Iterable[Markup]:
    """A command to try, and the way to the next rung."""
    rung, told = record.rungs[i], explain(record.rungs[i])
    folder = shlex.quote(rung.folder or rung.name)
    command = told.command.replace("RUN", folder).replace("CORPUS", shlex.quote(record.corpus))
    out = [el("h4", "What to do next"), el("p", told.next or "See more of what it writes:"), _code(command)]
    if told.command.startswith("gradus train") and rung.folder:
        out.append(el("p", "Let this one write: ", el("code", f"gradus sample {folder} --temperature 0.8")))
    if i + 1 < len(record.rungs):
        out.append(el("p", "Go on to the next rung: ", el("a", record.rungs[i + 1].title, href=f"#rung{i + 1}"), "."))
    return out


def _code(command: str) -> Markup:
    return el("pre", el("code", command))


def _source(rung: Rung) -> Markup | str:
    """The model's file, whole, to be unfolded: it can be read on a train."""
    path, text = source(rung.model)
    if not path:
        return ""
    lines = f"{len(text.splitlines())} lines"
    return el(
        "details", el("summary", "The model’s file: ", el("code", path), f", {lines}"), el("pre", el("code", text))
    )


def _settings(rung: Rung) -> Markup:
    rows = [(name, f"{value}") for name, value in rung.settings.items()]
    if rung.trained:
        rows += [("steps taken", f"{rung.steps:,}"), ("training took", clock(rung.seconds))]
    return el("dl", ((el("dt", name), el("dd", value)) for name, value in rows))
