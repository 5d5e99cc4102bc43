"""The thread pool calls a job for every part exactly once, whichever workers sleep, are busy or have quit."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from gradus.engine.dtypes import Array
from gradus.engine.kernels import pool, threads
from gradus.engine.kernels.calls import job


@njit(nogil=True)
def _count(seen: Array, parts: Array, start: int, stop: int) -> None:
    for i in range(start, stop):
        seen[i] += 1
    parts[start] = stop - start


@njit(nogil=True)
def count(words: Array, seen: Array, parts: Array, part: int) -> None:
    pool.parallel_for(words, job(_count, (seen, parts)), len(seen), part)


@pytest.fixture(params=[0, 1, 3], ids=["alone", "one worker", "three workers"])
def words(request: pytest.FixtureRequest) -> Iterator[Array]:
    started = pool.start(request.param)
    yield started
    pool.stop(started)


def check(words: Array, n: int, part: int) -> None:
    seen, parts = np.zeros(n, np.int64), np.zeros(n + 1, np.int64)
    count(words, seen, parts, part)
    assert (seen == 1).all()
    starts = range(0, n, part)
    assert [parts[i] for i in starts] == [min(part, n - i) for i in starts]  # cut alike for any number of workers


@pytest.mark.parametrize(("n", "part"), [(0, 1), (1, 1), (7, 2), (1000, 1), (100_000, 999)])
def test_every_part_is_done_once(words: Array, n: int, part: int) -> None:
    check(words, n, part)


def test_the_serial_pool_has_no_workers() -> None:
    serial = threads.pool(parallel=False)
    assert len(serial) >= pool.NEXT + pool.STRIDE
    check(serial, 1000, 7)
    assert not serial.any()  # no job was started


def test_many_jobs_with_pauses_in_which_workers_fall_asleep(words: Array) -> None:
    for i in range(300):
        check(words, 50 + i, 3)
        if i % 30 == 0:
            time.sleep(0.01)


def test_two_threads_may_start_jobs_at_once(words: Array) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            for _ in range(300):
                check(words, 500, 7)
        except BaseException as error:
            errors.append(error)

    both = [threading.Thread(target=run) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert not errors


def test_the_number_of_threads_may_change_while_others_work() -> None:
    before, earlier = threads.get_num_threads(), set(threading.enumerate())
    errors: list[BaseException] = []
    done = threading.Event()

    def works() -> None:
        try:
            while not done.is_set():
                check(threads.pool(), 500, 7)
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=works) for _ in range(3)]
    for worker in workers:
        worker.start()
    for i in range(500):
        threads.set_num_threads(1 + i % 4)
        threads.pool()
    done.set()
    for worker in workers:
        worker.join()
    threads.set_num_threads(1)
    for worker in set(threading.enumerate()) - earlier:
        worker.join(5)
        assert not worker.is_alive()  # no worker was started and forgotten
    threads.set_num_threads(before)
    assert not errors


def test_workers_sleep_when_there_is_nothing_to_do() -> None:
    started = pool.start(2)
    check(started, 1000, 1)
    time.sleep(0.1)
    before = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - before < 0.02
    assert started[pool.SLEEPING] == 2
    pool.stop(started)


def test_stopped_workers_quit() -> None:
    before = set(threading.enumerate())
    started = pool.start(2)
    workers = set(threading.enumerate()) - before
    assert len(workers) == 2
    pool.stop(started)
    for worker in workers:
        worker.join(5)
        assert not worker.is_alive()
    check(started, 100, 3)  # alone now


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux")
def test_a_stopped_pool_leaves_no_file_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        earlier = set(threading.enumerate())
        started = pool.start(2)
        workers = set(threading.enumerate()) - earlier
        check(started, 100, 3)
        pool.stop(started)
        while workers:
            workers.pop().join(5)
        del started
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_has_a_pool_of_its_own() -> None:
    before = threads.get_num_threads()
    threads.set_num_threads(2)
    check(threads.pool(), 1000, 10)
    child = os.fork()
    if child == 0:
        try:
            check(threads.pool(), 1000, 10)
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    threads.set_num_threads(before)


def test_threads_that_need_the_loops_for_the_first_time_at_once_all_get_them() -> None:
    program = """
import threading, gradus.engine as torch
start, errors = threading.Barrier(8), []
def work():
    x = torch.ones(64, 4096, requires_grad=True)
    start.wait()
    try:
        torch.nn.functional.cross_entropy(x, torch.zeros(64, dtype=torch.long)).backward()
    except Exception as error:
        errors.append(error)
threads = [threading.Thread(target=work) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(errors)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
