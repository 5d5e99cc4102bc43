"""Sequences of different lengths: padded, packed, run through recurrent layers, unpacked, as PyTorch does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import gradus.engine as engine
from tests.engine.nn_compare import Array, assert_close, assert_same_run, build_both, normal

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")  # PyTorch's own

LENGTHS = [2, 5, 1, 5, 3]


def of(t: Any) -> Any:
    return t.nn.utils.rnn


def sequences(t: Any, lengths: list[int] = LENGTHS) -> list[Any]:
    return [t.tensor(normal(length, 3, seed=i)) for i, length in enumerate(lengths)]


def assert_same_packing(ours: Any, theirs: Any) -> None:
    assert repr(ours) == repr(theirs)
    assert type(ours).__name__ == type(theirs).__name__
    assert ours._fields == theirs._fields
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            assert_close(a, b)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padded_sequences_are_pytorchs_with_gradients(batch_first: bool, side: str) -> None:
    def pad(t: Any) -> Callable[..., Any]:
        return lambda *each: of(t).pad_sequence(each, batch_first, 1.5, side)

    arrays: list[Array] = [normal(length, 3, seed=length) for length in (2, 5, 1)]
    assert_same_run(Plain(pad(torch)), Plain(pad(engine)), arrays, "float32")


class Plain:
    """A function as `assert_same_run` takes a module."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *inputs: Any) -> Any:
        return self.function(*inputs)

    def named_parameters(self) -> list[Any]:
        return []


def test_the_first_sequence_gives_the_type_and_0d_elements_will_do() -> None:
    builds: list[Callable[[Any], Any]] = [
        lambda t: of(t).pad_sequence([t.ones(2, 3).long(), t.ones(2, 3) * 1.5], padding_value=2.5),
        lambda t: of(t).pad_sequence([t.tensor([1, 2, 3]), t.tensor([4])]),
        lambda t: of(t).pad_sequence([t.ones(2), t.ones(0)], padding_value=1.5),
        lambda t: of(t).pad_sequence(t.ones(2, 3)),
    ]
    for build in builds:
        assert_close(build(engine), build(torch))


def test_unpadding_gives_the_sequences_back() -> None:
    for t in (torch, engine):
        each = sequences(t)
        padded = of(t).pad_sequence(each, batch_first=True)
        back = of(t).unpad_sequence(padded, t.tensor(LENGTHS), batch_first=True)
        assert all(t.equal(a, b) for a, b in zip(back, each, strict=True))
        packed = of(t).pack_sequence(each, enforce_sorted=False)
        assert all(t.equal(a, b) for a, b in zip(of(t).unpack_sequence(packed), each, strict=True))


@pytest.mark.parametrize("lengths", [[5, 5, 3, 1], LENGTHS, [1], [2, 2]])
def test_packing_is_pytorchs(lengths: list[int]) -> None:
    in_order = lengths == sorted(lengths, reverse=True)
    for enforce in [True, False] if in_order else [False]:
        theirs, ours = (of(t).pack_sequence(sequences(t, lengths), enforce_sorted=enforce) for t in (torch, engine))
        assert_same_packing(ours, theirs)
        assert_same_packing(ours.double(), theirs.double())
        assert ours.to(engine.float32) is ours
        for options in ({}, {"batch_first": True, "padding_value": -1.0}, {"total_length": 7}):
            for a, b in zip(
                of(engine).pad_packed_sequence(ours, **options),
                of(torch).pad_packed_sequence(theirs, **options),
                strict=True,
            ):
                assert_close(a, b)
        for a, b in zip(ours.batch_sizes, theirs.batch_sizes, strict=True):
            assert int(a) == int(b)


@pytest.mark.parametrize("t", [torch, engine])
def test_packing_and_padding_pass_gradients_to_what_was_packed(t: Any) -> None:
    x = t.tensor(normal(5, 3, 2), requires_grad=True)
    packed = of(t).pack_padded_sequence(x, [3, 1, 4], enforce_sorted=False)
    padded, lengths = of(t).pad_packed_sequence(packed, padding_value=9.0)
    (padded * padded).sum().backward()
    assert lengths.tolist() == [3, 1, 4]
    seen = t.arange(5)[:, None] < t.tensor([3, 1, 4])
    assert t.allclose(x.grad, 2 * x.detach() * seen[..., None])


class Packed:
    """A recurrent layer between packing and padding; several inputs are x and the states."""

    def __init__(self, t: Any, module: Any, in_order: bool) -> None:
        self.t, self.module, self.in_order = t, module, in_order

    def __call__(self, x: Any, *states: Any) -> Any:
        lengths = sorted(LENGTHS, reverse=True) if self.in_order else LENGTHS
        packed = of(self.t).pack_padded_sequence(x, lengths, self.module.batch_first, self.in_order)
        state: Any = None
        if states:
            state = states if self.module.mode == "LSTM" else states[0]
        output, end = self.module(packed, state)
        assert isinstance(output, of(self.t).PackedSequence)
        return of(self.t).pad_packed_sequence(output, self.module.batch_first)[0], end

    def named_parameters(self) -> Any:
        return self.module.named_parameters()


KINDS: list[tuple[str, dict[str, Any]]] = [
    ("RNN", {"bidirectional": True}),
    ("RNN", {"nonlinearity": "relu"}),
    ("GRU", {"num_layers": 2, "bidirectional": True, "batch_first": True}),
    ("LSTM", {"num_layers": 2, "bias": False}),
    ("LSTM", {"proj_size": 2, "bidirectional": True, "num_layers": 2}),
    ("GRU", {"num_layers": 3, "dropout": 0.5}),
]


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize(("name", "settings"), KINDS, ids=[f"{n}{e}" for n, e in KINDS])
def test_layer_on_packed_sequences_is_pytorchs(
    name: str, settings: dict[str, Any], given: bool, in_order: bool
) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, name)(3, 4, **settings))
    x = normal(5, 5, 3)
    states: list[Array] = []
    if given:
        layers = settings.get("num_layers", 1) * (2 if settings.get("bidirectional") else 1)
        sizes = [settings.get("proj_size", 4), 4][: 2 if name == "LSTM" else 1]
        states = [normal(layers, 5, size, seed=i) for i, size in enumerate(sizes)]
    for t in (torch, engine):
        t.manual_seed(3)  # for dropout, which draws once for all steps
    assert_same_run(Packed(torch, theirs, in_order), Packed(engine, ours, in_order), [x, *states], "float32")


def test_packed_run_is_the_runs_of_the_sequences_one_by_one() -> None:
    engine.manual_seed(0)
    layer = engine.nn.LSTM(3, 4, bidirectional=True)
    each = sequences(engine)
    output, (h, c) = layer(of(engine).pack_sequence(each, enforce_sorted=False))
    for i, (sequence, got) in enumerate(zip(each, of(engine).unpack_sequence(output), strict=True)):
        alone, (h_alone, c_alone) = layer(sequence)
        assert engine.allclose(got, alone, atol=1e-6)
        assert engine.allclose(h[:, i], h_alone, atol=1e-6)
        assert engine.allclose(c[:, i], c_alone, atol=1e-6)


BAD: list[tuple[str, Callable[[Any], Any]]] = [
    ("empty", lambda t: of(t).pad_sequence([])),
    ("side", lambda t: of(t).pad_sequence([t.ones(2)], padding_side="x")),
    ("no list", lambda t: of(t).pad_sequence(3)),
    ("order", lambda t: of(t).pack_padded_sequence(t.ones(3, 2), [2, 3])),
    ("count", lambda t: of(t).pack_padded_sequence(t.ones(3, 2), [3, 2, 1])),
    ("zero", lambda t: of(t).pack_padded_sequence(t.ones(3, 2), [3, 0])),
    ("matrix", lambda t: of(t).pack_padded_sequence(t.ones(3, 2), [[3, 1]])),
    ("nothing", lambda t: of(t).pack_padded_sequence(t.ones(0, 2), [4, 1])),
    ("total", lambda t: of(t).pad_packed_sequence(of(t).pack_sequence([t.ones(3)]), total_length=2)),
    ("width", lambda t: t.nn.GRU(3, 4)(of(t).PackedSequence(t.ones(5, 4), t.tensor([3, 2])))),
    ("axes", lambda t: t.nn.GRU(3, 4)(of(t).PackedSequence(t.ones(5), t.tensor([3, 2])))),
    ("state", lambda t: t.nn.GRU(3, 4)(of(t).PackedSequence(t.ones(5, 3), t.tensor([3, 2])), t.ones(1, 2, 4))),
    ("pair", lambda t: of(t).PackedSequence(t.ones(3))),
]


@pytest.mark.parametrize(("name", "call"), BAD, ids=[name for name, _ in BAD])
def test_bad_sequences_are_refused_in_pytorchs_words(name: str, call: Callable[[Any], Any]) -> None:
    del name
    with pytest.raises((ValueError, RuntimeError, AssertionError)) as expected:
        call(torch)
    with pytest.raises(expected.type) as got:
        call(engine)
    assert str(got.value) == str(expected.value)


def test_a_length_above_the_padded_one_is_refused() -> None:  # PyTorch reads past the end
    with pytest.raises(RuntimeError, match="at most the padded length 3, but got a length of 4"):
        of(engine).pack_padded_sequence(engine.ones(3, 2), [4, 3])


@pytest.mark.parametrize("settings", [{}, {"proj_size": 2, "bias": False, "bidirectional": True}, {"num_layers": 2}])
def test_flat_weights_are_named_as_pytorchs(settings: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: nn.LSTM(3, 4, **settings))
    assert ours._flat_weights_names == theirs._flat_weights_names
    assert ours._all_weights == theirs._all_weights
    assert all(a is getattr(ours, n) for a, n in zip(ours._flat_weights, ours._flat_weights_names, strict=True))


def test_a_weight_that_a_program_replaces_is_used_and_gets_its_gradient() -> None:
    """What AWD-LSTM's weight drop does."""
    gradients = []
    for t in (torch, engine):
        t.manual_seed(5)
        layer = t.nn.LSTM(3, 4)
        raw = layer.weight_hh_l0
        del layer._parameters["weight_hh_l0"]
        layer.register_parameter("weight_hh_l0_raw", t.nn.Parameter(raw.detach()))
        layer.weight_hh_l0 = layer.weight_hh_l0_raw * 0.5
        layer._flat_weights = [getattr(layer, name) for name in layer._flat_weights_names]
        layer.flatten_parameters()
        layer(t.tensor(normal(5, 2, 3)))[0].sum().backward()
        gradients.append(layer.weight_hh_l0_raw.grad)
    assert_close(gradients[1], gradients[0])


def test_inverse_of_a_permutation() -> None:
    assert of(engine).invert_permutation(engine.tensor([2, 0, 1])).tolist() == [1, 2, 0]
    assert of(engine).invert_permutation(None) is None
