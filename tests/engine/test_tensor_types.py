"""`torch.FloatTensor` and its relatives, and `torch.autograd.Variable`: what programs of old are written with."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch as theirs

import gradus.engine as ours


def described(x: Any) -> Any:
    """A result, so that ours and PyTorch's compare: tensors by type, shape and numbers."""
    if isinstance(x, (ours.Tensor, theirs.Tensor)):
        return x.type(), tuple(x.shape), x.tolist(), x.requires_grad
    return str(x) if isinstance(x, type) else x


def outcome(call: Any, torch: Any) -> Any:
    """What a call gives, or the type of its error; and what it warned of."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            result = described(call(torch))
        except Exception as error:
            result = type(error)
    return result, [(w.category, str(w.message).split(" (Triggered")[0]) for w in seen]


def agree(call: Any) -> None:
    assert outcome(call, ours) == outcome(call, theirs)


@pytest.mark.parametrize("name", ["Float", "Double", "Half", "Long", "Int", "Short", "Char", "Byte", "Bool"])
def test_a_tensor_type_makes_tensors_and_knows_them(name: str) -> None:
    for data in ([1, 0, 2], [[1.5, 0.0]], (1, 2), range(3), np.array([1.0, 2.0]), np.arange(3), []):
        agree(lambda t, data=data: getattr(t, f"{name}Tensor")(data))
    for other in ("float32", "float64", "int64", "uint8", "bool"):
        agree(lambda t, other=other: isinstance(t.ones(2, dtype=getattr(t, other)), getattr(t, f"{name}Tensor")))
    agree(lambda t: t.tensor([0.0, 1.75]).type(getattr(t, f"{name}Tensor")))
    agree(lambda t: t.tensor([0.0, 1.75]).type(f"torch.{name}Tensor"))
    agree(lambda t: getattr(t, f"{name}Tensor"))
    agree(lambda t: str(getattr(t, f"{name}Tensor").dtype))


CALLS = [
    lambda t: t.FloatTensor(2, 3).shape,
    lambda t: t.FloatTensor(t.Size([2, 1])).shape,
    lambda t: t.FloatTensor(np.int64(3)).shape,
    lambda t: t.FloatTensor(size=(2, 3)).shape,
    lambda t: t.FloatTensor(),
    lambda t: t.FloatTensor([t.tensor(3), 2]),
    lambda t: t.FloatTensor(t.ones(2)),
    lambda t: t.FloatTensor(t.ones(2, requires_grad=True)),
    lambda t: t.FloatTensor(t.arange(2)),
    lambda t: t.FloatTensor(3.5),
    lambda t: t.FloatTensor(None),
    lambda t: t.FloatTensor("abc"),
    lambda t: t.FloatTensor(True),
    lambda t: t.FloatTensor({1, 2}),
    lambda t: t.FloatTensor(np.float32(1)),
    lambda t: t.FloatTensor([1], [2]),
    lambda t: t.FloatTensor([1.0], device="cuda"),
    lambda t: t.FloatTensor([1.0], requires_grad=True),
    lambda t: t.LongTensor(2, -1),
    lambda t: t.Tensor(3.5),
    lambda t: t.Tensor(t.arange(3)),
    lambda t: t.Tensor(t.ones(2, requires_grad=True) * 2),
    lambda t: t.cuda.FloatTensor,
    lambda t: t.cuda.FloatTensor(2),
    lambda t: isinstance(t.ones(2), t.cuda.FloatTensor),
    lambda t: isinstance(t.nn.Parameter(t.ones(2)), t.FloatTensor),
    lambda t: issubclass(t.FloatTensor, t.Tensor),
    lambda t: t.ones(2).type(t.Tensor),
    lambda t: t.ones(2).type(t.int64, non_blocking=True),
    lambda t: t.ones(2).type(float),
    lambda t: t.ones(2).type(np.float32),
    lambda t: t.ones(2).type("Foo"),
    lambda t: t.ones(2).new(2, 3).shape,
    lambda t: t.ones(2).new([1, 2]),
    lambda t: t.ones(2).new(),
    lambda t: t.ones(2).new(t.ones(2)),
    lambda t: t.ones(2).new(t.arange(2)),
    lambda t: t.arange(2).new([1.5]),
    lambda t: t.ones(3).new(t.ones(3).size()).shape,
    lambda t: t.ones(3).new(np.array([1, 2])),
    lambda t: t.autograd.Variable(t.ones(2)),
    lambda t: t.autograd.Variable(t.ones(2), requires_grad=True),
    lambda t: t.autograd.Variable(t.ones(2), volatile=True),
    lambda t: t.autograd.Variable(t.ones(2, requires_grad=True) * 2).is_leaf,
    lambda t: t.autograd.Variable(data=t.ones(2)).shape,
    lambda t: t.autograd.Variable([1, 2]),
    lambda t: t.autograd.Variable(t.arange(3), requires_grad=True),
    lambda t: isinstance(t.ones(2), t.autograd.Variable),
    lambda t: isinstance(3, t.autograd.Variable),
    lambda t: t.__version__ > (1, 2),
    lambda t: t.__version__ >= "1.10",
    lambda t: t.__version__ == "2.13.0",
    lambda t: t.random.manual_seed(3).initial_seed(),
]


@pytest.mark.parametrize("call", CALLS)
def test_old_names_give_what_pytorch_gives(call: Any) -> None:
    agree(call)


def test_a_tensor_of_a_tensor_is_on_its_memory() -> None:
    for t in (ours, theirs):
        x = t.ones(2)
        for made in (t.FloatTensor(x), t.Tensor(x), x.new(x), t.autograd.Variable(x)):
            made[0] += 1
        assert x.tolist() == [5.0, 1.0]


def test_the_default_tensor_type_is_that_of_new_floats() -> None:
    for t in (ours, theirs):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # PyTorch says once that there are newer names
                t.set_default_tensor_type("torch.DoubleTensor")
                for wrong in (t.LongTensor, "torch.LongTensor", t.cuda.FloatTensor, t.float32):
                    with pytest.raises(TypeError):
                        t.set_default_tensor_type(wrong)
            assert [t.ones(1).dtype, t.Tensor([1]).dtype] == [t.float64, t.float64]
        finally:
            t.set_default_dtype(t.float32)


def test_a_version_compares_number_by_number() -> None:
    version = ours.__version__
    assert version > "2.9"
    assert not version < (2, 9, 1)
    assert version != "2.13.1"
    assert version == str(version)
    assert hash(version) == hash(str(version))


def test_forked_randomness_leaves_the_generator_where_it_was() -> None:
    for t in (ours, theirs):
        t.manual_seed(1)
        with t.random.fork_rng():
            t.manual_seed(2)
            t.rand(5)
        after = t.rand(2).tolist()
        t.manual_seed(1)
        assert t.rand(2).tolist() == after
