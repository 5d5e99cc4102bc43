"""Running notebooks: cells in their order, what they show, pictures, magics, and the new notebook."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gradus.errors import UserError
from gradus.run import run_notebook
from gradus.run.magic import read_cell

Write = Callable[..., Path]


@pytest.fixture
def notebook(tmp_path: Path) -> Write:
    def write(*cells: str, **top: Any) -> Path:
        code = [
            {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": text.splitlines(keepends=True)}
            for i, text in enumerate(cells)
        ]
        old = {"outputs": [{"output_type": "stream", "name": "stdout", "text": ["old"]}], "execution_count": 99}
        title = {"cell_type": "markdown", "id": "title", "metadata": {"tags": ["a"]}, "source": ["# Größe\n", "x"]}
        content = {"cells": [title, *({**cell, **old} for cell in code)], "metadata": {"kept": True}, "nbformat": 4}
        path = tmp_path / "book.ipynb"
        path.write_text(json.dumps({**content, "nbformat_minor": 5, **top}), encoding="utf-8")
        return path

    return write


def outputs(path: Path, **options: Any) -> tuple[int, list[list[dict[str, Any]]]]:
    """The exit status, and each code cell's outputs in the new notebook."""
    new = path.with_name("new.ipynb")
    status = run_notebook(path, new, **options)
    return status, [cell["outputs"] for cell in json.loads(new.read_text())["cells"] if cell["cell_type"] == "code"]


def test_the_new_notebook_holds_what_the_cells_showed(notebook: Write) -> None:
    path = notebook(
        "import sys\nimport torch\nx = torch.tensor([1.0, 2.5])",
        "print('one')\nprint('two')\nprint('aside', file=sys.stderr)\nx * 2",
        "x;",
        "x  # last; comment",
        "display(x.sum())\nNone",
    )
    before = path.read_bytes()
    status, shown = outputs(path)
    assert status == 0
    assert path.read_bytes() == before
    value = {"data": {"text/plain": ["tensor([2., 5.])"]}, "execution_count": 2, "metadata": {}}
    assert shown[0] == shown[2] == []
    assert shown[1] == [
        {"name": "stdout", "output_type": "stream", "text": ["one\n", "two\n"]},
        {"name": "stderr", "output_type": "stream", "text": ["aside\n"]},
        {**value, "output_type": "execute_result"},
    ]
    assert shown[3][0]["data"] == {"text/plain": ["tensor([1.0000, 2.5000])"]}
    assert shown[4] == [{"data": {"text/plain": ["tensor(3.5000)"]}, "metadata": {}, "output_type": "display_data"}]
    new = json.loads(path.with_name("new.ipynb").read_text(encoding="utf-8"))
    assert new["metadata"] == {"kept": True}
    assert new["cells"][0] == {
        "cell_type": "markdown",
        "id": "title",
        "metadata": {"tags": ["a"]},
        "source": ["# Größe\n", "x"],
    }
    assert [cell["execution_count"] for cell in new["cells"][1:]] == [1, 2, 3, 4, 5]


def test_figures_are_pictures_where_they_are_shown(notebook: Write) -> None:
    path = notebook(
        "%matplotlib inline\nimport torch\nimport matplotlib.pyplot as plt",
        "plt.figure(figsize=(2, 1), dpi=50)\nplt.plot(torch.arange(3.0))\nplt.show()\nprint('after')",
        "figure = plt.figure(figsize=(1, 1))\nplt.imshow(torch.eye(3));",
        "figure, axes = plt.subplots()\nfigure",
        "plt.figure()\nplt.close('all')",
    )
    status, shown = outputs(path)
    assert status == 0
    assert [[output["output_type"] for output in cell] for cell in shown] == [
        [],
        ["display_data", "stream"],
        ["display_data"],
        ["display_data"],
        [],
    ]
    picture = shown[1][0]["data"]
    assert base64.b64decode(picture["image/png"]).startswith(b"\x89PNG")
    assert picture["text/plain"] == ["<Figure size 100x50 with 1 Axes>"]


@pytest.fixture(params=["with IPython", "without"])
def _ipython(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "with IPython":
        pytest.importorskip("IPython")
    else:
        for name in [name for name in sys.modules if name.partition(".")[0] == "IPython"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr("importlib.util.find_spec", lambda _: None)


@pytest.mark.usefixtures("_ipython")
def test_objects_show_themselves_as_they_can(notebook: Write) -> None:
    path = notebook(
        "class Drawn:\n    def _repr_svg_(self): return '<svg/>'\n    def _repr_png_(self): return b'png'\n"
        "    def _repr_jpeg_(self): return b'jpeg', {'width': 9}\n"
        "    def __repr__(self): return 'Drawn()'\nDrawn()",
        "from IPython.display import HTML, display, clear_output\nprint('x')\nclear_output()\nHTML('<b>1</b>')",
    )
    _, shown = outputs(path)
    forms = {"image/svg+xml": ["<svg/>"], "image/png": "cG5n", "image/jpeg": "anBlZw==", "text/plain": ["Drawn()"]}
    assert shown[0][0]["data"] == forms
    assert shown[0][0]["metadata"] == {"image/jpeg": {"width": 9}}
    assert [output["data"]["text/html"] for output in shown[1]] == [["<b>1</b>"]]


def test_without_output_the_text_goes_to_the_terminal(notebook: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = notebook("import torch", "", "print('one')\ntorch.ones(2)")
    assert run_notebook(path) == 0
    captured = capsys.readouterr()
    assert captured.out == "one\ntensor([1., 1.])\n"
    assert captured.err.splitlines() == ["[1/3] import torch", "[3/3] print('one')"]


def test_an_error_ends_the_notebook(notebook: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = notebook(
        "import torch\ndef f(x):\n    return x @ x", "print('begun')\nf(torch.ones(2, 3))", "print('never')"
    )
    status, shown = outputs(path)
    assert status == 1
    assert [output["output_type"] for output in shown[1]] == ["stream", "error"]
    error = shown[1][1]
    assert (error["ename"], shown[2]) == ("RuntimeError", [])
    assert error["traceback"] == [
        "Traceback (most recent call last):",
        f'  File "{path}, cell 2", line 2, in <module>',
        "    f(torch.ones(2, 3))",
        f'  File "{path}, cell 1", line 3, in f',
        "    return x @ x",
        "           ~~^~~",
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)",
    ]
    assert capsys.readouterr().err.splitlines()[-7:] == error["traceback"]


def test_with_allow_errors_the_rest_is_run(notebook: Write) -> None:
    status, shown = outputs(notebook("1 / 0", "x = (", "import torch.effects", "'on'"), allow_errors=True)
    assert status == 0
    assert [cell[0].get("ename") for cell in shown] == ["ZeroDivisionError", "SyntaxError", "ModuleNotFoundError", None]
    assert shown[3][0]["data"] == {"text/plain": ["'on'"]}


def test_what_is_not_supported_is_one_line_with_its_cell(notebook: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = notebook("import torch", "\ntorch.lobpcg")
    assert run_notebook(path) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"gradus run: {path}, cell 2, line 2: gradus's engine does not support torch.lobpcg, which PyTorch has"
    )


def test_exit_codes_pass_through_and_the_notebook_is_written(notebook: Write) -> None:
    path = notebook("print('x')\nraise SystemExit(5)")
    with pytest.raises(SystemExit) as caught:
        outputs(path)
    assert caught.value.code == 5
    assert "x\\n" in path.with_name("new.ipynb").read_text()


def test_magic_lines_are_done_or_left_out(notebook: Write) -> None:
    status, shown = outputs(
        notebook(
            "!pip install torch\n%timeit 1\nprint?\nx = 3",
            "%%time\nx + 1",
            "%time y = x + 2\ny",
            "%%capture out\nprint('hidden')\nz = 1",
            "%%bash\nrm -rf x",
            "z",
        )
    )
    assert status == 0
    assert shown[0][0]["text"] == [
        "gradus run: !pip install torch is left out: commands are not run\n",
        "gradus run: %timeit 1 is left out: only Python is run\n",
        "gradus run: print? is left out: only Python is run\n",
    ]
    assert shown[1][0]["data"] == {"text/plain": ["4"]}
    assert shown[1][1]["text"][0].startswith("Wall time: ")
    assert shown[2][0]["text"][0].startswith("Wall time: ")
    assert shown[2][1]["data"] == {"text/plain": ["5"]}
    assert shown[3] == []
    assert shown[4][0]["text"] == ["gradus run: a cell of %%bash is left out: only Python is run\n"]
    assert shown[5][0]["data"] == {"text/plain": ["1"]}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("x = '''\n%keep\n!keep\n'''", "x = '''\n%keep\n!keep\n'''"),
        ("x = (10\n  % 3)", "x = (10\n  % 3)"),
        ("if True:\n    %matplotlib inline\n    y = 1", "if True:\n    pass\n    y = 1"),
        ('!echo "it\'s"\nx = 1', "pass\nx = 1"),
        ("x = = 1", "x = = 1"),
        ("\n%%time\nx", "\n\nx"),
    ],
)
def test_only_lines_that_are_not_python_are_replaced(source: str, text: str) -> None:
    assert read_cell(source, lambda _: None).text == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no notebook: Expecting"),
        ("[]", "is no notebook of format 4"),
        ('{"nbformat": 3, "worksheets": []}', r"is no notebook of format 4 \(nbformat: 3\)"),
    ],
)
def test_other_files_are_the_users_error(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        run_notebook(path)
    with pytest.raises(UserError, match="cannot read the notebook"):
        run_notebook(tmp_path / "none.ipynb")


def test_a_folder_that_is_not_there_is_named_before_anything_is_run(notebook: Write, tmp_path: Path) -> None:
    path = notebook("raise SystemExit(9)")
    with pytest.raises(UserError, match="there is no folder"):
        run_notebook(path, tmp_path / "none" / "new.ipynb")
