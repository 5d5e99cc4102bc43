"""`gradus learn`: the exercises, in a folder of the learner's, watched and checked."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradus.cli.output import show_table
from gradus.cli.verb import Verb, VerbGroup
from gradus.errors import UserError

if TYPE_CHECKING:
    from gradus.learn.exercise import Exercise
    from gradus.learn.session import Session

FAILED = 1  # the exit status of a check that has not passed
HEAD = ("", "exercise", "kind", "time")


class Learn(VerbGroup):
    """The group of what one does with exercises."""

    takes_name = "check"


@click.command("learn", cls=Learn, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> int:
    """Build what the lessons teach, one exercise at a time. Without a verb: watch the current exercise, and check it at
    every save.
    """
    if context.invoked_subcommand is not None:
        return 0
    from gradus.learn.watch import Watcher, key_presses

    with _session(ahead=True) as session, key_presses() as keys:
        return 0 if Watcher(session, _say, keys).run() else FAILED


@command.command("init", cls=Verb)
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path("exercises"))
def init(folder: Path) -> None:
    """Write the exercises into DIR, "exercises" if none is given. Files that are there already stay as they are."""
    from gradus.learn.folder import Folder

    made, new = Folder.make(folder)
    with _session(made.path) as session:
        _say(f"{new} new files in {folder}; what was there is as it was.\n\nThe current exercise:")
        _say(session.heading(session.current))
        place = shlex.quote(str(folder))
        _say(f"\nOpen the file in an editor, and beside it, in a terminal:\n    cd {place}\n    gradus learn")


@command.command("check", cls=Verb)
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--all", "everything", is_flag=True, help="Check every exercise that has been begun.")
def check(name: str | None, everything: bool) -> int:
    """Check the exercise NAME, such as 2.3 or value; without a name the current one. Exit status 1 if it fails."""
    if everything and name is not None:
        raise UserError(f"give --all or the name {name}, not both")
    with _session() as session:
        if everything:
            from gradus.learn.exercise import catalogue
            from gradus.learn.watch import summary

            _say(summary(session))
            return 0 if len(session.folder.right()) == len(catalogue()) else FAILED
        verdict = session.check(_named(session, name))
        _say(session.said(verdict))
        return 0 if verdict.passed else FAILED


@command.command("hint", cls=Verb)
@click.argument("name", metavar="[NAME]", required=False)
def hint(name: str | None) -> None:
    """Show the next hint."""
    with _session() as session:
        _say(session.hint(_named(session, name)))


@command.command("solution", cls=Verb)
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
def solution(name: str | None, yes: bool) -> None:
    """Show gradus's solution, after asking. Your file stays as it is."""
    with _session() as session:
        exercise = _named(session, name)
        if yes or click.confirm(f"Show the solution of {exercise}?"):
            _say(exercise.solution)


@command.command("list", cls=Verb)
def list_exercises() -> None:
    """List the exercises, and which have passed."""
    with _session() as session:
        show_table(HEAD, session.table(), leaving=("time", "kind"), left=HEAD)


@command.command("reset", cls=Verb)
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(name: str | None, yes: bool) -> None:
    """Write the beginning of an exercise's file again, after asking; what you had is kept in the folder "copies"."""
    with _session() as session:
        exercise = _named(session, name)
        if yes or click.confirm(
            f"Write the beginning of {session.folder.shown(exercise)} again? A copy of yours is kept."
        ):
            _say(session.reset(exercise))


@command.command("goto", cls=Verb)
@click.argument("name", metavar="NAME")
def goto(name: str) -> None:
    """Make NAME the current exercise."""
    with _session() as session:
        _say(session.go(_named(session, name)))


def _session(path: Path | None = None, *, ahead: bool = False) -> Session:
    from gradus.learn.folder import Folder
    from gradus.learn.session import Session

    return Session(Folder(path) if path else Folder.search(Path.cwd()), ahead=ahead)


def _named(session: Session, name: str | None) -> Exercise:
    from gradus.learn.exercise import find

    return session.current if name is None else find(name)


def _say(text: str) -> None:
    """Print; in a terminal, what passed and what failed begins in colour."""
    if sys.stdout.isatty():
        colors = {"✓": "green", "✗": "yellow"}
        lines = [
            click.style(line, fg=colors[line[0]], bold=True) if line[:1] in colors else line
            for line in text.split("\n")
        ]
        text = "\n".join(lines)
    print(text, flush=True)
