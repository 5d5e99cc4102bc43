"""What holds for every model that predicts the next token: shapes, what the loss scores, causality, where a row starts,
and that it learns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.models import MODELS, LanguageModel, Mixture, build_model, inference

V, BLOCK = 11, 8
SETTINGS: dict[str, dict[str, Any]] = {
    "ngram": {"order": 3, "method": "additive", "smoothing": 0.01},
    "bigram": {},
    "nplm": {"context": 3, "n_embd": 6, "n_hidden": 32, "direct": True},
    "mlp": {"context": 3, "n_embd": 6, "n_hidden": 32},
    "wavenet": {"n_layer": 2, "n_embd": 8, "n_hidden": 32},
    "recurrent": {"n_embd": 8, "n_hidden": 32},
    "gpt": {"n_layer": 2, "n_head": 2, "n_embd": 32},
    "modern": {"n_layer": 2, "n_head": 2, "n_embd": 32},
    "mixture": {"network": '{"name": "bigram"}', "order": 3},
}
VARIANTS: dict[str, dict[str, Any]] = {  # settings that change what a model computes, for "model: what is different"
    "mlp: no norm, 2 layers": {**SETTINGS["mlp"], "n_layer": 2, "norm": "none", "init": "zero-output"},
    "mlp: layer, gelu": {**SETTINGS["mlp"], "norm": "layer", "activation": "gelu"},
    "mlp: group": {**SETTINGS["mlp"], "norm": "group"},
    "mlp: rms, relu": {**SETTINGS["mlp"], "norm": "rms", "activation": "relu"},
    "mlp: norm of the output": {**SETTINGS["mlp"], "norm_output": True},
    "wavenet: dilated": {**SETTINGS["wavenet"], "design": "dilated"},
    "recurrent: rnn": {**SETTINGS["recurrent"], "cell": "rnn"},
    "recurrent: gru, 2 layers": {**SETTINGS["recurrent"], "cell": "gru", "n_layer": 2},
    "modern: grouped queries, value embeddings": {
        **SETTINGS["modern"],
        "n_head": 4,
        "n_kv_head": 2,
        "value_embeddings": True,
    },
    "modern: swiglu, tied": {**SETTINGS["modern"], "mlp": "swiglu", "tied": True},
    "modern: as GPT-2": {
        **SETTINGS["modern"],
        "mlp": "gelu",
        "rope": False,
        "rms_norm": False,
        "qk_norm": False,
        "zero_init": False,
        "smear": False,
        "soft_cap": 0,
    },
}
OTHERS = ("transformer", "encoder")  # of pairs and labels; what holds for them is in their own tests
CASES = [*(name for name in MODELS if name not in OTHERS), *VARIANTS]
every_model = pytest.mark.parametrize("name", CASES)
short_context = pytest.mark.parametrize(
    "name", [name for name in CASES if name.split(":")[0] in ("ngram", "bigram", "nplm", "mlp", "wavenet")]
)


def small(name: str, vocab_size: int = V) -> LanguageModel:
    torch.manual_seed(1)
    settings = VARIANTS.get(name) or SETTINGS[name]
    return build_model(name.split(":")[0], vocab_size=vocab_size, block_size=BLOCK, **settings)


def random_rows(seed: int, batch: int = 4) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.random.default_rng(seed).integers(V, size=(batch, BLOCK))


def trained(name: str) -> tuple[LanguageModel, float]:
    """A model after a few dozen steps on one batch in which every token has one successor, and its loss on it."""
    model = small(name)
    x = random_rows(0)
    y = (3 * x + 1) % V
    if hasattr(model, "count"):
        model.count(x, y)
        if isinstance(model, Mixture):  # of a network that is trained already
            model.network.load_state_dict(trained("bigram")[0].state_dict())
            model.fit([(x, y)])
    else:
        rate = {
            "bigram": 0.3,
            "nplm": 0.03,
            "mlp": 0.03,
            "wavenet": 0.03,
            "recurrent": 0.03,
            "gpt": 0.01,
            "modern": 0.01,
        }[name.split(":")[0]]
        optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
        for _ in range(200 if has_batch_norm(model) else 40):  # evaluation waits for the running statistics
            _, loss = model(torch.from_numpy(x), torch.from_numpy(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with inference(model):
        _, loss = model(torch.from_numpy(x), torch.from_numpy(y))
    return model, loss.item()


def has_batch_norm(model: LanguageModel) -> bool:
    return any("running_mean" in name for name in model.state_dict())


@every_model
def test_logits_are_one_score_for_every_token_at_every_position(name: str) -> None:
    logits, loss = small(name)(torch.from_numpy(random_rows(0)))
    assert tuple(logits.shape) == (4, BLOCK, V)
    assert loss is None


@every_model
def test_first_loss_is_near_ln_V(name: str) -> None:
    x, y = random_rows(0, batch=64), random_rows(1, batch=64)
    _, loss = small(name)(torch.from_numpy(x), torch.from_numpy(y))
    half_of_their_variance = 768 * 0.02**2 / 2  # what random logits cost
    cost = {"gpt": half_of_their_variance, "modern: as GPT-2": half_of_their_variance}.get(name, 0.0)
    if name == "modern: swiglu, tied":
        cost = 0.75  # as long as its blocks add nothing, it expects the token that it has just read
    assert loss.item() == pytest.approx(math.log(V) + cost, abs=0.05)


@every_model
def test_a_tiny_batch_is_learned_by_heart(name: str) -> None:
    _, loss = trained(name)
    assert loss < 0.1


@every_model
def test_loss_is_the_mean_over_scored_targets(name: str) -> None:
    model, _ = trained(name)
    x, y = random_rows(5), random_rows(6)
    y[np.random.default_rng(7).random(y.shape) < 0.4] = -1
    with inference(model):
        logits, loss = model(torch.from_numpy(x), torch.from_numpy(y))
    scores = logits.numpy().astype(np.float64)
    log_p = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
    b, t = np.nonzero(y != -1)
    assert loss.item() == pytest.approx(-log_p[b, t, y[b, t]].mean(), rel=1e-5)  # float32


@every_model
def test_a_prediction_does_not_change_with_later_tokens(name: str) -> None:
    model, _ = trained(name)
    x = random_rows(2)
    other = x.copy()
    other[:, 5:] = (other[:, 5:] + 1) % V
    with inference(model):
        a, b = (model(torch.from_numpy(rows))[0].numpy() for rows in (x, other))
    np.testing.assert_allclose(a[:, :5], b[:, :5], rtol=0, atol=1e-6)  # the sums may be grouped otherwise
    assert np.abs(a[:, 5:] - b[:, 5:]).max() > 0.1


@short_context
def test_before_the_start_of_a_row_is_token_0(name: str) -> None:
    model, _ = trained(name)
    x = random_rows(3)
    x[:, :3] = 0
    with inference(model):
        whole, rest = (model(torch.from_numpy(rows))[0].numpy() for rows in (x, np.ascontiguousarray(x[:, 3:])))
    np.testing.assert_allclose(whole[:, 3:], rest, rtol=0, atol=1e-5)


@short_context
def test_a_short_context_takes_rows_longer_than_block_size(name: str) -> None:
    model, _ = trained(name)
    x = np.tile(random_rows(4), 3)
    with inference(model):
        logits = model(torch.from_numpy(x))[0].numpy()
    assert logits.shape == (4, 3 * BLOCK, V)
    np.testing.assert_allclose(logits[:, BLOCK + 3 : 2 * BLOCK], logits[:, 2 * BLOCK + 3 :], rtol=0, atol=1e-5)


@every_model
def test_a_row_is_scored_the_same_alone_and_in_a_batch(name: str) -> None:
    model, _ = trained(name)
    x, y = torch.from_numpy(random_rows(9)), torch.from_numpy(random_rows(10))
    with inference(model):
        together, _ = model(x, y)
        alone = np.concatenate([model(x[i : i + 1], y[i : i + 1])[0].numpy() for i in range(len(x))])
    np.testing.assert_allclose(together.numpy(), alone, rtol=0, atol=2e-5)  # products of other shapes round otherwise


@pytest.mark.parametrize("name", [name for name in CASES if name != "ngram"])
def test_targets_of_the_last_position_only_are_scored_as_in_whole_rows(name: str) -> None:
    model, _ = trained(name)
    x, y = random_rows(11), random_rows(12)
    y[:, :-1] = -1
    with inference(model):
        _, whole = model(torch.from_numpy(x), torch.from_numpy(y))
        _, last = model(torch.from_numpy(x), torch.from_numpy(y[:, -1:].copy()))
    assert last.item() == pytest.approx(whole.item(), rel=1e-6)


@every_model
def test_tokens_read_piece_by_piece_are_followed_by_the_same(name: str) -> None:
    model, _ = trained(name)
    x = torch.from_numpy(random_rows(13))
    with inference(model):
        whole = model(x)[0][:, -1]
        _, state = model.read(x[:, :3])
        _, state = model.read(x[:, 3:4], state)
        logits, _ = model.read(x[:, 4:], state)
    np.testing.assert_allclose(logits.numpy(), whole.numpy(), rtol=0, atol=1e-5)  # products of other shapes


@every_model
def test_saved_and_loaded_it_predicts_the_same(name: str) -> None:
    model, _ = trained(name)
    again = small(name)
    again.load_state_dict({key: torch.tensor(value.numpy().copy()) for key, value in model.state_dict().items()})
    with inference(model), inference(again):
        a, b = (m(torch.from_numpy(random_rows(8)))[0].numpy() for m in (model, again))
    np.testing.assert_array_equal(a, b)


@every_model
def test_tokens_outside_the_vocabulary_are_an_index_error(name: str) -> None:
    with pytest.raises(IndexError):
        small(name)(torch.tensor([[0, V]]))


@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("ngram", 2),
        ("bigram", 1),
        ("nplm", 3),
        ("mlp", 3),
        ("wavenet", 4),
        ("wavenet: dilated", 4),
        ("recurrent", BLOCK),
        ("gpt", BLOCK),
        ("modern", BLOCK),
    ],
)
def test_context_is_how_many_tokens_a_prediction_sees(name: str, context: int) -> None:
    model, _ = trained(name)
    assert (model.context, model.block_size) == (context, BLOCK)
    rows = np.tile(random_rows(0)[:1], (BLOCK + 1, 1))
    for place in range(BLOCK):
        rows[place, place] = (rows[place, place] + 1) % V  # row `place` differs from the last row there
    with inference(model):
        logits = model(torch.from_numpy(rows))[0].numpy()[:, -1]
    changed = np.abs(logits[:-1] - logits[-1]).max(axis=1) > 1e-4
    assert changed.tolist() == [place >= BLOCK - context for place in range(BLOCK)]


def test_inference_puts_every_module_back_into_its_mode() -> None:
    model = build_model("gpt", vocab_size=V, block_size=BLOCK, n_layer=1, n_head=1, n_embd=8, dropout=0.5)
    frozen = model.get_submodule("transformer.ln_f")
    frozen.eval()
    with inference(model):
        assert not any(module.training for module in model.modules())
        logits, _ = model(torch.zeros((1, 2), dtype=torch.long))
        assert not logits.requires_grad
    assert [module for module in model.modules() if not module.training] == [frozen]
    with pytest.raises(IndexError), inference(model):
        model(torch.tensor([[V]]))
    assert [module for module in model.modules() if not module.training] == [frozen]
    assert model(torch.zeros((1, 2), dtype=torch.long))[0].requires_grad
