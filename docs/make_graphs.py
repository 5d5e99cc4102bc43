"""Draws the pictures of graphs.md: `python docs/make_graphs.py` writes docs/images/."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from gradus.backend import torch
from gradus.gradcheck import derivative
from gradus.graph import Graph, graph, walk, watch
from gradus.graph.expression import parse_expression
from gradus.models.config import GPTConfig
from gradus.models.gpt import Block
from gradus.scalar import Value
from gradus.scalar.nn import MLP

IMAGES = Path(__file__).parent / "images"


def expression(text: str) -> Graph:
    result = parse_expression(text)
    result.backward()
    return graph(result)


def classic() -> Graph:
    return expression("a=2; b=-3; c=10; f=-2; e=a*b; d=e+c; L=d*f")


def neuron() -> Graph:
    return expression("x1=2; x2=0; w1=-3; w2=1; b=6.8813735870195432; n = x1*w1 + x2*w2 + b; o=tanh(n)")


def twice() -> Graph:
    return expression("a=1; b=a+a; c=b+b")


def mlp() -> Graph:
    random.seed(24)
    model = MLP(2, [2, 1])
    with watch(model) as calls:
        out = model([Value(1.0, "x0"), Value(1.5, "x1")])
    out.label = "out"
    out.backward()
    return graph(out, calls=calls)


def block() -> Graph:
    torch.manual_seed(1)
    model = Block(GPTConfig(n_layer=1, n_head=2, n_embd=8, block_size=4, vocab_size=27, dropout=0.0))
    x = torch.randn(1, 4, 8, requires_grad=True)
    with watch(model) as calls:
        out = model(x)
    out.sum().backward()
    return graph(out, names={"x": x, **dict(model.named_parameters())}, calls=calls)


def mlp_folded() -> Graph:
    return mlp().fold("layers.0", "layers.1")


def mlp_opened() -> Graph:
    return mlp().fold("layers.0.neurons.1", "layers.1")


def block_folded() -> Graph:
    return block().fold("attn", "mlp", "ln_1", "ln_2")


def block_inside() -> Graph:
    whole, parts = block(), ["ln_1", "ln_2"]
    parts += [f"attn.{name}" for name in ("c_attn", "c_proj", "resid_dropout")]
    parts += [f"mlp.{name}" for name in ("c_fc", "gelu", "c_proj", "dropout")]
    there = {group.name for group in whole.groups}
    return whole.fold(*[name for name in parts if name in there])


# A picture is at most about as wide as a phone can show: what would be wider goes down.
PICTURES: dict[str, Callable[[], str]] = {
    "classic": lambda: classic().svg(),
    "neuron": lambda: neuron().svg(direction="down"),
    "twice": lambda: twice().svg(),
    "step": lambda: walk(classic()).frames()[3],
    "mlp-folded": lambda: mlp_folded().svg(),
    "mlp": lambda: mlp_opened().svg(direction="down"),
    "block": lambda: block_folded().svg(direction="down"),
    "block-inside": lambda: block_inside().svg(direction="down"),
}


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    for name, picture in PICTURES.items():
        (IMAGES / f"{name}.svg").write_text(picture(), encoding="utf-8")
    derivative(lambda x: (x * x).sin(), 1.0).figure().savefig(IMAGES / "step-size.png", dpi=100)


if __name__ == "__main__":
    main()
