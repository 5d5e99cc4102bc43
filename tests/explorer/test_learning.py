"""The Learning tab's numbers: those in the run's files, and those that the engine gives when it is asked directly."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.evaluation import evaluate, token_losses
from gradus.explorer import open_run
from gradus.explorer.learning.compare import compare
from gradus.explorer.learning.curves import curves, rates
from gradus.explorer.learning.lines import dev_text, lines
from gradus.explorer.learning.moment import FEW, inside, like, written
from gradus.explorer.learning.motion import embeddings, head_over_time, said, turned
from gradus.generation import samples
from gradus.models import NOT_SCORED
from gradus.models.inside import attention, embedding, gradients, layers
from gradus.training import RunFolder, load_model, reopen, set_up_new, train
from gradus.training.diagnose import DIAGNOSTICS, read_diagnostics
from gradus.training.moments import kept_steps, moment_steps, read_moment
from tests.explorer.models import opened as in_memory
from tests.explorer.models import run

TEXT = "the cat sat"


@pytest.fixture(scope="module")
def gpt(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run(tmp_path_factory.mktemp("runs"), "gpt", steps=40, learning_rate=0.01, diagnose=True)


@pytest.fixture(scope="module")
def nplm(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run(tmp_path_factory.mktemp("runs"), "nplm", steps=40, block_size=8, batch_size=4)


def test_the_curves_are_the_lines_of_the_file_and_only_new_ones_are_sent(gpt: RunFolder) -> None:
    path = gpt.path / "metrics.jsonl"
    truth = [json.loads(line) for line in path.read_text().splitlines()]
    told = curves(open_run(gpt.path))
    assert told["step"] == [line["step"] for line in truth]
    for name in ("train_loss", "dev_loss", "learning_rate", "grad_norm", "seconds", "tokens"):
        assert told[name] == [line.get(name) for line in truth]
    assert (told["moments"], told["last"], told["until"]) == (kept_steps(40, 16), 40, path.stat().st_size)
    assert curves(open_run(gpt.path), told["until"])["step"] == []


def test_a_run_that_is_training_is_followed_and_a_half_written_line_is_not_shown(
    tmp_path: Path, gpt: RunFolder
) -> None:
    copy = copied(gpt, tmp_path)
    path, opened = copy.path / "metrics.jsonl", open_run(copy.path)
    until = curves(opened)["until"]
    with open(path, "a") as file:
        file.write('{"step": 41, "train_loss": 1.5}\n{"step": 42, "tra')
    told = curves(opened, until)
    assert (told["step"], told["train_loss"], told["again"]) == ([41], [1.5], False)
    with open(path, "a") as file:
        file.write('in_loss": "inf"}\nrubbish\n')
    told = curves(opened, told["until"])
    assert (told["step"], told["train_loss"], told["damaged"]) == ([42], [math.inf], 1)
    path.write_text('{"step": 3}\n')  # it was resumed from an earlier checkpoint
    told = curves(opened, told["until"])
    assert (told["step"], told["again"]) == ([3], True)


def test_the_rates_are_those_of_the_moments_and_of_the_diagnostics(gpt: RunFolder) -> None:
    told = rates(open_run(gpt.path))
    for step, *ratios in zip(told["step"], *told["ratios"], strict=True):
        at_evaluation = [line["updates"] for line in read_diagnostics(gpt) if line["step"] == step]
        truth = at_evaluation[0] if at_evaluation else read_moment(gpt, step)[1]["updates"]
        assert dict(zip(told["names"], ratios, strict=True)) == truth
    assert (gpt.path / DIAGNOSTICS).exists()
    assert told["step"] == sorted({*kept_steps(40, 16)[1:], *range(4, 41, 4)})
    assert told["clip"] == 1.0


def test_the_lines_are_the_losses_of_counts_on_the_dev_split(gpt: RunFolder) -> None:
    told, setup = lines(open_run(gpt.path)), reopen(gpt)
    train_text, dev = setup.splits.train.text, setup.splits.dev.text
    V = setup.tokenizer.vocab_size
    counts = Counter(train_text[1:])  # of the first, nothing is predicted
    p = {c: (counts[c] + 1) / (sum(counts.values()) + V) for c in set(dev)}
    assert told["uniform"] == math.log(V)
    assert told["unigram"] == pytest.approx(-np.mean([math.log(p[c]) for c in dev[1:]]), rel=1e-9)
    for name, order in (("bigram", 2), ("trigram", 3)):
        rung = set_up_new({"corpus": setup.config.corpus, "model": "ngram", "order": order})
        train(rung.model, rung.batches, rung.config)
        assert told[name] == pytest.approx(evaluate(rung.model, rung.examples("dev")).nats)


@pytest.mark.parametrize("moment", ["0", "8", "last"])
def test_what_a_moment_is_like_is_what_its_weights_give_row_by_row(gpt: RunFolder, moment: str) -> None:
    told, opened = like(open_run(gpt.path, moment)), open_run(gpt.path, moment)
    text = dev_text(gpt)
    x, y = text.sample(opened.model)
    step = None if moment == "last" else int(moment)
    model = load_model(gpt, last=True, moment=step)
    losses, apart, places = [], [], []
    for row, targets in zip(x, y, strict=True):
        p = torch.softmax(model(torch.from_numpy(row[None]))[0].detach().double(), dim=-1).numpy()[0]
        q = text.counts["bigram"](torch.from_numpy(row[None]))[0].exp().numpy()[0]
        for t, target in enumerate(targets):
            if target != NOT_SCORED:
                losses.append(-math.log(p[t, target]))
                apart.append(0.5 * np.abs(p[t] - q[t]).sum())
                places.append(t + 1)
    assert told["tokens"] == len(losses)
    assert told["loss"] == pytest.approx(np.mean(losses), rel=1e-6)
    assert told["distance"]["bigram"] == pytest.approx(np.mean(apart), rel=1e-6)
    for low, loss in zip(told["seen"], told["seen_loss"], strict=True):
        group = [one for one, place in zip(losses, places, strict=True) if low <= place < 2 * low]
        assert loss == (pytest.approx(np.mean(group), rel=1e-6) if len(group) >= FEW else None)


def test_a_moment_writes_what_the_generator_draws_with_the_same_seed(gpt: RunFolder) -> None:
    told = written(open_run(gpt.path, "16"), seed=7)
    opened = open_run(gpt.path, "16")
    drawn = samples(opened.model, opened.tokenizer, "stream", length=240, seed=7)
    assert told == {"text": "".join("".join(sample) for sample in drawn), "source": "drawn now"}


def test_a_model_in_memory_that_has_changed_writes_something_else() -> None:
    opened = in_memory()
    before = written(opened)
    assert written(opened) == before
    with torch.no_grad():
        for parameter in opened.model.parameters():
            parameter.mul_(-5)
    assert written(opened) != before


def test_what_a_run_wrote_at_its_end_is_shown_as_it_stands_in_its_file(gpt: RunFolder, tmp_path: Path) -> None:
    copy = copied(gpt, tmp_path)
    copy.write("samples.txt", "as it was written\n")
    seed = int(str(copy.settings()["seed"]))
    assert written(open_run(copy.path), seed) == {"text": "as it was written\n", "source": "samples.txt"}
    assert written(open_run(copy.path), seed + 1)["source"] == "drawn now"


def test_the_layers_of_a_moment_are_those_of_its_weights(nplm: RunFolder) -> None:
    opened = open_run(nplm.path, "16")
    told = inside(opened)
    x, y = dev_text(nplm).sample(opened.model)
    truth, slopes = layers(opened.model, x), gradients(opened.model, x, y)[0]
    assert told["names"] == list(truth)
    for i, name in enumerate(told["names"]):
        layer = truth[name]
        assert (told["dead"][i], told["saturated"][i]) == (layer.dead, layer.saturated)
        counts, edges = np.histogram(layer.values, bins=40)
        np.testing.assert_array_equal(told["counts"][i], counts)
        assert (told["low"][i], told["high"][i]) == (edges[0], edges[-1])
        assert told["grad_std"][i] == pytest.approx(float(slopes[name].std()))
        assert told["grad_counts"][i].sum() == slopes[name].size


def test_points_are_turned_as_well_as_any_rotation_or_mirroring_can() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))

    def miss(points: Any) -> float:
        return float(((points - b) ** 2).sum())

    turns = []
    for angle in np.linspace(0, 2 * np.pi, 2000):
        c, s = math.cos(angle), math.sin(angle)
        turns += [miss(a @ np.array([[c, -s], [s, c]])), miss(a @ np.array([[c, s], [s, -c]]))]
    best = turned(a, b)
    assert min(turns) == pytest.approx(miss(best), rel=1e-4)
    assert miss(best) <= min(turns)
    np.testing.assert_allclose(best @ best.T, a @ a.T, atol=1e-12)


def test_embeddings_keep_their_distances_in_the_plane_of_each_moment(nplm: RunFolder) -> None:
    told = embeddings(open_run(nplm.path))
    assert told["step"] == [*moment_steps(nplm), 40]
    for step, points, share in zip(told["step"], told["points"], told["shares"], strict=True):
        vectors = embedding(load_model(nplm, last=True, moment=None if step == 40 else step))
        assert vectors is not None
        centred = vectors.astype(np.float64) - vectors.mean(axis=0)
        _, s, vt = np.linalg.svd(centred, full_matrices=False)
        plane = centred @ vt[:2].T
        np.testing.assert_allclose(points @ points.T, plane @ plane.T, atol=1e-5)
        assert share == pytest.approx((s[:2] ** 2).sum() / (s**2).sum(), rel=1e-4)


def test_a_head_over_time_is_the_attention_of_each_moment(gpt: RunFolder) -> None:
    told = head_over_time(open_run(gpt.path), TEXT, layer=1, head=1)
    opened = open_run(gpt.path)
    stacked = told["weights"].array
    for i, step in enumerate(told["step"]):
        model = load_model(gpt, last=True, moment=None if step == 40 else step)
        truth = attention(model, opened.row(TEXT))[1][1]
        np.testing.assert_allclose(stacked[i], truth, atol=1e-6)
        assert told["before"][i] == pytest.approx(np.mean([truth[t, t - 1] for t in range(2, len(truth))]), abs=1e-6)


def test_what_is_said_of_a_text_is_what_each_moment_s_weights_say(nplm: RunFolder) -> None:
    told, opened = said(open_run(nplm.path), TEXT), open_run(nplm.path)
    row = opened.row(TEXT)
    for i, step in enumerate(told["step"]):
        model = load_model(nplm, last=True, moment=None if step == 40 else step)
        np.testing.assert_allclose(told["surprise"][i][1:], token_losses(model, row), rtol=1e-4)
        p = torch.softmax(model(torch.from_numpy(row[None]))[0].detach()[0, -1].double(), dim=-1).numpy()
        np.testing.assert_allclose(told["next"][i]["probabilities"], np.sort(p)[::-1][:8], rtol=1e-4)


def test_two_moments_and_two_runs_are_compared_token_by_token(gpt: RunFolder, nplm: RunFolder) -> None:
    first, second = open_run(gpt.path, "1"), open_run(nplm.path)
    told = compare(first, second, TEXT[:8])
    truth = [token_losses(one.model, one.row(TEXT[:8])) for one in (first, second)]
    assert told["same_tokens"]
    np.testing.assert_allclose(told["difference"][1:], truth[1] - truth[0])
    assert told["first_mean"] == pytest.approx(truth[0].mean())
    differ = {name: values for name, *values in told["settings"]}
    assert differ["model"] == ["gpt", "nplm"]
    assert differ["n_head"] == ["2", ""]
    assert "seed" not in differ
    assert compare(first, open_run(gpt.path, "last"), TEXT)["settings"] == []


def test_a_moment_that_is_not_there_is_told_with_those_that_are(gpt: RunFolder) -> None:
    with pytest.raises(UserError, match=r"has no moment '5'; there is last, 0, 1, 2, 3, 4, 6, 8, 11, 16, 23, 32$"):
        open_run(gpt.path, "5")
    with pytest.raises(UserError, match="has no moment"):
        open_run(gpt.path, "../8")


def test_a_model_in_memory_has_no_past_and_says_so() -> None:
    with pytest.raises(UserError, match="nothing is known of how it learned"):
        curves(in_memory())


def test_a_damaged_moment_is_named_and_the_rates_of_the_others_are_shown(gpt: RunFolder, tmp_path: Path) -> None:
    copy = copied(gpt, tmp_path)
    path = copy.path / "moments" / "6.safetensors"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(UserError, match=r"6.safetensors was changed, is damaged, or belongs to another run"):
        like(open_run(copy.path, "6"))
    assert 4 in rates(open_run(copy.path))["step"]
    assert 6 not in rates(open_run(copy.path))["step"]


def copied(run: RunFolder, to: Path) -> RunFolder:
    import shutil

    shutil.copytree(run.path, to / "copy")
    return RunFolder(to / "copy")
