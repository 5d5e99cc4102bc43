"""The explorer's JavaScript is typed by its comments, and TypeScript checks it strictly; the page needs no build."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
COMPILER = HERE / "node_modules" / "typescript" / "bin" / "tsc"


def test_the_types_of_the_pages_code_are_right() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node on this machine")
    if not COMPILER.exists():
        pytest.skip("TypeScript is not installed; make test installs it where npm is there")
    done = subprocess.run(
        [node, str(COMPILER), "-p", str(HERE / "tsconfig.json")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
