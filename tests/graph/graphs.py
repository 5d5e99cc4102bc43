"""Graphs that several of the tests look at."""

from __future__ import annotations

import random

from gradus.graph import Graph, graph, watch
from gradus.scalar import Value
from gradus.scalar.nn import MLP


def classic(*, backward: bool = True) -> Value:
    """L = (a*b + c) * f of the lecture: L = -8, gradients a 6, b -4, c -2, e -2, d -2, f 4."""
    a, b, c, f = Value(2, "a"), Value(-3, "b"), Value(10, "c"), Value(-2, "f")
    e = a * b
    d = e + c
    result = d * f
    e.label, d.label, result.label = "e", "d", "L"
    if backward:
        result.backward()
    return result


def twice() -> Value:
    """b = a + a; c = b + b."""
    a = Value(1, "a")
    b = a + a
    c = b + b
    b.label, c.label = "b", "c"
    c.backward()
    return c


def network(nin: int, nouts: list[int]) -> Graph:
    """An MLP's graph with its groups, backward run."""
    random.seed(1)
    model = MLP(nin, nouts)
    with watch(model) as calls:
        out = model([Value(0.5 * i + 1, f"x{i}") for i in range(nin)])
    assert isinstance(out, Value)
    out.backward()
    return graph(out, calls=calls)


def scrambled(count: int, seed: int) -> Value:
    """A computation of about `count` operations on values chosen at random, many of them used several times."""
    rng = random.Random(seed)
    pool = [Value(rng.uniform(-1, 1)) for _ in range(max(2, count // 5))]
    for _ in range(count):
        a, b = rng.choice(pool[-20:]), rng.choice(pool)
        pool.append(rng.choice((a * b, a + b, a - b, a.tanh())))
    result = pool[-1]
    for value in pool[-10:-1]:
        result = result + value
    result.backward()
    return result
