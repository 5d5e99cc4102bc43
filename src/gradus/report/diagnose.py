"""The pictures of what a run looks like inside, drawn next to the run, in diagnostics/, and shown on its page.

PICTURES is the list of what is drawn: functions of a run with its model, which yield figures with their captions, or
nothing where a model has nothing of the kind.
"""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gradus import files
from gradus.errors import UserError
from gradus.evaluation import token_losses
from gradus.models.inside import attention, embedding, gradients, layers
from gradus.report.picture import Picture
from gradus.text import CharTokenizer, PreparedText, Rows
from gradus.training import RunFolder, Setup
from gradus.training.diagnose import Diagnosis, read_diagnostics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIAGNOSTICS, CAPTIONS = "diagnostics", "captions.json"
DPI = 200
COUNTED = 1_000_000  # characters of a prepared text of which pairs are counted
MOST_SYMBOLS = 28  # of a count table: more cannot be told apart on a page
MOST_LAYERS = 12  # lines in a plot
LOOKED_AT = 32  # rows of dev that go through the network
READ, READ_DOCUMENTS = 400, 45  # characters of a stream, or documents, whose losses are drawn
ATTENDED = 12  # tokens of the text whose attention is drawn
MOST_VECTORS = 100  # of an embedding: more cannot be read, and moving so many labels apart takes long

T = TypeVar("T")
Ints = NDArray[np.int64]
Drawn = Iterator[tuple[str, str, "Figure"]]  # a file's name, a caption, a figure


def looked_at(setup: Setup) -> tuple[Ints, Ints]:
    """Rows of dev, idx and targets (B, T), with which a network is looked at, the same at every evaluation: of the
    middle length, so that none is padded. Of a model of pairs they are sources and targets, of one of labels texts and
    labels."""
    rows = setup.examples("dev")
    if not isinstance(rows, Rows):
        lengths = rows.parts[-1].lengths
        which = np.flatnonzero(lengths == np.sort(lengths)[len(lengths) // 2])[:LOOKED_AT]
        return rows.take(which, np.random.default_rng(0))
    return rows.take(np.flatnonzero(rows.lengths == np.sort(rows.lengths)[len(rows) // 2])[:LOOKED_AT])


def diagnosis(run: RunFolder, setup: Setup) -> Diagnosis:
    """What collects at each evaluation what the network of a run looks like inside."""
    return Diagnosis(setup.model, looked_at(setup), run, grad_clip=setup.config.grad_clip)


def draw(run: RunFolder, setup: Setup) -> list[Picture]:
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


def _counts(run: RunFolder, setup: Setup) -> Drawn:  # noqa: ARG001
    """The table of pairs of the training text, for the models that are such a table."""
    from gradus.plots import plot_counts

    if setup.config.model not in ("ngram", "bigram"):
        return
    train = setup.splits.train
    text = (train.beginning(COUNTED) if isinstance(train, PreparedText) else train).joined()
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


def _embedding(run: RunFolder, setup: Setup) -> Drawn:  # noqa: ARG001
    from gradus.plots import plot_embeddings

    vectors = embedding(setup.model)
    if vectors is None or min(vectors.shape) < 2:
        return
    shown = np.arange(len(vectors))
    caption = "Where the tokens' vectors lie, on the plane in which they differ most: what lies close is used alike."
    if len(shown) > MOST_VECTORS:
        counts = _how_often(setup, len(vectors))
        shown = np.argsort(-counts, kind="stable")[:MOST_VECTORS]
        caption += f" Drawn are the {MOST_VECTORS} of {len(vectors):,} tokens that the training text has most often."
    yield "embedding", caption, plot_embeddings(vectors[shown], _symbols(setup, shown))


def _how_often(setup: Setup, vocab_size: int) -> Ints:
    """How often the training text has each token, (V,)."""
    if isinstance(setup.splits.train, PreparedText):
        return setup.splits.train.ids.counts()
    read = setup.examples("train")
    ids = read.ids[:] if isinstance(read, Rows) else np.concatenate([part.ids for part in read.parts])
    return np.bincount(ids[(ids >= 0) & (ids < vocab_size)], minlength=vocab_size)  # no padding, no mask


def _activations(run: RunFolder, setup: Setup) -> Drawn:  # noqa: ARG001
    from gradus.plots import plot_activations, plot_saturation

    every = layers(setup.model, *looked_at(setup))
    found = _some(every)
    nonlinear = {_short(name): layer for name, layer in found.items() if layer.flat is not None}
    others = {_short(name): layer.values for name, layer in found.items() if layer.flat is None}
    if nonlinear:
        yield (
            "activations",
            "What the nonlinearities give, layer by layer. Saturated is the part where the slope is nearly zero and "
            "hardly any gradient passes; of a ReLU, half is usual." + _drawn_of(every),
            plot_activations(
                {name: layer.values for name, layer in nonlinear.items()},
                saturated={name: layer.saturated for name, layer in nonlinear.items()},
            ),
        )
        yield (
            "saturation",
            "Which units are flat (blue), for some examples of dev. A unit that is flat for all of them (orange) is "
            "dead: nothing here can train what feeds it.",
            plot_saturation({name: layer.flat for name, layer in nonlinear.items() if layer.flat is not None}),
        )
    if others and setup.config.model == "recurrent":
        caption = "The numbers of the state, all that is remembered of the text before."
        yield "state", caption, plot_activations(others, saturated=None, title="State")
    elif others:
        caption = "The residual stream after each block: its spread grows as each block adds its part."
        yield "stream", caption, plot_activations(others, saturated=None, title="Residual stream")


def _gradients(run: RunFolder, setup: Setup) -> Drawn:  # noqa: ARG001
    from gradus.plots import plot_gradients

    at_layers, at_weights = gradients(setup.model, *looked_at(setup))
    if at_layers:
        caption = (
            "The gradients that reach the layers' outputs. Where one layer's lie left of the next one's, the gradient "
            "fades on its way back." + _drawn_of(at_layers)
        )
        figure = plot_gradients(_shortly(_some(at_layers)), title="Gradients of the layers' outputs")
        yield "gradients", caption, figure
    if at_weights:
        caption = (
            "The gradients of the weights, and how large they are beside the weights themselves: "
            "std(gradient) / std(weights)." + _drawn_of(at_weights)
        )
        weights = {_short(name): p for name, p in setup.model.named_parameters()}
        figure = plot_gradients(_shortly(_some(at_weights)), weights=weights, title="Gradients of the weights")
        yield "weight-gradients", caption, figure


def _over_time(run: RunFolder, setup: Setup) -> Drawn:
    from gradus.plots import plot_series

    lines = [line for line in read_diagnostics(run) if "grad_norm" in line]
    if len(lines) < 2:
        return
    steps = [line["step"] for line in lines]

    def each(*path: str) -> dict[str, list[float]]:
        """The numbers of each layer or weight, at the end of the path, over time."""
        kind, *rest = path
        out = {}
        for name in _some(lines[-1].get(kind, {})):
            numbers = [_at(line, kind, name, *rest) for line in lines]
            if None not in numbers:
                out[_short(name)] = [float(number) for number in numbers]
        return out

    for key, title, ylabel, caption in (
        ("std", "Spread of the activations", "standard deviation",
         "The spread of each layer's outputs while it trained, measured at every evaluation."),
        ("saturated", "Saturation", "part that is flat",
         "How much of each nonlinearity is flat, while it trained: what rises towards 1 stops learning."),
    ):  # fmt: skip
        if series := each("activations", key):
            yield f"{key}-over-time", caption, plot_series(steps, series, title=title, ylabel=ylabel)

    if ratios := each("updates"):
        logs = {name: [math.log10(max(ratio, 1e-12)) for ratio in series] for name, series in ratios.items()}
        yield (
            "updates",
            "How far a step moves each matrix beside how large it is: std(update) / std(weights). Near 10⁻³, the "
            "dashed line, is healthy; far below, it hardly learns; far above, each step undoes the one before."
            + _drawn_of(lines[-1]["updates"]),
            plot_series(steps, logs, title="Update-to-data ratio", ylabel="log10 of the ratio", level=-3),
        )
    clip = setup.config.grad_clip
    norms = {which: [float(line["grad_norm"][which]) for line in lines] for which in ("median", "largest")}
    clipped = sum(line["grad_norm"]["clipped"] for line in lines) / len(lines)
    yield (
        "gradient-norm",
        "The norm of the gradient of all parameters, in the steps between two evaluations."
        + (f" Longer ones are cut to {clip:g}, the dashed line: {clipped:.0%} of them." if clip else ""),
        plot_series(
            steps, norms, title="Gradient norm", ylabel="norm, before clipping" if clip else "norm",
            level=clip or None, log=True,
        ),
    )  # fmt: skip


def _text(run: RunFolder, setup: Setup) -> Drawn:  # noqa: ARG001
    from gradus.plots import plot_text

    if not setup.model.continues:
        return
    separator, documents = setup.tokenizer.separator, setup.corpus.kind == "documents"
    if documents:
        texts = [setup.tokenizer.encode(document) for document in setup.splits.dev.documents[:READ_DOCUMENTS]]
        texts = [np.array([separator, *ids, separator]) for ids in texts]
    else:
        texts = [setup.tokenizer.encode(_lines(setup.splits.dev.text, READ))]
    tokens: list[str] = []
    losses: list[float] = []
    for ids in texts:
        tokens += _symbols(setup, ids[1:] if documents else ids)
        losses += [*([] if documents else [math.nan]), *token_losses(setup.model, ids)]
    caption = "Text that was not trained on: the darker, the less probable the model found it, given what is before it."
    unit = "character" if isinstance(setup.tokenizer, CharTokenizer) else "token"
    yield "text", caption, plot_text(tokens, losses, title=f"Probability of each {unit}")


def _attention(run: RunFolder, setup: Setup) -> Drawn:  # noqa: ARG001
    from gradus.plots import plot_attention

    if not setup.model.continues:
        return
    tokenizer, dev = setup.tokenizer, setup.splits.dev
    if setup.corpus.kind == "documents":
        longest = max(dev.documents[:50], key=len)
        ids = np.concatenate([[tokenizer.separator], tokenizer.encode(longest)])
    else:
        ids = tokenizer.encode(_lines(dev.text, READ))
    ids = ids[: min(ATTENDED, setup.model.block_size)]
    for i, weights in enumerate(attention(setup.model, ids)):
        caption = f"Layer {i}: how much each position (row) takes from itself and those before it (columns), by head."
        yield f"attention-{i}", caption, plot_attention(weights, _symbols(setup, ids), title=f"Attention, layer {i}")


def _symbols(setup: Setup, ids: Ints) -> list[str]:
    """Tokens as they are written in a picture, each on its own; ↵ is where a document begins or ends."""
    end = setup.tokenizer.separator if setup.corpus.kind == "documents" else None
    return ["↵" if i == end else setup.tokenizer.decode([i]) for i in ids.tolist()]


def _some(found: Mapping[str, T]) -> dict[str, T]:
    """As many as a plot can hold, from the first to the last."""
    names = list(found)
    if len(names) > MOST_LAYERS:
        names = [names[i] for i in np.linspace(0, len(names) - 1, MOST_LAYERS).round().astype(int)]
    return {name: found[name] for name in names}


def _drawn_of(found: Mapping[str, Any]) -> str:
    return f" {MOST_LAYERS} of {len(found)} are drawn." if len(found) > MOST_LAYERS else ""


def _lines(text: str, length: int) -> str:
    """So many characters of a text at most, whole lines where there are any."""
    start = text.find("\n", 0, length) + 1  # a split may begin in the middle of a line
    whole = text[start : text.rfind("\n", start, start + length) + 1]
    return whole if len(whole) > length // 2 else text[:length]


def _at(line: Any, *path: str) -> Any:
    """What lies in a line under some names; None if one is missing."""
    for name in path:
        line = line.get(name) if isinstance(line, dict) else None
    return line


def _shortly(found: Mapping[str, T]) -> dict[str, T]:
    return {_short(name): value for name, value in found.items()}


def _short(name: str) -> str:
    """A module's name as a legend can hold it: h.0.gelu for transformer.h.0.mlp.gelu."""
    return ".".join(part for part in name.split(".") if part not in ("transformer", "mlp", "weight"))


PICTURES: tuple[Callable[[RunFolder, Setup], Drawn], ...] = (
    _text, _counts, _embedding, _activations, _gradients, _over_time, _attention,
)  # fmt: skip
