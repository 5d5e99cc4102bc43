"""The process in which an exercise's checks are run on a learner's module: `python -P -m gradus.learn.child`.

It reads jobs, one line of JSON each, and answers each with lines of JSON: one before and one after every case. It
doesn't judge: it sends what came, as plain data, and the process that started it compares. So whatever
the learner's code does here, exit, write to the channel, replace functions of ours, the most it can do is to send wrong
answers, or none.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import traceback
from contextlib import suppress
from typing import IO, Any

from gradus.learn.checks import all_cases
from gradus.learn.exercise import catalogue
from gradus.learn.modules import install, module_from_text
from gradus.learn.plain import plain

MEMORY = 4 << 30  # bytes more than at the beginning; an endless list ends in an error, not in a machine that swaps
WRITTEN = 64 << 20  # bytes of one file
PRINTED = 2000  # characters that are passed on


def main() -> None:
    """Answer jobs until the input ends."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    capture = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 (until the process ends)
    os.dup2(capture.fileno(), 1)
    os.dup2(capture.fileno(), 2)

    def send(**line: Any) -> None:
        channel.write(json.dumps(line) + "\n")
        channel.flush()

    for module in sys.argv[1:]:
        __import__(module)
    _limit()
    jobs = sys.stdin
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 (what the learner's code asks for is not there)
    send(ready=True)
    for line in jobs:
        run(json.loads(line), send, capture)


def run(job: dict[str, Any], send: Any, capture: IO[str]) -> None:
    """Import the learner's text and run every case on it. The line "end" says that all were run."""
    install(job["mine"], job["exercise"])
    sys.setrecursionlimit(1000)
    _printed(capture)
    try:
        module = module_from_text(job["exercise"], job["text"], job["file"])
    except BaseException as error:
        send(failed=_described(error, job), printed=_printed(capture))
        return
    printed = _printed(capture)
    for index, case in enumerate(all_cases(module_from_text("checks", catalogue()[job["exercise"]].checks, "checks"))):
        if index > job.get("last", index):
            break
        arguments = case.arguments(job["seed"] + index)
        before = [plain(value) for value in arguments]
        send(begins=index, name=case.name, tolerance=case.tolerance, arguments=before)
        random.seed(job["seed"])
        try:
            came = plain(case.run(module, *arguments))
            after = [plain(value) for value in arguments]
        except BaseException as error:
            send(index=index, error=_described(error, job), printed=printed + _printed(capture))
        else:
            send(index=index, came=came, after=after, printed=printed + _printed(capture))
        printed = ""
    send(end=True)


def _described(error: BaseException, job: dict[str, Any]) -> dict[str, Any]:
    """An error, and the last line of the learner's that led to it."""
    file = job["file"]
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file or "mine" in f.filename]
    line: dict[str, Any] = {"file": frames[-1].filename, "line": frames[-1].lineno} if frames else {}
    if isinstance(error, SyntaxError) and error.filename == file:
        line = {"file": file, "line": error.lineno}
    if line and line["file"] == file and line["line"]:
        line["code"] = "".join(job["text"].splitlines()[line["line"] - 1 :][:1]).strip()
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return {"type": type(error).__name__, "message": message[:400].encode("utf-8", "replace").decode(), **line}


def _printed(capture: IO[str]) -> str:
    """What was printed since the last call."""
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
        capture.seek(0)
        text = capture.read(PRINTED)
        capture.seek(0)
        capture.truncate()
        return text
    return ""


def _limit() -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with open("/proc/self/statm", encoding="ascii") as file:  # Linux; elsewhere the limit does not hold anyway
            most = int(file.read().split()[0]) * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
