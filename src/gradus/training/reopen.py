"""A run's folder and all that training needs: what a new run begins with is written to it, and found in it again, to go
on training or to use the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gradus.errors import UserError
from gradus.files import from_json, to_json
from gradus.models import Encoder, LanguageModel, Mixture, build_model
from gradus.models.lora import merge
from gradus.text import Tokenizer, tokenizer_from_json
from gradus.training.adapting import adapt
from gradus.training.checkpoint import generator_state, load_weights, pack_model, unpack, weights
from gradus.training.hardware import device_named
from gradus.training.loop import is_counting
from gradus.training.moments import read_moment
from gradus.training.prepare import Setup, lasting, set_up, with_budget
from gradus.training.run import BEST, CONFIG, LABELS, MODEL, TEXT, TOKENIZER, RunFolder
from gradus.training.settings import to_toml
from gradus.training.state import Progress, progress_of, spent

CHANGEABLE = ("steps", "minutes", "device", "precision", "compile", "shard")  # when a run is resumed
POSITIONS = ("wpe.weight", "positions.weight")
HEAD = ("head.", "classifier.", "bias")  # how the names of an encoder's parameters begin that are its head's


def write_beginning(run: RunFolder, setup: Setup) -> None:
    """Save the files that a run begins with: its settings, its tokenizer, the text if it came from a pipe, and a model
    that has a trained part.

    Raises:
        UserError: if the run has begun already, or the disk refuses.
    """
    if not run.writes:
        return
    if run.has_checkpoint:
        raise run.taken()
    config = setup.config
    if setup.keeps_text:
        run.write(TEXT, setup.corpus.text or "".join(line + "\n" for line in setup.corpus.lines()))
        config = replace(config, corpus=lasting(str(run.path / TEXT)), swap=False)  # it is swapped already
    settings = to_toml(config, setup.model.config)
    files = {TOKENIZER: setup.tokenizer.to_json().encode(), CONFIG: settings.encode()}
    if setup.labels:
        files[LABELS] = to_json(setup.labels).encode()
    state: dict[str, Any] = {"data": setup.data()}
    if isinstance(setup.model, Mixture):  # the run of its network need not be there when this one is resumed
        files[MODEL] = pack_model(config.model, setup.model.config, weights(setup.model))
        state |= {**asdict(Progress(seconds=setup.seconds_before)), "generator": generator_state()}
    run.save(files, state)


def reopen(run: RunFolder, *, changes: Mapping[str, object] | None = None, to_train: bool = False) -> Setup:
    """What `set_up` gave when the run began, from its folder; optionally with another budget, or on other hardware.

    Raises:
        UserError: if a file of the run is missing or damaged, or the text is no longer the same.
    """
    if "imported" in run.state().get("data", {}):
        raise UserError(
            f"{run.path} was imported, without a text; measure it by gradus eval {run.path} --text FILE, or train it "
            f"further by gradus train CORPUS --init-from {run.path}"
        )
    values = with_budget(run.settings(), changes or {})
    keeps_text = (run.path / TEXT).exists()
    if keeps_text:
        values["corpus"] = str(run.path / TEXT)
    setup = set_up(values, tokenizer=tokenizer_from_json(run.read(TOKENIZER), run.path / TOKENIZER), to_train=to_train)
    setup, saved = replace(setup, keeps_text=keeps_text), run.state().get("data")
    now = setup.data()
    if not isinstance(saved, dict) or any(saved.get(name) != now[name] for name in ("characters", "sha256")):
        raise UserError(
            f"the text of {setup.config.corpus} is no longer the one that {run.path} was trained on; put that back, or "
            "start a new run"
        )
    return replace(setup, base=saved.get("base", {}))


def reopen_to_resume(run: RunFolder, **changes: object) -> Setup:
    """`reopen` to continue training, or to finish a report that a crash prevented: writes what changes into the run's
    settings.

    Args:
        changes: some of CHANGEABLE: a new budget, of all its training, and what it goes on with, on which the result
            does not depend beyond rounding. None changes nothing.

    Raises:
        UserError: as `reopen` does, for a change to another setting, and if there is nothing left to do.
    """
    changes = {name: value for name, value in changes.items() if value is not None}
    if other := [name for name in changes if name not in CHANGEABLE]:
        raise UserError(
            f"a resumed run keeps its settings; only {', '.join(CHANGEABLE)} can be changed, not {', '.join(other)}"
        )
    if "merged" in run.state().get("data", {}):
        raise UserError(f"{run.path} is a merged run; train it further by gradus train CORPUS --init-from {run.path}")
    setup = reopen(run, changes=changes, to_train=True)
    if setup.base:
        begin_with(setup.model, base_of(run), setup.labels)
    adapt(setup.model, setup.config)
    if run.state().get("reported"):
        if is_counting(setup.model):
            raise UserError(f"{run.path} has counted all its text; there is nothing left to do")
        if spent(progress_of(run), setup.config) >= 1:
            raise UserError(
                f"{run.path} has spent its budget of {setup.config.budget}; give a larger one, steps or minutes"
            )
    if changes:
        run.update({CONFIG: to_toml(setup.config, setup.model.config).encode()})
    return setup


def load_model(run: RunFolder, *, last: bool = False, moment: int | None = None, device: str = "cpu") -> LanguageModel:
    """The model of a run in eval mode, with the weights that had the lowest dev loss, or with the last ones; of a run
    that adapts another by LoRA, the two merged.

    Args:
        moment: with the weights after so many steps, if it kept those: see `gradus.training.moments`.
        device: where to put it, as `device_named` takes it; what counts stays on the CPU.

    Raises:
        UserError: if the checkpoint is missing, damaged or foreign, or there is no such device.
    """
    place = device_named(device)
    if not run.has_model:
        raise UserError(f"{run.path} has no trained model yet; train it by gradus train --resume {run.path}")
    name = MODEL if last else weights_file(run)[0]
    arrays, about = unpack(run.read(name), run.path / name) if moment is None else read_moment(run, moment)
    try:
        model = build_model(about["model"], **about["config"])
    except (KeyError, TypeError) as error:
        raise UserError(f"{run.path / name} does not say which model it is: {error!r}") from error
    settings = run.settings() if CONFIG in run.state()["files"] else {}  # none, where a program trained it
    if settings.get("lora_rank"):
        begin_with(model, base_of(run), labels_of(run))
        arrays = merge(weights(model), arrays, float(str(settings["lora_alpha"])) / int(str(settings["lora_rank"])))
    load_weights(model, arrays)
    return (model if is_counting(model) else model.to(place)).eval()


def weights_file(run: RunFolder) -> tuple[str, str]:
    """The file with the weights that had the lowest dev loss, and its sum."""
    files = run.state()["files"]
    name = BEST if BEST in files else MODEL
    return name, files[name]


def begin_with(model: LanguageModel, run: RunFolder, labels: Sequence[str] = ()) -> None:
    """Load the trained weights of a run into a new model of its sizes. An encoder that tells other labels apart keeps
    its own head; of learned positions a shorter block takes the first.

    Raises:
        UserError: if the block is longer than that of the run, or its checkpoint is damaged.
    """
    arrays, own = weights(load_model(run)), weights(model)
    if isinstance(model, Encoder) and tuple(labels) != labels_of(run):
        arrays = {name: own[name] if name.startswith(HEAD) else arrays[name] for name in own}
    for name, array in own.items():
        if name.endswith(POSITIONS):
            if len(arrays[name]) < len(array):
                raise UserError(
                    f"block_size must be at most {len(arrays[name])}, as {run.path} has it, got {len(array)}"
                )
            arrays[name] = arrays[name][: len(array)]
    load_weights(model, arrays)


def base_of(run: RunFolder) -> RunFolder:
    """The run that another one adapts by LoRA: where it was, or beside that one.

    Raises:
        UserError: if it is in neither place, or has been trained further since.
    """
    base = run.state()["data"]["base"]
    place = Path(base["run"])
    for path in (place, run.path.resolve().parent / place.name):
        with suppress(UserError):
            found = RunFolder.open(path)
            if weights_file(found)[1] == base["sha256"]:
                return found
    raise UserError(
        f"{run.path} holds only what LoRA adds to the run {place}, which is no longer there or has other weights "
        "now; put it back as it was"
    )


def tokenizer_of(run: RunFolder, model: LanguageModel) -> Tokenizer:
    """The tokenizer of a run.

    Raises:
        UserError: if it is missing or damaged, or has not the vocabulary that the model was made for.
    """
    path = run.path / TOKENIZER
    tokenizer = tokenizer_from_json(run.read(TOKENIZER), path)
    if tokenizer.vocab_size != model.config.vocab_size:
        raise UserError(
            f"the tokenizer {path} has {tokenizer.vocab_size:,} tokens, but the model was made for "
            f"{model.config.vocab_size:,}; put the model's own tokenizer there"
        )
    return tokenizer


def labels_of(run: RunFolder) -> tuple[str, ...]:
    """The names of the labels of a run's classifier, in their order; none for a run that has none.

    Raises:
        UserError: if they are missing or damaged.
    """
    path = run.path / LABELS
    if LABELS not in run.state()["files"]:
        return ()
    try:
        labels = from_json(run.read(LABELS))
    except ValueError as error:
        raise UserError(f"the labels {path} are damaged: {error}") from error
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise UserError(f"the labels {path} are damaged: they are no list of names")
    return tuple(labels)
