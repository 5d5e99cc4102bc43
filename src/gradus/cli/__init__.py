"""The command `gradus`: a group of verbs, each in a module of its own that is imported when the verb is called, so that
`gradus --help` answers at once. Errors end here: the user's become one line on standard error and exit status 2."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gradus import __version__
from gradus.backend import rank, world_size
from gradus.cli import output
from gradus.cli.meant import VERBS_MEANT
from gradus.cli.verb import Verb, nearest
from gradus.errors import UserError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# In the order of `gradus --help`. A verb is the attribute `command` of the module `gradus.cli.<verb>`.
VERBS = {
    "climb": "Train every model of the ladder and compare them in one table and one page.",
    "train": "Train one model on a text.",
    "sample": "Generate text with a trained model.",
    "explore": "Look inside a trained model, on a page of this machine.",
    "eval": "Measure a trained model's loss on a whole split.",
    "page": "Write a run, or a climb, as one page; one that is older than its run is written anew.",
    "runs": "List the runs in a folder, with their losses.",
    "compare": "Compare runs in one table and one page, their curves together.",
    "track": "Write a run's measurements for TensorBoard, or log them to Weights & Biases.",
    "merge": "Write a run that LoRA has adapted as a run of its own.",
    "import": "Make a run of GPT-2's weights, from a folder or from the Hugging Face hub.",
    "export": "Write a run as a folder that Hugging Face's transformers loads.",
    "run": "Run a PyTorch program or notebook, as it is, on gradus's engine.",
    "draw": "Draw the computation graph of an expression, with its gradients.",
    "tokenize": "Show the tokens of a text, with their ids.",
    "data": "List the corpora, or show what is in one.",
    "lessons": "Copy the lessons into a folder: from the derivative of one number on, in steps.",
    "learn": "Build what the lessons teach, one exercise at a time, checked at each save.",
    "bench": "Measure the engine side by side with PyTorch and micrograd on this machine.",
}

BACKENDS = ("engine", "torch")
BAD_INPUT = 2
INTERRUPTED = 130  # what a shell reports after SIGINT


class Gradus(Verb, click.Group):
    """A group that imports a verb when it is called, and turns errors into one line and an exit status."""

    debug = False

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name.startswith("-"):
            return None
        if name not in VERBS:
            near = name if name in VERBS_MEANT else nearest(name, [*VERBS, *VERBS_MEANT])
            hint = f"there are {', '.join(VERBS)}" if near is None else f"did you mean {VERBS_MEANT.get(near, near)}?"
            raise click.UsageError(f"there is no verb {name!r}; {hint}", ctx)
        command: click.Command = importlib.import_module(f"gradus.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        verbs = [CompletionItem(name, help=line) for name, line in VERBS.items() if name.startswith(incomplete)]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Completion of verbs and flags with the tab key, in ~/.bashrc or ~/.zshrc"):
            formatter.write('  eval "$(_GRADUS_COMPLETE=bash_source gradus)"     or zsh_source\n')

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run the command line and exit: with 0, with 2 for bad input, with 130 after Ctrl-C."""
        self.debug = False
        extra["standalone_mode"] = False  # errors are ours to show; click itself is silent when nobody reads the output
        output.set_up()
        heard = sys.stderr
        if rank():  # of several processes, the leading one speaks
            sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (until the process ends)
        try:
            status = super().main(args, prog_name or "gradus", **extra)
        except click.exceptions.NoArgsIsHelpError as help_page:
            print(help_page.format_message(), file=sys.stderr)
            status = BAD_INPUT
        except click.Abort as abort:
            if isinstance(abort.__cause__, EOFError):  # to click it is the end of what the user types; here, an error
                raise abort.__cause__ from None
            status = INTERRUPTED
        except (UserError, click.ClickException, OSError, MemoryError) as error:
            if self.debug:
                raise
            if _speaks():
                print(output.wrapped(f"gradus: {' '.join(_message(error).split())}", heard), file=heard, flush=True)
            status = BAD_INPUT
        finally:
            sys.stderr = heard
            failed = output.finish()
        if failed is not None and status in (None, 0):
            print(f"gradus: the output could not be written: {failed.strerror}", file=sys.stderr)
            status = BAD_INPUT
        if world_size() > 1 and status:
            os._exit(status)  # Python's own end would wait for the other processes
        sys.exit(status if isinstance(status, int) else 0)


def _message(error: Exception) -> str:
    """The message for an error that is not a fault in gradus."""
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, MemoryError):
        return f"there is not enough memory ({str(error) or 'MemoryError'}); a smaller model or batch needs less"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}" if not isinstance(error.filename, int) else str(error)
    return str(error)


def _speaks() -> bool:
    """Whether an error is this process's to show: of several processes that fail, the first one shows its own."""
    if "torch" not in sys.modules:  # what fails so early fails in all of them
        return rank() == 0
    from gradus.training.distributed import speaks

    return speaks()


def _set_debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001
    if isinstance(ctx.command, Gradus):
        ctx.command.debug = value


def _use_backend(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:  # noqa: ARG001
    if value is not None:
        from gradus.backend import use

        use(value)


@click.command(
    cls=Gradus, name="gradus", context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True
)
@click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_set_debug,
    help="Show the traceback of an error.",
)
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    expose_value=False,
    callback=_use_backend,
    help="The backend of all tensors: gradus's own engine (the default), or PyTorch.",
)
@click.version_option(__version__, package_name="gradus", message="gradus %(version)s")
def main() -> None:
    """Language models from the derivative of one number to GPT-2, on an engine of its own."""
