"""Flags made from settings: what a configuration dataclass says about itself becomes options of a command and its help
page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, replace
from typing import Any

import click

from gradus.cli.verb import Verb
from gradus.training.settings import ELSEWHERE, Setting, named_here

Section = Mapping[str, Setting]


class SettingsCommand(Verb):
    """A command that also takes settings as flags, and lists them in sections with their comments and defaults.

    A setting in several sections is one flag. A flag that is not given is None, so that a file's value or a default can
    stand.

    Args:
        sections: title -> settings, in the order of the help page.
        notes: setting -> what to say in place of its default.
    """

    def __init__(
        self,
        *args: Any,
        sections: Mapping[str, Section] | None = None,
        notes: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sections, self.notes = sections or {}, notes or {}
        every: dict[str, Setting] = {}  # a flag of several models takes what any of them takes
        for name, setting in (item for section in self.sections.values() for item in section.items()):
            choices = (*(every[name].choices if name in every else ()), *setting.choices)
            every[name] = replace(setting, choices=tuple(dict.fromkeys(choices)))
        self.params.extend(_option(setting) for setting in every.values())

    def meant(self) -> dict[str, str]:
        flags = {setting.name: setting.flag for section in self.sections.values() for setting in section.values()}
        out = {}
        for name, hint in ELSEWHERE.items():
            if all(here in flags for here in named_here(name)):
                _, comma, words = hint.partition(",")
                out[name.replace("_", "-")] = " or ".join(flags[here] for here in named_here(name)) + comma + words
        return out | super().meant()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        flags = {setting.flag for section in self.sections.values() for setting in section.values()}
        own = [
            p.get_help_record(ctx)
            for p in self.get_params(ctx)
            if isinstance(p, click.Option) and not flags & set(p.opts)
        ]
        with formatter.section("Options"):
            formatter.write_dl([record for record in own if record is not None])
        for title, section in self.sections.items():
            with formatter.section(title):
                formatter.write_dl(list(self._lines(section)))

    def _lines(self, section: Section) -> Iterator[tuple[str, str]]:
        for setting in section.values():
            note = self.notes.get(setting.name, _default(setting))
            yield _usage(setting), setting.help + (f"  [{note}]" if note else "")


class SettingType(click.ParamType[Any]):
    """The text of a flag as the type of its setting; another text raises the setting's UserError."""

    name = "setting"

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        return self.setting.parse(value) if isinstance(value, str) else value


def given(flags: Mapping[str, Any]) -> dict[str, object]:
    """The flags that were given on the command line."""
    return {name: value for name, value in flags.items() if value is not None}


def _option(setting: Setting) -> click.Option:
    if setting.type is bool:
        return click.Option([f"{setting.flag}/--no-{setting.flag[2:]}"], default=None, help=setting.help)
    return click.Option([setting.flag], type=SettingType(setting), default=None, help=setting.help)


def _usage(setting: Setting) -> str:
    if setting.type is bool:
        return f"{setting.flag} / --no-{setting.flag[2:]}"
    kind = "|".join(setting.choices) or {int: "INTEGER", float: "NUMBER", str: "TEXT"}[setting.type]
    return f"{setting.flag} {kind}"


def _default(setting: Setting) -> str:
    if setting.default is None or setting.default is MISSING:
        return ""
    if setting.type is bool:
        return f"default: {'on' if setting.default else 'off'}"
    return f"default: {setting.default}"
