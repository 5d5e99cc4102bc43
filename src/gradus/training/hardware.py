"""Where a training computes: the device, the precision of its matrix products, compilation, and how much of what the
device can do is used. On the engine, which computes in float32 on the CPU, there is nothing to choose."""

from __future__ import annotations

import base64
import copy
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np

from gradus import backend
from gradus.backend import nn, torch, world_size
from gradus.errors import UserError
from gradus.models import LanguageModel, inference
from gradus.training import distributed
from gradus.training.config import TrainConfig
from gradus.training.feed import BatchSource
from gradus.training.run import RunFolder

# Matrix products a second that a device can do at most, in TFLOP/s: in bf16, in TF32 and in float32. From the data
# sheets, without sparsity. The first entry whose words are all in the device's name counts.
RATES: dict[str, tuple[float, float, float]] = {
    "B200": (2250, 1125, 75),
    "GH200": (989, 495, 67),
    "H200": (989, 495, 67),
    "H100 PCIe": (756, 378, 51),
    "H100 NVL": (835, 418, 60),
    "H100": (989, 495, 67),
    "A100": (312, 156, 19.5),
    "L40S": (362, 183, 91.6),
    "L4": (121, 60, 30.3),
    "A40": (150, 74.8, 37.4),
    "A10G": (70, 35, 35),
    "A10": (125, 62.5, 31.2),
    "RTX A6000": (155, 77.4, 38.7),
    "RTX 5090": (210, 105, 105),
    "RTX 4090": (165, 82.6, 82.6),
    "RTX 3090": (71, 35.6, 35.6),
}
PRECISIONS = ("bf16", "tf32", "float32")  # in the order of the rates


class Hardware:
    """What a configuration asks for, on this machine.

    Attributes:
        device: where the model and its batches are; in the process of rank r of several on CUDA, its GPU r.
        name: the device in words, as its maker calls it.
        peak: FLOP/s that the device can do in matrix products of the precision; None where that is unknown.
        flops_per_token: of a step, for each token that is scored; 0 until `count_flops`.
    """

    def __init__(self, config: TrainConfig, *, counts: bool = False) -> None:
        """Meets the other processes, where there are some.

        Raises:
            UserError: if the backend or the machine lacks something that is asked for, a model that `counts` has no use
                for it, or the other processes cannot be reached.
        """
        if counts:
            config = _for_counting(config)
        self.config = config
        self.on_engine = backend.name() == "engine"
        self.device = _on_the_engine(config) if self.on_engine else _device(config.device, shard=config.shard)
        self.name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        self.peak = peak_of(self.name, config.precision)
        self.flops_per_token = 0.0
        self._require_precision()
        distributed.join(self.device)

    def __str__(self) -> str:
        """`cuda:0 (NVIDIA H100 80GB HBM3), bf16, compiled, 2 processes, sharded`; nothing on the engine."""
        if self.on_engine:
            return ""
        device = str(self.device) if self.name == self.device.type else f"{self.device} ({self.name})"
        many = f"{world_size()} processes" if world_size() > 1 else ""
        words = (self.config.precision, "compiled" * self.config.compile, many, "sharded" * self.config.shard)
        return ", ".join((device, *filter(None, words)))

    # What the loop asks for

    def place(self, model: LanguageModel, data: dict[str, Any]) -> LanguageModel:
        """Put a model on the device. Returns what is trained: the model itself, or if it is to be sharded a copy, of
        whose weights each process has a part.

        Args:
            data: what identifies the text; UserError if another process has another one.
        """
        if self.on_engine:
            return model
        if world_size() > 1 and any(isinstance(module, nn.BatchNorm1d) for module in model.modules()):
            raise UserError(
                f"{self.config.model} has BatchNorm, which needs the whole batch in one process; leave out torchrun, "
                "or choose norm layer (of an mlp) or design dilated (of a wavenet)"
            )
        distributed.require_same("text", data)
        distributed.require_same("settings", (self.config, model.config))
        if self.device.type == "cuda":  # what stays float32 in bf16 may be TF32, too
            torch.set_float32_matmul_precision("highest" if self.config.precision == "float32" else "high")
        if self.config.shard:
            return distributed.shard(copy.deepcopy(model), self.device, compiled=self.config.compile)
        model.to(self.device)
        return model

    def network(self, model: LanguageModel) -> Any:
        """What a step calls in place of the placed model: it compiled, and joined with its copies in other
        processes."""
        if self.on_engine or self.config.shard:
            return model
        network = torch.compile(model) if self.config.compile else model
        return distributed.replicate(network, self.device)

    def autocast(self) -> AbstractContextManager[Any]:
        """Within it, matrix products are computed in bf16 if that is asked for, and sums, norms and losses in
        float32."""
        if self.config.precision != "bf16":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    @contextmanager
    def errors(self, model: LanguageModel, run: RunFolder | None) -> Iterator[None]:
        """Within it, what PyTorch reports of this machine and of other processes becomes a UserError in one line."""
        try:
            yield
        except (RuntimeError, distributed.Lost) as error:
            said = f"{type(error).__name__}: {error}".lower()
            still = run.still_whole() if run is not None else ""
            if isinstance(error, distributed.Lost) or distributed.is_lost(error):
                raise distributed.Lost(f"{distributed.LOST}{still}") from error
            if "outofmemory" in said:
                raise UserError(
                    f"{self} has too little memory for {self.config.model} with {model.num_parameters():,} parameters "
                    f"and batch_size {self.config.batch_size}; a smaller batch with more grad_accumulation needs less"
                    + still
                ) from error
            if self.config.compile and ("backendcompilerfailed" in said or "inductor" in said):
                raise UserError(
                    f"torch.compile has failed; leave out --compile: {str(error).splitlines()[0]}"
                ) from error
            raise

    # Random draws of the device, beside those of the CPU, whose state every run has

    def generator_state(self) -> dict[str, str]:
        """The state of the device's own random generator, as text under its name; nothing on the CPU."""
        if self.device.type == "cpu":
            return {}
        state = getattr(torch, self.device.type).get_rng_state()
        return {f"{self.device.type}_generator": base64.b64encode(state.numpy().tobytes()).decode("ascii")}

    def set_generator_state(self, saved: dict[str, Any]) -> None:
        """Go on from what is saved, if the same kind of device has saved it."""
        text = saved.get(f"{self.device.type}_generator")
        if text is not None:
            state = torch.tensor(np.frombuffer(base64.b64decode(text), dtype=np.uint8))
            getattr(torch, self.device.type).set_rng_state(state)

    # How much of the device is used

    def count_flops(self, model: LanguageModel, batches: BatchSource) -> None:
        """Count what a token costs, if there is a peak to compare it with: three times the multiplications and
        additions of a forward pass over one row, as the backward pass costs two."""
        if self.peak is not None:
            x, y = batches.batch(0, slice(1))
            self.flops_per_token = 3 * forward_flops(model, x, y) / max(1, model.scored(y))

    def utilization(self, tokens_per_second: float) -> float | None:
        """The part of the devices' peak that the model's own arithmetic makes up (MFU; Chowdhery et al., 2022); None
        where a device is not in the table."""
        if self.peak is None or not self.flops_per_token:
            return None
        return tokens_per_second * self.flops_per_token / (self.peak * world_size())

    def _require_precision(self) -> None:
        precision, kind = self.config.precision, self.device.type
        if precision == "tf32" and kind != "cuda":
            raise UserError(f"precision tf32 is CUDA's; on {kind} there are float32 and bf16")
        if precision == "bf16" and kind == "cuda" and not torch.cuda.is_bf16_supported():
            raise UserError(f"{self.name} has no bf16; choose precision float32")


def device_named(name: str) -> Any:
    """The device to use a model on: `auto`, which is the best there is, `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises:
        UserError: if it is not there; the engine has the CPU only.
    """
    config = TrainConfig(device=name)
    return _on_the_engine(config) if backend.name() == "engine" else _device(config.device)


def peak_of(device: str, precision: str) -> float | None:
    """The FLOP/s of a device of this name in matrix products, from the table; None for one that is not in it.

    >>> peak_of("NVIDIA A100-SXM4-80GB", "bf16")
    312000000000000.0
    """
    words = device.replace("-", " ").split()
    for name, rates in RATES.items():
        if all(word in words for word in name.split()):
            return rates[PRECISIONS.index(precision)] * 1e12
    return None


def forward_flops(model: LanguageModel, x: Any, y: Any) -> int:
    """The floating-point operations of the matrix products in one pass forward, on PyTorch.

    They are counted by running a model of the same configuration whose tensors have shapes and no numbers.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        shapes = type(model)(model.config).requires_grad_(False)  # type: ignore[call-arg]
    counter = FlopCounterMode(display=False)
    with counter, inference(shapes):
        shapes(torch.from_numpy(x).to("meta"), torch.from_numpy(y).to("meta"))
    return int(counter.get_total_flops())


def _for_counting(config: TrainConfig) -> TrainConfig:
    """What a counting model takes: one process, and its CPU. UserError if something else is asked for."""
    if config.device not in ("auto", "cpu") or config.compile or config.shard or config.precision != "float32":
        raise UserError(f"{config.model} counts, on the CPU: device, precision, compile and shard are not for it")
    if world_size() > 1:
        raise UserError(f"{config.model} counts in one process; leave out torchrun")
    return replace(config, device="cpu")


def _on_the_engine(config: TrainConfig) -> Any:
    """The CPU; UserError if something else is asked for."""
    asked = {
        f"device {config.device}": config.device not in ("auto", "cpu"),
        f"precision {config.precision}": config.precision != "float32",
        "compile": config.compile,
        "shard": config.shard,
        f"{world_size()} processes": world_size() > 1,
    }
    wanted = [what for what, given in asked.items() if given]
    if wanted:
        raise UserError(
            f"the engine computes in float32 on one machine's CPU; for {', '.join(wanted)} choose PyTorch: "
            "gradus --backend torch"
        )
    return torch.device("cpu")


def _device(name: str, *, shard: bool = False) -> Any:
    """The device that PyTorch has for a setting. UserError if it is not there."""
    if shard and world_size() == 1:
        raise UserError("shard is for several processes: torchrun --nproc-per-node N -m gradus --backend torch train")
    kind, _, number = name.partition(":")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind == "auto":
        kind = next(kind for kind in ("cuda", "mps", "cpu") if there[kind])
    if not there[kind]:
        have = ", ".join(kind for kind, is_there in there.items() if is_there)
        why = "" if kind != "cuda" or torch.version.cuda else ", and this PyTorch is built without CUDA"
        raise UserError(f"there is no device {name} here{why}; there is {have}")
    if kind == "mps" and world_size() > 1:
        raise UserError("several processes need device cuda, a GPU for each, or cpu")
    if kind != "cuda":
        return torch.device(kind)
    count = torch.cuda.device_count()
    if world_size() > 1:
        if number:
            raise UserError(f"each of several processes has a GPU of its own: device cuda, not {name}")
        number = os.environ.get("LOCAL_RANK", "0")
    if int(number or 0) >= count:
        raise UserError(f"there is no device cuda:{number} here; there {'is' if count == 1 else 'are'} {count}")
    device = torch.device("cuda", int(number or 0))
    torch.cuda.set_device(device)
    return device
