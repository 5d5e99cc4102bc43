"""Weights of others become a run: a folder of GPT-2's or BERT's in Hugging Face's layout, or a release on the hub, is
read, checked and saved as if it had been trained here. `gradus sample`, `eval`, `runs` and `train --init-from` then
take it as any other."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from gradus.errors import UserError
from gradus.files import sha256_of
from gradus.hub import bert, gpt2
from gradus.hub.download import RELEASES, download, release_of
from gradus.hub.folder import CONFIG, Tensors, read_config
from gradus.text import Tokenizer, WordPieceTokenizer, gpt2_tokenizer, load_tokenizer
from gradus.training import RUNS, TOKENIZER, RunFolder, TrainConfig, new_run_folder, settings_of
from gradus.training.checkpoint import pack_model
from gradus.training.run import CONFIG as SETTINGS
from gradus.training.run import MODEL
from gradus.training.settings import to_toml
from gradus.training.state import Progress

MASK = "[MASK]"
NOT_OURS = set(settings_of(TrainConfig)) - {"model", "kind"}  # how it was trained is not known


def import_run(source: str | Path, out: str | Path | None = None) -> RunFolder:
    """Make a run of weights that others have trained.

    Args:
        source: a folder with config.json, safetensors and a tokenizer; or gpt2, gpt2-medium, gpt2-large, gpt2-xl or
            OWNER/NAME, which are downloaded from the hub.
        out: the folder of the run; runs/NAME-NUMBER if None.

    Raises:
        UserError: if there are no such weights, their config asks for what our models do not have, tensors are missing,
            too many or misshapen, the tokenizer does not fit, or the folder of the run is taken.
    """
    folder, name = Path(source), str(source)
    release = None if folder.is_dir() else release_of(name)
    if release is not None:
        folder, name = download(release), name.split("/")[-1]
    else:
        name = folder.resolve().name
    fields = read_config(folder)
    layout = bert if fields.get("model_type") == "bert" else gpt2
    config = layout.config_from(fields, folder / CONFIG)
    tensors = Tensors(folder)
    arrays = layout.weights_from(tensors, config)
    tokenizer = gpt2_tokenizer() if release in RELEASES.values() else load_tokenizer(folder)
    if tokenizer.vocab_size != config.vocab_size:
        raise UserError(
            f"the tokenizer in {folder} has {tokenizer.vocab_size:,} tokens, but the model was made for "
            f"{config.vocab_size:,}; put the model's own tokenizer there"
        )
    model = "encoder" if layout is bert else "gpt"
    if layout is bert:
        arrays = bert.with_mask(arrays, _mask(tokenizer, folder))
    settings = to_toml(TrainConfig(model=model, kind="stream"), config, omit=NOT_OURS)
    origin = folder.resolve() if release is None else release.repository
    data = {"corpus": name, "imported": str(origin), "sha256": {path.name: sha256_of(path) for path in tensors.files}}
    run = RunFolder.create(out or new_run_folder(RUNS, name))
    run.save(
        {
            TOKENIZER: tokenizer.to_json().encode(),
            SETTINGS: settings.encode(),
            MODEL: pack_model(model, config, arrays),
        },
        {**asdict(Progress()), "data": data, "reported": True},
    )
    return run


def _mask(tokenizer: Tokenizer, folder: Path) -> int:
    if isinstance(tokenizer, WordPieceTokenizer) and MASK in tokenizer.tokens:
        return tokenizer.tokens.index(MASK)
    raise UserError(f"the tokenizer in {folder} is not BERT's: it has no {MASK}")
