"""What programs need: texts to learn from, a folder to run in, and `gradus run` where PyTorch cannot be imported."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from gradus.text import load_corpus
from tests.cli.commands import gradus
from tests.programs.printed import Run

SCRIPTS = Path(__file__).parent / "scripts"


# Runs a program as `python FILE` does, with a SummaryWriter that needs no TensorBoard.
ON_PYTORCH = """
import runpy, sys, unittest.mock
sys.modules["torch.utils.tensorboard"] = unittest.mock.MagicMock()
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class NoPyTorch(MetaPathFinder):
    """Refuses to find PyTorch. gradus's own finder comes before it."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 (a finder's signature)
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname.split(".")[0] == "torch":
            raise ModuleNotFoundError("PyTorch is out of reach in this test", name=fullname)
        return None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in, not started by torchrun, with figures drawn in memory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Iterator[Run]:  # noqa: ARG001 (the folder to run in)
    """`gradus run scripts/PROGRAM ARGUMENTS...` in the folder, which has to end with status 0: what it printed."""

    def run_program(program: str, *arguments: object) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # teaching code leaves files to be closed by Python
            result = gradus("run", SCRIPTS / program, *arguments)
        _forget_the_programs_modules()
        assert result.exit_code == 0, f"{result.stdout}\n{result.stderr}"
        return result.stdout

    finder = NoPyTorch()
    sys.meta_path.insert(0, finder)
    yield run_program
    sys.meta_path.remove(finder)


@pytest.fixture
def run_on_pytorch(folder: Path) -> Run:
    """`python scripts/PROGRAM ARGUMENTS...` in the folder, on PyTorch and one thread: what it printed."""

    def run_program(program: str, *arguments: object) -> str:
        path = SCRIPTS / program
        command = [sys.executable, "-W", "ignore", "-c", ON_PYTORCH, str(path), *map(str, arguments)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(path.parent)}
        result = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run_program


def _forget_the_programs_modules() -> None:
    """Two programs may each have a model.py beside them."""
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(SCRIPTS)):
            del sys.modules[name]


@pytest.fixture
def text(folder: Path) -> str:
    """input.txt in the folder: the beginning of Python's language reference, in plain characters."""
    text = re.sub(r"[^ -~\n]", "", load_corpus("pydocs").text[:80_000])
    (folder / "input.txt").write_text(text, encoding="utf-8")
    return text


@pytest.fixture
def words(folder: Path) -> list[str]:
    """words.txt in the folder: half of the short words of the language reference, of 26 letters."""
    words = sorted(set(re.findall(r"\b[a-z]{3,9}\b", load_corpus("pydocs").text[:150_000])))[::2]
    assert len(set("".join(words))) == 26
    (folder / "words.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    return words


@pytest.fixture
def names(folder: Path) -> None:
    """names.txt in the folder: makemore's 32,033 names."""
    shutil.copy(_data("names.txt"), folder / "names.txt")


@pytest.fixture
def shakespeare(folder: Path) -> None:
    """input.txt in the folder: tiny Shakespeare."""
    shutil.copy(_data("tinyshakespeare.txt"), folder / "input.txt")


def _data(name: str) -> Path:
    if "GRADUS_DATA" not in os.environ:
        pytest.skip(f"GRADUS_DATA, the folder with {name}, is not set")
    return Path(os.environ["GRADUS_DATA"]) / name
