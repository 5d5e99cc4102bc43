"""arange, linspace and the other makers, in every type: PyTorch's numbers, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.compare import Program, agree

KINDS = ["int64", "int32", "uint8", "float16", "float32", "float64"]
ENDS = [
    (0.0, -8.000001, -4.0),
    (0.1, -7.9, -4.0),
    (0, 5, 2),
    (1, 2.5, 0.5),
    (0, 1, 0.1),
    (0, 3.5),
    (5,),
    (3, 1),
    (0, 1, 0),
]


@pytest.mark.parametrize("kind", [None, *KINDS])
@pytest.mark.parametrize("ends", ENDS, ids=str)
def test_arange_equals_pytorch(ends: tuple[float, ...], kind: str | None) -> None:
    if kind != "uint8" or min(ends) >= 0:
        agree(lambda t: t.arange(*ends, dtype=kind and getattr(t, kind)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ends", [(4.3, -3, 50), (0, 1, 5), (-10, 10, 7), (0, 255, 4), (2, 9, 1), (2, 9, 0)], ids=str)
def test_linspace_and_logspace_equal_pytorch(ends: tuple[float, ...], kind: str) -> None:
    if kind == "uint8" and min(ends) < 0:
        return
    agree(lambda t: t.linspace(*ends, dtype=getattr(t, kind)))
    start, end, steps = ends
    if not (kind == "uint8" and end > 100):
        agree(lambda t: t.logspace(start / 5, end / 5, steps, dtype=getattr(t, kind)))


MAKING: dict[str, Program] = {
    "arange named": lambda t: (t.arange(start=1, end=3), t.arange(end=3), t.arange(0, 4, step=2)),
    "arange twice": lambda t: t.arange(3, end=5),
    "arange of nothing": lambda t: t.arange(),
    "arange of too much": lambda t: t.arange(1, 2, 3, 4),
    "arange of a string": lambda t: t.arange("a"),
    "arange of NumPy's": lambda t: (t.arange(np.float32(3)), t.arange(np.int64(3)), t.arange(True)),
    "arange of a tensor": lambda t: t.arange(t.tensor(3)),
    "arange of a vector": lambda t: t.arange(t.tensor([3])),
    "arange to infinity": lambda t: t.arange(0, float("inf")),
    "arange to nan": lambda t: t.arange(0, float("nan")),
    "arange of bool": lambda t: t.arange(2, dtype=t.bool),
    "arange far out": lambda t: t.arange(2**62, 2**62 + 2),
    "linspace of tensors": lambda t: (t.linspace(t.tensor(1.5), t.tensor(3), 5), t.linspace(0, 3, steps=t.tensor(2))),
    "linspace of a vector": lambda t: t.linspace(t.tensor([1]), 3, 2),
    "linspace with half a step": lambda t: t.linspace(0, 3, 2.0),
    "linspace backwards": lambda t: t.linspace(0, 3, -1),
    "logspace of other bases": lambda t: (t.logspace(0, 3, 4, base=2), t.logspace(0, 5, 6, 2, dtype=t.int32)),
    "logspace wants a gradient": lambda t: t.logspace(0, 2, 3, requires_grad=True),
    "logspace backwards": lambda t: t.logspace(0, 3, -1),
    "eye": lambda t: (t.eye(t.tensor(2)), t.eye(n=2, m=3), t.eye(0, 2)),
    "eye below 0": lambda t: t.eye(-1),
    "eye of half": lambda t: t.eye(2.0),
    "vander": lambda t: (t.vander(t.tensor([1, 2]), 2), t.vander(t.tensor([1.0, 2]), 4, True)),
    "vander of bools": lambda t: (t.vander(t.tensor([True, False])), t.vander(t.tensor([2, 3], dtype=t.int32))),
    "vander of a matrix": lambda t: t.vander(t.ones(2, 2)),
    "vander below 0": lambda t: t.vander(t.ones(2), -1),
    "triangles": lambda t: (t.tril_indices(2, 2, dtype=t.int32), t.triu_indices(t.tensor(2), 3, offset=1)),
    "triangle below 0": lambda t: t.tril_indices(-1, 2),
    "triangle of floats": lambda t: t.tril_indices(2, 2, dtype=t.float32),
    "full": lambda t: (t.full((2,), True), t.full((2,), 3, dtype=t.bool), t.full(size=(2,), fill_value=np.float64(2))),
    "full of a tensor": lambda t: (t.full((2,), t.tensor(2.5)), t.full_like(t.ones(2), t.tensor(3))),
    "full of a vector": lambda t: t.full((2,), t.tensor([2.5])),
    "full of one size": lambda t: t.full(2, 3),
    "full too large": lambda t: t.full((2,), 300, dtype=t.uint8),
    "full of nan": lambda t: t.full((2,), float("nan"), dtype=t.int64),
    "new_full": lambda t: t.ones(2).new_full((2,), 3, requires_grad=True),
    "scalar_tensor": lambda t: (t.scalar_tensor(t.tensor(3)), t.scalar_tensor(True), t.scalar_tensor(3, dtype=t.int64)),
    "scalar_tensor of a list": lambda t: t.scalar_tensor([1]),
    "sizes": lambda t: (
        t.zeros(()),
        t.zeros(t.tensor(2), 3),
        t.zeros(np.int64(2)),
        t.zeros(size=(2,)),
        t.zeros([2, 3]),
    ),
    "no size": lambda t: t.zeros(),
    "size twice": lambda t: t.zeros(2, size=3),
    "size below 0": lambda t: t.zeros(-1),
    "size of bool": lambda t: t.zeros(True),
    "size of an array": lambda t: t.zeros(np.array([2, 2])),
    "size of a string": lambda t: t.zeros("a"),
    "size of None": lambda t: t.zeros(None),
    "new_zeros": lambda t: t.ones(2).new_zeros(size=(2,)),
    "new_zeros of nothing": lambda t: t.ones(2).new_zeros(),
    "integers want no gradient": lambda t: t.zeros(2, dtype=t.int64, requires_grad=True),
    "asarray": lambda t: (t.asarray([1, 2]), t.asarray(t.ones(2), copy=False), t.asarray(1.0, requires_grad=True)),
    "asarray cannot": lambda t: t.asarray([1], copy=False),
    "strides": lambda t: [
        x.stride() for x in (t.empty_strided((2, 3), (1, 2)), t.empty_permuted((2, 3, 4), (2, 0, 1)))
    ],
    "new strides": lambda t: t.ones(2).long().new_empty_strided((2, 3), (1, 2)).stride(),
    "strides of other lengths": lambda t: t.empty_strided((2, 3), (1,)),
    "permuted twice": lambda t: t.empty_permuted((2, 3), (0, 0)),
}


@pytest.mark.parametrize("name", MAKING)
def test_making_equals_pytorch(name: str) -> None:
    agree(MAKING[name])
