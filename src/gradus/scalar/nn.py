"""Neurons, layers and multilayer perceptrons made of Values, with micrograd's names, arguments and random numbers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from gradus.scalar.value import Number, Value

SHOWN = 16  # neurons of a layer, in text


class Module:
    """Something that has parameters."""

    def parameters(self) -> list[Value]:
        """Every Value that training may change."""
        return []

    def zero_grad(self) -> None:
        """Set every gradient to zero; backward adds to what is there."""
        for parameter in self.parameters():
            parameter.grad = 0.0


class Neuron(Module):
    """relu(w · x + b), or w · x + b with nonlin=False; w drawn from `random.uniform(-1, 1)`, b = 0.

    Its parameters are labelled w0, w1 ..., b, after the prefix `label`.
    """

    def __init__(self, nin: int, nonlin: bool = True, label: str = "") -> None:
        self.w = [Value(random.uniform(-1, 1), f"{label}w{i}") for i in range(nin)]
        self.b = Value(0, f"{label}b")
        self.nonlin = nonlin

    def __call__(self, x: Sequence[Value | Number]) -> Value:
        act = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return act.relu() if self.nonlin else act

    def parameters(self) -> list[Value]:
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{'ReLU' if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """`nout` neurons that read the same `nin` inputs; its output is a list, or, of one neuron, the bare Value."""

    def __init__(self, nin: int, nout: int, nonlin: bool = True, label: str = "") -> None:
        self.neurons = [Neuron(nin, nonlin, f"{label}n{i}.") for i in range(nout)]

    def __call__(self, x: Sequence[Value | Number]) -> Any:
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Value]:
        return [parameter for neuron in self.neurons for parameter in neuron.parameters()]

    def __repr__(self) -> str:
        more = [f"… {len(self.neurons) - SHOWN} more"] if len(self.neurons) > SHOWN else []
        return f"Layer of [{', '.join([*map(str, self.neurons[:SHOWN]), *more])}]"


class MLP(Module):
    """A multilayer perceptron: layers of `nouts` neurons after `nin` inputs, ReLU between them, the last one linear.

    Called, it gives what its last layer gives: the bare Value of one neuron, or the list of several.
    """

    def __init__(self, nin: int, nouts: Sequence[int]) -> None:
        widths = [nin, *nouts]
        last = len(nouts) - 1
        self.layers = [Layer(widths[i], widths[i + 1], i != last, f"l{i}.") for i in range(len(nouts))]

    def __call__(self, x: Sequence[Value | Number]) -> Any:
        for layer in self.layers:
            out = layer(x)
            x = out if isinstance(out, list) else [out]
        return out

    def parameters(self) -> list[Value]:
        return [parameter for layer in self.layers for parameter in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"
