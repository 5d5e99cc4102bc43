"""What a verdict says to the learner: one failing check, what was called with what, what came, what was expected."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from gradus.learn.compare import where_it_differs
from gradus.learn.exercise import Exercise, all_needs
from gradus.learn.judge import Verdict
from gradus.learn.plain import Plain, show

WIDTH = 78
LINES = 12  # of what was printed
LONGEST = 160  # characters of a value
BARS = "▁▂▃▄▅▆▇█"
CURVE = 8  # numbers; a list of as many is shown as a curve too


def message(verdict: Verdict, hints: int = 0) -> str:
    """The verdict as text; `hints` is how many have been shown."""
    exercise, failure = verdict.exercise, verdict.failure
    if verdict.passed:
        checks = f"{verdict.checks} checks" if verdict.checks > 1 else "1 check"
        lines = [f"✓ {exercise}: passed, {checks} in {verdict.seconds:.1f} s", "", wrap(exercise.after)]
        return "\n".join([*lines, "", wrap(f"Read next: {exercise.read}")])
    if failure is None:
        return f"✗ {exercise}: no check was run, so nothing has passed"
    place = "" if failure.index is None else f", check {failure.index + 1} of {verdict.checks}: {failure.title}"
    lines = [wrap(f"✗ {exercise}{place}"), ""]
    if failure.lines:
        lines += [textwrap.indent(failure.lines, "    ")]
        lines += [_filled(f"    # {name} = ", "    #     ", value) for name, value in failure.arguments.items()]
        lines += [""]
    hide = exercise.kind == "predict"  # the answer is for the learner to find
    if failure.came is not None:
        came, expected = failure.came, failure.expected
        place = ""
        if expected is not None and max(len(show(came)), len(show(expected))) > LONGEST:  # only what differs
            place, came, expected = where_it_differs(came, expected, failure.tolerance)
        lines += [_labelled(f"came{place}", came)]
        if expected is not None and not hide:
            lines += [_labelled(f"expected{place}", expected)]
            lines += _curves(failure.came, failure.expected or expected)
    lines += [
        wrap("not yet: think again" if hide and failure.came and failure.came["kind"] != "todo" else failure.what, "  ")
    ]
    if failure.mistake:
        lines += ["", wrap(f"A known mistake: {failure.mistake}.", "  "), wrap(failure.why, "  ")]
    if verdict.printed.strip():
        printed = verdict.printed.strip().splitlines()
        lines += ["", "  it printed:", *(f"    {line[: WIDTH - 4]}" for line in printed[:LINES])]
        lines += ["    ..."] * (len(printed) > LINES)
    if left := len(exercise.hints) - hints:
        lines += ["", f"  {left} more hint{'s' * (left > 1)} if you want: key h, or gradus learn hint {exercise.name}"]
    return "\n".join(lines)


def hint(exercise: Exercise, number: int) -> str:
    """The hint of a number, counted from 1."""
    return wrap(f"Hint {number} of {len(exercise.hints)}: {exercise.hints[number - 1]}")


def heading(exercise: Exercise, file: str) -> str:
    """What an exercise is, in two lines."""
    level = ("easy", "medium", "hard")[exercise.difficulty - 1]
    return f"{exercise}: {exercise.title}\n{exercise.kind}, {level}, about {exercise.minutes} minutes: {file}"


def stand_ins(exercise: Exercise, right: Sequence[str]) -> str:
    """Which of the modules that it imports are gradus's own; "" if none is."""
    ours = [f"mine.{name}" for name in all_needs(exercise) if name not in right]
    if not ours:
        return ""
    if len(ours) == 1:
        return wrap(f"{ours[0]} is gradus's own here: yours has not passed yet, or has changed since.")
    names = f"{', '.join(ours[:-1])} and {ours[-1]}"
    return wrap(f"{names} are gradus's own here: yours have not passed yet, or have changed since.")


def wrap(text: str, indent: str = "") -> str:
    """Paragraphs, each filled to the width; lines that begin with spaces stay as they are."""
    parts = []
    for paragraph in text.split("\n\n"):
        verbatim = paragraph.startswith("    ")
        parts.append(
            paragraph
            if verbatim
            else textwrap.fill(
                " ".join(paragraph.split()),
                WIDTH,
                initial_indent=indent,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    return "\n\n".join(parts)


def _labelled(label: str, value: Plain) -> str:
    return _filled(f"  {label:<9} ", " " * 12, value)


def _filled(label: str, indent: str, value: Plain) -> str:
    return textwrap.fill(_short(value), WIDTH, initial_indent=label, subsequent_indent=indent, break_on_hyphens=False)


def _short(value: Plain) -> str:
    text = show(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _curves(came: Plain, expected: Plain) -> list[str]:
    """Both as little curves on one scale, where both are lists of numbers."""
    both = [_series(came), _series(expected)]
    if min(map(len, both)) < CURVE:
        return []
    low, high = min(map(min, both)), max(map(max, both))
    if not math.isfinite(size := (high - low) or 1.0):
        return []
    rows = ("".join(BARS[int((x - low) / size * (len(BARS) - 1))] for x in _thinned(series)) for series in both)
    return [f"  {label:<9} {row}" for label, row in zip(("yours", "target"), rows, strict=True)]


def _thinned(series: list[float]) -> list[float]:
    step = max(1, -(-len(series) // (WIDTH - 12)))
    return series[::step]


def _series(data: Plain) -> list[float]:
    """The numbers of a list, or of an array of one dimension; none if it is neither."""
    flat = data.get("value", [])
    if data["kind"] == "list":
        flat = [v.get("value") if v["kind"] == "number" else None for v in flat]
    elif data["kind"] != "array" or len(data["shape"]) != 1:
        return []
    return flat if all(isinstance(x, (int, float)) for x in flat) else []
