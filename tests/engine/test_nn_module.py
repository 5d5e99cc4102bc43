"""A module sorts, finds, saves, moves, hooks and prints its parts as PyTorch's does, and refuses in PyTorch's words."""

# ruff: noqa: ARG005  # all cases of a table are called with the same arguments

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as engine
from tests.engine.nn_compare import assert_close, build_both, normal

nn = engine.nn


def net(nn: Any) -> Any:
    """A small model with a tied weight, a buffer, a None bias and nested children."""

    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.LayerNorm(4)
            self.mlp = nn.ModuleDict({"up": nn.Linear(4, 8, bias=False), "act": nn.GELU(), "down": nn.Linear(8, 4)})

        def forward(self, x: Any) -> Any:
            m = self.mlp
            return x + m.down(m.act(m.up(self.norm(x))))

    class Net(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(7, 4)
            self.blocks = nn.ModuleList([Block() for _ in range(2)])
            self.head = nn.Linear(4, 7, bias=False)
            self.head.weight = self.embed.weight
            self.register_buffer("mask", self.head.weight.detach().clone() * 0 + 1)
            self.register_buffer("scratch", self.mask[0].clone(), persistent=False)
            self.extra = None

        def forward(self, ids: Any) -> Any:
            x = self.embed(ids)
            for block in self.blocks:
                x = block(x)
            return self.head(x)

    return Net()


# ---- what is inside


def test_everything_inside_has_pytorchs_names_in_its_order() -> None:
    theirs, ours = build_both(net)
    for walk in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        assert [name for name, _ in getattr(ours, walk)()] == [name for name, _ in getattr(theirs, walk)()], walk
    for walk in ("named_parameters", "named_modules"):
        got = [name for name, _ in getattr(ours, walk)(prefix="m", remove_duplicate=False)]
        assert got == [name for name, _ in getattr(theirs, walk)(prefix="m", remove_duplicate=False)]
    assert [name for name, _ in ours.named_parameters(recurse=False)] == []
    assert len(list(ours.parameters())) == len(list(theirs.parameters()))
    assert len(list(ours.buffers())) == 2
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs)


def test_tied_weights_are_one_parameter_with_one_gradient() -> None:
    theirs, ours = build_both(net)
    ids = np.array([[1, 2, 3], [4, 5, 6]])
    (theirs(torch.tensor(ids)) ** 2).sum().backward()
    (ours(engine.tensor(ids)) ** 2).sum().backward()
    assert ours.head.weight is ours.embed.weight
    assert_close(ours.head.weight.grad, theirs.head.weight.grad)


@pytest.mark.parametrize("target", ["", "blocks", "blocks.1.mlp.up"])
def test_get_submodule_follows_dots(target: str) -> None:
    ours = net(nn)
    assert ours.get_submodule(target) is dict(ours.named_modules())[target]
    assert ours.get_parameter("blocks.0.norm.weight") is ours.blocks[0].norm.weight
    assert ours.get_buffer("mask") is ours.mask


GETS: list[tuple[str, str]] = [
    ("get_submodule", "blocks.9"),
    ("get_submodule", "embed.weight"),
    ("get_parameter", "embed.bias"),
    ("get_parameter", "mask"),
    ("get_buffer", "embed.weight"),
    ("get_buffer", "nothing"),
]


@pytest.mark.parametrize(("method", "target"), GETS)
def test_getting_what_is_not_there_fails_in_pytorchs_words(method: str, target: str) -> None:
    theirs, ours = build_both(net)
    with pytest.raises(AttributeError) as expected:
        getattr(theirs, method)(target)
    with pytest.raises(AttributeError) as got:
        getattr(ours, method)(target)
    assert str(got.value) == str(expected.value)


def test_apply_visits_children_first() -> None:
    visited: dict[str, list[str]] = {"theirs": [], "ours": []}
    theirs, ours = build_both(net)
    theirs.apply(lambda m: visited["theirs"].append(type(m).__name__))
    assert ours.apply(lambda m: visited["ours"].append(type(m).__name__)) is ours
    assert visited["ours"] == visited["theirs"]


# ---- attributes


def test_attributes_are_sorted_by_what_they_are() -> None:
    m = nn.Module()
    m.p = nn.Parameter(engine.ones(2))
    m.child = nn.Linear(2, 2)
    m.b = nn.Buffer(engine.ones(3))
    m.t = engine.ones(3)
    m.f = lambda x: x + 1
    m.CONSTANT = 3
    assert list(m._parameters) == ["p"]
    assert list(m._modules) == ["child"]
    assert list(m._buffers) == ["b"]
    assert m.f(2) == 3
    assert m.CONSTANT == 3
    assert hasattr(m, "CONSTANT")
    assert not hasattr(m, "OTHER")
    assert {"p", "child", "b", "t", "f"} <= set(dir(m))
    m.b = engine.zeros(3)
    assert m.state_dict()["b"].tolist() == [0, 0, 0]
    del m.p, m.child, m.b, m.t
    assert not m._parameters
    assert not m._modules
    assert not m._buffers
    assert not hasattr(m, "t")


def test_a_name_belongs_to_what_was_assigned_last() -> None:
    m = nn.Module()
    m.x = 3
    m.x = nn.Parameter(engine.ones(2))
    assert dict(m.named_parameters())["x"] is m.x
    m.x = nn.Linear(2, 2)
    assert list(m._parameters) == []
    m.x = nn.Parameter(engine.zeros(2))
    assert list(m._modules) == []
    m.x = None
    assert m.x is None
    assert list(m.state_dict()) == []


def before_init(t: Any) -> Any:
    class Early(t.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            self.w = t.nn.Parameter(t.ones(1))

    return Early()


def child_before_init(t: Any) -> Any:
    class Early(t.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            self.child = t.nn.Linear(1, 1)

    return Early()


def buffer_before_init(t: Any) -> Any:
    class Early(t.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            self.register_buffer("b", t.ones(1))

    return Early()


REFUSED: list[tuple[str, Callable[[Any], Any]]] = [
    ("parameter before init", before_init),
    ("module before init", child_before_init),
    ("buffer before init", buffer_before_init),
    ("tensor for a parameter", lambda t: setattr(t.nn.Linear(2, 2), "weight", t.ones(2, 2))),
    ("number for a parameter", lambda t: setattr(t.nn.Linear(2, 2), "weight", 3)),
    ("number for a module", lambda t: setattr(t.nn.Sequential(t.nn.ReLU()), "0", 3)),
    ("number for a buffer", lambda t: setattr(t.nn.BatchNorm1d(2), "running_mean", 3)),
    ("dot in a buffer", lambda t: t.nn.Module().register_buffer("a.b", None)),
    ("empty buffer name", lambda t: t.nn.Module().register_buffer("", None)),
    ("taken buffer name", lambda t: t.nn.Module().register_buffer("forward", None)),
    ("number for register_buffer", lambda t: t.nn.Module().register_buffer("b", 3)),
    ("number as a buffer name", lambda t: t.nn.Module().register_buffer(3, None)),
    ("dot in a parameter", lambda t: t.nn.Module().register_parameter("a.b", None)),
    ("taken parameter name", lambda t: t.nn.Module().register_parameter("training", None)),
    ("tensor for register_parameter", lambda t: t.nn.Module().register_parameter("p", t.ones(2, dtype=t.int64))),
    ("dot in a module", lambda t: t.nn.Module().add_module("a.b", None)),
    ("empty module name", lambda t: t.nn.Module().add_module("", None)),
    ("number for add_module", lambda t: t.nn.Module().add_module("a", 3)),
    ("no such attribute", lambda t: t.nn.Linear(2, 2).wieght),
    ("no forward", lambda t: t.nn.Module()(3)),
    ("unknown argument", lambda t: t.nn.Module(size=3)),
    ("argument", lambda t: t.nn.Module(3)),
    ("train(3)", lambda t: t.nn.Module().train(3)),
    ("integers", lambda t: t.nn.Linear(2, 2).to(t.int64)),
    ("cuda", lambda t: t.nn.Linear(2, 2).to("cuda")),
    ("cuda()", lambda t: t.nn.Linear(2, 2).cuda()),
]


@pytest.mark.parametrize(("name", "call"), REFUSED, ids=[name for name, _ in REFUSED])
def test_misuse_is_refused_in_pytorchs_words(name: str, call: Callable[[Any], Any]) -> None:
    del name
    with pytest.raises(Exception) as expected:  # noqa: PT011  # whatever PyTorch raises, with its words, is wanted
        call(torch)
    with pytest.raises(expected.type) as got:
        call(engine)
    assert str(got.value) == str(expected.value).replace("torch.nn.modules.linear.", "gradus.engine.nn.linear.")


def test_a_computed_tensor_cannot_be_a_parameter() -> None:
    w = nn.Parameter(engine.ones(2))
    computed = nn.Parameter(engine.ones(2))
    computed.detach_()
    assert w.is_leaf
    with pytest.raises(TypeError, match="a parameter is made from a Tensor, got list"):
        nn.Parameter([1.0])  # type: ignore[arg-type]


# ---- parameters


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_parameter_prints_as_pytorch_and_shares_its_tensor(shape: tuple[int, ...]) -> None:
    values = normal(*shape)
    t = engine.tensor(values)
    p = nn.Parameter(t)
    assert repr(p) == repr(torch.nn.Parameter(torch.tensor(values)))
    t.fill_(2.0)
    assert p.detach().numpy().ravel()[0] == 2.0
    assert p.requires_grad
    assert p.is_leaf
    assert type(p + 1) is engine.Tensor
    assert type(p.data) is engine.Tensor
    assert type(p.detach()) is engine.Tensor


def test_parameter_wants_a_gradient_even_under_no_grad() -> None:
    with engine.no_grad():
        assert nn.Parameter(engine.ones(2)).requires_grad
    assert not nn.Parameter(engine.ones(2), requires_grad=False).requires_grad
    assert nn.Parameter().shape == (0,)
    with pytest.raises(RuntimeError, match="floating point"):
        nn.Parameter(engine.ones(2, dtype=engine.int64))


def test_deepcopy_copies_numbers_and_keeps_ties() -> None:
    ours = net(nn)
    copied = copy.deepcopy(ours)
    assert copied.head.weight is copied.embed.weight
    assert copied.head.weight is not ours.head.weight
    assert isinstance(copied.head.weight, nn.Parameter)
    with engine.no_grad():
        copied.head.weight.fill_(0)
    assert ours.head.weight.abs().sum() > 0


# ---- changing all of it


def test_train_eval_requires_grad_and_zero_grad_reach_everything() -> None:
    ours = net(nn)
    assert all(not m.training for m in ours.eval().modules())
    assert all(m.training for m in ours.train().modules())
    ours(engine.tensor([[1, 2]])).sum().backward()
    ours.zero_grad(set_to_none=False)
    assert all((p.grad == 0).all() for p in ours.parameters())
    ours.zero_grad()
    assert all(p.grad is None for p in ours.parameters())
    ours.requires_grad_(False)
    assert not any(p.requires_grad for p in ours.parameters())


@pytest.mark.parametrize(
    ("method", "name"), [("double", "float64"), ("half", "float16"), ("float", "float32"), ("cpu", "float32")]
)
def test_number_type_changes_in_place_for_floats_only(method: str, name: str) -> None:
    theirs, ours = build_both(lambda nn: nn.BatchNorm1d(3))
    before = ours.weight
    ours(engine.tensor(normal(4, 3))).sum().backward()
    assert getattr(ours, method)() is ours
    getattr(theirs, method)()
    assert ours.weight is before
    assert str(before.grad.dtype) == str(before.dtype) == f"torch.{name}"
    for key, value in theirs.state_dict().items():
        assert str(ours.state_dict()[key].dtype) == str(value.dtype), key


def test_to_takes_types_tensors_and_the_cpu() -> None:
    m = nn.Linear(2, 2)
    assert m.to("cpu") is m
    assert m.to(engine.float64).weight.dtype is engine.float64
    assert m.to("cpu", dtype=engine.float32).weight.dtype is engine.float32
    assert m.to(engine.ones(1, dtype=engine.float64)).weight.dtype is engine.float64
    assert m.to(device="cpu", non_blocking=True).weight.dtype is engine.float64


# ---- saving and loading


def test_state_dict_shares_memory_and_is_detached() -> None:
    m = nn.Linear(2, 2)
    state = m.state_dict(prefix="p.")
    assert isinstance(state, OrderedDict)
    assert list(state) == ["p.weight", "p.bias"]
    assert not state["p.weight"].requires_grad
    state["p.weight"].fill_(3)
    assert m.weight.tolist() == [[3, 3], [3, 3]]
    assert m.state_dict(keep_vars=True)["weight"] is m.weight


def test_state_moves_both_ways_between_pytorch_and_here() -> None:
    theirs, ours = build_both(net)
    other = net(nn)
    result = other.load_state_dict(theirs.state_dict())
    assert str(result) == "<All keys matched successfully>"
    assert result == ([], [])
    ids = np.array([[1, 2, 3]])
    assert_close(other(engine.tensor(ids)), theirs(torch.tensor(ids)))
    there = net(torch.nn)
    there.load_state_dict({name: torch.from_numpy(value.numpy()) for name, value in ours.state_dict().items()})
    assert_close(ours(engine.tensor(ids)), there(torch.tensor(ids)))


def test_loading_copies_in_place() -> None:
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    weight = b.weight
    b.load_state_dict(a.state_dict())
    assert b.weight is weight
    assert engine.equal(b.weight, a.weight)
    a.weight.data.fill_(9)
    assert b.weight[0, 0] != 9


def test_loading_with_assign_takes_the_tensors_themselves() -> None:
    m = nn.Linear(2, 2)
    state = {"weight": engine.ones(2, 2), "bias": engine.zeros(2)}
    m.load_state_dict(state, assign=True)
    state["weight"].fill_(4)
    assert m.weight.tolist() == [[4, 4], [4, 4]]
    assert isinstance(m.weight, nn.Parameter)
    assert m.weight.requires_grad


def changed(t: Any, **changes: Any) -> Any:
    model = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Linear(4, 2))
    state = dict(model.state_dict())
    for name, value in changes.items():
        key = name.replace("__", ".")
        if value is None:
            del state[key]
        else:
            state[key] = t.zeros(*value) if isinstance(value, tuple) else value
    return model, state


LOADS: list[dict[str, Any]] = [
    {"0__weight": None},
    {"0__bias": None, "1__bias": None},
    {"2__weight": (3, 3)},
    {"extra": (1,), "1__scale": (2,)},
    {"0__weight": (4, 5)},
    {"0__weight": None, "1__weight": (2, 5), "x": (1,)},
    {"0__bias": 3.0},
]


@pytest.mark.parametrize("changes", LOADS, ids=str)
def test_a_state_that_does_not_fit_is_refused_in_pytorchs_words(changes: dict[str, Any]) -> None:
    messages = []
    for t in (torch, engine):
        model, state = changed(t, **changes)
        with pytest.raises(RuntimeError) as error:
            model.load_state_dict(state)
        messages.append(str(error.value))
    assert messages[1] == messages[0]


def test_not_strict_loads_what_fits_and_says_what_did_not() -> None:
    results = []
    for t in (torch, engine):
        model, state = changed(t, **{"0__weight": None, "extra": (1,), "1__bias": (2,)})
        results.append(model.load_state_dict(state, strict=False))
        assert model[1].bias.tolist() == [0, 0]
    assert repr(results[1]) == repr(results[0])
    assert results[1].missing_keys == ["0.weight"]
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like"):
        nn.Linear(1, 1).load_state_dict([1])  # type: ignore[arg-type]


# ---- hooks


def test_forward_hooks_see_and_change_inputs_and_outputs() -> None:
    m = nn.Linear(2, 2)
    x = engine.ones(1, 2)
    plain = m(x)
    seen: list[Any] = []
    handles = [
        m.register_forward_hook(lambda module, args, output: seen.append((module, args, output))),
        m.register_forward_hook(lambda module, args, output: output * 2),
    ]
    assert engine.allclose(m(x), plain * 2)
    assert seen[0][0] is m
    assert seen[0][1] == (x,)
    for handle in handles:
        handle.remove()
    assert engine.equal(m(x), plain)
    with m.register_forward_pre_hook(lambda module, args: args[0] * 0):
        assert engine.equal(m(x), m.bias.reshape(1, 2))
    assert engine.equal(m(x), plain)


def test_hooks_run_in_order_and_may_see_keyword_arguments() -> None:
    class Scale(nn.Module):
        def forward(self, x: Any, *, by: float = 1.0) -> Any:
            return x * by

    order: list[str] = []
    m = Scale()
    m.register_forward_pre_hook(lambda module, args: order.append("second"))
    m.register_forward_pre_hook(lambda module, args, kw: (args, {"by": 3.0}), prepend=True, with_kwargs=True)
    m.register_forward_hook(lambda module, args, kw, out: order.append(f"by {kw['by']}"), with_kwargs=True)
    assert m(engine.ones(2), by=2.0).tolist() == [3, 3]
    assert order == ["second", "by 3.0"]


@pytest.mark.parametrize("change", [False, True])
def test_backward_hooks_see_and_change_pytorchs_gradients(change: bool) -> None:
    seen: dict[str, list[Any]] = {}
    gradients = []
    for t in (torch, engine):
        module = build_both(lambda nn: nn.Bilinear(2, 3, 2))[t is engine]
        seen[t.__name__] = []

        def hook(module: Any, into: Any, out: Any, name: str = t.__name__) -> Any:
            del module
            seen[name].append(([np.asarray(g) for g in into], [np.asarray(g) for g in out]))
            return tuple(g * 2 for g in into) if change else None

        module.register_full_backward_hook(hook)
        module.register_full_backward_pre_hook(lambda module, out: (out[0] * 0.5,) if change else None)
        a = t.tensor(normal(4, 2), requires_grad=True)
        b = t.tensor(normal(4, 3), requires_grad=True)
        (module(a, b) ** 2).sum().backward()
        gradients.append([np.asarray(each.grad) for each in (a, b, module.weight, module.bias)])
    for theirs, ours in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    (into, out), (our_into, our_out) = seen["torch"][0], seen["gradus.engine"][0]
    for theirs, ours in zip([*into, *out], [*our_into, *our_out], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_backward_hook_runs_when_no_input_wants_a_gradient() -> None:
    m = nn.Linear(2, 2)
    seen: list[Any] = []
    m.register_full_backward_hook(lambda module, into, out: seen.append((into, out[0].tolist())))
    m(engine.ones(1, 2)).sum().backward()
    assert seen == [((None,), [[1, 1]])]


@pytest.mark.parametrize("t", [torch, engine], ids=["PyTorch", "engine"])
def test_what_backward_hooks_do_stays_their_own(t: Any) -> None:
    """They run unrecorded, may change the module's parameters, keep what they return, and return a tensor twice."""

    class Product(t.nn.Module):  # type: ignore[misc]
        def forward(self, a: Any, b: Any) -> Any:
            return a * b

    m = Product()
    m.weight = t.nn.Parameter(t.ones(2))
    kept = t.tensor([5.0, 5.0])
    recorded: list[bool] = []

    def before(module: Any, out: Any) -> None:
        recorded.append((module.weight * out[0]).requires_grad)
        module.weight.mul_(0.5)

    def after(*_: Any) -> Any:
        recorded.append(t.is_grad_enabled())
        return kept, kept

    m.register_full_backward_pre_hook(before)
    m.register_full_backward_hook(after)
    a, b = (t.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    m(a, b).sum().backward()
    a.grad.zero_()
    m(a, b).sum().backward()
    assert recorded == [False] * 4
    assert m.weight.tolist() == [0.25, 0.25]
    assert kept.tolist() == [5.0, 5.0]
    assert a.grad.tolist() == [5.0, 5.0]
    assert b.grad.tolist() == [10.0, 10.0]


@pytest.mark.parametrize("t", [torch, engine], ids=["PyTorch", "engine"])
def test_a_backward_hook_writes_into_the_first_gradient(t: Any) -> None:
    class Loss(t.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x.sum()

    m = Loss()
    m.register_full_backward_pre_hook(lambda module, out: out[0].mul_(3) and None)
    for _ in range(2):
        x = t.ones(2, requires_grad=True)
        m(x).backward()
        assert x.grad.tolist() == [3.0, 3.0]
