"""A configuration dataclass tells its own settings: names, types, defaults, comments. It refuses what it does
not know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from gradus.errors import UserError
from gradus.training.settings import build, field_comments, read_toml, settings_of, to_toml


@dataclass(frozen=True)
class Base:
    width: int  # numbers in a vector


@dataclass(frozen=True)
class Example(Base):
    """Not a comment of a field: # this."""

    rate: float = 0.5  # how fast; a # inside is kept
    shape: Literal["round", "square"] = "round"  # its form
    tied: bool = True
    limit: int | None = None  # the most

    def __post_init__(self) -> None:
        local: int = self.width  # no field
        if local < 1:
            raise ValueError(f"width must be at least 1, got {local}")


def test_comments_are_read_from_the_source_base_classes_included() -> None:
    assert field_comments(Example) == {
        "width": "numbers in a vector",
        "rate": "how fast; a # inside is kept",
        "shape": "its form",
        "limit": "the most",
    }


def test_settings_know_flag_type_choices_and_default() -> None:
    settings = settings_of(Example)
    assert list(settings) == ["width", "rate", "shape", "tied", "limit"]
    assert settings["shape"].choices == ("round", "square")
    assert settings["limit"].optional
    assert (settings["limit"].type, settings["limit"].default) == (int, None)
    assert settings["rate"].flag == "--rate"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("width", "12", 12),
        ("rate", "3e-3", 0.003),
        ("rate", "1", 1.0),
        ("shape", "square", "square"),
        ("tied", "false", False),
    ],
)
def test_text_of_a_flag_becomes_a_value_of_the_type(name: str, text: str, value: object) -> None:
    parsed = settings_of(Example)[name].parse(text)
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("width", "wide", "width must be a whole number, got 'wide'"),
        ("width", "1.5", "width must be a whole number, got '1.5'"),
        ("rate", "fast", "rate must be a number, got 'fast'"),
        ("rate", "nan", "rate must be a number, got nan"),
        ("shape", "oval", "shape must be one of round, square, got 'oval'"),
        ("tied", "yes", "tied must be true or false, got 'yes'"),
    ],
)
def test_text_of_another_type_is_refused_with_the_value_and_what_was_expected(
    name: str, text: str, expected: str
) -> None:
    with pytest.raises(UserError) as error:
        settings_of(Example)[name].parse(text)
    assert str(error.value) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"widht": 3}, "unknown setting widht; did you mean width?"),
        ({"zzz": 3}, "unknown setting zzz; there are width, rate, shape, tied, limit"),
        ({"width": "3"}, "width must be a whole number, got '3'"),
        ({"width": True}, "width must be a whole number, got True"),
        ({"width": 3, "rate": float("inf")}, "rate must be a number, got inf"),
        ({"width": 0}, "width must be at least 1, got 0"),
    ],
)
def test_build_refuses_unknown_names_wrong_types_and_wrong_values(values: dict[str, object], expected: str) -> None:
    with pytest.raises(UserError) as error:
        build(Example, values)
    assert str(error.value) == expected


def test_build_takes_a_whole_number_for_a_float() -> None:
    assert build(Example, {"width": 2, "rate": 1}) == Example(width=2, rate=1.0)


def test_toml_round_trip_keeps_every_value_and_writes_the_comments(tmp_path: Path) -> None:
    example = Example(width=7, rate=1e-5, shape="square", tied=False)
    (tmp_path / "c.toml").write_text(to_toml(example), encoding="utf-8")
    assert build(Example, read_toml(tmp_path / "c.toml")) == example
    assert "width = 7  # numbers in a vector\n" in to_toml(example)


def test_toml_that_cannot_be_read_or_parsed_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the settings in .*none\.toml: No such file"):
        read_toml(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("steps = = 3\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"bad.toml is not a TOML file: .*line 1"):
        read_toml(tmp_path / "bad.toml")
