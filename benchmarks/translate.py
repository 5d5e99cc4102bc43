"""Our Transformer beside PyTorch's own: `nn.Transformer` with the same sizes, trained by a plain loop for the same
minutes on the same batches, with the same tokenizer and learning rates; both are scored by sacrebleu on the whole test
split, over all references. Run as

    python benchmarks/translate.py ../shared/data/tatoeba/eng-fra.txt --minutes 30 [--swap] [--beams 4]

Ours trains first, by `gradus.train`, then PyTorch's, each alone on the machine. Needs PyTorch and sacrebleu."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import gradus
from gradus.evaluation import has_sacrebleu, score_translations
from gradus.generation import translations
from gradus.text.examples import Sequences
from gradus.training import RunFolder, Setup, reopen
from gradus.training.schedule import learning_rate_factor

AT_ONCE = 64  # sources translated at a time


class Translator(nn.Module):
    """`nn.Transformer` between one embedding, tied to the output and scaled by sqrt(C), and sinusoidal positions."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        C = config.n_embd
        self.scale = math.sqrt(C)
        self.embedding = nn.Embedding(config.vocab_size, C)
        nn.init.normal_(self.embedding.weight, std=1 / self.scale)
        place = torch.arange(config.block_size).float().unsqueeze(1)
        angles = place * torch.exp(torch.arange(0, C, 2).float() * (-math.log(10_000.0) / C))
        self.register_buffer("positions", torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1))
        self.dropout = nn.Dropout(config.dropout)
        self.transformer = nn.Transformer(
            C, config.n_head, config.n_layer, config.n_layer, 4 * C, config.dropout,
            norm_first=config.norm == "pre", batch_first=True,
        )  # fmt: skip

    def embed(self, idx: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.dropout(self.embedding(idx.clamp(min=0)) * self.scale + self.positions[: idx.size(1)])
        return out

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Sources (B, S) and targets (B, T), padded with -1 -> logits (B, T, V)."""
        mask = nn.Transformer.generate_square_subsequent_mask(y.size(1), dtype=torch.bool)
        h = self.transformer(
            self.embed(x), self.embed(y), tgt_mask=mask, tgt_is_causal=True,
            src_key_padding_mask=x < 0, memory_key_padding_mask=x < 0,
        )  # fmt: skip
        return F.linear(h, self.embedding.weight)

    @torch.no_grad()
    def greedy(self, x: torch.Tensor, stop: int, longest: int) -> list[list[int]]:
        """Write a target for each source, without a cache of the decoder's keys and values."""
        memory = self.transformer.encoder(self.embed(x), src_key_padding_mask=x < 0)
        written = torch.full((len(x), 1), stop)
        ended = torch.zeros(len(x), dtype=torch.bool)
        for _ in range(longest):
            mask = nn.Transformer.generate_square_subsequent_mask(written.size(1), dtype=torch.bool)
            h = self.transformer.decoder(
                self.embed(written), memory, tgt_mask=mask, tgt_is_causal=True, memory_key_padding_mask=x < 0
            )
            token = F.linear(h[:, -1], self.embedding.weight).argmax(dim=1).masked_fill(ended, stop)
            written = torch.cat([written, token[:, None]], dim=1)
            ended |= token == stop
            if bool(ended.all()):
                break
        return [list(takewhile(lambda token: token != stop, row[1:])) for row in written.tolist()]


def train_plainly(setup: Setup, minutes: float) -> tuple[Translator, int]:
    """A plain loop over the batches of a setup, with its optimizer's settings and schedule."""
    config = setup.config
    torch.manual_seed(config.seed)
    model = Translator(setup.model.config)
    smoothing = setup.model.config.label_smoothing  # type: ignore[attr-defined]
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
    )
    start, step = time.perf_counter(), 0
    while (done := (time.perf_counter() - start) / (60 * minutes)) < 1:
        factor = learning_rate_factor(
            done, schedule=config.schedule, warmup=config.warmup, min_ratio=config.min_lr_ratio
        )
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * factor
        x, y = (torch.from_numpy(part) for part in setup.batches.batch(step))
        optimizer.zero_grad()
        logits = model(x, y[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), y[:, 1:].flatten(), ignore_index=-1, label_smoothing=smoothing)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
        optimizer.step()
        step += 1
        if step % 200 == 0:
            print(f"  PyTorch step {step:,}  {done:.0%}  loss {loss.item():.3f}", flush=True)
    return model, step


def translated(model: Translator, setup: Setup, texts: Sequence[str]) -> list[str]:
    tokenizer = setup.tokenizer
    sequences = Sequences.of(np.append(tokenizer.encode(text), tokenizer.separator) for text in texts)
    order, out = np.argsort(sequences.lengths, kind="stable"), [""] * len(texts)
    model.eval()
    for first in range(0, len(order), AT_ONCE):
        which = order[first : first + AT_ONCE]
        x = torch.from_numpy(sequences.padded(which))
        found = model.greedy(x, tokenizer.separator, setup.model.block_size - 1)
        for i, ids in zip(which.tolist(), found, strict=True):
            out[i] = tokenizer.decode(ids).strip()
    return out


def tell(name: str, found: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    score = score_translations(found, references)
    print(f"{name:26} BLEU {score.bleu:5.2f}, {score.exact_match:.1%} exactly right  {score.signature}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--swap", action="store_true", help="from the second column to the first")
    parser.add_argument("--beams", type=int, default=4)
    parser.add_argument("--out", help="the folder of our run")
    asked = parser.parse_args()
    if not has_sacrebleu():
        parser.error("this needs sacrebleu: pip install 'gradus-lm[bleu]'")
    run = gradus.train(
        asked.corpus, out=asked.out, model="transformer", minutes=asked.minutes, swap=asked.swap, kind="pairs"
    )
    setup = reopen(RunFolder.open(run.path))
    test = setup.splits.test
    model: Any = run.model
    references = sum(map(len, test.targets))
    print(f"{len(test.documents):,} sources of test, {references:,} references; {asked.minutes:g} minutes each")
    for beams in dict.fromkeys((1, asked.beams)):
        found = translations(model, setup.tokenizer, test.documents, beams=beams)
        tell(f"gradus, {'greedy' if beams == 1 else f'beam {beams}'}", found, test.targets)
    theirs, steps = train_plainly(setup, asked.minutes)
    ours = run.metrics[-1]["step"]
    print(f"steps: gradus {ours:,}, PyTorch {steps:,}; parameters: {model.num_parameters():,}, "
          f"{sum(p.numel() for p in theirs.parameters()):,}")  # fmt: skip
    tell("nn.Transformer, greedy", translated(theirs, setup, test.documents), test.targets)


if __name__ == "__main__":
    main()
