"""That the programs of these tests have the engine, and cannot have PyTorch."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.programs.printed import Run


def test_a_program_gets_the_engine_and_nothing_else_finds_pytorch(run: Run, folder: Path) -> None:
    program = folder / "program.py"
    program.write_text("import torch\nimport torch.nn.functional as F\nprint(torch.__name__, F.__name__)\n")
    assert run(program) == "gradus.engine gradus.engine.nn.functional\n"
    with pytest.raises(ModuleNotFoundError, match="out of reach"):
        importlib.import_module("torch.not_loaded_yet")
