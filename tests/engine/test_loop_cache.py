"""The cache of compiled loops only saves time: damaged, full, closed or missing, it stops nobody."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus import files
from gradus.engine.kernels import cache

pytest.importorskip("numba", reason="loops are compiled by Numba")


def compiled_result() -> tuple[float, bool]:
    """What a small function gives that is compiled anew or taken from the cache, and whether it was taken."""
    from gradus.engine.kernels.jit import loop

    def one_more(x: Any) -> Any:
        return x[0] + 1

    with cache.active():
        function = loop()(one_more)
    value = function(np.ones(2, np.float32))
    (hits,) = function.stats.cache_hits.values() or (0,)
    return float(value), hits > 0


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "loops")
    cache._note_no_cache.cache_clear()
    yield tmp_path / "loops"
    cache._note_no_cache.cache_clear()


def flipped(data: bytes) -> bytes:
    at = len(data) * 2 // 3  # machine code, in which no one would notice
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


DAMAGES = {
    "emptied": lambda data: data[:0],
    "cut": lambda data: data[: len(data) // 2],
    "cut within the sum": lambda data: data[:9],
    "garbage": lambda data: os.urandom(len(data)),
    "text": lambda data: b"no pickle at all\n" + data[:0],
    "a bit flipped": flipped,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_compiled_again_and_replaced(place: Path, damage: str) -> None:
    assert compiled_result() == (2.0, False)
    assert compiled_result() == (2.0, True)
    (file,) = place.iterdir()
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    assert compiled_result() == (2.0, False)
    assert compiled_result() == (2.0, True)


def test_a_pickle_of_something_else_with_the_right_sum_is_compiled_again(place: Path) -> None:
    compiled_result()
    (file,) = place.iterdir()
    for data in (b"cposixpath\njoin\n.", b"(lp0\n.", b"I3\n."):
        file.write_bytes(hashlib.sha256(data).digest() + data)
        assert compiled_result() == (2.0, False)


def test_a_folder_in_the_place_of_the_file_and_a_file_in_the_place_of_the_folder(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compiled_result()
    (file,) = place.iterdir()
    file.unlink()
    file.mkdir()
    assert compiled_result() == (2.0, False)
    file.rmdir()
    place.rmdir()
    place.write_bytes(b"")
    assert compiled_result() == (2.0, False)
    assert "compiled loops cannot be cached" in capsys.readouterr().err


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_disk_that_refuses_is_said_once(
    code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files, "write", refuse)
    assert compiled_result() == compiled_result() == (2.0, False)
    told = capsys.readouterr().err
    assert told.count("compiled loops cannot be cached") == 1
    assert os.strerror(code) in told


def test_without_a_home_nothing_is_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    cache.folder.cache_clear()
    cache._note_no_cache.cache_clear()
    try:
        assert cache.folder() is None
        assert compiled_result() == (2.0, False)
        assert "there is no home folder" in capsys.readouterr().err
    finally:
        cache.folder.cache_clear()


def test_texts_are_kept_with_the_temporary_files_of_a_system_that_knows_no_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gradus.text import download

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert download.cache_folder() == Path(tempfile.gettempdir()) / "gradus"
