"""What the verbs have in common: flags with underscores as well as dashes and under the names of other tools, and
errors that say what was meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import click

from gradus.cli.meant import ALIASES, ALIASES_OF, MEANT

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# What an argument is, where it is missing.
ARGUMENTS = {
    "RUN": "the folder of a run; gradus runs lists them",
    "RUN...": "the folders of runs; gradus runs lists them",
    "EXPRESSION": 'such as "tanh(2*a + 1)"',
    "FOLDER|gpt2|OWNER/NAME": "a folder with weights, or their name on the Hugging Face hub",
    "FOLDER": "the new folder to write",
    "DIR": "the folder to copy them into, such as lessons",
    "NAME": "a corpus; gradus data lists them",
    "PREPARED": "the folder of a text that gradus data prepare has made",
    "SOURCE": "a text file, a folder of them, JSON lines, Parquet, or a corpus by name",
    "TEXT": "the text itself, or - for standard input",
}


class RunArgument(click.ParamType[str]):
    """The folder of a run; a shell completes it."""

    name = "run"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="dir")]


class Split(click.Choice[str]):
    """A split of the text, under any of its names."""

    def __init__(self) -> None:
        super().__init__(["train", "dev", "test"])

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        from gradus.text import split_named

        return split_named(value)


device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    help="Where to compute: cpu, cuda, cuda:N or mps, or auto, the best of them; gradus's own engine has the CPU.",
)


class Verb(click.Command):
    """A command of `gradus`."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        extra.setdefault("token_normalize_func", _spelling(self.params, self.aliases()))
        return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(self.no_such(error.option_name, ctx), ctx) from None
        except click.MissingParameter as error:
            if not isinstance(error.param, click.Argument):
                raise
            name = error.param.make_metavar(ctx)
            what = ARGUMENTS.get(name)
            raise click.UsageError(f"{self.name} needs {name}{f', {what}' if what else ''}", ctx) from None

    def no_such(self, flag: str, ctx: click.Context) -> str:
        """The message for a flag that does not exist."""
        own, name = names(self.params), flag.lstrip("-")
        if ctx.parent is not None and name in names(ctx.find_root().command.params):
            verb = ctx.command_path.removeprefix(ctx.find_root().command_path).strip()
            return f"{flag} goes before the verb: gradus {flag}{' torch' if name == 'backend' else ''} {verb}"
        meant = self.meant()
        if name in meant:
            return f"{self.name} has no {flag}; use {meant[name]}"
        others = meant | {alias: f"--{real}" for alias, real in self.aliases().items() if real in own}
        near = nearest(name, [*own, *(other for other in others if nearest(name, [other], cutoff=0.8))])
        if ctx.parent is None and near is None:
            return f"gradus has no {flag}; a flag of a verb follows it: gradus VERB {flag}"
        if near is None:
            return f"{self.name} has no {flag}; {ctx.command_path} --help lists what it has"
        return f"{self.name} has no {flag}; did you mean {others.get(near, f'--{near}')}?"

    def aliases(self) -> dict[str, str]:
        """Other names of the verb's flags, which are accepted."""
        return ALIASES | ALIASES_OF.get(self.name or "", {})

    def meant(self) -> dict[str, str]:
        """Flags that the verb does not have, a short one after two dashes among them, and what to type in their
        place."""
        options = [param for param in self.params if isinstance(param, click.Option)]
        short = {flag[1:]: option.opts[-1] for option in options for flag in option.opts if flag[1] != "-"}
        return short | MEANT.get(self.name or "", {})


class VerbGroup(Verb, click.Group):
    """Verbs below a verb. A name that is none of them is answered with the one, `takes_name`, that takes it."""

    takes_name: str

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        found = super().get_command(ctx, name)
        if found is None and not name.startswith("-"):
            meant = nearest(name, self.commands) or f"{self.takes_name} {name}"
            path = ctx.command_path
            raise click.UsageError(f"there is no {path} {name}; did you mean {path} {meant}?", ctx)
        return found


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known word that is spelled most like another one; None if none is: 1 is the same word, 0 one without a common
    letter."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return near[0] if near else None


def names(params: Iterable[click.Parameter]) -> list[str]:
    """The long flags among a command's parameters, without their dashes."""
    options = [param for param in params if isinstance(param, click.Option)]
    flags = [flag for option in options for flag in (*option.opts, *option.secondary_opts)]
    return [flag[2:] for flag in flags if flag.startswith("--")]


def _spelling(params: Iterable[click.Parameter], aliases: Mapping[str, str]) -> Callable[[str], str]:
    """How the flags of a command are spelled; click gives it both those that were typed and those that there are."""
    own = set(names(params))

    def spelled(word: str) -> str:
        word = word.replace("_", "-")
        alias = aliases.get(word)
        return alias if alias in own and word not in own else word

    return spelled
