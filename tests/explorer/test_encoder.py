"""An encoder looked at: its answers against the model's, gradient times input against finite differences, attention
against the products of its matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradus.backend import nn, torch
from gradus.errors import UserError
from gradus.explorer import VIEWS, Opened, to_wire
from gradus.explorer.forward.encoder import answer, encoder_attention, encoder_attention_row, gradient_times_input
from gradus.generation import fill_masks, label_probabilities
from gradus.models import Encoder
from tests.explorer.models import opened

SIZES: dict[str, Any] = {"n_layer": 2, "n_head": 2, "n_embd": 16}


def classifier(**settings: Any) -> Opened:
    run = opened("encoder", n_labels=3, **{**SIZES, **settings})
    run.__dict__["labels"] = ("city", "number", "person")
    with torch.no_grad():
        for parameter in run.model.parameters():
            parameter.mul_(3.0).add_(0.02)  # so that the layers say something, and biases too
    return run


def model_of(run: Opened) -> Encoder:
    assert isinstance(run.model, Encoder)
    return run.model


def test_the_answers_are_the_models() -> None:
    run, text = classifier(), "the cat sat"
    page = answer(run, text)
    (p,) = label_probabilities(model_of(run), run.tokenizer, [text])
    assert page["labels"]
    assert len(page["answers"]) == 3
    for found in page["answers"]:
        assert found["name"] == run.labels[found["id"]]
        assert found["p"] == pytest.approx(p[found["id"]], abs=1e-6)
    assert page["choice"] == page["answers"][0]["id"] == p.argmax()
    assert len(page["pieces"]) == len(text) + 2
    assert answer(run, text, choice=1)["name"] == "number"


@pytest.mark.parametrize("settings", [{}, {"norm": "post"}, {"pool": "mean"}])
def test_a_contribution_is_how_much_the_logit_grows_with_the_vector(settings: dict[str, Any]) -> None:
    """The derivative of the logit as one position's vector is made longer, by central differences in float64."""
    run, text, step = classifier(**settings), "the cat sat", 1e-4
    model = model_of(run).double()
    ids = run.row(text)
    logits, contributions = gradient_times_input(model, ids, choice=2)

    def logit(position: int, by: float) -> float:
        def longer(_: Any, __: Any, vectors: Any) -> Any:
            scale = torch.ones(1, len(ids), 1, dtype=torch.float64)
            scale[0, position] = 1 + by
            return vectors * scale

        handle = model.embedding_norm.register_forward_hook(longer)
        with torch.no_grad():
            out = float(model(torch.from_numpy(ids[None]))[0][0, 2].item())
        handle.remove()
        return out

    for position in range(len(ids)):
        slope = (logit(position, step) - logit(position, -step)) / (2 * step)
        assert contributions[position] == pytest.approx(slope, abs=1e-6)
    assert logits[2] == pytest.approx(logit(0, 0.0), abs=1e-12)
    assert np.abs(contributions).max() > 1e-3


def test_the_sum_and_the_rest_are_the_logit() -> None:
    page = answer(classifier(), "the dog sat")
    assert page["sum"] == pytest.approx(page["contributions"].sum())
    assert page["sum"] + page["rest"] == pytest.approx(page["logit"])
    assert page["logit"] == page["answers"][0]["logit"]


@pytest.mark.parametrize("settings", [{}, {"norm": "post"}, {"pool": "mean"}])
def test_along_the_way_from_an_average_text_the_contributions_are_the_whole_difference(
    settings: dict[str, Any],
) -> None:
    """Against the sum over 300 equal steps; together they are how much the logit grew."""
    run = classifier(**settings)
    model = model_of(run).double()
    ids = run.row("the cat sat")
    with torch.no_grad():
        positions = model.positions.weight[: len(ids)]
        x = model.embedding_norm(model.embedding(torch.from_numpy(ids)) + positions)
        begin = model.embedding_norm(model.embedding.weight[: run.config.vocab_size].mean(dim=0) + positions)
    at = ((torch.arange(300).double() + 0.5) / 300).view(-1, 1, 1)
    way = (begin + at * (x - begin)).requires_grad_()
    handle = model.embedding_norm.register_forward_hook(lambda *_: way)
    logits = model(torch.from_numpy(np.repeat(ids[None], 300, axis=0)))[0][:, 1]
    handle.remove()
    logits.sum().backward()
    assert way.grad is not None
    expected = (way.grad.mean(dim=0) * (x - begin)).sum(dim=1).numpy()
    page = answer(run, "the cat sat", choice=1, method="path")
    np.testing.assert_allclose(page["contributions"], expected, atol=1e-3)
    assert page["start"] == pytest.approx(logits[0].item(), abs=0.01)
    assert page["rest"] == pytest.approx(0.0, abs=1e-3)
    assert page["start"] + page["sum"] + page["rest"] == pytest.approx(page["logit"])
    assert np.abs(expected).max() > 0.01


def test_of_a_model_without_biases_and_bends_the_rest_is_nothing() -> None:
    """With layers that add nothing and a head near 0, where tanh is straight, the logit is linear in the vectors."""
    run = classifier(norm="post", pool="mean")
    model = model_of(run).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or "outside" in name or "attention.output" in name:
                parameter.zero_()
            if name.startswith("head"):
                parameter.mul_(1e-6)
    for layer in model.layers:
        layer.add_1.norm = layer.add_2.norm = nn.Identity()
    page = answer(run, "the dog sat", choice=1)
    assert page["rest"] == pytest.approx(0.0, abs=1e-9 + 1e-6 * abs(page["logit"]))
    assert abs(page["logit"]) > 0


def test_what_is_hidden_is_what_fill_masks_says() -> None:
    run, text = opened("encoder", **SIZES), "the [MASK]at s[MASK]t"
    expected = fill_masks(model_of(run), run.tokenizer, text)
    first = answer(run, text)
    assert first["places"] == [5, 10]
    assert first["pieces"][5] == "[MASK]"
    for place, tokens in zip(first["places"], expected, strict=True):
        page = answer(run, text, place=place)
        assert [found["name"] for found in page["answers"][:5]] == [name for name, _ in tokens]
        assert [found["p"] for found in page["answers"][:5]] == pytest.approx([p for _, p in tokens], abs=1e-6)
        assert page["choice"] == page["answers"][0]["id"]
    assert first["place"] == 5
    assert answer(run, "the cat")["answers"] == []


def test_attention_is_the_softmax_of_the_products() -> None:
    run, text = classifier(), "the cat sat"
    model, ids = model_of(run), run.row(text)
    with torch.no_grad():
        x = model.embedding_norm(model.embedding(torch.from_numpy(ids)) + model.positions.weight[: len(ids)])
        layer: Any = model.layers[0]
        h = layer.add_1.norm(x)  # the norm comes first
        q, k = (
            m(h).numpy().reshape(len(ids), 2, 8).transpose(1, 0, 2)
            for m in (layer.attention.query, layer.attention.key)
        )
    scores = np.einsum("htc,hsc->hts", q, k) / np.sqrt(8)
    expected = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    page = encoder_attention(run, text)
    np.testing.assert_allclose(page["weights"].array, expected, atol=1e-5)
    assert (page["layers"], page["heads"]) == (2, 2)
    row = encoder_attention_row(run, text, head=1, row=3)
    np.testing.assert_allclose(row["weights"], expected[1, 3], atol=1e-5)
    np.testing.assert_allclose(row["scores"], scores[1, 3], atol=1e-4)
    np.testing.assert_allclose(row["keys"] @ row["query"] / np.sqrt(8), row["scores"], rtol=1e-5)


def test_a_long_text_is_read_from_its_beginning() -> None:
    run = classifier()
    assert len(answer(run, "the cat sat on the mat")["pieces"]) == run.block_size
    assert VIEWS["tokens"].function(run, text="the cat sat on the mat")["left_out"] == 8


def test_what_is_not_there_is_said_in_a_line() -> None:
    run = classifier()
    wrong: list[tuple[Callable[[], Any], str]] = [
        (lambda: answer(run, "  "), "there is nothing to read"),
        (lambda: answer(run, "the", choice=3), "choice must be from 0 to 2, got 3"),
        (
            lambda: answer(opened("encoder", **SIZES), "t[MASK]e", place=1),
            "there is no .MASK. at position 1; there is at 2",
        ),
        (lambda: answer(opened(), "the"), "a model of the kind gpt is no encoder"),
        (lambda: encoder_attention(run, "the", layer=2), "there is no layer 2"),
        (lambda: encoder_attention_row(run, "the", head=2), "there are 2 heads of 5 rows, got head 2, row 0"),
    ]
    for call, message in wrong:
        with pytest.raises(UserError, match=message):
            call()


def test_the_views_travel() -> None:
    for name in ("forward/encoder", "forward/encoder/attention", "forward/encoder/attention/row"):
        to_wire(VIEWS[name].function(classifier(), **VIEWS[name].parse({"text": "the"})))
