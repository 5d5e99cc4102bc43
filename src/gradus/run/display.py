"""What a cell shows: text on its streams, values, pictures, as the outputs of a notebook (nbformat 4)."""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

Output = dict[str, Any]

# How an object may show itself -> what that gives.
_METHODS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_latex_": "text/latex",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
}


class Recorder:
    """Collects the outputs of one cell, and passes its text on.

    Args:
        quiet: pass on only what goes to standard error.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.outputs: list[Output] = []
        self._seen: dict[str, TextIO] = (
            {"stderr": sys.stderr} if quiet else {"stdout": sys.stdout, "stderr": sys.stderr}
        )

    def stream(self, name: str, text: str) -> None:
        """Text on "stdout" or "stderr"; what follows on the same stream is joined to it."""
        last = self.outputs[-1] if self.outputs else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["text"] += text
        else:
            self.outputs.append({"output_type": "stream", "name": name, "text": text})
        self._show(name, text)

    def display(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Something that the program shows."""
        self.outputs.append({"output_type": "display_data", "data": data, "metadata": metadata})
        self._show("stdout", data.get("text/plain", "") + "\n")

    def result(self, data: dict[str, Any], metadata: dict[str, Any], count: int) -> None:
        """The value of the cell's last expression."""
        self.outputs.append(
            {"output_type": "execute_result", "execution_count": count, "data": data, "metadata": metadata}
        )
        self._show("stdout", data.get("text/plain", "") + "\n")

    def error(self, error: BaseException, report: str) -> None:
        """The exception that ended the cell."""
        self.outputs.append(
            {
                "output_type": "error",
                "ename": type(error).__name__,
                "evalue": str(error),
                "traceback": report.splitlines(),
            }
        )

    def clear(self) -> None:
        """Clear the output so far."""
        self.outputs.clear()

    def _show(self, name: str, text: str) -> None:
        if name in self._seen:
            self._seen[name].write(text)
            self._seen[name].flush()


class Stream(io.TextIOBase):
    """A standard stream that writes into a recorder."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        self._recorder, self._name = recorder, name

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text:
            self._recorder.stream(self._name, text)
        return len(text)


_current: list[Recorder] = []  # of the cell that runs


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Within the block, what is printed and shown goes to the recorder."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Stream(recorder, "stdout"), Stream(recorder, "stderr")
    _current.append(recorder)
    try:
        yield
    finally:
        _current.pop()
        sys.stdout, sys.stderr = before


def display(*objects: Any, **_: Any) -> None:
    """Show objects where the cell's output is."""
    for shown in objects:
        _current[-1].display(*bundle(shown))


def clear_output(wait: bool = False) -> None:  # noqa: ARG001 (IPython's signature)
    """Clear the cell's output so far."""
    _current[-1].clear()


def show_figures() -> None:
    """Show every open figure of pyplot's, and close it."""
    if "matplotlib.pyplot" not in sys.modules:
        return
    from matplotlib import pyplot

    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        if figure.get_axes():
            display(figure)
    pyplot.close("all")


def bundle(shown: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An object in the forms that it can be shown in: always text, and pictures as it offers them; and what is to be
    known of them, such as the size of a picture."""
    data: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    for method, kind in _METHODS.items():
        offered = None if isinstance(shown, type) else getattr(shown, method, None)
        form = offered() if callable(offered) else None
        if isinstance(form, tuple):
            form, metadata[kind] = form
        if form is not None:
            data[kind] = base64.b64encode(form).decode() if isinstance(form, bytes) else str(form)
    if _is_figure(shown):
        file = io.BytesIO()
        shown.savefig(file, format="png", dpi=shown.dpi, bbox_inches="tight")
        data["image/png"] = base64.b64encode(file.getvalue()).decode()
    data["text/plain"] = repr(shown)
    return data, metadata


def _is_figure(shown: Any) -> bool:
    return "matplotlib.figure" in sys.modules and isinstance(shown, sys.modules["matplotlib.figure"].Figure)
