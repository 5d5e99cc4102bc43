"""Tensors to bytes and back: a model's weights, an optimizer's state and the random generator, in the safetensors
format. A file says in its header that it is ours, which format it has and what made it, so that a damaged or foreign
one is known before it is used."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

import gradus
from gradus.backend import nn, torch
from gradus.errors import UserError
from gradus.files import from_json, to_json
from gradus.models import LanguageModel, device_of
from gradus.models.lora import has_lora
from gradus.training.distributed import gather_rows, like, rows, whole

FORMAT = 1
CARRIED = "carried."
ROWS = 1  # the dimension of the rows in what is carried, (n_layer, B, H)

Arrays = dict[str, npt.NDArray[Any]]


def weights(model: nn.Module) -> Arrays:
    """Copies of a model's parameters and buffers by name; tied ones are there once, under the first name. Of a model
    with LoRA those that differ from the run it adapts: what is trained, and the buffers. If it is sharded, all
    processes have to ask."""
    state, owner = _state_and_owners(model)
    names = set(owner.values()) - _base(model)
    return {name: whole(tensor).numpy().copy() for name, tensor in state.items() if name in names}


def load_weights(model: nn.Module, arrays: Arrays) -> None:
    """Load what `weights` returned into a model, in place.

    Raises:
        UserError: if a name is missing or unexpected, or a shape differs.
    """
    state, owner = _state_and_owners(model)
    for name in sorted((set(owner.values()) - _base(model)) ^ set(arrays)):
        raise UserError(f"the weights do not fit the model: {name} is in only one of the two")
    own = {name: like(torch.tensor(arrays[owner[name]]), state[name]) for name in state if owner[name] in arrays}
    try:
        model.load_state_dict(own, strict=len(own) == len(state))
    except RuntimeError as error:
        raise UserError(f"the weights do not fit the model: {str(error).splitlines()[-1].strip()}") from error


def optimizer_state(optimizer: torch.optim.Optimizer) -> tuple[Arrays, dict[str, float]]:
    """An optimizer's state: its tensors and its Python numbers, named `<parameter's index>.<name>`."""
    arrays: Arrays = {}
    numbers: dict[str, float] = {}
    for index, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            if isinstance(value, torch.Tensor):
                arrays[f"{index}.{name}"] = whole(value).numpy().copy()
            elif value is not None:
                numbers[f"{index}.{name}"] = value
    return arrays, numbers


def load_optimizer_state(optimizer: torch.optim.Optimizer, arrays: Arrays, numbers: dict[str, float]) -> None:
    """Load into an optimizer what `optimizer_state` returned."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    in_order = sorted(arrays)  # the same in all processes, which divide each array between them together
    for key, value in [*((key, torch.tensor(arrays[key])) for key in in_order), *numbers.items()]:
        index, name = key.split(".", 1)
        of_all = isinstance(value, torch.Tensor) and value.dim() > 0  # not the number of steps
        state.setdefault(int(index), {})[name] = like(value, parameters[int(index)]) if of_all else value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def carried_state(model: LanguageModel) -> Arrays:
    """What a recurrent model carries to its next batch, named `carried.<number>`; nothing for other models."""
    parts = [part.cpu().numpy() for part in model.state or ()]
    return {f"{CARRIED}{i}": gather_rows(part, ROWS).copy() for i, part in enumerate(parts)}


def load_carried_state(model: LanguageModel, arrays: Arrays) -> None:
    """Give back to a model what `carried_state` returned, and take it out of `arrays`."""
    names = sorted(name for name in arrays if name.startswith(CARRIED))
    place = (slice(None),) * ROWS + (rows(),)
    model.state = tuple(torch.tensor(arrays.pop(name)[place]).to(device_of(model)) for name in names) or None


def generator_state() -> str:
    """The state of the global random generator, as text."""
    return base64.b64encode(torch.get_rng_state().numpy().tobytes()).decode("ascii")


def set_generator_state(text: str) -> None:
    torch.set_rng_state(torch.tensor(np.frombuffer(base64.b64decode(text), dtype=np.uint8)))


def pack(arrays: Arrays, about: dict[str, Any]) -> bytes:
    """A safetensors file. The same arrays and `about` give the same bytes: the format keeps its metadata in no order,
    so there is one entry."""
    header = {"format": FORMAT, "version": gradus.__version__, **about}
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return bytes(safetensors.numpy.save(contiguous, metadata={"gradus": to_json(header)}))


def pack_model(name: str, config: Any, arrays: Arrays, **about: Any) -> bytes:
    """The file of a model with the weights `arrays`: it says with which settings the model is built."""
    return pack(arrays, {"model": name, "config": asdict(config), **about})


def unpack(data: bytes, path: object) -> tuple[Arrays, dict[str, Any]]:
    """The arrays of a file that `pack` wrote, and what it says about itself.

    Args:
        data: the file.
        path: where it came from, for the error.

    Raises:
        UserError: if it is damaged, not ours, or of a later format.
    """
    try:
        arrays: Arrays = safetensors.numpy.load(data)
        length = int.from_bytes(data[:8], "little")
        about = from_json(data[8 : 8 + length]).get("__metadata__", {}).get("gradus")
    except (safetensors.SafetensorError, ValueError, KeyError, AttributeError) as error:
        raise UserError(f"{path} is damaged, or no safetensors file: {error}") from error
    if about is None:
        raise UserError(f"{path} is not a gradus checkpoint: its header does not say so")
    try:
        header: dict[str, Any] = from_json(about)
        later = header["format"] > FORMAT
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is not a gradus checkpoint: its header is damaged") from error
    if later:
        raise UserError(f"{path} was written by gradus {header.get('version')}, a later version; please update gradus")
    return arrays, header


def _base(model: nn.Module) -> set[str]:
    """Of a model with LoRA the parameters that are those of the run it adapts; none of another."""
    frozen = (name for name, parameter in model.named_parameters() if not parameter.requires_grad)
    return set(frozen) if has_lora(model) else set()


def _state_and_owners(model: nn.Module) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """A model's parameters and buffers by name, and for each name the first name with the same one (itself, unless it
    is tied)."""
    state = model.state_dict(keep_vars=True)
    first: dict[int, str] = {}
    return state, {name: first.setdefault(id(tensor), name) for name, tensor in state.items()}
