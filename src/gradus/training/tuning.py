"""Setting up fine-tuning: a new run on another text that begins with the trained weights of a run, with its sizes and
its tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from gradus.errors import UserError
from gradus.models import Encoder, LanguageModel
from gradus.training.checkpoint import Arrays, load_weights, weights
from gradus.training.config import TrainConfig
from gradus.training.loop import is_counting
from gradus.training.prepare import FOUND, LEARNED, Setup, lasting, set_up
from gradus.training.presets import PRESETS
from gradus.training.reopen import labels_of, load_model, tokenizer_of
from gradus.training.run import RunFolder
from gradus.training.settings import settings_of

# Of weights that were imported: nanoGPT's for GPT-2. A run of ours is tuned with a tenth of its own peak.
IMPORTED_RATE, PART = 3e-5, 0.1
POSITIONS = ("wpe.weight", "positions.weight")
HEAD = ("head.", "classifier.", "bias")  # how the names of an encoder's parameters begin that are its head's


def set_up_tuning(values: Mapping[str, object]) -> Setup:
    """What `set_up` gives, for a new run that begins with the weights that had the lowest dev loss in another.

    Its sizes are that run's, and so is its tokenizer. An encoder that is to tell other labels apart begins with a new
    head. `block_size` may be smaller: the positions beyond it are left out. Unless a learning rate is given, it is a
    tenth of that run's, or for imported weights 3e-5.

    Args:
        values: settings by name, among them `init_from`, the folder of the run.

    Raises:
        UserError: as `set_up` does, and if there is no trained network in the run, or other sizes are asked for.
    """
    name = str(values["init_from"])
    if name in PRESETS:
        raise UserError(f"{name} must be a run first: gradus import {name}, then --init-from its folder")
    run = RunFolder.open(name)
    source = load_model(run)
    if is_counting(source):
        raise UserError(f"{run.path} is a counting model; there are no weights to begin with")
    before, of_source = run.settings(), asdict(cast(Any, source.config))
    start: dict[str, object] = {name: of_source.pop(name) for name in ("block_size", "dropout") if name in of_source}
    start |= {rate: PART * float(str(before[rate])) for rate in ("learning_rate", "muon_lr") if rate in before}
    place, default = lasting(str(run.path)), settings_of(TrainConfig)
    fixed = {**of_source, "model": before["model"], "tokenizer": place, "init_from": place}
    for name in FOUND:
        fixed.pop(name, None)
    fixed |= {name: before.get(name, default[name].default) for name in LEARNED}
    if values.get("preset"):
        raise UserError(f"the sizes are those of {run.path}, and no preset's")
    for name, value in values.items():
        asked = lasting(str(value)) if name in ("tokenizer", "init_from") else value
        if fixed.get(name, asked) != asked:
            raise UserError(f"{name} is {fixed[name]}, as {run.path} has it, and cannot be {value}")
    setup = set_up({"learning_rate": IMPORTED_RATE, **start, **values, **fixed}, tokenizer=tokenizer_of(run, source))
    arrays = weights(source)
    if isinstance(setup.model, Encoder) and setup.labels != labels_of(run):
        own = weights(setup.model)  # other labels, or labels in place of hidden tokens: a head of its own
        arrays = {name: own[name] if name.startswith(HEAD) else arrays[name] for name in own}
    load_weights(setup.model, _fitted(arrays, setup.model, run))
    return setup


def _fitted(arrays: Arrays, model: LanguageModel, run: RunFolder) -> Arrays:
    """Weights for a model whose block may be shorter: of the learned positions the first."""
    sizes = {name: len(tensor) for name, tensor in model.state_dict().items() if name.endswith(POSITIONS)}
    for name, size in sizes.items():
        if len(arrays[name]) < size:
            raise UserError(f"block_size must be at most {len(arrays[name])}, as {run.path} has it, got {size}")
    return {name: array[: sizes.get(name)] if name in sizes else array for name, array in arrays.items()}
