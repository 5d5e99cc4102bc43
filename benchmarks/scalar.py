"""Scalars side by side, in one run with Python's garbage collector on: micrograd, microgpt's way, ours, ours compiled.

    python benchmarks/scalar.py            # micrograd is measured where it is installed (pip install micrograd)

Two things are timed. The training step of micrograd's demo, which `gradus bench moons` measures too, each engine in a
process of its own. And the step of the GPT in examples/microgpt.py on names of six
letters, without Adam. Every kind takes its turn in every round, some steps at a time because the collector comes in
bursts, and starts with no other kind's graph in memory. Times are the process's own, so that a busy machine shows less;
the median of the rounds is printed. Absolute times drift: read the ratios.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import math
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from gradus.bench.moons import compiled_loss, demo_loss, network, points, zero_grad
from gradus.scalar import MLP, Value, compile

ROUNDS = 5
STEPS = 4  # in a round
NAMES = ["olivia", "sophia", "amelia", "evelyn", "harper", "camila"]  # six letters: seven tokens, one graph


class MicrogptValue:
    """A node as microgpt stores it: its operands and its local derivatives in two tuples, and a recursive walk."""

    __slots__ = ("_children", "_local_grads", "data", "grad")

    def __init__(self, data: Any, children: Any = (), local_grads: Any = ()) -> None:
        self.data = data
        self.grad = 0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other: Any) -> MicrogptValue:
        other = other if isinstance(other, MicrogptValue) else MicrogptValue(other)
        return MicrogptValue(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other: Any) -> MicrogptValue:
        other = other if isinstance(other, MicrogptValue) else MicrogptValue(other)
        return MicrogptValue(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, other: float) -> MicrogptValue:
        return MicrogptValue(self.data**other, (self,), (other * self.data ** (other - 1),))

    def log(self) -> MicrogptValue:
        return MicrogptValue(math.log(self.data), (self,), (1 / self.data,))

    def exp(self) -> MicrogptValue:
        return MicrogptValue(math.exp(self.data), (self,), (math.exp(self.data),))

    def relu(self) -> MicrogptValue:
        return MicrogptValue(max(0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self) -> MicrogptValue:
        return self * -1

    def __radd__(self, other: Any) -> MicrogptValue:
        return self + other

    def __sub__(self, other: Any) -> MicrogptValue:
        return self + (-other)

    def __rmul__(self, other: Any) -> MicrogptValue:
        return self * other

    def __truediv__(self, other: Any) -> MicrogptValue:
        return self * other**-1

    def backward(self) -> None:
        topo = []
        visited = set()

        def build_topo(v: MicrogptValue) -> None:
            if v not in visited:
                visited.add(v)
                for child in v._children:
                    build_topo(child)
                topo.append(v)

        build_topo(self)
        self.grad = 1
        for v in reversed(topo):
            for child, local_grad in zip(v._children, v._local_grads, strict=False):
                child.grad += local_grad * v.grad


class MicrogptMLP:
    """micrograd's MLP made of these."""

    def __init__(self, nin: int, nouts: list[int]) -> None:
        widths = [nin, *nouts]
        self.layers = [
            [[MicrogptValue(random.uniform(-1, 1)) for _ in range(a)] + [MicrogptValue(0)] for _ in range(b)]
            for a, b in zip(widths, nouts, strict=False)
        ]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = [sum((w * xi for w, xi in zip(neuron, x, strict=False)), neuron[-1]) for neuron in layer]
            if layer is not self.layers[-1]:
                x = [v.relu() for v in x]
        return x[0]

    def parameters(self) -> list[Any]:
        return [p for layer in self.layers for neuron in layer for p in neuron]


def main() -> None:
    print(f"garbage collector {'on' if gc.isenabled() else 'off'}, process time, median of {ROUNDS} rounds")
    moons()
    gpt()


def moons() -> None:
    """The demo's step, each engine with its own Value and MLP."""
    X, y = points()
    contest = Contest()
    engines: dict[str, tuple[Any, Any]] = {}
    if importlib.util.find_spec("micrograd"):
        engines["micrograd"] = (
            importlib.import_module("micrograd.engine").Value,
            importlib.import_module("micrograd.nn").MLP,
        )
    else:
        print("micrograd is not installed, so it is not measured: pip install micrograd")
    engines["microgpt's way"] = MicrogptValue, MicrogptMLP
    engines["gradus, eager"] = Value, MLP
    for name, (Node, Network) in engines.items():
        model = network(Network)
        contest.eager(name, model, partial(demo_loss, model, Node, X, y))

    whole_model = network(MLP)
    whole = compile(partial(demo_loss, whole_model, Value, X, y), whole_model)
    contest.compiled("gradus, the whole loss compiled", whole_model, whole.backward)

    model = network(MLP)
    contest.compiled("gradus, one compiled, batch of 100", model, compiled_loss(model, X, y))
    contest.report("moons")


def gpt() -> None:
    """The GPT's step; microgpt's way runs the same code with its own nodes."""
    path = Path(__file__).parents[1] / "examples" / "microgpt.py"
    specification = importlib.util.spec_from_file_location("microgpt", path)
    assert specification is not None
    assert specification.loader is not None
    example: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(example)

    def model_of(node: Callable[[float, str], Any]) -> tuple[Any, Iterator[Any]]:
        example.Value = node
        random.seed(42)
        model = example.GPT(27)
        return model, cycle([example.rows(model, [ord(letter) - 96 for letter in name]) for name in NAMES])

    contest = Contest()
    kinds: dict[str, Any] = {"microgpt's way": lambda data, _: MicrogptValue(data), "gradus, eager": Value}
    for name, node in kinds.items():
        model, documents = model_of(node)
        contest.eager(name, model, partial(next_loss, model, documents))
    model, documents = model_of(Value)
    program = compile(model.loss, model)
    contest.compiled("gradus, compiled", model, lambda: program.backward(*next(documents)))
    contest.report("GPT of 4,192 parameters, names of six letters")


def next_loss(model: Any, documents: Iterator[Any]) -> Any:
    return model.loss(*next(documents))


class Contest:
    """Steps of several kinds that compute the same, and the table of their times."""

    def __init__(self) -> None:
        self.steps: dict[str, Callable[[], float]] = {}
        self.graphs: dict[str, Any] = {}  # each kind's last graph, alive while the next is built, as in a training loop
        self.nodes = 0
        self.bytes: dict[str, float] = {}

    def eager(self, name: str, model: Any, loss: Callable[[], Any]) -> None:
        def step() -> float:
            self.graphs[name] = root = loss()
            zero_grad(model)
            root.backward()
            return float(root.data)

        self.steps[name] = step
        gc.collect()
        tracemalloc.start()
        root = loss()
        gc.collect()
        self.nodes = count(root)
        root.backward()
        self.bytes[name] = tracemalloc.get_traced_memory()[0] / self.nodes
        tracemalloc.stop()

    def compiled(self, name: str, model: Any, backward: Callable[[], float]) -> None:
        def step() -> float:
            zero_grad(model)
            return backward()

        start = time.process_time()
        step()
        print(f"{name}: the first step, which makes the program, {time.process_time() - start:.2f} s")
        self.steps[name] = step

    def report(self, title: str) -> None:
        first = next(iter(self.steps))
        print(f"\n{title}: {self.nodes:,} nodes a step")
        print(f"{'':36}{'ms a step':>10}{'nodes/s':>14}{'bytes a node':>14}{'loss':>13}   times as fast as {first}")
        losses = {name: step() for name, step in self.steps.items()}
        times: dict[str, list[float]] = {name: [] for name in self.steps}
        for _ in range(ROUNDS):
            for name, step in self.steps.items():
                self.graphs.clear()
                gc.collect()
                step()
                start = time.process_time()
                for _ in range(STEPS):
                    step()
                times[name].append((time.process_time() - start) / STEPS)
        medians = {name: statistics.median(taken) for name, taken in times.items()}
        for name, median in medians.items():
            size = f"{self.bytes[name]:14.0f}" if name in self.bytes else " " * 14
            speed = f"{median * 1e3:10.2f}{self.nodes / median:14,.0f}{size}"
            print(f"{name:36}{speed}{losses[name]:13.9f}{medians[first] / median:12,.1f}")


def count(root: Any) -> int:
    seen, todo = set(), [root]
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo += node._children if isinstance(node, MicrogptValue) else node._prev
    return len(seen)


if __name__ == "__main__":
    main()
