"""HTML and SVG elements as strings that escape by themselves: text is text, and only what `el` made is markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Union

Child = Union[str, "Iterable[Child]"]


class Markup(str):
    """A string that is markup already, and is not escaped again."""

    __slots__ = ()


def el(tag: str, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """An element. Children are text, elements, or iterables of them; an attribute's underscores become hyphens.

    A trailing underscore of an attribute is dropped (class_), False and None leave it out, a float keeps one decimal.

    >>> el("p", "a < b ", el("b", "c"), class_="x", hidden=False)
    '<p class="x">a &lt; b <b>c</b></p>'
    """
    return Markup(f"<{tag}{''.join(map(_attribute, attributes.items()))}>{join(children)}</{tag}>")


def join(children: Iterable[Child]) -> Markup:
    """Children one after the other."""
    return Markup("".join(_child(child) for child in children))


def _child(child: Child) -> str:
    if isinstance(child, Markup):
        return child
    return escape(child) if isinstance(child, str) else join(child)


def _attribute(item: tuple[str, str | float | bool | None]) -> str:
    name, value = item
    name = name.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    text = f"{value:.1f}" if isinstance(value, float) else str(value)
    return f' {name}="{escape(text, quote=True)}"'
