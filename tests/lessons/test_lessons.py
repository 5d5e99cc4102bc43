"""Every lesson runs as a plain script, and its notebook is what its source gives."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

jupytext = pytest.importorskip("jupytext")
pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py"))
LESSON = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
SECONDS = 300  # far more than any takes on a machine that has nothing else to do


@pytest.fixture(scope="module")
def maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_lessons", ROOT / "docs" / "make_lessons.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def notebook_of(source: Path) -> Any:
    return json.loads(source.with_suffix(".ipynb").read_text(encoding="utf-8"))


def needs_data(source: Path) -> None:
    asked = re.search(r'load_corpus\("(names|shakespeare)"\)', source.read_text(encoding="utf-8"))
    if asked and "GRADUS_DATA" not in os.environ:
        pytest.skip(f"learns from {asked[1]}, which is downloaded; GRADUS_DATA does not say where it is")


@LESSON
def test_a_lesson_runs_as_a_script(source: Path, tmp_path: Path) -> None:
    needs_data(source)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "GRADUS_LESSONS": "quick"}
    program = [sys.executable, "-W", "error", str(source)]
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    assert not list(tmp_path.iterdir())


@LESSON
def test_a_notebook_is_made_from_its_source(source: Path, maker: Any) -> None:
    made, expected = notebook_of(source), maker.notebook_of(source)
    assert made["metadata"] == expected.metadata, f"{source.name} has changed; make lessons writes its notebook anew"
    assert [(cell["id"], cell["cell_type"], "".join(cell["source"])) for cell in made["cells"]] == [
        (cell.id, cell.cell_type, cell.source) for cell in expected.cells
    ]


@LESSON
def test_a_notebook_is_run_from_top_to_bottom_and_holds_nothing_of_the_run_but_its_results(source: Path) -> None:
    code = [cell for cell in notebook_of(source)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert not any(cell["metadata"] for cell in code)
    outputs = [output for cell in code for output in cell["outputs"]]
    assert all(output["output_type"] in ("stream", "execute_result", "display_data") for output in outputs)
    assert all(output.get("name") != "stderr" for output in outputs)
    text = json.dumps(outputs)
    assert not re.search(r" at 0x[0-9a-f]{6}|/tmp/|/home/|site-packages", text)


@LESSON
def test_a_lesson_says_how_long_it_takes_and_its_links_lead_somewhere(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    number = int(source.name[:2])
    assert text.startswith(f"# %% [markdown]\n# # {number}. ")
    assert re.search(r"^# \*To read: \d+ minutes\. To run: .*\*$", text, re.MULTILINE | re.DOTALL)
    assert "**Write down" in text
    assert "assert " in text
    prose = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    for link in re.findall(r"\]\(([^)h#][^)]*)\)", prose):
        assert (source.parent / link).exists(), link


@pytest.mark.slow
@LESSON
def test_another_run_gives_the_same_notebook(source: Path, maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_data(source)
    if "GRADUS_DATA" in source.read_text(encoding="utf-8") and "GRADUS_DATA" not in os.environ:
        pytest.skip("prints more where GRADUS_DATA says where the corpora are")
    monkeypatch.delenv("GRADUS_LESSONS", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    again = json.loads(jupytext.writes(maker.run(source), fmt="ipynb"))
    for made, cell in zip(notebook_of(source)["cells"], again["cells"], strict=True):
        for before, after in zip(made.get("outputs", []), cell.get("outputs", []), strict=True):
            assert before["output_type"] == after["output_type"], cell["id"]
            assert same_text(before.get("text", ""), after.get("text", "")), cell["id"]
            data = before.get("data", {}), after.get("data", {})
            assert data[0].keys() == data[1].keys()
            for kind in data[0]:
                if kind == "image/png":  # another release of FreeType moves an edge by part of a pixel
                    difference = np.abs(pixels(data[0][kind]) - pixels(data[1][kind]))
                    assert difference.mean() < 1.0, cell["id"]
                else:
                    assert same_text(data[0][kind], data[1][kind]), cell["id"]


NUMBER = re.compile(r"\d+\.?\d*(?:e[+-]?\d+)?")


def same_text(a: Any, b: Any) -> bool:
    """Whether two texts are the same, their numbers within what another processor's rounding makes of them."""
    a, b = "".join(a), "".join(b)
    one, other = (list(map(float, NUMBER.findall(text))) for text in (a, b))
    return NUMBER.sub("#", a) == NUMBER.sub("#", b) and np.allclose(one, other, rtol=1e-5, atol=1e-9)


def test_numbers_may_differ_by_their_rounding_and_by_no_more() -> None:
    assert same_text("loss 2.454576820115704", ["loss 2.454576820", "115709"])
    assert not same_text("loss 2.4546", "loss 2.4556")
    assert not same_text("loss 2.4546", "train 2.4546")


def pixels(png: str) -> Any:
    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode("".join(png))))
    return np.asarray(image.convert("RGB")).astype(np.float64)
