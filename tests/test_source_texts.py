"""Docstrings and messages are whole: no automatic wrapping of lines has cut them."""

from __future__ import annotations

import ast
import io
import itertools
import re
import tokenize
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "gradus"
FILES = sorted(PACKAGE.rglob("*.py"))
SHORT = 30  # characters; no text is wrapped after so few


def stray_quotes(source: str) -> list[str]:
    """The docstrings that hold a quote at the end of a line and one at the beginning of the next."""
    nodes = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef))
    texts = (ast.get_docstring(node, clean=False) or "" for node in nodes)
    return [text for text in texts if re.search(r"\"\s*\n\s*f?\"", text)]


def stumps(source: str) -> list[str]:
    """The pieces of a string over several lines that end after a few words, in mid-phrase."""
    tokens = [
        token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in (tokenize.NL, tokenize.COMMENT)
    ]
    return [
        piece.string
        for piece, following in itertools.pairwise(tokens)
        if piece.type == following.type == tokenize.STRING
        and piece.end[0] < following.start[0]
        and piece.string.endswith(' "')
        and len(piece.string) < SHORT
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_text_is_cut_by_a_wrapped_line(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert stray_quotes(source) == []
    assert stumps(source) == []


def test_a_cut_text_would_be_seen() -> None:
    assert stray_quotes('def f():\n    """What it returns "\n    "replaces it."""\n')
    assert stumps('raise E(\n    "a single memory "\n    "location"\n)\n') == ['"a single memory "']
