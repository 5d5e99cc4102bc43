"""Setting up fine-tuning: a new run on another text that begins with the trained weights of a run, with its sizes and
its tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, cast

from gradus.errors import UserError
from gradus.models import Encoder
from gradus.training.config import TrainConfig
from gradus.training.loop import is_counting
from gradus.training.prepare import FOUND, LEARNED, Setup, lasting, set_up
from gradus.training.presets import PRESETS
from gradus.training.reopen import begin_with, labels_of, load_model, tokenizer_of, weights_file
from gradus.training.run import RunFolder
from gradus.training.settings import settings_of

# Of weights that were imported: nanoGPT's for GPT-2, and that of Hu et al. for LoRA on it. A run of ours is tuned with
# a tenth of its own peak. LoRA begins with matrices at zero, and other labels with a new head: they take all of it.
IMPORTED_RATE, PART = 3e-5, 0.1
IMPORTED_LORA_RATE, LORA_PART = 2e-4, 1.0


def set_up_tuning(values: Mapping[str, object]) -> Setup:
    """What `set_up` gives, for a new run that begins with the weights that had the lowest dev loss in another.

    Its sizes are that run's, and so is its tokenizer. An encoder that is to tell other labels apart begins with a new
    head. `block_size` may be smaller: the positions beyond it are left out. Unless a learning rate is given, it is a
    tenth of that run's, or for imported weights 3e-5; with LoRA it is that run's, or 2e-4; with a new head that run's.

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
    part, imported = (LORA_PART, IMPORTED_LORA_RATE) if values.get("lora_rank") else (PART, IMPORTED_RATE)
    rates = {rate: float(str(before[rate])) for rate in ("learning_rate", "muon_lr") if rate in before}
    start |= {rate: part * value for rate, value in rates.items()}
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
    setup = set_up({"learning_rate": imported, **start, **values, **fixed}, tokenizer=tokenizer_of(run, source))
    if isinstance(source, Encoder) and setup.labels != labels_of(run):
        new: dict[str, Any] = {rate: value for rate, value in rates.items() if rate not in values}
        setup = replace(setup, config=replace(setup.config, **new))
    begin_with(setup.model, run, setup.labels)
    return setup if not setup.config.lora_rank else replace(setup, base={"run": place, "sha256": weights_file(run)[1]})
