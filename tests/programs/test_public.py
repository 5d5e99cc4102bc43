"""Programs as public repositories hold them, in many manners: each prints on the engine what it prints on PyTorch."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.programs.conftest import SCRIPTS
from tests.programs.printed import Run

PROGRAMS = [
    "char_cnn",
    "lazy_vq",
    "llama",
    "lstm_lm",
    "own_optimizer",
    "reinforce",
    "seq2seq",
    "typed_tensors",
    "vae",
]

# Runs programs one after the other, as PyTorch takes long to load, and prints what each printed.
ON_PYTORCH = """
import contextlib, io, json, runpy, sys
printed = []
for path in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        runpy.run_path(path, run_name="__main__")
    printed.append(out.getvalue())
print(json.dumps(printed))
"""


@pytest.fixture(scope="module")
def on_pytorch() -> dict[str, str]:
    """What each program prints on PyTorch, on one thread."""
    paths = [str(SCRIPTS / "public" / f"{program}.py") for program in PROGRAMS]
    command = [sys.executable, "-W", "ignore", "-c", ON_PYTORCH, *paths]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0, result.stderr
    return dict(zip(PROGRAMS, json.loads(result.stdout), strict=True))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_prints_pytorchs_numbers_to_the_last_digit(
    run: Run, on_pytorch: dict[str, str], program: str
) -> None:
    printed = run(f"public/{program}.py")
    assert printed == on_pytorch[program]
    assert len(printed.splitlines()) > 2
