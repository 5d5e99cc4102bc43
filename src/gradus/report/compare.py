"""What the numbers of a climb say, in sentences that are computed from them: each rung beside the one before it and
beside the best before it, which network is best, and which differences are too small to mean anything."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from gradus.report.record import Record, Rung

# Nats. On `words`, the NPLM ends at test losses of 1.7851, 1.7783 and 1.7879 from the seeds 1337, 1 and 2: 0.0096
# between the lowest and the highest.
NOISE = 0.01


def verdict(record: Record) -> list[str]:
    """Which network is best, decided on dev, and what it is ahead of; which models are level."""
    told = []
    network = record.best_network
    counting = min((rung for rung in record.rungs if rung.counts), key=lambda rung: rung.dev, default=None)
    if network is not None and len(record.rungs) > 1:
        sentence = f"Best network, by dev: {network.title}, dev {network.dev:.4f}, test {network.test:.4f}"
        if counting is not None:
            gain = counting.test - network.test
            where = "below" if gain > 0 else "above"
            sentence += f"; {abs(gain):.4f} nats {where} the best that counts, {counting.title}"
        told.append(sentence + ".")
    told += _mixed(record)
    told += _near(record)
    ranked = sorted(record.rungs, key=lambda rung: rung.test)
    level = [f"{a.title} and {b.title}" for a, b in pairwise(ranked) if b.test - a.test <= NOISE]
    if level:
        told.append(f"Within noise on test (less than {NOISE:g} nats apart): {'; '.join(level)}.")
    return told


def _mixed(record: Record) -> Iterator[str]:
    """What mixing with counts adds to the network that is mixed, where that is a rung, too."""
    networks = {Path(rung.folder).resolve(): rung for rung in record.rungs if rung.trained}
    for rung in record.rungs:
        network = networks.get(Path(str(rung.settings.get("of")))) if rung.mixed else None
        if network is not None:
            gain = network.test - rung.test
            yield (
                f"Two models in one, the {rung.title}: dev {rung.dev:.4f}, test {rung.test:.4f}, {abs(gain):.4f} nats "
                f"{'below' if gain > 0 else 'above'} {network.title} alone."
            )


def _near(record: Record) -> Iterator[str]:
    """How near the rungs come to the floor, where there is one."""
    floor = record.floor
    if floor is not None and record.rungs:
        nearest = sorted(record.rungs, key=lambda rung: rung.test)[:3]
        gaps = ", ".join(f"{rung.title} {rung.test - floor.test:.4f}" for rung in nearest)
        yield f"No model can pass {floor.name}, {floor.test:.4f} on test. Nearest come, in nats above it: {gaps}."


def comparison(record: Record, i: int) -> str:
    """The i-th rung beside the one before it and, if that is another, beside the best one before it by dev."""
    if i == 0:
        return ""
    rung, before = record.rungs[i], record.rungs[i - 1]
    best = min(record.rungs[:i], key=lambda other: other.dev)
    told = _beside(rung, before)
    return told if best is before else f"{told} {_short(rung, best)}"


def digits(losses: Iterable[float], least: int = 3, most: int = 6) -> int:
    """How many decimals show losses that differ as different.

    >>> digits([2.4598, 2.4585]), digits([1.75021, 1.75023])
    (3, 5)
    """
    different = sorted(set(losses))
    return next((n for n in range(least, most) if len({f"{x:.{n}f}" for x in different}) == len(different)), most)


def _beside(rung: Rung, before: Rung) -> str:
    gain = before.test - rung.test
    size = abs(gain) / math.log(2)
    if abs(gain) <= NOISE:
        return (
            f"Level with {before.title}: {abs(gain):.4f} nats {'better' if gain > 0 else 'worse'} on test, less than "
            "another random seed changes."
        )
    choices = (
        f"as if it chose among {math.exp(rung.test):.2f} equally likely characters, not {math.exp(before.test):.2f}"
    )
    if gain > 0:
        return f"Better than {before.title} by {gain:.4f} nats on test, {size:.3f} bits per character: {choices}."
    return " ".join([f"Worse than {before.title} by {-gain:.4f} nats on test: {choices}.", *_why(rung, before)])


def _why(rung: Rung, before: Rung) -> Iterator[str]:
    """Why a rung can be worse than the one before it, as far as its losses show it."""
    if rung.parameters > before.parameters:
        yield f"It has {_times(rung.parameters / before.parameters)} the parameters, and more are not always better."
    if rung.train < before.train:
        yield (
            f"On the training text it is the better one ({rung.train:.3f} against {before.train:.3f}): what it learned "
            "more of is that text itself, not the language."
        )
    else:
        yield (
            f"It is worse on the training text, too ({rung.train:.3f} against {before.train:.3f}): it has not learned "
            "the text by heart, it needs more steps or a longer context."
        )


def _short(rung: Rung, best: Rung) -> str:
    gain = best.test - rung.test
    if abs(gain) <= NOISE:
        return f"The best before it was {best.title}; the two are level."
    return f"The best before it was {best.title}: this one is {abs(gain):.4f} nats {'better' if gain > 0 else 'worse'}."


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 9.95 else f"{ratio:.0f} times"
