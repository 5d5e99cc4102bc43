"""The networks of the makemore lectures, as they are written there: tensors, a step of plain SGD on their `.data`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

from gradus.backend import F, torch
from gradus.bench.work import SEED, Compile, Work, as_it_is, tokens, windows

VOCABULARY, BATCH, RATE = 27, 32, 0.1
TEXT = 20_000

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def mlp(compile: Compile = as_it_is) -> Work:
    """Context 3, embedding 10, a tanh layer of 200: 11,897 parameters."""
    g = torch.Generator().manual_seed(SEED)
    C = torch.randn((VOCABULARY, 10), generator=g)
    W1 = torch.randn((30, 200), generator=g) * (5 / 3) / (30**0.5)
    b1 = torch.randn(200, generator=g) * 0.01
    W2 = torch.randn((200, VOCABULARY), generator=g) * 0.01
    b2 = torch.randn(VOCABULARY, generator=g) * 0

    def loss_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        emb = C[x]  # (32, 3, 10)
        h = torch.tanh(emb.view(-1, 30) @ W1 + b1)  # (32, 30) -> (32, 200)
        logits = h @ W2 + b2  # (32, 27)
        return F.cross_entropy(logits, y)

    return _sgd([C, W1, b1, W2, b2], compile(loss_of), context=3)


def batchnorm(compile: Compile = as_it_is) -> Work:
    """The same with batch norm written out: 12,097 parameters."""
    g = torch.Generator().manual_seed(SEED)
    C = torch.randn((VOCABULARY, 10), generator=g)
    W1 = torch.randn((30, 200), generator=g) * (5 / 3) / (30**0.5)
    W2 = torch.randn((200, VOCABULARY), generator=g) * 0.01
    b2 = torch.randn(VOCABULARY, generator=g) * 0
    bngain, bnbias = torch.ones((1, 200)), torch.zeros((1, 200))
    bnmean_running, bnstd_running = torch.zeros((1, 200)), torch.ones((1, 200))

    def loss_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        nonlocal bnmean_running, bnstd_running
        emb = C[x]
        hpreact = emb.view(emb.shape[0], -1) @ W1
        bnmeani = hpreact.mean(0, keepdim=True)
        bnstdi = hpreact.std(0, keepdim=True)
        hpreact = bngain * (hpreact - bnmeani) / bnstdi + bnbias
        with torch.no_grad():
            bnmean_running = 0.999 * bnmean_running + 0.001 * bnmeani
            bnstd_running = 0.999 * bnstd_running + 0.001 * bnstdi
        h = torch.tanh(hpreact)
        logits = h @ W2 + b2
        return F.cross_entropy(logits, y)

    return _sgd([C, W1, W2, b2, bngain, bnbias], compile(loss_of), context=3)


def wavenet(compile: Compile = as_it_is) -> Work:
    """Context 8, embedding 24, three layers of 128 that each join two neighbours: 76,579 parameters."""
    layers = wavenet_layers()

    def loss_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        for layer in layers:
            x = layer(x)
        return F.cross_entropy(x, y)

    return _sgd([p for layer in layers for p in layer.parameters()], compile(loss_of), context=8)


def wavenet_layers() -> list[Layer]:
    """The lecture's."""
    torch.manual_seed(42)
    layers: list[Layer] = [_Embedding(VOCABULARY, 24)]
    width = 24
    for _ in range(3):
        layers += [_FlattenConsecutive(2), _Linear(2 * width, 128, bias=False), _BatchNorm1d(128), _Tanh()]
        width = 128
    head = _Linear(width, VOCABULARY)
    head.weight *= 0.1  # a less confident initial prediction
    return [*layers, head]


def _sgd(parameters: list[torch.Tensor], loss_of: Loss, context: int) -> Work:
    """Forward, backward and update, one batch after another."""
    for p in parameters:
        p.requires_grad = True
    rows = windows(tokens(VOCABULARY, TEXT), BATCH, context + 1)
    batches = cycle([(torch.from_numpy(row[:, :-1].copy()), torch.from_numpy(row[:, -1].copy())) for row in rows])

    def step() -> torch.Tensor:
        x, y = next(batches)
        loss = loss_of(x, y)
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data += -RATE * p.grad  # type: ignore[operator]  # backward has set it
        return loss

    return Work({"": step}, check=lambda loss: float(loss.item()))


# ---- the lecture's own layers


class Layer:
    """A layer with parameters."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def parameters(self) -> list[torch.Tensor]:
        return []


class _Linear(Layer):
    def __init__(self, fan_in: int, fan_out: int, *, bias: bool = True) -> None:
        self.weight = torch.randn((fan_in, fan_out)) / fan_in**0.5
        self.bias = torch.zeros(fan_out) if bias else None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.out = x @ self.weight
        if self.bias is not None:
            self.out += self.bias
        return self.out

    def parameters(self) -> list[torch.Tensor]:
        return [self.weight] + ([] if self.bias is None else [self.bias])


class _BatchNorm1d(Layer):
    def __init__(self, dim: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        self.eps, self.momentum = eps, momentum
        self.gamma, self.beta = torch.ones(dim), torch.zeros(dim)
        self.running_mean, self.running_var = torch.zeros(dim), torch.ones(dim)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        dim = 0 if x.ndim == 2 else (0, 1)
        xmean = x.mean(dim, keepdim=True)
        xvar = x.var(dim, keepdim=True)
        xhat = (x - xmean) / torch.sqrt(xvar + self.eps)
        self.out = self.gamma * xhat + self.beta
        with torch.no_grad():
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * xmean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * xvar
        return self.out

    def parameters(self) -> list[torch.Tensor]:
        return [self.gamma, self.beta]


class _Tanh(Layer):
    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.out = torch.tanh(x)
        return self.out


class _Embedding(Layer):
    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        self.weight = torch.randn((num_embeddings, embedding_dim))

    def __call__(self, IX: torch.Tensor) -> torch.Tensor:
        self.out = self.weight[IX]
        return self.out

    def parameters(self) -> list[torch.Tensor]:
        return [self.weight]


class _FlattenConsecutive(Layer):
    def __init__(self, n: int) -> None:
        self.n = n

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        B, T, C = x.shape
        x = x.view(B, T // self.n, C * self.n)
        if x.shape[1] == 1:
            x = x.squeeze(1)
        self.out = x
        return self.out
