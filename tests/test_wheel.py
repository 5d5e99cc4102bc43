"""The wheel: what `pip install gradus-lm` brings works without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the contents of the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    pytest.importorskip("hatchling", reason="the wheel is built with hatchling, which the dev extra brings")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    assert wheel.name.startswith("gradus_lm-")  # `gradus` is a stranger's name on the package index
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, folder: Path, *arguments: str) -> str:
    """The output of Python, somewhere else, with this gradus."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_file_of_the_package_is_in_the_wheel(installed: Path) -> None:
    def files(folder: Path) -> set[str]:
        found = (p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
        return {str(p) for p in found if "__pycache__" not in p.parts}

    lessons = {f"lessons/{name}" for name in files(CHECKOUT / "lessons")}
    assert files(installed / "gradus") == files(CHECKOUT / "src" / "gradus") | lessons


def test_the_wheel_brings_the_lessons(installed: Path, tmp_path: Path) -> None:
    run(installed, tmp_path, "-m", "gradus", "lessons", "mine")
    copied = {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()}
    assert copied == {path.name: path.read_bytes() for path in (CHECKOUT / "lessons").glob("[0-9]*")}


def test_the_wheel_trains_a_model_and_writes_with_it(installed: Path, tmp_path: Path) -> None:
    assert Path(run(installed, tmp_path, "-c", "import gradus; print(gradus.__file__)").strip()).is_relative_to(
        installed
    )
    (tmp_path / "text.txt").write_text("to be, or not to be, that is the question\n" * 40)
    options = ["--model", "bigram", "--steps", "20", "--page"]
    run(installed, tmp_path, "-m", "gradus", "train", "text.txt", *options)
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "index.html").exists()
    assert run(installed, tmp_path, "-m", "gradus", "sample", str(folder), "--length", "20").strip()
