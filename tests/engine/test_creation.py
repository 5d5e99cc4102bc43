"""Making tensors: the types that PyTorch infers, the ranges it gives, the errors it raises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradus.engine as engine
from tests.engine.compare import Program, agree

MADE: dict[str, Program] = {
    "int": lambda t: t.tensor(3),
    "float": lambda t: t.tensor(3.5),
    "bool": lambda t: t.tensor(True),
    "ints": lambda t: t.tensor([1, 2]),
    "ints and floats": lambda t: t.tensor([1, 2.5]),
    "ints and NumPy's floats": lambda t: [t.tensor([1, k(2)]) for k in (np.float64, np.float32, np.float16)],
    "floats and NumPy's numbers": lambda t: [t.tensor([[1.5], [k(2)]]) for k in (np.float64, np.float32, np.int8)],
    "NumPy's floats": lambda t: [t.tensor([np.float32(1), np.float64(2)]), t.tensor([np.float16(1), np.float32(2)])],
    "floats and tensors": lambda t: t.tensor([1.5, t.tensor(2, dtype=t.float64), np.int8(3)]),
    "bools and ints": lambda t: t.tensor([True, 2]),
    "nested": lambda t: t.tensor([[1, 2], [3, 4]]),
    "tuple": lambda t: t.tensor((1.0, 2.0)),
    "empty": lambda t: t.tensor([]),
    "empty nested": lambda t: t.tensor([[], []]),
    "range": lambda t: t.tensor(range(3)),
    "float64 array": lambda t: t.tensor(np.ones(2)),
    "int32 array": lambda t: t.tensor(np.ones(2, np.int32)),
    "array with dtype": lambda t: t.tensor(np.ones(2), dtype=t.float32),
    "numpy scalar": lambda t: t.tensor(np.float64(2.5)),
    "list of numpy": lambda t: t.tensor([np.float32(1), np.float32(2)]),
    "list of tensors": lambda t: t.tensor([t.tensor(1), t.tensor(2)]),
    "list of 0-d floats": lambda t: t.tensor([t.tensor(1.5), t.tensor(2.0)]),
    "dtype long": lambda t: t.tensor([1.7, -1.7], dtype=t.long),
    "dtype bool": lambda t: t.tensor([0.0, 2.0], dtype=t.bool),
    "dtype float": lambda t: t.tensor([1, 2], dtype=t.float),
    "requires_grad": lambda t: t.tensor([1.0], requires_grad=True).requires_grad,
    "int requires_grad": lambda t: t.tensor([1], requires_grad=True),
    "ragged": lambda t: t.tensor([[1, 2], [3]]),
    "str": lambda t: t.tensor("a"),
    "list of str": lambda t: t.tensor(["a"]),
    "None": lambda t: t.tensor(None),
    "big int": lambda t: t.tensor(2**40),
    "too big int": lambda t: t.tensor(2**70),
    "Tensor of list": lambda t: t.Tensor([1, 2]),
    "Tensor of sizes": lambda t: t.Tensor(2, 3).shape,
    "Tensor of nothing": lambda t: t.Tensor(),
    "Tensor of one": lambda t: t.Tensor([2.0]).double(),
    "zeros": lambda t: t.zeros(2, 3),
    "zeros tuple": lambda t: t.zeros((2, 3)),
    "zeros of Size": lambda t: t.zeros(t.Size([2])),
    "zeros long": lambda t: t.zeros(2, dtype=t.long),
    "zeros number": lambda t: t.zeros(()),
    "zeros negative": lambda t: t.zeros(-1),
    "zeros float size": lambda t: t.zeros(2.0),
    "zeros size keyword": lambda t: t.zeros(size=(2,)),
    "ones": lambda t: t.ones(2, 2, dtype=t.int32),
    "ones bool": lambda t: t.ones(2, dtype=t.bool),
    "full": lambda t: t.full((2, 2), 7),
    "full float": lambda t: t.full((2,), 0.5),
    "full bool": lambda t: t.full((2,), True),
    "full -inf": lambda t: t.full((2, 2), float("-inf")),
    "full dtype": lambda t: t.full((2,), 1, dtype=t.float64),
    "eye": lambda t: t.eye(3),
    "eye wide": lambda t: t.eye(2, 3),
    "arange": lambda t: t.arange(5),
    "arange 2": lambda t: t.arange(2, 5),
    "arange step": lambda t: t.arange(0, 10, 3),
    "arange float": lambda t: t.arange(0, 1, 0.25),
    "arange one float": lambda t: t.arange(3.0),
    "arange down": lambda t: t.arange(5, 0, -2),
    "arange wrong way": lambda t: t.arange(5, 0),
    "arange step 0": lambda t: t.arange(0, 5, 0),
    "arange dtype": lambda t: t.arange(3, dtype=t.float32),
    "arange 0.1": lambda t: t.arange(0, 1, 0.1),
    "arange of tensor": lambda t: t.arange(t.tensor(4)),
    "arange end keyword": lambda t: t.arange(start=1, end=4),
    "linspace": lambda t: t.linspace(-3, 0, 7),
    "linspace 1000": lambda t: t.linspace(-3, 0, 1000),
    "linspace steps keyword": lambda t: t.linspace(0, 1, steps=5),
    "linspace one": lambda t: t.linspace(2, 5, 1),
    "linspace float64": lambda t: t.linspace(0, 1, 11, dtype=t.float64),
    "logspace": lambda t: t.logspace(-3, 0, 4),
    "zeros_like": lambda t: t.zeros_like(t.tensor([1, 2])),
    "ones_like": lambda t: t.ones_like(t.ones(2), dtype=t.long),
    "full_like": lambda t: t.full_like(t.ones(2), 3),
    "empty shape": lambda t: t.empty(2, 3).shape,
    "new_zeros": lambda t: t.ones(1, dtype=t.long).new_zeros(2, 2),
    "new_ones": lambda t: t.ones(1).double().new_ones((2,)),
    "new_full": lambda t: t.ones(1).new_full((2,), 3),
    "new_tensor": lambda t: t.ones(1).double().new_tensor([1, 2]),
    "from_numpy": lambda t: t.from_numpy(np.arange(3)),
    "from_numpy wrong": lambda t: t.from_numpy([1]),
    "from_numpy backwards": lambda t: t.from_numpy(np.arange(3)[::-1]),
    "from_numpy complex": lambda t: t.from_numpy(np.array(["a"])),
    "as_tensor": lambda t: t.as_tensor([1.5]),
    "asarray": lambda t: t.asarray(np.ones(2)),
    "tril_indices": lambda t: t.tril_indices(3, 3),
    "triu_indices": lambda t: t.triu_indices(3, 4, 1),
    "vander": lambda t: t.vander(t.tensor([1, 2, 3])),
    "scalar_tensor": lambda t: t.scalar_tensor(2),
    "device cpu": lambda t: t.zeros(1, device="cpu"),
    "device object": lambda t: t.zeros(1, device=t.device("cpu")),
    "no such device": lambda t: t.zeros(1, device="tpu9"),
    "no cuda": lambda t: t.zeros(1, device="cuda"),
    "is_tensor": lambda t: [t.is_tensor(t.ones(1)), t.is_tensor(1)],
    "is_floating_point": lambda t: [t.is_floating_point(t.ones(1)), t.ones(1).long().is_floating_point()],
    "promote_types": lambda t: str(t.promote_types(t.int32, t.float16)),
    "can_cast": lambda t: [t.can_cast(t.float, t.int), t.can_cast(t.int, t.float)],
    "result_type": lambda t: str(t.result_type(t.ones(1, dtype=t.int32), 1.0)),
    "default dtype": lambda t: str(t.get_default_dtype()),
    "copy.deepcopy": lambda t: __import__("copy").deepcopy(t.ones(2, requires_grad=True)),
    "dtype kinds": lambda t: [
        t.float32.is_floating_point,
        t.int64.is_floating_point,
        t.float32.itemsize,
        t.uint8.is_signed,
    ],
    "float(tensor)": lambda t: [float(t.tensor(2)), int(t.tensor(2.9)), bool(t.tensor(0))],
    "index of list": lambda t: [10, 20, 30][t.tensor(1)],
    "range of tensor": lambda t: list(range(t.tensor(3))),
    "float as index": lambda t: [1, 2][t.tensor(1.0)],
    "in": lambda t: [1 in t.tensor([1, 2]), 5 in t.tensor([1, 2])],
    "hash": lambda t: len({t.ones(1), t.ones(1)}),
    "numpy of requires_grad": lambda t: t.ones(1, requires_grad=True).numpy(),
    "np.array of requires_grad": lambda t: np.array(t.ones(1, requires_grad=True)).tolist(),
    "np.array": lambda t: np.array(t.ones(2, dtype=t.int32)).dtype.name,
    "np.sum": lambda t: float(np.sum(t.ones(3).numpy())),
    "reversed": lambda t: list(reversed(t.tensor([1, 2]))),
    "block_diag": lambda t: t.block_diag(t.ones(1, 2), t.ones(2, 1)),
    "broadcast_shapes": lambda t: tuple(t.broadcast_shapes((2, 1), (3,))),
    "Size": lambda t: [t.Size([2, 3]).numel(), t.Size([1]) == (1,)],
}


@pytest.mark.parametrize("name", MADE)
def test_made_as_in_pytorch(name: str) -> None:
    agree(MADE[name])


def test_from_numpy_and_numpy_share_memory() -> None:
    array = np.zeros(3)
    x = engine.from_numpy(array)
    x[0] = 5
    array[1] = 7
    assert x.tolist() == [5.0, 7.0, 0.0]
    assert np.shares_memory(x.numpy(), array)


def test_tensor_copies_and_as_tensor_does_not() -> None:
    array = np.zeros(2)
    copied, shared = engine.tensor(array), engine.as_tensor(array)
    array[0] = 1
    assert copied.tolist() == [0.0, 0.0]
    assert shared.tolist() == [1.0, 0.0]


DRAWS: dict[str, Program] = {
    "manual_seed of a float": lambda t: t.rand(2),
    "rand": lambda t: t.rand(2, 3),
    "randn": lambda t: t.randn(20),
    "randint": lambda t: t.randint(0, 10, (5,)),
    "randint high": lambda t: t.randint(10, (2, 2)),
    "randint keywords": lambda t: t.randint(5, size=(3,), dtype=t.int32),
    "randint no range": lambda t: t.randint(3, 3, (1,)),
    "randperm": lambda t: t.randperm(7),
    "normal": lambda t: t.normal(1.0, 2.0, (4,)),
    "normal of tensors": lambda t: t.normal(t.zeros(3), t.ones(3)),
    "rand_like": lambda t: t.rand_like(t.zeros(3)),
    "randn_like": lambda t: t.randn_like(t.zeros(3, dtype=t.float64)),
    "randint_like": lambda t: t.randint_like(t.zeros(3), 10),
    "bernoulli": lambda t: t.bernoulli(t.full((5,), 0.5)),
    "multinomial": lambda t: t.multinomial(t.tensor([0.1, 0.5, 0.4]), 5, replacement=True),
    "multinomial rows": lambda t: t.multinomial(t.ones(2, 4), 2),
    "normal_": lambda t: t.empty(17).normal_(0, 2),
    "normal_ of transposed": lambda t: t.empty(4, 6).t().normal_(),
    "normal_ of few, transposed": lambda t: t.empty(2, 3).t().normal_(),
    "uniform_": lambda t: t.empty(2, 3).uniform_(-1, 1),
    "uniform_ of transposed": lambda t: t.empty(3, 4).t().uniform_(),
    "uniform_ of strided": lambda t: t.zeros(4, 6)[:, ::2].uniform_(),
    "uniform_ of permuted": lambda t: t.zeros(2, 3, 4).permute(2, 0, 1).uniform_(),
    "exponential_": lambda t: t.empty(4).exponential_(),
    "geometric_": lambda t: (t.empty(40).geometric_(0.3), t.empty(9, dtype=t.int64).geometric_(0.02)),
    "geometric_ of 0": lambda t: t.empty(3).geometric_(0),
    "geometric_ of bools": lambda t: t.ones(3, dtype=t.bool).geometric_(0.5),
    "geometric_ of complex numbers": lambda t: t.ones(3, dtype=t.complex64).geometric_(0.5),
    "cauchy_": lambda t: (t.empty(40).cauchy_(), t.empty(3, 4, dtype=t.float64).t().cauchy_(2, 0.5)),
    "cauchy_ below 0": lambda t: t.empty(3).cauchy_(0, -1),
    "cauchy_ of ints": lambda t: t.ones(3).long().cauchy_(),
    "log_normal_": lambda t: (t.empty(40).log_normal_(), t.empty(33, dtype=t.float64).log_normal_(0.3, 0.7)),
    "log_normal_ of 16 bits": lambda t: t.empty(5, dtype=t.float16).log_normal_(),
    "log_normal_ below 0": lambda t: t.empty(3).log_normal_(0, -1),
    "log_normal_ of ints": lambda t: t.ones(3).long().log_normal_(),
    "poisson": lambda t: (t.poisson(t.linspace(0, 40, 30)), t.poisson(t.tensor([1e3]), t.Generator().manual_seed(2))),
    "poisson below 0": lambda t: t.poisson(t.tensor([-1.0])),
    "poisson of nan": lambda t: t.poisson(t.tensor([1.0, float("nan")])),
    "poisson of ints": lambda t: t.poisson(t.tensor([1])),
    "bernoulli_": lambda t: t.empty(6).bernoulli_(0.3),
    "random_": lambda t: t.empty(3, dtype=t.long).random_(0, 100),
    "random_ of transposed": lambda t: t.zeros(2, 3, dtype=t.long).t().random_(10),
    "generator": lambda t: t.rand(3, generator=t.Generator().manual_seed(7)),
    "initial_seed": lambda t: t.initial_seed(),
    "state": lambda t: _again(t),
}


def _again(t: Any) -> Any:
    state = t.get_rng_state()
    a = t.rand(3)
    t.set_rng_state(state)
    return t.equal(a, t.rand(3))


@pytest.mark.parametrize("name", DRAWS)
def test_drawn_as_in_pytorch(name: str) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(42.9 if "float" in name else 42)
        return DRAWS[name](t)

    agree(program, tolerance=1e-6)
