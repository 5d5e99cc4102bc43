"""LoRA: what is trained, what a run of it holds, and that the merged model is the same function."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.models import MODELS, LanguageModel, build_model, inference
from gradus.models.lora import LoRALinear, add_lora, merge
from gradus.training import (
    Report,
    RunFolder,
    Setup,
    create_run,
    load_model,
    load_weights,
    merge_run,
    reopen_to_resume,
    set_up_new,
    train_setup,
    weights,
    write_beginning,
)

SIZES: dict[str, Any] = {"n_layer": 2, "n_head": 2, "n_embd": 16}
GPT = {"model": "gpt", "batch_size": 4, "block_size": 16, "steps": 20, **SIZES}
SMALL: dict[str, dict[str, Any]] = {
    "gpt": {"n_layer": 2, "n_head": 2, "n_embd": 16, "bias": True},
    "modern": {"n_layer": 2, "n_head": 2, "n_embd": 16, "zero_init": False},
    "nplm": {"n_hidden": 12},
    "mlp": {"n_hidden": 12},
    "wavenet": {},
    "recurrent": {"n_hidden": 12},
    "transformer": {"n_layer": 1, "n_head": 2, "n_embd": 16},
    "encoder": {"n_layer": 1, "n_head": 2, "n_embd": 16},
}


def small(name: str) -> LanguageModel:
    torch.manual_seed(3)
    return build_model(name, vocab_size=11, block_size=8, **SMALL[name])


def logits_of(model: LanguageModel) -> np.ndarray:
    idx = torch.arange(16).view(2, 8) % 11
    with inference(model):
        args = (idx, idx) if type(model).__name__ == "Transformer" else (idx,)
        return np.asarray(model(*args)[0].numpy())


@pytest.mark.parametrize("name", SMALL)
def test_every_model_with_linear_layers_is_adapted_and_merges_to_equal_logits(name: str) -> None:
    model, base = small(name), weights(small(name))
    before = logits_of(model)
    add_lora(model, rank=2, alpha=6.0)
    assert np.array_equal(logits_of(model), before), "B is zero"
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert trained
    assert all(name.endswith((".lora_A", ".lora_B")) for name in trained)
    with torch.no_grad():
        for parameter in trained.values():
            parameter.add_(0.3 * torch.randn_like(parameter))
    adapter, plain = weights(model), small(name)
    assert not base.keys() & {name for name in adapter if name in dict(plain.named_parameters())}
    load_weights(plain, merge(base, adapter, 6.0 / 2))
    assert np.abs(logits_of(model) - before).max() > 1e-3
    np.testing.assert_allclose(logits_of(plain), logits_of(model), rtol=1e-4, atol=1e-5)


def test_a_layer_is_the_matrix_with_the_product_added_to_it() -> None:
    linear = torch.nn.Linear(6, 4)
    layer = LoRALinear(linear, rank=3, alpha=12.0)
    torch.nn.init.normal_(layer.lora_B)
    x = torch.randn(5, 6)
    whole = linear.weight + 12.0 / 3 * (layer.lora_B @ layer.lora_A)
    np.testing.assert_allclose(
        layer(x).detach().numpy(), (x @ whole.T + linear.bias).detach().numpy(), rtol=1e-5, atol=1e-5
    )


def test_the_table_of_a_bigram_cannot_be_adapted_and_a_rank_has_to_fit() -> None:
    with pytest.raises(UserError, match="bigram has no linear layer that LoRA could adapt"):
        add_lora(build_model("bigram", vocab_size=11, block_size=8), 2, 1.0)
    with pytest.raises(UserError, match="lora_rank must be between 1 and 16, the size of the narrowest"):
        add_lora(small("gpt"), 17, 1.0)
    assert set(SMALL) == set(MODELS) - {"ngram", "bigram", "mixture"}


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("texts")
    (folder / "sea.txt").write_text("she sells sea shells by the sea shore; he sells tea by the shore. " * 40)
    (folder / "tea.txt").write_text("he sells tea; she lets the sea be by the shore. " * 40)
    return str(folder / "sea.txt"), str(folder / "tea.txt")


def trained(folder: Path, *, until: int | None = None, **values: Any) -> RunFolder:
    """A run; with `until` it was stopped after so many steps."""
    setup = set_up_new(values)
    run = create_run(setup, folder)
    write_beginning(run, setup)
    return _go_on(run, setup, until)


def _go_on(run: RunFolder, setup: Setup, until: int | None = None) -> RunFolder:
    dev = setup.rows("dev")

    def watch(report: Report) -> None:
        if report.step == until:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        train_setup(setup, run, evaluate=lambda model: evaluate(model, dev).nats, progress=watch)
    return run


@pytest.fixture(scope="module")
def base(texts: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return trained(tmp_path_factory.mktemp("runs") / "sea", corpus=texts[0], **GPT)


LORA: dict[str, Any] = {"lora_rank": 4, "steps": 10, "learning_rate": 0.01, "evaluations": 2}


def test_a_run_holds_only_what_lora_adds_and_leaves_its_base_alone(
    texts: tuple[str, str], base: RunFolder, tmp_path: Path
) -> None:
    before = base.read("model.safetensors")
    run = trained(tmp_path / "tea", corpus=texts[1], init_from=str(base.path), **LORA)
    names = weights(load_model(run)).keys()
    assert names == weights(load_model(base)).keys(), "merged where it is loaded"
    own = len(run.read("model.safetensors"))
    assert own < 0.7 * len(before)  # rank 4 at width 16; at GPT-2's width it is hundredths
    assert base.read("model.safetensors") == before
    merged = merge_run(run, tmp_path / "plain")
    np.testing.assert_array_equal(logits_of(load_model(merged)), logits_of(load_model(run)))
    assert merged.settings().get("lora_rank") == 0
    assert merged.metrics() == run.metrics()


def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(
    texts: tuple[str, str], base: RunFolder, tmp_path: Path
) -> None:
    whole, cut = (
        trained(tmp_path / name, corpus=texts[1], init_from=str(base.path), until=until, **LORA)
        for name, until in (("whole", None), ("cut", 7))
    )
    assert cut.state()["step"] == 5, "the last checkpoint"
    _go_on(cut, reopen_to_resume(cut))
    assert cut.read("model.safetensors") == whole.read("model.safetensors")
    assert cut.state()["data"]["base"] == whole.state()["data"]["base"]


def test_a_base_that_is_gone_or_was_trained_further_is_named(texts: tuple[str, str], tmp_path: Path) -> None:
    own = trained(tmp_path / "own", corpus=texts[0], **{**GPT, "steps": 2})
    run = trained(tmp_path / "tea", corpus=texts[1], init_from=str(own.path), **{**LORA, "steps": 2})
    own.path.rename(tmp_path / "moved")
    with pytest.raises(UserError, match=r"holds only what LoRA adds to the run .*own, which is no longer there"):
        load_model(run)
    (tmp_path / "both").mkdir()
    run.path.rename(tmp_path / "both" / "tea")
    (tmp_path / "moved").rename(tmp_path / "both" / "own")
    load_model(RunFolder.open(tmp_path / "both" / "tea"))  # they were moved together


def test_without_a_run_to_adapt_or_twice_merged_it_is_refused(texts: tuple[str, str], base: RunFolder) -> None:
    with pytest.raises(UserError, match="lora_rank is for fine-tuning: init_from says which trained run is adapted"):
        set_up_new({"corpus": texts[1], "lora_rank": 4})
    with pytest.raises(UserError, match="is a plain run: nothing was adapted by LoRA"):
        merge_run(base)


def test_the_learning_rate_is_that_of_the_run_and_not_a_tenth(texts: tuple[str, str], base: RunFolder) -> None:
    setup = set_up_new({"corpus": texts[1], "init_from": str(base.path), "lora_rank": 2, "steps": 1})
    assert setup.config.learning_rate == base.settings()["learning_rate"]


def test_frozen_parts_stay_as_they_were(texts: tuple[str, str], base: RunFolder, tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "corpus": texts[1],
        "init_from": str(base.path),
        "freeze": "embeddings, blocks:1",
        "steps": 3,
    }
    run = trained(tmp_path / "frozen", **values)
    before, after = weights(load_model(base)), weights(load_model(run))
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {name for name in before if name.startswith(("transformer.h.1.", "transformer.ln_f"))}
    whole = trained(tmp_path / "by-name", **{**values, "freeze": "transformer.wte, transformer.wpe, transformer.h.0"})
    assert whole.read("model.safetensors") == run.read("model.safetensors")


@pytest.mark.parametrize(
    ("freeze", "said"),
    [
        ("embeddings, wings", "freeze: the model has no part 'wings'; there are embeddings, blocks, blocks:N up to 2"),
        ("blocks:3", "no part 'blocks:3'; there are embeddings, blocks, blocks:N up to 2, transformer, and"),
        ("transformer, lm_head", "no part 'lm_head'"),
        ("transformer", "freeze transformer leaves nothing to train"),
    ],
)
def test_parts_that_cannot_be_frozen_are_named(texts: tuple[str, str], base: RunFolder, freeze: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        set_up_new({"corpus": texts[1], "init_from": str(base.path), "freeze": freeze})


def test_pytorch_trains_the_same_adapter(texts: tuple[str, str], base: RunFolder, tmp_path: Path) -> None:
    """The losses of ten steps on both backends: the same arithmetic, up to rounding."""
    pytest.importorskip("torch")
    run = trained(tmp_path / "engine", corpus=texts[1], init_from=str(base.path), **LORA)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in LORA.items()]
    command = [sys.executable, "-m", "gradus", "--backend", "torch", "train", texts[1], "--init-from", str(base.path)]
    subprocess.run([*command, *flags, "-o", str(tmp_path / "torch")], check=True, capture_output=True)
    other = RunFolder.open(tmp_path / "torch")
    losses = [[line["train_loss"] for line in found.metrics()] for found in (run, other)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    np.testing.assert_allclose(logits_of(load_model(run)), logits_of(load_model(other)), rtol=1e-2, atol=2e-3)


def test_checkpointed_blocks_have_the_same_losses_and_weights(texts: tuple[str, str], tmp_path: Path) -> None:
    values = {"corpus": texts[0], **GPT, "dropout": 0.1, "steps": 3}
    plain = trained(tmp_path / "plain", **values)
    again = trained(tmp_path / "again", **values, gradient_checkpointing=True)
    assert again.read("model.safetensors") == plain.read("model.safetensors")
    with pytest.raises(UserError, match="gradient_checkpointing is for models of blocks; mlp has none"):
        set_up_new({"corpus": texts[0], "model": "mlp", "gradient_checkpointing": True, "steps": 1})
