"""A training step walked backwards: every gradient against the engine's own walk, finite differences and PyTorch, and
every cell that is spelled out against the engine's number."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch as pytorch
import torch.nn.functional as reference

from gradus.backend import torch
from gradus.errors import UserError
from gradus.explorer import Opened
from gradus.explorer.backward.batch import batch_of
from gradus.explorer.backward.rules import RULES, SAID, spell
from gradus.explorer.backward.spelled import matrix
from gradus.explorer.backward.step import backward_operation, backward_step, walked
from gradus.explorer.backward.walk import Walked, norm, training_copy
from gradus.models import build_model
from gradus.text import CharTokenizer

TEXT = "the cat sat on"
SIZES = {"n_layer": 2, "n_head": 2, "n_embd": 8}
KINDS: dict[str, dict[str, Any]] = {
    "bigram": {},
    "nplm": {"n_embd": 4, "n_hidden": 6},
    "mlp": {"n_embd": 4, "n_hidden": 6},
    "wavenet": {"n_embd": 4, "n_hidden": 6},
    "recurrent": {"n_embd": 4, "n_hidden": 6},
    "gpt": SIZES,
    "modern": SIZES,
    "transformer": SIZES,
    "encoder": SIZES,
}


@cache
def opened(kind: str, **more: Any) -> Opened:
    """A model with random weights; large enough ones that every gradient can be seen."""
    torch.manual_seed(5)
    tokenizer = CharTokenizer(sorted(set("the cat sat on the mat and the dog sat on the log. \n")))
    model = build_model(kind, vocab_size=tokenizer.vocab_size, block_size=16, **{**KINDS[kind], **more})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.2)
    found = Opened.of(model, tokenizer, kind, text_kind="pairs" if kind == "transformer" else "stream")
    found.__dict__["labels"] = ("bad", "good") if more.get("n_labels") else ()
    return found


def step_of(kind: str, **more: Any) -> Walked:
    return walked(opened(kind, **more), TEXT, _target(kind))


def _target(kind: str) -> str:
    return "on the mat" if kind == "transformer" else ""


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_the_engine_and_the_sum_of_all_uses(kind: str) -> None:
    step = step_of(kind)
    model = training_copy(opened(kind).model)
    _, loss = model(torch.from_numpy(step.batch.x), torch.from_numpy(step.batch.y))
    assert loss is not None
    assert step.loss == loss.item()
    loss.backward()
    for name, parameter in model.named_parameters():
        if parameter.grad is None:
            assert name not in step.grads
            continue
        np.testing.assert_array_equal(step.grads[name], parameter.grad.numpy())
        parts = [step.operations[a.giver].gradients()[a.position] for a in step.uses[name]]
        np.testing.assert_allclose(np.sum(parts, axis=0, dtype=np.float64), parameter.grad.numpy(), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_in_at_an_operation_is_the_sum_of_what_was_handed_to_it(kind: str) -> None:
    step = step_of(kind)
    for i, operation in enumerate(step.operations[1:], 1):
        assert operation.arrivals, i
        given = [step.operations[a.giver].gradients()[a.position] for a in operation.arrivals]
        if isinstance(operation.dy, list):
            assert norm(operation.dy) == pytest.approx(norm([*given]), rel=1e-5)
        else:
            np.testing.assert_allclose(np.sum(given, axis=0), operation.dy, rtol=1e-5, atol=1e-7)
        assert all(a.operation == i and a.giver < i for a in operation.arrivals)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_parameters_are_the_slopes_of_the_loss(kind: str) -> None:
    """In float64, at the largest cell of each parameter's gradient."""
    step = step_of(kind)
    model = training_copy(opened(kind).model).double()
    x, y = torch.from_numpy(step.batch.x), torch.from_numpy(step.batch.y)

    def loss() -> float:
        with torch.no_grad():
            found = model(x, y)[1]
        assert found is not None
        return float(found.item())

    for name, parameter in model.named_parameters():
        if name not in step.grads:
            continue
        place = np.unravel_index(int(np.abs(step.grads[name]).argmax()), parameter.shape)
        values = parameter.detach().numpy()
        before, by = values[place], 1e-5
        values[place] = before + by
        up = loss()
        values[place] = before - by
        down = loss()
        values[place] = before
        assert step.grads[name][place] == pytest.approx((up - down) / (2 * by), rel=2e-3, abs=2e-6), name


@pytest.mark.parametrize("kind", KINDS)
def test_every_cell_that_is_spelled_out_is_the_engines(kind: str) -> None:
    rng = np.random.default_rng(0)
    for operation in step_of(kind).operations:
        outgoing = operation.gradients()
        name = type(operation.node).__name__
        for arrival in operation.handed:
            gradient = matrix(outgoing[arrival.position])
            for _ in range(4):
                row, column = (int(rng.integers(n)) for n in gradient.shape)
                spelled = spell(operation.node, operation.dy, arrival.position, row, column)
                if spelled is None:
                    assert name in SAID, name
                    continue
                scale = max(float(np.abs(gradient).max()), norm(operation.dy))  # that of a key's bias is noise
                assert spelled.total == pytest.approx(float(gradient[row, column]), rel=1e-4, abs=2e-5 * scale), name
                if spelled.terms:
                    terms = sum(a * (1.0 if b is None else b) for _, a, b in spelled.terms) * spelled.factor
                    assert terms == pytest.approx(spelled.total, rel=1e-9, abs=1e-12)


def test_each_operation_of_a_gpt_has_the_gradient_that_pytorch_gives() -> None:
    """The same inputs and the same incoming gradient, given to PyTorch's function."""
    checked = set()
    for operation in step_of("gpt").operations:
        node, name = operation.node, type(operation.node).__name__
        kept = {k: pytorch.tensor(v) for k, v in vars(node).items() if isinstance(v, np.ndarray)}
        for leaf in kept.values():
            leaf.requires_grad_(leaf.is_floating_point())
        if name == "Linear":
            inputs = [kept["x"], kept["weight"]]
            result = reference.linear(*inputs)
        elif name == "LayerNorm":
            inputs = [kept["x"], kept["weight"]]
            result = reference.layer_norm(kept["x"], node.inner, kept["weight"])
        elif name == "Gelu":
            inputs = [kept["x"]]
            result = reference.gelu(kept["x"], approximate=node.approximate)
        elif name == "Attention":
            inputs = [kept["q"], kept["k"], kept["v"]]
            q, k, v = inputs
            result = reference.scaled_dot_product_attention(q, k, v, is_causal=node.causal)
        elif name == "Embedding":
            inputs = [pytorch.zeros(node.shape, requires_grad=True)]
            result = reference.embedding(pytorch.tensor(node.idx), inputs[0])
        else:
            continue
        checked.add(name)
        expected = pytorch.autograd.grad(result, inputs, pytorch.tensor(np.array(operation.dy)))
        for position, tensor in enumerate(expected):
            found = operation.gradients()[position]
            np.testing.assert_allclose(found, tensor.numpy(), rtol=1e-4, atol=1e-6)
    assert checked == {"Linear", "LayerNorm", "Gelu", "Attention", "Embedding"}


def test_the_gradient_of_the_loss_is_p_minus_one_hot_over_the_targets() -> None:
    step = step_of("gpt")
    logits = pytorch.tensor(step.logits.reshape(-1, step.logits.shape[-1]), requires_grad=True)
    targets = pytorch.tensor(step.batch.y.reshape(-1))
    reference.cross_entropy(logits, targets).backward()
    assert logits.grad is not None
    np.testing.assert_allclose(step.operations[0].gradients()[0], logits.grad.numpy(), atol=1e-6)
    found = backward_operation(opened("gpt"), TEXT, operation=0, row=2, column=int(targets[2]))
    p = pytorch.softmax(logits, 1)[2, targets[2]].item()
    assert [line["value"] for line in found["cell"]["lines"]] == pytest.approx(
        [p, 1.0, p - 1, (p - 1) / len(targets)], rel=1e-5
    )


def test_the_model_is_left_as_it_was() -> None:
    model = opened("mlp").model
    before = {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}
    backward_step(opened("mlp"), TEXT + " the")
    assert not model.training
    for name, tensor in model.state_dict().items():
        np.testing.assert_array_equal(before[name], tensor.numpy())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_the_list_of_operations_tells_the_walk(kind: str) -> None:
    step, found = step_of(kind), backward_step(opened(kind), TEXT, _target(kind))
    assert found["loss"] == step.loss
    assert [op["norm"] for op in found["operations"]] == [norm(op.dy) for op in step.operations]
    for op in found["operations"]:
        assert op["line"]["file"].startswith("models/")
        assert op["formula"]
        for handed in op["handed"]:
            assert handed["operation"] >= 0 or handed["parameter"] in step.grads
    for parameter in found["parameters"]:
        assert parameter["norm"] == norm(step.grads.get(parameter["name"], np.zeros(1)))
    inside = [group for group in found["groups"] if group["count"]]
    assert sum(group["count"] for group in inside if group["parent"] < 0) == len(found["operations"])
    for group in inside:
        members = range(group["first"], group["first"] + group["count"])
        assert all(_within(found["groups"], found["operations"][i]["group"], group["name"]) for i in members)


def _within(groups: list[dict[str, Any]], which: int, name: str) -> bool:
    while which >= 0 and groups[which]["name"] != name:
        which = groups[which]["parent"]
    return which >= 0


def test_a_block_hands_on_what_the_block_before_receives() -> None:
    found = backward_step(opened("gpt"), TEXT)
    groups = {group["name"]: group for group in found["groups"]}
    last, first = groups["transformer.h.1"], groups["transformer.h.0"]
    assert last["leaving"] == pytest.approx(first["norm"], rel=1e-5)
    assert last["norm"] == pytest.approx(groups["transformer.ln_f"]["leaving"], rel=1e-5)


def test_a_tied_weight_is_told_with_both_names_and_both_uses() -> None:
    found = backward_step(opened("gpt"), TEXT)
    tied = next(p for p in found["parameters"] if p["name"] == "transformer.wte.weight")
    assert tied["also"] == ["lm_head.weight"]
    assert [found["operations"][use["operation"]]["name"] for use in tied["uses"]] == ["linear", "embedding"]


def test_an_operation_shows_its_matrices_its_code_and_its_largest_cell() -> None:
    step, found = step_of("gpt"), backward_operation(opened("gpt"), TEXT, operation=2, input=1)
    gradient = matrix(step.operations[2].gradients()[1])
    assert found["name"] == "linear"
    assert "def backward" in found["code"]
    assert abs(found["value"]) == np.abs(gradient).max()
    shown = {m["key"]: m for m in found["matrices"]}
    assert set(shown) == {"dy", "x", "result"}
    np.testing.assert_array_equal(shown["result"]["values"].array, gradient[:48, :96])
    assert shown["result"]["row_names"][0] == opened("gpt").piece(0)  # the head has a row for each token
    assert shown["dy"]["row_names"] == list(TEXT[:-1])
    assert shown["x"]["column_names"] == []
    cell = found["cell"]
    assert sum(t["product"] for t in cell["terms"]) + cell["others_sum"] == pytest.approx(cell["total"])
    assert cell["total"] == pytest.approx(cell["engine"], rel=1e-4)


def test_a_large_matrix_is_a_window_around_the_cell() -> None:
    wide = opened("gpt", n_embd=64)
    found = backward_operation(wide, TEXT, operation=3, input=0, row=5, column=60)
    result = next(m for m in found["matrices"] if m["key"] == "result")
    assert (result["rows"], result["columns"]) == (len(TEXT) - 1, 64)
    wider = backward_operation(wide, TEXT, operation=5, input=1, row=60, column=200)
    result = next(m for m in wider["matrices"] if m["key"] == "result")
    gradient = matrix(walked(wide, TEXT).operations[5].gradients()[1])
    assert gradient.shape == (64, 256)
    np.testing.assert_array_equal(result["values"].array, gradient[16:64, 152:248])
    assert (result["first_row"], result["first_column"]) == (16, 152)


def test_a_classifier_learns_the_label_that_it_is_given() -> None:
    of_labels = opened("encoder", n_labels=2)
    assert batch_of(of_labels, "the cat").y.tolist() == [0]
    assert batch_of(of_labels, "the cat", "good").y.tolist() == [1]
    with pytest.raises(UserError, match="the model knows bad, good"):
        batch_of(of_labels, "the cat", "ugly")
    assert backward_step(of_labels, "the cat", "good")["rows"][0]["asked"] == ["good"]


def test_without_a_target_a_model_of_pairs_learns_what_it_writes_itself() -> None:
    pairs = opened("transformer")
    batch = batch_of(pairs, "the cat")
    separator = pairs.tokenizer.separator
    with torch.no_grad():
        logits, _ = pairs.model(torch.from_numpy(batch.x), torch.from_numpy(batch.y))
    assert batch.y[0, 0] == batch.y[0, -1] == separator
    written = logits.argmax(dim=2).numpy()[0]
    np.testing.assert_array_equal(written[: len(batch.y[0]) - 2], batch.y[0, 1:-1])


def test_documents_are_learned_with_the_separator_around_them() -> None:
    names = opened("nplm")
    names.__dict__["text_kind"] = "documents"
    batch = batch_of(names, "tom")
    separator = names.tokenizer.separator
    ids = names.encode("tom").tolist()
    assert batch.x.tolist() == [[separator, *ids]]
    assert batch.y.tolist() == [[*ids, separator]]
    names.__dict__["text_kind"] = "stream"


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("gpt", "", "type a text"),
        ("gpt", "t", "1 tokens"),
        ("gpt", "Ω", "Ω"),
        ("transformer", "the cat sat on the mat", "the model reads at most 16"),
    ],
)
def test_a_text_that_cannot_be_learned_is_told_in_one_line(kind: str, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as error:
        backward_step(opened(kind), text)
    assert "\n" not in str(error.value)


def test_a_counting_model_has_no_backward_pass() -> None:
    tokenizer = CharTokenizer(list("ab\n"))
    counts = Opened.of(build_model("ngram", vocab_size=tokenizer.vocab_size, block_size=8), tokenizer)
    with pytest.raises(UserError, match="learns by counting"):
        backward_step(counts, "abab")


def test_an_operation_that_is_not_there_is_told() -> None:
    with pytest.raises(UserError, match="operation must be between 0 and"):
        backward_operation(opened("gpt"), TEXT, operation=1000)
    with pytest.raises(UserError, match="input must be between 0 and"):
        backward_operation(opened("gpt"), TEXT, operation=0, input=7)


def test_every_rule_belongs_to_an_operation_of_the_engine() -> None:
    from gradus.engine import ops
    from gradus.engine.autograd.node import Function

    def below(cls: type[Function]) -> set[str]:
        return {cls.__name__}.union(*map(below, cls.__subclasses__()))

    assert ops
    assert set(RULES) | set(SAID) <= below(Function)
