"""Recurrent layers and cells start, print, compute and derive as PyTorch's, in all their settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import gradus.engine as engine
from tests.engine.nn_compare import Array, assert_close, assert_same_run, assert_same_start, build_both, normal

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")  # PyTorch's own

SETTINGS: list[dict[str, Any]] = [
    {},
    {"num_layers": 2},
    {"bidirectional": True},
    {"batch_first": True, "bias": False},
    {"num_layers": 2, "bidirectional": True, "batch_first": True},
]
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("RNN", {}),
    ("RNN", {"nonlinearity": "relu"}),
    ("GRU", {}),
    ("LSTM", {}),
    ("LSTM", {"proj_size": 2}),
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(("name", "extra"), KINDS, ids=[f"{n}{e or ''}" for n, e in KINDS])
def test_recurrent_layer_is_pytorchs(name: str, extra: dict[str, Any], settings: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, name)(3, 4, **extra, **settings))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [normal(5, 2, 3)], "float32")
    theirs, ours = (module.double() for module in build_both(lambda nn: getattr(nn, name)(3, 4, **extra, **settings)))
    assert_same_run(theirs, ours, [normal(5, 2, 3, kind="float64")], "float64")


class Stateful:
    """A module called with its states one after the other, so that their gradients are compared too."""

    def __init__(self, module: Any, several: bool) -> None:
        self.module = module
        self.several = several

    def __call__(self, x: Any, *states: Any) -> Any:
        return self.module(x, tuple(states) if self.several else states[0])

    def named_parameters(self) -> Any:
        return self.module.named_parameters()


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize(("name", "extra"), KINDS, ids=[f"{n}{e or ''}" for n, e in KINDS])
def test_given_states_are_used_and_get_gradients(name: str, extra: dict[str, Any], batched: bool) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, name)(3, 4, num_layers=2, bidirectional=True, **extra))
    sizes = [extra.get("proj_size", 4), 4][: 2 if name == "LSTM" else 1]
    states: list[Array] = [normal(4, 2, size, seed=size) for size in sizes]
    x = normal(5, 2, 3)
    if not batched:
        x, states = x[:, 0], [state[:, 0] for state in states]
    several = name == "LSTM"
    assert_same_run(Stateful(theirs, several), Stateful(ours, several), [x, *states], "float32")


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_unbatched_batch_first_input_is_a_sequence(name: str) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, name)(3, 4, batch_first=True))
    assert_same_run(theirs, ours, [normal(5, 3)], "float32")


CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "multiplied": lambda y, _: y.mul_(2),
    "relu": lambda y, nn: nn.functional.relu(y, inplace=True),
    "last step": lambda y, _: y[-1].zero_(),
}


@pytest.mark.parametrize("name", ["RNN", "GRU"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_output_in_place_leaves_the_states_that_backward_reads(name: str, change: str) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, name)(3, 4))

    def changed(module: Any, t: Any) -> Any:
        def run(x: Any) -> Any:
            y, end = module(x)
            CHANGES[change](y, t.nn)
            return y, end

        run.named_parameters = module.named_parameters  # type: ignore[attr-defined]
        return run

    assert_same_run(changed(theirs, torch), changed(ours, engine), [normal(5, 2, 3)], "float32")


@pytest.mark.parametrize(("name", "extra"), KINDS, ids=[f"{n}{e or ''}" for n, e in KINDS])
def test_a_batch_of_nothing_has_gradients_of_zero(name: str, extra: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, name)(3, 4, **extra))
    assert_same_run(theirs, ours, [normal(5, 0, 3)], "float32")


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("steps", [1, 40])
def test_few_steps_and_many_are_pytorchs(name: str, steps: int) -> None:
    theirs, ours = (module.double() for module in build_both(lambda nn: getattr(nn, name)(3, 4)))
    assert_same_run(theirs, ours, [normal(steps, 2, 3, kind="float64")], "float64")


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_complex_layers_are_pytorchs(name: str) -> None:
    x = normal(5, 2, 3) + 1j * normal(5, 2, 3, seed=1)
    results = []
    for t in (torch, engine):
        t.manual_seed(5)
        layer = getattr(t.nn, name)(3, 4, dtype=t.complex64)
        y, _ = layer(t.tensor(x, dtype=t.complex64))
        y.abs().sum().backward()
        results.append((y, layer.weight_hh_l0.grad))
    for got, expected in zip(results[1], results[0], strict=True):
        assert_close(got, expected)


CELLS: list[tuple[str, dict[str, Any]]] = [
    ("RNNCell", {}),
    ("RNNCell", {"nonlinearity": "relu", "bias": False}),
    ("GRUCell", {}),
    ("GRUCell", {"bias": False}),
    ("LSTMCell", {}),
    ("LSTMCell", {"bias": False}),
]


@pytest.mark.parametrize("shape", [(2, 3), (3,)])
@pytest.mark.parametrize(("name", "extra"), CELLS, ids=[f"{n}{e or ''}" for n, e in CELLS])
def test_cell_is_pytorchs_with_and_without_a_state(name: str, extra: dict[str, Any], shape: tuple[int, ...]) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, name)(3, 4, **extra))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [normal(*shape)], "float32")
    several = name == "LSTMCell"
    states = [normal(*shape[:-1], 4, seed=i) for i in range(1 + several)]
    theirs, ours = build_both(lambda nn: getattr(nn, name)(3, 4, **extra))
    assert_same_run(Stateful(theirs, several), Stateful(ours, several), [normal(*shape), *states], "float32")


def test_layer_computes_what_its_cell_computes_step_by_step() -> None:
    engine.manual_seed(0)
    layer, cell = engine.nn.GRU(3, 4), engine.nn.GRUCell(3, 4)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x = engine.randn(6, 2, 3)
    h, steps = engine.zeros(2, 4), []
    for t in range(6):
        h = cell(x[t], h)
        steps.append(h)
    assert engine.allclose(layer(x)[0], engine.stack(steps), atol=1e-6)


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_dropout_between_layers_drops_what_pytorch_drops(name: str) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, name)(3, 4, num_layers=3, dropout=0.5))
    assert repr(ours) == repr(theirs)
    torch.manual_seed(9)
    engine.manual_seed(9)
    assert_same_run(theirs, ours, [normal(5, 2, 3)], "float32")
    theirs.zero_grad(), ours.zero_grad()
    assert_same_run(theirs.eval(), ours.eval(), [normal(5, 2, 3)], "float32")


def with_double(layer: Any, name: str) -> Any:
    """The layer, one of whose parameters is of float64."""
    parameter = getattr(layer, name)
    setattr(layer, name, type(parameter)(parameter.double()))
    return layer


BAD: list[tuple[str, Callable[[Any], Any]]] = [
    ("nonlinearity", lambda t: t.nn.RNN(3, 4, nonlinearity="gelu")),
    ("dropout", lambda t: t.nn.GRU(3, 4, 2, dropout=1.5)),
    ("hidden", lambda t: t.nn.GRU(3, 0)),
    ("layers", lambda t: t.nn.GRU(3, 4, 0)),
    ("type", lambda t: t.nn.LSTM(3, 4.0)),
    ("proj", lambda t: t.nn.LSTM(3, 4, proj_size=4)),
    ("width", lambda t: t.nn.LSTM(3, 4)(t.zeros(5, 2, 7))),
    ("state", lambda t: t.nn.RNN(3, 4)(t.zeros(5, 2, 3), t.zeros(1, 3, 4))),
    ("state of LSTM", lambda t: t.nn.LSTM(3, 4)(t.zeros(5, 2, 3), (t.zeros(1, 2, 4), t.zeros(1, 3, 4)))),
    ("dtype", lambda t: t.nn.RNN(3, 4)(t.zeros(5, 2, 3, dtype=t.float64))),
    ("dtype of the state", lambda t: t.nn.RNN(3, 4)(t.zeros(5, 2, 3), t.zeros(1, 2, 4, dtype=t.float64))),
    ("integer state", lambda t: t.nn.GRU(3, 4)(t.zeros(5, 2, 3), t.zeros(1, 2, 4, dtype=t.int64))),
    ("dtype of a weight", lambda t: with_double(t.nn.GRU(3, 4), "weight_hh_l0")(t.zeros(5, 2, 3))),
    ("dtype of a bias", lambda t: with_double(t.nn.RNN(3, 4), "bias_hh_l0")(t.zeros(5, 2, 3))),
    ("dtype of no bias", lambda t: with_double(t.nn.RNN(3, 4, bias=False), "weight_hh_l0")(t.zeros(5, 2, 3))),
    ("no step", lambda t: t.nn.RNN(3, 4)(t.zeros(0, 2, 3))),
    ("no step without a batch", lambda t: t.nn.LSTM(3, 4, batch_first=True)(t.zeros(0, 3))),
    ("cell", lambda t: t.nn.GRUCell(3, 4)(t.zeros(5, 2, 3))),
]


@pytest.mark.parametrize(("name", "call"), BAD, ids=[name for name, _ in BAD])
def test_bad_recurrent_input_is_refused_in_pytorchs_words(name: str, call: Callable[[Any], Any]) -> None:
    del name
    with pytest.raises((ValueError, RuntimeError, TypeError)) as expected:
        call(torch)
    with pytest.raises(expected.type) as got:
        call(engine)
    assert str(got.value) == str(expected.value)


def test_dropout_without_a_second_layer_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last recurrent layer"):
        engine.nn.LSTM(3, 4, dropout=0.5)
