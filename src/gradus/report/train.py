"""Training a run from where it stands, and what a run is given then: samples, pictures of what it looks like inside,
a page. `gradus train` and `gradus.train` do the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from gradus.errors import UserError
from gradus.evaluation import Score, evaluate
from gradus.generation import samples
from gradus.models import LanguageModel
from gradus.report.answers import sample_lines
from gradus.report.diagnose import diagnosis, draw
from gradus.report.trained import is_old, write_page_of
from gradus.training import SAMPLES, Report, RunFolder, Setup, TrainResult, distributed, load_weights, train_setup
from gradus.training.diagnose import DIAGNOSTICS


def train_run(
    run: RunFolder, setup: Setup, progress: Callable[[Report], None] | None = None, *, diagnose: bool = False
) -> TrainResult:
    """Train from where a run stands. Unless it was interrupted, its model then has the weights of the lowest dev loss.

    Args:
        progress: called after every step.
        diagnose: collect at each evaluation what the network looks like inside; a run that has begun with it goes on
            with it in any case.

    Raises:
        UserError: as `gradus.training.train` does.
    """
    diagnose = diagnose or _is_diagnosed(run)
    if diagnose and setup.config.shard:
        raise UserError("what it looks like inside is seen where a process has the whole model; leave out shard")
    collect = diagnosis(run, setup) if diagnose and run.writes else None
    watchers = [watcher for watcher in (progress, collect) if watcher is not None]

    def watch(report: Report) -> None:
        for watcher in watchers:
            watcher(report)

    result = train_setup(setup, run, evaluate=partial(_dev_loss, setup.examples("dev")), progress=watch)
    if result.stopped != "interrupted" and result.best is not None:
        load_weights(setup.model, result.best)
    return result


def _dev_loss(dev: Any, model: LanguageModel) -> float:
    """Nats a token of the dev split, of which each process scores its rows."""
    part = evaluate(model, dev, part=distributed.rows())
    nats, tokens = distributed.total(part.total, part.count)
    return nats / tokens


def write_samples(run: RunFolder, setup: Setup, show: Callable[[str], object]) -> None:
    """Write samples of a trained model into its run's folder, showing each piece as soon as it is drawn."""
    drawn: list[str] = []
    try:
        for text in _samples(setup):
            for piece in chain(text, "\n"):
                show(piece)
                drawn.append(piece)
    except UserError as error:  # an n-gram without smoothing may never have seen the context; the run is complete
        show(f"... {error}\n")
    run.write(SAMPLES, "".join(drawn))


def kept_loss(setup: Setup, test: Score) -> float:
    """The test loss that a run keeps: nats per character, whatever its tokens are; of a model that does not continue
    texts, nats for each of what it predicts."""
    return test.total / setup.size("test")[0] if setup.model.continues else test.nats


def write_pages(
    run: RunFolder, setup: Setup, *, page: bool = False, diagnose: bool = False
) -> Iterator[tuple[str, str]]:
    """Draw what a run collected of its inside, and write its page if it is asked for, shows that, or is old; that of
    a climb around it, if that is old. Yields what each is, and where, as soon as it is written."""
    diagnose = diagnose or _is_diagnosed(run)
    if diagnose:
        pictures = draw(run, setup)
        yield "inside", f"{run.path / 'diagnostics'}, {len(pictures)} pictures"
    for folder in (run.path, run.path.parent):
        if ((page or (diagnose and setup.model.continues)) and folder is run.path) or is_old(folder):
            yield "page", str(write_page_of(folder))


def _samples(setup: Setup) -> Iterable[Iterable[str]]:
    if setup.model.continues:
        return samples(setup.model, setup.tokenizer, setup.corpus.kind, seed=setup.config.seed)
    return ([line] for line in sample_lines(setup))


def _is_diagnosed(run: RunFolder) -> bool:
    return (run.path / DIAGNOSTICS).exists()
