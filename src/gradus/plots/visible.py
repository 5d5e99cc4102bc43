"""How a token is written where it is looked at."""

from __future__ import annotations


def visible(token: str) -> str:
    """A token as it can be read in a figure: a space is ␣, a newline ↵, a tab ⇥, another control character \\x.."""
    names = {" ": "␣", "\n": "↵", "\t": "⇥", "": "∅"}
    if token in names:
        return names[token]
    return "".join(c if c.isprintable() else names.get(c, repr(c)[1:-1]) for c in token)
