"""A climb, or a single run, as one HTML page that needs nothing else: no script, no font, no network, no other file.

The page's frame and its style sheet lie in assets/; this file fills them from a Record. Text from a corpus or a model
is escaped where it becomes an element. Light and dark follow the reader's system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from gradus import __version__, files
from gradus.plots.palette import SERIES, SERIES_DARK
from gradus.report.card import card
from gradus.report.chart import loss_chart
from gradus.report.markup import Markup, el, join
from gradus.report.record import Part, Record, Rung

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def write_page(record: Record, path: Path) -> Path:
    """Write the page of a record, whole or not at all, and return its path. UserError if it cannot be written."""
    with files.saving(path):
        files.write(path, render(record).encode("utf-8", "replace"))
    return path


def render(record: Record) -> str:
    """The whole page as a string."""
    assets = resources.files("gradus.report") / "assets"
    single = len(record.rungs) == 1
    sections = (
        (_opening, _table, _curves, _rungs, _about) if single else (_opening, _stairs, _table, _curves, _rungs, _about)
    )
    return Template((assets / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"{record.rungs[0].title if single else 'The climb'} on {record.corpus} · gradus"),
        colors=_colors(),
        style=(assets / "page.css").read_text(encoding="utf-8").rstrip(),
        body="\n".join(join(section(record)) for section in sections),
    )


def _colors() -> str:
    light, dark = ("".join(f"--c{i}:{c};" for i, c in enumerate(colors)) for colors in (SERIES, SERIES_DARK))
    return f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def _opening(record: Record) -> Iterator[Markup]:
    number = len(record.rungs)
    if number == 1:
        kind, heading = "a run", join([record.rungs[0].title, " on ", el("em", record.corpus)])
    else:
        name = _NUMBERS[number] if number < len(_NUMBERS) else str(number)
        kind, heading = "the climb", join([f"{name} models of ", el("em", record.corpus)])
    yield el("p", " · ".join(["gradus", kind, *([record.date] if record.date else [])]), class_="eyebrow")
    yield el("h1", heading)
    yield el(
        "p",
        f"{'The' if number == 1 else 'Each'} model guesses the next character, out of {record.vocab_size}. The loss is "
        "how surprised it is by text that it has never seen: guessing blindly costs "
        f"ln {record.vocab_size} = {record.uniform:.3f} nats a character, and every step below that was learned.",
        class_="lede",
    )
    if record.parts:
        train = record.parts[0]
        documents = f"{train.documents:,} documents, " if train.documents else ""
        learned = f"Learned from {documents}{train.characters:,} characters: {record.source}."
        yield el("p", learned, class_="muted")
    if record.interrupted:
        yield el("p", "Interrupted: what is below was done by then.", class_="notice")


def _stairs(record: Record) -> Iterator[Markup]:
    """A staircase: how far each model gets below guessing."""
    best = record.best
    if best is None or best.test >= record.uniform:
        return
    steps = []
    for i, rung in enumerate(record.rungs):
        gain = record.uniform - rung.test
        height = 84 * max(0.0, gain / (record.uniform - best.test))  # % of the box; the rest is for the number on top
        loss = el("span", f"{rung.test:.3f}", class_="loss")
        tread = el("span", class_="step", title=f"{rung.title}: {gain:.3f} nats below guessing")
        mark = "best" if rung is best else None
        steps.append(el("li", loss, tread, class_=mark, style=f"--c:var(--c{i % 6});--height:{height:.2f}%"))
    names = (el("li", rung.title) for rung in record.rungs)
    told = "; ".join(f"{rung.title} {rung.test:.3f}" for rung in record.rungs)
    yield el(
        "figure",
        el(
            "div",
            el("ul", steps, class_="stairs", aria_hidden="true"),
            el("ul", names, class_="stair-names", aria_hidden="true"),
            role="img",
            aria_label=f"Test loss of every model: {told}",
        ),
        el(
            "figcaption",
            "Loss on the test split. The baseline is uniform guessing; a step is as high as the model is better than "
            "that.",
            class_="caption",
        ),
    )


def _table(record: Record) -> Iterator[Markup]:
    columns: list[tuple[str, str, Callable[[Rung], float], str]] = [
        ("train", "loss", lambda rung: rung.train, ".4f"),
        ("dev", "loss", lambda rung: rung.dev, ".4f"),
        ("test", "loss", lambda rung: rung.test, ".4f"),
        ("bits per", "character", lambda rung: rung.bits, ".3f"),
    ]
    several = len(record.rungs) > 1
    sliding = any(rung.sliding is not None for rung in record.rungs)

    def row(i: int, rung: Rung) -> Markup:
        cells = [el("td", f"{rung.parameters:,}"), el("td", str(rung.context))]
        for _, _, value, form in columns:
            text = format(value(rung), form)
            best = several and value(rung) == min(map(value, record.rungs))
            cells.append(el("td", el("strong", text) if best else text))
        if sliding:
            cells.append(el("td", "" if rung.sliding is None else f"{rung.sliding:.4f}"))
        cells += [el("td", f"{rung.seconds:.1f}"), el("td", one_line(rung), class_="text")]
        return el("tr", el("th", _dot(i), rung.title, scope="row"), cells)

    heads = [("", "model"), ("", "parameters"), ("", "context"), *((a, b) for a, b, _, _ in columns)]
    heads += [*([("test,", "sliding")] if sliding else []), ("", "seconds")]
    head = [el("th", f"{above} ", Markup("<br>") if above else "", below, scope="col") for above, below in heads]
    head.append(el("th", "it writes", scope="col", class_="text"))
    marked = "; the best of each column is marked" if several else ""
    table = el(
        "table",
        el("caption", "Losses in nats per character", class_="hidden"),
        el("thead", el("tr", head)),
        el("tbody", (row(i, rung) for i, rung in enumerate(record.rungs))),
    )
    yield _section(
        "The numbers",
        el("div", table, class_="scroll", role="region", aria_label="The numbers, a table", tabindex=0),
        el("p", f"Losses in nats per character, lower is better{marked}.", class_="caption"),
        (el("p", caption, class_="caption") for caption in record.captions),
    )


def _curves(record: Record) -> Iterator[Markup]:
    curves = [(i % 6, rung.curve) for i, rung in enumerate(record.rungs) if not rung.counts]
    if not curves:
        return
    levels: list[tuple[int | None, str, float]] = [(None, f"guessing, ln {record.vocab_size} =", record.uniform)]
    levels += [(i % 6, rung.title, rung.dev) for i, rung in enumerate(record.rungs) if rung.counts]
    key = (el("li", _dot(color), f"{curve.label} {curve.dev[-1]:.3f}") for color, curve in curves if curve.dev)
    yield _section(
        "How they learned" if len(record.rungs) > 1 else "How it learned",
        el(
            "p",
            "Loss against the time in training, on a logarithmic scale. The strong line with dots is the dev split, "
            "the faint one the batches being trained on"
            + ("; a dashed line is the dev loss of a model that only counts." if len(levels) > 1 else "."),
        ),
        el(
            "figure",
            el("div", loss_chart(curves, levels), class_="wide"),
            el("ul", key, class_="key"),
            el("div", loss_chart(curves, levels, width=370, height=380, labels=False), class_="narrow"),
        ),
    )


def _rungs(record: Record) -> Iterator[Markup]:
    single = len(record.rungs) == 1
    place: Markup | str = ""
    if record.context and record.answer:
        asked = "It is asked a" if single else "Each is asked the same"
        mark = " ↵ is where a document begins or ends." if record.kind == "documents" else ""
        place = el(
            "p",
            f"{asked} question, from text that was not trained on: here is a context, what comes next? The filled "
            f"cells are what the model can see, the framed one is the true answer.{mark}",
        )
    cards = (card(record, i, rung) for i, rung in enumerate(record.rungs))
    yield _section("The model" if single else "The rungs", place, cards)


def _about(record: Record) -> Iterator[Markup]:
    yield _section(
        "Reproduce it",
        el(
            "p",
            "The same command draws the same first weights and batches. How many steps fit into the minutes depends on "
            "the machine, and with them the losses, a little.",
        ),
        el("pre", el("code", record.command)),
    )
    facts = [("corpus", record.corpus), ("source", record.source), ("symbols", str(record.vocab_size))]
    facts += [(part.name, _size(part)) for part in record.parts]
    facts += [("seed", str(record.seed)), *(record.machine or {}).items()]
    pairs = ((el("dt", name), el("dd", value)) for name, value in facts)
    yield _section("The text, and the machine", el("dl", pairs))
    yield el("footer", f"Made by gradus {__version__}. Every number on this page was computed by the command above.")


def _size(part: Part) -> str:
    documents = f"{part.documents:,} documents, " if part.documents else ""
    return f"{documents}{part.characters:,} characters, {part.scored:,} predictions scored"


def _section(title: str, *content: str | Iterable[str] | Iterable[Iterable[str]]) -> Markup:
    name = "".join(c for c in title.lower() if c.isalpha())
    return el("section", el("h2", title, id=name), *content, aria_labelledby=name)


def _dot(i: int) -> Markup:
    return el("span", class_="dot-key", style=f"--c:var(--c{i % 6})")


def one_line(rung: Rung, length: int = 60) -> str:
    """The sample of a rung that fits in a table: words joined by commas, or the start of a passage on one line."""
    if not rung.samples:
        return ""
    if not any(sample.origin for sample in rung.samples):
        return " ".join(rung.samples[0].text.split())[:length]
    text = rung.samples[0].text
    for sample in rung.samples[1:]:
        if len(text) + 2 + len(sample.text) > length:
            break
        text += f", {sample.text}"
    return text[:length]
