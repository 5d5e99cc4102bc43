"""Files are written whole or not at all, through links and into what is no regular file; JSON is the standard's."""

from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from gradus import engine as torch
from gradus import files
from gradus.engine.compat.profiler import profile
from gradus.errors import UserError
from gradus.graph import graph, walk
from gradus.plots.curve import LossCurve
from gradus.report.record import Record, Rung, load_record
from gradus.run.notebook import write_notebook
from gradus.scalar import Value
from gradus.text import CharTokenizer

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX links and pipes")
NOT_ROOT = os.name == "posix" and os.geteuid() != 0


def a_graph(path: Path) -> None:
    graph(Value(1.0) + 2).save(path)


def a_profile(path: Path) -> None:
    with profile() as p:
        p.step()
    p.export_chrome_trace(str(path))


def a_record(path: Path) -> None:
    Record("c", "stream", "s", 3, (), (), 1, "gradus climb").save(path)


# Each writes a file at the path it is given, which ends as the writer needs.
WRITERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "files.write": ("x.bin", lambda path: files.write(path, b"new")),
    "torch.save": ("x.pt", lambda path: torch.save({"w": torch.ones(3)}, path)),
    "graph .svg": ("x.svg", a_graph),
    "graph .txt": ("x.txt", a_graph),
    "tokenizer": ("tokenizer.json", lambda path: CharTokenizer("ab").save(path)),
    "notebook": ("x.ipynb", lambda path: write_notebook({"nbformat": 4, "cells": []}, path)),
    "profile": ("trace.json", a_profile),
    "record": ("table.json", a_record),
}


@posix
@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_writes_a_links_target_and_keeps_the_link(name: str, tmp_path: Path) -> None:
    ending, write = WRITERS[name]
    (tmp_path / "elsewhere").mkdir()
    target, middle, link = tmp_path / "elsewhere" / ending, tmp_path / "middle", tmp_path / ending
    target.write_bytes(b"old")
    target.chmod(0o640)
    middle.symlink_to("elsewhere/" + ending)
    link.symlink_to(middle)
    write(link)
    assert link.is_symlink()
    assert middle.is_symlink()
    assert target.read_bytes() not in (b"", b"old")
    assert target.stat().st_mode & 0o777 == 0o640
    assert len(list((tmp_path / "elsewhere").iterdir())) == 1
    target.unlink()
    write(link)  # a link to nothing makes what it names
    assert target.is_file()


@posix
@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_writes_into_a_pipe_and_leaves_it_one(name: str, tmp_path: Path) -> None:
    ending, write = WRITERS[name]
    os.mkfifo(tmp_path / ending)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / ending).read_bytes()))
    reader.start()
    write(tmp_path / ending)
    reader.join(10)
    assert read[0]
    assert (tmp_path / ending).is_fifo()


@posix
def test_what_a_shell_has_opened_is_written_where_it_stands(tmp_path: Path) -> None:
    code = (
        "import os; from gradus import files; os.write(1, b'before '); "
        "files.write('/dev/stdout', b'within'); os.write(1, b' after')"
    )
    with open(tmp_path / "out", "wb") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
    assert (tmp_path / "out").read_bytes() == b"before within after"
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout.endswith(b" after")


@posix
def test_a_circle_of_links_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OSError, match="symbolic links") as error:
        files.write(tmp_path / "a", b"x")
    assert error.value.errno == errno.ELOOP
    with pytest.raises(IsADirectoryError):
        files.write(tmp_path, b"x")


def test_a_write_that_fails_leaves_the_file_before_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    files.write(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"^cannot write .*x: No space left on device$"), files.saving(path):
        files.write(path, b"new")
    with suppress(KeyboardInterrupt), files.replacing(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not NOT_ROOT, reason="root may write everything")
def test_a_write_protected_file_is_refused_and_one_in_a_protected_folder_is_written(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "x"
    path.parent.mkdir()
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError):
        files.write(path, b"new")
    path.chmod(0o644)
    path.parent.chmod(0o555)
    files.write(path, b"new")
    path.parent.chmod(0o755)
    assert path.read_bytes() == b"new"


@posix
def test_the_frames_of_a_walk_follow_links_too(tmp_path: Path) -> None:
    y = Value(1.0) + 2
    y.backward()
    (tmp_path / "walk-00.svg").symlink_to(tmp_path / "kept.svg")
    walk(graph(y)).save(tmp_path / "walk.svg")
    assert (tmp_path / "kept.svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_name_as_long_as_a_name_may_be_is_written(tmp_path: Path) -> None:
    files.write(tmp_path / ("é" * 127), b"x")
    assert (tmp_path / ("é" * 127)).read_bytes() == b"x"


def test_json_has_no_infinity_and_no_nan() -> None:
    value = {"a": [1.5, math.inf, (-math.inf,)], "b": {"c": math.nan}, "d": np.pi}
    text = files.to_json(value)
    assert json.loads(text, parse_constant=lambda _: pytest.fail("no JSON")) == {
        "a": [1.5, "inf", ["-inf"]],
        "b": {"c": "nan"},
        "d": math.pi,
    }


BAD_JSON = ["NaN", "[Infinity]", "[" * 100_000, '{"a":' * 100_000, "1" * 5000, "", "{", b"\xff"]


@pytest.mark.parametrize("text", BAD_JSON, ids=lambda text: str(text[:9]))
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        files.from_json(text)


def test_a_record_with_an_infinite_loss_comes_back(tmp_path: Path) -> None:
    curve = LossCurve("counts", (), (), (1.0,), (math.inf,))
    rung = Rung("r", "counts", "ngram", 1, 2, 1.0, math.inf, math.inf, math.inf, 0.5, 0, {}, curve, (), (), math.inf)
    record = Record("c", "stream", "s", 3, (), (rung,), 1, "gradus climb")
    record.save(tmp_path / "table.json")
    assert "Infinity" not in (tmp_path / "table.json").read_text(encoding="utf-8")
    assert load_record(tmp_path / "table.json") == record
