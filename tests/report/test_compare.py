"""What the page says in words follows from the numbers; the yardsticks are what they say."""

from __future__ import annotations

import doctest
import math
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from gradus.evaluation import evaluate
from gradus.models import build_model
from gradus.plots.curve import LossCurve
from gradus.report import compare
from gradus.report.compare import NOISE, comparison, digits, verdict
from gradus.report.record import Record, Rung, Yardstick
from gradus.report.yardsticks import compressed, yardsticks
from gradus.text import Batches, CharTokenizer, Corpus, make_rows
from gradus.training import TrainConfig, train


def rung(title: str, test: float, *, dev: float | None = None, train: float = 1.0, parameters: int = 100) -> Rung:
    curve = LossCurve(title, (), ()) if "counts" in title else LossCurve(title, (1.0,), (2.0,))
    dev = test if dev is None else dev
    return Rung(title, title, "gpt", parameters, 8, train, dev, test, test / math.log(2), 1.0, 10, {}, curve, ())


def record(*rungs: Rung) -> Record:
    return Record("names", "documents", "a source", 27, (), rungs, 1, "gradus climb names")


def test_better_rung_is_said_to_be_better_in_nats_bits_and_choices() -> None:
    told = comparison(record(rung("A", 1.9), rung("B", 1.8)), 1)
    assert told == (
        "Better than A by 0.1000 nats on test, 0.144 bits per character: as if it chose among 6.05 equally likely "
        "characters, not 6.69."
    )


def test_difference_within_noise_is_called_level() -> None:
    told = comparison(record(rung("A", 1.8), rung("B", 1.8 + NOISE / 2)), 1)
    assert told.startswith("Level with A: 0.0050 nats worse on test")


@pytest.mark.parametrize(("train", "reason"), [(0.5, "that text itself"), (1.5, "worse on the training text, too")])
def test_bigger_model_that_loses_is_told_why(train: float, reason: str) -> None:
    told = comparison(record(rung("A", 1.8), rung("B", 1.9, train=train, parameters=250)), 1)
    assert told.startswith("Worse than A by 0.1000 nats")
    assert "2.5 times the parameters" in told
    assert reason in told


def test_rung_is_also_compared_with_the_best_before_it() -> None:
    told = comparison(record(rung("A", 1.8), rung("B", 2.0), rung("C", 1.9)), 2)
    assert told.startswith("Better than B")
    assert told.endswith("The best before it was A: this one is 0.1000 nats worse.")


def test_best_network_is_decided_on_dev_not_on_test() -> None:
    whole = record(rung("counts", 1.7), rung("A", 1.8, dev=1.85), rung("B", 1.79, dev=1.86))
    assert whole.best_network is not None
    assert whole.best_network.title == "A"
    assert verdict(whole)[0] == (
        "Best network, by dev: A, dev 1.8500, test 1.8000; 0.1000 nats above the best that counts, counts."
    )
    level = record(rung("A", 1.8), rung("B", 1.8 + NOISE / 2), rung("C", 2.0))
    assert verdict(level)[1] == "Within noise on test (less than 0.01 nats apart): A and B."


def test_mixture_is_told_apart_from_single_networks_and_the_floor_says_how_near() -> None:
    of = {"of": str(Path("runs/climb/A").resolve())}
    mixed = replace(rung("mixture counts", 1.7), model="mixture", title="mixture", settings=of)
    a = replace(rung("A", 1.8), folder="runs/climb/A")
    whole = replace(record(a, mixed), floor=Yardstick("the grammar itself", 1.6, 1.65))
    assert whole.best_network is not None
    assert whole.best_network.title == "A"
    assert verdict(whole)[1:] == [
        "Two models in one, the mixture: dev 1.7000, test 1.7000, 0.1000 nats below A alone.",
        "No model can pass the grammar itself, 1.6500 on test. Nearest come, in nats above it: mixture 0.0500, "
        "A 0.1500.",
    ]
    carrying = replace(rung("B", 1.75), folder="runs/climb/B")  # the best network need not be the one that is mixed
    assert "0.1000 nats below A alone." in verdict(record(a, carrying, mixed))[1]
    assert "alone" not in " ".join(verdict(record(carrying, mixed)))


def test_digits_tell_different_losses_apart() -> None:
    assert digits([1.0, 1.0]) == 3
    assert doctest.testmod(compare).failed == 0


def parts() -> tuple[Corpus, Corpus, Corpus, CharTokenizer]:
    whole = Corpus("tale", "documents", "an example", documents=tuple(f"{a}{b}b" for a in "abcab" for b in "abcd" * 5))
    splits = whole.splits()
    return splits.train, splits.dev, splits.test, CharTokenizer.train(whole)


def test_unigram_is_the_ngram_of_order_one() -> None:
    train_part, dev, test, tokenizer = parts()
    model = build_model(
        "ngram", vocab_size=tokenizer.vocab_size, block_size=4, order=1, method="additive", smoothing=1.0
    )
    batches = Batches(train_part, tokenizer, 4, 8, 0)
    train(model, batches, TrainConfig(steps=batches.steps_per_epoch))
    stick = next(s for s in yardsticks(train_part, dev, test, tokenizer) if s.name == "unigram")
    for part, loss in ((dev, stick.dev), (test, stick.test)):
        assert evaluate(model, make_rows(part, tokenizer, 4)).nats == pytest.approx(loss, rel=1e-12)


def test_compressor_is_charged_for_what_the_text_adds() -> None:
    before, text = "abcd" * 100, "abcd" * 50
    added = len(zlib.compress((before + text).encode(), 9)) - len(zlib.compress(before.encode(), 9))
    given: list[int] = []

    def compress(data: bytes) -> bytes:
        given.append(len(data))
        return zlib.compress(data, 9)

    costs = compressed(compress, before, [text, text[:100]])
    assert costs[0] == pytest.approx(8 * added / 200 * math.log(2))
    assert given == [400, 600, 500]  # the training text alone is compressed once
    names = [s.name for s in yardsticks(*parts())]
    assert set(names) == {"guessing", "unigram", "gzip -9", "bzip2 -9", "xz -9e"}
