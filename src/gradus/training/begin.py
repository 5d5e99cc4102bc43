"""A new run from settings, and its training: what the command, the Python interface and the climb have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from gradus.models import LanguageModel
from gradus.training import distributed
from gradus.training.adapting import adapt
from gradus.training.folder import RUNS, new_run_folder
from gradus.training.loop import train
from gradus.training.mixing import set_up_mixture
from gradus.training.prepare import Setup, set_up
from gradus.training.run import RunFolder
from gradus.training.state import Report, TrainResult
from gradus.training.tuning import set_up_tuning

FITTING_BATCH = 64  # rows of the dev split at a time, for a model that is fitted on it


def set_up_new(values: Mapping[str, object]) -> Setup:
    """What a new run begins with: `set_up`; for a mixture, whose network is that of another run, `set_up_mixture`; or
    with the weights of another run, `set_up_tuning`.

    Raises:
        UserError: as those do, and for a text too short to be scored.
    """
    if values.get("model") == "mixture":
        setup = set_up_mixture(values)
    else:
        setup = set_up_tuning(values) if values.get("init_from") else set_up(values)
    adapt(setup.model, setup.config)
    setup.examples("dev")
    setup.examples("test")
    return setup


def create_run(setup: Setup, path: str | Path | None = None) -> RunFolder:
    """Create the folder of a new run; runs/CORPUS-MODEL-NUMBER if no path is given. Of several processes, the leading
    one does, and the others learn where it is.

    Raises:
        UserError: if the folder is taken, or the disk refuses.
    """
    if not distributed.leads():
        return RunFolder(distributed.first(""))
    if path is None:
        path = new_run_folder(RUNS, f"{Path(setup.corpus.name).stem}-{setup.config.model}")
    run = RunFolder.create(path)
    distributed.first(str(run.path))
    return run


def train_setup(
    setup: Setup,
    run: RunFolder,
    *,
    evaluate: Callable[[LanguageModel], float],
    progress: Callable[[Report], None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> TrainResult:
    """`train` with all that a Setup holds; evaluate gives the dev loss in nats."""
    return train(
        setup.model,
        setup.batches,
        setup.config,
        run,
        evaluate=evaluate,
        fit_on=setup.examples("dev").batches(FITTING_BATCH),
        progress=progress,
        data=setup.data(),
        clock=clock,
    )
