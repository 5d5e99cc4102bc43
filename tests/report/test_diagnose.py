"""Diagnostics: collected at every evaluation without touching the training, drawn next to the run and on its page."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.plots.visible import visible
from gradus.report.diagnose import PICTURES, draw, drawn, looked_at
from gradus.report.examine import write_run_page
from gradus.training import Report, RunFolder, Setup, reopen, set_up, train, write_beginning
from gradus.training.diagnose import DIAGNOSTICS, Diagnosis, read_diagnostics

SIZE: dict[str, Any] = {"n_layer": 1, "n_head": 2, "n_embd": 8, "evaluations": 3}


def trained(words: Path, path: Path, *, diagnose: bool = True, steps: int = 6, **settings: Any) -> RunFolder:
    run = RunFolder.create(path)
    setup = set_up({"corpus": str(words), "steps": steps, **(settings or SIZE)})
    write_beginning(run, setup)
    go_on(run, setup, diagnose)
    return run


def go_on(run: RunFolder, setup: Any, diagnose: bool = True) -> None:
    dev = setup.rows("dev")
    collect = Diagnosis(setup.model, looked_at(setup), run) if diagnose else None
    train(
        setup.model, setup.batches, setup.config, run, evaluate=lambda m: evaluate(m, dev).nats, progress=collect,
        data=setup.data(),
    )  # fmt: skip


def test_a_line_is_collected_at_every_evaluation(words: Path, tmp_path: Path) -> None:
    lines = read_diagnostics(trained(words, tmp_path / "run"))
    assert [line["step"] for line in lines] == [2, 4, 6]
    for line in lines:
        gelu = line["activations"]["transformer.h.0.mlp.gelu"]
        assert 0 <= gelu["saturated"] <= 1
        assert sum(gelu["histogram"]["counts"]) > 0
        assert gelu["std"] > 0
        assert line["activations"]["transformer.h.0"]["saturated"] is None


SMALL: dict[str, dict[str, Any]] = {
    "bigram": {},
    "nplm": {"n_hidden": 8},
    "mlp": {"n_hidden": 8, "norm": "batch"},
    "wavenet": {"n_hidden": 8},
    "recurrent": {"n_hidden": 8},
    "gpt": {"dropout": 0.2, **SIZE},
    "modern": SIZE,
}


@pytest.mark.parametrize("model", list(SMALL))
@pytest.mark.parametrize("kind", ["documents", "stream"])
def test_looking_inside_leaves_the_training_as_it_was(
    model: str, kind: str, words: Path, prose: Path, tmp_path: Path
) -> None:
    text = words if kind == "documents" else prose
    settings = {"model": model, "evaluations": 3, **SMALL.get(model, {})}
    runs = [trained(text, tmp_path / str(diagnose), diagnose=diagnose, **settings) for diagnose in (False, True)]
    assert runs[0].read("model.safetensors") == runs[1].read("model.safetensors")
    line = read_diagnostics(runs[1])[-1]
    assert line["updates"].keys() == line["gradients"]["weights"].keys()
    names = [name for make in PICTURES for name, _, _ in make(runs[1], reopen(runs[1]))]
    assert {"text", "updates", "gradient-norm", "weight-gradients"} <= set(names)


def test_what_is_noted_after_a_step_is_what_the_step_did(words: Path, tmp_path: Path) -> None:
    steps, lr = 6, 0.1
    settings = {"model": "bigram", "optimizer": "sgd", "momentum": 0.0, "schedule": "constant", "warmup": 0}
    noted, seen = [], []
    for grad_clip in (0.0, 1e-3):
        setup = set_up({
            "corpus": str(words), "steps": steps, "evaluations": steps, "learning_rate": lr, "grad_clip": grad_clip,
            **settings,
        })  # fmt: skip
        run = RunFolder.create(tmp_path / str(grad_clip))
        write_beginning(run, setup)
        before = setup.model.table.weight.detach().numpy().copy()
        norms: list[Any] = []

        def look(report: Report, setup: Setup = setup, norms: list[Any] = norms) -> None:
            grads = [p.grad.numpy() for p in setup.model.parameters() if p.grad is not None]
            norms.append((report.grad_norm, math.sqrt(sum(float((g**2).sum()) for g in grads))))

        collect = Diagnosis(setup.model, looked_at(setup), run, grad_clip=grad_clip)
        train(
            setup.model, setup.batches, setup.config, run, evaluate=lambda _: 1.0, data=setup.data(),
            progress=lambda report, collect=collect, look=look: (collect(report), look(report))[0],  # type: ignore
        )  # fmt: skip
        noted.append(read_diagnostics(run))
        seen.append(norms)
        assert before.std() == 0  # from a table of zeros there is no ratio to its first step
        assert "table.weight" not in noted[-1][0]["updates"]
    plain, clipped = noted
    for line, (given, norm) in zip(plain, seen[0], strict=True):
        assert given is None
        assert line["grad_norm"]["median"] == pytest.approx(norm, rel=1e-5)
        assert line["grad_norm"]["clipped"] == 0
    for line, (given, norm) in zip(clipped, seen[1], strict=True):
        assert norm == pytest.approx(1e-3, rel=1e-3)
        assert line["grad_norm"] == {"median": given, "largest": given, "clipped": 1.0}
        assert given > norm
    # with the gradient cut to one length, the table grows, and the steps beside it get smaller
    ratios = [line["updates"]["table.weight"] for line in clipped[1:]]
    assert ratios == sorted(ratios, reverse=True)


def test_resumed_run_goes_on_where_its_checkpoint_is(words: Path, tmp_path: Path) -> None:
    run = trained(words, tmp_path / "run")
    with open(run.path / DIAGNOSTICS, "a", encoding="utf-8") as file:
        file.write('{"step": 7, "activations": {}}\n{"step": 8, "activ')  # after the checkpoint, and cut off
    go_on(run, reopen(run, changes={"steps": 12}))
    assert [line["step"] for line in read_diagnostics(run)] == [2, 4, 6, 8, 12]


def test_pictures_lie_next_to_the_run_and_in_its_page(words: Path, tmp_path: Path) -> None:
    run = trained(words, tmp_path / "run")
    pictures = draw(run, reopen(run))
    names = [picture.name for picture in pictures]
    assert names == [
        "text", "embedding", "activations", "saturation", "stream", "gradients", "weight-gradients", "std-over-time",
        "saturated-over-time", "updates", "gradient-norm", "attention-0",
    ]  # fmt: skip
    assert all(picture.png.startswith(b"\x89PNG") for picture in pictures)
    assert drawn(run.path) == pictures
    html = write_run_page(run.path).read_text(encoding="utf-8")
    assert len(re.findall('<img src="data:image/png;base64,', html)) == len(pictures)
    (run.path / "diagnostics" / "stream.png").unlink()
    with pytest.raises(UserError, match=r"diagnostics is damaged: .* remove it"):
        drawn(run.path)


@pytest.mark.parametrize("kind", ["documents", "stream"])
@pytest.mark.parametrize(("tokenizer", "more"), [("bpe", {"vocab_size": 280}), ("words", {})])
def test_pictures_are_of_tokens_whatever_a_token_is(
    tokenizer: str, more: dict[str, Any], kind: str, words: Path, prose: Path, tmp_path: Path
) -> None:
    text = words if kind == "documents" else prose
    run = trained(text, tmp_path / "run", tokenizer=tokenizer, block_size=8, **more, **SIZE)
    setup = reopen(run)
    figures = {name: figure for make in PICTURES for name, _, figure in make(run, setup)}
    axes = figures["attention-0"].axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    if kind == "documents":
        assert labels[0] == "↵"
        document = max(setup.splits.dev.documents, key=len)
        assert labels[1:] == [setup.tokenizer.decode([i]) for i in setup.tokenizer.encode(document)]
    else:
        assert len(labels) == 8
        assert max(map(len, labels)) > 1
    assert figures["text"].axes[0].get_title(loc="left") == "Probability of each token"


def test_of_a_large_vocabulary_the_commonest_tokens_are_placed(prose: Path, tmp_path: Path) -> None:
    run = trained(prose, tmp_path / "run", tokenizer="bpe", vocab_size=280, **SIZE)
    setup = reopen(run)
    (drawing,) = (figure for make in PICTURES for name, _, figure in make(run, setup) if name == "embedding")
    (caption,) = (picture.caption for picture in draw(run, setup) if picture.name == "embedding")
    assert caption.endswith("Drawn are the 100 of 280 tokens that the training text has most often.")
    shown = [text.get_text() for text in drawing.axes[0].texts]
    assert len(shown) == 100
    common = Counter(setup.tokenizer.encode(setup.splits.train.text).tolist()).most_common(10)
    assert {visible(setup.tokenizer.decode([i])) for i, _ in common} <= set(shown)


def test_counting_model_has_its_table_and_a_text(words: Path, tmp_path: Path) -> None:
    run = trained(words, tmp_path / "run", model="ngram", order=2)
    assert [picture.name for picture in draw(run, reopen(run))] == ["text", "counts"]
    assert drawn(tmp_path) == []
