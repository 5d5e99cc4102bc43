"""Linear algebra: values, gradients and errors are PyTorch's, and the gradients are the slopes of the values."""

# ruff: noqa: ARG001, ARG005  # all cases of a table are called with the same arguments

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as engine
from gradus.engine.ops.linear_algebra import matrix_exp
from tests.engine.compare import agree, agree_with_differences, numbers

Program = Callable[..., Any]


def symmetric(t: Any, x: Any) -> Any:
    return x + x.mT


def positive(t: Any, x: Any) -> Any:
    return x @ x.mT + t.eye(x.shape[-1], dtype=x.dtype)


def triangle(t: Any, x: Any) -> Any:
    return x + 3 * t.eye(x.shape[-1], dtype=x.dtype)


def svd_of(t: Any, x: Any, **options: Any) -> Any:
    """A function of U, S and V that their signs do not change."""
    U, S, Vh = t.linalg.svd(x, **options)
    k = S.shape[-1]
    return (U[..., :k] * S.tanh().unsqueeze(-2)) @ Vh[..., :k, :], S


def eigh_of(t: Any, x: Any, *options: Any) -> Any:
    w, v = t.linalg.eigh(x, *options)
    return (v * w.tanh().unsqueeze(-2)) @ v.mT, w


SQUARE: list[tuple[str, Program]] = [
    ("det", lambda t, x: t.linalg.det(x)),
    ("slogdet", lambda t, x: tuple(t.linalg.slogdet(x))),
    ("logdet", lambda t, x: t.logdet(positive(t, x))),
    ("inv", lambda t, x: t.linalg.inv(x)),
    ("inverse", lambda t, x: x.inverse()),
    ("cholesky", lambda t, x: t.linalg.cholesky(positive(t, x))),
    ("cholesky upper", lambda t, x: t.linalg.cholesky(positive(t, x), upper=True)),
    ("cholesky_inverse", lambda t, x: t.cholesky_inverse(triangle(t, x).tril())),
    ("cholesky_inverse upper", lambda t, x: t.cholesky_inverse(triangle(t, x).triu(), upper=True)),
    ("matrix_exp", lambda t, x: t.linalg.matrix_exp(x)),
    ("matrix_power", lambda t, x: t.linalg.matrix_power(x, 5)),
    ("matrix_power negative", lambda t, x: t.matrix_power(x, -3)),
    ("matrix_power 0", lambda t, x: t.matrix_power(x, 0)),
    ("eigh", lambda t, x: eigh_of(t, symmetric(t, x))),
    ("eigh upper", lambda t, x: eigh_of(t, symmetric(t, x), "U")),
    ("eigvalsh", lambda t, x: t.linalg.eigvalsh(symmetric(t, x))),
    ("lu", lambda t, x: tuple(t.linalg.lu(x))),
    ("lu_factor", lambda t, x: tuple(t.linalg.lu_factor(x))),
    ("torch.lu", lambda t, x: tuple(t.lu(x))),
    ("cond 1", lambda t, x: t.linalg.cond(x.detach(), 1)),
    ("cond fro", lambda t, x: t.linalg.cond(x.detach(), "fro")),
    ("inv_ex", lambda t, x: tuple(t.linalg.inv_ex(x.detach()))),
    ("cholesky_ex", lambda t, x: tuple(t.linalg.cholesky_ex(positive(t, x.detach())))),
    ("rank of symmetric", lambda t, x: t.linalg.matrix_rank(symmetric(t, x), hermitian=True)),
    ("pinv symmetric", lambda t, x: t.linalg.pinv(symmetric(t, x), hermitian=True)),
]

ANY: list[tuple[str, Program]] = [
    ("qr", lambda t, x: tuple(t.linalg.qr(x))),
    ("torch.qr", lambda t, x: tuple(x.qr())),
    ("svd", lambda t, x: svd_of(t, x)),
    ("svd reduced", lambda t, x: svd_of(t, x, full_matrices=False)),
    ("svdvals", lambda t, x: t.linalg.svdvals(x)),
    ("torch.svd", lambda t, x: (x.svd().U[..., :2] @ x.svd().V[..., :2].mT).abs()),
    ("pinv", lambda t, x: t.linalg.pinv(x)),
    ("pinv cut", lambda t, x: t.linalg.pinv(x, rtol=0.5)),
    ("pinverse", lambda t, x: t.pinverse(x)),
    ("rank", lambda t, x: t.linalg.matrix_rank(x)),
    ("rank above 1", lambda t, x: t.linalg.matrix_rank(x, atol=1.0)),
    ("cond", lambda t, x: t.linalg.cond(x)),
    ("lu", lambda t, x: tuple(t.linalg.lu(x))),
    ("norm", lambda t, x: t.linalg.norm(x)),
    ("norm fro", lambda t, x: t.linalg.norm(x, "fro", (-2, -1))),
    ("norm nuc", lambda t, x: t.linalg.matrix_norm(x, "nuc")),
    ("norm 2", lambda t, x: t.linalg.matrix_norm(x, 2, keepdim=True)),
    ("norm -2", lambda t, x: t.linalg.matrix_norm(x, -2)),
    ("norm 1", lambda t, x: t.linalg.matrix_norm(x, 1)),
    ("norm inf", lambda t, x: t.linalg.matrix_norm(x, float("inf"), dim=(-1, -2))),
    ("norm -1", lambda t, x: t.linalg.matrix_norm(x, -1, keepdim=True)),
    ("vector norm 3", lambda t, x: t.linalg.vector_norm(x, 3, -1)),
    ("vector norm 0.5", lambda t, x: t.linalg.vector_norm(x, 0.5)),
    ("vector norm inf", lambda t, x: t.linalg.vector_norm(x, float("inf"), 0, keepdim=True)),
    ("diagonal", lambda t, x: t.linalg.diagonal(x, offset=1)),
    ("vander", lambda t, x: t.linalg.vander(x, N=4)),
    ("geqrf", lambda t, x: tuple(t.geqrf(x.detach()))),
]


@pytest.mark.parametrize("shape", [(3, 3), (1, 1), (2, 4, 4), (0, 3, 3), (2, 1, 3, 3)], ids=str)
@pytest.mark.parametrize(("name", "program"), SQUARE, ids=[name for name, _ in SQUARE])
def test_square_matrices(name: str, program: Program, shape: tuple[int, ...]) -> None:
    agree(program, numbers(*shape, seed=3), tolerance=1e-7)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 5, 3), (2, 3, 5)], ids=str)
@pytest.mark.parametrize(("name", "program"), ANY, ids=[name for name, _ in ANY])
def test_matrices_of_any_shape(name: str, program: Program, shape: tuple[int, ...]) -> None:
    if name == "qr" and shape[-2] < shape[-1]:
        program = SQUARE_QR
    agree(program, numbers(*shape, seed=5), tolerance=1e-7)


def SQUARE_QR(t: Any, x: Any) -> Any:
    return tuple(t.linalg.qr(x, "complete"))  # the same for wide matrices


SOLVING: list[tuple[str, Program, tuple[int, ...], tuple[int, ...]]] = [
    ("solve", lambda t, a, b: t.linalg.solve(a, b), (3, 3), (3, 2)),
    ("solve a vector", lambda t, a, b: t.linalg.solve(a, b), (3, 3), (3,)),
    ("solve many vectors", lambda t, a, b: t.linalg.solve(a, b), (2, 3, 3), (2, 3)),
    ("solve, broadcast", lambda t, a, b: t.linalg.solve(a, b), (3, 3), (2, 3, 1)),
    ("solve, broadcast A", lambda t, a, b: t.linalg.solve(a, b), (2, 1, 3, 3), (4, 3, 2)),
    ("solve from the right", lambda t, a, b: t.linalg.solve(a, b, left=False), (3, 3), (2, 3)),
    ("solve_ex", lambda t, a, b: tuple(t.linalg.solve_ex(a, b)), (2, 3, 3), (2, 3, 2)),
    ("triangular", lambda t, a, b: t.linalg.solve_triangular(triangle(t, a), b, upper=True), (3, 3), (3, 2)),
    ("triangular below", lambda t, a, b: t.linalg.solve_triangular(triangle(t, a), b, upper=False), (2, 3, 3), (3, 2)),
    (
        "unitriangular",
        lambda t, a, b: t.linalg.solve_triangular(a, b, upper=True, left=False, unitriangular=True),
        (3, 3),
        (2, 3),
    ),
    (
        "torch.triangular_solve",
        lambda t, a, b: b.triangular_solve(triangle(t, a), transpose=True).solution,
        (3, 3),
        (3, 2),
    ),
    ("cholesky_solve", lambda t, a, b: t.cholesky_solve(b, triangle(t, a).tril()), (2, 3, 3), (2, 3, 2)),
    ("cholesky_solve upper", lambda t, a, b: b.cholesky_solve(triangle(t, a).triu(), upper=True), (3, 3), (3, 2)),
    ("lu_solve", lambda t, a, b: t.linalg.lu_solve(*t.linalg.lu_factor(a), b), (2, 3, 3), (2, 3, 2)),
    (
        "lu_solve adjoint",
        lambda t, a, b: t.linalg.lu_solve(*t.linalg.lu_factor(a), b, left=False, adjoint=True),
        (3, 3),
        (2, 3),
    ),
    ("torch.lu_solve", lambda t, a, b: b.lu_solve(*t.linalg.lu_factor(a)), (3, 3), (3, 2)),
    ("lstsq", lambda t, a, b: t.linalg.lstsq(a, b).solution, (5, 3), (5, 2)),
    ("lstsq wide", lambda t, a, b: tuple(t.linalg.lstsq(a, b))[::2], (2, 3, 5), (2, 3, 2)),
    ("lstsq gelsd", lambda t, a, b: tuple(t.linalg.lstsq(a, b, driver="gelsd"))[1:], (2, 5, 3), (2, 5, 2)),
    ("multi_dot", lambda t, a, b: t.linalg.multi_dot([a, b, b.mT, a[0]]), (4, 3), (3, 5)),
    ("tensorsolve", lambda t, a, b: t.linalg.tensorsolve(a, b), (2, 3, 6), (2, 3)),
    ("tensorinv", lambda t, a, b: t.linalg.tensorinv(a) * b.sum(), (2, 3, 6), (2, 3)),
    ("cross", lambda t, a, b: t.linalg.cross(a, b), (4, 3), (1, 3)),
    ("vecdot", lambda t, a, b: t.linalg.vecdot(a, b), (4, 3), (4, 3)),
    ("householder", lambda t, a, b: t.linalg.householder_product(a, b), (4, 3), (2,)),
    ("orgqr", lambda t, a, b: t.orgqr(*t.geqrf(a.detach())) * b.sum(), (4, 3), (2,)),
]
SOLVING_IDS = [name for name, *_ in SOLVING]


@pytest.mark.parametrize(("name", "program", "a", "b"), SOLVING, ids=SOLVING_IDS)
def test_solving(name: str, program: Program, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    agree(program, numbers(*a, seed=1), numbers(*b, seed=2), tolerance=1e-8)


DIFFERENCES: list[tuple[str, Program, tuple[int, ...]]] = [
    *[
        (name, program, (2, 3, 3))
        for name, program in SQUARE
        if not any(part in name for part in ("rank", "eig", "_ex", "cond"))
    ],
    *[
        (name, program, (2, 4, 3))
        for name, program in ANY
        if name in ("qr", "svd", "svdvals", "pinv", "lu", "norm nuc")
    ],
    *[(name, program, (3, 4)) for name, program in ANY if name in ("qr", "svd", "pinv", "lu")],
    ("eigh", lambda t, x: eigh_of(t, symmetric(t, x)), (2, 3, 3)),
]


@pytest.mark.parametrize(("name", "program", "shape"), DIFFERENCES, ids=[f"{n}{s}" for n, _, s in DIFFERENCES])
def test_gradients_are_slopes(name: str, program: Program, shape: tuple[int, ...]) -> None:
    agree_with_differences(program, numbers(*shape, seed=3))


SMOOTH = [case for case in SOLVING if case[0] not in ("lstsq gelsd", "orgqr")]  # the others have constant parts


@pytest.mark.parametrize(("name", "program", "a", "b"), SMOOTH, ids=[name for name, *_ in SMOOTH])
def test_gradients_of_solutions_are_slopes(name: str, program: Program, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    agree_with_differences(program, numbers(*a, seed=1), numbers(*b, seed=2))


def test_determinant_of_a_singular_matrix_has_its_gradient() -> None:
    x = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]])
    agree(lambda t, a: t.det(a), x)
    agree_with_differences(lambda t, a: t.det(a), x.copy())
    agree_with_differences(lambda t, a: t.det(a), np.zeros((3, 3)))


def test_single_precision_and_turned_memory() -> None:
    x = numbers(4, 4, seed=1).astype(np.float32)
    for layout in "CTS":
        agree(lambda t, a: (t.inverse(a), t.linalg.qr(a)[1]), x, layouts=[layout], tolerance=1e-4)


def test_exponential_of_a_large_matrix() -> None:
    x = numbers(3, 3) * 20
    theirs = torch.linalg.matrix_exp(torch.tensor(x)).numpy()
    np.testing.assert_allclose(matrix_exp(x), theirs, rtol=1e-9)
    assert matrix_exp(np.zeros((0, 2, 2))).shape == (0, 2, 2)


def test_results_have_pytorchs_names() -> None:
    x = engine.tensor([[2.0, 1.0], [1.0, 3.0]])
    assert x.slogdet().logabsdet.item() == pytest.approx(np.log(5))
    assert engine.linalg.eigh(x).eigenvectors.shape == (2, 2)
    assert repr(engine.linalg.qr(x)).startswith("torch.return_types.linalg_qr(\nQ=tensor(")
    assert engine.linalg.lstsq(x, x).rank.item() == 2


def test_nuclear_norm_by_torch_norm() -> None:
    agree(lambda t, x: t.norm(x, p="nuc"), numbers(3, 4))
    agree(lambda t, x: x.norm("nuc", dim=(0, 2)), numbers(3, 2, 4))


def test_failures_are_told_apart_within_a_batch() -> None:
    x = np.stack([np.eye(2), np.zeros((2, 2)), np.array([[1.0, 2.0], [2.0, 1.0]])])
    assert engine.linalg.inv_ex(engine.tensor(x)).info.tolist() == torch.linalg.inv_ex(torch.tensor(x)).info.tolist()
    theirs = torch.linalg.cholesky_ex(torch.tensor(x)).info
    assert engine.linalg.cholesky_ex(engine.tensor(x)).info.tolist() == theirs.tolist()


EIGEN: list[tuple[str, Program]] = [
    ("eigvals", lambda t, x: t.sort(t.linalg.eigvals(x).abs()).values),
    ("powers", lambda t, x: t.linalg.eigvals(x).pow(2).real.sum(-1)),
    ("eigenvectors", lambda t, x: t.linalg.eig(x).eigenvectors.abs().pow(3).sum()),
]


@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 4)], ids=str)
@pytest.mark.parametrize(("name", "program"), EIGEN, ids=[name for name, _ in EIGEN])
def test_complex_eigenvalues(name: str, program: Program, shape: tuple[int, ...]) -> None:
    x = numbers(*shape, seed=4)
    assert np.iscomplexobj(np.linalg.eigvals(x))
    agree(program, x, tolerance=1e-7)
    agree_with_differences(program, x)


def test_eigenvectors_belong_to_their_eigenvalues() -> None:
    x = engine.tensor(numbers(2, 4, 4, seed=4))
    w, v = engine.linalg.eig(x)
    np.testing.assert_allclose((x.to(v.dtype) @ v).numpy(), (v * w.unsqueeze(-2)).numpy(), atol=1e-12)
    assert w.dtype == engine.complex128
    assert engine.linalg.eig(x.float()).eigenvectors.dtype == engine.complex64


def test_a_loss_that_an_eigenvectors_angle_changes_has_no_gradient() -> None:
    x = engine.tensor(numbers(3, 3, seed=4)).requires_grad_()
    with pytest.raises(RuntimeError, match="ill-defined"):
        engine.linalg.eig(x).eigenvectors.imag.sum().backward()


REFUSED: list[tuple[str, Program]] = [
    ("singular", lambda t: t.linalg.inv(t.zeros(3, 3))),
    ("singular in a batch", lambda t: t.inverse(t.stack([t.eye(2), t.ones(2, 2)]))),
    ("integers", lambda t: t.linalg.inv(t.ones(3, 3, dtype=t.int64))),
    ("half", lambda t: t.linalg.inv(t.ones(3, 3, dtype=t.float16))),
    ("a vector", lambda t: t.linalg.svd(t.ones(3))),
    ("not square", lambda t: t.linalg.det(t.ones(3, 4))),
    ("not square, logdet", lambda t: t.logdet(t.ones(2, 3))),
    ("not solvable", lambda t: t.linalg.solve(t.zeros(3, 3), t.ones(3))),
    ("not fitting", lambda t: t.linalg.solve(t.eye(3), t.ones(4, 2))),
    ("not fitting vector", lambda t: t.linalg.solve(t.eye(3), t.ones(4))),
    ("two dtypes", lambda t: t.linalg.solve(t.eye(3), t.ones(3, dtype=t.float64))),
    ("not positive", lambda t: t.linalg.cholesky(-t.eye(3))),
    ("not positive in a batch", lambda t: t.linalg.cholesky(t.tensor([[[1.0, 2.0], [2.0, 1.0]]]))),
    ("which triangle", lambda t: t.linalg.eigh(t.eye(3), "X")),
    ("qr mode", lambda t: t.linalg.qr(t.ones(3, 3), "x")),
    ("triangular vector", lambda t: t.linalg.solve_triangular(t.eye(3), t.ones(3), upper=True)),
    ("power", lambda t: t.linalg.matrix_power(t.ones(2, 3), 2)),
    ("one factor", lambda t: t.linalg.multi_dot([t.ones(2)])),
    ("norm of a vector", lambda t: t.linalg.matrix_norm(t.ones(2), 2)),
    ("order", lambda t: t.linalg.matrix_norm(t.ones(2, 2), 3)),
    ("norm of integers", lambda t: t.linalg.vector_norm(t.ones(2, dtype=t.int64))),
    ("norm of three", lambda t: t.linalg.norm(t.ones(2, 2, 2), "fro")),
    ("lstsq", lambda t: t.linalg.lstsq(t.ones(3, 2), t.ones(2, 2))),
    ("nan, eig", lambda t: t.linalg.eig(t.full((2, 2), float("nan")))),
    ("nan", lambda t: t.linalg.svd(t.full((2, 2), float("nan")))),
    ("no pivots", lambda t: t.linalg.lu(t.eye(2), pivot=False)),
    ("vander", lambda t: t.linalg.vander(t.ones(3), N=1)),
    ("diagonal", lambda t: t.linalg.diagonal(t.ones(2, 2), dim1=1)),
]


@pytest.mark.parametrize(("name", "call"), REFUSED, ids=[name for name, _ in REFUSED])
def test_misuse_is_refused_in_pytorchs_words(name: str, call: Program) -> None:
    with pytest.raises(RuntimeError) as theirs:
        call(torch)
    with pytest.raises(RuntimeError) as ours:
        call(engine)
    assert str(ours.value) == str(theirs.value)
    assert isinstance(ours.value, engine.linalg.LinAlgError) == isinstance(theirs.value, torch.linalg.LinAlgError)


def test_derivative_of_qr_is_refused_where_it_is_not_defined() -> None:
    x = engine.tensor(numbers(4, 2)).requires_grad_()
    with pytest.raises(RuntimeError, match="not differentiable when mode='complete'"):
        engine.linalg.qr(x, "complete")[1].sum().backward()
    with pytest.raises(RuntimeError, match="not computed when mode='r'"):
        engine.linalg.qr(x, "r")[1].sum().backward()


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (6, 4), (15, 10), (30, 20), (4, 5), (2, 3), (3, 5), (4, 7), (2, 50)])
def test_singular_vectors_have_pytorchs_signs(shape: tuple[int, int]) -> None:
    full = shape[1] < 4 * shape[0]
    agree(lambda t, a: tuple(t.linalg.svd(a, full_matrices=full)), numbers(3, *shape), gradients=False)


def test_singular_values_of_a_wide_matrix_of_lower_rank() -> None:
    a = numbers(2, 3, 5)
    a[0, 2] = a[0, 1]
    u, s, vt = engine.linalg.svd(engine.tensor(a))
    for vectors in (u, vt):
        np.testing.assert_allclose((vectors @ vectors.mT).numpy(), np.stack([np.eye(len(vectors[0]))] * 2), atol=1e-12)
    np.testing.assert_allclose(((u * s[:, None]) @ vt[:, :3]).numpy(), a, atol=1e-12)
