"""The generator and its draws against PyTorch's on the CPU: the same numbers, and the stream left at the same word.

PyTorch's kernels give these very bits where the processor has fused multiply-adds (its AVX2 and AVX-512 builds), and
every comparison below is exact there. Elsewhere it calls other logarithms, sines and cosines: last bits differ.
"""

from __future__ import annotations

import os
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.engine import kernels, random

Array = random.Array
FUSED = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
SEEDS = [0, 1, 42, 1337, 2147483647, 2**32 - 1, 2**32 + 7, 2**63, 2**64 - 1, -1, -5, -(2**63)]
SIZES = [0, 1, 2, 15, 16, 17, 31, 32, 33, 1000, 8192, 100_003]
DTYPES = {"float32": torch.float32, "float64": torch.float64}


@pytest.fixture(params=["NumPy", "loops"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipes as they are written down, and as they are compiled for large draws."""
    if request.param == "loops":
        pytest.importorskip("numba")
    monkeypatch.setattr(kernels, "enabled", request.param == "loops")
    monkeypatch.setattr(kernels, "MANY", 0)
    monkeypatch.setattr(kernels, "SOME", 0)


def pair(seed: int) -> tuple[Any, random.Generator]:
    return torch.Generator().manual_seed(seed), random.Generator().manual_seed(seed)


def assert_equal(ours: Array, theirs: Any) -> None:
    expected = theirs.numpy()
    assert ours.dtype == expected.dtype
    assert ours.shape == expected.shape
    if FUSED or ours.dtype.kind != "f":
        np.testing.assert_array_equal(ours, expected)
    else:  # measured: randn differs by up to 2.1e-6 between PyTorch's own builds
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=4e-6)


def assert_same_place(ours: random.Generator, theirs: Any) -> None:
    """The whole state, byte for byte, the cached normal number included; without fused arithmetic, the next word."""
    if FUSED:
        np.testing.assert_array_equal(ours.get_state(), theirs.get_state().numpy())
    else:
        assert_equal(random.rand(3, generator=ours), torch.rand(3, generator=theirs))


def draw(call: tuple[Any, ...], theirs: Any, ours: random.Generator) -> None:
    """Make one call on both sides and compare what came out."""
    name, n, dtype, *rest = call
    kind: Any = DTYPES.get(dtype)
    make: Any = torch.empty(n, dtype=kind)
    ending: dict[str, Any] = {"dtype": dtype, "generator": ours}
    match name:
        case "rand":
            assert_equal(random.rand(n, dtype, ours), torch.rand(n, generator=theirs, dtype=kind))
        case "uniform":
            assert_equal(random.uniform(n, *rest, **ending), make.uniform_(*rest, generator=theirs))
        case "randn":
            assert_equal(random.randn(n, dtype, ours), torch.randn(n, generator=theirs, dtype=kind))
        case "normal":
            assert_equal(random.normal(n, *rest, **ending), make.normal_(*rest, generator=theirs))
        case "exponential":
            assert_equal(random.exponential(n, *rest, **ending), make.exponential_(*rest, generator=theirs))
        case "bernoulli":
            assert_equal(random.bernoulli(n, *rest, **ending), make.bernoulli_(*rest, generator=theirs))
        case "bernoulli of an array":
            p = np.random.default_rng(n).random(n).astype(dtype)
            assert_equal(random.bernoulli(n, p, dtype, ours), torch.bernoulli(torch.from_numpy(p), generator=theirs))
        case "randint":
            low, high = rest
            assert_equal(random.randint(low, high, n, generator=ours), torch.randint(low, high, (n,), generator=theirs))
        case "randperm":
            assert_equal(random.randperm(n, generator=ours), torch.randperm(n, generator=theirs))
        case "multinomial":
            rows, samples, replacement = rest
            probs = np.random.default_rng(n).random((rows, n + samples + 1)).astype(dtype)
            probs[:, -1] = 0 if replacement else 0.25  # a weight of 0 is never drawn
            expected = torch.multinomial(torch.from_numpy(probs), samples, replacement, generator=theirs)
            assert_equal(random.multinomial(probs, samples, replacement, ours), expected)
        case _:
            raise AssertionError(f"no draw {name}")


@pytest.mark.parametrize("seed", SEEDS)
def test_every_seed_starts_pytorchs_stream(seed: int) -> None:
    theirs, ours = pair(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    assert_same_place(ours, theirs)
    draw(("rand", 700, "float32"), theirs, ours)  # past the Twister's 624 words
    assert_same_place(ours, theirs)


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", SIZES)
def test_float_draws_of_every_size_equal_pytorchs(n: int, dtype: str) -> None:
    calls = [
        ("rand", n, dtype),
        ("uniform", n, dtype, -0.123, 0.456),
        ("uniform", n, dtype, 2.5, 7.1),
        ("randn", n, dtype),
        ("normal", n, dtype, 0.3, 1.7),
        ("normal", n, dtype, 2.0, 0.0),
        ("exponential", n, dtype, 1.0),
        ("exponential", n, dtype, 1.7),
        ("bernoulli", n, dtype, 0.37),
        ("bernoulli of an array", n, dtype),
    ]
    theirs, ours = pair(42)
    for call in calls:
        draw(call, theirs, ours)
        assert_same_place(ours, theirs)


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("n", SIZES)
def test_permutations_of_every_size_equal_pytorchs(n: int) -> None:
    theirs, ours = pair(2147483647)
    draw(("randperm", n, "int64"), theirs, ours)
    assert_same_place(ours, theirs)


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize(
    ("low", "high"),
    [
        (0, 1),
        (0, 10),
        (-5, 22),
        (0, 2**28 - 1),  # the last range that takes one word a number
        (0, 2**28),
        (7, 2**32),
        (-(2**40), 2**40),
        (0, 2**63 - 1),
        (-(2**63), 2**63 - 1),
    ],
)
def test_whole_numbers_of_every_range_equal_pytorchs(low: int, high: int) -> None:
    theirs, ours = pair(1337)
    draw(("randint", 1000, "int64", low, high), theirs, ours)
    assert_same_place(ours, theirs)


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [("int32", -3, 2**30), ("int16", -300, 30_000), ("uint8", 0, 256), ("bool", 0, 2), ("float32", 0, 2**24)],
)
def test_whole_numbers_of_other_dtypes_equal_pytorchs(dtype: str, low: int, high: int) -> None:
    theirs, ours = pair(3)
    expected = torch.randint(low, high, (100,), generator=theirs, dtype=getattr(torch, dtype))
    assert_equal(random.randint(low, high, 100, dtype, ours), expected)
    assert_same_place(ours, theirs)


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8", "bool", "float32", "float64"])
def test_full_range_draws_equal_pytorchs(dtype: str) -> None:
    theirs, ours = pair(3)
    expected = torch.empty(100, dtype=getattr(torch, dtype)).random_(generator=theirs)
    assert_equal(random.random_full_range(100, dtype, ours), expected)
    assert_same_place(ours, theirs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("samples", [1, 2, 50])
@pytest.mark.parametrize("rows", [0, 1, 8])
@pytest.mark.parametrize("categories", [27, 5000])
def test_multinomial_equals_pytorchs(categories: int, rows: int, samples: int, replacement: bool, dtype: str) -> None:
    theirs, ours = pair(2147483647)
    draw(("multinomial", categories, dtype, rows, samples, replacement), theirs, ours)
    assert_same_place(ours, theirs)


def test_multinomial_draws_a_row_without_a_batch_as_pytorch() -> None:
    theirs, ours = pair(5)
    probs = np.array([0.5, 0.0, 3.0, 1.0], np.float32)
    expected = torch.multinomial(torch.from_numpy(probs), 3, generator=theirs)
    assert_equal(random.multinomial(probs, 3, generator=ours), expected)
    assert 1 not in expected


@pytest.mark.parametrize("high", [1e-310, 1e300, 1e308])
def test_uniform_numbers_of_extreme_ranges_differ_in_the_last_bit_at_most(high: float) -> None:
    """Beyond 10^290, and below 10^-290, the error of a product is itself out of range, so it cannot be added back."""
    theirs, ours = pair(8)
    expected = torch.empty(1000, dtype=torch.float64).uniform_(-high / 3, high, generator=theirs).numpy()
    numbers = random.uniform(1000, -high / 3, high, np.float64, ours)
    np.testing.assert_allclose(numbers, expected, rtol=0, atol=max(high * 2.0**-52, 5e-324))


def test_shapes_are_filled_in_c_order() -> None:
    shape = (3, 1, 5, 2)
    theirs, ours = pair(9)
    assert_equal(random.rand(shape, generator=ours), torch.rand(shape, generator=theirs))
    assert_equal(random.randn(shape, generator=ours), torch.randn(shape, generator=theirs))
    assert_equal(random.randint(0, 99, shape, generator=ours), torch.randint(0, 99, shape, generator=theirs))
    assert_equal(random.rand((), generator=ours), torch.rand((), generator=theirs))
    assert_equal(random.randn((), generator=ours), torch.randn((), generator=theirs))


def test_probabilities_are_broadcast_to_the_shape() -> None:
    theirs, ours = pair(9)
    p = np.array([0.1, 0.5, 0.9], np.float32)
    assert_equal(
        random.bernoulli((4, 3), p, generator=ours), torch.empty(4, 3).bernoulli_(torch.from_numpy(p), generator=theirs)
    )


def test_the_second_normal_number_waits_for_the_next_small_draw() -> None:
    theirs, ours = pair(0)
    for call in [("randn", 3, "float32"), ("randn", 40, "float32"), ("rand", 2, "float64"), ("randn", 1, "float64")]:
        draw(call, theirs, ours)
        assert_same_place(ours, theirs)
    draw(("randn", 1, "float32"), theirs, ours)
    ours.manual_seed(0)
    theirs.manual_seed(0)
    assert ours.cached_normal is None
    draw(("randn", 1, "float32"), theirs, ours)


FLOATS = st.sampled_from(list(DTYPES))
COUNTS = st.integers(0, 70)


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    """Float32s, but for the smallest, which have fewer digits: how those are rounded is PyTorch's affair."""
    return st.floats(low, high, width=32, allow_subnormal=False)


CALLS = st.one_of(
    st.tuples(st.sampled_from(["rand", "randn", "bernoulli of an array"]), COUNTS, FLOATS),
    st.tuples(st.just("uniform"), COUNTS, FLOATS, floats(-9, 0), floats(0, 9)),
    st.tuples(st.just("normal"), COUNTS, FLOATS, floats(-3, 3), floats(0, 3)),
    st.tuples(st.just("exponential"), COUNTS, FLOATS, st.floats(0.125, 8)),
    st.tuples(st.just("bernoulli"), COUNTS, FLOATS, st.floats(0, 1)),
    st.tuples(st.just("randint"), COUNTS, st.just("int64"), st.integers(-(2**63), -1), st.integers(0, 2**63 - 1)),
    st.tuples(st.just("randint"), COUNTS, st.just("int64"), st.integers(-99, -1), st.integers(0, 99)),
    st.tuples(st.just("randperm"), COUNTS, st.just("int64")),
    st.tuples(st.just("multinomial"), COUNTS, FLOATS, st.integers(1, 4), st.integers(1, 5), st.booleans()),
)


@settings(max_examples=100, deadline=None)
@given(st.integers(-(2**63), 2**64 - 1), st.lists(CALLS, max_size=12))
def test_any_mixture_of_draws_stays_in_step_with_pytorch(seed: int, calls: list[tuple[Any, ...]]) -> None:
    theirs, ours = pair(seed)
    for call in calls:
        draw(call, theirs, ours)
    assert_same_place(ours, theirs)
    assert_equal(random.randint(0, 1000, 5, generator=ours), torch.randint(0, 1000, (5,), generator=theirs))


@pytest.mark.usefixtures("form")
def test_large_draws_fill_the_tensor_itself() -> None:
    theirs, ours = pair(5)
    place = np.empty(20_000, np.float32)
    for fill, draw in ((random.uniform, "uniform_"), (random.normal, "normal_"), (random.exponential, "exponential_")):
        assert fill(place, dtype=np.float32, generator=ours) is place
        assert_equal(place, getattr(torch.empty(20_000), draw)(generator=theirs))


def test_states_go_from_pytorch_to_us_and_back() -> None:
    theirs, ours = pair(77)
    torch.rand(1000, generator=theirs)
    torch.randn(3, generator=theirs)  # leaves a cached number
    ours.set_state(theirs.get_state().numpy())
    assert ours.initial_seed() == 77
    assert_equal(random.randn(5, generator=ours), torch.randn(5, generator=theirs))
    random.randn(3, generator=ours)
    other = torch.Generator()
    other.set_state(torch.from_numpy(ours.get_state()))
    assert other.initial_seed() == 77
    assert_equal(random.randn(5, generator=ours), torch.randn(5, generator=other))
    assert_same_place(ours, other)


def test_a_restored_state_repeats_the_draws() -> None:
    ours = random.Generator().manual_seed(3)
    random.randn(5, generator=ours)
    state = ours.get_state()
    first = random.randn(3, generator=ours), random.rand(900, generator=ours)
    ours.set_state(state)
    again = random.randn(3, generator=ours), random.rand(900, generator=ours)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])


def test_a_new_generator_has_pytorchs_default_seed() -> None:
    theirs, ours = torch.Generator(), random.Generator()
    assert ours.initial_seed() == theirs.initial_seed() == 67280421310721
    assert_same_place(ours, theirs)


def test_draws_without_a_generator_come_from_the_default_one() -> None:
    random.default_generator.manual_seed(42)
    torch.manual_seed(42)
    assert_equal(random.rand(5), torch.rand(5))
    assert_equal(random.randn(20), torch.randn(20))
    assert_equal(random.randperm(20), torch.randperm(20))
    assert_equal(random.bernoulli(20, 0.9), torch.empty(20).bernoulli_(0.9))
    probs = np.arange(1, 9, dtype=np.float64)
    assert_equal(random.multinomial(probs, 4, replacement=True), torch.multinomial(torch.from_numpy(probs), 4, True))
    assert_same_place(random.default_generator, torch.default_generator)


def test_seed_starts_another_stream_every_time() -> None:
    ours = random.Generator()
    seeds = {ours.seed() for _ in range(5)}
    assert len(seeds) == 5
    again = random.Generator().manual_seed(ours.initial_seed())
    np.testing.assert_array_equal(random.rand(9, generator=ours), random.rand(9, generator=again))


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5])
def test_bernoulli_is_dropouts_mask(rate: float) -> None:
    random.default_generator.manual_seed(1337)
    torch.manual_seed(1337)
    kept = torch.nn.functional.dropout(torch.ones(8, 33), rate) != 0
    np.testing.assert_array_equal(random.bernoulli((8, 33), 1 - rate) != 0, kept.numpy())
    assert_same_place(random.default_generator, torch.default_generator)


def test_linear_and_embedding_start_from_these_draws() -> None:
    random.default_generator.manual_seed(1337)
    torch.manual_seed(1337)
    linear, embedding = torch.nn.Linear(24, 10), torch.nn.Embedding(27, 10)
    bound = np.sqrt(3.0) * (np.sqrt(2.0 / (1 + 5)) / np.sqrt(24))  # kaiming_uniform(a = sqrt 5), as PyTorch computes it
    assert_equal(random.uniform((10, 24), -bound, bound), linear.weight.detach())
    assert_equal(random.uniform(10, -1 / np.sqrt(24), 1 / np.sqrt(24)), linear.bias.detach())
    assert_equal(random.randn((27, 10)), embedding.weight.detach())


def test_known_numbers_of_known_seeds() -> None:
    """What PyTorch prints, written down, so that this much is checked without it."""
    ours = random.Generator().manual_seed(42)
    np.testing.assert_allclose(random.rand(3, generator=ours), [0.8823, 0.9150, 0.3829], atol=5e-5)
    ours.manual_seed(2147483647)
    np.testing.assert_allclose(random.rand(3, generator=ours), [0.7081, 0.3542, 0.1054], atol=5e-5)
    ours.manual_seed(42)
    np.testing.assert_allclose(random.randn(3, generator=ours), [0.3367, 0.1288, 0.2345], atol=5e-5)
    ours.manual_seed(42)
    assert random.randint(0, 10, 5, generator=ours).tolist() == [2, 7, 6, 4, 6]


@pytest.mark.skipif("GRADUS_DATA" not in os.environ, reason="GRADUS_DATA names no folder with names.txt")
def test_the_bigram_lectures_names_come_from_the_inverse_cdf() -> None:
    words = Path(os.environ["GRADUS_DATA"], "names.txt").read_text().split()
    letters = [".", *sorted(set("".join(words)))]
    counts = np.ones((27, 27), np.float32)
    for word in words:
        ids = [0, *map(letters.index, word), 0]
        for first, second in pairwise(ids):
            counts[first, second] += 1
    probs = counts / counts.sum(1, keepdims=True)

    def names(inverse_cdf: bool) -> list[str]:
        generator = random.Generator().manual_seed(2147483647)
        drawn: list[str] = []
        for _ in range(5):
            name, token = "", -1
            while token != 0:
                token = 0 if token < 0 else token
                token = int(random.multinomial(probs[token], 1, True, generator, inverse_cdf=inverse_cdf)[0])
                name += letters[token]
            drawn.append(name)
        return drawn

    assert names(True) == ["mor.", "axx.", "minaymoryles.", "kondlaisah.", "anchshizarie."]
    assert names(False) == ["cexze.", "momasurailezitynn.", "konimittain.", "llayn.", "ka."]


ONES = np.ones(3, np.float32)
NOT_A_SEED: Any = 3.7
NOT_A_STATE: Any = np.zeros(5056)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: random.Generator("cuda"), RuntimeError, "'cuda'"),
        (lambda: random.Generator().manual_seed(2**64), ValueError, "18446744073709551616"),
        (lambda: random.Generator().manual_seed(-(2**63) - 1), ValueError, "-9223372036854775809"),
        (lambda: random.Generator().manual_seed(True), RuntimeError, "True"),
        (lambda: random.Generator().manual_seed(NOT_A_SEED), RuntimeError, "3.7"),
        (lambda: random.Generator().set_state(np.zeros(5055, np.uint8)), RuntimeError, "5056 bytes, got 5055"),
        (lambda: random.Generator().set_state(np.zeros(5056, np.uint8)), RuntimeError, "Mersenne"),
        (lambda: random.Generator().set_state(NOT_A_STATE), TypeError, "float64"),
        (lambda: random.rand(-1), RuntimeError, r"\(-1,\)"),
        (lambda: random.rand(3, np.int64), NotImplementedError, "int64"),
        (lambda: random.uniform(3, 1, 0), RuntimeError, "a=1, b=0"),
        (lambda: random.uniform(3, 0, float("inf")), RuntimeError, "inf"),
        (lambda: random.uniform(3, -3e38, 3e38), RuntimeError, "float32"),
        (lambda: random.normal(3, 0, -1), RuntimeError, "got -1"),
        (lambda: random.normal(3, 0, float("nan")), RuntimeError, "got nan"),
        (lambda: random.exponential(3, 0), RuntimeError, "got 0"),
        (lambda: random.bernoulli(3, 1.5), RuntimeError, "got 1.5"),
        (lambda: random.bernoulli(3, float("nan")), RuntimeError, "got nan"),
        (lambda: random.randint(5, 5, 2), RuntimeError, "low=5, high=5"),
        (lambda: random.randint(0, 300, 2, np.uint8), RuntimeError, "uint8 holds 0 .. 255"),
        (lambda: random.randint(0, 2**63 + 1, 2), RuntimeError, "int64"),
        (lambda: random.randperm(-1), RuntimeError, "got -1"),
        (lambda: random.multinomial(np.zeros(2), 1), RuntimeError, "above 0"),
        (lambda: random.multinomial(np.zeros((2, 0)), 2, True), RuntimeError, "above 0"),
        (lambda: random.multinomial(np.array([-1.0, 1.0]), 1), RuntimeError, "not negative"),
        (lambda: random.multinomial(np.array([1.0, np.inf]), 2, True), RuntimeError, "finite"),
        (lambda: random.multinomial(np.array([1.0, np.nan]), 2, True), RuntimeError, "finite"),
        (lambda: random.multinomial(ONES, 4), RuntimeError, "<= 3"),
        (lambda: random.multinomial(ONES, 0, True), RuntimeError, "got 0"),
        (lambda: random.multinomial(np.float32(1) * np.ones(()), 1), RuntimeError, r"\(\)"),
        (lambda: random.multinomial(np.ones(3, np.int64), 1), RuntimeError, "int64"),
    ],
)
def test_bad_arguments_are_refused_in_words(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_threads_that_draw_first_share_one_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = random.Generator().manual_seed(7).words(8)
    generator = random.Generator().manual_seed(7)
    twister, made = np.random.MT19937, []

    def slow() -> Any:
        made.append(threading.get_ident())
        time.sleep(0.1)  # while the others come
        return twister()

    monkeypatch.setattr(np.random, "MT19937", slow)
    drawn: list[int] = []
    threads = [threading.Thread(target=lambda: drawn.extend(map(int, generator.words(2)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(drawn) == sorted(map(int, expected))
    assert len(made) == 1
