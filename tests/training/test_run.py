"""A run's folder: a checkpoint is replaced as a whole or not at all, whatever goes wrong and wherever."""

from __future__ import annotations

import builtins
import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gradus.errors import UserError
from gradus.training.folder import new_run_folder
from gradus.training.run import TOKENIZER, RunFolder, runs_in

FILES = ("model.safetensors", "optimizer.safetensors", "best.safetensors")
LIMIT = 100  # more than the points at which a save can fail


def contents(generation: str) -> dict[str, bytes]:
    return {name: f"{generation} {name}".encode() * 100 for name in FILES}


def loaded(path: Path) -> tuple[dict[str, bytes], int]:
    run = RunFolder.open(path)
    return {name: run.read(name) for name in FILES}, run.state()["step"]


class PowerCut(BaseException):
    """The process ends: nothing is caught, nothing is cleaned up."""


class Faults:
    """Lets every operation on the disk through but the n-th: that one fails, a write with half of its bytes written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fail_at: int, error: BaseException) -> None:
        self.left, self.error, self.happened = fail_at, error, False
        real_open, real_replace, real_fsync = builtins.open, os.replace, os.fsync

        def faulty_open(path: Any, mode: str = "r", **kwargs: Any) -> Any:
            if "r" in mode:
                return real_open(path, mode, **kwargs)
            self.point()
            file = real_open(path, mode, **kwargs)
            real_write = file.write

            class Half:
                def __enter__(self) -> Half:
                    return self

                def __exit__(self, *_: object) -> None:
                    file.close()

                def write(half, data: Any) -> None:
                    real_write(data[: len(data) // 2])
                    self.point()
                    real_write(data[len(data) // 2 :])

                def flush(self) -> None:
                    file.flush()

                def fileno(self) -> int:
                    return int(file.fileno())

            return Half()

        def faulty_replace(source: Any, target: Any) -> None:
            self.point()
            real_replace(source, target)

        def faulty_fsync(descriptor: int) -> None:
            self.point()
            real_fsync(descriptor)

        for module in ("gradus.training.run", "gradus.files"):
            monkeypatch.setattr(f"{module}.open", faulty_open, raising=False)
        monkeypatch.setattr(os, "replace", faulty_replace)
        monkeypatch.setattr(os, "fsync", faulty_fsync)

    def point(self) -> None:
        if self.left == 0 and not self.happened:
            self.happened = True
            raise self.error
        self.left -= 1


@pytest.mark.parametrize("crash", [False, True], ids=["full disk", "power cut"])
def test_a_save_that_fails_anywhere_leaves_one_whole_checkpoint(tmp_path: Path, crash: bool) -> None:
    olds = news = 0
    messages = set()
    for point in range(LIMIT):
        path = tmp_path / str(point)
        run = RunFolder.create(path)
        run.save(contents("old"), {"step": 1})
        with pytest.MonkeyPatch.context() as monkeypatch:
            error: BaseException = PowerCut() if crash else OSError(errno.ENOSPC, "No space left on device")
            faults = Faults(monkeypatch, point, error)
            try:
                run.save(contents("new"), {"step": 2})
            except PowerCut:
                messages.add("")
            except UserError as failure:
                messages.add(str(failure).rpartition("run: ")[2].rpartition(": ")[2])
        files, step = loaded(path)
        if faults.happened:
            assert (files, step) in ((contents("old"), 1), (contents("new"), 2))
            olds, news = olds + (step == 1), news + (step == 2)
        run.save(contents("newer"), {"step": 3})
        assert loaded(path) == (contents("newer"), 3)
        assert sorted(p.name for p in path.iterdir()) == sorted([*FILES, "state.json"])
        if not faults.happened:
            break
    assert olds == 14  # opening, writing and flushing four files, flushing the folder, and the commit
    assert news == 4  # flushing the folder, and three renames
    full = "No space left on device; the checkpoint of step"
    assert messages == ({""} if crash else {f"{full} 1 is whole", f"{full} 2 is whole"})


def test_a_save_that_fails_twice_running_keeps_what_the_first_had_committed(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run")
    run.save(contents("old"), {"step": 1})
    for name, first in (
        ("new", 15),
        ("newer", 0),
    ):  # the first rename after the commit; then the rename that makes up for it
        with pytest.MonkeyPatch.context() as monkeypatch:
            Faults(monkeypatch, first, OSError(errno.EIO, "Input/output error"))
            with pytest.raises(UserError, match="Input/output error"):
                run.save(contents(name), {"step": 2})
        assert loaded(run.path) == (contents("new"), 2)


def test_the_first_save_that_fails_leaves_no_checkpoint_and_says_so(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run")
    with pytest.MonkeyPatch.context() as monkeypatch:
        Faults(monkeypatch, 1, OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(UserError, match=r"cannot write .*run: No space left on device$"):
            run.save(contents("new"), {"step": 0})
    assert list(run.path.iterdir()) == []


def test_files_that_are_not_saved_again_stay_part_of_the_checkpoint(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run")
    run.save(contents("old"), {"step": 1})
    run.save({"model.safetensors": b"new"}, {"step": 2})
    assert run.read("model.safetensors") == b"new"
    assert run.read("best.safetensors") == contents("old")["best.safetensors"]


def test_a_text_file_that_cannot_be_replaced_stays_as_it_was(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run")
    run.write("samples.txt", "one\n")
    for point in range(4):  # opening, writing, flushing, renaming
        with pytest.MonkeyPatch.context() as monkeypatch:
            Faults(monkeypatch, point, OSError(errno.EIO, "Input/output error"))
            with pytest.raises(UserError, match="Input/output error"):
                run.write("samples.txt", "two\n")
        assert (run.path / "samples.txt").read_text(encoding="utf-8") == "one\n"
        assert [p.name for p in run.path.iterdir()] == ["samples.txt"]


def test_a_folder_that_exists_is_refused_and_says_how_to_go_on(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run")
    run.save(contents("old"), {"step": 1})
    with pytest.raises(UserError, match=r"run already exists; resume it by gradus train --resume .*run, or choose"):
        RunFolder.create(run.path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(UserError, match=r"other already exists; choose another folder as out$"):
        RunFolder.create(tmp_path / "other")


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(UserError, match=r"cannot write .*run: Permission denied"):
        RunFolder.create(tmp_path / "run")


def test_opening_what_is_no_run_says_why(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        RunFolder.open(tmp_path / "none")
    with pytest.raises(UserError, match=r"it has no state.json"):
        RunFolder.open(tmp_path)
    for text in ("{", "[]", "{}", '{"files": 3, "format": 1}'):
        (tmp_path / "state.json").write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match=r"state.json is damaged, or was not written by gradus"):
            RunFolder.open(tmp_path)
    (tmp_path / "state.json").write_text('{"files": {}, "format": 99}', encoding="utf-8")
    with pytest.raises(UserError, match="later gradus"):
        RunFolder.open(tmp_path)


def test_damaged_swapped_and_missing_files_are_told_apart(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run")
    run.save(contents("old"), {"step": 1})
    data = bytearray(run.read("model.safetensors"))
    data[5] ^= 1  # one bit
    (run.path / "model.safetensors").write_bytes(data)
    with pytest.raises(UserError, match=r"model.safetensors was changed, is damaged, or belongs to another run"):
        run.read("model.safetensors")
    (run.path / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"model.safetensors is missing"):
        run.read("model.safetensors")
    with pytest.raises(UserError, match=r"has no other.safetensors"):
        run.read("other.safetensors")


def test_metrics_are_cut_at_a_step_and_end_before_an_unfinished_line(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run")
    for step in (1, 2, 3):
        run.log({"step": step})
    with open(run.path / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write('{"step": 4, "lo')
    assert run.metrics() == [{"step": 1}, {"step": 2}, {"step": 3}]
    run.cut_metrics(2)
    assert [json.loads(line) for line in (run.path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()] == [
        {"step": 1},
        {"step": 2},
    ]


def test_new_runs_are_numbered_from_the_first_free_number_and_never_share_one(tmp_path: Path) -> None:
    assert new_run_folder(tmp_path / "runs", "names-gpt") == tmp_path / "runs" / "names-gpt-1"
    assert new_run_folder(tmp_path / "runs", "names-gpt") == tmp_path / "runs" / "names-gpt-2"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_run_folder(tmp_path / "runs", "names-gpt"), range(8)))
    assert len(set(made)) == 8


def test_a_run_without_its_tokenizer_hides_no_other(tmp_path: Path) -> None:
    for name in ("a", "b"):
        RunFolder.create(tmp_path / name).save({TOKENIZER: b"{}"}, {})
    (tmp_path / "b" / TOKENIZER).unlink()
    assert set(runs_in(tmp_path)) == {tmp_path / "a", tmp_path / "b"}
