"""Importing: what is wrong with a folder is said in one line, before a run is made, and nothing in it is executed."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import gradus
from gradus.errors import UserError
from gradus.files import sha256_of
from gradus.hub import download, gpt2, import_run
from gradus.hub.download import RELEASES, Release
from gradus.models import GPTConfig
from gradus.text import BPETokenizer
from gradus.training import load_model, reopen

TOKENIZER = BPETokenizer.train(["to be or not to be"], 260, special=["<|endoftext|>"])
CONFIG = GPTConfig(TOKENIZER.vocab_size, 8, n_layer=2, n_head=2, n_embd=4, bias=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small GPT-2, as transformers saves it."""
    folder = tmp_path / "small"
    folder.mkdir()
    write(folder, gpt2.config_of(CONFIG), tensors())
    TOKENIZER.save(folder / "tokenizer.json")
    return folder


def tensors() -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in gpt2.shapes(CONFIG).items()}


def write(folder: Path, config: dict[str, Any], arrays: dict[str, np.ndarray[Any, Any]]) -> None:
    (folder / "config.json").write_text(json.dumps(config))
    save_file(arrays, folder / "model.safetensors")


def refused(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        import_run(folder, folder.parent / "run")
    assert not (folder.parent / "run").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_imported_run_has_the_folders_weights_and_says_where_they_are_from(folder: Path, tmp_path: Path) -> None:
    run = import_run(folder, tmp_path / "run")
    state = load_model(run).state_dict()
    for name, array in tensors().items():
        ours = state[f"transformer.{name}"].numpy()
        assert np.array_equal(ours.T if ".c_" in name and array.ndim == 2 else ours, array)
    data = run.state()["data"]
    assert data["imported"] == str(folder)
    assert list(data["sha256"]) == ["model.safetensors"]


def test_from_python_it_is_a_run_like_any_other(folder: Path, tmp_path: Path) -> None:
    run = gradus.from_pretrained(folder, out=tmp_path / "run")
    assert repr(run) == f"Run {tmp_path / 'run'}: gpt imported from {folder}, 1,568 parameters"
    assert len(run.sample("to be", length=5, seed=1)) == 1
    (tmp_path / "text.txt").write_text("to be or not to be")
    assert run.evaluate(text=tmp_path / "text.txt").count == len(TOKENIZER.encode("to be or not to be")) - 1
    assert run.export(tmp_path / "back") == "GPT2LMHeadModel"
    again = gradus.from_pretrained(tmp_path / "back", out=tmp_path / "again")
    assert again.evaluate(text=tmp_path / "text.txt") == run.evaluate(text=tmp_path / "text.txt")


def test_the_causal_masks_of_older_files_are_no_weights(folder: Path, tmp_path: Path) -> None:
    masks = {f"h.{i}.attn.bias": np.tril(np.ones((1, 1, 8, 8), np.float32)) for i in range(2)}
    write(folder, gpt2.config_of(CONFIG), {**tensors(), **masks})
    import_run(folder, tmp_path / "run")


def test_a_run_without_a_text_says_what_can_be_done_with_it(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"was imported, without a text; .* --text FILE, .* --init-from"):
        reopen(import_run(folder, tmp_path / "run"))


def test_tensors_that_are_missing_too_many_or_misshapen_are_named(folder: Path) -> None:
    arrays = tensors()
    del arrays["h.1.ln_2.bias"]
    arrays["score.weight"] = np.zeros((2, 4), np.float32)
    arrays["ln_f.weight"] = np.zeros(5, np.float32)
    write(folder, gpt2.config_of(CONFIG), arrays)
    said = refused(folder)
    assert "missing: h.1.ln_2.bias; too many: score.weight; misshapen: ln_f.weight is [5], not [4]" in said


def test_of_many_missing_tensors_some_are_named(folder: Path) -> None:
    arrays = {name: array for name, array in tensors().items() if "ln_" not in name}
    write(folder, gpt2.config_of(CONFIG), arrays)
    assert "missing: h.0.ln_1.weight, h.0.ln_1.bias, h.0.ln_2.weight, h.0.ln_2.bias and 6 more" in refused(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "llama"}, "model_type 'llama', which the model gpt does not have; it has 'gpt2'"),
        ({"activation_function": "relu"}, "activation_function 'relu'"),
        ({"resid_pdrop": [0.1]}, "dropout must be a number"),
        ({"n_inner": 3072, "n_embd": None}, "n_embd"),
        ({"activation_function": "gelu"}, "activation_function 'gelu'"),
        ({"layer_norm_epsilon": 1e-6}, "layer_norm_epsilon 1e-06"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx True"),
        ({"add_cross_attention": True}, "add_cross_attention True"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings False"),
        ({"quantization_config": {"bits": 4}}, "quantization_config {'bits': 4}"),
        ({"n_inner": 10}, "n_inner 10; the model gpt has 4 n_embd, 16"),
        ({"n_head": 3}, "n_embd must be a multiple of n_head"),
        ({"n_layer": "2"}, "n_layer must be a whole number, got '2'"),
        ({"n_layer": 10**12}, "config.json says 1,000,000,000,000 layers, the weights have 2"),
        ({"n_positions": 9}, r"misshapen: wpe.weight is [8, 4], not [9, 4]"),
        ({"vocab_size": 300}, "misshapen: wte.weight is [260, 4], not [300, 4]"),
    ],
)
def test_a_config_that_asks_for_what_we_do_not_have_is_refused(folder: Path, change: dict[str, Any], said: str) -> None:
    (folder / "config.json").write_text(json.dumps({**gpt2.config_of(CONFIG), **change}))
    assert said in refused(folder)


def test_a_config_without_a_model_type_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    assert "does not say its model_type" in refused(folder)


def test_a_head_of_its_own_is_refused_and_a_copy_of_the_embedding_is_not(folder: Path, tmp_path: Path) -> None:
    arrays = tensors()
    write(folder, gpt2.config_of(CONFIG), {**arrays, "lm_head.weight": arrays["wte.weight"] + 1})
    assert "lm_head.weight is not wte.weight" in refused(folder)
    write(folder, gpt2.config_of(CONFIG), {**arrays, "lm_head.weight": arrays["wte.weight"]})
    import_run(folder, tmp_path / "run")


def test_several_dropouts_become_one_and_the_user_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "config.json").write_text(json.dumps({**gpt2.config_of(CONFIG), "attn_pdrop": 0.5}))
    import_run(folder, tmp_path / "run")
    assert "attn_pdrop 0.5; the model gpt has one dropout" in capsys.readouterr().err


def test_a_tokenizer_that_does_not_fit_the_weights_is_refused(folder: Path) -> None:
    BPETokenizer.train(["to be or not to be"], 259).save(folder / "tokenizer.json")
    assert "has 259 tokens, but the model was made for 260" in refused(folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.json", "merges.txt"])
def test_a_vocabulary_file_cut_short_is_refused(folder: Path, name: str) -> None:
    if name != "tokenizer.json":
        from gradus.text.bpe_files import to_vocab_and_merges

        for file, text in zip(("vocab.json", "merges.txt"), to_vocab_and_merges(TOKENIZER), strict=True):
            (folder / file).write_text(text, encoding="utf-8")
        (folder / "tokenizer.json").unlink()
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) - len(whole) // 3])
    assert name in refused(folder)


def test_no_tokenizer_no_config_no_weights_no_folder(folder: Path) -> None:
    for name in ("tokenizer.json", "model.safetensors", "config.json"):
        (folder / name).unlink()
        assert ("no tokenizer" if name == "tokenizer.json" else name) in refused(folder)
    assert refused(folder.parent / "nowhere").startswith("there is no folder")


def test_a_pickle_is_refused_unread(folder: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap()))
    assert "pytorch_model.bin, a pickle" in refused(folder)
    assert not (tmp_path / "ran").exists()


def test_damaged_and_misnamed_weights_are_refused(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"\xff" * 100, pickle.dumps({})):
        (folder / "model.safetensors").write_bytes(damaged)
        assert "is damaged, cut short, or no safetensors file" in refused(folder)


def test_shards_are_those_of_the_folder_and_hold_what_the_index_says(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "a.safetensors")
    index = folder / "model.safetensors.index.json"
    place = dict.fromkeys(tensors(), "a.safetensors")
    for weight_map, said in (
        ({**place, "wte.weight": "../outside.safetensors"}, "no safetensors file of its folder"),
        ({**place, "wte.weight": "/etc/passwd"}, "no safetensors file of its folder"),
        ({**place, "wte.weight": "b.safetensors"}, "b.safetensors is missing"),
        ({**place, "more": "a.safetensors"}, "has no tensor more, which model.safetensors.index.json says"),
        (["a.safetensors"], "is damaged"),
    ):
        index.write_text(json.dumps({"weight_map": weight_map}))
        assert said in refused(folder)


def test_weights_that_are_no_numbers_of_floating_point_are_refused(folder: Path) -> None:
    write(folder, gpt2.config_of(CONFIG), {**tensors(), "ln_f.bias": np.zeros(4, np.int8)})
    assert "ln_f.bias is I8; only floating-point weights" in refused(folder)


# From the hub


def hub_of(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[str]:
    """huggingface_hub's download, from a folder; returns what was asked for."""
    hub = pytest.importorskip("huggingface_hub")
    asked = []

    def hf_hub_download(repository: str, name: str, *, revision: str) -> str:
        asked.append(f"{repository}@{revision}/{name}")
        return str(folder / name)

    monkeypatch.setattr(hub, "hf_hub_download", hf_hub_download)
    return asked


def test_a_download_is_of_a_known_commit_and_checked(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = hub_of(monkeypatch, folder)
    with pytest.raises(UserError, match=r"not the expected model.safetensors: its sha256 is .*, expected 248dfc3911"):
        import_run("gpt2", tmp_path / "run")
    commit = "openai-community/gpt2@607a30d783dfa663caf39e06633721c8d4cfcd7e"
    assert asked == [f"{commit}/config.json", f"{commit}/model.safetensors"]
    right = Release("some/one", "abc", {"model.safetensors": sha256_of(folder / "model.safetensors")})
    assert download.download(right) == folder


def test_a_release_of_which_no_sum_is_known_is_checked_by_the_hubs(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, asked = pytest.importorskip("huggingface_hub"), hub_of(monkeypatch, folder)

    class File:
        def __init__(self, name: str, sha256: str | None) -> None:
            self.rfilename, self.lfs = name, None if sha256 is None else self
            self.sha256 = sha256

    class Api:
        right = sha256_of(folder / "model.safetensors")

        def model_info(self, repository: str, *, revision: str, files_metadata: bool) -> Any:
            assert (repository, revision, files_metadata) == ("some/small", "main", True)
            self.sha = "c0ffee"
            small = (File(name, None) for name in ("config.json", "tokenizer.json", "README.md"))
            self.siblings = [*small, File("model.safetensors", self.right)]
            return self

    monkeypatch.setattr(hub, "HfApi", Api)
    run = import_run("some/small", tmp_path / "run")
    assert run.state()["data"]["imported"] == "some/small"
    assert asked == [f"some/small@c0ffee/{name}" for name in ("config.json", "model.safetensors", "tokenizer.json")]
    Api.right = "0" * 64
    with pytest.raises(UserError, match=r"not the expected model.safetensors"):
        import_run("some/small", tmp_path / "other")


def test_a_hub_that_cannot_be_reached_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")

    def unreachable(*_: Any, **__: Any) -> str:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(hub, "hf_hub_download", unreachable)
    with pytest.raises(UserError, match=r"cannot download openai-community/gpt2 \(no route to host\); get it from "):
        import_run("gpt2", tmp_path / "run")
    assert set(RELEASES) == {"gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"}
