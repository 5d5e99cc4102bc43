"""A climb, or a single run, as one HTML page that needs nothing else: no script, no font, no network, no other file.

The page's frame and its style sheet lie in assets/; this file fills them from a Record. Text from a corpus or a model
is escaped where it becomes an element. Light and dark follow the reader's system.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from gradus import __version__, files
from gradus.report.card import card, words
from gradus.report.chart import Level, clock, loss_chart
from gradus.report.colors import HUES, HUES_DARK, colors
from gradus.report.compare import digits, verdict
from gradus.report.diagnose import drawn
from gradus.report.markup import Markup, el, join
from gradus.report.picture import Picture
from gradus.report.record import Part, Record, Rung, Sample

Pictures = Mapping[str, Sequence[Picture]]

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")


def write_page(record: Record, path: str | Path) -> Path:
    """Write the page of a record, whole or not at all, and return its path; with the pictures of the runs that have
    been looked into, which lie beside it or in the folders of the rungs. UserError if it cannot be written."""
    folder = Path(path).parent
    pictures = {rung.name: drawn(folder / rung.name) for rung in record.rungs}
    if len(record.rungs) == 1:
        pictures[record.rungs[0].name] = drawn(folder) or pictures[record.rungs[0].name]
    with files.saving(path):
        files.write(path, render(record, pictures).encode("utf-8", "replace"))
    return Path(path)


def render(record: Record, pictures: Pictures | None = None) -> str:
    """The whole page as a string. pictures: of the rungs, by name."""
    assets = resources.files("gradus.report") / "assets"
    single = len(record.rungs) == 1
    cards = partial(_rungs, pictures=pictures or {})
    sections = (
        (_opening, _table, _curves, cards, _about)
        if single
        else (_opening, _stairs, _table, _curves, _writings, cards, _about)
    )
    return Template((assets / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"{record.rungs[0].title if single else record.subject.capitalize()} on {record.corpus} · gradus"),
        colors=_colors(),
        style=(assets / "page.css").read_text(encoding="utf-8").rstrip(),
        body="\n".join(join(section(record)) for section in sections),
    )


def _colors() -> str:
    light, dark = ("".join(f"--c{i}:{c};" for i, c in enumerate(hues)) for hues in (HUES, HUES_DARK))
    return f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def _opening(record: Record) -> Iterator[Markup]:
    number = len(record.rungs)
    if number == 1:
        heading = join([record.rungs[0].title, " on ", el("em", record.corpus)])
    else:
        name = _NUMBERS[number] if number < len(_NUMBERS) else str(number)
        heading = join([f"{name} models of ", el("em", record.corpus)])
    yield el("p", " · ".join(["gradus", record.subject, *([record.date] if record.date else [])]), class_="eyebrow")
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
    lowest = min(rung.test for rung in record.rungs)
    if lowest >= record.uniform:
        return
    steps = []
    decimals = digits((rung.test for rung in record.rungs), 3, 4)
    for rung, color in zip(record.rungs, colors(record), strict=True):
        gain = record.uniform - rung.test
        height = 84 * max(0.0, gain / (record.uniform - lowest))  # % of the box; the rest is for the number on top
        loss = el("span", f"{rung.test:.{decimals}f}", class_="loss")
        tread = el("span", class_="step", title=f"{rung.title}: {gain:.4f} nats below guessing")
        parts = el("div", loss, tread, class_="rise"), el("span", rung.title, class_="stair-name")
        mark = "best" if rung is record.best else None
        steps.append(el("li", parts, class_=mark, style=f"--c:{color};--height:{height:.2f}%"))
    told = "; ".join(f"{rung.title} {rung.test:.3f}" for rung in record.rungs)
    yield el(
        "figure",
        el(
            "div",
            el("ul", steps, class_="stairs", aria_hidden="true"),
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
    yield el("ul", (el("li", sentence) for sentence in verdict(record)), class_="verdict")


def _table(record: Record) -> Iterator[Markup]:
    decimals = digits((rung.test for rung in record.rungs), 4, 5)
    columns: list[tuple[str, str, Callable[[Rung], float], str]] = [
        ("train", "loss", lambda rung: rung.train, f".{decimals}f"),
        ("dev", "loss", lambda rung: rung.dev, f".{decimals}f"),
        ("test", "loss", lambda rung: rung.test, f".{decimals}f"),
        ("bits per", "character", lambda rung: rung.bits, ".3f"),
    ]
    several = len(record.rungs) > 1
    sliding = any(rung.sliding is not None for rung in record.rungs)

    floor, paints = record.floor, colors(record)

    def row(i: int, rung: Rung) -> Markup:
        cells = []
        for _, _, value, form in columns:
            text = format(value(rung), form)
            best = several and value(rung) == min(map(value, record.rungs))
            cells.append(el("td", el("strong", text) if best else text))
        if sliding:
            cells.append(el("td", "" if rung.sliding is None else f"{rung.sliding:.4f}"))
        if floor is not None:
            cells.append(el("td", f"{rung.test - floor.test:.4f}"))
        cells += [el("td", f"{rung.parameters:,}"), el("td", str(rung.context)), el("td", f"{rung.seconds:.1f}")]
        cells.append(el("td", one_line(rung), class_="text"))
        name = el("a", rung.title, href=f"#rung{i}") if several else rung.title
        return el("tr", el("th", _dot(paints[i]), name, scope="row"), cells)

    heads = [("", "model"), *((a, b) for a, b, _, _ in columns), *([("test,", "sliding")] if sliding else [])]
    heads += [("above", "the floor")] if floor is not None else []
    heads += [("", "parameters"), ("", "context"), ("", "seconds")]
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
        _yardsticks(record),
    )


def _yardsticks(record: Record) -> Iterator[Markup]:
    if not record.yardsticks:
        return
    sticks = [(stick.name, stick.test, "") for stick in record.yardsticks]
    sticks += [(rung.title, rung.test, color) for rung, color in zip(record.rungs, colors(record), strict=True)]
    sticks += [(record.floor.name, record.floor.test, "")] if record.floor is not None else []
    sticks.sort(key=lambda stick: -stick[1])
    rows = (
        el(
            "li",
            el("span", name),
            el("span", class_="bar", style=f"--width:{100 * loss / sticks[0][1]:.1f}%"),
            el("span", f"{loss / math.log(2):.3f}", class_="share"),
            class_="ours" if color else None,
            style=f"--c:{color}" if color else None,
        )
        for name, loss, color in sticks
    )
    yield el("h3", "Beside yardsticks, in bits per character of test")
    yield el("ul", rows, class_="sticks")
    yield el(
        "p",
        "A compressor is a language model, too: what can be predicted need not be stored. Each was given the training "
        "text first; counted is what the test text added. “unigram” knows only how frequent each character is.",
        class_="caption",
    )


def _writings(record: Record) -> Iterator[Markup]:
    """The samples of all rungs side by side."""
    written = [(color, rung) for color, rung in zip(colors(record), record.rungs, strict=True) if rung.samples]
    if len(written) < 2:
        return

    def text(samples: Sequence[Sample]) -> Markup:
        if any(sample.origin for sample in samples):
            return words(samples[:8])
        return el("div", samples[0].text, class_="passage")

    boxes = (
        el("div", el("h3", _dot(color), rung.title), text(rung.samples), style=f"--c:{color}")
        for color, rung in written
    )
    told = "Samples from the same random numbers."
    if record.kind == "documents":
        told += " Dotted is what the training text holds, marked what only the held-out text does."
    else:
        told += f" Each goes on from “{record.questions[0].context.strip()}”." if record.questions else ""
    yield _section("What they write", el("p", told), el("div", boxes, class_="beside"))


def _curves(record: Record) -> Iterator[Markup]:
    painted = list(zip(colors(record), record.rungs, strict=True))
    curves = [(color, rung.curve) for color, rung in painted if rung.trained]
    if not curves:
        return
    levels = [Level("var(--muted)", stick.name, stick.dev, "stick") for stick in record.yardsticks]
    levels = levels or [Level("var(--muted)", "guessing", record.uniform, "stick")]
    levels += [Level(color, rung.title, rung.dev) for color, rung in painted if not rung.trained]
    if record.floor is not None:
        levels.append(Level("var(--ink)", record.floor.name, record.floor.dev, "floor"))
    key = (el("li", _dot(color), f"{curve.label} {min(curve.dev):.3f}") for color, curve in curves if curve.dev)
    told = (
        "Loss against the time in training, both on logarithmic scales. The strong line with dots is the dev split, "
        "the faint one the batches being trained on; a dashed line is the dev loss of a model that was not trained "
        "step by step, a dotted one of a yardstick."
    )
    if record.floor is not None:
        told += f" The line at the bottom is {record.floor.name}: no model can pass it."
    yield _section(
        "How they learned" if len(record.rungs) > 1 else "How it learned",
        el("p", told),
        el(
            "figure",
            el("div", loss_chart(curves, levels), class_="wide"),
            el("ul", key, class_="key"),
            el("div", loss_chart(curves, levels, width=370, height=460, labels=False), class_="narrow"),
        ),
    )


def _rungs(record: Record, *, pictures: Pictures) -> Iterator[Markup]:
    single = len(record.rungs) == 1
    place: Markup | str = ""
    if record.questions:
        asked = "It is asked some" if single else "Each is asked the same"
        mark = " ↵ is where a document begins or ends." if record.kind == "documents" else ""
        place = el(
            "p",
            f"{asked} questions, from text that was not trained on: here is a context, what comes next? The "
            f"filled cells are what the model can see, the framed one is the true answer.{mark}",
        )
    cards = (card(record, i, pictures.get(rung.name, ())) for i, rung in enumerate(record.rungs))
    yield _section("The model" if single else "The rungs", place, cards)


def _about(record: Record) -> Iterator[Markup]:
    yield _section(
        "Reproduce it",
        el("p", _repeated(record)),
        el("pre", el("code", record.command)),
    )
    facts = [("corpus", record.corpus), ("source", record.source), ("symbols", str(record.vocab_size))]
    facts += [(part.name, _size(part)) for part in record.parts]
    facts += [("the climb took", clock(record.seconds))] if record.seconds else []
    facts += [("seed", str(record.seed)), *(record.machine or {}).items()]
    pairs = ((el("dt", name), el("dd", value)) for name, value in facts)
    yield _section("The text, and the machine", el("dl", pairs))
    yield el("footer", f"Made by gradus {__version__}. Every number on this page was computed by the command above.")


def _repeated(record: Record) -> str:
    """What the command gives when it is called again."""
    if record.subject == "a comparison":
        return "The command measures the same runs again, as they are then."
    if record.timed:
        return (
            "The same command draws the same first weights and batches. How many steps fit into the minutes depends on "
            "the machine, and with them the losses, a little."
        )
    return (
        "The same command draws the same first weights and batches and takes the same steps, so another machine prints "
        "the same numbers, up to the rounding of its processor."
    )


def _size(part: Part) -> str:
    documents = f"{part.documents:,} documents, " if part.documents else ""
    return f"{documents}{part.characters:,} characters, {part.scored:,} predictions scored"


def _section(title: str, *content: str | Iterable[str] | Iterable[Iterable[str]]) -> Markup:
    name = "".join(c for c in title.lower() if c.isalpha())
    return el("section", el("h2", title, id=name), *content, aria_labelledby=name)


def _dot(color: str) -> Markup:
    return el("span", class_="dot-key", style=f"--c:{color}")


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
