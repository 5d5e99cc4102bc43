"""The README and the pages of docs/ are true: their Python runs and prints what they say, their commands and `make`
targets exist, and their links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gradus.cli import main

ROOT = Path(__file__).parent.parent
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
COMMAND = r"^(?:\$ )?(?:\.venv/bin/)?(gradus [a-z].*?)(?: {2,}#.*)?$"
SECONDS = 240


def blocks(text: str) -> str:
    """The text of all fenced blocks, and of all that is in backquotes in a line."""
    return "\n".join([*re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL), *re.findall(r"`([^`\n]+)`", text)])


def commands() -> list[object]:
    """Every `gradus VERB ...` of the pages, without its comment and what the shell does with it; each once."""
    found: dict[str, str] = {}
    for page in PAGES:
        if page == "CHANGELOG.md":  # names options by themselves
            continue
        text = blocks((ROOT / page).read_text(encoding="utf-8"))
        for command in re.findall(COMMAND, text, flags=re.MULTILINE):
            found.setdefault(re.split(r" (?:<|>|\||&&) ", command)[0], page)
    return [pytest.param(command, id=f"{page}: {command}") for command, page in found.items()]


@pytest.mark.parametrize("command", commands())
def test_the_commands_of_the_pages_are_understood(command: str) -> None:
    """Their verbs, options, choices and numbers of arguments, by the parser of the command line; nothing is run."""
    _, *arguments = shlex.split(command)
    found: click.Command = main
    context = click.Context(main)
    while isinstance(found, click.Group) and arguments and not arguments[0].startswith("-"):
        verb, *arguments = arguments
        inside = found.get_command(context, verb)
        assert inside is not None, f"there is no {verb!r}"
        found, context = inside, click.Context(inside, parent=context, info_name=verb)
    if arguments and "--help" not in arguments:  # a verb alone is only named
        found.make_context(context.info_name, arguments, context.parent)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_the_python_of_the_readme_runs_and_prints_what_it_says(snippet: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "MPLBACKEND": "agg"}
    program = [sys.executable, "-c", snippet]
    done = subprocess.run(program, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    comments = re.findall(r"^print\(.*\)  # (.*)$", snippet, flags=re.MULTILINE)
    lines = done.stdout.splitlines()
    for comment, line in zip(comments, lines[len(lines) - len(comments) :], strict=True):
        tolerance = 0.3 if "about" in comment else 1e-6
        assert numbers(line) == pytest.approx(numbers(comment), rel=tolerance), line


def numbers(text: str) -> list[float]:
    """All numbers in a text, in order."""
    return [float(word) for word in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", text)]


def test_the_lines_to_read_are_as_many_as_the_readme_says() -> None:
    (said, listed) = re.search(r"The ([\d,]+) to read are (.*?)\n\[docs", README, flags=re.DOTALL).groups()  # type: ignore[union-attr]
    paths = {ROOT / target for target in re.findall(r"\]\((src/[^)]+)\)", listed)}
    files = {file for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path])}
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
    assert int(said.replace(",", "")) == pytest.approx(lines, rel=0.05)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)\)", text):
        if not target.startswith("http"):
            assert (ROOT / page).parent.joinpath(target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_make_knows_the_targets(page: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for target in re.findall(r"^make ([a-z-]+)", blocks((ROOT / page).read_text(encoding="utf-8")), flags=re.MULTILINE):
        assert target in targets
