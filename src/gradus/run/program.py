"""Running a PyTorch program, as `python FILE` would, on the engine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from gradus.errors import UserError
from gradus.run.stage import stage
from gradus.run.trouble import describe


def run_program(path: str | Path, arguments: Sequence[str] = (), *, debug: bool = False) -> int:
    """Run a program from its first line to its last.

    What it prints, it prints. `sys.exit` and Ctrl-C pass through; other exceptions are reported on standard error.

    Args:
        arguments: what the program finds in sys.argv[1:].
        debug: let exceptions through as they are.

    Returns:
        The exit status: 0; 1 after an exception; 2 if the program needs something not supported or not installed.

    Raises:
        UserError: if the file cannot be read.
    """
    path = Path(path)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the program {path}: {error.strerror}") from None
    with stage(path, arguments, file=True) as module:
        try:
            exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
        except (BrokenPipeError, MemoryError):
            raise
        except Exception as error:
            if debug:
                raise
            sys.stdout.flush()
            trouble = describe(error, is_program=lambda filename: filename == str(path))
            print(trouble.text, file=sys.stderr)
            return trouble.status
    return 0
