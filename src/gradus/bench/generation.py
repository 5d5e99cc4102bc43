"""Generation: GPT-2's 124M parameters beside `transformers`, and a GPT of characters beside itself without a cache.

Weights are random, the same for all, and such that float16 holds them exactly; so all of them draw the same tokens.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.backend import torch
from gradus.bench.work import SEED, Array, Work
from gradus.generation import SamplingRule, generate, half_precision
from gradus.generation.decoder import decoder
from gradus.models import GPT, GPTConfig, inference

PROMPT, TOKENS = 8, 200  # tokens that are given, and that are added
GREEDY = SamplingRule(temperature=0)
CHARACTERS = GPTConfig(65, 256, n_layer=6, n_head=6, n_embd=384)


def gpt2() -> Work:
    """GPT-2, the smallest: 200 tokens, greedy, one row."""
    return _gpt2(half=False)


def gpt2_half() -> Work:
    """The same with its matrices stored as float16."""
    return _gpt2(half=True)


def gpt2_transformers() -> Work:
    """The same by `transformers` and its cache."""
    import torch as pytorch
    import transformers

    model: Any = transformers.GPT2LMHeadModel(transformers.GPT2Config())
    model.eval()
    with pytorch.no_grad():
        for name, parameter in model.named_parameters():
            linear = name.endswith("weight") and "c_" in name  # transformers stores these transposed
            shape = tuple(parameter.shape)
            array = _weight(name, shape[::-1]).T if linear else _weight(name, shape)
            parameter.copy_(pytorch.from_numpy(array.copy()))
    prompt = pytorch.from_numpy(_prompt(50257))
    settings = {"max_new_tokens": TOKENS, "min_new_tokens": TOKENS, "do_sample": False, "pad_token_id": 0}

    def step() -> Array:
        with pytorch.no_grad():
            ids: Array = model.generate(prompt, attention_mask=pytorch.ones_like(prompt), **settings).numpy()
        return ids

    return Work({"": step}, check=_check)


def gpt2_reading() -> Work:
    """Reading the weights from memory once for each of the tokens, and nothing else: no step can be faster."""
    from gradus.bench.reading import total
    from gradus.engine.kernels import threads

    weights = np.ones(124_439_808, np.float32)

    def step() -> float:
        return sum(total(threads.pool(), weights) for _ in range(TOKENS))

    return Work({"": step})


def characters() -> Work:
    """A GPT of characters, 6/6/384: a text from 8 to 256 characters, and its last step alone."""
    return _characters(half=False)


def characters_half() -> Work:
    """The same with its matrices stored as float16."""
    return _characters(half=True)


def characters_uncached() -> Work:
    """The same, where each step computes the whole text again."""
    model, prompt = _characters_model(), torch.from_numpy(_prompt(65))
    whole = generate(model, prompt, model.block_size - PROMPT, GREEDY)

    def text() -> Array:
        idx = prompt
        for _ in range(model.block_size - PROMPT):
            with inference(model):
                idx = torch.cat([idx, model(idx)[0][:, -1:].argmax(-1)], dim=1)
        return idx.numpy()

    def last() -> Array:
        with inference(model):
            return model(whole)[0][:, -1].numpy()

    return Work({"256 characters": text, "the last of 256": last}, check=_check)


def _gpt2(*, half: bool) -> Work:
    model = _filled(GPTConfig(50257, 1024, n_layer=12, n_head=12, n_embd=768, bias=True))
    if half:
        half_precision(model)
    prompt = torch.from_numpy(_prompt(50257))
    return Work({"": lambda: generate(model, prompt, TOKENS, GREEDY).numpy()}, check=_check)


def _characters(*, half: bool) -> Work:
    model, prompt = _characters_model(), torch.from_numpy(_prompt(65))
    if half:
        half_precision(model)
    added = model.block_size - PROMPT
    whole, compiled = generate(model, prompt, added, GREEDY), decoder(model)
    with inference(model):
        _, cache = model.read(whole[:, :-1])

    def last() -> Array:
        cache.lengths = [model.block_size - 1]
        if compiled is not None:
            return compiled.read(whole[:, -1:], cache).numpy()
        with inference(model):
            return model.read(whole[:, -1:], cache)[0].numpy()

    steps = {"256 characters": lambda: generate(model, prompt, added, GREEDY).numpy(), "the last of 256": last}
    return Work(steps, check=_check)


def _characters_model() -> GPT:
    return _filled(CHARACTERS)


def _filled(config: GPTConfig) -> GPT:
    model = GPT(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(_weight(name, tuple(parameter.shape))))
    return model


def _weight(name: str, shape: tuple[int, ...]) -> Array:
    if "ln_" in name and name.endswith("weight"):
        return np.ones(shape, np.float32)
    random = np.random.default_rng([SEED, *name.encode()])
    return (0.05 * random.standard_normal(shape, dtype=np.float32)).astype(np.float16).astype(np.float32)


def _prompt(vocab_size: int) -> Array:
    return np.random.default_rng(SEED).integers(vocab_size, size=(1, PROMPT))


def _check(x: Array) -> float:
    return float(np.abs(x.astype(np.float64)).mean())
