"""What the forward pass of a GPT shows equals what the model computes, or what follows from its weights by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gradus.backend import torch
from gradus.errors import UserError
from gradus.explorer import VIEWS, Opened, to_wire
from gradus.explorer.forward.attention import all_heads, attention, attention_row
from gradus.explorer.forward.cell import Cell
from gradus.explorer.forward.credit import credit
from gradus.explorer.forward.embedding import embedding
from gradus.explorer.forward.next_token import next_token
from gradus.explorer.forward.passes import run
from gradus.explorer.forward.residual import lens, residual
from gradus.explorer.forward.stack import added, stream
from gradus.explorer.forward.units import units
from gradus.explorer.forward.why import WHATS, why
from gradus.explorer.wire import Quantised
from gradus.models import build_model, inference
from gradus.models.gpt import causal_attention
from gradus.models.inside import attention as weights_of
from gradus.models.modern import rotate, rotation
from gradus.text import CharTokenizer

Floats = NDArray[np.floating[Any]]

ALPHABET = "\n .acdeghlmnost"
SENTENCE = "the cat sat on."
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt": ("gpt", {}),
    "gpt with biases": ("gpt", {"bias": True}),
    "modern": ("modern", {"zero_init": False}),
    "grouped swiglu": ("modern", {"zero_init": False, "n_kv_head": 2, "mlp": "swiglu", "value_embeddings": True}),
    "learned positions": (
        "modern",
        {"zero_init": False, "rope": False, "qk_norm": False, "rms_norm": False, "mlp": "gelu", "soft_cap": 0.0},
    ),
}


def made(which: str, **more: Any) -> Opened:
    name, settings = MODELS[which]
    torch.manual_seed(3)
    settings = {"n_layer": 3, "n_head": 4, "n_embd": 32, **settings, **more}
    model = build_model(name, vocab_size=len(ALPHABET), block_size=16, **settings)
    for parameter in model.parameters():  # biases and gains as training leaves them: not all zeros and ones
        if parameter.dim() == 1:
            parameter.data += 0.1 * torch.randn(parameter.shape)
    return Opened.of(model, CharTokenizer(ALPHABET))


@pytest.fixture(params=MODELS)
def opened(request: pytest.FixtureRequest) -> Opened:
    return made(request.param)


def logits_of(opened: Opened, text: str) -> Floats:
    with inference(opened.model):
        logits: Floats = opened.model(torch.from_numpy(opened.row(text)[None]))[0][0].numpy()
    return logits


def softmax(x: Floats) -> Floats:
    shifted = np.exp(x.astype(np.float64) - x.max(axis=-1, keepdims=True))
    out: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
    return out


def sent(value: Any) -> Floats:
    """An array as it is sent: in 8 bits."""
    assert isinstance(value, Quantised)
    return value.array


def test_the_logits_are_the_models(opened: Opened) -> None:
    np.testing.assert_allclose(run(opened, SENTENCE).logits, logits_of(opened, SENTENCE), atol=1e-5)


def test_a_text_typed_letter_by_letter_gives_the_logits_of_the_whole(opened: Opened) -> None:
    for n in range(1, len(SENTENCE)):
        run(opened, SENTENCE[:n])
    for text in (SENTENCE, SENTENCE[:6], "the dog sat", "the dog", "an ocean and the sea and the long coast"):
        passed = run(opened, text)
        np.testing.assert_allclose(passed.logits, logits_of(opened, text), atol=2e-5)
        np.testing.assert_allclose(stream(opened, passed)[-1], fresh_stream(opened, text), atol=2e-5)
        for layer, weights in enumerate(weights_of(opened.model, opened.row(text))):
            T = len(passed.ids)
            np.testing.assert_allclose(
                sent(attention(opened, text, layer)["weights"]), weights[:, *np.tril_indices(T)], atol=1e-5
            )


def fresh_stream(opened: Opened, text: str) -> Floats:
    """What the last block gives, by the model's own `vectors`."""
    model: Any = opened.model
    with inference(model):
        out: Floats = model.vectors(torch.from_numpy(opened.row(text)[None]))[0].numpy()
    return out


def test_a_pass_is_computed_once_for_a_text(opened: Opened) -> None:
    first = run(opened, "the cat")
    assert run(opened, "the dog") is not first
    assert run(opened, "the cat") is first


def test_the_stream_is_the_sum_of_what_is_added(opened: Opened) -> None:
    passed = run(opened, SENTENCE)
    x, plus = stream(opened, passed), added(opened, passed)
    np.testing.assert_allclose(x[0] + plus.sum(axis=0), x[-1], atol=1e-5)
    told = residual(opened, SENTENCE)
    np.testing.assert_allclose(told["sizes"], np.linalg.norm(x, axis=-1), rtol=1e-5)
    np.testing.assert_allclose(told["added"], np.linalg.norm(plus, axis=-1), rtol=1e-5)
    cosine = (x[:-1] * plus).sum(-1) / np.linalg.norm(x[:-1], axis=-1) / np.linalg.norm(plus, axis=-1)
    np.testing.assert_allclose(told["turned"], cosine, atol=1e-5)
    assert told["steps"][:3] == ["embedding", "attention 0", "mlp 0"]


def test_the_first_vector_is_the_sum_of_its_parts(opened: Opened) -> None:
    told, model = embedding(opened, SENTENCE, 4), opened.model
    np.testing.assert_allclose(told["parts"].sum(axis=0), told["sum"], atol=1e-6)
    names = dict(model.named_modules())
    table: Any = names["transformer.wte" if opened.kind == "gpt" else "wte"]
    np.testing.assert_array_equal(told["parts"][0], table.weight.detach().numpy()[opened.row(SENTENCE)[4]])
    smeared = getattr(opened.config, "smear", False)
    rope = getattr(opened.config, "rope", False)
    assert told["names"] == ["token", *["token before"] * smeared, *["position"] * (not rope)]


def test_attention_of_a_gpt_equals_that_written_out() -> None:
    opened = made("gpt with biases")
    model: Any = opened.model
    passed = run(opened, SENTENCE)
    T = len(passed.ids)
    for layer, block in enumerate(model.transformer.h):
        x = torch.from_numpy(stream(opened, passed)[2 * layer][None])
        with torch.no_grad():
            q, k, v = (
                part.view(1, T, 4, 8).transpose(1, 2) for part in block.attn.c_attn(block.ln_1(x)).split(32, dim=2)
            )
            _, weights = causal_attention(q, k, v)
        told = sent(attention(opened, SENTENCE, layer)["weights"])
        np.testing.assert_allclose(told, weights[0].numpy()[:, *np.tril_indices(T)], atol=1e-6)
        row = attention_row(opened, SENTENCE, layer, 2, 5)
        np.testing.assert_allclose(row["query"], q[0, 2, 5].numpy(), atol=1e-6)
        np.testing.assert_allclose(row["keys"], k[0, 2, :6].numpy(), atol=1e-6)
        np.testing.assert_allclose(row["weights"], weights[0, 2, 5, :6].numpy(), atol=1e-6)
        np.testing.assert_allclose(row["value_norms"], np.linalg.norm(v[0, 2, :6].numpy(), axis=1), rtol=1e-5)


def test_attention_of_a_modern_model_is_normed_turned_and_grouped() -> None:
    opened = made("grouped swiglu")
    model: Any = opened.model
    passed = run(opened, SENTENCE)
    T, (cos, sin) = len(passed.ids), rotation(16, 8)
    for layer, block in enumerate(model.blocks):
        x = torch.from_numpy(stream(opened, passed)[2 * layer][None])
        with torch.no_grad():
            qk = block.attn.c_attn(block.norm_1(x))[0, :, :48].view(T, 6, 8).transpose(0, 1)
            qk = qk / (qk.square().mean(dim=-1, keepdim=True) + 1.2e-7).sqrt()
            qk = rotate(qk, cos[:T], sin[:T]).numpy()
        for head in range(4):
            q, k = qk[head], qk[4 + head // 2]
            for t in (0, 3, T - 1):
                row = attention_row(opened, SENTENCE, layer, head, t)
                np.testing.assert_allclose(row["scores"], k[: t + 1] @ q[t] / math.sqrt(8), atol=1e-5)
                np.testing.assert_allclose(row["weights"], softmax(k[: t + 1] @ q[t] / math.sqrt(8)), atol=1e-5)


def test_all_heads_in_small_have_the_largest_weight_of_each_square() -> None:
    opened = made("gpt")
    torch.manual_seed(1)
    long = Opened.of(build_model("gpt", vocab_size=15, block_size=80, n_layer=1, n_head=2, n_embd=8), opened.tokenizer)
    text = (SENTENCE * 6)[:70]
    weights = weights_of(long.model, long.row(text))[0]
    told = all_heads(long, text)
    assert told["side"] == 24  # squares of three
    small = np.array(
        [[[head[i : i + 3, j : j + 3].max() for j in range(0, 70, 3)] for i in range(0, 70, 3)] for head in weights]
    )
    np.testing.assert_allclose(sent(told["maps"])[0], small[:, *np.tril_indices(24)], atol=1e-6)
    before = [np.mean([head[t, t - 1] for t in range(2, 70)]) for head in weights]
    np.testing.assert_allclose(told["before"][0], before, atol=1e-6)


def test_what_is_expected_next_is_the_softmax_of_the_logits(opened: Opened) -> None:
    p, ids = softmax(logits_of(opened, SENTENCE)), opened.row(SENTENCE)
    told = next_token(opened, SENTENCE, token=4, top=5)
    assert told["pieces"] == list(SENTENCE)
    assert np.isnan(told["surprise"][0])
    np.testing.assert_allclose(told["surprise"][1:], [-math.log(p[t, ids[t + 1]]) for t in range(14)], rtol=1e-4)
    assert told["loss"] == pytest.approx(-np.log(p[np.arange(14), ids[1:]]).mean(), rel=1e-4)
    np.testing.assert_allclose(told["entropy"], -(p * np.log(p)).sum(axis=1), rtol=1e-4)
    np.testing.assert_allclose(told["top"]["probabilities"], np.sort(p[4])[::-1][:5], rtol=1e-4)
    np.testing.assert_allclose(told["top"]["logits"], logits_of(opened, SENTENCE)[4][told["top"]["ids"]], atol=1e-5)
    assert told["rest"]["tokens"] == 10
    assert told["rest"]["probability"] == pytest.approx(np.sort(p[4])[:10].sum(), abs=1e-5)
    assert told["next"]["rank"] == 1 + int((p[4] > p[4, ids[5]]).sum())
    assert next_token(opened, SENTENCE)["next"] is None


def test_the_lens_ends_at_what_the_model_says(opened: Opened) -> None:
    p, ids = softmax(logits_of(opened, SENTENCE)), opened.row(SENTENCE)
    told = lens(opened, SENTENCE)
    assert (told["steps"], told["ids"].shape) == (["embedding", "layer 0", "layer 1", "layer 2"], (4, 15))
    np.testing.assert_array_equal(told["ids"][-1], p.argmax(axis=1))
    np.testing.assert_allclose(told["probabilities"][-1], p.max(axis=1), rtol=1e-4)
    np.testing.assert_allclose(told["right"][-1, :-1], p[np.arange(14), ids[1:]], rtol=1e-4)
    assert np.isnan(told["right"][-1, -1])
    model: Any = opened.model
    with inference(model):
        early = model.head(torch.from_numpy(stream(opened, run(opened, SENTENCE))[2][None]))[0].numpy()
    np.testing.assert_allclose(told["probabilities"][1], softmax(early).max(axis=1), rtol=1e-4)
    part = lens(opened, SENTENCE, token=13, count=2)
    np.testing.assert_allclose(part["right"], told["right"][:, 12:14], rtol=1e-5)


def test_the_units_are_what_the_second_matrix_takes(opened: Opened) -> None:
    model: Any = opened.model
    mlp = (model.transformer.h if opened.kind == "gpt" else model.blocks)[1].mlp
    passed = run(opened, SENTENCE)
    told = units(opened, SENTENCE, layer=1, token=7, unit=3, top=200)
    h = np.zeros(told["hidden"])
    h[told["ids"]] = told["values"]
    assert len(told["ids"]) == told["hidden"]
    out = mlp.c_proj.weight.detach().numpy() @ h
    out = out if getattr(mlp.c_proj, "bias", None) is None else out + mlp.c_proj.bias.detach().numpy()
    np.testing.assert_allclose(out, added(opened, passed)[3, 7], atol=1e-5)
    assert told["unit"]["along"][7] == pytest.approx(told["unit"]["value"])
    assert told["counts"].sum() == told["hidden"]
    effect = model.lm_head.weight.detach().numpy() @ mlp.c_proj.weight.detach().numpy()[:, 3]
    np.testing.assert_allclose(told["unit"]["writes"]["values"], np.sort(effect)[::-1][:6], rtol=1e-5)


def test_the_parts_of_a_logit_sum_to_it(opened: Opened) -> None:
    for t, id_ in ((0, 3), (9, 4), (14, 0)):
        parts, _, constant = credit(opened, run(opened, SENTENCE), t, id_)
        raw = sum(parts.values()) + constant
        cap = getattr(opened.config, "soft_cap", 0.0)
        said = cap * math.tanh(raw / cap) if cap else raw
        assert said == pytest.approx(float(logits_of(opened, SENTENCE)[t, id_]), abs=2e-5)
        assert sum("head" in name for name in parts) == 12


@pytest.mark.parametrize("what", WHATS)
def test_the_numbers_of_a_formula_give_its_result(opened: Opened, what: str) -> None:
    told = why(opened, SENTENCE, what, layer=1, head=2, token=9, key=4, unit=5, id=3)
    (result, _, first, *more), *_ = told["lines"]
    signs = [one["sign"] for one in more if "sign" in one]
    values = [one["value"] for one in more if "value" in one]
    value = first["value"]
    for sign, other in zip(signs, values, strict=True):
        value = {"/": value / other if other else math.nan, "+": value + other, "×": value * other}[sign]
    assert result["value"] == pytest.approx(value, abs=2e-5)
    assert told["result"] == result["value"]
    if told["terms"]:
        terms = told["terms"]
        summed = sum(row["values"][-1] for row in terms["rows"]) + terms["others_sum"]
        assert summed == pytest.approx(terms["value"])
    assert to_wire(told)["title"]


def test_formulas_explain_the_numbers_that_are_shown(opened: Opened) -> None:
    row = attention_row(opened, SENTENCE, 1, 2, 9)
    cell = {"layer": 1, "head": 2, "token": 9, "key": 4}
    assert why(opened, SENTENCE, "score", **cell)["result"] == pytest.approx(row["scores"][4])
    assert why(opened, SENTENCE, "weight", **cell)["result"] == pytest.approx(row["weights"][4])
    h = units(opened, SENTENCE, layer=1, token=9, unit=5)["unit"]["value"]
    assert why(opened, SENTENCE, "unit", layer=1, token=9, unit=5)["result"] == pytest.approx(h, abs=1e-6)
    assert why(opened, SENTENCE, "logit", token=9, id=3)["result"] == pytest.approx(
        logits_of(opened, SENTENCE)[9, 3], abs=1e-5
    )
    assert why(opened, SENTENCE, "probability", token=9, id=3)["result"] == pytest.approx(
        softmax(logits_of(opened, SENTENCE)[9])[3], rel=1e-4
    )
    sizes = residual(opened, SENTENCE)["sizes"]
    assert why(opened, SENTENCE, "size", layer=3, token=9)["result"] == pytest.approx(sizes[3, 9], rel=1e-5)


def test_an_activation_follows_from_the_sum_before_it(opened: Opened) -> None:
    lines = why(opened, SENTENCE, "unit", layer=1, token=9, unit=5)["lines"]
    unit, before = lines[0][0]["value"], lines[1][0]["value"]
    kind = "gelu" if opened.kind == "gpt" else opened.config.mlp
    if kind == "gelu":
        said = 0.5 * before * (1 + math.tanh(math.sqrt(2 / math.pi) * (before + 0.044715 * before**3)))
    elif kind == "relu2":
        said = max(before, 0) ** 2
    else:
        said = before / (1 + math.exp(-before)) * lines[0][4]["value"]
    assert unit == pytest.approx(said, abs=1e-5)


@pytest.mark.parametrize(
    ("view", "given", "line"),
    [
        ("forward/attention", {"layer": "3"}, "layer must be from 0 to 2, got 3"),
        ("forward/attention/row", {"head": "4"}, "head must be from 0 to 3, got 4"),
        ("forward/next", {"token": "15"}, "token must be from 0 to 14, the positions that the model reads, got 15"),
        ("forward/why", {"what": "score", "token": "3", "key": "4"}, "position 3 sees the positions 0 to 3, not 4"),
        ("forward/units", {"unit": "200"}, "unit must be from 0 to 127, got 200"),
        ("forward/why", {"what": "logit", "id": "99"}, "id must be from 0 to 14, got 99"),
    ],
)
def test_what_is_not_there_is_one_line(view: str, given: dict[str, str], line: str) -> None:
    asked = VIEWS[view]
    with pytest.raises(UserError) as error:
        asked.function(made("gpt"), **asked.parse({"text": SENTENCE, **given}))
    assert str(error.value) == line


def test_a_cell_names_its_position_by_its_token() -> None:
    opened = made("gpt")
    assert Cell(opened, run(opened, "the cat"), 0).at(3) == "“␣” at 3"
