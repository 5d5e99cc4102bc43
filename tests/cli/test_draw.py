"""`gradus draw`."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradus.cli.draw import command
from gradus.errors import UserError


def draw(*arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_terminal_shows_value_and_gradients() -> None:
    shown = draw("o = tanh(x1*w1 + b)", "x1=2", "w1=-3", "b=6.88", "--backward")
    lines = [line.split() for line in shown.splitlines()]
    assert ["o", "=", "tanh(v2)", "0.7064", "1.0000"] in lines
    assert any(line[-3:] == ["x1", "2.0000", "−1.5029"] for line in lines)


def test_without_backward_it_says_so() -> None:
    assert draw("a=1; b=a+a; c=b+b").endswith("backward not run: there are no gradients yet\n")


def test_steps_are_a_table_below_the_graph() -> None:
    shown = draw("a=1; b=a+a; c=b+b", "--steps")
    assert "├─ b = a + a        2.0000        2.0000" in shown
    assert shown.count("accumulates") == 2


def test_an_expression_may_begin_with_a_minus() -> None:
    assert "−9.0000" in draw("-x**2", "x=3")


@pytest.mark.parametrize("ending", ["svg", "png", "dot", "txt"])
def test_output_is_written_as_its_ending_says(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"g.{ending}"
    result = CliRunner().invoke(command, ["1+2", "-o", str(path)])
    assert (result.stdout, result.stderr) == ("", f"wrote {path}\n")
    start = {"svg": b"<svg", "png": b"\x89PNG", "dot": b"digraph", "txt": b" "}[ending]
    assert path.read_bytes().startswith(start)


def test_steps_with_an_svg_write_a_picture_each(tmp_path: Path) -> None:
    path = tmp_path / "g.svg"
    draw("a=1; b=a+a", "--steps", "-o", str(path))
    names = sorted(found.name for found in tmp_path.iterdir())
    assert names == ["g-00.svg", "g-01.svg", "g-02.svg", "g.svg"]
    for found in tmp_path.iterdir():
        ET.parse(found)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x+1"], "x has no value"),
        (["x+1", "x"], "NAME=NUMBER"),
        (["1+1", "-o", "g.pdf"], "saved as .svg"),
        (["1+1", "-o", "no/such/folder/g.svg"], "cannot write no/such/folder/g.svg: No such file"),
    ],
)
def test_bad_input_is_the_users_to_mend(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, UserError)
    assert said in str(result.exception)
