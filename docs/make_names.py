"""Writes the names that PyTorch has, for the engine's errors: `python docs/make_names.py`, where PyTorch is installed.

One line for each of PyTorch's public modules and main classes: its name, then its public names. Modules are read, not
imported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import torch

TABLE = Path(__file__).parent.parent / "src" / "gradus" / "engine" / "compat" / "pytorch_names.txt"
ROOT = Path(torch.__file__).parent
CLASSES = {
    "torch.Tensor": torch.Tensor,
    "torch.nn.Module": torch.nn.Module,
    "torch.optim.Optimizer": torch.optim.Optimizer,
}
INNER = {"torch._dynamo", "torch._inductor", "torch._C"}  # which programs name although they are not public
NOT_FOR_PROGRAMS = ("torch.utils.hipify", "torch.fx.experimental", "torch.fx.passes", "torch.testing._")
DEPTH = 4  # parts of a module's name


def modules() -> Iterator[tuple[str, Path]]:
    """The public modules, with their files."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = ["torch", *path.relative_to(ROOT).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        name = ".".join(parts)
        if name.startswith(NOT_FOR_PROGRAMS) or len(parts) > DEPTH:
            continue
        if name in INNER or not any(part.startswith("_") for part in parts):
            yield name, path


def names_of(path: Path) -> list[str]:
    """What a module defines, lists in its __all__, or imports under another name; all that a package imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    listed: list[str] | None = None
    made: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found = [target.id for target in targets if isinstance(target, ast.Name)]
            if found == ["__all__"] and isinstance(node.value, ast.List | ast.Tuple):
                listed = [item.value for item in node.value.elts if isinstance(item, ast.Constant)]
            made.update(found)
        elif isinstance(node, ast.ImportFrom) and _of_torch(node):
            package = path.name == "__init__.py"
            made.update(alias.asname or alias.name for alias in node.names if package or alias.asname)
            if node.names[0].name == "*" and _file_of(node, path).exists():
                made.update(names_of(_file_of(node, path)))
    return sorted(
        name for name in {*made, *(listed or ())} if not name.startswith("_") and name != "*" and name.isidentifier()
    )


def _of_torch(node: ast.ImportFrom) -> bool:
    return bool(node.level) or (node.module or "").split(".")[0] == "torch"


def _file_of(node: ast.ImportFrom, path: Path) -> Path:
    """The file of the module that a package imports from."""
    start = path.parents[node.level - 1] if node.level else ROOT.parent
    found = start.joinpath(*(node.module or "").split("."))
    return found / "__init__.py" if found.is_dir() else found.with_suffix(".py")


def page() -> str:
    """The text of pytorch_names.txt."""
    table = {name: names_of(path) for name, path in modules()}
    table["torch"] = [name for name in dir(torch) if not name.startswith("_")]
    table |= {name: [n for n in dir(kind) if not n.startswith("_")] for name, kind in CLASSES.items()}
    return "".join(f"{name}: {' '.join(names)}\n" for name, names in sorted(table.items()))


if __name__ == "__main__":
    TABLE.write_text(page(), encoding="utf-8")
