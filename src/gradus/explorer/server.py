"""The page's server: the files of `web`, and the views as JSON. Requests for another host, or from another site's page,
are refused. With `serve`, the only part of the explorer that needs the extra `web`."""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gradus.errors import UserError
from gradus.explorer.export import WEB, export, from_page
from gradus.explorer.first_model import FirstModel
from gradus.explorer.opened import Opened
from gradus.explorer.runs import Runs, id_of
from gradus.explorer.view import View, in_order
from gradus.explorer.views import VIEWS

TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
MOST_BODY = 1_000_000  # bytes of a request
REPLACED = 499  # the status of a request whose client no longer waits

HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


class Guard:
    """Lets through only requests that were typed into, or come from a page of, this very address, and puts the security
    headers on every answer.

    A page of another site could otherwise send requests here from the reader's browser: by its own name with this
    machine's number (DNS rebinding), which the Host header shows, or straight, which the Origin header shows.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refused = self._refused({name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]})

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *own]
            await send(message)

        app = self.app if refused is None else PlainTextResponse(f"{refused}\n", 403)
        await app(scope, receive, send_with_headers)

    def _refused(self, headers: Mapping[str, str]) -> str | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self.hosts:
            return f"this page answers at {min(self.hosts)} only, not at {host[:100]!r}"
        if origin is not None and origin.removeprefix("http://") not in self.hosts:
            return f"a page of {origin[:100]} may not ask this one"
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return "a page of another site may not ask this one"
        return None


class Server:
    """What answers the page.

    Args:
        runs: which it may look into.
        views: what it may ask for, by name.
        debug: print the traceback of an error that is a fault of ours.
    """

    def __init__(self, runs: Runs, views: Mapping[str, View] = VIEWS, *, debug: bool = False) -> None:
        self.runs, self.views, self.debug = runs, views, debug
        self.first_model = FirstModel()
        self.exported: Callable[[str | UserError], object] = lambda _: None  # told of every page that is exported
        self.files = {path.relative_to(WEB).as_posix(): path for path in WEB.rglob("*") if path.is_file()}
        self._locks: WeakKeyDictionary[Opened, asyncio.Lock] = WeakKeyDictionary()

    def app(self, port: int) -> ASGIApp:
        """The application, for one port."""
        routes = [
            Route("/api/runs", self._told(self._runs)),
            Route("/api/first-model", self._told(self._first_model), methods=["GET", "POST"]),
            Route("/api/export", self._told(self._export), methods=["POST"]),
            Route("/api/{view:path}", self._told(self._view)),
            Route("/{file:path}", self._file),
        ]
        return Guard(Starlette(routes=routes), port)

    async def _file(self, request: Request) -> Response:
        """A file of the page: one of those that there are, found by its name and not by a path."""
        name = request.path_params["file"] or "index.html"
        if name not in self.files:
            return PlainTextResponse(f"there is nothing at /{name[:100]}\n", 404)
        path = self.files[name]
        return Response(path.read_bytes(), media_type=TYPES.get(path.suffix, "text/plain"))

    async def _runs(self, request: Request) -> Response:  # noqa: ARG002
        return JSONResponse({"runs": await run_in_threadpool(self.runs.listed), "first": self.runs.first})

    async def _first_model(self, request: Request) -> Response:
        """Train a first model, when the page asks for it; and how far that is."""
        if request.method == "POST":
            _require_page(request)
            self.first_model.start()  # here and not in a thread: two requests at once begin one training
        state, folder = self.first_model.state(), self.first_model.folder
        return JSONResponse({**state, "run": None if folder is None else id_of(folder)})

    async def _export(self, request: Request) -> Response:
        """The page as one file: to the browser, or to whoever waits for it."""
        _require_page(request)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BODY:
                raise UserError("what is on the screen is too much for one file; a shorter text needs less")
        try:
            page = await run_in_threadpool(export, self.runs, *from_page(body), self.views)
        except UserError as error:
            self.exported(error)
            raise
        self.exported(page)
        return Response(page, media_type="text/html")

    async def _view(self, request: Request) -> Response:
        name = request.path_params["view"]
        view = self.views.get(name)
        if view is None:
            return JSONResponse({"error": f"there is no view {name[:100]!r}"}, 404)
        given, named = view.split(dict(request.query_params))
        parameters = view.parse(given)
        opened = [await run_in_threadpool(self.runs.open, *one) for one in named]
        async with AsyncExitStack() as stack:
            for one in in_order(opened):  # here a request waits without a thread, and can be dropped
                await stack.enter_async_context(self._locks.setdefault(one, asyncio.Lock()))
            if await request.is_disconnected():  # replaced by a later one while it waited
                return Response(status_code=REPLACED)
            body = await run_in_threadpool(partial(_computed, view, opened, parameters))
        return Response(body, media_type="application/json")

    def _told(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """An answer, in which every error is one line."""

        async def answered(request: Request) -> Response:
            try:
                return await answer(request)
            except UserError as error:
                return JSONResponse({"error": " ".join(str(error).split())}, 400)
            except MemoryError:
                return JSONResponse({"error": "there is not enough memory for this; a shorter text needs less"}, 507)
            except Exception as error:
                if self.debug:
                    traceback.print_exc()
                line = f"gradus could not compute this ({type(error).__name__}: {' '.join(str(error).split())[:300]})"
                print(f"gradus: {line}", file=sys.stderr, flush=True)
                return JSONResponse({"error": f"{line}; gradus --debug explore shows where"}, 500)

        return answered


def _require_page(request: Request) -> None:
    """Refuse what does not come from the page: a browser sends the origin with every POST."""
    if "origin" not in request.headers:
        raise UserError("only the page itself may ask for this")


def _computed(view: View, opened: list[Opened], parameters: dict[str, Any]) -> bytes:
    result = view.answer(opened, parameters)
    return json.dumps(result, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
