"""The house stands: imports go downward only, and a room's door opens without what it does not need."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "gradus"

# A room may use any room on a lower floor; on its own floor, none but itself. All may use `columns`, `errors`,
# `files`, `lazy` and `order`.
FLOORS = {
    "errors": 0,
    "columns": 1,
    "files": 1,
    "lazy": 1,
    "order": 1,
    "attention": 2,
    "scalar": 2,
    "engine": 2,
    "text": 3,
    "graph": 3,
    "gradcheck": 3,
    "backend": 3,
    "models": 4,
    "plots": 5,
    "training": 5,
    "generation": 5,
    "evaluation": 5,
    "hub": 6,
    "learn": 6,
    "explorer": 6,
    "report": 6,
    "run": 6,
    "bench": 6,
    "api": 7,
    "cli": 7,
}


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def imported_rooms(source: str, inside: tuple[str, ...]) -> list[str]:
    """The rooms that a file imports, at its top or inside a function; `inside` is the package the file lies in."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                module = ".".join((*inside[: len(inside) - node.level + 1], *([module] if module else [])))
            names.append(module)
            names += [f"{module}.{alias.name}" for alias in node.names if module == "gradus"]
    rooms = [name.split(".")[1] for name in names if name.startswith("gradus.")]
    return [room for room in rooms if not room.startswith("_")]


FILES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.name not in ("__init__.py", "__main__.py")
)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_downward_only(path: Path) -> None:
    room = room_of(path)
    inside = ("gradus", *path.relative_to(PACKAGE).parts[:-1])
    for other in imported_rooms(path.read_text(encoding="utf-8"), inside):
        assert other == room or FLOORS[other] < FLOORS[room], f"{room} must not import {other}"


def test_a_relative_import_upward_would_be_seen() -> None:
    assert imported_rooms("from ..cli import main", ("gradus", "engine")) == ["cli"]
    assert imported_rooms("from gradus import cli", ("gradus", "engine")) == ["cli"]


def loaded_by(statement: str) -> set[str]:
    program = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_text_knows_no_tensor() -> None:
    assert not {"gradus.engine", "torch", "numba"} & loaded_by("import gradus.text")


def test_the_engine_loads_neither_numba_nor_pytorch() -> None:
    assert not {"ml_dtypes", "numba", "torch", "matplotlib"} & loaded_by("import gradus.engine")


def test_the_engine_loads_what_draws_random_words_when_it_draws() -> None:
    assert "numpy.random" not in loaded_by("import gradus.engine")


def test_the_command_loads_no_numpy_before_it_has_to() -> None:
    assert not {"numpy", "torch", "rich"} & loaded_by("import gradus.cli")
