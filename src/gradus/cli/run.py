"""`gradus run`: a PyTorch program or notebook, as it is, on gradus's engine."""

from __future__ import annotations

from pathlib import Path

import click

from gradus.cli.verb import Verb
from gradus.errors import UserError


class RunCommand(Verb):
    """A command whose options come before a program, since those after it are the program's; a notebook has none."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        file = next((arg for arg in args if arg.endswith((".py", ".ipynb"))), "")
        ctx.allow_interspersed_args = file.endswith(".ipynb")
        ctx.ignore_unknown_options = False
        return super().parse_args(ctx, args)


@click.command("run", cls=RunCommand, options_metavar="[OPTIONS]")
@click.argument("file", metavar="FILE.py|FILE.ipynb", type=click.Path(path_type=Path))
@click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "-o",
    "--out",
    metavar="OUT.ipynb",
    type=click.Path(path_type=Path),
    help="Write the executed notebook, with its outputs.",
)
@click.option("--allow-errors", is_flag=True, help="Continue after a cell of the notebook that fails.")
@click.pass_context
def command(ctx: click.Context, file: Path, arguments: tuple[str, ...], out: Path | None, allow_errors: bool) -> int:
    """Run a PyTorch program with its ARGUMENTS, or a notebook from top to bottom: `import torch` means gradus's engine.

    The file is not touched, and PyTorch is not needed. The exit status is the program's: 0, 1 after an exception, and 2
    if it needs something of PyTorch's that the engine does not support.
    """
    from gradus.run import run_notebook, run_program

    debug = getattr(ctx.find_root().command, "debug", False)
    if file.suffix == ".ipynb":
        if arguments:
            raise UserError(f"a notebook takes no arguments, got {' '.join(arguments)}")
        return run_notebook(file, out, allow_errors=allow_errors, debug=debug)
    if out is not None or allow_errors:
        raise UserError(f"--out and --allow-errors are for notebooks, and {file} is not one")
    return run_program(file, arguments, debug=debug)
