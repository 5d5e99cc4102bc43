"""GPTs: the whole step of nanoGPT's training loop, and the forward pass alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from gradus.backend import nn, torch
from gradus.bench.work import SEED, Compile, Work, as_it_is, tokens, windows
from gradus.models import GPT, GPTConfig

VOCABULARY, GPT2_VOCABULARY = 65, 50_257
TEXT = 50_000

_Batches = Iterator[tuple[torch.Tensor, torch.Tensor]]


def small(compile: Compile = as_it_is) -> Work:
    """nanoGPT's setting for a laptop, 0.8 M parameters."""
    return _training(GPTConfig(VOCABULARY, 64, n_layer=4, n_head=4, n_embd=128), 12, compile)


def small_32(compile: Compile = as_it_is) -> Work:
    """The same with a larger batch size."""
    return _training(GPTConfig(VOCABULARY, 64, n_layer=4, n_head=4, n_embd=128), 32, compile)


def large(compile: Compile = as_it_is) -> Work:
    """nanoGPT's setting for one GPU, 10.7 M parameters, in small batches."""
    return _training(GPTConfig(VOCABULARY, 256, n_layer=6, n_head=6, n_embd=384), 8, compile)


def gpt2(compile: Compile = as_it_is) -> Work:
    """The smallest GPT-2, 124 M parameters, one row at a time. At a larger rate, rounding alone parts the losses."""
    config = GPTConfig(GPT2_VOCABULARY, 256, n_layer=12, n_head=12, n_embd=768, bias=True)
    return _training(config, 1, compile, learning_rate=1e-5)


def forward(compile: Compile = as_it_is) -> Work:
    """The logits of one row, as in evaluation."""
    config = GPTConfig(VOCABULARY, 256, n_layer=6, n_head=6, n_embd=384)
    torch.manual_seed(SEED)
    model = compile(GPT(config).eval())
    batches = _batches(1, config.block_size, VOCABULARY)

    def step() -> torch.Tensor:
        with torch.no_grad():
            logits: torch.Tensor = model(next(batches)[0])[0]
        return logits

    return Work({"": step}, check=lambda logits: float(logits.abs().mean().item()))


def _training(config: GPTConfig, batch: int, compile: Compile, learning_rate: float = 1e-3) -> Work:
    torch.manual_seed(SEED)
    model = GPT(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, betas=(0.9, 0.99), weight_decay=0.1)
    run = compile(model)
    batches = _batches(batch, config.block_size, config.vocab_size)

    def step() -> float:
        x, y = next(batches)
        _, loss = run(x, y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return float(loss.item())

    return Work({"": step})


def _batches(batch: int, block_size: int, vocabulary: int) -> _Batches:
    rows = windows(tokens(vocabulary, TEXT), batch, block_size + 1)
    pairs = [(row[:, :-1].copy(), row[:, 1:].copy()) for row in rows]
    return cycle([(torch.from_numpy(x), torch.from_numpy(y)) for x, y in pairs])
