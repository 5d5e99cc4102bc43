"""A run that LoRA has adapted becomes a run of its own: the sum of the two, which needs the adapted run no longer."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from gradus.errors import UserError
from gradus.training.checkpoint import pack_model, weights
from gradus.training.config import TrainConfig
from gradus.training.folder import RUNS, new_run_folder
from gradus.training.metrics import read_bytes
from gradus.training.reopen import load_model
from gradus.training.run import CONFIG, LABELS, METRICS, MODEL, TOKENIZER, RunFolder
from gradus.training.settings import build, settings_of, to_toml
from gradus.training.state import progress_of


def merge_run(run: RunFolder, out: str | Path | None = None, *, last: bool = False) -> RunFolder:
    """Write a run that adapts another by LoRA as a plain one: its matrices are W + (alpha / r) B A, its logits the same
    up to rounding, and generation takes its fast way again.

    Args:
        out: the folder of the new run; runs/NAME-merged-NUMBER if None.
        last: the last weights, not those with the lowest dev loss.

    Raises:
        UserError: if the run was not made by LoRA, its base is not as it was, or the folder is taken.
    """
    settings, state = run.settings(), run.state()
    if not settings.get("lora_rank"):
        raise UserError(f"{run.path} is a plain run: nothing was adapted by LoRA, and there is nothing to merge")
    model = load_model(run, last=last)
    own = settings_of(TrainConfig)
    config = build(TrainConfig, {name: value for name, value in settings.items() if name in own})
    data = {name: value for name, value in state["data"].items() if name != "base"}
    merged = RunFolder.create(out or new_run_folder(RUNS, f"{run.path.resolve().name}-merged"))
    merged.write(METRICS, read_bytes(run.path / METRICS).decode())
    files = {name: run.read(name) for name in (TOKENIZER, LABELS) if name in state["files"]}
    files[CONFIG] = to_toml(replace(config, lora_rank=0), model.config).encode()
    files[MODEL] = pack_model(config.model, model.config, weights(model))
    kept: dict[str, object] = {name: state[name] for name in ("reported", "test_loss") if name in state}
    merged.save(files, {**asdict(progress_of(run)), **kept, "data": {**data, "merged": str(run.path.resolve())}})
    return merged
