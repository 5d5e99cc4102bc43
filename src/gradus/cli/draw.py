"""`gradus draw`: the computation graph of an expression, with its gradients."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from gradus.cli.verb import Verb
from gradus.errors import UserError
from gradus.graph import graph, walk
from gradus.graph.expression import parse_expression, parse_variables


class DrawCommand(Verb):
    """A command whose arguments may begin with a minus; with two, after the expression, it is a flag."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        for variable in ctx.params.get("variables", ()):
            if variable.startswith("--"):
                raise click.UsageError(self.no_such(variable, ctx), ctx)
        return rest


@click.command("draw", cls=DrawCommand, context_settings={"ignore_unknown_options": True})
@click.argument("expression")
@click.argument("variables", nargs=-1, metavar="[NAME=NUMBER]...")
@click.option("--backward", is_flag=True, help="Run backward first, so that the picture shows the gradients.")
@click.option(
    "--steps", is_flag=True, help="Show the backward walk, step by step; with -o NAME.svg, a picture for each."
)
@click.option("-o", "--out", type=click.Path(dir_okay=False), help="Write a picture: .svg, .png, .dot or .txt.")
def command(expression: str, variables: tuple[str, ...], backward: bool, steps: bool, out: str | None) -> None:
    """Draw the graph of EXPRESSION in the terminal, or to a file.

    \b
    gradus draw "tanh(2*-3 + 0*1 + 6.88)" --backward
    gradus draw "a=1; b=a+a; c=b+b" --steps
    gradus draw "o = tanh(x1*w1 + b)" x1=2 w1=-3 b=6.88 --backward -o neuron.svg

    There are + - * / ** and abs, cos, exp, log, max, relu, sigmoid, sin, sqrt, tanh.
    """
    value = parse_expression(expression, parse_variables(variables))
    if backward or steps:
        value.backward()
    picture = graph(value)
    if out is None:
        click.echo(picture.text(), nl=False)
    else:
        _written(lambda: [picture.save(out)])
    if steps:
        taken = walk(picture)
        click.echo(("" if out else "\n") + taken.table(), nl=False)
        if out and out.endswith(".svg"):
            _written(lambda: taken.save(out))


def _written(write: Callable[[], list[Path]]) -> None:
    """Write, and say what was written; what is in the way is the user's to mend."""
    try:
        paths = write()
    except ValueError as error:
        raise UserError(str(error)) from None
    except OSError as error:
        raise UserError(f"cannot write {error.filename}: {error.strerror}") from None
    for path in paths:
        click.echo(f"wrote {path}", err=True)
