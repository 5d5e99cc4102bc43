"""Neurons, layers and MLPs behave as micrograd's, down to the random numbers, and learn."""

from __future__ import annotations

import random

import numpy as np
import pytest

from gradus.scalar import MLP, Layer, Neuron, Value, compile
from tests.scalar.moons import loss, moons


def test_a_neuron_is_a_weighted_sum() -> None:
    neuron = Neuron(2)
    for parameter, number in zip(neuron.parameters(), (0.5, -2.0, 0.25), strict=True):
        parameter.data = number
    assert neuron([3.0, Value(0.5)]).data == 0.75
    assert neuron([0.0, 1.0]).data == 0.0
    neuron.nonlin = False
    assert neuron([0.0, 1.0]).data == -1.75


def test_weights_are_the_random_numbers_that_micrograd_draws() -> None:
    random.seed(1337)
    model = MLP(2, [3, 1])
    random.seed(1337)
    drawn = [value for nin, nout in ((2, 3), (3, 1)) for _ in range(nout) for value in [*uniform(nin), 0.0]]
    assert [parameter.data for parameter in model.parameters()] == drawn
    assert [parameter.label for parameter in model.parameters()][:4] == ["l0.n0.w0", "l0.n0.w1", "l0.n0.b", "l0.n1.w0"]


def uniform(count: int) -> list[float]:
    return [random.uniform(-1, 1) for _ in range(count)]


def test_parameters_and_descriptions() -> None:
    model = MLP(2, [16, 16, 1])
    assert len(model.parameters()) == 337
    small = "MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]"
    assert str(MLP(2, [2, 1])) == small
    outputs = Layer(3, 2)([1.0, 2.0, 3.0])
    assert isinstance(outputs, list)
    assert len(outputs) == 2


def test_inputs_of_the_wrong_number_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        MLP(2, [4, 1])([1.0])


def test_the_moons_step_of_micrograds_demo() -> None:
    """The loss before training and the number of nodes are those of micrograd 0.1.0 with the same seeds."""
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    total = loss(model, *moons())
    model.zero_grad()
    total.backward()
    assert total.data == pytest.approx(1.166759756927643, rel=1e-12)
    assert len(total.topological()) == 65_818
    gradients = [p.grad for p in model.parameters()]
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0.0] * 337
    compiled = compile(lambda: loss(model, *moons()), model)
    assert compiled.backward() == pytest.approx(total.data, rel=1e-12)
    assert [p.grad for p in model.parameters()] == pytest.approx(gradients, rel=1e-12, abs=1e-15)


def test_the_moons_are_learned_as_in_micrograds_demo() -> None:
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    X, y = moons()
    hinge = compile(lambda x, y: (1 - y * model(x)).relu() / 100, model)
    decay = compile(lambda: 1e-4 * sum((p * p for p in model.parameters()), Value(0)), model)
    for k in range(100):
        model.zero_grad()
        hinge.batch_backward(X, y)
        decay.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
    scores = compile(model, model).batch(X)
    assert np.mean((scores > 0) == (y > 0)) == 1.0
