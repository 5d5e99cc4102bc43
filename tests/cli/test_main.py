"""The command itself: its help, its exit statuses, and that it imports no more than it must."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import click
import pytest

from gradus import __version__
from gradus.cli import VERBS, main
from gradus.errors import UserError
from tests.cli.commands import gradus, refused


def python(code: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=False, **kwargs)  # type: ignore[call-overload]


def test_help_lists_the_verbs_in_order_and_imports_nothing_slow() -> None:
    code = """
import sys
from gradus.cli import main
try:
    main(["--help"])
except SystemExit as stop:
    slow = {"numpy", "numba", "rich", "torch", "matplotlib", "safetensors", "tomllib", "json", "difflib"}
    ours = {name for name in sys.modules if name.startswith("gradus.")}
    known = {"gradus.backend", "gradus.errors", "gradus.lazy"}
    known |= {f"gradus.cli{room}" for room in ("", ".meant", ".output", ".verb")}
    print(stop.code, sorted(slow & set(sys.modules)), sorted(ours - known))
"""
    output = python(code).stdout
    assert output.splitlines()[-1] == "0 [] []"
    places = [output.index(f"\n  {verb} ") for verb in VERBS]
    assert places == sorted(places)


def test_importing_gradus_imports_nothing_that_takes_time() -> None:
    code = "import sys; before = set(sys.modules); import gradus; print(sorted(set(sys.modules) - before))"
    ours = {name for name in ast.literal_eval(python(code).stdout) if name.startswith("gradus")}
    assert ours <= {"gradus", "gradus.lazy"}
    assert not {"numpy", "click", "rich"} & set(ast.literal_eval(python(code).stdout))


def test_completion_of_verbs_imports_none() -> None:
    code = "from gradus.cli import main; main()"
    env = {**os.environ, "_GRADUS_COMPLETE": "bash_complete", "COMP_WORDS": "gradus c", "COMP_CWORD": "1"}
    assert python(code, env=env).stdout == "plain,climb\nplain,compare\n"
    source = python(code, env={**os.environ, "_GRADUS_COMPLETE": "zsh_source"}).stdout
    assert "compdef" in source
    flags = {**env, "COMP_WORDS": "gradus train --le", "COMP_CWORD": "2"}
    assert python(code, env=flags).stdout == "plain,--learning-rate\n"


def test_every_verb_exists_and_its_help_says_what_the_group_says() -> None:
    for verb, help_line in VERBS.items():
        result = gradus(verb, "--help")
        assert result.exit_code == 0
        assert result.stdout.startswith(f"Usage: gradus {verb}")
        assert help_line.endswith(".")


def test_version() -> None:
    assert gradus("--version").stdout == f"gradus {__version__}\n"


def test_no_verb_shows_the_help_and_fails() -> None:
    result = gradus()
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: gradus")


def test_a_wrong_verb_flag_or_backend_is_one_line_that_names_the_nearest() -> None:
    assert refused("trian") == "there is no verb 'trian'; did you mean train?"
    assert "--temperature" in refused("sample", "x", "--temperatur", "1")
    assert "'engine', 'torch'" in refused("--backend", "jax", "train")


def test_debug_shows_the_traceback() -> None:
    result = gradus("--debug", "train", "no-such-text")
    assert isinstance(result.exception, UserError)
    assert gradus("train", "no-such-text").exit_code == 2  # and only that once


def test_ctrl_c_anywhere_is_status_130_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(main), "get_command", lambda *_: click.Command("train", callback=interrupted))
    result = gradus("train")
    assert result.exit_code == 130
    assert "Traceback" not in result.output


@pytest.mark.skipif(os.name != "posix", reason="POSIX pipes")
def test_output_that_nobody_reads_ends_the_command_silently() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-c", "from gradus.cli import main; main(['--help'])"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_the_backend_is_chosen_before_a_verb_is_imported() -> None:
    pytest.importorskip("torch")
    code = """
from gradus.cli import main
try:
    main(["--backend", "torch", "train", "--help"])
except SystemExit:
    from gradus.backend import name
    print(name())
"""
    ended = python(code, env={**os.environ, "GRADUS_BACKEND": "engine"})
    assert ended.stdout.splitlines()[-1] == "torch"
