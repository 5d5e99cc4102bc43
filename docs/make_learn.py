"""Writes learn.md, the exercises in use: `python docs/make_learn.py` works through the first five in a terminal of its
own, 80 columns wide, and keeps what stood there."""

from __future__ import annotations

import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

from gradus.learn.exercise import catalogue, find
from gradus.learn.folder import Folder

PAGE = Path(__file__).parent / "learn.md"
KEYS = "q quit"  # the end of what the watcher says after each check
ROWS, COLUMNS = 50, 80

HEAD = """# gradus learn

The exercises of the lessons: {number}, in {lessons} lessons. In each you write a function, write a backward, find a
bug, predict a number, or put together what you have built, and at each save you see whether it is right: which call,
what came, what was expected, where the two differ first and, if the mistake is one we know, its name.

```
gradus learn init                # write the exercises into the folder "exercises"
gradus learn                     # watch the current one, and check it at each save
gradus learn check value         # check once; exit status 1 if it fails
gradus learn check --all         # all that have been begun
gradus learn list                # those that there are, and how far you are
gradus learn hint                # the next hint for the current one; or for one that is named
gradus learn goto mlp            # make another the current one
gradus learn reset value         # its beginning again; asks, and keeps a copy of yours
gradus learn solution value      # asks
```

* An exercise has a name and a number: `value` is 2.2, its file 02_2_value.py.
* What has passed is imported by later exercises, `from mine.value import Value`. Where yours has not passed, or has
  been changed since, gradus's own takes its place, and the message says so. Scripts and notebooks in the folder can
  import `mine` too.
* In a notebook: `from gradus.learn import check`, then `check("slope")` for the file, or `check(slope)` for a function
  that a cell defines; the cell has to import what it uses.
* Nothing of yours is overwritten: `reset` asks, and keeps a copy in the folder `copies`.
* Your code runs in a process of its own, with limits of time and memory. The verdict is not made there; it
  sends what your functions gave back, and another one compares. It is no protection against programs that mean harm.
* The inputs are drawn anew at each check. Whoever wants to be sure of a folder that somebody else has filled runs
  `gradus learn check --all` rather than reading progress.txt.

| exercise | title | kind | level | minutes |
|---|---|---|---|---|
{table}

## The first five, in a terminal

What follows is a session as it stood in a terminal of 80 columns. Lines that begin with `>>>` say what was done
meanwhile.

```
{transcript}
```

## How to write one

An exercise is one Markdown file in `src/gradus/learn/exercises`; `exercise.py` beside that folder says what its
sections are. The tests take a new file up by themselves: its stub has to fail, its solution to pass in a fresh process,
each of its planted mistakes to fail and to be told by name, and an endless loop, an exit, a print in place of a return,
a constant and a changed input to be noticed.
"""


class Terminal:
    """A program in a terminal, and what it has written there."""

    def __init__(self, command: list[str], folder: Path) -> None:
        ours, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self.end = ours

    def until(self, text: str) -> str:
        """All that is written until a text comes, without colours."""
        written = b""
        while text.encode() not in written:
            written += os.read(self.end, 65536)
        return re.sub(r"\x1b\[[0-9;]*m", "", written.decode()).replace("\r\n", "\n").strip("\n")

    def press(self, key: str) -> None:
        os.write(self.end, key.encode())


def session(root: Path) -> Iterator[str]:
    """What one does, and what the terminal shows."""
    gradus = [sys.executable, "-m", "gradus", "learn"]
    yield "$ gradus learn init"
    yield subprocess.run([*gradus, "init"], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    folder = Folder(root / "exercises")
    slope, curve = find("slope"), find("error_curve")
    yield "\n$ cd exercises\n$ gradus learn"
    terminal = Terminal(gradus, folder.path)
    yield terminal.until(KEYS)

    def save(name: str, text: str, what: str) -> Iterator[str]:
        folder.file(find(name)).write_text(text)
        yield f"\n>>> {what}\n"
        yield terminal.until(KEYS)

    def press(key: str, until: str = KEYS) -> Iterator[str]:
        terminal.press(key)
        yield f"\n>>> the key {key}\n"
        yield terminal.until(until)

    yield from save("slope", slope.mistakes[1].text, "saved with: return (f(x) - f(x + h)) / h")
    yield from press("h", "after the nudge.")
    yield from save("slope", slope.solution, "saved with: return (f(x + h) - f(x)) / h")
    yield from press("n")
    yield from save("gradient", find("gradient").solution, "written, and saved")
    yield from press("n")
    yield from save("error_curve", curve.mistakes[0].text, "one of the two bugs found: abs(slope - exact)")
    yield from press("x", "y/n")
    yield from press("y")
    yield from save("error_curve", curve.solution, "both found, and saved")
    yield from press("n")
    wrong = find("predict_slope").mistakes[1].text
    yield from save("predict_slope", wrong, "four numbers written down; for a: -3")
    yield from save("predict_slope", find("predict_slope").solution, "for a: 6")
    yield from press("n")
    yield from save("chain", find("chain").solution, "written, and saved")
    terminal.press("q")
    terminal.process.wait()


def main() -> None:
    exercises = catalogue().values()
    levels = ("easy", "medium", "hard")
    rows = [f"| {e} | {e.title} | {e.kind} | {levels[e.difficulty - 1]} | {e.minutes} |" for e in exercises]
    with tempfile.TemporaryDirectory() as folder:
        transcript = "\n".join(session(Path(folder)))
    lessons = len({e.lesson for e in exercises})
    page = HEAD.format(number=len(rows), lessons=lessons, table="\n".join(rows), transcript=transcript)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
