"""A Transformer in which every number is a Value: train it on names and have it invent new ones.

The whole algorithm is in sight: embeddings, attention, RMS norm, a multilayer perceptron, cross-entropy, Adam and
sampling. The model and its settings are those of Karpathy's microgpt (2026): 4,192 parameters for 26 letters.

    python examples/microgpt.py                  # names (downloaded once), 1,000 steps
    python examples/microgpt.py --corpus words   # the words of Python's own documentation: no network
    python examples/microgpt.py --eager          # without the compiler: the same numbers, slowly

The graph of a document depends on its length alone: which rows of the embedding table go in is the caller's business.
So each length is compiled once, and the program is used again for every document of that length.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence

from gradus.scalar import Module, Value, compile
from gradus.text import CharTokenizer, load_corpus

Vector = Sequence[Value]
Matrix = list[list[Value]]

BOUNDARY = 0  # the token before and after every document


def dot(a: Vector, b: Vector) -> Value:
    first, *rest = (ai * bi for ai, bi in zip(a, b, strict=True))
    return sum(rest, first)


def linear(x: Vector, w: Matrix) -> list[Value]:
    return [dot(row, x) for row in w]


def add(a: Vector, b: Vector) -> list[Value]:
    return [ai + bi for ai, bi in zip(a, b, strict=True)]


def rms_norm(x: Vector) -> list[Value]:
    """x / √(mean of squares) (Zhang and Sennrich, 2019)."""
    scale = (dot(x, x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def softmax(x: Vector) -> list[Value]:
    exps = [xi.exp() for xi in x]  # no maximum is taken off first: these stay small, and exp is good up to 709
    total = sum(exps[1:], exps[0])
    return [e / total for e in exps]


class GPT(Module):
    """One block of attention and MLP; no biases, and no normalisation at the end."""

    def __init__(self, vocab_size: int, block_size: int = 16, n_embd: int = 16, n_head: int = 4) -> None:
        def matrix(name: str, rows: int, columns: int) -> Matrix:
            return [[Value(random.gauss(0, 0.08), f"{name}[{i}][{j}]") for j in range(columns)] for i in range(rows)]

        self.block_size, self.n_head, self.head_size = block_size, n_head, n_embd // n_head
        self.wte = matrix("wte", vocab_size, n_embd)
        self.wpe = matrix("wpe", block_size, n_embd)
        self.lm_head = matrix("lm_head", vocab_size, n_embd)
        self.wq, self.wk, self.wv, self.wo = (matrix(name, n_embd, n_embd) for name in ("wq", "wk", "wv", "wo"))
        self.fc1 = matrix("fc1", 4 * n_embd, n_embd)
        self.fc2 = matrix("fc2", n_embd, 4 * n_embd)

    def parameters(self) -> list[Value]:
        matrices = [self.wte, self.wpe, self.lm_head, self.wq, self.wk, self.wv, self.wo, self.fc1, self.fc2]
        return [value for matrix in matrices for row in matrix for value in row]

    def attention(self, x: Vector, keys: list[list[Value]], values: list[list[Value]]) -> list[Value]:
        """x looks at itself and what came before it, which is in keys and values, and joins them."""
        q = linear(x, self.wq)
        keys.append(linear(x, self.wk))
        values.append(linear(x, self.wv))
        out: list[Value] = []
        for h in range(0, len(x), self.head_size):
            head = slice(h, h + self.head_size)
            weights = softmax([dot(q[head], k[head]) / self.head_size**0.5 for k in keys])  # (t + 1)
            out += [dot(weights, column) for column in zip(*(v[head] for v in values), strict=True)]  # (head_size)
        return linear(out, self.wo)

    def token(self, embedding: Vector, keys: list[list[Value]], values: list[list[Value]]) -> list[Value]:
        """What the model has in mind (n_embd) after one more token; its logits are the products with lm_head."""
        x = rms_norm(add(embedding, self.wpe[len(keys)]))
        x = add(x, self.attention(rms_norm(x), keys, values))
        return add(x, linear([h.relu() for h in linear(rms_norm(x), self.fc1)], self.fc2))

    def loss(self, inputs: Sequence[Vector], targets: Sequence[Vector]) -> Value:
        """Mean cross-entropy in nats: log Σ exp(logits) - the target's logit.

        inputs: the row of wte for each token; targets: the row of lm_head for the token that follows it.
        """
        keys: list[list[Value]] = []
        values: list[list[Value]] = []
        losses = []
        for embedding, target in zip(inputs, targets, strict=True):
            x = self.token(embedding, keys, values)
            exps = [logit.exp() for logit in linear(x, self.lm_head)]
            losses.append(sum(exps[1:], exps[0]).log() - dot(target, x))
        return sum(losses[1:], losses[0]) / len(losses)

    def sample(self, temperature: float = 0.5) -> list[int]:
        """A new document, token by token."""
        keys: list[list[Value]] = []
        values: list[list[Value]] = []
        tokens = [BOUNDARY]
        while len(tokens) <= self.block_size:
            x = self.token(self.wte[tokens[-1]], keys, values)
            weights = softmax([logit / temperature for logit in linear(x, self.lm_head)])
            (token,) = random.choices(range(len(weights)), [w.data for w in weights])
            if token == BOUNDARY:
                break
            tokens.append(token)
        return tokens[1:]


class Adam:
    """Kingma and Ba, 2015; the learning rate falls linearly to 0."""

    def __init__(self, parameters: list[Value], lr: float = 0.01, beta1: float = 0.85, beta2: float = 0.99) -> None:
        self.parameters, self.lr, self.beta1, self.beta2 = parameters, lr, beta1, beta2
        self.m = [0.0] * len(parameters)
        self.v = [0.0] * len(parameters)

    def step(self, step: int, steps: int) -> None:
        lr = self.lr * (1 - step / steps)
        correct1, correct2 = 1 - self.beta1 ** (step + 1), 1 - self.beta2 ** (step + 1)
        for i, p in enumerate(self.parameters):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * p.grad
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * p.grad * p.grad
            p.data -= lr * (self.m[i] / correct1) / ((self.v[i] / correct2) ** 0.5 + 1e-8)
            p.grad = 0.0


def rows(model: GPT, tokens: Sequence[int]) -> tuple[Matrix, Matrix]:
    """The arguments of `model.loss` for a document."""
    tokens = [BOUNDARY, *tokens, BOUNDARY][: model.block_size + 1]
    return [model.wte[token] for token in tokens[:-1]], [model.lm_head[token] for token in tokens[1:]]


def eager(model: GPT) -> Callable[[Matrix, Matrix], float]:
    def backward(inputs: Matrix, targets: Matrix) -> float:
        loss = model.loss(inputs, targets)
        loss.backward()
        return loss.data

    return backward


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--corpus", default="names", help="documents to learn from: names, words, or a text file")
    arguments.add_argument("--steps", type=int, default=1000, help="documents to train on, one a step")
    arguments.add_argument("--eager", action="store_true", help="build a graph for every document; no compiler")
    arguments.add_argument("--seed", type=int, default=42, help="for weights, order and samples")
    options = arguments.parse_args()

    corpus = load_corpus(options.corpus, kind="documents")
    tokenizer = CharTokenizer.train(corpus)
    splits = corpus.splits()
    train, dev = ([tokenizer.encode(d).tolist() for d in part.documents] for part in (splits.train, splits.dev))
    random.seed(options.seed)
    model = GPT(tokenizer.vocab_size)
    optimizer = Adam(model.parameters())
    compiled = compile(model.loss, model)
    backward = eager(model) if options.eager else compiled.backward
    print(f"{corpus.source}\n{len(train):,} documents to learn from, {len(model.parameters()):,} parameters")

    start, losses = time.perf_counter(), []
    for step in range(options.steps):
        losses.append(backward(*rows(model, train[step % len(train)])))
        optimizer.step(step, options.steps)
        if (step + 1) % 100 == 0:
            print(f"step {step + 1:5}  loss {sum(losses[-100:]) / 100:.4f} (mean of the last 100)", flush=True)
    print(f"{options.steps} steps in {time.perf_counter() - start:.1f} s")

    scored = [(compiled(*pair), len(pair[0])) for pair in (rows(model, document) for document in dev[:1000])]
    nats = sum(loss * count for loss, count in scored) / sum(count for _, count in scored)
    print(f"dev loss {nats:.4f} nats a character, over {len(scored):,} documents it has not seen")
    for _ in range(20):
        print(tokenizer.decode(model.sample()))


if __name__ == "__main__":
    main()
