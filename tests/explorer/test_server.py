"""The server answers its own page only, and what goes wrong is one line; it goes on."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest

from gradus.explorer import Opened, Parameter, View
from gradus.explorer.first_model import FirstModel
from gradus.explorer.overview import about
from gradus.explorer.runs import Runs
from gradus.training import runs_in
from tests.explorer.models import TEXT, opened, run

pytest.importorskip("uvicorn", reason="the page is served by uvicorn, which the web extra brings")
from tests.explorer.browser.conftest import served


class Client:
    """Asks one server, with the headers that a test chooses."""

    def __init__(self, address: str) -> None:
        self.port = int(address.rstrip("/").rsplit(":", 1)[1])

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.putrequest(method, path, skip_host="Host" in headers)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, answer.read().decode(), told

    def error(self, path: str, status: int = 400) -> str:
        got, body, _ = self.get(path)
        assert got == status, body
        line = json.loads(body)["error"]
        assert isinstance(line, str)
        assert "\n" not in line
        return line


@pytest.fixture(scope="module")
def gpt() -> Opened:
    return opened()


@pytest.fixture(scope="module")
def client(gpt: Opened) -> Iterator[Client]:
    runs = Runs(list)
    runs.add(gpt)
    with served(runs) as address:
        yield Client(address)


def answered(connection: socket.socket) -> str:
    """The body of the answer that comes through a connection."""
    data = b""
    while not data.endswith(b"}"):
        data += connection.recv(10_000)
    return data.decode().split("\r\n\r\n")[1]


ABOUT = "/api/about?run=" + quote("random gpt")


def test_a_view_is_answered(client: Client, gpt: Opened) -> None:
    status, body, _ = client.get(ABOUT)
    assert status == 200
    assert json.loads(body) == json.loads(json.dumps(about(gpt)))


@pytest.mark.parametrize("host", ["example.com", "127.0.0.1", "127.0.0.1:1", "localhost.example.com:80", ""])
def test_another_host_is_refused(client: Client, host: str) -> None:
    status, body, _ = client.get(ABOUT, Host=host)
    assert (status, body.count("\n")) == (403, 1)
    assert "answers at" in body


@pytest.mark.parametrize("origin", ["http://example.com", "https://127.0.0.1", "null", "http://127.0.0.1:1"])
def test_another_origin_is_refused(client: Client, origin: str) -> None:
    for path in ("/", ABOUT):
        status, body, _ = client.get(path, Origin=origin)
        assert (status, body.count("\n")) == (403, 1)
    assert client.get(ABOUT, Origin=f"http://127.0.0.1:{client.port}")[0] == 200


def test_a_page_of_another_site_is_refused_though_it_names_no_origin(client: Client) -> None:
    assert client.get(ABOUT, Sec_Fetch_Site="cross-site")[0] == 403
    assert client.get(ABOUT, Sec_Fetch_Site="same-origin")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../server.py",
        "/lib/../../server.py",
        "/%2e%2e/server.py",
        "//etc/passwd",
        "/..%5cserver.py",
        "/lib",
        "/lib/%00",
    ],
)
def test_a_path_with_dots_leads_nowhere(client: Client, path: str) -> None:
    status, body, _ = client.get(path)
    assert (status, body.count("\n")) == (404, 1)


def test_a_run_is_named_by_its_id_and_never_by_a_path(client: Client, tmp_path: Path) -> None:
    folder = run(tmp_path, "bigram", steps=1)
    for named in (str(folder.path), f"../{folder.path.name}", "gpt", "../../etc"):
        assert "there is no run" in client.error(f"/api/about?run={quote(named, safe='')}")


def test_every_answer_has_the_security_headers(client: Client) -> None:
    for path in ("/", "/app.js", ABOUT, "/nothing", "/api/nothing"):
        headers = client.get(path)[2]
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    assert client.get("/app.js")[2]["content-type"].startswith("text/javascript")


def test_nothing_but_reading_is_answered(client: Client) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert client.get(ABOUT, method)[0] == 405


def test_a_bad_parameter_and_an_unknown_view_are_told_in_one_line(client: Client) -> None:
    assert client.error("/api/tokens?run=random%20gpt&size=1") == "there is no parameter 'size'; there are text"
    assert client.error("/api/nothing", 404) == "there is no view 'nothing'"
    assert "'%'" in client.error("/api/tokens?run=random%20gpt&text=%25")


def test_a_long_text_is_refused_and_the_server_goes_on(client: Client) -> None:
    assert "at most 20,000 characters" in client.error(f"/api/tokens?run=random%20gpt&text={'a' * 20_001}")
    assert client.get(f"/api/tokens?run=random%20gpt&text={quote('a' * 20_000)}")[0] == 200
    with closing(socket.create_connection(("127.0.0.1", client.port), timeout=20)) as connection:
        try:
            connection.sendall(f"GET /api/tokens?text={'a' * 10_000_000} HTTP/1.1\r\n".encode())
            answer = connection.recv(10_000)
        except OSError:  # it does not read to the end
            answer = b"HTTP/1.1 400"
        assert answer.startswith(b"HTTP/1.1 400")
    assert client.get(ABOUT)[0] == 200


def test_a_run_that_is_deleted_is_told_in_one_line_and_the_others_go_on(tmp_path: Path) -> None:
    folders = [run(tmp_path / name, "bigram", steps=1).path for name in ("first", "second")]
    with served(Runs(lambda: folders)) as address:
        client = Client(address)
        first, second = (row["id"] for row in json.loads(client.get("/api/runs")[1])["runs"])
        assert client.get(f"/api/about?run={first}")[0] == 200
        shutil.rmtree(folders[0])
        assert "no longer there" in client.error(f"/api/about?run={first}")
        assert client.get(f"/api/about?run={second}")[0] == 200


def test_a_run_that_has_changed_is_opened_anew(tmp_path: Path) -> None:
    folder = run(tmp_path, "bigram", steps=1)
    runs = Runs(lambda: [folder.path])
    (row,) = runs.listed()
    before = runs.open(row["id"])
    assert runs.open(row["id"]) is before
    folder.update(reported=True)
    assert runs.open(row["id"]) is not before


def test_a_fault_is_one_line_and_its_traceback_stays_here(gpt: Opened, capfd: pytest.CaptureFixture[str]) -> None:
    def fails(opened: Opened) -> dict[str, float]:
        raise ZeroDivisionError(f"of {opened.name}")

    runs = Runs(list)
    runs.add(gpt)
    with served(runs, {"fails": View(fails), "about": View(about)}) as address:
        client = Client(address)
        line = client.error("/api/fails?run=random%20gpt", 500)
        assert "ZeroDivisionError: of random gpt" in line
        assert client.get(ABOUT)[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_what_waits_and_is_no_longer_wanted_is_not_computed(gpt: Opened) -> None:
    """The first request holds the model; of those that wait for it, only the one whose reader still listens is
    computed."""
    begun, go_on, computed = threading.Event(), threading.Event(), list[int]()

    def slow(_: Opened, number: int) -> dict[str, int]:
        computed.append(number)
        begun.set()
        assert go_on.wait(20)
        return {"number": number}

    runs = Runs(list)
    runs.add(gpt)
    with served(runs, {"slow": View(slow, {"number": Parameter(int, 0)})}) as address:
        client = Client(address)

        def ask(number: int) -> socket.socket:
            connection = socket.create_connection(("127.0.0.1", client.port), timeout=20)
            path = f"/api/slow?run=random%20gpt&number={number}"
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n\r\n".encode())
            return connection

        with closing(ask(1)) as first:
            assert begun.wait(20)
            for number in range(2, 6):
                ask(number).close()
            with closing(ask(6)) as last:
                # A request that is answered at once has come after those, so that they have been read.
                assert client.get("/api/nothing")[0] == 404
                go_on.set()
                for connection, number in ((first, 1), (last, 6)):
                    assert answered(connection) == f'{{"number":{number}}}'
    assert computed == [1, 6]


def test_ctrl_c_ends_the_command_with_the_status_of_the_others(tmp_path: Path) -> None:
    folder = run(tmp_path, "bigram", steps=1)
    command = [sys.executable, "-m", "gradus", "explore", str(folder.path), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("the page is at http://127.0.0.1:")
        assert Client(line.split()[-1]).get("/")[0] == 200
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert (process.returncode, told.strip()) == (130, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bigram", "text.txt"]


def test_a_first_model_is_trained_when_the_page_asks_and_not_when_another_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text(TEXT * 40)
    command = ["gradus", "train", "text.txt", "--model", "bigram", "--steps", "1"]
    monkeypatch.setattr("gradus.explorer.server.FirstModel", lambda: FirstModel(command))
    with served(Runs(lambda: runs_in("runs"))) as address:
        client = Client(address)
        assert client.get("/api/first-model", "POST")[0] == 400
        assert json.loads(client.get("/api/first-model")[1]) == {
            "command": " ".join(command),
            "running": False,
            "done": False,
            "error": "",
            "run": None,
        }
        assert not (tmp_path / "runs").exists()
        status, body, _ = client.get("/api/first-model", "POST", Origin=address.rstrip("/"))
        assert status == 200
        while (state := json.loads(body))["running"]:
            body = client.get("/api/first-model")[1]
        assert (state["done"], state["error"]) == (True, "")
        assert client.get(f"/api/about?run={state['run']}")[0] == 200


def test_a_training_that_fails_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = FirstModel(["gradus", "train", "nothing.txt"])
    first.start()
    while (state := first.state())["running"]:
        pass
    first.stop()
    assert "nothing.txt" in state["error"]
    assert not state["done"]
