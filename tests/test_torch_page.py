"""docs/torch.md says what the engine offers today."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

torch = pytest.importorskip("torch")

SCRIPT = Path(__file__).parents[1] / "docs" / "make_torch.py"


@pytest.fixture(scope="module")
def maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_torch", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def written(maker: Any) -> str:
    return str(maker.PAGE.read_text(encoding="utf-8"))


def test_the_page_is_what_its_script_writes_today(maker: Any, written: str) -> None:
    version = torch.__version__.split("+")[0]
    if f"PyTorch {version}." not in written:
        pytest.skip(f"the page is of another PyTorch than {version}, whose signatures may differ")
    assert maker.page() == written, "docs/torch.md is out of date: run `python docs/make_torch.py`"


def test_every_name_that_both_have_is_on_the_page(maker: Any, written: str) -> None:
    for namespace in maker.NAMESPACES:
        ours, theirs = maker.both(namespace)
        section = written.split(f"\n## {namespace}\n")[1].split("\n## ")[0]
        rows = {line.split("`")[1] for line in section.splitlines() if line.startswith("| `")}
        names = {name for name in getattr(ours, "__all__", vars(ours)) if not name.startswith("_")}
        made_here = {
            name
            for name in names
            if hasattr(theirs, name)
            and not isinstance(getattr(ours, name), ModuleType)
            and getattr(getattr(ours, name), "__module__", "").startswith(ours.__name__)
        }
        assert made_here - rows == set(), namespace
