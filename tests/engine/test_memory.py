"""Arrays lie at the start of a line of the cache, once the first loop is loaded, and are otherwise NumPy's own."""

from __future__ import annotations

import contextvars
import importlib
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from gradus import engine
from gradus.engine.dtypes import Array
from gradus.engine.kernels import memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is only arranged where the library is glibc")


@pytest.fixture(autouse=True)
def _kept() -> None:
    memory.keep()
    memory.keep()  # once and for all


@pytest.mark.parametrize("make", [np.empty, np.zeros, np.ones])
def test_an_array_of_any_size_begins_with_a_line(make: Callable[..., Array]) -> None:
    arrays = [make(n, np.uint8) for n in [0, 1, 15, 16, 17, 63, 64, 65, 1000, 1 << 20, 1 << 26]]
    assert all(array.ctypes.data % memory.LINE == 0 for array in arrays)


def test_new_zeros_are_zeros_where_other_numbers_lay_before() -> None:
    for n in [7, 1000, 1 << 16]:
        for _ in range(5):
            np.full(n, 255, np.uint8)
            assert not np.zeros(n, np.uint8).any()


def test_an_array_that_grows_or_shrinks_keeps_its_numbers() -> None:
    array = np.arange(10)
    for n in [1000, 100_000, 20, 5]:
        array.resize(n, refcheck=False)
        assert array.ctypes.data % memory.LINE == 0
        assert array[:5].tolist() == [0, 1, 2, 3, 4]
    assert np.fromiter((i * i for i in range(1000)), int).sum() == sum(i * i for i in range(1000))


def test_arrays_taken_and_freed_at_random_do_not_touch_each_other() -> None:
    random = np.random.default_rng(1)
    held: dict[int, Array] = {}
    for i in range(20_000):
        size = int(random.integers(1, random.choice([50, 300, 5000, 100_000])))
        array = np.full(size, i % 251, np.uint8) if i % 3 else np.zeros(size, np.uint8) + np.uint8(i % 251)
        if i % 7 == 0:
            array.resize(int(random.integers(1, 2 * size)), refcheck=False)
            array[:] = i % 251
        held[i] = array
        if len(held) > 100:
            number = int(random.choice(list(held)))
            assert (held.pop(number) == number % 251).all()
    assert all((array == number % 251).all() for number, array in held.items())


def test_threads_do_not_disturb_each_others_arrays() -> None:
    """NumPy lets go of the interpreter's lock while it reads numbers, for which it asks for more and more memory."""
    text, wrong, stop = "1 " * 20_000, [], time.monotonic() + 1

    def read() -> None:
        memory.arrange()
        while time.monotonic() < stop:
            if not (np.fromstring(text, np.int8, sep=" ") == 1).all():
                wrong.append("text")

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    while time.monotonic() < stop:
        arrays = [np.full(size, i, np.uint8) for i, size in enumerate((1, 100, 1000, 8192, 8193, 20_000, 40_000))]
        if not all((array == i).all() for i, array in enumerate(arrays)):
            wrong.append("array")
    for thread in threads:
        thread.join()
    assert not wrong


def test_what_is_freed_is_free() -> None:
    """By what the system counts as ours: NumPy's own books would not show what we forget."""
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB
    for _ in range(100):
        np.ones(1 << 20)  # 8 MiB
        np.ones(10).resize(1 << 20, refcheck=False)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


def test_numpy_tells_whose_memory_an_array_lies_in() -> None:
    numpy = importlib.import_module("numpy._core.multiarray")
    array = np.empty(100)
    assert numpy.get_handler_name(array) == "gradus, aligned"
    assert numpy.get_handler_version(array) == 1


@pytest.mark.parametrize("run", [lambda call: call(), contextvars.Context().run], ids=["here", "in another task"])
def test_every_thread_and_task_that_trains_gets_its_memory_there(run: Callable[..., object]) -> None:
    handlers: list[str] = []

    def train() -> None:
        engine.ones(3, requires_grad=True).sum().backward()
        handlers.append(importlib.import_module("numpy._core.multiarray").get_handler_name(np.empty(3)))

    run(train)
    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert handlers == ["gradus, aligned"] * 2
