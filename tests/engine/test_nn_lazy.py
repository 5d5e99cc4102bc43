"""Lazy layers print, draw, compute, save and load as PyTorch's, before the first input and after it."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as engine
from tests.engine.nn_compare import assert_close, assert_same_run, assert_same_start, build_both, normal

pytestmark = pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")  # PyTorch's own

Make = Callable[[Any], Any]
LAYERS: list[tuple[str, Make, tuple[int, ...]]] = [
    ("linear", lambda nn: nn.LazyLinear(4), (2, 3)),
    ("linear without bias", lambda nn: nn.LazyLinear(4, bias=False), (5, 2, 3)),
    ("conv1", lambda nn: nn.LazyConv1d(4, 3, padding=1), (2, 3, 6)),
    ("conv2", lambda nn: nn.LazyConv2d(4, (2, 3), stride=2, groups=2, bias=False), (2, 6, 5, 6)),
    ("conv3", lambda nn: nn.LazyConv3d(2, 2), (3, 4, 4, 4)),
    ("transposed1", lambda nn: nn.LazyConvTranspose1d(4, 3), (2, 3, 6)),
    ("transposed2", lambda nn: nn.LazyConvTranspose2d(4, 3, groups=2), (2, 6, 4, 4)),
    ("transposed3", lambda nn: nn.LazyConvTranspose3d(2, 2, stride=2, output_padding=1), (1, 3, 2, 2, 2)),
    ("batch1", lambda nn: nn.LazyBatchNorm1d(), (4, 3)),
    ("batch2", lambda nn: nn.LazyBatchNorm2d(eps=1e-3, bias=False), (2, 3, 4, 4)),
    ("batch3", lambda nn: nn.LazyBatchNorm3d(affine=False), (2, 3, 2, 2, 2)),
    ("instance1", lambda nn: nn.LazyInstanceNorm1d(), (4, 3, 5)),
    ("instance2", lambda nn: nn.LazyInstanceNorm2d(track_running_stats=False), (2, 3, 4, 4)),
    ("instance3", lambda nn: nn.LazyInstanceNorm3d(), (2, 3, 2, 2, 2)),
]
LOADABLE = [layer for layer in LAYERS if not layer[0].startswith("instance")]  # which PyTorch's refuse then, too
each_layer = pytest.mark.parametrize(("name", "make", "shape"), LAYERS, ids=[name for name, _, _ in LAYERS])


@each_layer
def test_lazy_layer_is_pytorchs(name: str, make: Make, shape: tuple[int, ...]) -> None:
    del name
    theirs, ours = build_both(make)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(list(ours.state_dict().values())) == repr(list(theirs.state_dict().values()))
    torch.manual_seed(7)
    engine.manual_seed(7)
    x = normal(*shape)
    assert_close(ours(engine.tensor(x)), theirs(torch.tensor(x)))
    assert type(ours).__name__ == type(theirs).__name__ == type(make(torch.nn)).__name__.removeprefix("Lazy")
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [x], "float32")


@pytest.mark.parametrize(("name", "make", "shape"), LOADABLE, ids=[name for name, _, _ in LOADABLE])
def test_loaded_lazy_layer_is_ready_and_becomes_ordinary_at_the_first_input(
    name: str, make: Make, shape: tuple[int, ...]
) -> None:
    del name
    outputs = []
    for t in (torch, engine):
        t.manual_seed(1)
        full, lazy = make(t.nn), make(t.nn)
        x = t.tensor(normal(*shape))
        expected = full.eval()(x) if shape[0] > 1 else full(x)
        assert str(lazy.load_state_dict(full.state_dict())) == "<All keys matched successfully>"
        assert not lazy.has_uninitialized_params()
        lazy.train(full.training)
        assert t.equal(lazy(x), expected)
        assert not type(lazy).__name__.startswith("Lazy")
        assert not isinstance(lazy, t.nn.modules.lazy.LazyModuleMixin)
        outputs.append(repr(lazy))
    assert outputs[0] == outputs[1]


def test_a_model_of_lazy_layers_trains_as_pytorchs() -> None:
    def build(nn: Any) -> Any:
        return nn.Sequential(
            nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5), nn.Linear(5, 2)
        )

    theirs, ours = build_both(build)
    losses: list[list[float]] = []
    for t, model in ((torch, theirs), (engine, ours)):
        x = t.tensor(normal(3, 2, 5, 5))
        model(x)
        optimizer = t.optim.SGD(model.parameters(), lr=0.1)
        losses.append([])
        for _ in range(5):
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    assert repr(ours) == repr(theirs)


def test_number_type_and_copies_before_the_first_input() -> None:
    for t in (torch, engine):
        layer = t.nn.LazyLinear(2, dtype=t.float64).to("cpu")
        assert layer.weight.dtype == t.float64
        twin = copy.deepcopy(layer)
        assert twin.has_uninitialized_params()
        assert twin.weight.dtype == t.float64
        assert layer(t.zeros(1, 3, dtype=t.float64)).dtype == t.float64
        assert isinstance(layer.weight, t.nn.Parameter)
        assert layer.weight.requires_grad
        norm = t.nn.LazyBatchNorm1d(dtype=t.float64)
        norm(t.zeros(2, 3, dtype=t.float64))
        assert norm.running_mean.dtype == t.float64


@pytest.mark.parametrize("convert", [lambda module: module.double(), lambda module: module.half()])
def test_a_model_with_lazy_layers_is_converted_before_the_first_input(convert: Any) -> None:
    for t in (torch, engine):
        layers = t.nn.Linear(4, 3), t.nn.LazyLinear(2), t.nn.LazyBatchNorm1d(), t.nn.ReLU()
        model = convert(t.nn.Sequential(*layers))
        dtype = model[0].weight.dtype
        assert model[1].weight.dtype == model[2].running_mean.dtype == dtype
        assert model[1].has_uninitialized_params()
        assert model(t.ones(3, 4, dtype=dtype)).dtype == dtype
        assert model[1].weight.requires_grad


def test_a_lazy_layer_by_itself_has_nothing_to_convert_before_its_first_input() -> None:
    layer = engine.nn.LazyLinear(2)
    with pytest.raises(NotImplementedError, match=r"^LazyLinear by itself has no numbers to convert before its first "):
        layer.double()
    layer(engine.ones(1, 3))
    assert layer.double().weight.dtype == engine.float64


def test_initialized_state_is_saved_and_loaded() -> None:
    layer = engine.nn.LazyLinear(2)
    layer(engine.ones(1, 3))
    file = io.BytesIO()
    engine.save(layer.state_dict(), file)
    file.seek(0)
    lazy = engine.nn.LazyLinear(2)
    lazy.load_state_dict(engine.load(file))
    assert engine.equal(lazy.weight, layer.weight)


def test_a_lazy_module_of_ones_own() -> None:
    for t in (torch, engine):

        class Scale(t.nn.modules.lazy.LazyModuleMixin, t.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
            def __init__(self) -> None:
                super().__init__()
                self.scale: Any = t.nn.UninitializedParameter()  # noqa: B023

            def initialize_parameters(self, x: Any, factor: float = 1.0) -> None:
                with t.no_grad():  # noqa: B023
                    self.scale.materialize((x.shape[-1],))
                    self.scale.fill_(factor)

            def forward(self, x: Any, factor: float = 1.0) -> Any:
                return x * self.scale + factor

        module = Scale()
        assert module(t.ones(2, 3), factor=2.0).tolist() == [[4.0] * 3] * 2
        assert type(module) is Scale


BAD: list[tuple[str, Callable[[Any], Any]]] = [
    ("axes", lambda t: t.nn.LazyConv2d(3, 2)(t.ones(2, 3))),
    ("groups", lambda t: t.nn.LazyConv1d(4, 2, groups=2)(t.ones(1, 3, 5))),
    ("shape", lambda t: t.nn.LazyLinear(3).weight.shape),
    ("into an ordinary one", lambda t: t.nn.Linear(2, 3).load_state_dict(t.nn.LazyLinear(3).state_dict())),
    ("width", lambda t: loaded(t)(t.ones(2, 4))),
    ("no rule", lambda t: t.nn.modules.lazy.LazyModuleMixin.initialize_parameters(t.nn.LazyLinear(2))),
    ("batch norm", lambda t: t.nn.LazyBatchNorm2d()(t.ones(2, 3))),
]


def loaded(t: Any) -> Any:
    lazy = t.nn.LazyLinear(2)
    lazy.load_state_dict(t.nn.Linear(3, 2).state_dict())
    return lazy


@pytest.mark.parametrize(("name", "call"), BAD, ids=[name for name, _ in BAD])
def test_misuse_is_refused_in_pytorchs_words(name: str, call: Callable[[Any], Any]) -> None:
    del name
    kinds = (ValueError, RuntimeError, AssertionError, NotImplementedError)
    with pytest.raises(kinds) as expected:
        call(torch)
    with pytest.raises(expected.type) as got:
        call(engine)
    assert str(got.value) == str(expected.value)


USES: list[Callable[[Any], Any]] = [
    lambda p: p + 1,
    lambda p: p.numel(),
    lambda p: p.sum(),
    lambda p: p.view(-1),
    lambda p: p[0],
]


@pytest.mark.parametrize("use", USES)
def test_an_uninitialized_parameter_cannot_be_used(use: Callable[[Any], Any]) -> None:
    for t in (torch, engine):
        with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
            use(t.nn.LazyLinear(2).weight)
