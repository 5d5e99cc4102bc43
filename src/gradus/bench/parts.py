"""Parts that a program may wait for although no training step is made of them: a linear layer on few rows, as in
generation; large random draws; what a large vocabulary asks for; and indexing, joining and copying small tensors.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from gradus.backend import F, torch
from gradus.bench.work import SEED, Step, Work

WIDTH, HIDDEN, VOCABULARY = 768, 3072, 50_257  # GPT-2's
MANY, PLACES = 10_000_000, 1_000_000


def few_rows() -> Work:
    """A linear layer on 1, 2, 4 and 8 rows, up to a layer of 3,072, and the logits of one row."""
    hidden, head = _drawn(HIDDEN, WIDTH), _drawn(VOCABULARY, WIDTH)
    transposed, bias = _drawn(WIDTH, HIDDEN), _drawn(HIDDEN)

    def layer(rows: int, weight: torch.Tensor, bias: torch.Tensor | None = None) -> Step:
        x = _drawn(rows, WIDTH)
        return _alone(lambda: F.linear(x, weight, bias))

    steps = {f"{rows} x 768 -> 3072": layer(rows, hidden, bias) for rows in (1, 2, 4, 8)}
    steps["1 x 768 -> 3072, no bias"] = layer(1, hidden)
    steps["1 x 768 -> 3072, transposed"] = layer(1, transposed.t(), bias)
    steps["8 x 768 -> 3072, transposed"] = layer(8, transposed.t(), bias)
    steps["1 x 768 -> 50257"] = layer(1, head)
    return Work(steps, check=_sum)


def draws() -> Work:
    """Random numbers by the million; all contestants must draw the same ones, bit for bit."""
    many = torch.empty(MANY)
    half = torch.full((MANY // 10,), 0.5)
    weights = _drawn(64, VOCABULARY).abs()
    drawn: dict[str, Callable[[], torch.Tensor]] = {
        "normal_": many.normal_,
        "uniform_": many.uniform_,
        "rand": lambda: torch.rand(PLACES),
        "randn": lambda: torch.randn(PLACES),
        "randint": lambda: torch.randint(0, VOCABULARY, (PLACES,)),
        "randperm": lambda: torch.randperm(PLACES),
        "bernoulli": lambda: torch.bernoulli(half),
        "dropout": lambda: F.dropout(half, 0.1),
        "exponential_": lambda: torch.empty(PLACES).exponential_(),
        "multinomial": lambda: torch.multinomial(weights, 1),
    }

    def step(draw: Callable[[], torch.Tensor]) -> Step:
        def drawing() -> torch.Tensor:
            torch.manual_seed(SEED)
            return draw()

        return drawing

    return Work({name: step(draw) for name, draw in drawn.items()}, check=lambda x: zlib.crc32(x.numpy().tobytes()))


def vocabulary() -> Work:
    """Operations on 50,257 logits: top k, sort, argmax, softmax and cross entropy."""
    row, rows = _drawn(VOCABULARY), _drawn(64, VOCABULARY)
    targets = torch.from_numpy(np.random.default_rng(SEED).integers(VOCABULARY, size=64))
    return Work(
        {
            "topk 50": _alone(lambda: torch.topk(row, 50)[0]),
            "topk 50 of 64 rows": _alone(lambda: torch.topk(rows, 50)[0]),
            "sort": _alone(lambda: torch.sort(row, descending=True)[0][:100]),
            "argmax": _alone(lambda: torch.argmax(rows, dim=-1).float()),
            "softmax": _alone(lambda: torch.softmax(rows, dim=-1)),
            "log_softmax": _alone(lambda: torch.log_softmax(rows, dim=-1)),
            "cross_entropy": _alone(lambda: F.cross_entropy(rows, targets)),
        },
        check=_sum,
    )


def indexing() -> Work:
    """Reading and writing parts of a small table, and joining rows."""
    N = torch.zeros((27, 27), dtype=torch.int32)
    C, row = _drawn(27, 32), _drawn(32)
    rows = [_drawn(32) for _ in range(4)]
    leaf = _drawn(27, 32)
    leaf.requires_grad = True
    places = torch.tensor([5, 7, 7, 1])

    def count() -> torch.Tensor:
        N[3, 4] += 1
        return N[3, 5]

    def add() -> torch.Tensor:
        C[5] += row
        C[5] -= row
        return C[6]

    def put() -> torch.Tensor:
        C[5] = row
        return C

    def fill() -> torch.Tensor:
        C[2:4, 1] = 0.5
        return C

    def put_places() -> torch.Tensor:
        C[places] = row
        return C

    steps: dict[str, Step] = {
        "N[3, 4] += 1": count,
        "C[5] += row, -= row": add,
        "C[5] = row": put,
        "C[2:4, 1] = 0.5": fill,
        "C[places] = row": put_places,
        "C[5]": lambda: C[5],
        "C[3, 4]": lambda: C[3, 4],
        "C[2:7]": lambda: C[2:7],
        "C[:, 2:7]": lambda: C[:, 2:7],
        "C[places]": lambda: C[places],
        "C[5], with gradient": lambda: leaf[5],
        "C[:, 2:7], with gradient": lambda: leaf[:, 2:7],
        "stack of 4 rows": lambda: torch.stack(rows),
        "cat of 4 rows": lambda: torch.cat(rows),
    }
    return Work(steps, check=_sum)


def _alone(step: Callable[[], torch.Tensor]) -> Step:
    """A step without gradients."""

    def alone() -> torch.Tensor:
        with torch.no_grad():
            return step()

    return alone


def _drawn(*shape: int) -> torch.Tensor:
    """Normal samples, drawn by NumPy, the same for every contestant."""
    drawn: torch.Tensor = torch.from_numpy(np.random.default_rng([SEED, *shape]).normal(size=shape).astype(np.float32))
    return drawn


def _sum(x: torch.Tensor) -> float:
    return float(x.detach().double().abs().sum().item())
