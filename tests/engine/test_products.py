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


FAMILY: dict[str, Program] = {
    "addmm of integers": lambda t, x: t.addmm(t.ones(2, 2).long() * 5, x.long(), x.long().t(), beta=0.6, alpha=2.7),
    "addmm of nan by 0": lambda t, x: t.addmm(t.full((2, 2), float("nan")).double(), x, x.t(), beta=0),
    "addmm of types": lambda t, x: t.addmm(t.ones(2, 2).long(), x, x.t()),
    "addmm of shapes": lambda t, x: t.addmm(x[0], x, x.t()),
    "addmm by tensors": lambda t, x: t.addmm(x[0, 0], x, x.t(), beta=t.tensor(2.0), alpha=t.tensor(0.5)),
    "addmv of integers": lambda t, x: t.addmv(t.ones(2).long(), x.long(), t.ones(3).long(), beta=0.2, alpha=1.6),
    "addbmm of int32": lambda t, x: t.addbmm(t.ones(2, 2, dtype=t.int32), x.int()[None], x.int().t()[None], beta=1.6),
    "baddbmm of integers": lambda t, x: t.baddbmm(t.ones(1, 2, 2).long(), x.long()[None], x.long().t()[None]),
    "addr": lambda t, x: (t.addr(x, x[:, 0], x[0], beta=2, alpha=3), t.addr(x > 0, x[:, 0] > 0, x[0] > 0)),
    "addr of a matrix": lambda t, x: t.addr(x, x, x[0]),
    "addr of half": lambda t, x: t.addr(x.long(), x[:, 0].long(), x[0].long(), beta=1.5),
    "products of integers": lambda t, x: (x.long() @ x.long().t(), t.mv(x.int(), t.ones(3).int())),
    "bmm of bools": lambda t, x: t.bmm((x > 0)[None], (x > 0).t()[None]),
    "dot of bools": lambda t, x: t.dot(x[0] > 0, x[0] > 0),
    "dot of types": lambda t, x: t.dot(x[0], x[0].float()),
    "matmul by a number": lambda t, x: t.matmul(x, 2),
    "cdist": lambda t, x: [t.cdist(x, x[:1] * 2, p) for p in (0.5, 1, 1.5, 2, 3, float("inf"))],
    "cdist of 0": lambda t, x: [t.cdist(x, x, p) for p in (1, 2, float("inf"))],
    "cdist in another way": lambda t, x: t.cdist(x, x + 1, 2.0, "use_mm_for_euclid_dist"),
    "cdist in no way": lambda t, x: t.cdist(x, x, 2.0, "x"),
    "cdist of integers": lambda t, x: t.cdist(x.long(), x.long()),
    "cdist of a vector": lambda t, x: t.cdist(x[0], x),
    "cdist of widths": lambda t, x: t.cdist(x, x[:, :2]),
    "cdist below 0": lambda t, x: t.cdist(x, x, -1),
    "tensordot of ones": lambda t, x: t.tensordot(x[:1, None, :1], x[:, :2, None], dims=([0, 1], [2, 0])),
    "tensordot by tensors": lambda t, x: (t.tensordot(x, x.t(), t.tensor(1)), t.tensordot(x, x, t.tensor([[1], [1]]))),
    "tensordot below 0": lambda t, x: t.tensordot(x, x, -1),
    "tensordot too far": lambda t, x: t.tensordot(x, x, 3),
    "tensordot unevenly": lambda t, x: t.tensordot(x, x, ([0], [1, 0])),
    "tensordot twice": lambda t, x: t.tensordot(x, x, ([1, 1], [0, 0])),
    "einsum of lists": lambda t, x: (t.einsum(x, [0, 1], x, [2, 1], [0, 2]), t.einsum(x, [..., 1], [1, ...])),
    "einsum of many": lambda t, x: t.einsum(x, [0, 53]),
    "einsum of digits": lambda t, x: t.einsum("i1", x),
    "einsum of dots": lambda t, x: t.einsum("i.j", x),
    "einsum of nothing": lambda t, x: t.einsum(""),
    "einsum of no square": lambda t, x: t.einsum("ii->i", x),
    "cross": lambda t, x: (t.cross(x, x * 2 + 1), t.cross(x.t(), x.t() + 1), t.cross(x.long(), x.long(), dim=-1)),
    "cross of twos": lambda t, x: t.cross(x[:, :2], x[:, :2]),
    "cross of dims": lambda t, x: t.cross(x, x[0]),
    "inner of widths": lambda t, x: t.inner(x, x[:, :2]),
    "renorm": lambda t, x: (x.renorm(2, 0, 1.5), x.renorm(1, 1, 100.0)),
    "renorm of a vector": lambda t, x: x[0].renorm(2, 0, 1),
    "renorm below 0": lambda t, x: x.renorm(2, 0, -1),
    "trapezoid": lambda t, x: (t.trapezoid(x, x, dim=0), t.cumulative_trapezoid(x, x[0]), t.trapz(x, dx=2, dim=0)),
    "trapezoid at other places": lambda t, x: t.trapezoid(x, x[0, :2]),
    "norm of no order": lambda t, x: x.norm("x"),
    "norm of nothing": lambda t, x: x[:0].norm(float("inf")),
}


@pytest.mark.parametrize("name", FAMILY)
def test_products_and_distances_equal_pytorch(name: str) -> None:
    agree(FAMILY[name], numbers(2, 3))


@pytest.mark.parametrize("p", [0.5, 1.0, 1.5, 2.0, 3.0, float("inf")])
def test_cdist_has_the_slopes_of_its_values(p: float) -> None:
    agree_with_differences(lambda t, a, b: t.cdist(a, b, p), numbers(2, 4, 3), numbers(2, 3, seed=5))
