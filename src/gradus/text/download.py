"""Public files of text that are fetched once: looked for in the folder GRADUS_DATA, then in the user's cache, then
downloaded. The sha256 of each is known, so every machine learns from the same bytes."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gradus import files
from gradus.errors import UserError
from gradus.text.user_files import decode_text, read_text

CHUNK = 1 << 14  # bytes read between two looks at the progress bar
TIMEOUT = 30.0  # seconds without an answer before a server counts as unreachable


@dataclass(frozen=True)
class RemoteFile:
    """A file with a public address and known contents."""

    filename: str
    address: str
    size: int  # bytes
    sha256: str


NAMES = RemoteFile(
    filename="names.txt",
    address="https://raw.githubusercontent.com/karpathy/makemore/master/names.txt",
    size=228_145,
    sha256="0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d",
)
SHAKESPEARE = RemoteFile(
    filename="tinyshakespeare.txt",
    address="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    size=1_115_394,
    sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
)
GPT2_VOCAB = RemoteFile(
    filename="gpt2/encoder.json",
    address="https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/encoder.json",
    size=1_042_301,
    sha256="196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
)
GPT2_MERGES = RemoteFile(
    filename="gpt2/vocab.bpe",
    address="https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/vocab.bpe",
    size=456_318,
    sha256="1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
)


def text_of(file: RemoteFile) -> str:
    """The file's text, from where it lies or from its address.

    Raises:
        UserError: if the file in GRADUS_DATA is not the expected one, or it cannot be downloaded.
    """
    path = local_path(file)
    if path is None or (
        path == cache_folder() / file.filename and not _is_right(file, path)
    ):  # a damaged copy of ours: download it again
        return decode_text(_download(file), cache_folder() / file.filename)
    if not _is_right(file, path):
        raise UserError(
            f"{path} is not the expected {file.filename}: its sha256 is {_sha256(path)}, expected {file.sha256}; "
            f"replace it by {file.address} or unset GRADUS_DATA"
        )
    return read_text(path)


def local_path(file: RemoteFile) -> Path | None:
    """Where the file lies on this machine: in GRADUS_DATA, in the cache, or nowhere. Does not look inside it."""
    folders = [Path(os.environ["GRADUS_DATA"])] if os.environ.get("GRADUS_DATA") else []
    for folder in [*folders, cache_folder()]:
        if (folder / file.filename).is_file():
            return folder / file.filename
    return None


def cache_folder() -> Path:
    """The platform's cache folder; XDG_CACHE_HOME, where set, is respected everywhere.

    Without a home folder (HOME unset, and a user without an entry in the system's list) it is the folder for temporary
    files."""
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "gradus"
    try:
        home = Path.home()
    except RuntimeError:
        return Path(tempfile.gettempdir()) / "gradus"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "gradus" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "gradus"
    return home / ".cache" / "gradus"


def _download(file: RemoteFile) -> bytes:
    import http.client
    import urllib.request

    target = cache_folder() / file.filename
    try:
        with urllib.request.urlopen(file.address, timeout=TIMEOUT) as response:
            data = _read_with_progress(response, file)
    except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
        raise UserError(
            f"cannot download {file.filename} ({getattr(error, 'reason', None) or error}); get it from {file.address} "
            f"and put it at {target}, or in a folder that GRADUS_DATA names"
        ) from error
    found = files.sha256(data)
    if found != file.sha256:
        raise UserError(
            f"{file.address} did not send the expected {file.filename}: sha256 {found}, expected {file.sha256}; "
            f"put the right one at {target}, or in a folder that GRADUS_DATA names"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        files.write(target, data)
    except OSError as error:  # the text is here; it only has to be fetched again next time
        files.note(f"cannot save {target}: {error.strerror or error}")
    return data


def _read_with_progress(response: IO[bytes], file: RemoteFile) -> bytes:
    """The response's bytes; reading stops once it is longer than it should be."""
    data = bytearray()
    with _progress(file) as advance:
        while len(data) <= file.size and (chunk := response.read(CHUNK)):
            data += chunk
            advance(len(chunk))
    return bytes(data)


@contextmanager
def _progress(file: RemoteFile) -> Iterator[Callable[[int], None]]:
    """On standard error: a bar in a terminal, one line in a pipe."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        print(f"downloading {file.address} ({file.size:,} bytes)", file=sys.stderr)
        yield lambda _: None
        return
    columns = (TextColumn("downloading {task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(file.filename, total=file.size)
        yield lambda amount: progress.advance(task, amount)


def _is_right(file: RemoteFile, path: Path) -> bool:
    return _sha256(path) == file.sha256


def _sha256(path: Path) -> str:
    try:
        return files.sha256_of(path)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
