"""The corpus `docstrings`: what the standard library's docstrings say, labelled by what their module is about. To tell
"Return local time as an aware datetime object." from "Close the connection." takes the words, and at times their order.
"""

from __future__ import annotations

import ast
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from gradus.text.corpus import Corpus
from gradus.text.python_corpora import LEFT_OUT_FOLDERS, no_source, python_version

FEWEST_WORDS, MOST_CHARACTERS = 3, 300  # of a paragraph
DOCTEST = ">>>"

# Modules that every installation from 3.11 on has, or had at its time.
AREAS = {
    "code": "abc ast bdb code codeop compileall copy cProfile dataclasses dis doctest enum functools importlib inspect "
    "modulefinder pdb pkgutil profile pstats pydoc runpy symtable timeit tokenize trace traceback types typing "
    "unittest",
    "concurrency": "asyncio concurrent contextvars multiprocessing queue sched selectors subprocess threading "
    "_threading_local",
    "data": "base64 bisect collections _collections_abc configparser csv dbm heapq html json pickle pickletools "
    "plistlib shelve sqlite3 struct tomllib xml",
    "files": "bz2 filecmp fileinput fnmatch genericpath glob gzip io _pyio linecache lzma mimetypes ntpath os "
    "pathlib posixpath shutil stat tarfile tempfile zipfile",
    "network": "email ftplib http imaplib ipaddress mailbox poplib smtplib socket socketserver ssl urllib wsgiref "
    "xmlrpc",
    "numbers": "calendar colorsys datetime _pydatetime decimal _pydecimal fractions numbers random statistics "
    "_strptime zoneinfo",
    "text": "argparse cmd curses difflib getopt gettext locale optparse re shlex string textwrap",
}


def docstrings() -> Corpus:
    """The paragraphs of docstrings, each once, of at least three words and at most 300 characters, without examples.
    The label is the area of the module, one of seven. What is said in two areas is left out.

    Raises:
        UserError: if Python was installed without the source of its library.
    """
    found: dict[str, set[str]] = {}
    for area, modules in AREAS.items():
        for module in modules.split():
            for path in _files(module):
                for text in _paragraphs(path):
                    found.setdefault(text, set()).add(area)
    items = [(areas.pop(), text) for text, areas in found.items() if len(areas) == 1]
    if len({label for label, _ in items}) < 2:
        raise no_source()
    labels, texts = zip(*items, strict=True)
    about = f"docstrings of {python_version()}'s standard library, by what the module is about"
    return Corpus("docstrings", "labelled", about, documents=texts, labels=labels)


def _files(module: str) -> list[Path]:
    """A module's file, or the files of a package; none where there is no such module."""
    root = Path(sysconfig.get_path("stdlib"))
    if (file := root / f"{module}.py").is_file():
        return [file]
    inside = sorted((root / module).rglob("*.py"))
    return [path for path in inside if not LEFT_OUT_FOLDERS.intersection(path.relative_to(root).parts)]


def _paragraphs(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, ValueError, SyntaxError):
        return  # one unreadable module more or less is no reason to stop
    for node in _definitions(tree):
        for paragraph in re.split(r"\n\s*\n", ast.get_docstring(node) or ""):
            text = " ".join(paragraph.split())
            fits = text.count(" ") + 1 >= FEWEST_WORDS and len(text) <= MOST_CHARACTERS
            if fits and not text.startswith(DOCTEST):
                yield text


def _definitions(tree: ast.Module) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """What may have a docstring. Unlike `ast.walk` it does not look into expressions, which are most of a tree."""
    found: list[ast.AST] = [tree]
    for node in found:
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
        found += [child for child in ast.iter_child_nodes(node) if isinstance(child, (ast.stmt, ast.excepthandler))]
