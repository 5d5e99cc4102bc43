"""The climb: every rung is trained and scored as the other rooms would train and score it, and nothing done is lost."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
from pathlib import Path
from threading import Thread

import pytest
from click import Option

from gradus.cli.climb import command
from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.report import ladder, task
from gradus.report.climb import Budget, climb
from gradus.report.ladder import LADDER, ORDERS, SMOOTHINGS, Step, choose
from gradus.report.record import Record, Rung, load_record
from gradus.report.table import table_rows
from gradus.text import load_corpus
from gradus.text.toy import grammar
from gradus.training import Report, RunFolder, load_model, reopen, set_up, train
from tests.report.conftest import short_climb


class Quiet:
    """A watcher that does nothing; tests override what they need."""

    def begin(self, step: Step, budget: Budget) -> None: ...
    def train(self, report: Report) -> None: ...
    def end(self, rung: Rung) -> None: ...


def test_every_rung_is_climbed_in_the_order_of_the_ladder(climbed: tuple[Record, Path]) -> None:
    record, folder = climbed
    assert [rung.name for rung in record.rungs] == [step.name for step in LADDER]
    assert [(part.name, part.documents) for part in record.parts] == [("train", 274), ("dev", 34), ("test", 35)]
    assert [rung.steps for rung in record.rungs] == [4 if step.documents.steps else 0 for step in LADDER]
    assert all((folder / rung.name / "state.json").is_file() for rung in record.rungs)


def test_losses_in_the_table_are_those_of_the_saved_runs(climbed: tuple[Record, Path]) -> None:
    record, folder = climbed
    for rung in record.rungs:
        run = RunFolder.open(folder / rung.name)
        model, setup = load_model(run), reopen(run)
        scores = [evaluate(model, setup.rows(part)) for part in ("train", "dev", "test")]
        # batches of another size: float32 sums in another order
        assert [rung.train, rung.dev, rung.test] == pytest.approx([score.nats for score in scores], rel=1e-5)
        assert rung.bits == pytest.approx(scores[2].bits, rel=1e-5)
        assert record.parts[2].scored == scores[2].count
        assert rung.parameters == model.num_parameters()


def test_longer_ngram_is_the_best_on_dev_of_all_orders_and_smoothings(
    words: Path, climbed: tuple[Record, Path]
) -> None:
    losses = {}
    for order, smoothing in itertools.product(ORDERS, SMOOTHINGS):
        settings = {"model": "ngram", "method": "additive", "order": order, "smoothing": smoothing}
        setup = set_up({"corpus": str(words), **settings})
        train(setup.model, setup.batches, setup.config)
        losses[order, smoothing] = evaluate(setup.model, setup.rows("dev")).nats
    (order, smoothing), least = min(losses.items(), key=lambda item: item[1])
    rung = next(rung for rung in climbed[0].rungs if rung.name == "ngram")
    assert rung.dev == pytest.approx(least, rel=1e-12)  # counts and float64: nothing to round differently but the sum
    assert (rung.settings["order"], rung.settings["smoothing"], rung.title) == (
        order,
        smoothing,
        f"{order}-gram counts",
    )


def test_curves_hold_the_losses_of_the_runs_logs(climbed: tuple[Record, Path]) -> None:
    record, folder = climbed
    gpt = next(rung for rung in record.rungs if rung.name == "gpt")
    lines = RunFolder.open(folder / gpt.name).metrics()
    assert gpt.curve.train == tuple(line["train_loss"] for line in lines if "train_loss" in line)
    assert gpt.curve.dev == tuple(line["dev_loss"] for line in lines if "dev_loss" in line)
    assert len(gpt.curve.train) == 4
    assert min(gpt.curve.dev) == pytest.approx(gpt.dev, rel=1e-5)  # the weights scored are the best


def test_table_json_comes_back_as_it_was(climbed: tuple[Record, Path]) -> None:
    record, folder = climbed
    assert load_record(folder / "table.json") == record


def test_samples_say_whether_they_were_read(words: Path, climbed: tuple[Record, Path]) -> None:
    record, folder = climbed
    splits = reopen(RunFolder.open(folder / "gpt")).splits
    whole = set(words.read_text(encoding="utf-8").splitlines())
    for sample in (sample for rung in record.rungs for sample in rung.samples):
        read = sample.text in splits.train.documents
        assert sample.origin == ("train" if read else "held out" if sample.text in whole else "new")
    assert {len(rung.samples) for rung in record.rungs} == {task.WORDS}


def test_guesses_are_the_models_probabilities_after_the_question(climbed: tuple[Record, Path]) -> None:
    record, _ = climbed
    counts = record.rungs[0]  # add-one bigram: the probability can be counted by hand
    run = RunFolder.open(climbed[1] / counts.name)
    pairs = [pair for d in reopen(run).splits.train.documents for pair in itertools.pairwise(f"\n{d}\n")]
    assert len(record.questions) == 3
    for question, guesses in zip(record.questions, counts.guesses, strict=True):
        seen = [b for a, b in pairs if a == question.context[-1]]
        for guess in guesses:
            p = (seen.count(guess.token) + 1) / (len(seen) + record.vocab_size)
            assert guess.probability == pytest.approx(p, rel=1e-9)
        assert question.answer in [guess.token for guess in guesses]


def test_same_seed_gives_the_same_losses_and_samples(words: Path, tmp_path: Path) -> None:
    def once(name: str) -> tuple[object, ...]:
        rung = short_climb(str(words), 3, only=["nplm"], out=tmp_path / name)[0].rungs[0]
        return rung.train, rung.dev, rung.test, rung.curve.train, rung.samples, rung.guesses

    assert once("first") == once("second")


def test_existing_climb_is_left_alone_and_the_next_number_taken(words: Path, tmp_path: Path) -> None:
    folders = [climb(str(words), only=["ngram"], out=tmp_path / "climb")[1] for _ in range(3)]
    assert [folder.name for folder in folders] == ["climb", "climb-1", "climb-2"]


def test_minutes_are_the_budget_of_all_rungs_together(words: Path, tmp_path: Path) -> None:
    class Budgets(Quiet):
        seconds: list[float] = []  # noqa: RUF012

        def begin(self, step: Step, budget: Budget) -> None:  # noqa: ARG002
            assert budget.minutes is not None
            self.seconds.append(60 * budget.minutes)

    seconds = itertools.count()  # each look at the clock is a second later
    record, _ = climb(
        str(words),
        1.0,
        only=["bigram", "nplm"],
        out=tmp_path / "c",
        watcher=Budgets(),
        clock=lambda: float(next(seconds)),
    )
    whole = 60 * ladder.TRAINING_SHARE
    assert sum(Budgets.seconds) == pytest.approx(whole)
    for rung, budget in zip(record.rungs, Budgets.seconds, strict=True):
        assert budget <= rung.seconds <= budget + 2  # the step that passes the end is the last


def test_default_budget_is_the_ladders_steps_on_every_machine(words: Path, tmp_path: Path) -> None:
    class Refusing(Quiet):
        budgets: list[Budget] = []  # noqa: RUF012

        def begin(self, step: Step, budget: Budget) -> None:
            self.budgets.append(budget)
            if step.model == "gpt":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        climb(str(words), only=["gpt"], out=tmp_path / "c", watcher=Refusing())
    plan = next(step for step in LADDER if step.model == "gpt").documents
    assert Refusing.budgets == [Budget(steps=plan.steps, seconds=plan.seconds)]


def test_the_mixture_is_of_the_network_that_is_best_on_dev(climbed: tuple[Record, Path]) -> None:
    record, folder = climbed
    mixture, best = record.rungs[-1], record.best_network
    assert best is not None
    assert (mixture.mixed, mixture.trained, mixture.counts) == (True, False, False)
    assert mixture.settings["of"] == str((folder / best.name).resolve())
    assert best.dev == min(rung.dev for rung in record.rungs if rung.trained)
    assert mixture.dev < best.dev
    assert mixture.seconds > best.seconds  # its network's training is part of what it cost


def test_a_network_that_carries_its_state_is_scored_in_order_and_not_mixed(prose: Path, tmp_path: Path) -> None:
    record, folder = short_climb(str(prose), 2, only=["recurrent", "nplm", "mixture"], out=tmp_path / "climb")
    lstm = next(rung for rung in record.rungs if rung.name == "recurrent")
    run = RunFolder.open(folder / "recurrent")
    assert lstm.settings["carry"] is True
    assert lstm.test == pytest.approx(evaluate(load_model(run), reopen(run).rows("test")).nats, rel=1e-5)
    assert record.rungs[-1].settings["of"] == str((folder / "nplm").resolve())
    with pytest.raises(UserError, match="a mixture needs a network"):
        short_climb(str(prose), 2, only=["recurrent", "mixture"], out=tmp_path / "none")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes by name are Unix's")
def test_a_text_from_a_pipe_is_mixed_too(words: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=[words.read_bytes()], daemon=True)
    writer.start()
    record, folder = short_climb(str(pipe), 2, only=["nplm", "mixture"], out=tmp_path / "climb")
    writer.join()
    assert [rung.name for rung in record.rungs] == ["nplm", "mixture"]
    shutil.rmtree(folder / "nplm")
    assert reopen(RunFolder.open(folder / "mixture")).corpus.documents == tuple(words.read_text().split())


def test_the_floor_of_toy_is_what_its_grammar_loses_on_the_very_split(tmp_path: Path) -> None:
    record, folder = short_climb("toy", 2, only=["bigram"], out=tmp_path / "climb")
    test = task.Task.of(load_corpus("toy")).scored[2]
    surprise = sum(map(grammar().surprise, test.documents))
    assert record.floor is not None
    assert record.floor.test == pytest.approx(surprise / test.characters, rel=1e-12)
    assert 0 < abs(record.floor.test - record.floor.dev) < 0.02
    assert load_record(folder / "table.json").floor == record.floor
    assert "above floor" in table_rows(record)[0]
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert f"the grammar itself {record.floor.dev:.3f}" in page
    assert f"{record.rungs[0].test - record.floor.test:.4f}" in page


def test_pictures_of_the_rungs_are_drawn_when_asked_for(words: Path, tmp_path: Path) -> None:
    _, folder = short_climb(str(words), 3, only=["mlp"], diagnose=True, out=tmp_path / "climb")
    assert (folder / "mlp" / "diagnostics" / "activations.png").is_file()
    assert "What it looks like inside" in (folder / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["documents", "stream"])
def test_every_trained_rung_has_seconds_which_make_less_than_five_minutes(kind: str) -> None:
    plans = [step.plan(kind, ladder.SMALL_TEXT) for step in LADDER]
    assert 240 < sum(plan.seconds for plan in plans) < 300
    assert max(LADDER, key=lambda step: step.plan(kind, ladder.SMALL_TEXT).seconds).model == "modern"
    assert all((plan.steps > 0) == (plan.seconds > 0) for plan in plans)


def test_the_readme_and_the_help_tell_the_ladders_seconds() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    whole = sum(step.documents.seconds for step in LADDER)
    for step in LADDER:
        if step.documents.steps:  # name, parameters, context, train, dev, test, bits, seconds, as they were measured
            line = re.search(rf"^{re.escape(step.title)} +[\d,]+ +\d+(?: +[\d.]+){{4}} +([\d.]+)", readme, re.MULTILINE)
            assert line is not None
            assert step.documents.seconds == pytest.approx(float(line[1]), rel=0.25)
    told = re.search(r"`gradus climb --minutes (\d+)` gives every network ([\d.]+) times as many", readme)
    assert told is not None
    assert float(told[2]) == pytest.approx(60 * float(told[1]) * ladder.TRAINING_SHARE / whole, abs=0.05)
    (minutes,) = (option.help for option in command.params if isinstance(option, Option) and option.name == "minutes")
    assert f"about {whole / 60:.0f} minutes in all" in str(minutes)


def test_interruption_between_rungs_keeps_those_that_are_done(words: Path, tmp_path: Path) -> None:
    class Impatient(Quiet):
        def begin(self, step: Step, budget: Budget) -> None:  # noqa: ARG002
            if step.name == "ngram":
                raise KeyboardInterrupt

    record, folder = short_climb(str(words), 2, out=tmp_path / "climb", watcher=Impatient())
    assert [rung.name for rung in record.rungs] == ["ngram-2", "bigram"]
    assert record.interrupted
    assert load_record(folder / "table.json") == record
    assert "Interrupted" in (folder / "index.html").read_text(encoding="utf-8")


def test_interruption_in_training_keeps_the_rung_as_far_as_it_came(words: Path, tmp_path: Path) -> None:
    class Impatient(Quiet):
        def train(self, report: Report) -> None:
            if report.step == 2:
                signal.raise_signal(signal.SIGINT)

    record, _ = short_climb(str(words), 50, only=["nplm", "gpt"], out=tmp_path / "climb", watcher=Impatient())
    (rung,) = record.rungs
    assert (rung.name, rung.interrupted, record.interrupted) == ("nplm", True, True)
    assert rung.steps == 2


def test_interruption_before_anything_is_done_is_an_interruption(words: Path, tmp_path: Path) -> None:
    class Impatient(Quiet):
        def begin(self, step: Step, budget: Budget) -> None:  # noqa: ARG002
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        climb(str(words), out=tmp_path / "climb", watcher=Impatient())
    assert not (tmp_path / "climb").exists()


def test_stream_is_scored_in_windows_and_sliding(prose: Path, tmp_path: Path) -> None:
    record, folder = short_climb(str(prose), 2, only=["ngram", "nplm", "gpt"], out=tmp_path / "climb")
    assert record.kind == "stream"
    assert [rung.sliding is None for rung in record.rungs] == [True, True, True, True, False]
    gpt = record.rungs[-1]
    run = RunFolder.open(folder / "gpt")
    model, setup = load_model(run), reopen(run)
    assert gpt.test == pytest.approx(evaluate(model, setup.rows("test")).nats, rel=1e-5)
    assert gpt.sliding == pytest.approx(evaluate(model, setup.rows("test", stride=16)).nats, rel=1e-5)
    assert "windows of 64 characters" in " ".join(record.captions)
    assert [len(sample.text) for sample in gpt.samples] == [task.PASSAGE] * task.PASSAGES
    text = prose.read_text(encoding="utf-8")
    dev = text[int(0.45 * len(text)) : int(0.5 * len(text))]
    assert len(record.questions) == 3
    assert all(question.context + question.answer in dev for question in record.questions)


def test_split_that_is_scored_in_part_is_said_to_be(
    words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "TRAIN_SCORED_AT_MOST", 700)
    record, _ = climb(str(words), only=["ngram"], out=tmp_path / "climb")
    train, dev, _ = record.parts
    assert 690 < train.scored <= 700 < train.characters
    assert dev.scored == dev.characters
    assert record.captions[0].startswith(
        f"Each loss is over the whole of its split, except train (the first {train.scored}"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"only": ["gpd"]},
            "no rung of the ladder is called 'gpd'; it has ngram, bigram, nplm, mlp, wavenet, recurrent, gpt, modern, "
            "mixture",
        ),
        (
            {"only": ["mixture", "ngram"]},
            "a mixture needs a network that is climbed before it; add one, such as --model gpt",
        ),
        ({"minutes": 0.0}, "minutes must be greater than 0, got 0"),
        ({"minutes": float("nan")}, "minutes must be greater than 0, got nan"),
    ],
)
def test_what_cannot_be_climbed_is_one_clear_line(
    words: Path, tmp_path: Path, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        climb(str(words), out=tmp_path / "climb", **arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message
    assert not (tmp_path / "climb").exists()


def test_rungs_are_chosen_in_the_order_of_the_ladder() -> None:
    assert [step.name for step in choose(["gpt", "bigram"])] == ["bigram", "gpt"]
    assert [step.name for step in choose(["ngram"])] == ["ngram-2", "ngram", "kneser-ney"]
    assert choose([]) == LADDER


@pytest.mark.skipif("GRADUS_DATA" not in os.environ, reason="needs names.txt in the folder GRADUS_DATA")
def test_bigram_counts_of_names_are_the_lectures(tmp_path: Path) -> None:
    record, _ = climb("names", only=["ngram"], out=tmp_path / "climb")
    rung = record.rungs[0]
    # one count of each pair, plus one, trained on 25,626 names: an exact number, printed to six places
    assert [rung.train, rung.dev, rung.test] == pytest.approx([2.454837, 2.453264, 2.458391], abs=1e-6)
    assert [part.scored for part in record.parts] == [182_625, 22_655, 22_866]
