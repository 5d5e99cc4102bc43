"""What to say when a program fails: one line if it asks for something that is not there, else its own traceback."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import gradus
from gradus.engine import Tensor
from gradus.engine.compat import absent

_HOME = str(Path(gradus.__file__).parent)
_FAILED, _NEEDS = 1, 2  # exit statuses


class Trouble(NamedTuple):
    """What is printed on standard error, and the exit status."""

    text: str
    status: int


def describe(error: Exception, is_program: Callable[[str], bool]) -> Trouble:
    """What to say of an exception that a program let through.

    Args:
        is_program: whether a file name is the program's own.
    """
    frames = traceback.extract_tb(error.__traceback__)
    missing = _missing(error, frames)
    if missing is not None:
        place = next((frame for frame in reversed(frames) if is_program(frame.filename)), None)
        where = f"{place.filename}, line {place.lineno}: " if place is not None else ""
        return Trouble(f"gradus run: {where}{missing}", _NEEDS)
    report = traceback.TracebackException.from_exception(error)
    _leave_out_ours(report, is_program)
    lines = report.format() if report.stack else report.format_exception_only()  # no frame: the program was not begun
    return Trouble("".join(lines).rstrip(), _FAILED)


def _missing(error: Exception, frames: traceback.StackSummary) -> str | None:
    """One line, if the error is that a name or a package is not there."""
    last = frames[-1].filename if frames else ""
    if _is_ours(last) and Path(last).name not in ("absent.py", "alias.py", "tensor.py"):
        return None  # it comes from inside the engine, so what is missing is the engine's own affair
    if isinstance(error, absent.NotSupported):
        return str(error)
    if isinstance(error, AttributeError) and error.name is not None:
        return _missing_attribute(error.obj, error.name)
    if isinstance(error, ImportError):
        name = error.name or ""
        if name == "torch" or name.startswith(("torch.", absent.ENGINE)):
            return _missing_import(error, absent.torch_name(name) if name.startswith(absent.ENGINE) else name)
        if isinstance(error, ModuleNotFoundError) and name:
            return f"the program needs the module {name}, which is neither beside it nor installed"
    return None


def _missing_attribute(owner: object, name: str) -> str | None:
    if isinstance(owner, ModuleType) and (owner.__name__ + ".").startswith(absent.ENGINE + "."):
        return absent.not_supported(owner, name)
    if isinstance(owner, Tensor) or (isinstance(owner, type) and issubclass(owner, Tensor)):
        return absent.missing(f"torch.Tensor.{name}", dir(Tensor))
    return None


def _missing_import(error: ImportError, module: str) -> str:
    text = str(error)
    if text.startswith("cannot import name '"):
        return f"gradus's engine does not support {module}.{text.split(chr(39))[1]}"
    return text


def _leave_out_ours(report: traceback.TracebackException, is_program: Callable[[str], bool]) -> None:
    """Begin each traceback with the program's first frame, and drop gradus's own."""
    frames = list(report.stack)
    first = next((i for i, frame in enumerate(frames) if is_program(frame.filename)), 0)
    report.stack = traceback.StackSummary.from_list([f for f in frames[first:] if not _is_ours(f.filename)])
    for name in ("__cause__", "__context__"):
        other = getattr(report, name)
        if other is not None:
            _leave_out_ours(other, is_program)
            if not other.stack:  # it happened inside gradus only
                setattr(report, name, None)
    for other in report.exceptions or ():
        _leave_out_ours(other, is_program)


def _is_ours(filename: str) -> bool:
    return filename.startswith(_HOME)
