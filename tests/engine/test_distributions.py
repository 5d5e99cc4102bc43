"""Distributions: samples draw for draw PyTorch's; densities, moments, entropies, divergences and errors its, too."""

# ruff: noqa: ARG005  # all cases of a table are called with the same arguments

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as engine
from tests.engine.compare import agree, numbers

Make = Callable[[Any, Any], Any]  # (the module of distributions, torch) -> a distribution

SHARES = [[0.2, 0.3, 0.5], [1.0, 2.0, 4.0]]
COVARIANCE = [[2.0, 0.5], [0.5, 1.0]]
MADE: list[tuple[str, Make]] = [
    ("Normal", lambda d, t: d.Normal(t.tensor([0.0, 1.0]), t.tensor([1.0, 2.0]))),
    ("Normal of numbers", lambda d, t: d.Normal(0.0, 1.0)),
    ("Uniform", lambda d, t: d.Uniform(t.tensor([0.0, 1.0]), 3.0)),
    ("Laplace", lambda d, t: d.Laplace(t.tensor([0.0, 1.0]), 2.0)),
    ("Exponential", lambda d, t: d.Exponential(t.tensor([0.5, 2.0]))),
    ("Bernoulli", lambda d, t: d.Bernoulli(t.tensor([0.3, 0.9]))),
    ("Bernoulli of logits", lambda d, t: d.Bernoulli(logits=t.tensor([0.3, -0.9]))),
    ("Geometric", lambda d, t: d.Geometric(t.tensor([0.3, 0.9]))),
    ("Poisson", lambda d, t: d.Poisson(t.tensor([3.0, 40.0]))),
    ("Binomial", lambda d, t: d.Binomial(t.tensor([10, 50]), t.tensor([0.3, 0.6]))),
    ("Categorical", lambda d, t: d.Categorical(t.tensor(SHARES))),
    ("Categorical of logits", lambda d, t: d.Categorical(logits=t.tensor([0.2, 0.3, 0.5]))),
    ("OneHotCategorical", lambda d, t: d.OneHotCategorical(t.tensor(SHARES))),
    ("Multinomial", lambda d, t: d.Multinomial(5, t.tensor([0.2, 0.3, 0.5]))),
    ("Gamma", lambda d, t: d.Gamma(t.tensor([0.5, 3.0]), t.tensor([1.0, 2.0]))),
    ("Chi2", lambda d, t: d.Chi2(t.tensor([0.5, 3.0]))),
    ("Beta", lambda d, t: d.Beta(t.tensor([0.5, 3.0]), t.tensor([1.0, 2.0]))),
    ("Dirichlet", lambda d, t: d.Dirichlet(t.tensor([[0.5, 3.0, 2.0], [1.5, 2.5, 4.0]]))),
    ("MultivariateNormal", lambda d, t: d.MultivariateNormal(t.zeros(2), t.tensor(COVARIANCE))),
    (
        "MultivariateNormal of precision",
        lambda d, t: d.MultivariateNormal(t.zeros(3, 2), precision_matrix=t.tensor(COVARIANCE)),
    ),
    ("Independent", lambda d, t: d.Independent(d.Normal(t.zeros(3, 2), t.ones(3, 2)), 1)),
    ("LogNormal", lambda d, t: d.LogNormal(t.tensor([0.0, 1.0]), t.tensor([1.0, 0.5]))),
    ("HalfNormal", lambda d, t: d.HalfNormal(t.tensor([0.5, 1.0]))),
    (
        "MixtureSameFamily",
        lambda d, t: d.MixtureSameFamily(
            d.Categorical(t.tensor([0.3, 0.7])), d.Normal(t.tensor([-1.0, 1.0]), t.tensor([0.5, 0.5]))
        ),
    ),
    (
        "MixtureSameFamily of vectors",
        lambda d, t: d.MixtureSameFamily(
            d.Categorical(t.tensor([0.3, 0.7])), d.Independent(d.Normal(t.zeros(2, 3), t.ones(2, 3)), 1)
        ),
    ),
    (
        "tanh of Normal",
        lambda d, t: d.TransformedDistribution(
            d.Normal(t.zeros(2), t.ones(2)), [d.TanhTransform(cache_size=1), d.AffineTransform(1.0, -2.0)]
        ),
    ),
    (
        "logistic",
        lambda d, t: d.TransformedDistribution(
            d.Uniform(t.zeros(2), t.ones(2)),
            [d.SigmoidTransform().inv, d.AffineTransform(t.zeros(2), t.ones(2), 1)],
        ),
    ),
]
IDS = [name for name, _ in MADE]


def both(make: Make) -> tuple[Any, Any]:
    return make(torch.distributions, torch), make(engine.distributions, engine)


def assert_close(ours: Any, theirs: Any) -> None:
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=2e-5, atol=2e-6)


def offered(theirs: Any, ours: Any, name: str, *args: Any) -> tuple[Any, Any] | None:
    """What both give; None where PyTorch has it not, or the engine says that it has not."""
    try:
        expected, got = getattr(theirs, name), getattr(ours, name)
        if not isinstance(expected, torch.Tensor):
            expected = expected(*args)
            got = got(*[engine.tensor(x.numpy()) if isinstance(x, torch.Tensor) else x for x in args])
    except NotImplementedError:
        return None
    return got, expected


@pytest.mark.parametrize(("name", "make"), MADE, ids=IDS)
def test_samples_are_pytorchs(name: str, make: Make) -> None:
    del name
    theirs, ours = both(make)
    torch.manual_seed(3)
    engine.manual_seed(3)
    for shape in ((), (3,), (2, 20)):
        assert_close(ours.sample(shape), theirs.sample(torch.Size(shape)))
        if theirs.has_rsample:
            assert_close(ours.rsample(shape), theirs.rsample(torch.Size(shape)))
    assert ours.has_rsample == theirs.has_rsample


@pytest.mark.parametrize(("name", "make"), MADE, ids=IDS)
def test_densities_and_moments_are_pytorchs(name: str, make: Make) -> None:
    theirs, ours = both(make)
    assert (ours.batch_shape, ours.event_shape) == (tuple(theirs.batch_shape), tuple(theirs.event_shape))
    if name != "Beta":
        assert repr(ours) == repr(theirs)
    value = theirs.sample((4,))
    found = [offered(theirs, ours, each) for each in ("mean", "mode", "variance", "stddev", "entropy", "perplexity")]
    found += [offered(theirs, ours, each, value) for each in ("log_prob", "cdf")]
    found += [offered(theirs, ours, "icdf", torch.tensor([0.1, 0.7])), offered(theirs, ours, "enumerate_support")]
    assert sum(pair is not None for pair in found) >= 1
    for pair in found:
        if pair is not None:
            assert_close(*pair)


@pytest.mark.parametrize(("name", "make"), MADE, ids=IDS)
def test_expanded_and_compared_with_itself(name: str, make: Make) -> None:
    del name
    theirs, ours = both(make)
    shape = (4, *theirs.batch_shape)
    wide, ours_wide = theirs.expand(shape), ours.expand(shape)
    assert tuple(ours_wide.batch_shape) == shape
    value = wide.sample()
    assert_close(ours_wide.log_prob(engine.tensor(value.numpy())), wide.log_prob(value))
    try:
        expected = torch.distributions.kl_divergence(theirs, theirs)
    except NotImplementedError:
        return
    assert_close(engine.distributions.kl_divergence(ours, ours), expected)


PAIRS: list[tuple[str, Make, Make]] = [
    ("Normal", lambda d, t: d.Normal(0.0, 1.0), lambda d, t: d.Normal(1.0, 2.0)),
    ("Bernoulli", lambda d, t: d.Bernoulli(t.tensor([0.0, 0.3])), lambda d, t: d.Bernoulli(t.tensor([0.5, 0.6]))),
    ("Categorical", lambda d, t: d.Categorical(t.tensor([0.0, 1.0, 2.0])), lambda d, t: d.Categorical(t.ones(3))),
    ("Geometric", lambda d, t: d.Geometric(0.3), lambda d, t: d.Geometric(0.6)),
    ("Poisson", lambda d, t: d.Poisson(3.0), lambda d, t: d.Poisson(5.0)),
    ("Binomial", lambda d, t: d.Binomial(5, t.tensor(0.3)), lambda d, t: d.Binomial(5, t.tensor(0.6))),
    ("Exponential", lambda d, t: d.Exponential(3.0), lambda d, t: d.Exponential(5.0)),
    ("Laplace", lambda d, t: d.Laplace(0.0, 1.0), lambda d, t: d.Laplace(1.0, 2.0)),
    ("Uniform", lambda d, t: d.Uniform(t.tensor([0.0, 0.5]), 1.0), lambda d, t: d.Uniform(0.25, 2.0)),
    ("Uniform, Normal", lambda d, t: d.Uniform(0.0, 1.0), lambda d, t: d.Normal(0.25, 2.0)),
    ("Gamma", lambda d, t: d.Gamma(1.5, 1.0), lambda d, t: d.Gamma(0.5, 3.0)),
    ("Beta", lambda d, t: d.Beta(1.5, 1.0), lambda d, t: d.Beta(0.5, 3.0)),
    ("Dirichlet", lambda d, t: d.Dirichlet(t.tensor([1.0, 2.0])), lambda d, t: d.Dirichlet(t.tensor([3.0, 0.5]))),
    (
        "MultivariateNormal",
        lambda d, t: d.MultivariateNormal(t.zeros(2), t.tensor(COVARIANCE)),
        lambda d, t: d.MultivariateNormal(t.ones(2), scale_tril=t.eye(2) * 2),
    ),
]


@pytest.mark.parametrize(("name", "p", "q"), PAIRS, ids=[name for name, *_ in PAIRS])
def test_divergences_are_pytorchs(name: str, p: Make, q: Make) -> None:
    del name
    expected = torch.distributions.kl_divergence(p(torch.distributions, torch), q(torch.distributions, torch))
    ours = engine.distributions
    assert_close(ours.kl_divergence(p(ours, engine), q(ours, engine)), expected)


GRADIENTS: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("Normal", lambda t, x: t.distributions.Normal(x, x.exp()).rsample((3,))),
    ("Normal log_prob", lambda t, x: t.distributions.Normal(x, x.exp()).log_prob(x.detach() + 1)),
    ("MultivariateNormal", lambda t, x: t.distributions.MultivariateNormal(x, x @ x.mT + t.eye(2)).rsample((3,))),
    ("Categorical", lambda t, x: t.distributions.Categorical(logits=x).log_prob(t.tensor([1, 0]))),
    ("Categorical entropy", lambda t, x: t.distributions.Categorical(logits=x).entropy()),
    ("Bernoulli", lambda t, x: t.distributions.Bernoulli(logits=x).log_prob(t.ones(2, 2))),
    ("Gamma log_prob", lambda t, x: t.distributions.Gamma(x.exp(), x.exp()).log_prob(t.ones(2, 2))),
    ("Beta entropy", lambda t, x: t.distributions.Beta(x.exp(), x.exp()).entropy()),
    ("LogNormal", lambda t, x: t.distributions.LogNormal(x, x.exp()).rsample()),
    ("straight through", lambda t, x: t.distributions.OneHotCategoricalStraightThrough(logits=x).rsample()),
]


@pytest.mark.parametrize(("name", "program"), GRADIENTS, ids=[name for name, _ in GRADIENTS])
def test_gradients_are_pytorchs(name: str, program: Callable[[Any, Any], Any]) -> None:
    del name

    def seeded(t: Any, x: Any) -> Any:
        t.manual_seed(5)
        return program(t, x)

    agree(seeded, numbers(2, 2).astype(np.float32), tolerance=1e-4)


def test_policy_gradient_reaches_the_logits_after_a_sample() -> None:
    logits = engine.tensor([0.1, 0.2, 0.3], requires_grad=True)
    policy = engine.distributions.Categorical(logits=logits)
    policy.log_prob(policy.sample()).backward()  # sampling made the probabilities without a graph being recorded
    assert logits.grad is not None
    assert policy.probs.requires_grad


def test_cached_transform_gives_back_the_same_tensor() -> None:
    transform = engine.distributions.TanhTransform(cache_size=1)
    x = engine.tensor([20.0])
    assert transform.inv(transform(x)) is x
    assert engine.distributions.ExpTransform() == engine.distributions.ExpTransform()
    assert engine.distributions.AffineTransform(0.0, 1.0) != engine.distributions.AffineTransform(0.0, 2.0)


def test_modules_are_pytorchs() -> None:
    for name in ("normal", "categorical", "kl", "transforms", "one_hot_categorical", "mixture_same_family"):
        module = importlib.import_module(f"gradus.engine.distributions.{name}")
        theirs = importlib.import_module(f"torch.distributions.{name}")
        assert any(public in vars(theirs) for public in vars(module) if public[0].isupper())


def test_gradients_through_gamma_samples_are_refused() -> None:
    gamma = engine.distributions.Gamma(engine.tensor(2.0, requires_grad=True), 1.0)
    assert gamma.sample().item() > 0
    with pytest.raises(NotImplementedError, match=r"use sample\(\)"):
        gamma.rsample()


REFUSED: list[tuple[str, Make]] = [
    ("scale", lambda d, t: d.Normal(0.0, t.tensor([1.0, -1.0]))),
    ("probs", lambda d, t: d.Bernoulli(1.5)),
    ("both", lambda d, t: d.Bernoulli(0.5, 0.5)),
    ("neither", lambda d, t: d.Categorical()),
    ("0-d", lambda d, t: d.Categorical(t.tensor(0.5))),
    ("simplex", lambda d, t: d.Categorical(t.tensor([-1.0, 2.0]))),
    ("interval", lambda d, t: d.Uniform(1.0, 0.0)),
    ("value", lambda d, t: d.Categorical(t.ones(3)).log_prob(t.tensor(3))),
    ("value below", lambda d, t: d.Exponential(1.0).log_prob(t.tensor(-1.0))),
    ("value's shape", lambda d, t: d.Normal(t.zeros(2), 1.0).log_prob(t.zeros(3))),
    ("event", lambda d, t: d.Dirichlet(t.ones(3)).log_prob(t.ones(2) / 2)),
    ("no tensor", lambda d, t: d.Normal(0.0, 1.0).log_prob(0.5)),
    ("covariance", lambda d, t: d.MultivariateNormal(t.zeros(2), t.tensor([[1.0, 2.0], [2.0, 1.0]]))),
    ("no matrix", lambda d, t: d.MultivariateNormal(t.zeros(2))),
    ("components", lambda d, t: d.MixtureSameFamily(d.Categorical(t.ones(3)), d.Normal(t.zeros(2), t.ones(2)))),
    ("too many dimensions", lambda d, t: d.Independent(d.Normal(t.zeros(2), 1.0), 2)),
    ("geometric", lambda d, t: d.Geometric(t.tensor([0.5, 0.0]))),
]


def message(call: Make, t: Any) -> str:
    try:
        call(t.distributions, t)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("name", "call"), REFUSED, ids=[name for name, _ in REFUSED])
def test_misuse_is_refused_in_pytorchs_words(name: str, call: Make) -> None:
    del name
    said = message(call, torch)
    assert said
    assert message(call, engine) == said


def test_validation_can_be_switched_off() -> None:
    normal = engine.distributions.Normal(0.0, -1.0, validate_args=False)
    assert bool(normal.log_prob(engine.tensor(0.5)).isnan())
