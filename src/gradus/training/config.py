"""TrainConfig: every setting of a training run that does not belong to the model. A field's comment is its help on the
command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from gradus.errors import UserError
from gradus.text import Kind
from gradus.training.schedule import Schedule


@dataclass(frozen=True)
class TrainConfig:
    """How to train. The budget is `steps` or `minutes`; with neither it is three minutes, and the schedule follows it.

    Raises:
        UserError: for a value out of range, or two budgets.
    """

    corpus: str = "pydocs"  # the training text: a corpus by name, or a file or folder
    kind: Kind | None = None  # one document a line, one stream, source TAB target, or label TAB text [detected]
    model: str = "gpt"  # the model to train
    preset: Literal["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"] | None = (
        None  # begin from GPT-2's settings at this size, and its tokenizer; what else is given replaces them
    )
    init_from: str = ""  # fine-tuning: a run whose trained weights, sizes and tokenizer this one begins with
    freeze: str = ""  # frozen parts, between commas: embeddings, blocks, blocks:N (the first N), or parameters by name
    lora_rank: int = 0  # fine-tuning by LoRA: the rank of what is added to the linear layers; 0 = all weights are tuned
    lora_alpha: float = 16.0  # LoRA: what is added is scaled by lora_alpha / lora_rank
    gradient_checkpointing: bool = False  # keep only the inputs of blocks, compute the rest twice: less memory, slower
    tokenizer: str = "chars"  # the tokenizer: chars, bpe or words, made for the text; gpt2; or a file, folder or run
    vocab_size: int | None = None  # vocabulary: the most tokens of bpe [512] and of words [all]
    min_count: int = 1  # words that are rarer in the text to train on are the token <unk>
    lower: bool = False  # words in small letters only
    steps: int | None = None  # the budget in optimizer steps
    minutes: float | None = None  # the budget in minutes of training; 3 when no budget is given
    masked: bool = False  # of an encoder: find hidden tokens, though the texts have labels; other texts have no labels
    swap: bool = False  # of pairs: the second column is the source, and the first its target
    batch_size: int = 16  # batch size: rows of tokens in a batch
    batch_tokens: int | None = None  # of pairs, of labelled and of masked texts: the most tokens in a batch
    positions: bool = False  # batches of single predictions, drawn from all of the text, in place of whole rows
    grad_accumulation: int = 1  # gradient accumulation: batches for one optimizer step
    optimizer: Literal["adamw", "adam", "sgd", "muon"] = "adamw"  # how the weights follow the gradient
    learning_rate: float = 3e-3  # the peak learning rate
    muon_lr: float = 0.02  # the peak learning rate of Muon, for the hidden matrices; the rest is AdamW's
    schedule: Schedule = "cosine"  # the learning rate after the warm-up
    min_lr_ratio: float = 0.03  # the final learning rate of cosine, linear and wsd, as a fraction of the peak
    warmup: float = 0.03  # warm-up: the fraction of the budget in which the learning rate rises from zero
    beta1: float = 0.9  # decay of Adam's first moment, the running mean of the gradient
    beta2: float = 0.99  # decay of Adam's second moment, the running mean of its square
    weight_decay: float = 0.1  # weight decay, on matrices and embeddings only; in adam and sgd an L2 penalty
    momentum: float = 0.0  # momentum: decay of SGD's running sum of gradients; 0 = none
    grad_clip: float = 1.0  # gradient clipping: the largest norm of all gradients together; 0 = no clipping
    evaluations: int = 10  # evaluations on the dev split, each with a checkpoint, evenly over the budget
    moments: int = 16  # the most snapshots of the weights kept over time, for gradus explore; 0 = none
    moments_mb: float = 32.0  # the most megabytes that they take together; where fewer than 4 fit there are none
    patience: int = 0  # early stopping: after so many evaluations without a better dev loss; 0 = never
    seed: int = 1337  # random seed of the initial weights, of dropout and of the order of the data
    device: str = "auto"  # where to compute: cpu, cuda, cuda:N or mps, or the best of them; the engine has the cpu
    precision: Literal["float32", "tf32", "bf16"] = "float32"  # of the matrix products, on the backend torch
    compile: bool = False  # compile the model by torch.compile, on the backend torch
    shard: bool = False  # of several processes, each keeps a part of the weights (FSDP), in place of all (DDP)

    def __post_init__(self) -> None:
        if self.steps is not None and self.minutes is not None:
            raise UserError(
                f"the budget is steps or minutes, not both: got steps {self.steps} and minutes {self.minutes:g}"
            )
        if self.steps is None and self.minutes is None:
            object.__setattr__(self, "minutes", 3.0)
        sizes = "batch_size", "batch_tokens", "grad_accumulation", "vocab_size", "min_count"
        for name in ("steps", "evaluations", *sizes):
            self._require(name, getattr(self, name) is None or getattr(self, name) >= 1, "at least 1")
        for name in ("minutes", "learning_rate", "muon_lr", "lora_alpha"):
            self._require(name, getattr(self, name) is None or getattr(self, name) > 0, "greater than 0")
        for name in ("weight_decay", "grad_clip", "patience", "moments", "moments_mb", "lora_rank"):
            self._require(name, getattr(self, name) >= 0, "0 or more")
        for name in ("min_lr_ratio", "warmup"):
            self._require(name, 0 <= getattr(self, name) <= 1, "between 0 and 1")
        for name in ("beta1", "beta2", "momentum"):
            self._require(name, 0 <= getattr(self, name) < 1, "at least 0 and less than 1")
        if self.lora_rank and not self.init_from:
            raise UserError("lora_rank is for fine-tuning: init_from says which trained run is adapted")
        if self.schedule == "inverse-sqrt":
            self._require("warmup", self.warmup > 0, "greater than 0 with the schedule inverse-sqrt")
        self._require("batch_size", not self.positions or self.batch_size > 1, "at least 2 with positions")
        self._require(
            "device",
            re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", self.device) is not None,
            "auto, cpu, cuda, cuda:N or mps",
        )
        self._require("seed", 0 <= self.seed < 2**32, "between 0 and 4294967295")

    @property
    def budget(self) -> str:
        """The budget in words: `300 steps`, `3 minutes`."""
        if self.steps is not None:
            return "1 step" if self.steps == 1 else f"{self.steps:,} steps"
        return "1 minute" if self.minutes == 1 else f"{self.minutes:g} minutes"

    def _require(self, name: str, good: bool, what: str) -> None:
        if not good:
            raise UserError(f"{name} must be {what}, got {getattr(self, name)!r}")
