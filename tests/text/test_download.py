"""Fetching a public file: where it is looked for, how it is checked, what is said when it cannot be had. The addresses
are files on this disk, which urllib opens like any other."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from gradus.errors import UserError
from gradus.text import download
from gradus.text.download import RemoteFile, cache_folder, local_path, text_of

CONTENT = b"emma\nolivia\nava\n" * 3000  # more than one chunk


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no GRADUS_DATA."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GRADUS_DATA", raising=False)
    return tmp_path / "cache" / "gradus"


@pytest.fixture
def remote(tmp_path: Path) -> RemoteFile:
    served = tmp_path / "server" / "list.txt"
    served.parent.mkdir()
    served.write_bytes(CONTENT)
    return RemoteFile("list.txt", served.as_uri(), len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def test_file_is_downloaded_once_and_cached(
    cache: Path, remote: RemoteFile, capsys: pytest.CaptureFixture[str]
) -> None:
    assert local_path(remote) is None
    assert text_of(remote) == CONTENT.decode()
    assert [path.name for path in cache.iterdir()] == ["list.txt"]
    assert (cache / "list.txt").read_bytes() == CONTENT
    assert capsys.readouterr().err == f"downloading {remote.address} (48,000 bytes)\n"
    unreachable = replace(remote, address="file:///nowhere/list.txt")
    assert text_of(unreachable) == CONTENT.decode()
    assert capsys.readouterr().err == ""


def test_terminal_sees_a_progress_bar(
    cache: Path, remote: RemoteFile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    text_of(remote)
    shown = capsys.readouterr().err
    assert "downloading list.txt" in shown
    assert "48.0/48.0 kB" in shown
    assert (cache / "list.txt").read_bytes() == CONTENT


def test_gradus_data_is_looked_in_first(
    cache: Path, remote: RemoteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "list.txt").write_bytes(CONTENT)
    monkeypatch.setenv("GRADUS_DATA", str(tmp_path))
    assert local_path(remote) == tmp_path / "list.txt"
    assert text_of(remote) == CONTENT.decode()
    assert not cache.exists()


def test_gradus_data_without_the_file_falls_back_to_the_cache(
    cache: Path, remote: RemoteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADUS_DATA", str(tmp_path))
    text_of(remote)
    assert local_path(remote) == cache / "list.txt"


def test_wrong_file_in_gradus_data_is_the_users_error(
    cache: Path, remote: RemoteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "list.txt").write_bytes(b"other names")
    monkeypatch.setenv("GRADUS_DATA", str(tmp_path))
    with pytest.raises(UserError, match=r"is not the expected list\.txt: its sha256 is [0-9a-f]{64}, expected") as e:
        text_of(remote)
    assert remote.sha256 in str(e.value)
    assert str(tmp_path / "list.txt") in str(e.value)
    assert not cache.exists()


def test_damaged_cache_is_fetched_anew(cache: Path, remote: RemoteFile) -> None:
    cache.mkdir(parents=True)
    (cache / "list.txt").write_bytes(b"half a fi")
    assert text_of(remote) == CONTENT.decode()
    assert (cache / "list.txt").read_bytes() == CONTENT


def test_offline_says_in_one_line_what_to_put_where(cache: Path, remote: RemoteFile) -> None:
    offline = replace(remote, address="file:///nowhere/list.txt")
    with pytest.raises(UserError) as caught:
        text_of(offline)
    message = str(caught.value)
    assert message.startswith("cannot download list.txt (")
    assert f"get it from file:///nowhere/list.txt and put it at {cache / 'list.txt'}" in message
    assert "GRADUS_DATA" in message
    assert "\n" not in message


@pytest.mark.parametrize("sent", [CONTENT[:-1], CONTENT + b"more" * 100_000, b"<html>Please log in</html>"])
def test_wrong_download_is_refused_and_not_kept(cache: Path, remote: RemoteFile, tmp_path: Path, sent: bytes) -> None:
    (tmp_path / "server" / "list.txt").write_bytes(sent)
    with pytest.raises(UserError, match=r"did not send the expected list\.txt: sha256"):
        text_of(remote)
    assert not cache.exists()


def test_unwritable_cache_stops_nobody(cache: Path, remote: RemoteFile, capsys: pytest.CaptureFixture[str]) -> None:
    cache.parent.mkdir()
    cache.write_text("a file where the folder should be")
    assert len(text_of(remote)) == remote.size
    assert "gradus: cannot save" in capsys.readouterr().err


def test_cache_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: Path("home"))
    folders = {}
    for platform in ("linux", "darwin", "win32"):
        monkeypatch.setattr(download.sys, "platform", platform)  # type: ignore[attr-defined]
        folders[platform] = cache_folder()
    assert folders == {
        "linux": Path("home/.cache/gradus"),
        "darwin": Path("home/Library/Caches/gradus"),
        "win32": tmp_path / "gradus" / "Cache",
    }
