"""Each compiled loop gives what its plain NumPy form gives, to the precision of float32."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gradus.engine as torch
from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import (
    activations,
    addition,
    attention,
    cross_entropy,
    embedding,
    normalization,
    optimizer,
    products,
    softmax,
    threads,
)

RNG = np.random.default_rng(0)
RTOL = (
    2e-5  # float32 keeps 6e-8 of a number; sums of hundreds, and differences of near equals, lose two or three digits
)


def numbers(*shape: int, spread: float = 1.0) -> Array:
    return (RNG.standard_normal(shape) * spread).astype(np.float32)


@pytest.fixture(params=[1, 3], ids=["one thread", "three threads"])
def pool(request: pytest.FixtureRequest) -> Iterator[None]:
    before = threads.get_num_threads()
    threads.set_num_threads(request.param)
    yield
    threads.set_num_threads(before)


def in_numpy(function: Any, *args: Any, **options: Any) -> Any:
    """The result of the plain form."""
    kernels.enabled = False
    try:
        return function(*args, **options)
    finally:
        kernels.enabled = True


def close(got: Any, want: Any, atol: float = 1e-6) -> None:
    np.testing.assert_allclose(got, want, rtol=RTOL, atol=atol)


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("function", [activations.gelu, activations.gelu_tanh])
def test_gelu_equals_its_plain_form_over_the_whole_range(function: Any) -> None:
    x = np.concatenate([np.linspace(-30, 30, 40001, dtype=np.float32), numbers(9999)])
    want = in_numpy(function, x.astype(np.float64))
    close(function(x), want, atol=3e-6)  # 0.5 x (1 + erf): an error of 1 ulp of 1 times x


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("function", [activations.gelu_backward, activations.gelu_tanh_backward])
def test_gelu_backward_equals_its_plain_form(function: Any) -> None:
    x = np.concatenate([np.linspace(-30, 30, 40001, dtype=np.float32), numbers(9999)])
    dy = numbers(x.size)
    want = in_numpy(function, dy.astype(np.float64), x.astype(np.float64))
    close(function(dy, x), want, atol=3e-6)


_SIZES = [0, 1e-40, 5.6, 5.7, 6, 9, 20, 88, 89, 104, 400, 1e4, 1e30, 3e38]
EXTREMES = np.array([*_SIZES, *np.negative(_SIZES), math.nan], np.float32)
GELU = [activations.gelu, activations.gelu_tanh]
GELU_BACKWARD = [activations.gelu_backward, activations.gelu_tanh_backward]


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("n", [1000, 1021, 1024, 2047])  # whole vectors, and what is left over of them
@pytest.mark.parametrize("function", [*GELU, *GELU_BACKWARD, activations.tanh_backward, activations.relu_backward])
def test_every_place_of_an_array_has_the_same_formula_however_large_the_number(function: Any, n: int) -> None:
    x = np.resize(EXTREMES, n)
    inputs = (x,) if function in GELU else (numbers(n), x)
    with np.errstate(all="ignore"):
        want = in_numpy(function, *[a.astype(np.float64) for a in inputs])
        got = function(*inputs)
        np.testing.assert_allclose(got, want.astype(np.float32), rtol=RTOL, atol=3e-6)


def test_gelu_of_numbers_far_below_0_is_0_at_every_place() -> None:
    for n in (1000, 1021, 2047):
        np.testing.assert_array_equal(activations.gelu(np.full(n, -400, np.float32)), 0)


@pytest.mark.parametrize("special", [math.nan, math.inf, -math.inf, 1e30, -1e30, 400, -400])
@pytest.mark.parametrize("width", [16, 23, 1000, 1021])
def test_rows_with_an_extreme_number_are_as_their_plain_form_has_them(special: float, width: int) -> None:
    x = numbers(3 + 3000 // width, width)
    x[::3, width // 2] = special
    weight, bias, dy = numbers(width), numbers(width), numbers(*x.shape)
    wide = np.float64
    with np.errstate(all="ignore"):
        for function in (softmax.softmax, softmax.log_softmax):
            close(function(x, -1), in_numpy(function, x.astype(wide), -1))
        y = in_numpy(softmax.softmax, x, -1)
        close(softmax.softmax_backward(dy, y, -1), in_numpy(softmax.softmax_backward, dy, y, -1), atol=1e-5)
        got = normalization.layer_norm(x, weight, bias, 1e-5)
        for a, b in zip(got, in_numpy(normalization.layer_norm, x, weight, bias, 1e-5), strict=True):
            close(a, b, atol=1e-5)
        for a, b in zip(
            normalization.rms_norm(x, weight, 1e-5), in_numpy(normalization.rms_norm, x, weight, 1e-5), strict=True
        ):
            close(a, b, atol=1e-5)


@pytest.mark.usefixtures("pool")
def test_a_large_sum_is_numpys_to_the_bit() -> None:
    a, b = numbers(3, 50_001), numbers(3, 50_001)
    want = a + b
    np.testing.assert_array_equal(addition.add(a, b), want)
    np.testing.assert_array_equal(addition.add(a, b, out=a), want)
    np.testing.assert_array_equal(a, want)
    np.testing.assert_array_equal(addition.add(a.T, b.T), (want + b).T)  # not in order: NumPy's own


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("affine", [True, False])
def test_layer_norm_and_its_gradients_equal_their_plain_form(affine: bool) -> None:
    x, dy = numbers(701, 96, spread=3), numbers(701, 96)
    weight, bias = (numbers(96), numbers(96)) if affine else (None, None)
    got, want = (
        normalization.layer_norm(x, weight, bias, 1e-5),
        in_numpy(normalization.layer_norm, x, weight, bias, 1e-5),
    )
    for a, b in zip(got, want, strict=True):
        close(a, b, atol=1e-5)
    _, mean, rstd = got
    back = normalization.layer_norm_backward(dy, x, weight, mean, rstd)
    plain_back = in_numpy(normalization.layer_norm_backward, dy, x, weight, mean, rstd)
    for a, b in zip(back, plain_back, strict=True):
        close(a, b, atol=1e-4)  # sums over 701 rows


@pytest.mark.usefixtures("pool")
def test_cross_entropy_and_its_gradient_equal_their_plain_form() -> None:
    x, targets = numbers(1003, 65, spread=4), RNG.integers(0, 65, 1003)
    targets[::7] = -1
    x[0, 3] = -np.inf
    losses, log_total, total, count = cross_entropy.forward(x, targets, -1)
    want, want_log_total, want_total, want_count = in_numpy(cross_entropy.forward, x, targets, -1)
    close(losses, want)
    close(log_total, want_log_total)
    assert total == pytest.approx(want_total, rel=1e-5)
    assert count == want_count
    assert not losses[::7].any()
    scales = numbers(1003)
    close(
        cross_entropy.backward(x, targets, log_total, scales, -1),
        in_numpy(cross_entropy.backward, x, targets, log_total, scales, -1),
    )


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("columns", [16, 27, 65])
def test_cross_entropy_at_once_equals_its_two_steps(columns: int, mean: bool) -> None:
    x, targets = numbers(100, columns, spread=4), RNG.integers(0, columns, 100)
    targets[::7] = -1
    x[1, (targets[1] + 1) % columns] = -np.inf
    loss, dx = cross_entropy.forward_and_gradient(x, targets, -1, mean)
    want, want_dx = in_numpy(cross_entropy.forward_and_gradient, x, targets, -1, mean)
    assert float(loss) == pytest.approx(float(want), rel=1e-6)
    close(dx, want_dx)
    _, log_total, total, count = cross_entropy.forward(x, targets, -1)
    assert float(loss) == pytest.approx(total / count if mean else total, rel=1e-6)
    scale = np.full(1, np.float32(1) / np.float32(count if mean else 1), np.float32)
    close(dx, cross_entropy.backward(x, targets, log_total, scale, -1))


@pytest.mark.parametrize("shapes", [[(40, 30)] * 3, [(40, 30), (40, 30), (1, 30)], [(40, 30), (40, 1), (1, 30)]])
def test_the_gradients_of_tanh_and_of_a_divisor_are_their_formulas_to_the_bit(shapes: list[tuple[int, ...]]) -> None:
    dy, a, b = (np.asarray(numbers(*shape)) for shape in shapes)
    for function, arguments in ((activations.divisor_backward, (dy, a, b)), (activations.tanh_backward, (dy, dy))):
        np.testing.assert_array_equal(function(*arguments), in_numpy(function, *arguments))


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("T", [1, 5, 63, 64, 65, 200])
def test_causal_attention_in_blocks_equals_the_whole_square(T: int) -> None:
    B, H, E = 3, 2, 16
    qkv = numbers(B, T, 3, H, E)
    q, k, v = (qkv[:, :, i].swapaxes(1, 2) for i in range(3))  # strided, as a model gives them
    scale = 1 / math.sqrt(E)
    if q.size < kernels.LEAST:
        pytest.skip("too small for the loops: the plain form is what runs")
    y, log_total = attention.forward(q, k, v, True, scale)
    want, want_total = in_numpy(attention.forward, q, k, v, True, scale)
    close(y, want)
    close(log_total, want_total)
    dy = numbers(B, H, T, E)
    for a, b in zip(
        attention.backward(dy, q, k, v, log_total, True, scale),
        in_numpy(attention.backward, dy, q, k, v, want_total, True, scale),
        strict=True,
    ):
        close(a, b, atol=1e-5)


def test_causal_attention_never_looks_ahead() -> None:
    q, k, v = numbers(1, 2, 80, 16), numbers(1, 2, 80, 16), numbers(1, 2, 80, 16)
    y, _ = attention.forward(q, k, v, True, 0.25)
    v[:, :, 40:] = 1e30
    k[:, :, 40:] = 1e30
    changed, _ = attention.forward(q, k, v, True, 0.25)
    np.testing.assert_array_equal(y[:, :, :40], changed[:, :, :40])


def test_rows_added_at_repeated_places_all_count() -> None:
    table, places, rows = numbers(50, 64), RNG.integers(-50, 50, (40, 5)), numbers(40, 5, 64)
    want = table.copy()
    np.add.at(want, places, rows)
    embedding.add_rows(table, places, rows)
    close(table, want, atol=1e-5)


@pytest.mark.usefixtures("pool")
def test_adamw_over_many_parameters_equals_the_plain_step_of_each() -> None:
    shapes = [(701, 100), (3,), (1, 1), (50, 40, 30), (16384,)]
    options: dict[str, Any] = {"lr": 3e-3, "betas": (0.9, 0.99), "weight_decay": 0.1}
    params = [torch.nn.Parameter(torch.tensor(numbers(*shape))) for shape in shapes]
    copies = [torch.nn.Parameter(p.detach().clone()) for p in params]
    fused, plain = torch.optim.AdamW(params, **options), torch.optim.AdamW(copies, **options)
    assert optimizer.fits([(p._array,) for p in params])
    for _ in range(3):
        for p, copy in zip(params, copies, strict=True):
            p.grad = torch.tensor(numbers(*p.shape))
            copy.grad = p.grad.clone()
        fused.step()
        in_numpy(plain.step)
    for p, copy in zip(params, copies, strict=True):
        close(p._array, copy._array)
        for name, value in plain.state[copy].items():
            close(fused.state[p][name]._array, value._array)


@pytest.mark.usefixtures("pool")
def test_the_sum_of_all_squares_is_numpys() -> None:
    arrays = [numbers(300, 200), numbers(7), numbers(40001)]
    want = sum(float((a.astype(np.float64) ** 2).sum()) for a in arrays)
    assert optimizer.sum_of_squares(arrays) == pytest.approx(want, rel=1e-5)


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("scaled", [True, False])
def test_rms_norm_and_its_gradients_equal_their_plain_form(scaled: bool) -> None:
    x, dy, weight = numbers(701, 96, spread=3), numbers(701, 96), numbers(96) if scaled else None
    got, want = normalization.rms_norm(x, weight, 1e-5), in_numpy(normalization.rms_norm, x, weight, 1e-5)
    for a, b in zip(got, want, strict=True):
        close(a, b, atol=1e-5)
    back = normalization.rms_norm_backward(dy, x, weight, got[1])
    for a, b in zip(back, in_numpy(normalization.rms_norm_backward, dy, x, weight, got[1]), strict=True):
        close(a, b, atol=1e-4)


def test_small_and_double_precision_arrays_stay_with_numpy() -> None:
    assert not kernels.accepts(numbers(10))
    assert not kernels.accepts(numbers(10000).astype(np.float64))
    assert not kernels.accepts(numbers(100, 100).T)
    assert kernels.accepts(numbers(100, 100), None)


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("turned", ["neither", "a", "b", "both", "strided"])
@pytest.mark.parametrize(
    ("n", "k", "m"), [(768, 128, 384), (101, 700, 67), (5, 3000, 70), (1, 1200, 1000), (300, 1, 4000), (1000, 1500, 1)]
)
def test_a_product_in_tiles_equals_numpys(n: int, k: int, m: int, turned: str) -> None:
    a = numbers(k, n).T if turned in ("a", "both") else numbers(n, k)
    b = numbers(m, k).T if turned in ("b", "both") else numbers(k, m)
    if turned == "strided":
        a, b = numbers(n, 2 * k)[:, ::2], numbers(k, 3 * m)[:, m : 2 * m]
    bias = numbers(m)
    want = a.astype(np.float64) @ b.astype(np.float64)
    np.testing.assert_allclose(products.product(a, b), want, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(products.product(a, b, bias), want + bias, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rows", [0, 1, 32, 64, 65, 3000])
@pytest.mark.parametrize(("inner", "columns"), [(0, 3), (1, 1), (27, 200), (200, 27)])
def test_a_product_with_a_turned_factor(rows: int, inner: int, columns: int) -> None:
    a, b, bias = numbers(rows, inner), numbers(columns, inner), numbers(columns)
    want = a.astype(np.float64) @ b.astype(np.float64).T
    for left in (a, np.asfortranarray(a), a[::-1, ::-1][::-1, ::-1]):
        close(products.product_transposed(left, b), want, atol=1e-4)
        close(products.product_transposed(left, b, bias), want + bias, atol=1e-4)


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize(("k", "m"), [(768, 3072), (1001, 1101), (70, 9000), (90_000, 9)])
def test_a_product_of_few_rows_equals_numpys_wherever_the_second_factor_begins(n: int, k: int, m: int) -> None:
    a, b, bias = numbers(n, 2 * k)[:, ::2], numbers(k, m), numbers(m)
    want = a.astype(np.float64) @ b.astype(np.float64)
    first = products.product(a, b, bias)
    np.testing.assert_allclose(first, want + bias, rtol=1e-4, atol=2e-3)
    np.testing.assert_allclose(products.product(a, b), want, rtol=1e-4, atol=2e-3)
    np.testing.assert_allclose(products.product_transposed(a, b.T.copy()), want, rtol=1e-4, atol=2e-3)
    np.testing.assert_allclose(products.product_transposed(a, b.T.copy(), bias), want + bias, rtol=1e-4, atol=2e-3)
    for offset in (1, 8):
        moved = np.empty(k * m + offset, np.float32)[offset:].reshape(k, m)
        moved[...] = b
        np.testing.assert_array_equal(products.product(a, moved, bias), first)


@pytest.mark.parametrize("n", [1, 4])
def test_a_product_of_few_rows_is_the_same_with_any_number_of_threads(n: int) -> None:
    a, b = numbers(n, 600), numbers(600, 5000)
    before = threads.get_num_threads()
    results = []
    for count in (1, 2, 5):
        threads.set_num_threads(count)
        results.append((products.product(a, b), products.product_transposed(a, b.T.copy())))
    threads.set_num_threads(before)
    for turned in (0, 1):
        np.testing.assert_array_equal(results[0][turned], results[1][turned])
        np.testing.assert_array_equal(results[0][turned], results[2][turned])


def test_a_product_is_the_same_number_for_number_with_any_number_of_threads() -> None:
    a, b = numbers(500, 300), numbers(300, 200)
    before = threads.get_num_threads()
    results = []
    for n in (1, 2, 5):
        threads.set_num_threads(n)
        results.append(products.product(a, b))
    threads.set_num_threads(before)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.usefixtures("pool")
def test_columns_are_summed() -> None:
    x = numbers(777, 130)
    close(products.column_sums(x), x.astype(np.float64).sum(axis=0), atol=1e-4)


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_of_rows_equals_its_plain_form(name: str) -> None:
    x, dy = numbers(7, 90, 65, spread=5), numbers(7, 90, 65)
    x[0, 0, 3] = -np.inf
    function, backward = getattr(softmax, name), getattr(softmax, f"{name}_backward")
    y = function(x, -1)
    close(y, in_numpy(function, x, -1), atol=3e-6)  # a logarithm near 0 is the difference of numbers up to 20
    close(backward(dy, y, -1), in_numpy(backward, dy, y, -1), atol=1e-5)


@pytest.mark.usefixtures("pool")
def test_what_a_mask_hides_has_no_probability_at_all() -> None:
    hidden = ~np.tri(70, dtype=np.bool_)
    x = np.where(hidden, np.float32(-np.inf), numbers(70, 70))
    np.testing.assert_array_equal(softmax.softmax(x, -1) == 0, hidden)


def read_only(x: Array) -> Array:
    x = x.copy()
    x.flags.writeable = False
    return x


def test_read_only_arrays_are_read() -> None:
    a, b, bias = numbers(200, 300), numbers(300, 100), numbers(100)
    want = products.product(a, b, bias)
    close(products.product(read_only(a), read_only(b), read_only(bias)), want, atol=1e-4)
    close(products.product(read_only(a.T).T, read_only(b.T).T, bias), want, atol=1e-4)
    q, k, v, dy = (numbers(2, 3, 40, 16) for _ in range(4))
    y, log_total = attention.forward(q, k, v, True, 0.2)
    close(attention.forward(read_only(q), read_only(k), read_only(v), True, 0.2)[0], y, atol=1e-5)
    back = attention.backward(dy, q, k, v, log_total, True, 0.2)
    for x, dx in zip(attention.backward(read_only(dy), q, k, v, log_total, True, 0.2), back, strict=True):
        np.testing.assert_array_equal(x, dx)


def test_read_only_parameters_are_not_stepped() -> None:
    p = read_only(numbers(1000))
    assert not optimizer.fits([(p, numbers(1000), numbers(1000), numbers(1000))])


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize(
    ("T", "S", "causal", "drops"), [(64, 64, True, True), (40, 70, False, True), (70, 40, True, False)]
)
def test_attention_of_any_shape_equals_its_plain_form(T: int, S: int, causal: bool, drops: bool) -> None:
    q, k, v = numbers(2, 3, T, 24), numbers(2, 3, S, 24), numbers(2, 3, S, 20)
    kept = (RNG.random((2, 3, T, S)) < 0.8).astype(np.float32) / np.float32(0.8) if drops else None
    y, log_total = attention.forward(q, k, v, causal, 0.2, kept)
    want, want_total = in_numpy(attention.forward, q, k, v, causal, 0.2, kept)
    close(y, want, atol=1e-5)
    dy = numbers(2, 3, T, 20)
    for a, b in zip(
        attention.backward(dy, q, k, v, log_total, causal, 0.2, kept),
        in_numpy(attention.backward, dy, q, k, v, want_total, causal, 0.2, kept),
        strict=True,
    ):
        close(a, b, atol=1e-5)
