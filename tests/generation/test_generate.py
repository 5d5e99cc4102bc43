"""Writing, token after token: the same for every model, from any prompt, to the end or to a stop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.generation import SamplingRule, generate, stream
from gradus.models import Bigram, BigramConfig, LanguageModel, build_model, inference

V, BLOCK = 11, 6
SETTINGS: dict[str, dict[str, Any]] = {
    "ngram": {"order": 4, "method": "additive"},
    "bigram": {},
    "nplm": {"context": 3, "n_hidden": 16},
    "mlp": {"context": 3, "n_hidden": 16},
    "wavenet": {"n_layer": 2, "n_hidden": 16},
    "recurrent": {"n_hidden": 16},
    "gpt": {"n_layer": 1, "n_head": 2, "n_embd": 16, "dropout": 0.3},
    "modern": {"n_layer": 1, "n_head": 2, "n_embd": 16, "dropout": 0.3},
    "mixture": {"network": '{"name": "bigram"}', "order": 3},
}
every_model = pytest.mark.parametrize("name", SETTINGS)
every_model_that_sees_a_block = pytest.mark.parametrize("name", [name for name in SETTINGS if name != "recurrent"])


def model_named(name: str) -> LanguageModel:
    """A model with something to say: weights that make its predictions differ, or counts."""
    torch.manual_seed(0)
    model = build_model(name, vocab_size=V, block_size=BLOCK, **SETTINGS[name])
    if hasattr(model, "count"):
        x = np.random.default_rng(0).integers(V, size=(5, 50))
        model.count(x[:, :-1], x[:, 1:])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(*parameter.shape))
    return model


def rows(batch: int = 3, length: int = 4) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).integers(V, size=(batch, length)))


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def circle(size: int) -> Bigram:
    """A model for which w + 1 always follows w, and 0 the last."""
    model = Bigram(BigramConfig(size, 4))
    with torch.no_grad():
        model.table.weight.copy_(torch.tensor(100.0 * np.roll(np.eye(size), 1, axis=1), dtype=torch.float32))
    return model


@every_model
def test_the_prompt_is_kept_and_tokens_of_the_vocabulary_are_added(name: str) -> None:
    ids = generate(model_named(name), rows(), 20, generator=generator(0))
    assert tuple(ids.shape) == (3, 24)
    assert ids.dtype == torch.int64
    np.testing.assert_array_equal(ids.numpy()[:, :4], rows().numpy())
    assert 0 <= ids.numpy().min() <= ids.numpy().max() < V


@every_model
def test_temperature_0_writes_the_likeliest_token_each_time(name: str) -> None:
    model = model_named(name)
    ids = generate(model, rows(), 12, SamplingRule(temperature=0)).numpy()
    for end in range(4, 16):
        with inference(model):
            first = 0 if name == "recurrent" else max(0, end - BLOCK)  # of the tokens that it can see
            logits, _ = model(torch.from_numpy(np.ascontiguousarray(ids[:, first:end])))
        np.testing.assert_array_equal(ids[:, end], logits.numpy()[:, -1].argmax(axis=1))


@every_model
def test_same_seed_same_text_and_other_seed_another(name: str) -> None:
    model = model_named(name)
    first, again, other = (generate(model, rows(), 30, generator=generator(seed)).tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


@every_model_that_sees_a_block
def test_a_prompt_longer_than_block_size_is_continued_from_its_end(name: str) -> None:
    model, long = model_named(name), rows(length=20)
    whole = generate(model, long, 10, generator=generator(3)).numpy()
    end = generate(model, torch.from_numpy(long.numpy()[:, -BLOCK:].copy()), 10, generator=generator(3)).numpy()
    np.testing.assert_array_equal(whole[:, 20:], end[:, BLOCK:])


@every_model
def test_stream_gives_the_tokens_that_generate_adds_one_step_at_a_time(name: str) -> None:
    model = model_named(name)
    rule = SamplingRule(temperature=0.8, top_k=5, top_p=0.9)
    steps = [step.token.numpy() for step in stream(model, rows(), 8, rule, generator=generator(4))]
    assert [step.shape for step in steps] == [(3, 1)] * 8
    ids = generate(model, rows(), 8, rule, generator=generator(4)).numpy()
    np.testing.assert_array_equal(np.concatenate(steps, axis=1), ids[:, 4:])


def test_the_model_is_in_its_own_mode_between_the_steps_of_a_stream() -> None:
    model = model_named("gpt")
    for _ in stream(model, rows(), 3):
        assert all(module.training for module in model.modules())
        assert model(rows())[0].requires_grad


def test_writing_ends_when_every_row_has_met_the_stop_token() -> None:
    ids = generate(circle(5), torch.tensor([[1], [3]]), 100, SamplingRule(temperature=0), stop=0)
    assert ids.tolist() == [[1, 2, 3, 4, 0], [3, 4, 0, 0, 0]]


def test_a_stop_token_in_the_prompt_stops_nothing() -> None:
    ids = generate(circle(5), torch.tensor([[0]]), 100, SamplingRule(temperature=0), stop=0)
    assert ids.tolist() == [[0, 1, 2, 3, 4, 0]]


def test_without_a_stop_token_writing_goes_on() -> None:
    assert generate(circle(3), torch.tensor([[0]]), 5, SamplingRule(temperature=0)).tolist() == [[0, 1, 2, 0, 1, 2]]


def test_no_tokens_asked_for_none_added() -> None:
    assert generate(circle(3), torch.tensor([[2, 1]]), 0).tolist() == [[2, 1]]


@pytest.mark.parametrize(
    ("shape", "tokens", "rule", "message"),
    [
        ((1, 0), 5, {}, r"idx must be rows of at least one token, \(B, T\), got the shape \(1, 0\)"),
        ((3,), 5, {}, r"idx must be rows of at least one token, \(B, T\), got the shape \(3,\)"),
        ((1, 1), -1, {}, "max_new_tokens must be 0 or more, got -1"),
        ((1, 1), 0, {"temperature": -1.0}, "temperature must be 0 or more, got -1.0"),
    ],
)
def test_impossible_requests_are_said_before_the_first_token(
    shape: tuple[int, ...], tokens: int, rule: dict[str, Any], message: str
) -> None:
    with pytest.raises((UserError, ValueError), match=f"^{message}$"):
        stream(circle(3), torch.zeros(shape, dtype=torch.long), tokens, SamplingRule(**rule))


def test_rows_of_different_lengths_are_a_list_and_each_is_continued_as_if_alone() -> None:
    model, prompts = model_named("gpt"), [rows(1, n)[0] for n in (2, 9, 4)]
    together = generate(model, prompts, 12, SamplingRule(temperature=0))
    alone = [generate(model, row[None], 12, SamplingRule(temperature=0))[0] for row in prompts]
    assert [row.tolist() for row in together] == [row.tolist() for row in alone]


@pytest.mark.parametrize("prompts", [[], [torch.tensor([1]), torch.tensor([], dtype=torch.long)]])
def test_a_list_without_rows_or_with_an_empty_one_is_refused(prompts: list[torch.Tensor]) -> None:
    with pytest.raises(ValueError, match="rows of at least one token"):
        generate(circle(3), prompts, 5)


@every_model
def test_log_probabilities_are_the_model_s_own(name: str) -> None:
    model, ids = model_named(name), rows()
    for drawn in stream(model, ids, 4, SamplingRule(temperature=0.7, top_k=3), generator=generator(2)):
        with inference(model):
            logits = model(ids if name == "recurrent" else ids[:, -BLOCK:])[0].numpy()[:, -1].astype(np.float64)
        log_p = logits - np.log(np.exp(logits - logits.max()).sum(axis=1, keepdims=True)) - logits.max()
        expected = np.take_along_axis(log_p, drawn.token.numpy(), axis=1)
        np.testing.assert_allclose(drawn.logprob.numpy(), expected, rtol=0, atol=2e-4)  # logits are in the hundreds
        ids = torch.cat([ids, drawn.token], dim=1)


def test_a_repetition_penalty_ends_a_circle() -> None:
    rule = SamplingRule(temperature=0, repetition_penalty=1000.0)
    assert sorted(generate(circle(5), torch.tensor([[1]]), 4, rule).tolist()[0]) == [0, 1, 2, 3, 4]
