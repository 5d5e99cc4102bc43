"""Runs and climbs that lie on disk: a list of them, their pages written anew, several beside each other."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from gradus.errors import UserError
from gradus.files import note, saving
from gradus.models import MODELS
from gradus.report.examine import begin_record, examine_run, write_run_page
from gradus.report.page import write_page
from gradus.report.record import Record, load_record
from gradus.report.task import Task
from gradus.training import RUNS, RunFolder, new_run_folder, progress_of, runs_in
from gradus.training.run import METRICS, STATE

PAGE, TABLE = "index.html", "table.json"


@dataclass(frozen=True)
class Summary:
    """A run in a list. The losses are nats per character; None where they were not measured."""

    path: Path
    model: str
    text: str
    budget: str
    steps: int
    dev: float | None
    test: float | None
    when: datetime


def summaries(folder: str | Path) -> list[Summary]:
    """The runs in a folder and in the climbs there, the latest first; the user is told of those that are damaged.

    Raises:
        UserError: if there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"there are no runs in {folder}: no such folder; gradus train makes the first one")
    found = []
    for path in _runs_below(folder):
        try:
            found.append(_summary(RunFolder.open(path)))
        except UserError as error:
            note(str(error))
    return sorted(found, key=lambda summary: summary.when, reverse=True)


def is_old(folder: str | Path) -> bool:
    """Whether the page of a run, a climb or a comparison is older than what it shows."""
    folder = Path(folder)
    page, runs = folder / PAGE, [folder]
    if (folder / TABLE).is_file():
        with suppress(UserError):
            runs = [folder / rung.name for rung in load_record(folder / TABLE).rungs]
    return page.is_file() and any(_changed(run) > page.stat().st_mtime for run in runs)


def write_page_of(folder: str | Path) -> Path:
    """Write the page of a run or climb anew, and return its path. In a climb, a run that was trained further after it
    is measured again.

    Raises:
        UserError: if there is neither at the path, a run is damaged, or its text is no longer the same.
    """
    folder = Path(folder)
    if not (folder / TABLE).is_file():
        return write_run_page(folder)
    record = load_record(folder / TABLE)
    since = (folder / TABLE).stat().st_mtime
    rungs = []
    for rung in record.rungs:
        run = folder / rung.name
        if _changed(run) > since:
            rung = examine_run(RunFolder.open(run), rung.name, rung.title)[1]
        rungs.append(rung)
    if tuple(rungs) != record.rungs:
        record = replace(record, rungs=tuple(rungs))
        record.save(folder / TABLE)
    return write_page(record, folder / PAGE)


def compare(folders: Sequence[str | Path], out: str | Path | None = None) -> tuple[Record, Path]:
    """Measure several runs of one text, and write a table and a page of them.

    Args:
        folders: runs; a climb stands for all of its own.
        out: where table.json and index.html go, by default runs/compare-<number>.

    Returns:
        the record, and the folder.

    Raises:
        UserError: if there is no run at a path, there are fewer than two, their texts differ, or the folder is taken.
    """
    out = None if out is None else Path(out)
    different: dict[Path, RunFolder] = {}
    for path in (path for folder in folders for path in _runs_of(Path(folder))):
        different.setdefault(path.resolve(), RunFolder.open(path))
    runs = list(different.values())
    if len(runs) < 2:
        got = ", ".join(str(run.path) for run in runs)
        raise UserError(f"compare needs two different runs or more, or a climb; got {got}")
    for run in runs[1:]:
        _require_same_text(runs[0], run)
    if out is not None and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UserError(f"{out} already exists; choose another folder as out")
    last = [run.path.resolve().name for run in runs]
    titles = last if len(set(last)) == len(last) else [str(run.path) for run in runs]
    examined = [examine_run(run, title=title) for run, title in zip(runs, titles, strict=True)]
    folder = new_run_folder(RUNS, "compare") if out is None else out
    rungs = tuple(
        replace(rung, name=os.path.relpath(run.path, folder)) for run, (_, rung) in zip(runs, examined, strict=True)
    )
    command = shlex.join(["gradus", "compare", *map(str, folders)])
    seed = int(str(runs[0].settings()["seed"]))
    captions = _captions(titles, [task for task, _ in examined])
    record = replace(begin_record(examined[0][0], seed, command, "a comparison"), rungs=rungs, captions=captions)
    with saving(folder):
        folder.mkdir(parents=True, exist_ok=True)
    record.save(folder / TABLE)
    write_page(record, folder / PAGE)
    return record, folder


def _captions(titles: Sequence[str], tasks: Sequence[Task]) -> tuple[str, ...]:
    """The captions of all tasks; one that does not hold for all of them says for which runs it does."""
    found: dict[str, list[str]] = {}
    for title, task in zip(titles, tasks, strict=True):
        for caption in task.captions():
            found.setdefault(caption, []).append(title)
    return tuple(
        caption if len(held) == len(titles) else f"{', '.join(held)}: {caption}" for caption, held in found.items()
    )


def _summary(run: RunFolder) -> Summary:
    settings, state, progress = run.settings(), run.state(), progress_of(run)
    budget = f"{settings.get('steps', 0):,} steps"
    if "minutes" in settings:
        minutes = float(str(settings["minutes"]))
        budget = f"{minutes:.3g} min" if minutes >= 1 else f"{60 * minutes:.2g} s"
    if "imported" in state.get("data", {}):
        budget = "imported"
    model, test = str(settings.get("model")), state.get("test_loss")
    counts = model in MODELS and hasattr(MODELS[model][1], "count")
    return Summary(
        path=run.path,
        model=model,
        text=str(state.get("data", {}).get("corpus")),
        budget="one pass" if counts else budget,
        steps=progress.step,
        dev=progress.best_loss,
        test=None if test is None else float(test),
        when=datetime.fromtimestamp(_changed(run.path)),
    )


def _runs_below(folder: Path) -> Iterator[Path]:
    """Every run in a folder, at any depth, or the folder itself."""
    for path, inside, files in os.walk(folder):
        inside[:] = sorted(name for name in inside if not name.startswith("."))
        if STATE in files:
            inside.clear()
            yield Path(path)


def _runs_of(folder: Path) -> list[Path]:
    return runs_in(folder) if (folder / TABLE).is_file() and runs_in(folder) else [folder]


def _changed(run: Path) -> float:
    """When a run was last trained, as a time stamp; 0 where there is none."""
    for name in (METRICS, STATE):  # a state is also written when a report is done
        with suppress(FileNotFoundError):
            return (run / name).stat().st_mtime
    return 0.0


def _require_same_text(a: RunFolder, b: RunFolder) -> None:
    texts = [run.state().get("data", {}) for run in (a, b)]
    if texts[0].get("sha256") != texts[1].get("sha256"):
        learned = [
            f"{run.path} learned {text.get('corpus')}, {text.get('characters', 0):,} characters, "
            f"as {run.settings().get('kind')}"
            for run, text in zip((a, b), texts, strict=True)
        ]
        raise UserError(f"only losses on the same text can be compared: {'; '.join(learned)}")
