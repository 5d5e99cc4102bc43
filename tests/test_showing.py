"""What objects show of themselves: in text at most a screen, whatever they hold, and in a notebook a picture."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import gradus
from gradus.backend import nn
from gradus.evaluation import Choices, Confusion, Item, Score, Surprise
from gradus.generation import Hypothesis, SamplingRule, Texts
from gradus.gradcheck import Check, Derivative, InputCheck, check, derivative
from gradus.graph import Edge, Frames, Graph, Group, Node, Step, Walk, graph, walk, watch
from gradus.models import MODELS, build_model
from gradus.plots import ColoredText, LossCurve, plot_losses
from gradus.plots.style import Figure
from gradus.report.record import Part, Record, Rung, Sample
from gradus.scalar import MLP, Compiled, Layer, Neuron, Value, compile
from gradus.text import (
    Batches,
    BPETokenizer,
    CharTokenizer,
    Corpus,
    CorpusEntry,
    ExampleBatches,
    Labelled,
    Masked,
    Pairs,
    PreparedText,
    Rows,
    Splits,
    WordPieceTokenizer,
    WordTokenizer,
    catalogue,
    make_rows,
    prepare,
)
from gradus.text.examples import Sequences
from gradus.text.prepared import open_prepared
from gradus.training import Report, RunFolder, Setup, Sweep, TrainConfig, TrainResult, set_up, show_progress, weights
from gradus.training.metrics import Metrics

ROOMS = (
    "evaluation",
    "generation",
    "gradcheck",
    "graph",
    "models",
    "plots",
    "report",
    "run",
    "scalar",
    "text",
    "training",
)
SECONDS = tuple(float(second) for second in range(500))


def documents() -> Corpus:
    return Corpus("names", "documents", "an example", documents=("emma", "a" * 500, *map(str, range(30_000))))


def stream() -> Corpus:
    return Corpus("tale", "stream", "an example", text="Once upon a time " * 20_000)


def large_loss() -> Value:
    mlp = MLP(2, [16, 16, 1])
    loss: Value = sum(((mlp([0.1 * i, 1.0]) - 1) ** 2 for i in range(4)), Value(0))
    loss.backward()
    return loss


def small_loss() -> Value:
    a = Value(2.0, "a")
    loss = (a * 3 + a).tanh()
    loss.backward()
    return loss


def checked(inputs: int = 60) -> Check:
    return check(lambda *xs: sum(x * x for x in xs), *[Value(float(i + 1)) for i in range(inputs)])


def result() -> TrainResult:
    model = build_model("gpt", vocab_size=30, block_size=8)
    return TrainResult("budget", 10, 100, 1.0, 100.0, 2.0, 2.0, 10, weights(model))


def compiled() -> Compiled:
    mlp = MLP(2, [16, 16, 1])
    program = compile(lambda x, y: mlp([x, y]), mlp)
    program(1.0, 2.0)
    return program


def rung() -> Rung:
    samples = tuple(Sample("a sample") for _ in range(100))
    return Rung("gpt", "GPT", "gpt", 9, 9, 1.0, 1.0, 1.0, 1.4, 9.0, 9, {}, curve(), samples)


def record() -> Record:
    return Record("names", "documents", "an example", 27, (Part("train", 9, 9, 9),), (rung(),) * 20, 1, "gradus climb")


def curve() -> LossCurve:
    return LossCurve("gpt", SECONDS, SECONDS, SECONDS, SECONDS)


def pairs() -> Pairs:
    return Pairs(sequences(), sequences())


def sequences() -> Sequences:
    return Sequences.of([range(i % 50 + 2) for i in range(5000)])


def prepared() -> PreparedText:
    with TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        text.write_text("some words of a text\n" * 999)
        prepare(str(text), Path(folder) / "shards", tokenizer="chars")
        return open_prepared(Path(folder) / "shards")


# One of each public class, as large as people make them.
EXAMPLES: dict[type, Callable[[], Any]] = {
    BPETokenizer: lambda: BPETokenizer.train(stream(), 270),
    Batches: lambda: Batches(stream(), CharTokenizer.train(stream()), 64, 16, 1),
    CharTokenizer: lambda: CharTokenizer([chr(i) for i in range(0x4E00, 0x5E00)]),
    Check: checked,
    Choices: lambda: Choices(np.ones((999, 4)), np.ones((999, 4), dtype=np.int64), np.zeros(999, dtype=np.int64)),
    ColoredText: lambda: ColoredText("a" * 10_000, np.ones(10_000)),
    Compiled: compiled,
    Confusion: lambda: Confusion(tuple(map(str, range(500))), np.eye(500, dtype=np.int64)),
    Corpus: documents,
    CorpusEntry: lambda: catalogue()[0],
    ExampleBatches: lambda: ExampleBatches(pairs(), 64, 1),
    Edge: lambda: next(graph(small_loss()).edges),
    RunFolder: lambda: RunFolder("runs/none"),
    Frames: lambda: walk(graph(small_loss())).frames(),
    Graph: lambda: graph(large_loss()),
    Group: lambda: Group("layers.0"),
    Hypothesis: lambda: Hypothesis(tuple(range(5000)), -9.5, True),
    InputCheck: lambda: checked(1).inputs[0],
    Item: lambda: Item("a long text " * 999, ("an ending",) * 99, 0),
    Labelled: lambda: Labelled(sequences(), np.zeros(5000, dtype=np.int64)),
    Layer: lambda: Layer(3, 500),
    LossCurve: curve,
    MLP: lambda: MLP(3, [200, 200, 1]),
    Masked: lambda: Masked(sequences(), 99, (0, 0)),
    Metrics: lambda: Metrics([{"step": i, "seconds": i / 7, "train_loss": 1 / (i + 1)} for i in range(1000)]),
    Neuron: lambda: Neuron(500),
    Node: lambda: Node("+", "sum", tuple(range(5000)), 1.0, 1.0, (1.0,) * 5000),
    Pairs: pairs,
    PreparedText: prepared,
    Record: record,
    Report: lambda: Report(1, 0.5, 9, 9.0, 9.0, 0.1, 1.0, None),
    Rows: lambda: make_rows(documents(), CharTokenizer.train(documents()), 16),
    Rung: rung,
    SamplingRule: SamplingRule,
    Score: lambda: Score(123.4, 100),
    Setup: lambda: set_up({"corpus": Path(__file__), "steps": 1}),
    Splits: documents().splits,
    Step: lambda: walk(graph(small_loss())).steps[0],
    Sweep: lambda: Sweep([0.1] * 1000, [2.0] * 1000),
    Texts: lambda: Texts(["one name"] * 1000),
    TrainConfig: TrainConfig,
    TrainResult: result,
    Value: large_loss,
    WordPieceTokenizer: lambda: WordPieceTokenizer(["[UNK]", "[CLS]", "[SEP]", *map(str, range(9000))]),
    WordTokenizer: lambda: WordTokenizer(["\n", "<unk>", *map(str, range(9000))]),
    Walk: lambda: walk(graph(large_loss())),
    Derivative: lambda: derivative(lambda x: x**2, 3.0),
    watch: lambda: watch(MLP(2, [4, 1])),
    Surprise: lambda: Surprise(np.arange(9999), np.ones(9999), 3, 9.5, ((1, 0.5),)),
}
SCALARS = re.compile(r"(int|float|bool|str|None|Literal\[.*\]|Kind)( [|] (int|float|str|None))*")


def may_be_long(cls: type) -> bool:
    """Whether a class has a repr of its own that is not of numbers and names alone, and is not that of a model."""
    if "__repr__" not in vars(cls) or getattr(cls, "_is_protocol", False):
        return False
    if issubclass(cls, nn.Module) or any(cls in pair for pair in MODELS.values()):  # they have a test of their own
        return False
    return not (is_dataclass(cls) and all(SCALARS.fullmatch(str(field.type)) for field in fields(cls)))


def public_classes() -> list[type]:
    rooms = [import_module(f"gradus.{room}") for room in ROOMS]
    found = [getattr(room, name) for room in rooms for name in getattr(room, "__all__", ())]
    return sorted({one for one in found if isinstance(one, type) and may_be_long(one)}, key=lambda cls: cls.__name__)


def fits_a_screen(shown: object, lines: int = 25) -> None:
    text = repr(shown)
    assert len(text) < 80 * lines, text[:300]
    assert len(text.splitlines()) <= lines, text[:300]


@pytest.mark.parametrize("cls", public_classes(), ids=lambda cls: cls.__name__)
def test_every_public_class_with_a_repr_of_its_own_has_an_example_here(cls: type) -> None:
    assert cls in EXAMPLES, f"put a large {cls.__name__} into EXAMPLES"


@pytest.mark.parametrize("cls", EXAMPLES, ids=lambda cls: cls.__name__)
def test_a_repr_is_one_screen_at_most(cls: type) -> None:
    example = EXAMPLES[cls]()
    assert isinstance(example, cls)
    fits_a_screen(example)


def test_the_repr_of_models_and_of_what_is_inside_others_is_one_screen() -> None:
    for name in MODELS.keys() - {"mixture"}:  # which is made of a run
        model = build_model(name, vocab_size=65, block_size=64)
        fits_a_screen(model, lines={"transformer": 64, "encoder": 36}.get(name, 30))  # PyTorch's form: a line a module
        fits_a_screen(model.config)
    fits_a_screen(compiled()._programs)
    fits_a_screen(stream())
    fits_a_screen(large_loss().topological()[:20])


def test_reprs_say_what_one_wants_to_know() -> None:
    assert repr(Score(220.0, 100)) == "Score(2.2000 nats, 3.1739 bits a token, perplexity 9.025, over 100 tokens)"
    assert repr(Corpus("pets", "documents", "", documents=("cat", "dog"), part="dev")) == (
        "Corpus('pets', dev: 2 documents, 8 characters, cat, dog)"
    )
    assert repr(Corpus("tale", "stream", "", text="a\nb" * 20)).startswith("Corpus('tale': a stream of 60 characters, ")
    assert repr(graph(small_loss())) == "Graph(5 nodes, result tanh)"
    assert repr(walk(graph(small_loss()))) == "Walk(6 steps over 5 nodes)"
    assert repr(Layer(1, 18)).endswith("ReLUNeuron(1), … 2 more]")
    assert repr(derivative(lambda x: x**2, 3.0)).startswith("f(3) = 9, f'(3) = 6 by backpropagation\nbest: central ")
    lines = repr(Metrics([{"step": 1, "dev_loss": 2.5}, {"step": 2}])).splitlines()
    assert [line.split() for line in lines] == [["step", "dev_loss"], ["1", "2.5"], ["2"]]


def test_figures_show_themselves_without_pyplot() -> None:
    for shown in (plot_losses([curve()]), derivative(lambda x: x**2, 3.0)):
        assert isinstance(shown, Figure | Derivative)
        data, shape = shown._repr_png_()
        assert data[:4] == b"\x89PNG"
        assert int.from_bytes(data[16:20], "big") == pytest.approx(2 * shape["width"], abs=2)


def test_graphs_show_themselves_unless_they_are_too_large_to_see() -> None:
    svg = graph(small_loss())._repr_svg_()
    assert svg is not None
    assert svg.startswith("<svg")
    loss = Value(0.0)
    for _ in range(2001):
        loss = loss + 1
    assert graph(loss)._repr_svg_() is None


def test_a_walk_shows_one_step_at_a_time_without_javascript() -> None:
    steps = walk(graph(small_loss()))
    html = steps._repr_html_()
    assert html is not None
    assert "<script" not in html
    assert html.count("<svg") == html.count('type="radio"') == len(steps) == 6
    buttons = set(re.findall(r'id="(frames-\w+-\d+-\d+)"', html))
    assert set(re.findall(r'for="([^"]+)">', html)) == buttons  # every step is reached by back or next
    assert set(re.findall(r"#(frames-\w+-\d+-\d+):checked", html)) == buttons
    assert walk(graph(large_loss()))._repr_html_() is None
    many = Frames(["<svg/>"] * 100)._repr_html_()
    assert many.count("<svg") == 60
    assert "the first 60 of 100 steps" in many


def test_a_loaded_run_shows_its_metrics_as_a_table() -> None:
    html = Metrics([{"step": 1, "train_loss": 2.0}])._repr_html_()
    assert html.startswith("<table><thead><tr><th>step</th><th>train_loss</th></tr></thead><tbody><tr><td>1</td>")


# Paths

MODULES = [
    "api", "text", "training", "report.climb", "report.trained", "report.examine", "report.page", "report.record",
    "run.notebook", "run.program", "graph", "models", "generation", "evaluation", "scalar", "gradcheck",
]  # fmt: skip
PATHS = re.compile("path|folder|file|out|output|name_or_path|corpus|parent")


def functions() -> list[tuple[str, Any]]:
    """Every public function and method of those modules' own."""
    found = {}
    for name in MODULES:
        module = import_module(f"gradus.{name}")
        public = getattr(module, "__all__", [one for one in vars(module) if one[0] != "_"])
        for thing in (getattr(module, one) for one in public):
            where = getattr(thing, "__module__", None)
            if where != module.__name__ and not (hasattr(module, "__all__") and str(where).startswith("gradus.")):
                continue
            members = [thing] if inspect.isfunction(thing) else []
            if inspect.isclass(thing):
                own = [] if is_dataclass(thing) else ["__init__"]
                members = [value for key, value in vars(thing).items() if key[0] != "_" or key in own]
            for member in members:
                member = getattr(member, "__func__", member)
                if inspect.isfunction(member):
                    found[f"{member.__module__}.{member.__qualname__}"] = member
    return sorted(found.items())


def test_whoever_takes_a_path_takes_text_and_path() -> None:
    takes = [
        (f"{name}: {parameter}", str(written))
        for name, function in functions()
        for parameter, written in function.__annotations__.items()
        if PATHS.fullmatch(parameter) and re.search("str|Path", str(written))
    ]
    assert len(takes) > 15
    assert [one for one in takes if not one[1].startswith("str | Path")] == []


def test_a_path_is_never_the_name_of_a_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("words").write_text("a file of my own, not the corpus of that name\n" * 40, encoding="utf-8")
    assert gradus.load_corpus(Path("words")).source == f"the file {tmp_path / 'words'}"
    setup = set_up({"corpus": Path("words"), "model": "ngram", "kind": "stream"})
    assert setup.config.corpus == str(tmp_path / "words")


def test_a_wrong_call_says_in_words_what_is_missing() -> None:
    with pytest.raises(TypeError, match=r"walk takes a graph, .* got Value"):
        walk(Value(1.0))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"f must be a function of one number, .* got 'x"):
        derivative("x**2", 3.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="x must be a number, got '3'"):
        derivative(abs, "3")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"Value.* tensor.*, got float"):
        graph(3.0)


def test_in_a_notebook_training_is_one_line_that_changes(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    shown: list[str] = []

    class Handle:
        def update(self, data: dict[str, str], *, raw: bool) -> None:
            assert raw
            shown[-1] = data["text/html"]

    def display(data: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        assert raw
        assert display_id
        shown.append(data["text/html"])
        return Handle()

    kernel = SimpleNamespace(kernel=None)
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", ModuleType("IPython.display"))
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: kernel, raising=False)
    monkeypatch.setattr(sys.modules["IPython.display"], "display", display, raising=False)
    with show_progress("gpt") as show:
        for step in range(1, 10_001):
            show(Report(step, step / 10_000, step, 9.0, 9.0, 0.1, 1.5, 2.25 if step == 9000 else None))
    (line,) = shown
    assert re.search('<progress value="1.000".*gpt 100%  step 10,000  loss 1.5000  dev 2.2500', line)
    assert capsys.readouterr().out == ""
