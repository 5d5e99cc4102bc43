"""`torch.func`: a module as a function of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradus.engine.compat.absent import refuse
from gradus.engine.nn.module import Module

__all__ = ["functional_call"]

__getattr__ = refuse(__name__)


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call the module with these parameters and buffers temporarily in place of its own.

    Args:
        parameter_and_buffer_dicts: tensors by name, such as "0.weight"; or several such mappings.
        args, kwargs: for the module's forward; args may be one argument.
        tie_weights: replace tied parameters under all their names.
        strict: raise a RuntimeError unless the names are exactly those of the module.
    """
    mappings = parameter_and_buffer_dicts
    given = dict(mappings) if isinstance(mappings, Mapping) else {k: v for d in mappings for k, v in d.items()}
    places = _places(module)
    if strict and given.keys() != places.keys():
        missing, unknown = sorted(places.keys() - given.keys()), sorted(given.keys() - places.keys())
        raise RuntimeError(f"Error(s) in functional_call: missing keys {missing}, unexpected keys {unknown}")
    before = {name: home[key] for name, (home, key) in places.items()}
    if tie_weights:
        by_tensor = {id(before[name]): tensor for name, tensor in given.items() if name in before}
        given = {n: by_tensor[id(t)] for n, t in before.items() if id(t) in by_tensor} | given
    try:
        for name, tensor in given.items():
            if name not in places:
                raise AttributeError(f"'{type(module).__name__}' object has no parameter or buffer '{name}'")
            home, key = places[name]
            home[key] = tensor
        return module(*_arguments(args), **(kwargs or {}))
    finally:
        for name, tensor in before.items():
            home, key = places[name]
            home[key] = tensor


def _arguments(args: Any) -> tuple[Any, ...]:
    return () if args is None else args if isinstance(args, tuple) else (args,)


def _places(module: Module) -> dict[str, tuple[dict[str, Any], str]]:
    """The submodule and key of each parameter and buffer, by its full name."""
    return {
        f"{prefix}.{key}" if prefix else key: (home, key)
        for prefix, part in module.named_modules(remove_duplicate=False)
        for home in (part._parameters, part._buffers)
        for key, tensor in home.items()
        if tensor is not None
    }
