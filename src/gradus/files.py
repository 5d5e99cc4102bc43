"""Files that are written whole or not at all, folders that one process at a time works in, sums that tell what was
changed, and JSON that every program can read. All that gradus writes goes through here: checkpoints, pages, pictures,
notebooks, downloads, compiled loops."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from gradus.errors import UserError

_DESCRIPTOR = re.compile(r"(?:/proc/(\d+)|/dev)/fd/(\d+)")  # an open file of a process, as a path
_MOST_LINKS = 40  # as many as Linux follows


@contextmanager
def replacing(path: str | os.PathLike[str], *, durable: bool = True) -> Iterator[IO[bytes]]:
    """A binary file whose content takes the place of `path` when the block ends without an exception.

    Until then it is a temporary file beside `path`, so that whoever reads `path` finds the old file or the new one,
    whole. A symbolic link stays, and its target is replaced. Anything but a regular file (a device, a pipe, a
    descriptor such as /dev/stdout) is written directly. Permissions stay, or are those of any new file.

    Args:
        durable: flush to the disk, so that the promise holds for a power cut too.

    Raises:
        OSError: if the file cannot be written; then a regular file at `path` is as it was.
    """
    place, before = target(Path(path)), None
    direct: int | Path | None = _descriptor(place)
    if direct is None:
        with suppress(FileNotFoundError):
            before = place.stat()
    if before is not None and not stat.S_ISREG(before.st_mode):
        direct = place
    elif before is not None and not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    temporary = place.with_name(f".{place.name[:50]}.{os.urandom(4).hex()}")
    if direct is None:
        try:
            opened = open(temporary, "xb")  # noqa: SIM115 (the block below closes it)
        except OSError as error:
            error.filename = str(path)
            if before is None or not isinstance(error, PermissionError):
                raise
            direct = place  # a file that may be written, in a folder that may not
    if direct is not None:
        with open(direct, "wb") as file:
            yield file
        return
    try:
        with opened as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        if before is not None:
            os.chmod(temporary, stat.S_IMODE(before.st_mode))
        os.replace(temporary, place)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    if durable:
        with suppress(OSError):  # the file is there; some file systems cannot promise more
            flush_folder(place.parent)


def write(path: str | os.PathLike[str], data: bytes, *, durable: bool = True) -> None:
    """Replace a file's content, as `replacing` does. Raises OSError if it cannot be written."""
    with replacing(path, durable=durable) as file:
        file.write(data)


@contextmanager
def saving(path: object, addition: Callable[[], str] = str) -> Iterator[None]:
    """Within it, an OSError becomes a UserError in one line, with an addition that is made only then."""
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}{addition()}") from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Within it, this process holds the lock on a folder, where the system has such locks. A process that ends, however
    it ends, lets go of it.

    Raises:
        UserError: if another process holds it.
    """
    descriptor = _lock(folder)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def target(path: Path) -> Path:
    """Where a chain of symbolic links ends; a link to an open file of a process is an end too."""
    for _ in range(_MOST_LINKS):
        path = Path(os.path.realpath(path.parent), path.name)
        if _DESCRIPTOR.fullmatch(str(path)) or not path.is_symlink():
            return path
        path = path.parent / os.readlink(path)
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def flush_folder(path: Path) -> None:
    """Make the names in a folder durable; only POSIX systems have, and need, this."""
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Standard JSON: infinity and nan, which it lacks, become the strings "inf", "-inf" and "nan"."""
    try:
        return json.dumps(value, indent=indent, allow_nan=False)
    except ValueError:
        return json.dumps(_spelled(value), indent=indent, allow_nan=False)


def from_json(text: str | bytes) -> Any:
    """Parse JSON. ValueError for everything that is not JSON, and for brackets nested too deeply."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def is_number(value: object) -> bool:
    """Whether a value read from JSON is a number, or stands for one that JSON lacks."""
    return type(value) in (int, float) or value in ("inf", "-inf", "nan")


def is_text(path: str) -> bool:
    """Whether a path can be written as UTF-8: its bytes need not be."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def note(text: str) -> None:
    """A warning in one line on standard error."""
    print(f"gradus: {text}", file=sys.stderr, flush=True)


def sha256(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha256_of(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file of any size, in hexadecimal. Raises OSError if it cannot be read."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(content: Mapping[str, Any]) -> str:
    """The SHA-256 of a record, to be kept in it: who reads it finds out whether it was changed."""
    return sha256(to_json(content).encode())


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the lock on a folder; None where the system has no such locks."""
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise UserError(f"another process is at work in {folder}; wait for it, or choose another folder") from None
    except OSError:  # a file system without locks
        os.close(descriptor)
        return None
    return descriptor


def _descriptor(path: Path) -> int | None:
    """For a path such as /dev/fd/63 a copy of that open file of ours: a second opening would begin at its start."""
    found = _DESCRIPTOR.fullmatch(str(path))
    return os.dup(int(found[2])) if found and found[1] in (None, str(os.getpid())) else None


def _spelled(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _spelled(part) for key, part in value.items()}
    return [_spelled(part) for part in value] if isinstance(value, (list, tuple)) else value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
