"""Parametrizations: a parameter that is a function of others, such as a symmetric or a normalised matrix.

`register_parametrization(layer, "weight", f)` makes `layer.weight` a property that computes f of the tensors that
training changes, which live in `layer.parametrizations.weight`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from gradus.engine.autograd import no_grad
from gradus.engine.compat.absent import refuse
from gradus.engine.nn.containers import ModuleDict, ModuleList
from gradus.engine.nn.module import Module
from gradus.engine.nn.parameter import Parameter
from gradus.engine.tensor import Tensor

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "type_before_parametrizations",
]

_depth = 0  # of `cached` blocks
_cache: dict[tuple[int, str], Any] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Inside, each parametrized tensor is computed once, at its first use."""
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if not _depth:
            _cache.clear()


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, the first applied first, and what they start from: `original`, or
    `original0`, `original1`, ... if the first's `right_inverse` gives several tensors.
    """

    original: Tensor

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        dtype, shape = original.dtype, original.shape
        new = self._inverse(original)
        if not isinstance(new, Tensor | Sequence):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if isinstance(new, Tensor) else len(new)
        if isinstance(new, Tensor):
            if new.dtype != dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                    f"original.dtype: {dtype}\nright_inverse(original).dtype: {new.dtype}"
                )
            original.data = new.data  # the parameter stays the object that an optimizer knows
            _register(self, "original", original)
        else:
            for i, each in enumerate(new):
                if not isinstance(each, Tensor):
                    raise ValueError(
                        "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                        f"Got element {i} of the sequence with type {type(each).__name__}."
                    )
                wanted = original.requires_grad
                held = Parameter(each, wanted) if isinstance(original, Parameter) else each.requires_grad_(wanted)
                _register(self, f"original{i}", held)
        if not unsafe:
            _check("", dtype, shape, self())

    def _inverse(self, value: Any) -> Any:
        """What the parametrizations would start from; those without `right_inverse` are taken to change nothing."""
        with no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    with suppress(NotImplementedError):
                        value = module.right_inverse(value)
        return value

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the tensor becomes `value`."""
        with no_grad():
            new: Any = value
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                new = module.right_inverse(new)
        if self.is_tensor:
            if not isinstance(new, Tensor):
                raise ValueError(f"`right_inverse` should return a tensor. Got {type(new).__name__}")
            if new.dtype != self.original.dtype:
                raise ValueError(
                    f"The tensor returned by `right_inverse` has dtype {new.dtype} while `original` has dtype "
                    f"{self.original.dtype}"
                )
            self.original.data = new.data
            return
        if not isinstance(new, Sequence):
            raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {type(new).__name__}.")
        if len(new) != self.ntensors:
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence of "
                f"length {len(new)}."
            )
        for i, tensor in enumerate(new):
            held = getattr(self, f"original{i}")
            if tensor.dtype != held.dtype:
                raise ValueError(
                    f"Tensor {i} returned by `right_inverse` has dtype {tensor.dtype} while `original{i}` has dtype "
                    f"{held.dtype}"
                )
            held.data = tensor.data

    def forward(self) -> Any:
        first, *others = self
        x = first(self.original) if self.is_tensor else first(*(self._originals()))
        for module in others:
            x = module(x)
        return x

    def _originals(self) -> list[Any]:
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Make `module.tensor_name` a function of what training changes; after one already registered, of its result.

    Args:
        tensor_name: of a parameter or buffer.
        parametrization: a module from the original tensor, or tensors, to the parametrized one. If it has a method
            `right_inverse(tensor)`, that gives the originals, now and when something is assigned to the tensor.
        unsafe: it may change the shape and number type, and is not tried out.

    Returns:
        module.

    Raises:
        ValueError: if there is no such parameter or buffer or, unless unsafe, the shape or number type would change.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            before = getattr(module, tensor_name)
            _check(f"module.{tensor_name}", before.dtype, before.shape, parametrization(before))
        held: Any = module.parametrizations[tensor_name]
        held.append(parametrization)
        held.unsafe |= unsafe
        return module
    if tensor_name not in module._parameters and tensor_name not in module._buffers:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    listed = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        _change_class(module)
        module.parametrizations = ModuleDict()
    setattr(type(module), tensor_name, property(_getter(tensor_name), _setter(tensor_name)))
    module.parametrizations[tensor_name] = listed
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether that tensor of the module is parametrized or, without a name, any of them."""
    held = getattr(module, "parametrizations", None)
    if not isinstance(held, ModuleDict):
        return False
    return len(held) > 0 if tensor_name is None else tensor_name in held


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make the tensor an ordinary one again: with the numbers it has, or with those of `original`.

    Raises:
        ValueError: if it is not parametrized, or should become one of several originals.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    held: Any = module.parametrizations[tensor_name]
    original: Any
    if held.is_tensor:
        original = held.original
        if leave_parametrized:
            with no_grad():
                original.data = getattr(module, tensor_name).data
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that a parametrized module had; any other's class."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def _register(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _check(name: str, kind: Any, shape: Any, result: Any) -> None:
    """The result of a parametrization must have the tensor's number type and shape."""
    if not isinstance(result, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(result).__name__}.")
    the = "the " if name else ""
    for what, before, after in (("dtype", kind, result.dtype), ("shape", shape, result.shape)):
        if before != after:
            labels = (f"{name}.{what}", f"parametrization({name}).{what}") if name else _LABELS[what]
            raise ValueError(
                f"Registering a parametrization may not change the {what} of the tensor, unless {the}`unsafe` flag is "
                f"enabled.\n{labels[0]}: {before}\n{labels[1]}: {after}"
            )


_LABELS = {what: (f"unparametrized {what}", f"parametrized {what}") for what in ("dtype", "shape")}


def _change_class(module: Module) -> None:
    """A class of its own, so that it can have properties of its own."""
    cls = type(module)
    body = {"__getstate__": _refuse_pickle, "__deepcopy__": getattr(cls, "__deepcopy__", _deepcopy)}
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), body)


def _refuse_pickle(self: Module) -> None:
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(). See:\n"
        "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
        "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"
    )


def _deepcopy(self: Module, memo: dict[int, Any]) -> Module:
    twin: Module = memo.get(id(self)) or type(self).__new__(type(self))
    memo[id(self)] = twin
    twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return twin


def _getter(name: str) -> Any:
    def get(self: Module) -> Any:
        compute = self.parametrizations[name]
        if not _depth:
            return compute()
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = compute()
        return _cache[key]

    return get


def _setter(name: str) -> Any:
    def put(self: Module, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    return put


__getattr__ = refuse(__name__)
