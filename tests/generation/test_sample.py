"""Drawing one token: the rules keep what they say and leave the frequencies alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradus.backend import F, torch
from gradus.errors import UserError
from gradus.generation import SamplingRule, sample_token

P = [0.05, 0.5, 0.15, 0.3]  # the likeliest tokens are 1, 3, 2, 0
DRAWS = 20_000
NOISE = 4 * 0.5 / math.sqrt(DRAWS)  # four standard errors of a frequency


def logits_of(p: list[float], rows: int = 1) -> torch.Tensor:
    with np.errstate(divide="ignore"):
        return torch.tensor(
            np.tile(np.log(p), (rows, 1)) + 3.0, dtype=torch.float32
        )  # softmax takes no notice of the 3


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def frequencies(p: list[float], **rule: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    drawn = sample_token(logits_of(p, DRAWS), SamplingRule(**rule), generator=generator())
    assert tuple(drawn.shape) == (DRAWS, 1)
    assert drawn.dtype == torch.int64
    return np.bincount(drawn.numpy().ravel(), minlength=len(p)) / DRAWS


def test_frequencies_are_the_softmax() -> None:
    np.testing.assert_allclose(frequencies(P), P, rtol=0, atol=NOISE)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_divides_the_logits(temperature: float) -> None:
    sharpened = np.array(P) ** (1 / temperature)
    np.testing.assert_allclose(frequencies(P, temperature=temperature), sharpened / sharpened.sum(), rtol=0, atol=NOISE)


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ({"top_k": 1}, [1]),
        ({"top_k": 2}, [1, 3]),
        ({"top_k": 4}, [0, 1, 2, 3]),
        ({"top_p": 0.0}, [1]),
        ({"top_p": 0.01}, [1]),
        ({"top_p": 0.49}, [1]),
        ({"top_p": 0.51}, [1, 3]),
        ({"top_p": 0.79}, [1, 3]),
        ({"top_p": 0.81}, [1, 2, 3]),
        ({"top_p": 0.96}, [0, 1, 2, 3]),
        ({"top_p": 1.0}, [0, 1, 2, 3]),
        ({"top_k": 2, "top_p": 0.61}, [1]),  # of those two, token 1 has 0.625
        ({"top_k": 2, "top_p": 0.64}, [1, 3]),
        ({"top_k": 3, "top_p": 0.52}, [1]),  # of those three, token 1 has 0.526
    ],
)
def test_only_the_likeliest_are_drawn_in_their_proportions(rule: dict[str, Any], kept: list[int]) -> None:
    expected = np.zeros(4)
    expected[kept] = np.array(P)[kept]
    np.testing.assert_allclose(frequencies(P, **rule), expected / expected.sum(), rtol=0, atol=NOISE)


def test_top_p_is_taken_after_the_temperature() -> None:
    # at temperature 0.5 the squares 0.25, 0.09, 0.0225, 0.0025 count: the first alone has 0.68
    assert np.flatnonzero(frequencies(P, temperature=0.5, top_p=0.66)).tolist() == [1]
    assert np.flatnonzero(frequencies(P, temperature=1.0, top_p=0.66)).tolist() == [1, 3]


def test_top_k_keeps_all_that_equal_the_smallest_of_the_k() -> None:
    assert np.flatnonzero(frequencies([0.2, 0.4, 0.1, 0.1, 0.2], top_k=2)).tolist() == [0, 1, 4]


def test_top_k_above_the_vocabulary_is_all_of_it() -> None:
    np.testing.assert_allclose(frequencies(P, top_k=1000), P, rtol=0, atol=NOISE)


def test_frequencies_with_every_setting_pass_a_chi_squared_test() -> None:
    rule = SamplingRule(temperature=1.3, top_k=30, top_p=0.9, min_p=0.02, repetition_penalty=1.2)
    logits = torch.tensor(np.random.default_rng(3).normal(size=(1, 50)), dtype=torch.float32)
    seen = torch.zeros(1, 50, dtype=torch.bool)
    seen[0, ::7] = True
    p = F.softmax(rule.apply(logits, seen).double(), dim=-1).numpy()[0]
    rows = [x.expand(DRAWS, 50).contiguous() for x in (logits, seen)]
    counts = np.bincount(sample_token(rows[0], rule, seen=rows[1], generator=generator()).numpy()[:, 0], minlength=50)
    kept = p > 0
    assert 10 < kept.sum() < 30
    assert counts[~kept].sum() == 0
    chi_squared = ((counts[kept] - DRAWS * p[kept]) ** 2 / (DRAWS * p[kept])).sum()
    freedom = int(kept.sum()) - 1
    assert chi_squared < freedom + 3 * math.sqrt(2 * freedom)  # mean, and three standard deviations


def test_min_p_is_a_share_of_the_most_likely() -> None:
    kept = np.flatnonzero(frequencies(P, min_p=0.29)).tolist()  # 0.145: of 0.05, 0.5, 0.15 and 0.3 all but the first
    assert kept == [1, 2, 3]


def test_the_penalty_is_for_the_tokens_that_were_seen() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5, -0.5]])
    seen = torch.tensor([[True, True, False, False]])
    assert SamplingRule(repetition_penalty=2.0).apply(logits, seen).tolist() == [[1.0, -2.0, 0.5, -0.5]]


def test_the_stages_are_those_that_have_a_say_and_end_where_apply_does() -> None:
    logits, seen = logits_of(P), torch.tensor([[True, False, False, False]])
    rule = SamplingRule(temperature=0.5, top_k=3, top_p=0.9, min_p=0.5, repetition_penalty=2.0)
    stages = dict(rule.stages(logits, seen))
    assert list(stages) == ["logits", "repetition_penalty", "temperature", "top_k", "top_p", "min_p"]
    np.testing.assert_array_equal(stages["min_p"].numpy(), rule.apply(logits, seen).numpy())
    np.testing.assert_array_equal(stages["top_k"].isfinite().numpy()[0], [False, True, True, True])
    np.testing.assert_array_equal(stages["top_p"].isfinite().numpy()[0], [False, True, False, True])
    assert [name for name, _ in SamplingRule().stages(logits, seen)] == ["logits", "temperature"]
    assert [name for name, _ in SamplingRule(temperature=0, top_k=2).stages(logits)] == ["logits", "temperature"]


def test_each_row_is_cut_by_its_own_logits() -> None:
    logits = torch.cat([logits_of(P, 500), logits_of(P[::-1], 500)])
    drawn = sample_token(logits, SamplingRule(top_k=2), generator=generator()).numpy().ravel()
    assert set(drawn[:500]) == {1, 3}
    assert set(drawn[500:]) == {0, 2}


@pytest.mark.parametrize("rule", [{"temperature": 0}, {"temperature": 0.0, "top_p": 0.9}, {"top_k": 1}])
def test_greedy_rules_are_argmax(rule: dict[str, Any]) -> None:
    logits = torch.tensor(np.random.default_rng(0).normal(size=(50, 9)))
    drawn = sample_token(logits, SamplingRule(**rule), generator=generator())
    np.testing.assert_array_equal(drawn.numpy().ravel(), logits.numpy().argmax(axis=1))


def test_minus_infinity_is_never_drawn() -> None:
    drawn = frequencies([0.0, 0.6, 0.0, 0.4])
    np.testing.assert_allclose(drawn, [0, 0.6, 0, 0.4], rtol=0, atol=NOISE)
    assert frequencies([0.0, 0.6, 0.0, 0.4], top_k=3, top_p=0.99)[[0, 2]].tolist() == [0, 0]


def test_a_very_low_temperature_is_not_a_division_overflow() -> None:
    assert np.flatnonzero(frequencies(P, temperature=1e-30)).tolist() == [1]


def test_same_seed_same_tokens_and_other_seed_others() -> None:
    first, again, other = (
        sample_token(logits_of(P, 100), generator=generator(seed)).numpy().ravel().tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_without_a_generator_the_global_seed_decides() -> None:
    torch.manual_seed(5)
    first = sample_token(logits_of(P, 100)).tolist()
    torch.manual_seed(5)
    assert sample_token(logits_of(P, 100)).tolist() == first


def test_the_logits_given_are_left_alone() -> None:
    logits = logits_of(P)
    before = logits.tolist()
    sample_token(logits, SamplingRule(temperature=0.3, top_k=2, top_p=0.5))
    assert logits.tolist() == before


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"temperature": -0.1}, "temperature must be 0 or more, got -0.1"),
        ({"temperature": float("inf")}, "temperature must be finite, got inf; 1e9 makes all tokens equally likely"),
        ({"temperature": float("nan")}, "temperature must be 0 or more, got nan"),
        ({"top_k": 0}, "top_k must be 1 or more, got 0"),
        ({"top_p": -0.1}, "top_p must be between 0 and 1, got -0.1"),
        ({"top_p": 1.5}, "top_p must be between 0 and 1, got 1.5"),
        ({"min_p": math.nan}, "min_p must be between 0 and 1, got nan"),
        ({"repetition_penalty": 0.0}, "repetition_penalty must be more than 0 and finite, got 0.0"),
    ],
)
def test_impossible_rules_are_said_with_their_values(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}$"):
        sample_token(logits_of(P), SamplingRule(**rule))


@pytest.mark.parametrize("value", [-math.inf, math.inf, math.nan])
def test_a_row_without_a_token_to_draw_is_an_error(value: float) -> None:
    with pytest.raises(ValueError, match="there is no token to draw"):
        sample_token(torch.tensor([[0.0, 1.0], [value, value]]))


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-46, 1e-38])
def test_a_temperature_near_0_takes_the_likeliest_token_or_one_of_the_likeliest(temperature: float) -> None:
    logits = torch.tensor([[1.0, 3.0, 2.999, float("-inf")], [5.0, 5.0, -1e30, 4.0]])
    drawn = {tuple(sample_token(logits, SamplingRule(temperature)).flatten().tolist()) for _ in range(40)}
    assert drawn == {(1, 0), (1, 1)}


@pytest.mark.parametrize("temperature", [1e30, 1e38, 1e300, 1.7e308])
def test_a_temperature_without_end_makes_all_that_can_be_drawn_equally_likely(temperature: float) -> None:
    logits = torch.tensor([[1.0, 3.0, 1000.0, float("-inf")]])
    drawn = [int(sample_token(logits, SamplingRule(temperature))) for _ in range(120)]
    assert set(drawn) == {0, 1, 2}
    assert min(drawn.count(token) for token in range(3)) > 15
