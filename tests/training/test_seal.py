"""A run's files are sealed together: whatever is changed, cut, swapped or missing is named, and never used silently."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gradus.errors import UserError
from gradus.files import seal, to_json
from gradus.training import RunFolder, progress_of, read_toml, reopen, set_up, train, write_beginning

TINY = {"n_layer": 1, "n_head": 2, "n_embd": 8, "block_size": 8, "batch_size": 4, "steps": 2}
WAY_OUT = {
    "config.toml": "put it back as it was; for other settings, start a new run",
    "tokenizer.json": "or train again with gradus train --config",
    "state.json": "or train again with gradus train --config",
    "model.safetensors": "or train again with gradus train --config",
    "best.safetensors": "the last weights are still there: gradus sample ",
    "optimizer.safetensors": "the model can still be used by gradus sample",
}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "sea.txt"
    path.write_text("she sells sea shells by the sea shore; " * 20, encoding="utf-8")
    return path


@pytest.fixture
def run(text: Path, tmp_path: Path) -> RunFolder:
    setup = set_up({"corpus": str(text), **TINY})
    run = RunFolder.create(tmp_path / "run")
    write_beginning(run, setup)
    train(setup.model, setup.batches, setup.config, run, evaluate=lambda _: 1.0, data=setup.data())
    return run


def everything(run: RunFolder) -> None:
    """All that resuming, sampling and evaluating read of a run."""
    run = RunFolder.open(run.path)
    setup = reopen(run)
    progress_of(run)
    for name in ("model.safetensors", "best.safetensors", "optimizer.safetensors"):
        run.read(name)
    del setup


def edited(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        before = (folder / name).read_text(encoding="utf-8")
        assert old in before
        (folder / name).write_text(before.replace(old, new, 1), encoding="utf-8")

    return edit


EDITS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "n_head": ("config.toml", edited("config.toml", "n_head = 2", "n_head = 4")),
    "alphabet": ("tokenizer.json", edited("tokenizer.json", "abeh", "abfh")),
    "alphabet turned": ("tokenizer.json", edited("tokenizer.json", "abeh", "abhe")),
    "step": ("state.json", edited("state.json", '"step": 2', '"step": 1')),
    "tokens": ("state.json", edited("state.json", '"tokens": ', '"tokens": 9')),
    "a field too many": ("state.json", edited("state.json", '"step"', '"more": 1, "step"')),
    "no seal": ("state.json", edited("state.json", '"seal"', '"seel"')),
    "empty": ("state.json", lambda folder: (folder / "state.json").write_bytes(b"")),
    "nested": ("state.json", lambda folder: (folder / "state.json").write_bytes(b"[" * 100_000)),
    **{
        f"{name} {how}": (name, damage)
        for name in WAY_OUT
        if name != "state.json"
        for how, damage in {
            "missing": lambda folder, name=name: (folder / name).unlink(),
            "empty": lambda folder, name=name: (folder / name).write_bytes(b""),
            "cut": lambda folder, name=name: (folder / name).write_bytes((folder / name).read_bytes()[:-7]),
        }.items()
    },
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_was_changed_is_named_in_one_line_with_a_way_out(run: RunFolder, edit: str) -> None:
    everything(run)
    name, change = EDITS[edit]
    change(run.path)
    with pytest.raises(UserError) as error:
        everything(run)
    message = str(error.value)
    assert message.startswith(f"{run.path / name} ")
    assert WAY_OUT[name] in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("step", "2"),
        ("step", None),
        ("step", 2.5),
        ("step", True),
        ("seconds", "soon"),
        ("loss_sum", []),
        ("stale", {}),
    ],
)
def test_a_state_that_is_sealed_and_ill_typed_is_one_line(run: RunFolder, field: str, value: Any) -> None:
    state = {name: part for name, part in run.state().items() if name != "seal"} | {field: value}
    if value is None:
        del state[field]
    (run.path / "state.json").write_text(to_json({**state, "seal": seal(state)}), encoding="utf-8")
    with pytest.raises(UserError, match=f"state.json cannot be used: {field} is "):
        progress_of(run)


def test_a_state_of_another_format_says_so(run: RunFolder) -> None:
    path = run.path / "state.json"
    state = json.loads(path.read_bytes())
    path.write_text(json.dumps({**state, "format": 1}), encoding="utf-8")
    with pytest.raises(UserError, match=r"written by an earlier gradus, in another format; .* train again with"):
        run.state()
    path.write_text(json.dumps({**state, "files": {"../../elsewhere": "0"}}), encoding="utf-8")
    with pytest.raises(UserError, match="damaged, or was not written by gradus"):
        run.state()


@pytest.mark.parametrize("toml", ["a = " + "[" * 100_000, "a = " + "1" * 5000, "a = {b = " * 100_000, "\xff"])
def test_settings_that_no_parser_can_take_are_one_line(tmp_path: Path, toml: str) -> None:
    (tmp_path / "x.toml").write_bytes(toml.encode("latin-1"))
    with pytest.raises(UserError, match="is not a TOML file"):
        read_toml(tmp_path / "x.toml")


def test_damaged_lines_of_the_metrics_are_left_out_and_told_and_the_others_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunFolder.create(tmp_path / "run")
    for step in range(1, 41):
        run.log({"step": step, "train_loss": 1.5 if step != 9 else float("inf")})
    path = run.path / "metrics.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[3], lines[4], lines[5], lines[6] = b'{"step": 4, "tr', b"\xff\xfe", b"[" * 50_000, b'{"step": "7"}'
    path.write_bytes(b"\n".join(lines))
    assert [line["step"] for line in run.metrics()] == [1, 2, 3, *range(8, 41)]
    assert run.metrics()[4]["train_loss"] == float("inf")
    assert capsys.readouterr().err.splitlines()[0] == f"gradus: {path}: left out what is damaged: line 4, 5, 6, 7"
    run.cut_metrics(10)
    assert path.read_bytes() == b"\n".join([*lines[:3], *lines[7:10], b""])


def test_a_second_process_that_resumes_a_run_is_told(run: RunFolder) -> None:
    code = "import sys; from gradus.training import RunFolder\nwith RunFolder.open(sys.argv[1]).in_use(): pass"
    other = [sys.executable, "-c", code, str(run.path)]
    with run.in_use():
        told = subprocess.run(other, capture_output=True, text=True, check=False)
        with pytest.raises(UserError, match=r"another process is at work in .*run; wait for it"), run.in_use():
            pass
    assert f"another process is at work in {run.path}" in told.stderr
    assert subprocess.run(other, capture_output=True, check=False).returncode == 0  # nothing is left behind
    assert not list(run.path.glob("*lock*"))


@pytest.mark.skipif(os.name != "posix", reason="POSIX links")
def test_a_checkpoint_whose_files_are_links_keeps_them(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    for name in ("model.safetensors", "state.json"):
        os.rename(run.path / name, tmp_path / "large" / name)
        (run.path / name).symlink_to(tmp_path / "large" / name)
    run.update({"model.safetensors": b"new"}, step=3)
    assert (run.path / "model.safetensors").is_symlink()
    assert (run.path / "state.json").is_symlink()
    assert (run.read("model.safetensors"), run.state()["step"]) == (b"new", 3)
    assert sorted(path.name for path in (tmp_path / "large").iterdir()) == ["model.safetensors", "state.json"]


def test_metrics_that_were_changed_are_told(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    path = run.path / "metrics.jsonl"
    run.metrics()
    run.log({"step": 3, "train_loss": 1.0})  # after the save: a resumed run will make it again
    run.metrics()
    assert capsys.readouterr().err == ""
    path.write_text(path.read_text(encoding="utf-8").replace('"dev_loss": 1.0', '"dev_loss": 0.5', 1), encoding="utf-8")
    run.metrics()
    path.unlink()
    run.metrics()
    told = f"gradus: {path} is not what was saved with the checkpoint; the losses in it may be wrong\n"
    assert capsys.readouterr().err == 2 * told
