"""The watcher: looks at the current exercise's file twenty times a second, checks it when it was saved, answers keys.

It asks the file system rather than waiting for its events, which do not come on network drives, in Docker and in WSL.
Keys are read as they are pressed where there is a terminal, and as characters of the input where there is none.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator

from gradus.errors import UserError
from gradus.learn import message
from gradus.learn.exercise import catalogue
from gradus.learn.session import Session

LOOK = 0.05  # seconds between two looks at the file
KEYS = "n next   h hint   s solution   l list   x reset   c check all   q quit"
END = ""  # in place of a key: the input has ended


class Watcher:
    """Checks at each save, until `q`.

    Args:
        say: shows a text.
        keys: where keys arrive; END when there will be no more.
    """

    def __init__(self, session: Session, say: Callable[[str], None], keys: queue.Queue[str]) -> None:
        self.session, self.say, self.keys = session, say, keys
        self.checked: object = None  # the state of the file when it was checked; None asks for a check at once
        self.seen: object = None  # its state a moment ago

    def run(self) -> bool:
        """Watch. Returns whether the current exercise had passed at the end."""
        self.say(self.session.heading(self.session.current))
        passed = self.look()
        while True:
            try:
                key = self.keys.get(timeout=LOOK)
            except queue.Empty:
                key = None
            if key in ("q", END, "\x03", "\x04"):
                return passed
            if key is not None and key.strip():
                self.press(key)
            passed = self.look() if self.changed() else passed

    def changed(self) -> bool:
        """Whether the file has been saved: it has changed, and an editor is no longer writing it."""
        before, self.seen = self.seen, self._state()
        return self.checked is None or self.checked != self.seen == before

    def look(self) -> bool:
        """Check the current exercise, and show the verdict."""
        self.checked = self._state()
        try:
            verdict = self.session.check(self.session.current)
        except UserError as error:
            self.say(f"{error}\n{KEYS}")
            return False
        self.say(f"{self.session.said(verdict)}\n\n{KEYS}")
        return verdict.passed

    def press(self, key: str) -> None:
        """Answer a key."""
        session, exercise = self.session, self.session.current
        if key == "n":
            self.say(session.next())
            self.checked = None
        elif key == "h":
            self.say(session.hint(exercise))
        elif key == "s" and self.sure("Show the solution?"):
            self.say(exercise.solution)
        elif key == "x" and self.sure(
            f"Write the beginning of {session.folder.shown(exercise)} again? A copy of yours is kept."
        ):
            self.say(session.reset(exercise))
            self.checked = None
        elif key == "l":
            self.say("\n".join(f"{s:9} {name:28} {kind:17} {minutes}" for s, name, kind, minutes in session.table()))
        elif key == "c":
            self.say(summary(session))
        elif key not in "sx":
            self.say(KEYS)

    def sure(self, question: str) -> bool:
        """Whether the learner says yes."""
        self.say(f"{question} y/n")
        while not (key := self.keys.get()).strip() and key != END:
            pass
        if key == END:
            self.keys.put(END)
        return key in ("y", "Y")

    def _state(self) -> object:
        path = self.session.folder.file(self.session.current)
        try:
            stat = os.stat(path)
        except OSError:
            return path, None
        return path, stat.st_mtime_ns, stat.st_size


def summary(session: Session) -> str:
    """Check all that has been begun, and say of each in a line what came of it."""
    verdicts = session.check_all()
    lines = [message.message(verdict).splitlines()[0] for verdict in verdicts]
    passed = sum(verdict.passed for verdict in verdicts)
    return "\n".join([*lines, f"{passed} of {len(catalogue())} exercises have passed"])


@contextlib.contextmanager
def key_presses() -> Iterator[queue.Queue[str]]:
    """A queue of the keys that are pressed; the terminal is put back as it was at the end."""
    keys: queue.Queue[str] = queue.Queue()
    with contextlib.ExitStack() as stack:
        threading.Thread(target=_pass_on, args=(_reader(stack), keys), daemon=True).start()
        yield keys


def _pass_on(read: Callable[[], str], keys: queue.Queue[str]) -> None:
    key = None
    while key != END:
        try:
            key = read()
        except (OSError, ValueError):
            key = END
        keys.put(key)


def _reader(stack: contextlib.ExitStack) -> Callable[[], str]:
    """What reads one key; a terminal is made to give each at once, without Enter."""
    try:
        number = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):  # no file: a test's, or none at all
        return lambda: sys.stdin.read(1) if sys.stdin else END
    if sys.stdin.isatty() and sys.platform == "win32":
        import msvcrt

        return msvcrt.getwch
    if sys.stdin.isatty():
        import termios
        import tty

        stack.callback(termios.tcsetattr, number, termios.TCSADRAIN, termios.tcgetattr(number))
        tty.setcbreak(number)

    def read() -> str:
        byte = os.read(number, 1)  # not sys.stdin's buffer, whose lock this thread would hold when Python ends
        return byte.decode("ascii", "ignore") or " " if byte else END

    return read
