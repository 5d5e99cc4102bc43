"""Serving the page on this machine only, until Ctrl-C or until it is exported."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import uvicorn

from gradus.errors import UserError
from gradus.explorer.runs import Runs
from gradus.explorer.server import Server
from gradus.explorer.view import View
from gradus.explorer.views import VIEWS

HOST = "127.0.0.1"
LONGEST_EXPORT = 120  # seconds
MOST_HEAD = 300_000  # bytes of a request's line and headers: a text of 20,000 characters, each in up to twelve


def bound(port: int | None) -> socket.socket:
    """A socket on 127.0.0.1 at a port, or at a free one. UserError if the port is taken."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port or 0))
        found.listen()  # who asks before the server has started waits for it
    except OSError as error:
        found.close()
        raise UserError(f"port {port} cannot be used ({error.strerror}); leave out --port for a free one") from error
    return found


def serve(
    runs: Runs, *, port: int | None = None, started: Callable[[str], object] = print, debug: bool = False
) -> None:
    """Serve the page, and return after Ctrl-C or a termination signal.

    Args:
        runs: which it may look into.
        port: where; None takes a free one.
        started: called with the address when the server answers.

    Raises:
        UserError: if the port is taken.
        KeyboardInterrupt: after Ctrl-C, when the server has ended.
    """
    place = bound(port)
    server, address = server_at(place, runs, debug=debug)
    server.then = lambda: started(address)
    try:
        with place:
            server.run(sockets=[place])
    finally:
        server.page.first_model.stop()


def exported(runs: Runs, fragment: str, show: Callable[[str], AbstractContextManager[None]]) -> str:
    """The page in a state as one HTML file, as a browser asks for it.

    Args:
        runs: which it may look into.
        fragment: the state.
        show: opens an address in a browser for as long as its block.

    Raises:
        UserError: if the state cannot be exported, or no browser answers within two minutes.
    """
    place, done = bound(None), queue.SimpleQueue[str | UserError]()
    server, address = server_at(place, runs)
    server.page.exported = done.put
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
    thread.start()
    try:
        with show(f"{address}?export#{fragment}"):
            found = done.get(timeout=LONGEST_EXPORT)
    except queue.Empty:
        raise UserError(f"the browser has not shown the page within {LONGEST_EXPORT} seconds") from None
    finally:
        server.should_exit = True
        thread.join()
        place.close()
    if isinstance(found, UserError):
        raise found
    return found


class Announcing(uvicorn.Server):
    """The server of a page, which calls a function as soon as it answers."""

    def __init__(self, config: uvicorn.Config, page: Server) -> None:
        super().__init__(config)
        self.page = page
        self.then: Callable[[], object] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.then is not None:
            self.then()


def server_at(
    place: socket.socket, runs: Runs, views: Mapping[str, View] = VIEWS, *, debug: bool = False
) -> tuple[Announcing, str]:
    """The server for a socket, and the page's address."""
    port, page = place.getsockname()[1], Server(runs, views, debug=debug)
    config = uvicorn.Config(
        page.app(port),
        log_level="critical",
        http="h11",
        ws="none",
        lifespan="off",
        h11_max_incomplete_event_size=MOST_HEAD,
        timeout_graceful_shutdown=1,
    )
    return Announcing(config, page), f"http://{HOST}:{port}/"
