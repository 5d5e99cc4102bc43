"""Draws the pictures of graphs.md: `python docs/make_graphs.py` writes docs/images/."""

from __future__ import annotations

import random
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


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    classic().save(IMAGES / "classic.svg")
    neuron().save(IMAGES / "neuron.svg")
    twice().save(IMAGES / "twice.svg")
    (IMAGES / "step.svg").write_text(walk(classic()).frames()[3], encoding="utf-8")
    whole = mlp()
    whole.save(IMAGES / "mlp.svg")
    whole.fold("layers.0.neurons.1", "layers.1").save(IMAGES / "mlp-folded.svg")
    whole = block()
    whole.fold("attn", "mlp", "ln_1", "ln_2").save(IMAGES / "block.svg")
    parts = (
        "ln_1",
        "ln_2",
        "attn.c_attn",
        "attn.c_proj",
        "attn.resid_dropout",
        "mlp.c_fc",
        "mlp.gelu",
        "mlp.c_proj",
        "mlp.dropout",
    )
    whole.fold(*[name for name in parts if any(group.name == name for group in whole.groups)]).save(
        IMAGES / "block-inside.svg"
    )
    derivative(lambda x: (x * x).sin(), 1.0).figure().savefig(IMAGES / "step-size.png", dpi=100)


if __name__ == "__main__":
    main()
