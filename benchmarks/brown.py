"""The network of Bengio et al. (2003) on words, as in table 1 of the paper: the Brown corpus, its first 800,000 words
to train, the next 200,000 to choose by, the rest to test. Words seen three times or less are one symbol, which is
predicted like any other. Beside each row stand the paper's perplexities, and our own Kneser-Ney trigram's.

    GRADUS_DATA=FOLDER python benchmarks/brown.py                       every row
    GRADUS_DATA=FOLDER python benchmarks/brown.py MLP9 --epochs 2       one row
    GRADUS_DATA=FOLDER python benchmarks/brown.py MLP9 --dev-only ...   to choose settings
"""

from __future__ import annotations

import json
import os
import statistics
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from gradus.backend import torch
from gradus.evaluation import evaluate
from gradus.models import NPLM, LanguageModel, Mixture, MixtureConfig, NGram, NGramConfig, build_model
from gradus.text import Corpus, Positions, Rows, WordTokenizer, make_rows
from gradus.training import RunFolder, TrainConfig, load_model, load_weights, show_progress, train, weights

TRAIN, DEV = 800_000, 200_000  # words
RARE = 4  # a word that occurs less often than this is <unk>
BLOCK_SIZE = 64


@dataclass(frozen=True)
class Row:
    """A row of the paper's table: its sizes, and its perplexities on dev and test."""

    context: int  # words that a prediction sees: the paper's n - 1
    n_hidden: int  # h; 0 is a network without a hidden layer
    n_embd: int  # m
    direct: bool
    dev: float
    test: float


ROWS = {
    "MLP1": Row(4, 50, 60, True, 284, 268),
    "MLP3": Row(4, 0, 60, True, 327, 310),
    "MLP5": Row(4, 50, 30, True, 296, 279),
    "MLP7": Row(2, 50, 30, True, 309, 293),
    "MLP9": Row(4, 100, 30, False, 280, 276),
}
TRIGRAM = (334, 323)  # the paper's Kneser-Ney trigram, on dev and test
MIXED = {"MLP1": (275, 257), "MLP9": (265, 252)}  # and mixed with a trigram: the paper's MLP2 and MLP10

EPOCHS, BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY, EMBEDDING_STD = 5.0, 256, 4e-3, 0.05, 0.1
STEPS = 40  # of each side, for the seconds of an epoch


@dataclass(frozen=True)
class Data:
    """The corpus as the paper reads it: ids of its words, and the three parts."""

    tokenizer: WordTokenizer
    train: Corpus
    dev: Corpus
    test: Corpus

    @classmethod
    def read(cls, path: Path) -> Data:
        words = path.read_text(encoding="utf-8").split()
        whole = Corpus("brown", "stream", str(path), text="\n".join(words))
        parts = words[:TRAIN], words[TRAIN : TRAIN + DEV], words[TRAIN + DEV :]
        train, dev, test = (replace(whole, text="\n".join(part)) for part in parts)
        return cls(WordTokenizer.train(whole, min_count=RARE), train, dev, test)

    def rows(self, part: Corpus, model: LanguageModel) -> Rows:
        """Every word of a part but its first, each with all the words that the model can see."""
        return make_rows(part, self.tokenizer, BLOCK_SIZE, context=max(1, model.context))

    def perplexity(self, model: LanguageModel, part: Corpus) -> float:
        return evaluate(model, self.rows(part, model), batch_size=8).perplexity


def build(data: Data, row: Row, seed: int) -> LanguageModel:
    """The untrained network of a row. Its embeddings begin small: most words are so rare that what they begin with is
    still there at the end."""
    torch.manual_seed(seed)
    sizes = {"context": row.context, "n_hidden": row.n_hidden, "n_embd": row.n_embd, "direct": row.direct}
    model = build_model("nplm", vocab_size=data.tokenizer.vocab_size, block_size=BLOCK_SIZE, **sizes)
    assert isinstance(model, NPLM)
    torch.nn.init.normal_(model.wte.weight, std=EMBEDDING_STD)
    return model


def trained(data: Data, name: str, config: TrainConfig, epochs: float, run: RunFolder) -> LanguageModel:
    """The network of a row with the weights of its lowest dev loss."""
    model = build(data, ROWS[name], config.seed)
    batches = Positions(data.train, data.tokenizer, model.context, config.batch_size, config.seed)
    config = replace(config, steps=round(epochs * batches.steps_per_epoch), minutes=None)

    def dev_loss(model: LanguageModel) -> float:
        return evaluate(model, data.rows(data.dev, model), batch_size=8).nats

    with show_progress(name) as progress:
        train(model, batches, config, run, evaluate=dev_loss, progress=progress)
    return load_model(run)


def trigram(data: Data) -> NGram:
    """A modified Kneser-Ney model of the words to train on."""
    model = NGram(NGramConfig(data.tokenizer.vocab_size, BLOCK_SIZE, order=3, method="modified-kneser-ney"))
    for x, y in data.rows(data.train, model).batches(64):
        model.count(x, y)
    return model


def mixed(data: Data, network: LanguageModel, counts: NGram) -> LanguageModel:
    """A trained network with a trigram, λ fitted on dev."""
    settings: Any = network.config
    described = {"name": "nplm", **asdict(settings)}
    del described["vocab_size"], described["block_size"]
    model = Mixture(MixtureConfig(data.tokenizer.vocab_size, BLOCK_SIZE, network=json.dumps(described), order=3))
    load_weights(model.network, weights(network))
    model.ngram = counts
    model.fit(data.rows(data.dev, model).batches(8))
    return model


def seconds_an_epoch(data: Data, row: Row, batch_size: int) -> tuple[float, float]:
    """What an epoch takes here and in PyTorch: the median of a few steps, taken by turns, times the steps."""
    import torch as pytorch

    V, width = data.tokenizer.vocab_size, row.context * row.n_embd

    class Theirs(pytorch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wte = pytorch.nn.Embedding(V, row.n_embd)
            self.hidden = pytorch.nn.Linear(width, row.n_hidden) if row.n_hidden else None
            self.output = pytorch.nn.Linear(row.n_hidden + width * row.direct, V)

        def forward(self, x: pytorch.Tensor, y: pytorch.Tensor) -> pytorch.Tensor:
            x = self.wte(x).flatten(1)
            parts = ([self.hidden(x).tanh()] if self.hidden is not None else []) + ([x] if row.direct else [])
            return pytorch.nn.functional.cross_entropy(self.output(pytorch.cat(parts, dim=1)), y.flatten())

    ours, theirs = build(data, row, seed=1), Theirs()
    batches = Positions(data.train, data.tokenizer, row.context, batch_size, seed=1)
    optimizers: list[Any] = [torch.optim.AdamW(ours.parameters()), pytorch.optim.AdamW(theirs.parameters())]
    times: list[list[float]] = [[], []]
    for step in range(STEPS):
        x, y = batches.batch(step)
        for k in (0, 1):
            start = time.perf_counter()
            loss = (
                ours(torch.from_numpy(x), torch.from_numpy(y))[1]
                if k == 0
                else theirs(*map(pytorch.from_numpy, (x, y)))
            )
            optimizers[k].zero_grad()
            loss.backward()
            optimizers[k].step()
            times[k].append(time.perf_counter() - start)
    here, there = (statistics.median(steps) * batches.steps_per_epoch for steps in times)
    return here, there


@click.command(help=__doc__.split("\n\n")[0])
@click.argument("names", nargs=-1, type=click.Choice([*ROWS]))
@click.option("--epochs", type=float, default=EPOCHS, show_default=True, help="passes over the words to train on")
@click.option("--learning-rate", type=float, default=LEARNING_RATE, show_default=True)
@click.option("--weight-decay", type=float, default=WEIGHT_DECAY, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--dev-only", is_flag=True, help="choose settings: score nothing on test")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/brown"), show_default=True)
def main(
    names: tuple[str, ...],
    epochs: float,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    dev_only: bool,
    out: Path,
) -> None:
    if "GRADUS_DATA" not in os.environ:
        raise click.UsageError("GRADUS_DATA must name the folder with brown/words.txt")
    data = Data.read(Path(os.environ["GRADUS_DATA"]) / "brown" / "words.txt")
    parts = [data.dev] if dev_only else [data.dev, data.test]
    print(f"{data.tokenizer.vocab_size - 1:,} kinds of words, <unk> among them; the paper's copy had 16,383")
    print("perplexity                dev   paper    test   paper   s/epoch  PyTorch")

    def show(name: str, found: list[float], paper: tuple[float, ...], times: tuple[float, ...] = ()) -> None:
        scores = "".join(f"{ours:9.1f}{theirs:8.0f}" for ours, theirs in zip(found, paper, strict=False))
        print(f"{name:<20}{scores}" + "".join(f"{seconds:10.0f}" for seconds in times), flush=True)

    counts = trigram(data)
    show("Kneser-Ney trigram", [data.perplexity(counts, part) for part in parts], TRIGRAM)
    config = TrainConfig(
        model="nplm", positions=True, steps=1, batch_size=BATCH_SIZE, learning_rate=learning_rate, seed=seed,
        weight_decay=weight_decay, schedule="linear", min_lr_ratio=0.0, beta2=0.999, evaluations=max(1, round(epochs)),
    )  # fmt: skip
    for name in names or ROWS:
        row = ROWS[name]
        network = trained(data, name, config, epochs, RunFolder.create(out / name))
        times = () if dev_only else seconds_an_epoch(data, row, BATCH_SIZE)
        show(name, [data.perplexity(network, part) for part in parts], (row.dev, row.test), times)
        if name in MIXED and not dev_only:
            mixture = mixed(data, network, counts)
            show("  with the trigram", [data.perplexity(mixture, part) for part in parts], MIXED[name])


if __name__ == "__main__":
    main()
