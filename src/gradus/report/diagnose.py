"""The pictures of what a run looks like inside, drawn next to the run, in diagnostics/, and shown on its page.

PICTURES is the list of what is drawn: functions of a run with its model, which yield figures with their captions, or
nothing where a model has nothing of the kind.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gradus import files
from gradus.errors import UserError
from gradus.models.inside import attention, embedding, layers
from gradus.report.picture import Picture
from gradus.training import Run, Setup
from gradus.training.diagnose import read_diagnostics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIAGNOSTICS, CAPTIONS = "diagnostics", "captions.json"
DPI = 200
MOST_SYMBOLS = 28  # of a count table: more cannot be told apart on a page
MOST_LAYERS = 12  # lines in a plot
LOOKED_AT = 32  # rows of dev that go through the network
ATTENDED = 12  # characters of the text whose attention is drawn

Drawn = Iterator[tuple[str, str, "Figure"]]  # a file's name, a caption, a figure


def looked_at(setup: Setup) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The rows of dev (B, T) with which a network is looked at, the same at every evaluation."""
    return next(iter(setup.rows("dev").batches(LOOKED_AT)))[0]


def draw(run: Run, setup: Setup) -> list[Picture]:
    """Draw the pictures of a run, write them into its folder, and return them.

    Args:
        setup: as `reopen` gives it, with the trained model in it.

    Raises:
        UserError: if they cannot be written.
    """
    out = []
    for make in PICTURES:
        for name, caption, figure in make(run, setup):
            png = io.BytesIO()
            figure.savefig(png, format="png", dpi=DPI)
            out.append(Picture(name, caption, png.getvalue()))
    if out:
        folder = run.path / DIAGNOSTICS
        with files.saving(folder):
            folder.mkdir(exist_ok=True)
            for picture in out:
                files.write(folder / f"{picture.name}.png", picture.png)
            files.write(folder / CAPTIONS, files.to_json({p.name: p.caption for p in out}, indent=1).encode())
    return out


def drawn(folder: Path) -> list[Picture]:
    """The pictures that were drawn in a run's folder; none for a run without.

    Raises:
        UserError: if they are damaged.
    """
    path = folder / DIAGNOSTICS / CAPTIONS
    if not path.is_file():
        return []
    try:
        captions: dict[str, str] = files.from_json(path.read_bytes())
        return [Picture(n, text, (folder / DIAGNOSTICS / f"{n}.png").read_bytes()) for n, text in captions.items()]
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(
            f"{path.parent} is damaged: {error}; remove it, and the page leaves out its pictures"
        ) from error


def _counts(run: Run, setup: Setup) -> Drawn:  # noqa: ARG001
    """The table of pairs of the training text, for the models that are such a table."""
    from gradus.plots import plot_counts

    if setup.config.model not in ("ngram", "bigram"):
        return
    text = setup.splits.train.joined()
    symbols = sorted(symbol for symbol, _ in Counter(text).most_common(MOST_SYMBOLS))
    place = {symbol: i for i, symbol in enumerate(symbols)}
    table = np.zeros((len(symbols), len(symbols)), dtype=np.int64)
    for (a, b), count in Counter(pairwise(text)).items():
        if a in place and b in place:
            table[place[a], place[b]] = count
    left_out = len(set(text)) - len(symbols)
    caption = "How often each character (column) follows each other one (row) in the training text; dark is often."
    caption += f" The {left_out} rarest characters are left out." if left_out else ""
    yield "counts", caption, plot_counts(table, symbols, numbers=False, title="Pairs in the training text")


def _embedding(run: Run, setup: Setup) -> Drawn:  # noqa: ARG001
    from gradus.plots import plot_embeddings

    vectors = embedding(setup.model)
    if vectors is None or min(vectors.shape) < 2:
        return
    symbols = [setup.tokenizer.decode([i]) for i in range(len(vectors))]
    caption = (
        "Where the characters' vectors lie, on the plane in which they differ most: what lies close is used alike."
    )
    yield "embedding", caption, plot_embeddings(vectors, symbols)


def _activations(run: Run, setup: Setup) -> Drawn:  # noqa: ARG001
    from gradus.plots import plot_activations

    found = dict(list(layers(setup.model, looked_at(setup)).items())[:MOST_LAYERS])
    nonlinear = {_short(name): layer for name, layer in found.items() if layer.saturated is not None}
    stream = {_short(name): layer for name, layer in found.items() if layer.saturated is None}
    if nonlinear:
        yield (
            "activations",
            "What the nonlinearities give, layer by layer. Saturated is the part where the slope is nearly zero and "
            "hardly any gradient passes.",
            plot_activations(
                {name: layer.values for name, layer in nonlinear.items()},
                saturated={name: layer.saturated for name, layer in nonlinear.items()},
            ),
        )
    if stream:
        values = {name: layer.values for name, layer in stream.items()}
        caption = "The residual stream after each block: its spread grows as each block adds its part."
        yield "stream", caption, plot_activations(values, saturated=None, title="Residual stream")


def _over_time(run: Run, setup: Setup) -> Drawn:  # noqa: ARG001
    from gradus.plots import plot_series

    lines = read_diagnostics(run)
    if len(lines) < 2:
        return
    steps = [line["step"] for line in lines]
    last = dict(list(lines[-1].get("activations", {}).items())[:MOST_LAYERS])
    for key, title, ylabel, caption in (
        ("std", "Spread of the activations", "standard deviation",
         "The spread of each layer's outputs while it trained, measured at every evaluation."),
        ("saturated", "Saturation", "part that is flat",
         "How much of each nonlinearity is flat, while it trained: what rises towards 1 stops learning."),
    ):  # fmt: skip
        series = {
            _short(name): [float(line["activations"][name][key]) for line in lines]
            for name, numbers in last.items()
            if numbers.get(key) is not None and all(name in line.get("activations", {}) for line in lines)
        }
        if series:
            yield f"{key}-over-time", caption, plot_series(steps, series, title=title, ylabel=ylabel)


def _attention(run: Run, setup: Setup) -> Drawn:  # noqa: ARG001
    from gradus.plots import plot_attention

    text = setup.splits.dev.joined()
    if setup.corpus.kind == "documents":
        text = "\n" + max(setup.splits.dev.documents[:50], key=len)
    text = text[: min(ATTENDED, setup.model.block_size)]
    for i, weights in enumerate(attention(setup.model, setup.tokenizer.encode(text))):
        caption = f"Layer {i}: how much each position (row) takes from itself and those before it (columns), by head."
        yield f"attention-{i}", caption, plot_attention(weights, list(text), title=f"Attention, layer {i}")


def _short(name: str) -> str:
    """A module's name as a legend can hold it: h.0.gelu for transformer.h.0.mlp.gelu."""
    return ".".join(part for part in name.split(".") if part not in ("transformer", "mlp"))


PICTURES: tuple[Callable[[Run, Setup], Drawn], ...] = (_counts, _embedding, _activations, _over_time, _attention)
