"""The other ways to call: orders of old, numbers that are 0-d tensors, every factory's keywords, lists of tensors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch as theirs

import gradus.engine as ours
from gradus.engine.functions import foreach


class Given:
    """The same tensors on either side."""

    def __init__(self, t: Any) -> None:
        t.manual_seed(0)
        self.t = t
        self.x, self.y = t.arange(4.0) + 1, t.full((4,), 2.0)
        self.z, self.i = t.tensor(2.0), t.tensor(1)
        self.A, self.B = t.arange(4.0).view(2, 2) + 1, 3 * t.eye(2)


def plain(x: Any) -> Any:
    if isinstance(x, (ours.Tensor, theirs.Tensor)):
        stride = x.stride() if x.ndim == 4 else ()
        return str(x.dtype), tuple(x.shape), stride, x.requires_grad, np.round(x.detach().numpy(), 5).tolist()
    return [plain(part) for part in x] if isinstance(x, (tuple, list)) else str(x)


def outcome(call: Any, t: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch says that an order is deprecated
        try:
            return plain(call(Given(t)))
        except Exception as error:
            return type(error)


def agree(call: Any) -> None:
    assert outcome(call, ours) == outcome(call, theirs)


OLD_ORDERS = [
    lambda g: g.x.add_(-0.1, g.y),
    lambda g: g.x.add(2, g.y),
    lambda g: g.t.add(g.x, 2, g.y),
    lambda g: g.x.sub_(2, g.y),
    lambda g: g.t.sub(g.x, 2, g.y),
    lambda g: g.x.add_(g.y, g.y),
    lambda g: g.x.add_(g.y, 2, 3),
    lambda g: g.x.addcmul_(0.5, g.y, g.y),
    lambda g: g.x.addcmul(0.5, g.y, g.y),
    lambda g: g.t.addcdiv(g.x, 0.5, g.y, g.y),
    lambda g: g.x.addcdiv_(-0.1, g.y, g.y),
    lambda g: g.t.addmm(2, g.A, 3, g.A, g.B),
    lambda g: g.t.addmm(2, g.A, g.A, g.B),
    lambda g: g.A.addmm(2, 3, g.A, g.B),
    lambda g: g.A.addmm_(2, 3, g.A, g.B),
    lambda g: g.A.addmm_(g.A, g.B, beta=0.5, alpha=2),
    lambda g: g.t.addmm(g.A / 0, g.A, g.B, beta=0),
    lambda g: g.t.addmm(g.A[0], g.A, g.B, beta=0),
    lambda g: g.t.addmm(g.A, g.A, g.B, beta=g.z, alpha=g.z),
    lambda g: g.t.addmv(2, g.A[0], 3, g.A, g.B[0]),
    lambda g: g.A[0].addmv_(g.A, g.B[0]),
    lambda g: g.t.addr(2, g.A, 3, g.A[0], g.B[0]),
    lambda g: g.A.addr_(g.B[0], g.B[0]),
    lambda g: g.t.baddbmm(2, g.A[None], 3, g.A[None], g.B[None]),
    lambda g: g.A[None].baddbmm_(g.A[None], g.B[None]),
    lambda g: g.t.addbmm(2, g.A, 3, g.A[None], g.B[None]),
    lambda g: g.A.addbmm_(g.A[None], g.B[None]),
]

TENSORS_AS_NUMBERS = [
    lambda g: g.x.add(g.y, alpha=g.z),
    lambda g: g.x.add_(g.y, alpha=g.z),
    lambda g: g.x.add_(g.y, alpha=g.i),
    lambda g: g.x.sub_(g.y, alpha=g.z),
    lambda g: g.x.addcmul_(g.y, g.y, value=g.z),
    lambda g: g.x.addcdiv_(g.y, g.y, value=g.z),
    lambda g: g.t.full((2,), g.z),
    lambda g: g.t.arange(0, g.z, 0.5),
    lambda g: g.t.linspace(0, g.z, 3),
    lambda g: g.t.logspace(0, g.z, 3),
    lambda g: g.t.zeros(g.i, 2),
    lambda g: g.t.randint(0, g.i + 4, (2,)),
    lambda g: g.x.fill_(g.i),
    lambda g: g.x.masked_fill_(g.x > 2, g.z),
    lambda g: g.x.clamp(g.i, 3),
    lambda g: g.x.uniform_(0, g.z),
    lambda g: g.x.quantile(g.z / 4),
    lambda g: g.t.nn.init.constant_(g.x, g.z),
    lambda g: g.t.tensor([g.z, 1]),
    lambda g: g.t.tensor([g.i, 1.5]),
    lambda g: g.t.tensor([g.x, g.y]),
    lambda g: g.t.vander(g.x),
]

FACTORIES = [
    lambda g: g.t.normal(0.0, 1.0, (2,), requires_grad=True),
    lambda g: g.t.normal(mean=0.0, std=1.0, size=(2,), dtype=g.t.float64),
    lambda g: g.t.normal(g.z, 1.0, (2,)),
    lambda g: g.t.normal(0.0, 1.0),
    lambda g: g.t.normal(g.x, std=2.0),
    lambda g: g.t.randint_like(g.x, 3, requires_grad=True),
    lambda g: g.t.randint_like(g.x, low=1, high=3),
    lambda g: g.t.randperm(4, dtype=g.t.float32, requires_grad=True),
    lambda g: g.t.randperm(4, requires_grad=True),
    lambda g: g.t.logspace(0, 1, 2, requires_grad=True),
    lambda g: g.t.tril_indices(2, 2, dtype=g.t.int32),
    lambda g: g.t.triu_indices(2, 3, 1, dtype=g.t.int32),
    lambda g: g.t.scalar_tensor(2.0, requires_grad=True),
    lambda g: g.t.asarray([1.0, 2.0], requires_grad=True),
    lambda g: g.x.new_zeros(size=(2,)),
    lambda g: g.x.new_ones(size=(2,), dtype=g.t.int64),
    lambda g: g.x.new_full((2,), 3.0, requires_grad=True),
    lambda g: g.x.new_empty(size=(2, 3)).shape,
    lambda g: g.t.zeros(2, layout=g.t.strided),
    lambda g: g.t.empty(2, memory_format=g.t.contiguous_format).shape,
    lambda g: g.t.zeros(2, memory_format=3),
    lambda g: g.t.zeros(2, foo=1),
]

CONVERSIONS = [
    lambda g: g.x.to("cpu", g.t.float64, True),
    lambda g: g.x.to(g.x, copy=True) is g.x,
    lambda g: g.x.to(g.t.float32, False, True) is g.x,
    lambda g: g.x.to(g.t.float32, True) is g.x,
    lambda g: g.x.to(device="cpu", dtype=g.t.float64, non_blocking=True),
    lambda g: g.x.to(other=g.x),
    lambda g: g.x.to(dtpye=g.t.float64),
    lambda g: g.x.to("cpu", dtpye=1),
    lambda g: g.x.double(memory_format=g.t.preserve_format),
    lambda g: g.x.view(1, 2, 2, 1).to(memory_format=g.t.channels_last),
    lambda g: g.x.view(1, 2, 2, 1).contiguous(memory_format=g.t.channels_last),
    lambda g: g.x.to(memory_format=g.t.channels_last),
    lambda g: g.x.to(memory_format=3),
    lambda g: g.t.nn.Linear(1, 1).to(dtpye=g.t.float64),
    lambda g: g.t.nn.Linear(1, 1).to(dtype=g.t.float64).weight.dtype,
    lambda g: g.t.nn.Linear(1, 1).to(memory_format=g.t.channels_last).weight.dtype,
    lambda g: g.x.layout,
    lambda g: g.x.get_device(),
    lambda g: g.t.device(type="cpu", index=0),
    lambda g: g.t.device("cuda", 1),
    lambda g: g.t.get_default_device(),
    lambda g: g.t.set_default_device("cpu"),
]

AT_THE_TOP = [
    lambda g: g.t.square_(g.x),
    lambda g: g.t.zero_(g.x),
    lambda g: g.t.fill_(g.x, 1),
    lambda g: g.t.detach_(g.x),
    lambda g: g.t.cosine_similarity(g.x, g.y, dim=0),
    lambda g: g.t.dropout(g.x, 0.5, False),
    lambda g: g.t.layer_norm(g.x, [4]),
    lambda g: g.t.pairwise_distance(g.A, g.B),
    lambda g: g.t.conv1d(g.x.view(1, 1, 4), g.y[:2].view(1, 1, 2)),
    lambda g: g.t.max_pool1d(g.x.view(1, 1, 4), 2),
    lambda g: g.t.group_norm(g.x.view(1, 4), 2),
]


@pytest.mark.parametrize("call", OLD_ORDERS)
def test_orders_of_old_mean_what_they_did(call: Any) -> None:
    agree(call)


@pytest.mark.parametrize("call", TENSORS_AS_NUMBERS)
def test_a_0d_tensor_may_stand_where_a_number_does(call: Any) -> None:
    agree(call)


@pytest.mark.parametrize("call", FACTORIES)
def test_factories_take_pytorchs_keywords(call: Any) -> None:
    agree(call)


@pytest.mark.parametrize("call", CONVERSIONS)
def test_conversions_take_pytorchs_forms_and_no_others(call: Any) -> None:
    agree(call)


@pytest.mark.parametrize("call", AT_THE_TOP)
def test_what_torch_has_twice_is_found_at_the_top(call: Any) -> None:
    agree(call)


def test_a_sparse_tensor_is_refused() -> None:
    with pytest.raises(NotImplementedError, match=r"strided tensors only, not torch\.sparse_coo"):
        ours.zeros(2, layout=ours.sparse_coo)


def test_a_device_is_chosen_for_a_block_or_a_function() -> None:
    with ours.device("cpu"):
        assert ours.ones(1).device == ours.device("cpu")

    @ours.device("cpu")
    def made() -> Any:
        return ours.ones(1)

    assert made().device == ours.device("cpu")
    for name, error in (("cuda", AssertionError), ("meta", RuntimeError)):
        with pytest.raises(error), ours.device(name):
            pass
        with pytest.raises(error):
            ours.set_default_device(name)


def test_gradients_flow_through_the_orders_of_old() -> None:
    grads = []
    for t in (ours, theirs):
        g = Given(t)
        leaves = [x.requires_grad_() for x in (g.A, g.B)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            y = t.addmm(2, g.A, 3, g.A, g.B).add(0.5, g.A * 2)
            y = y.clone().addmm_(g.A, g.B, beta=0.5, alpha=2)
        y.sum().backward()
        grads.append([x.grad.tolist() for x in leaves])
    assert grads[0] == grads[1]


# ---- lists of tensors


def lists(t: Any, positive: bool = False) -> list[Any]:
    t.manual_seed(1)
    made = [t.randn(3), t.randn(2, 2), t.randn(())]
    return [x.abs() / 4 + 0.1 for x in made] if positive else made


OPERANDS: dict[str, list[Any]] = {
    "add": [lambda _: (2.0,), lambda _: ([1.0, 2.0, 3.0],), lambda t: (lists(t),), lambda t: (t.tensor(2.0),)],
    "sub": [lambda _: (2.0,), lambda t: (lists(t),)],
    "mul": [lambda _: (2.0,), lambda _: ([1.0, 2.0, 3.0],), lambda t: (lists(t),), lambda t: (t.tensor(2.0),)],
    "div": [lambda _: (2.0,), lambda t: (lists(t),)],
    "pow": [lambda _: (2.0,)],
    "clamp_min": [lambda _: (0.2,), lambda t: (lists(t),)],
    "clamp_max": [lambda _: (0.2,)],
    "maximum": [lambda _: (0.2,), lambda t: (lists(t),)],
    "minimum": [lambda t: (lists(t),)],
    "addcmul": [lambda t: (lists(t), lists(t), 0.5), lambda t: (lists(t), lists(t), [1.0, 2.0, 3.0])],
    "addcdiv": [lambda t: (lists(t), lists(t), -0.1), lambda t: (lists(t), lists(t), t.tensor([1.0, 2.0, 3.0]))],
    "lerp": [lambda t: (lists(t), 0.25), lambda t: (lists(t), lists(t))],
    "copy": [lambda t: (lists(t),)],
    "norm": [lambda _: (), lambda _: (1,)],
}


@pytest.mark.parametrize("name", sorted(foreach.NAMES))
def test_a_method_for_each_tensor_of_a_list_is_pytorchs(name: str) -> None:
    base = name.removeprefix("_foreach_").rstrip("_")
    for operands in OPERANDS.get(base, [lambda _: ()]):
        results = []
        for t in (ours, theirs):
            tensors = lists(t, positive=True)
            got = getattr(t, name)(tensors, *operands(t))
            results.append([x.numpy() for x in got])
            assert all((x is y) == name.endswith("_") for x, y in zip(got, tensors, strict=True))
        for mine, other in zip(*results, strict=True):
            np.testing.assert_allclose(mine, other, rtol=2e-6, atol=1e-7)


def test_lists_of_tensors_are_of_one_length() -> None:
    for t in (ours, theirs):
        with pytest.raises(RuntimeError, match="must have the same number of tensors"):
            t._foreach_add_(lists(t), lists(t)[:2])
        with pytest.raises(RuntimeError, match="at least one tensor"):
            t._foreach_add_([], 1.0)
        tensors = lists(t)
        t._foreach_add_(tensors, lists(t), alpha=2)
        assert tensors[2].item() == pytest.approx(3 * lists(t)[2].item())


# ---- in place

ONE = "acos asin asinh atan atanh cosh sinh sinc erfc frac fix deg2rad rad2deg logit bitwise_not".split()  # noqa: SIM905
TWO = """
atan2 copysign hypot xlogy eq ne lt le gt ge logical_and logical_or logical_xor bitwise_and
bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift
""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", [*ONE, *TWO])
def test_every_function_of_numbers_can_be_written_over_its_input(name: str) -> None:
    def call(t: Any, kind: str, second: Any) -> Any:
        x = t.tensor([0.1, 0.5, 0.9]).to(getattr(t, kind)) if kind != "int64" else t.tensor([1, 2, 3])
        before = x.data_ptr()
        y = getattr(x, name + "_")(*([] if name in ONE else [second(t)]))
        assert y is x
        assert x.data_ptr() == before
        return x

    for kind in ("float32", "float64", "int64"):
        for second in (lambda t: t.tensor([2, 1, 3]), lambda t: t.ones(2, 3, dtype=t.int64)):
            mine, other = (outcome(lambda g, k=kind, s=second: call(g.t, k, s), t) for t in (ours, theirs))
            assert mine == other or (isinstance(mine, type) and isinstance(other, type)), (kind, mine, other)


def test_a_change_in_place_by_a_function_is_recorded() -> None:
    def call(g: Given) -> Any:
        leaf = g.x.clone().requires_grad_()
        (leaf * 0.1).sinh_().atan2_(g.y).cumprod_(0).sum().backward()
        return leaf.grad

    agree(call)


def test_a_python_function_is_applied_to_each_number() -> None:
    agree(lambda g: g.A.apply_(lambda v: v * v + 1))


def test_a_module_changes_type_and_can_be_emptied() -> None:
    agree(lambda g: g.t.nn.Linear(2, 2).type(g.t.DoubleTensor).weight.dtype)
    agree(lambda g: g.t.nn.Linear(2, 2).to_empty(device="cpu").weight.shape)
    model = ours.nn.Linear(2, 2)
    model.compile()
    with pytest.raises(RuntimeError, match="no meta device here"):
        model.to_empty(device="meta")
