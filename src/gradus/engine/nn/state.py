"""A module's numbers as a dictionary of names, and back: what `state_dict` and `load_state_dict` do."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradus.engine.autograd import no_grad
from gradus.engine.nn.parameter import Parameter, is_lazy
from gradus.engine.tensor import Tensor

if TYPE_CHECKING:
    from gradus.engine.nn.module import Module


class IncompatibleKeys(NamedTuple):
    """The names that a `load_state_dict` did not find, and those it did not know."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys!r}, unexpected_keys={self.unexpected_keys!r})"


def save(module: Module, found: dict[str, Any], prefix: str, keep_vars: bool) -> None:
    """Add to `found` what the module itself keeps, and then what those below it keep."""
    for name, tensor in _own(module).items():
        found[prefix + name] = tensor if keep_vars else tensor.detach()
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=found, prefix=f"{prefix}{name}.", keep_vars=keep_vars)


def load(module: Module, given: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Copy numbers into the module and those below it; one error tells of everything that does not fit."""
    missing: list[str] = []
    known: set[str] = set()
    errors: list[str] = []
    given = OrderedDict(given)  # which the hooks may change
    for prefix, each in module.named_modules(remove_duplicate=False):
        for hook in each.__dict__.get("_load_state_dict_pre_hooks", {}).values():
            hook(given, f"{prefix}." if prefix else "", {}, strict, missing, [], errors)
        for name, mine in _own(each).items():
            key = f"{prefix}.{name}" if prefix else name
            known.add(key)
            if key not in given:
                missing.append(key)
                continue
            error = _put(each, name, mine, key, given[key], assign)
            if error:
                errors.append(error)
    unexpected = [key for key in given if key not in known]
    if strict and unexpected:
        errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
    if strict and missing:
        errors.insert(0, f"Missing key(s) in state_dict: {_quoted(missing)}. ")
    if errors:
        raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t" + "\n\t".join(errors))
    return IncompatibleKeys(missing, unexpected)


def _own(module: Module) -> dict[str, Tensor]:
    """The parameters and persistent buffers of this module alone."""
    buffers = {k: v for k, v in module._buffers.items() if k not in module._non_persistent_buffers_set}
    return {k: v for k, v in {**module._parameters, **buffers}.items() if v is not None}


def _put(module: Module, name: str, mine: Tensor, key: str, value: Any, assign: bool) -> str | None:
    """Load one tensor; what is wrong with it, if something is."""
    given = as_tensor(value)
    if given is None:
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint '
            f"but received {type(value)}"
        )
    if is_lazy(mine):
        if is_lazy(given):
            return None
        mine.materialize(given.shape)  # type: ignore[attr-defined]
    if given.shape != mine.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, "
            f"the shape in current model is {mine.shape}."
        )
    if assign:
        setattr(module, name, Parameter(given, mine.requires_grad) if isinstance(mine, Parameter) else given)
    else:
        with no_grad():
            mine.copy_(given)
    return None


def as_tensor(value: Any) -> Tensor | None:
    """A tensor, from a tensor of this engine, of PyTorch, or an array; None for anything else."""
    if isinstance(value, Tensor):
        return value
    return Tensor._wrap(np.asarray(value)) if hasattr(value, "__array__") else None


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
