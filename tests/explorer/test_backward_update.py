"""The update of a training step: clipping, the rules of the optimizers, and the loss after it, against the engine's
optimizer step, PyTorch's, and a run that is really trained one step further."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch as pytorch

from gradus.backend import torch
from gradus.explorer import Opened, open_run
from gradus.explorer.backward.step import walked
from gradus.explorer.backward.update import backward_update, run_of
from gradus.explorer.backward.walk import norm, training_copy
from gradus.training import TrainConfig
from gradus.training.checkpoint import unpack, weights
from gradus.training.optimizer import build_optimizer, set_learning_rate
from gradus.training.run import MODEL
from tests.explorer.models import run
from tests.explorer.test_backward_step import KINDS, TEXT, opened

TARGET = {"transformer": "on the mat"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_after_is_that_of_an_optimizer_step(kind: str) -> None:
    found = backward_update(opened(kind), TEXT, TARGET.get(kind, ""))
    step, (config, _, _) = walked(opened(kind), TEXT, TARGET.get(kind, "")), run_of(opened(kind))
    model = training_copy(opened(kind).model)
    optimizer = build_optimizer(model, config)
    assert set_learning_rate(optimizer, config, 1 / 1000) == found["learning_rate"]
    x, y = torch.from_numpy(step.batch.x), torch.from_numpy(step.batch.y)
    loss = model(x, y)[1]
    assert loss is not None
    loss.backward()
    total = torch.nn.utils.clip_grad_norm_([*model.parameters()], config.grad_clip)
    before = weights(model)
    optimizer.step()
    model.state = None
    assert found["norm"] == pytest.approx(float(total.item()), rel=1e-6)
    with torch.no_grad():
        after = model(x, y)[1]
    assert after is not None
    assert found["losses"] == [loss.item(), after.item()]
    now = weights(model)
    for row in found["parameters"]:
        if row["name"] in now:
            change = now[row["name"]].astype(np.float64) - before[row["name"]]
            assert row["change"] == pytest.approx(norm(change), rel=1e-5)
            spread = before[row["name"]].std(dtype=np.float64)
            assert row["ratio"] == pytest.approx(change.std() / spread, rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "make"),
    [
        ({"optimizer": "adamw"}, lambda p, c: pytorch.optim.AdamW(p, c.learning_rate, (c.beta1, c.beta2))),
        ({"optimizer": "adam"}, lambda p, c: pytorch.optim.Adam(p, c.learning_rate, (c.beta1, c.beta2))),
        ({"optimizer": "sgd", "momentum": 0.9}, lambda p, c: pytorch.optim.SGD(p, c.learning_rate, momentum=0.9)),
        ({"optimizer": "muon", "muon_lr": 0.01}, lambda p, c: pytorch.optim.Muon(p, c.muon_lr)),
    ],
)
def test_the_rule_spelled_out_moves_the_weight_as_pytorch_does(
    settings: dict[str, Any], make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TrainConfig(steps=10, schedule="constant", warmup=0.0, **settings)
    monkeypatch.setattr("gradus.explorer.backward.update.run_of", lambda _: (config, run_of_memory()[1], {}))
    name = "transformer.h.0.mlp.c_fc.weight"
    of = opened("gpt")
    found = backward_update(of, TEXT, parameter=name)
    step, cell = walked(of, TEXT), found["cell"]
    weight = pytorch.tensor(dict(of.model.named_parameters())[name].detach().numpy().copy(), requires_grad=True)
    optimizer = make([weight], config)
    for group in optimizer.param_groups:
        group["weight_decay"] = config.weight_decay
    weight.grad = pytorch.tensor(step.grads[name] * found["factor"])
    optimizer.step()
    assert cell["parameter"] == name
    assert cell["after"] == pytest.approx(weight[tuple(cell["place"])].item(), rel=1e-4, abs=2e-5)
    assert cell["lines"][-1]["value"] == pytest.approx(cell["after"], rel=1e-5, abs=1e-7)
    assert cell["lines"][1]["value"] == pytest.approx(weight.grad[tuple(cell["place"])].item(), rel=1e-4)


def run_of_memory() -> Any:
    return run_of(opened("gpt"))


def stopped(folder: Path, **settings: Any) -> tuple[Opened, Opened]:
    """The same training stopped after 6 steps and after 7."""
    settings = {"schedule": "constant", "warmup": 0.0, "dropout": 0.0, "evaluations": 1, **settings}
    before, after = (open_run(run(folder / str(steps), steps=steps, **settings).path, "last") for steps in (6, 7))
    return before, after


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Opened, Opened]:
    return stopped(tmp_path_factory.mktemp("runs"))


def last_weights(opened: Opened) -> dict[str, Any]:
    assert opened.folder is not None
    return unpack(opened.folder.read(MODEL), MODEL)[0]


def test_a_step_on_the_next_batch_is_the_one_that_training_takes(two: tuple[Opened, Opened]) -> None:
    """With the run's own batch, moments, clipping and learning rate: the weights of the run trained one step more."""
    before, after = two
    found = backward_update(before, source="batch")
    assert found["step"] == 7
    old, new = last_weights(before), last_weights(after)
    for row in found["parameters"]:
        if row["name"] in new:
            assert row["change"] == pytest.approx(norm(new[row["name"]] - old[row["name"]]), rel=1e-3)
    cell = found["cell"]
    assert cell["after"] == pytest.approx(float(new[cell["parameter"]][tuple(cell["place"])]), abs=1e-7)


def test_what_the_run_freezes_gets_no_gradient_and_stays_as_it_is(tmp_path: Path) -> None:
    before, after = stopped(tmp_path, freeze="embeddings, blocks:1")
    found = backward_update(before, source="batch")
    assert found["said"] == "The optimizer's state is that of the run after step 6."
    old, new = last_weights(before), last_weights(after)
    for row in found["parameters"]:
        still = row["name"].startswith(("transformer.wte.", "transformer.wpe.", "transformer.h.0."))
        assert (row["change"] == row["gradient"] == 0) == still
        assert row["change"] == pytest.approx(norm(new[row["name"]] - old[row["name"]]), rel=1e-3)


def test_the_run_and_its_folder_are_left_as_they_were(two: tuple[Opened, Opened]) -> None:
    before, _ = two
    assert before.folder is not None
    files = {path: path.read_bytes() for path in before.folder.path.iterdir() if path.is_file()}
    numbers = {name: array.copy() for name, array in weights(before.model).items()}
    backward_update(before, TEXT, steps=3)
    assert {path: path.read_bytes() for path in before.folder.path.iterdir() if path.is_file()} == files
    for name, array in weights(before.model).items():
        np.testing.assert_array_equal(numbers[name], array)


def test_gradients_above_the_limit_are_scaled_down_to_it() -> None:
    found = backward_update(opened("gpt"), TEXT)
    assert found["norm"] > found["clip"] == 1.0
    assert found["factor"] * found["norm"] == pytest.approx(1.0, rel=1e-5)
    parts = sum(row["gradient"] ** 2 for row in found["parameters"])
    assert found["norm"] == pytest.approx(parts**0.5, rel=1e-5)


def test_what_the_gradient_foretells_comes_true_for_a_small_step() -> None:
    found = backward_update(opened("gpt"), TEXT, learning_rate=1e-5)
    assert found["learning_rate"] == 1e-5
    assert found["losses"][1] - found["losses"][0] == pytest.approx(found["predicted"], rel=0.05)
    assert found["predicted"] < 0


def test_probabilities_before_and_after_are_the_models() -> None:
    found, step = backward_update(opened("gpt"), TEXT, position=3), walked(opened("gpt"), TEXT)
    p = pytorch.softmax(pytorch.tensor(step.logits[0]), -1)
    targets = step.batch.y[0]
    for row in found["positions"]:
        i = row["position"]
        assert row["target"] == TEXT[i + 1]
        assert row["before"] == pytest.approx(p[i, targets[i]].item(), rel=1e-5)
    mean = -np.mean([np.log(row["after"]) for row in found["positions"]])
    assert mean == pytest.approx(found["losses"][1], rel=1e-5)
    assert found["top"]["position"] == 3
    assert found["top"]["target"] == TEXT[4]
    assert sum(token["target"] for token in found["top"]["tokens"]) == 1


def test_more_steps_on_the_same_text_lower_its_loss() -> None:
    losses = backward_update(opened("gpt"), TEXT, steps=8)["losses"]
    assert len(losses) == 9
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("kind", ["transformer", "encoder", "bigram", "recurrent"])
def test_every_kind_tells_the_probability_of_what_was_asked(kind: str) -> None:
    found = backward_update(opened(kind), TEXT, TARGET.get(kind, ""))
    assert found["positions"]
    assert all(0 < row["before"] < 1 and 0 < row["after"] < 1 for row in found["positions"])
    if kind not in ("transformer", "encoder"):  # its loss in training is of smoothed targets; of hidden tokens
        mean = -np.mean([np.log(row["before"]) for row in found["positions"]])
        assert mean == pytest.approx(found["losses"][0], rel=1e-5)


def test_a_moments_step_is_the_one_that_training_took_there(two: tuple[Opened, Opened]) -> None:
    """Of the beginning: its learning rate and its own batch, and an optimizer that has seen nothing."""
    folder = two[0].folder
    assert folder is not None
    start = open_run(folder.path, "0")
    found = backward_update(start, source="batch")
    assert found["step"] == 1
    assert "begin at 0" in found["said"]
    config, _, state = run_of(start)
    assert not state
    assert found["learning_rate"] == config.learning_rate
    assert found["cell"]["lines"][2]["value"] == 0.0
