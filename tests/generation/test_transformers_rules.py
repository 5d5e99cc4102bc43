"""The sampling settings leave the same tokens and the same logits as the processors of `transformers`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradus.backend import torch as ours
from gradus.generation import SamplingRule

theirs = pytest.importorskip("torch")
process = pytest.importorskip("transformers.generation.logits_process")

SHAPES = [(4, 11), (3, 1000), (2, 50257)]
RULES: list[dict[str, Any]] = [
    {"temperature": 0.7},
    {"temperature": 1e-4},
    {"temperature": 30.0},
    *({"top_k": k} for k in (1, 2, 10, 100_000)),
    *({"top_p": p} for p in (0.0, 1e-6, 0.3, 0.9, 0.999)),
    *({"min_p": p} for p in (0.0, 1e-4, 0.1, 1.0)),
    *({"repetition_penalty": penalty} for penalty in (0.5, 1.3, 10.0)),
    {"temperature": 0.8, "top_k": 40, "top_p": 0.95},
    {"temperature": 1.5, "top_k": 7, "top_p": 0.6, "min_p": 0.05, "repetition_penalty": 1.2},
]


def expected(scores: Any, tokens: Any, rule: dict[str, Any]) -> Any:
    """The processors in the order in which `generate` of transformers builds them."""
    if "repetition_penalty" in rule:
        scores = process.RepetitionPenaltyLogitsProcessor(rule["repetition_penalty"])(tokens, scores)
    if "temperature" in rule:
        scores = process.TemperatureLogitsWarper(rule["temperature"])(tokens, scores)
    if "top_k" in rule:
        scores = process.TopKLogitsWarper(rule["top_k"])(tokens, scores)
    if "top_p" in rule:
        scores = process.TopPLogitsWarper(rule["top_p"])(tokens, scores)
    if "min_p" in rule:
        scores = process.MinPLogitsWarper(rule["min_p"])(tokens, scores)
    return scores.numpy()


def check(logits: np.ndarray[Any, np.dtype[np.float32]], rule: dict[str, Any]) -> None:
    B, V = logits.shape
    tokens = np.random.default_rng(5).integers(V, size=(B, 9))
    seen = np.zeros((B, V), dtype=bool)
    np.put_along_axis(seen, tokens, True, axis=1)
    wanted = expected(theirs.from_numpy(logits.copy()), theirs.from_numpy(tokens), rule)
    got = SamplingRule(**rule).apply(ours.from_numpy(logits.copy()), ours.from_numpy(seen)).numpy()
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_random_logits(rule: dict[str, Any], shape: tuple[int, int]) -> None:
    for seed in range(3):
        check(np.random.default_rng(seed).normal(size=shape).astype(np.float32) * 3, rule)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_all_but_one_logit_minus_infinity(rule: dict[str, Any]) -> None:
    logits = np.full((2, 9), -np.inf, dtype=np.float32)
    logits[0, 4], logits[1, 8] = 1.5, -3.0
    check(logits, rule)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_equal_logits(rule: dict[str, Any]) -> None:
    check(np.array([[1, 2, 2, 0, 2, 1, -1, 2], [0] * 8], dtype=np.float32), rule)


def test_temperature_0_is_greedy_search() -> None:
    logits = np.random.default_rng(0).normal(size=(5, 100)).astype(np.float32)
    kept = np.isfinite(SamplingRule(temperature=0).apply(ours.from_numpy(logits)).numpy())
    assert kept.sum(axis=1).tolist() == [1] * 5
    assert kept.argmax(axis=1).tolist() == logits.argmax(axis=1).tolist()
