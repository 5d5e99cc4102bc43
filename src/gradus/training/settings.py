"""Settings: what a configuration dataclass says about itself. Each field's type, default and trailing comment are read
once; from them come the command line's flags and help, the checks of a TOML file, and the commented TOML that a run
writes. Nothing here knows which settings there are."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import io
import math
import numbers
import textwrap
import tokenize
import tomllib
import types
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import tomli_w

from gradus.errors import UserError

T = TypeVar("T")

# What other libraries call a setting, or have in its place: the setting here, or two of them, and what else is to know.
ELSEWHERE = {
    **dict.fromkeys(["lr", "max_lr"], "learning_rate"),
    **dict.fromkeys(["iters", "max_iters", "max_steps", "train_steps"], "steps"),
    **dict.fromkeys(["epochs", "num_epochs", "train_epochs", "num_train_epochs"], "steps or minutes"),
    **dict.fromkeys(["time", "hours", "seconds", "max_minutes"], "minutes"),
    **dict.fromkeys(["layers", "num_layers", "n_layers", "hidden_layers", "num_hidden_layers"], "n_layer"),
    **dict.fromkeys(["depth", "blocks"], "n_layer"),
    **dict.fromkeys(["heads", "num_heads", "n_heads", "attention_heads", "num_attention_heads"], "n_head"),
    **dict.fromkeys(["hidden_size", "d_model", "dim", "width", "n_embed", "embedding_dim"], "n_embd"),
    **dict.fromkeys(["context_length", "context_size", "seq_len", "sequence_length", "max_seq_len"], "block_size"),
    **dict.fromkeys(["max_length", "length"], "block_size"),
    **dict.fromkeys(["bs", "batch"], "batch_size"),
    "gradient_accumulation_steps": "grad_accumulation",
    **dict.fromkeys(["warmup_iters", "warmup_steps", "warmup_ratio"], "warmup, a fraction of the budget"),
    "min_lr": "min_lr_ratio, a fraction of the learning rate",
    **dict.fromkeys(["scheduler", "lr_scheduler", "lr_scheduler_type", "decay_lr"], "schedule"),
    **dict.fromkeys(["clip", "max_grad_norm", "gradient_clipping"], "grad_clip"),
    **dict.fromkeys(["eval_interval", "eval_steps", "eval_every"], "evaluations, how many there are in all"),
    "eval_iters": "evaluations, each of which is over the whole dev split",
    "early_stopping": "patience",
    **dict.fromkeys(["lora_r", "rank"], "lora_rank"),
    **dict.fromkeys(["activation_checkpointing", "checkpoint_blocks"], "gradient_checkpointing"),
    **dict.fromkeys(["random_seed", "manual_seed", "random_state"], "seed"),
    **dict.fromkeys(["type", "arch", "architecture"], "model"),
    **dict.fromkeys(["dataset", "data", "text", "input_file"], "corpus"),
}

EXPECTED = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


@dataclasses.dataclass(frozen=True)
class Setting:
    """One field of a configuration dataclass."""

    name: str
    type: type  # int, float, bool or str
    choices: tuple[str, ...]  # the values of a Literal; empty when any value of the type will do
    optional: bool  # whether None is allowed, as the default that stands for "not given"
    default: Any  # dataclasses.MISSING when there is none
    help: str  # the field's trailing comment

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def expected(self) -> str:
        """What a value must be, in words: `a whole number`, `one of cosine, linear`."""
        return f"one of {', '.join(self.choices)}" if self.choices else EXPECTED[self.type]

    def check(self, value: object) -> Any:
        """The value as the field's type, from a Python, NumPy or TOML value of that type (a whole number will do for a
        float).

        Raises:
            UserError: if it has another type, is not one of the choices, or is not finite.
        """
        if value is None and self.optional:
            return None
        if isinstance(value, numbers.Real) and not isinstance(value, bool):  # those of NumPy too
            if self.type is float:
                value = float(value)
            elif self.type is int and isinstance(value, numbers.Integral):
                value = int(value)
        if type(value) is not self.type or (self.choices and value not in self.choices):
            raise self._wrong(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise self._wrong(value)
        return value

    def parse(self, text: str) -> Any:
        """The value of a flag, from its text.

        Raises:
            UserError: if the text is no value of the field's type.
        """
        if self.type is bool:
            value: object = {"true": True, "false": False}.get(text.lower(), text)
        else:
            try:
                value = self.type(text)
            except ValueError:
                value = text
        return self.check(value)

    def _wrong(self, value: object) -> UserError:
        return UserError(f"{self.name} must be {self.expected}, got {value!r}")


def settings_of(config: type[Any]) -> dict[str, Setting]:
    """The settings of a configuration dataclass by name, in the order of its fields, without those of init=False."""
    known: Any = config
    return _settings_of(known)


def field_comments(config: type[Any]) -> dict[str, str]:
    """The trailing comment of each field of a dataclass, read from its source; base classes included.

    >>> class Example:
    ...     width: int = 8  # numbers in a vector
    field_comments(Example) == {"width": "numbers in a vector"}
    """
    comments: dict[str, str] = {}
    for cls in reversed(config.__mro__):
        if dataclasses.is_dataclass(cls) and "__annotations__" in vars(cls):
            source = textwrap.dedent(inspect.getsource(cls))
            comments.update(_comments(list(tokenize.generate_tokens(io.StringIO(source).readline))))
    return comments


def build(config: type[T], values: Mapping[str, object]) -> T:
    """An instance of a configuration dataclass from checked values.

    Raises:
        UserError: for an unknown name (naming the nearest), a value of the wrong type, or one that the dataclass
            refuses.
    """
    settings = settings_of(config)
    for name in values:
        if name not in settings:
            raise unknown(name, settings)
    try:
        return config(**{name: settings[name].check(value) for name, value in values.items()})
    except ValueError as error:
        raise UserError(str(error)) from error


def unknown(name: str, known: Iterable[str]) -> UserError:
    """The error for a setting that does not exist, naming the nearest that does."""
    known = list(known)
    if named_here(name) and set(named_here(name)) <= set(known):
        hint = f"did you mean {ELSEWHERE[name]}?"
    elif near := difflib.get_close_matches(name, known, n=1):
        hint = f"did you mean {near[0]}?"
    else:
        hint = f"there are {', '.join(known)}"
    return UserError(f"unknown setting {name}; {hint}")


def named_here(name: str) -> list[str]:
    """The settings that ELSEWHERE has for another library's name, without words; none for an unknown name."""
    return [part for part in ELSEWHERE.get(name, "").partition(",")[0].split(" or ") if part]


def read_toml(path: str | Path) -> dict[str, object]:
    """The table of a TOML file.

    Raises:
        UserError: if the file cannot be read or is not TOML.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the settings in {path}: {error.strerror}") from error
    return parse_toml(data, path)


def parse_toml(data: bytes, path: object) -> dict[str, object]:
    """The table that the bytes of a TOML file say; `path` is named in the error. UserError if they are not TOML."""
    try:
        return tomllib.loads(data.decode("utf-8"))
    except RecursionError:
        raise UserError(f"{path} is not a TOML file: it is nested too deeply") from None
    except ValueError as error:  # UnicodeDecodeError, TOMLDecodeError, or a number of thousands of digits
        raise UserError(f"{path} is not a TOML file: {error}") from error


def to_toml(*configs: object, omit: Iterable[str] = ()) -> str:
    """The settings of one or more configurations as flat TOML, each line with its help as a comment. None is left out,
    and what an earlier one of them has, too: the vocab_size of a model is found, that of its training was asked for."""
    blocks, before = [], set(omit)
    for config in configs:
        lines = []
        for name, setting in settings_of(type(config)).items():
            value = getattr(config, name)
            if value is not None and name not in before:
                comment = f"  # {setting.help}" if setting.help else ""
                lines.append(tomli_w.dumps({name: value}).rstrip("\n") + comment)
        before |= settings_of(type(config)).keys()
        blocks.append("\n".join(lines))
    return "\n\n".join(block for block in blocks if block) + "\n"


@cache
def _settings_of(config: Any) -> dict[str, Setting]:
    hints = get_type_hints(config)
    comments = field_comments(config)
    return {
        field.name: _setting(field, hints[field.name], comments.get(field.name, ""))
        for field in dataclasses.fields(config)
        if field.init
    }


def _setting(field: dataclasses.Field[Any], hint: object, comment: str) -> Setting:
    optional = False
    if get_origin(hint) in (Union, types.UnionType):
        inner = [arm for arm in get_args(hint) if arm is not type(None)]
        optional = len(inner) < len(get_args(hint))
        hint = inner[0] if len(inner) == 1 else hint
    choices: tuple[str, ...] = ()
    if get_origin(hint) is Literal:
        choices, hint = get_args(hint), str
    if hint not in EXPECTED:
        raise TypeError(f"a setting is a bool, int, float, str or Literal of str; {field.name} is {hint}")
    assert isinstance(hint, type)
    return Setting(field.name, hint, choices, optional, field.default, comment)


def _comments(tokens: list[tokenize.TokenInfo]) -> dict[str, str]:
    """`name: type ...  # comment` at the depth of the class body, from the tokens of a class."""
    comments: dict[str, str] = {}
    depth, name = 0, ""
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token.type == tokenize.INDENT:
            depth += 1
        elif token.type == tokenize.DEDENT:
            depth -= 1
        elif token.type == tokenize.NEWLINE:
            name = ""
        elif depth == 1 and token.type == tokenize.NAME and after.string == ":" and _starts_line(before):
            name = token.string
        elif token.type == tokenize.COMMENT and name:
            comments[name] = token.string.lstrip("# ")
    return comments


def _starts_line(before: tokenize.TokenInfo) -> bool:
    return before.type in (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT)
