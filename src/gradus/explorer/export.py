"""The page as one file: what was on the screen with the answers that it needs, a few other texts, and what a click
leads to, as far as there is room. It needs no server, and no other file."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from gradus.errors import UserError
from gradus.explorer.overview import first_texts
from gradus.explorer.runs import Runs
from gradus.explorer.view import View
from gradus.explorer.views import VIEWS

WEB = Path(__file__).parent / "web"
MOST = 2_000_000  # bytes of the file
OTHER_TEXTS = 3
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Asked:
    """A request that the page has made: a view, and its parameters as text, those that name runs among them."""

    view: str
    parameters: Mapping[str, str]

    @property
    def key(self) -> str:
        """What the page finds the answer by."""
        return json.dumps([self.view, sorted(self.parameters.items())], ensure_ascii=False, separators=(",", ":"))

    def but(self, **others: object) -> Asked:
        """The same with other parameters."""
        return Asked(self.view, {**self.parameters, **{name: str(value) for name, value in others.items()}})


def answer(runs: Runs, asked: Asked, views: Mapping[str, View] = VIEWS) -> Any:
    """What the server would answer to a request, as JSON takes it. UserError if it would refuse."""
    view = views.get(asked.view)
    if view is None:
        raise UserError(f"there is no view {asked.view[:100]!r}")
    given, opened = view.split(asked.parameters)
    parameters = view.parse(given)
    return view.answer([runs.open(*one) for one in opened], parameters)


def export(runs: Runs, fragment: str, asked: Sequence[Asked], views: Mapping[str, View] = VIEWS) -> str:
    """The page as one HTML file of less than 2 MB.

    Args:
        fragment: the state, as in the page's address behind the #.
        asked: what the page has asked for in that state.

    Raises:
        UserError: if there is no such run, or what is on the screen is larger than that.
    """
    state = dict(parse_qsl(fragment))
    run = state.get("run", "")
    opened = runs.open(run, state.get("moment") or None)
    listed = [row for row in runs.listed() if row["id"] in (run, state.get("run2"))]
    texts = [text for text in first_texts(opened, OTHER_TEXTS + 1) if text != state.get("text", "")][:OTHER_TEXTS]
    given: dict[str, str] = {}
    texts = [state.get("text", ""), *texts]
    before, after = _page(
        {"fragment": fragment, "tab": state.get("tab", "forward"), "texts": texts, "runs": listed, "first": run}
    )
    size = len(before.encode()) + len(after.encode()) + 1000

    def add(wanted: Iterable[Asked]) -> bool:
        """Add answers, all or none; those that would be refused are left out, or say so."""
        nonlocal size
        found = {}
        for one in wanted:
            if one.key not in given:
                try:
                    found[one.key] = _script_json(answer(runs, one, views))
                except UserError as error:
                    found[one.key] = _script_json({"error": str(error)})
        more = sum(len(key.encode()) + len(text.encode()) + 10 for key, text in found.items())
        if size + more > MOST:
            return False
        size += more
        given.update(found)
        return True

    if not add(asked):
        raise UserError("what is on the screen needs more than 2 MB as a file; a shorter text needs less")
    for group in _others(asked, state, texts[1:], dict(_sizes(opened)), views):
        add(group)
    answers = ",".join(f"{_script_json(key)}:{text}" for key, text in given.items())
    return f"{before}{{{answers}}}{after}"


def _sizes(opened: Any) -> Iterator[tuple[str, int]]:
    """How many layers and heads a model has."""
    for name, field in (("layer", "n_layer"), ("head", "n_head")):
        if hasattr(opened.config, field):
            yield name, getattr(opened.config, field)


def _others(
    asked: Sequence[Asked],
    state: Mapping[str, str],
    texts: Sequence[str],
    sizes: Mapping[str, int],
    views: Mapping[str, View],
) -> Iterator[list[Asked]]:
    """What a reader may look at next, in groups, the likeliest first: another layer or head, another token, another
    text."""
    known = [one for one in asked if one.view in views]
    text = state.get("text", "")
    tokens = [str(i) for i in range(min(64, len(text) + 1))]
    for one in known:
        takes = views[one.view].parameters
        varied = [name for name in ("layer", "head") if name in takes and sizes.get(name, 0) > 1]
        if varied:
            yield [one.but(**dict(zip(varied, at, strict=True))) for at in product(*(range(sizes[n]) for n in varied))]
    for one in known:
        if "token" in views[one.view].parameters:
            yield [one.but(token=token) for token in tokens]
    for other in texts:
        yield [one.but(text=other) for one in known if one.parameters.get("text") == text and text]


def _page(about: Mapping[str, Any]) -> tuple[str, str]:
    """The file before and after its answers: the styles, the code as modules of an import map, what it is."""
    modules = {f"gradus/{path.relative_to(WEB).as_posix()}": path for path in sorted(WEB.rglob("*.js"))}
    imports = {name: _data("text/javascript", _with_whole_names(path, name)) for name, path in modules.items()}
    style = (WEB / "app.css").read_text(encoding="utf-8")
    for imported in sorted(WEB.rglob("*.css")):
        if imported.name != "app.css":
            style += imported.read_text(encoding="utf-8")
    index = (WEB / "index.html").read_text(encoding="utf-8")
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    for old, new in (
        ('<meta charset="utf-8">', f'<meta charset="utf-8">\n{policy}'),
        ('<script type="module" src="app.js"></script>\n', ""),
    ):
        if old not in index:
            raise AssertionError(f"index.html has no {old}")
        index = index.replace(old, new)
    index = re.sub(r'<link rel="stylesheet" href="[^"]+">\n', "", index)
    head, body = index.split("</head>")
    start, end = body.split("</body>")
    before = (
        f"{head}<style>\n{style}</style>\n"
        f'<script type="importmap">{_script_json({"imports": imports})}</script>\n</head>{start}'
        f'<script type="application/json" id="exported">{_script_json(about)}</script>\n'
        '<script type="application/json" id="answers">'
    )
    return before, f'</script>\n<script type="module">import "gradus/app.js";</script>\n</body>{end}'


def _with_whole_names(path: Path, name: str) -> str:
    """A module in which those that it imports by their place are imported by name: a data: address has no place."""
    here = name.split("/")[:-1]

    def whole(found: re.Match[str]) -> str:
        parts = list(here)
        for part in found[2].split("/"):
            if part == "..":
                parts.pop()
            elif part != ".":
                parts.append(part)
        return f'{found[1]}"{"/".join(parts)}"'

    text = path.read_text(encoding="utf-8")
    return re.sub(r'^((?:import|export|\})[^"\n;]*?(?:from )?)"(\.[^"]+)"', whole, text, flags=re.MULTILINE)


def _data(kind: str, text: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"


def _script_json(value: Any) -> str:
    """JSON that may stand in a script element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode().replace("<", "\\u003c").replace("\u2028", "\\u2028")


def from_page(body: bytes) -> tuple[str, list[Asked]]:
    """What the page sends to be exported: its fragment, and what it has asked for. UserError if it is none."""
    try:
        sent = json.loads(body)
        fragment, asked = sent["fragment"], [Asked(one["view"], dict(one["params"])) for one in sent["asked"]]
        if not isinstance(fragment, str) or not all(
            isinstance(part, str) for one in asked for part in (one.view, *one.parameters, *one.parameters.values())
        ):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError("this is no request for an export") from error
    return fragment, asked
