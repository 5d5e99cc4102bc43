"""Products of vectors and matrices, and einsum: values, gradients and errors as PyTorch's."""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.compare import Program, agree, agree_with_differences, numbers

RANKS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((3,), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((2, 5, 2, 3), (2, 5, 3, 4)),
    ((2, 3), (5, 3, 4)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((1, 2, 3), (5, 3, 4)),
    ((2, 1, 2, 3), (5, 3, 4)),
    ((0, 3), (3, 4)),
    ((2, 0), (0, 4)),
    ((2, 3, 0), (0, 2)),
    ((3,), (4,)),
    ((2, 3), (4, 2)),
    ((2, 3), (4,)),
    ((5, 2, 3), (4, 2)),
    ((5, 2, 3), (4, 3, 2)),
    ((), (3,)),
    ((3,), ()),
]


@pytest.mark.parametrize("layout", ["C", "T", "S"])
@pytest.mark.parametrize(("a", "b"), RANKS, ids=str)
def test_matmul_of_any_ranks_equals_pytorch(a: tuple[int, ...], b: tuple[int, ...], layout: str) -> None:
    agree(lambda t, x, y: x @ y, numbers(*a), numbers(*b, seed=2), layouts=[layout, layout])


@pytest.mark.parametrize(("a", "b"), RANKS[:12], ids=str)
def test_gradient_of_matmul_is_its_slope(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    agree_with_differences(lambda t, x, y: t.matmul(x, y), numbers(*a), numbers(*b, seed=2))


@pytest.mark.parametrize(
    "kinds",
    [
        ("float32", "float64"),
        ("float32", "int64"),
        ("int64", "int64"),
        ("int32", "int64"),
        ("bool", "bool"),
        ("float16", "float16"),
    ],
    ids=str,
)
def test_matmul_of_types_equals_pytorch(kinds: tuple[str, str]) -> None:
    a, b = (np.array([[1, 2], [3, 0]]).astype(kind) for kind in kinds)
    agree(lambda t, x, y: x @ y, a, b)


EQUATIONS: list[tuple[str, list[tuple[int, ...]]]] = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("bij,bjk->bik", [(2, 2, 3), (2, 3, 4)]),
    ("i,i->", [(3,), (3,)]),
    ("i,j->ij", [(3,), (4,)]),
    ("ii->i", [(3, 3)]),
    ("ii", [(3, 3)]),
    ("ij->ji", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("ij->i", [(2, 3)]),
    ("ij->j", [(2, 3)]),
    ("bhqd,bhkd->bhqk", [(2, 2, 3, 4), (2, 2, 5, 4)]),
    ("bhqk,bhkd->bqhd", [(2, 2, 3, 5), (2, 2, 5, 4)]),
    ("...ij,...jk->...ik", [(2, 2, 3), (2, 3, 4)]),
    ("...i->...", [(2, 3, 4)]),
    ("i...->...", [(2, 3, 4)]),
    ("ij,ij->ij", [(2, 3), (2, 3)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ("i,ij,j->", [(2,), (2, 3), (3,)]),
    ("ij,j", [(2, 3), (3,)]),
    ("b i j -> b j i", [(2, 3, 4)]),
    ("ijk,ilm->", [(2, 3, 2), (2, 2, 3)]),
    ("ij,kj->ik", [(2, 3), (4, 3)]),
    ("ii,jj->", [(2, 2), (3, 3)]),
    ("bi,bj->bij", [(2, 3), (2, 4)]),
    ("ba,cb", [(2, 3), (4, 2)]),
    ("ij,jk->ik", [(2, 3), (4, 4)]),
    ("ij,jk", [(2, 3)]),
    ("ijk->i", [(2, 3)]),
    ("ij->iz", [(2, 3)]),
    ("ij->ii", [(2, 3)]),
    ("i->i", [(3,)]),
    (",i->i", [(), (3,)]),
]


@pytest.mark.parametrize(("equation", "shapes"), EQUATIONS, ids=str)
def test_einsum_equals_pytorch(equation: str, shapes: list[tuple[int, ...]]) -> None:
    agree(lambda t, *xs: t.einsum(equation, *xs), *[numbers(*s, seed=i) for i, s in enumerate(shapes)])


PRODUCTS: dict[str, Program] = {
    "mm": lambda t, a, b: t.mm(a, b),
    "mm method": lambda t, a, b: a.mm(b),
    "mm of 3d": lambda t, a, b: a[None].mm(b),
    "bmm": lambda t, a, b: t.bmm(a[None], b[None]),
    "bmm wrong": lambda t, a, b: t.bmm(a[None], a[None]),
    "bmm of 2d": lambda t, a, b: t.bmm(a, b),
    "mv": lambda t, a, b: a.mv(b[:, 0]),
    "dot": lambda t, a, b: a[0].dot(b[:, 0]),
    "dot wrong": lambda t, a, b: t.dot(a, b),
    "outer": lambda t, a, b: t.outer(a[0], b[:, 0]),
    "inner": lambda t, a, b: t.inner(a, b.t()),
    "addmm": lambda t, a, b: t.addmm(t.ones(4, dtype=a.dtype), a, b),
    "addmm scaled": lambda t, a, b: t.ones(2, 4, dtype=a.dtype).addmm(a, b, beta=2, alpha=0.5),
    "baddbmm": lambda t, a, b: t.baddbmm(t.ones(1, 2, 4, dtype=a.dtype), a[None], b[None]),
    "tensordot": lambda t, a, b: t.tensordot(a, b, 1),
    "tensordot dims": lambda t, a, b: t.tensordot(a, b, dims=([1], [0])),
    "kron": lambda t, a, b: t.kron(a, b),
    "cdist": lambda t, a, b: t.cdist(a, b.t()),
    "cross": lambda t, a, b: t.cross(a, b.t()[:2], dim=1),
    "matrix_power": lambda t, a, b: (a @ b)[:, :2].matrix_power(3),
    "matrix_power 0": lambda t, a, b: (a @ b)[:, :2].matrix_power(0),
    "matmul with transposed": lambda t, a, b: a @ b @ b.T @ a.T,
    "linear": lambda t, a, b: t.nn.functional.linear(a, b.t()),
    "linear with bias": lambda t, a, b: t.nn.functional.linear(a, b.t(), b[0]),
    "linear of 3d": lambda t, a, b: t.nn.functional.linear(a[None].repeat(2, 1, 1), b.t(), b[0]),
    "linear of 1d": lambda t, a, b: t.nn.functional.linear(a[0], b.t(), b[0]),
    "linear wrong": lambda t, a, b: t.nn.functional.linear(a, b),
    "in place of product": lambda t, a, b: (a @ b).add_(1).mul_(b[:2]),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_product_equals_pytorch(name: str) -> None:
    agree(PRODUCTS[name], numbers(2, 3), numbers(3, 4, seed=2))


@pytest.mark.parametrize(
    "name", ["outer", "addmm", "tensordot", "kron", "cross", "linear with bias", "linear of 3d", "cdist"]
)
def test_gradient_of_product_is_its_slope(name: str) -> None:
    agree_with_differences(PRODUCTS[name], numbers(2, 3), numbers(3, 4, seed=2))
