"""Setting up a mixture: the network of a finished run, with its text, its tokenizer and its rows; and counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from gradus.errors import UserError
from gradus.models.mixture import Mixture
from gradus.training.checkpoint import load_weights, weights
from gradus.training.loop import is_counting
from gradus.training.prepare import Setup, lasting, lasting_tokenizer, set_up
from gradus.training.reopen import load_model, reopen
from gradus.training.run import RunFolder
from gradus.training.state import progress_of

# What is the network's and not to be chosen: the settings of the text and of its tokenizer.
SHARED = ("corpus", "kind", "tokenizer", "vocab_size", "min_count", "lower")


def set_up_mixture(values: Mapping[str, object]) -> Setup:
    """What `set_up` gives, for a new mixture: its network has the weights that had the lowest dev loss in their run.

    The text is the network's, so that what the network has not seen the counts do not see either.

    Args:
        values: settings by name, among them `of`, the folder of the network's run.

    Raises:
        UserError: as `set_up` does, and if there is no trained network in the run, its text has changed, or another
            text, tokenizer, network or length of rows is asked for than that run's.
    """
    if not values.get("of"):
        raise UserError("a mixture needs a trained network; say of which run, by --of RUN")
    run = RunFolder.open(str(values["of"]))
    source = reopen(run)
    network = load_model(run)
    if is_counting(network):
        raise UserError(f"{run.path} is a counting model itself; a mixture needs a trained network")
    if network.carry:
        raise UserError(f"the network in {run.path} carries its state over the text; a mixture needs one without carry")
    settings: Any = network.config
    described = {"name": source.config.model, **asdict(settings)}
    del described["vocab_size"], described["block_size"]
    given = {
        **{name: getattr(source.config, name) for name in SHARED},
        "block_size": network.block_size,
        "network": json.dumps(described),
        "separator": source.tokenizer.separator if source.config.kind == "documents" else -1,
    }
    full = {"corpus": lasting, "tokenizer": lasting_tokenizer}  # how a path is written there
    for name, value in given.items():
        asked = values.get(name)
        if asked is not None and value != (full[name](str(asked)) if name in full else asked):
            has = "the default" if value is None else value
            raise UserError(f"{name} is {has}, as the network in {run.path} has it, and cannot be {asked}")
    setup = set_up({**values, **given, "of": str(run.path.resolve())}, tokenizer=source.tokenizer)
    assert isinstance(setup.model, Mixture)
    load_weights(setup.model.network, weights(network))
    return replace(setup, keeps_text=source.keeps_text, seconds_before=progress_of(run).seconds)
