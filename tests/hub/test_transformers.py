"""GPT-2 from and to `transformers`, whose model is the reference: the same logits, the same continuation, the same
weights back, and a tokenizer that gives the same ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from gradus.backend import torch
from gradus.errors import UserError
from gradus.generation import SamplingRule, generate
from gradus.hub import export_run, import_run
from gradus.models import LanguageModel, build_model, inference
from gradus.text import BPETokenizer, CharTokenizer, Corpus, Tokenizer, load_tokenizer
from gradus.training import RunFolder, TrainConfig, load_model, train
from gradus.training.run import CONFIG, TOKENIZER
from gradus.training.settings import to_toml

transformers = pytest.importorskip("transformers")
reference = pytest.importorskip("torch")

TEXT = "the cat sat on the mat; the dog sat on the log. " * 5


def theirs(folder: Path, *, scale: float = 1.0, shard: str = "5GB", **sizes: Any) -> Any:
    """A GPT2LMHeadModel with random weights, saved in the folder."""
    reference.manual_seed(0)
    special = {"bos_token_id": 0, "eos_token_id": None}
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes, **special)).eval()
    with reference.no_grad():
        for parameter in model.parameters():
            parameter.copy_(reference.randn_like(parameter) * 0.02 * scale + (parameter == 1))
    model.save_pretrained(folder, max_shard_size=shard)
    return model


def tiny(folder: Path, **options: Any) -> Any:
    """One in which nothing is nearly linear, with a tokenizer beside it."""
    tokenizer = BPETokenizer.train([TEXT], 270, special=["<|endoftext|>"])
    (folder / "tokenizer.json").parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(folder / "tokenizer.json")
    sizes: Any = {"vocab_size": tokenizer.vocab_size, "n_positions": 64, "n_embd": 48, "n_layer": 3, "n_head": 4}
    return theirs(folder, scale=8, **sizes, **options)


def their_logits(model: Any, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    with reference.no_grad():
        logits: np.ndarray[Any, Any] = model(reference.from_numpy(rows)).logits.numpy()
    return logits


def our_logits(model: LanguageModel, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    with inference(model):
        return np.asarray(model(torch.from_numpy(rows))[0].numpy())


def same_model(ours: LanguageModel, model: Any, rows: np.ndarray[Any, Any], *, new: int) -> None:
    np.testing.assert_allclose(our_logits(ours, rows), their_logits(model, rows), rtol=0, atol=1e-4)
    prompt = rows[:1, :8]
    greedy = generate(ours, torch.from_numpy(prompt), new, SamplingRule(temperature=0))
    expected = model.generate(
        reference.from_numpy(prompt),
        attention_mask=reference.ones(prompt.shape, dtype=reference.int64),
        max_new_tokens=new,
        do_sample=False,
        pad_token_id=0,
    )
    assert greedy.tolist() == expected.tolist()


def same_weights(a: Path, b: Path) -> None:
    """All tensors bit for bit, whatever files they are in."""
    first, second = (
        {name: array for file in a.glob("*.safetensors") for name, array in load_file(file).items()} for a in (a, b)
    )
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("shard", ["5GB", "60KB"])
def test_a_random_gpt2_is_the_same_model_here_and_comes_back_bit_for_bit(tmp_path: Path, shard: str) -> None:
    model = tiny(tmp_path / "theirs", shard=shard)
    assert (tmp_path / "theirs" / "model.safetensors.index.json").exists() == (shard == "60KB")
    run = import_run(tmp_path / "theirs", tmp_path / "run")
    rows = np.random.default_rng(0).integers(270, size=(3, 64))
    same_model(load_model(run), model, rows, new=50)
    assert export_run(run, tmp_path / "ours") == "GPT2LMHeadModel"
    same_weights(tmp_path / "theirs", tmp_path / "ours")
    back, report = transformers.GPT2LMHeadModel.from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not any(report.values())
    assert np.array_equal(their_logits(back.eval(), rows), their_logits(model, rows))


@pytest.mark.slow
def test_a_random_124m_is_the_same_model_here_and_comes_back_bit_for_bit(tmp_path: Path, data_folder: Path) -> None:
    (tmp_path / "theirs").mkdir()
    for name in ("encoder.json", "vocab.bpe"):
        (tmp_path / "theirs" / name).symlink_to(data_folder / "gpt2" / name)
    model = theirs(tmp_path / "theirs", shard="200MB")
    run = import_run(tmp_path / "theirs", tmp_path / "run")
    ours = load_model(run)
    assert ours.num_parameters() == 124_439_808
    same_model(ours, model, np.random.default_rng(0).integers(50_257, size=(2, 100)), new=50)
    export_run(run, tmp_path / "ours")
    same_weights(tmp_path / "theirs", tmp_path / "ours")


def test_weights_in_half_precision_and_without_the_prefix_are_read_exactly(tmp_path: Path) -> None:
    model = tiny(tmp_path / "theirs").to(reference.bfloat16)
    model.transformer.save_pretrained(tmp_path / "theirs")  # GPT2Model: names as in the released files
    ours = load_model(import_run(tmp_path / "theirs", tmp_path / "run"))
    rows = np.random.default_rng(0).integers(270, size=(2, 20))
    np.testing.assert_allclose(our_logits(ours, rows), their_logits(model.float(), rows), rtol=0, atol=1e-4)


def saved_run(path: Path, model: str, tokenizer: Tokenizer, kind: str, **settings: Any) -> RunFolder:
    """A run of a model that was hardly trained."""
    torch.manual_seed(1)
    built = build_model(
        model, vocab_size=tokenizer.vocab_size, block_size=16, n_layer=2, n_head=4, n_embd=32, **settings
    )
    for parameter in built.parameters():
        parameter.data.copy_(torch.randn(parameter.shape) * 0.2)
    run = RunFolder.create(path)
    config = TrainConfig(model=model, steps=1, kind="stream" if kind == "stream" else "documents")
    toml = to_toml(config, built.config, omit=["vocab_size"])
    run.save({TOKENIZER: tokenizer.to_json().encode(), CONFIG: toml.encode()}, {"data": {}})
    rows = np.zeros((1, 16), np.int64)

    class Batches:
        steps_per_epoch = 1

        def batch(self, step: int, part: slice = slice(None)) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:  # noqa: ARG002
            return rows[part], rows[part]

    train(built, Batches(), config, run)
    return run


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("tokenizer", ["chars", "bpe"])
def test_a_run_of_ours_is_loaded_by_transformers_with_its_tokenizer(tmp_path: Path, bias: bool, tokenizer: str) -> None:
    made: Tokenizer = CharTokenizer(sorted(set(TEXT)))
    if tokenizer == "bpe":
        made = BPETokenizer.train([TEXT], 300)
    run = saved_run(tmp_path / "run", "gpt", made, "stream", bias=bias)
    export_run(run, tmp_path / "out")
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    assert type(model).__name__ == "GPT2LMHeadModel"
    rows = np.random.default_rng(0).integers(made.vocab_size, size=(2, 16))
    same_model(load_model(run), model, rows, new=8)
    read = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    assert read(TEXT)["input_ids"] == made.encode(TEXT).tolist()
    assert read.decode(made.encode(TEXT)) == TEXT


def test_the_end_of_documents_is_where_transformers_stops(tmp_path: Path) -> None:
    made = CharTokenizer(["\n", *sorted(set(TEXT))])
    export_run(saved_run(tmp_path / "run", "gpt", made, "documents"), tmp_path / "out")
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert model.generation_config.eos_token_id == model.config.eos_token_id == 0


@pytest.mark.parametrize(("qk_norm", "name"), [(True, "Qwen3"), (False, "Llama")])
@pytest.mark.parametrize("tied", [False, True])
def test_the_modern_model_goes_into_the_nearest_layout(tmp_path: Path, qk_norm: bool, name: str, tied: bool) -> None:
    plain = {"smear": False, "soft_cap": 0.0, "mlp": "swiglu", "qk_norm": qk_norm, "tied": tied, "n_kv_head": 2}
    made = CharTokenizer(sorted(set(TEXT)))
    run = saved_run(tmp_path / "run", "modern", made, "stream", **plain)
    assert export_run(run, tmp_path / "out") == f"{name}ForCausalLM"
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    rows = np.random.default_rng(0).integers(made.vocab_size, size=(2, 16))
    same_model(load_model(run), model, rows, new=8)


def test_what_no_layout_holds_is_said(tmp_path: Path) -> None:
    made = CharTokenizer(sorted(set(TEXT)))
    run = saved_run(tmp_path / "run", "modern", made, "stream")
    with pytest.raises(
        UserError, match=r"Qwen3's, cannot hold mlp 'relu2', soft_cap 15.0, smear True; .* --mlp swiglu "
    ):
        export_run(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_tokenizer_of_gpt2_is_the_same_there(tmp_path: Path, data_folder: Path) -> None:
    ours = load_tokenizer(data_folder / "gpt2")
    assert isinstance(ours, BPETokenizer)
    from gradus.hub.tokenizers import tokenizer_files

    for name, text in tokenizer_files(ours, 1024).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    read = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for text in (
        "Hello, I'm a language model,",
        "     hello world!!!",
        "naïve 日本語 \U0001f600",
        Corpus.__doc__ or "",
    ):
        assert read(text)["input_ids"] == ours.encode(text).tolist()
        assert read.decode(ours.encode(text)) == text
    assert read.eos_token_id == 50_256
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["model_max_length"] == 1024
