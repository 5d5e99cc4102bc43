"""From settings to text, tokenizer, model and batches; and from a run's folder back to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gradus.errors import UserError
from gradus.models import GPTConfig
from gradus.training import (
    RunFolder,
    load_model,
    model_settings,
    reopen,
    reopen_to_resume,
    set_up,
    train,
    weights,
    with_budget,
    write_beginning,
)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("text") / "sea.txt"
    path.write_text("she sells sea shells by the sea shore; " * 60, encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("text") / "names.txt"
    path.write_text("".join(f"{a}{b}{b}a\n" for a in "abcdefgh" for b in "aeiou"), encoding="utf-8")
    return str(path)


TINY = {"n_layer": 1, "n_head": 2, "n_embd": 8, "batch_size": 4}


def test_block_size_and_recipe_follow_the_kind_of_text(stream: str, documents: str) -> None:
    assert sizes({"corpus": stream}) == ("stream", 64, 128, 12)
    assert sizes({"corpus": documents}) == ("documents", 5, 64, 64)
    assert sizes({"corpus": documents, "n_embd": 8, "batch_size": 3, "block_size": 9}) == ("documents", 9, 8, 3)


def sizes(values: dict[str, object]) -> tuple[str | None, int, int, int]:
    setup = set_up(values)
    settings = setup.model.config
    assert isinstance(settings, GPTConfig)
    return setup.config.kind, settings.block_size, settings.n_embd, setup.config.batch_size


def test_single_positions_are_for_a_short_context(stream: str) -> None:
    x, y = set_up({"corpus": stream, "model": "nplm", "positions": True, "batch_size": 4}).batches.batch(0)
    assert (x.shape, y.shape) == ((4, 3), (4, 1))
    with pytest.raises(UserError, match="positions are for models of a short context; gpt sees a whole block"):
        set_up({"corpus": stream, **TINY, "positions": True})


def test_the_seed_decides_the_first_weights(stream: str) -> None:
    first, same, other = (weights(set_up({"corpus": stream, **TINY, "seed": seed}).model) for seed in (1, 1, 2))
    assert all(np.array_equal(first[name], same[name]) for name in first)
    assert not all(np.array_equal(first[name], other[name]) for name in first)


def test_every_split_is_scored_once_whatever_the_model_sees(stream: str) -> None:
    for settings in ({"model": "ngram", "order": 4}, {"model": "nplm"}, {"model": "bigram"}, {"model": "gpt", **TINY}):
        setup = set_up({"corpus": stream, **settings})
        for part in ("train", "dev", "test"):
            assert setup.rows(part).scored == getattr(setup.splits, part).characters - 1  # nothing precedes the first


def test_short_contexts_are_whole_in_every_window_of_a_stream(stream: str) -> None:
    counted = set_up(
        {"corpus": stream, "model": "ngram", "order": 4, "method": "additive", "smoothing": 0.0, "block_size": 16}
    )
    train(counted.model, counted.batches, counted.config)
    levels = weights(counted.model)["counts"].sum()
    assert (
        levels == counted.splits.train.characters - 1
    )  # each character counted once, none after an invented beginning
    text = counted.splits.train.text
    padded = " " * 3 + text  # what lies before the start counts as token 0, here the space
    seen = {padded[i : i + 4] for i in range(1, len(text))}
    assert counted.model.num_parameters() == len(seen)


@pytest.mark.parametrize("model", ["gpt", "nplm"])
def test_a_stride_out_of_range_is_refused_whatever_the_model_sees(stream: str, model: str) -> None:
    setup = set_up({"corpus": stream, "model": model, "block_size": 8, "steps": 1})
    for stride in (0, -3, 9):
        with pytest.raises(UserError, match=f"stride must be between 1 and the block size 8, got {stride}"):
            setup.rows("dev", stride=stride)


def test_a_context_longer_than_a_row_is_refused(stream: str) -> None:
    with pytest.raises(UserError, match="ngram sees 9 tokens, so block_size must be at least that, got 8"):
        set_up({"corpus": stream, "model": "ngram", "order": 10, "block_size": 8})


def test_a_setting_of_another_model_says_whose_it_is(stream: str) -> None:
    with pytest.raises(UserError, match=r"^direct is a setting of nplm, not of bigram, which has block_size$"):
        set_up({"corpus": stream, "model": "bigram", "direct": True})
    with pytest.raises(UserError, match=r"^context is a setting of nplm, mlp.*, not of gpt, which has block_size, "):
        set_up({"corpus": stream, "model": "gpt", "context": 3})
    with pytest.raises(UserError, match=r"unknown setting n_embed; did you mean n_embd\?"):
        set_up({"corpus": stream, "n_embed": 3})
    with pytest.raises(UserError, match="there is no model 'rnn'; there are ngram, bigram, nplm, "):
        model_settings("rnn")


def test_a_run_is_reopened_as_it_was_set_up_and_its_model_with_its_best_or_last_weights(
    stream: str, tmp_path: Path
) -> None:
    pieces = {"tokenizer": "bpe", "vocab_size": 260}
    setup = set_up({"corpus": stream, **TINY, **pieces, "steps": 4, "evaluations": 2, "learning_rate": 0.01})
    run = RunFolder.create(tmp_path / "run")
    write_beginning(run, setup)
    losses = iter([1.0, 2.0])
    result = train(setup.model, setup.batches, setup.config, run, evaluate=lambda _: next(losses), data=setup.data())
    again = reopen(run)
    assert (again.config, again.model.config) == (setup.config, setup.model.config)
    assert [again.tokenizer.decode([i]) for i in range(5)] == [setup.tokenizer.decode([i]) for i in range(5)]
    assert all(np.array_equal(a, b) for a, b in zip(again.batches.batch(7), setup.batches.batch(7), strict=True))
    best, last = weights(load_model(run)), weights(load_model(run, last=True))
    assert result.best is not None
    assert all(np.array_equal(best[name], result.best[name]) for name in best)
    assert all(np.array_equal(last[name], weights(setup.model)[name]) for name in last)
    assert not all(np.array_equal(best[name], last[name]) for name in best)
    assert not load_model(run).training
    assert reopen_to_resume(run).config == setup.config  # its report is still to be made
    run.update(reported=True)
    with pytest.raises(UserError, match="has spent its budget of 4 steps"):
        reopen_to_resume(run)
    assert reopen_to_resume(run, minutes=1.0).config.minutes == 1.0
    assert run.settings()["minutes"] == 1.0
    assert "steps" not in run.settings()


def test_a_budget_over_another_takes_its_place() -> None:
    assert with_budget({"steps": 5, "seed": 1}, {"minutes": 2.0, "steps": None}) == {"seed": 1, "minutes": 2.0}
    assert with_budget({"minutes": 2.0}, {"minutes": 3.0}) == {"minutes": 3.0}
    assert with_budget({"minutes": 2.0}, {"steps": 3, "minutes": 1.0}) == {
        "steps": 3,
        "minutes": 1.0,
    }  # for TrainConfig to refuse


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"model": "gpt", "batch_tokens": 100}, "batch_tokens is for pairs, labels and hidden tokens, not for gpt"),
        ({"corpus": "reverse", "model": "transformer", "positions": True}, "transformer reads whole texts"),
    ],
)
def test_settings_of_other_batches_are_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        set_up({"corpus": "pydocs", "steps": 1, **values})
