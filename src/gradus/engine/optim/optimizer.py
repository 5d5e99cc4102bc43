"""`Optimizer`: the parameters in their groups, the state that an update rule keeps for each, and how both are saved.

A rule is a subclass with two methods: `initial_state` returns a parameter's state before its first step, and `update`
changes the parameter and its state in place. The loop over all parameters is here.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from itertools import chain
from typing import Any, ClassVar

import numpy as np

from gradus.engine.autograd import enable_grad, no_grad
from gradus.engine.dtypes import Array
from gradus.engine.nn.printing import typename
from gradus.engine.nn.state import as_tensor
from gradus.engine.tensor import Tensor

Params = Iterable[Any]  # of tensors, of (name, tensor), or of dictionaries with "params" and a group's own settings
Group = dict[str, Any]
State = dict[str, Any]
Update = tuple[Array, Array, State, Group]  # a parameter, its gradient, its state, its settings


class Optimizer:
    """Base class of the update rules.

    >>> w = torch.tensor([5.0, -3.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.25)
    >>> for step in range(3):
    ...     loss = (w**2).sum()
    ...     optimizer.zero_grad()  # else gradients would add up over the steps
    ...     loss.backward()
    ...     optimizer.step()
    >>> w.tolist()  # each step halves w
    [0.625, -0.375]

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or one dictionary per group, with its tensors under
            "params" and settings of its own.
        defaults: the settings of a group that does not have its own.

    Raises:
        TypeError: if params is one tensor or a set, or holds anything but tensors.
        ValueError: if params is empty, or holds a tensor that is not a leaf or is in another group already.
    """

    forced: ClassVar[Mapping[str, Any]] = {}  # settings that loading a state does not change

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + typename(params)
            )
        self.defaults = defaults
        self.state: defaultdict[Any, State] = defaultdict(dict)
        self.param_groups: list[Group] = []
        given = list(params)
        if not given:
            raise ValueError("optimizer got an empty parameter list")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: Group) -> None:
        """Add a group: the tensors under "params", with the dictionary's other entries as their settings."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        listed = [params] if isinstance(params, Tensor) else list(params)
        names = [each[0] for each in listed if isinstance(each, tuple)]
        tensors = [each[1] if isinstance(each, tuple) else each for each in listed]
        param_group["params"] = tensors
        if names:
            if len(names) != len(tensors):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            param_group["param_names"] = names
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {typename(tensor)}")
            if not (tensor.is_leaf or tensor.retains_grad):
                if self.defaults.get("differentiable"):
                    raise NotImplementedError("differentiable=True: no gradient flows through a step of this engine")
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        new = {id(tensor) for tensor in tensors}
        if len(new) != len(tensors):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        for group in self.param_groups:
            if ("param_names" in group) != ("param_names" in param_group):
                how = "with names" if "param_names" in param_group else "without names"
                raise ValueError(
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {how} to the optimizer"
                )
        if any(id(tensor) in new for group in self.param_groups for tensor in group["params"]):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set every gradient to None, or to zeros."""
        for group in self.param_groups:
            for tensor in group["params"]:
                if set_to_none:
                    tensor._grad = None
                elif tensor.grad is not None:
                    tensor.grad.detach_().zero_()

    @no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of every parameter that has a gradient.

        Args:
            closure: computes the loss again, with its gradients, before the update.

        Returns:
            what the closure returned; None without one.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        updates: list[Update] = []
        for group in self.param_groups:
            settings = {**group, "lr": number(group["lr"])} if "lr" in group else group
            maximize, checked = group.get("maximize"), group.get("differentiable") or group.get("capturable")
            for tensor in group["params"]:
                given = tensor.grad
                if given is not None:
                    if checked:
                        check_step(tensor, group)
                    state = self.state.get(tensor) or self.initial_state(tensor._array, settings)
                    updates.append((tensor._array, -given._array if maximize else given._array, state, settings))
                    tensor._version_counter[0] += 1
                    if state:
                        self.state[tensor] = state
        self.update_all(updates)
        return loss

    def initial_state(self, p: Array, group: Group) -> State:
        """Return the state of a parameter before its first step."""
        return {}

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        """Change the parameter `p` and its `state` in place, given its gradient `g` and its group's settings."""
        raise NotImplementedError

    def update_all(self, updates: list[Update]) -> None:
        """Update each parameter; an optimizer that has a loop over all of them at once overrides this."""
        for each in updates:
            self.update(*each)

    def state_dict(self) -> dict[str, Any]:
        """{"state": {number of the parameter: its state}, "param_groups": [settings, with the parameters' numbers]}:
        PyTorch's layout.

        The tensors in it are the optimizer's own, not copies.
        """
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for tensor in group["params"]:
                numbers.setdefault(id(tensor), len(numbers))
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [numbers[id(tensor)] for tensor in group["params"]]
            groups.append(packed)
        state = {numbers[id(key)] if isinstance(key, Tensor) else key: value for key, value in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state, this engine's or PyTorch's, with its settings; tensors are copied, in the parameter's
        number type.

        Raises:
            ValueError: if its groups, or the numbers of parameters in them, are not this optimizer's.
        """
        saved = [{**group, "params": list(group["params"])} for group in state_dict["param_groups"]]
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(saved, self.param_groups, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        tensors = dict(
            zip(
                chain.from_iterable(group["params"] for group in saved),
                chain.from_iterable(group["params"] for group in self.param_groups),
                strict=True,
            )
        )
        state: defaultdict[Any, State] = defaultdict(dict)
        for number_, values in state_dict["state"].items():
            if number_ in tensors:
                tensor = tensors[number_]
                state[tensor] = {key: _taken(tensor, key, value) for key, value in values.items()}
            else:
                state[number_] = values
        groups = []
        for old, new in zip(self.param_groups, saved, strict=True):
            group = {key: _plain(value) for key, value in new.items() if key != "params"}
            if "param_names" in old:
                group.setdefault("param_names", old["param_names"])
            groups.append({**self.defaults, **group, **self.forced, "params": old["params"]})
        self.state = state
        self.param_groups = groups

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"\nParameter Group {i}" if i else "Parameter Group 0")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join(lines) + "\n)"


def number(value: Any) -> Any:
    """A setting as a number. One that is a float32 tensor stays float32, as what PyTorch computes from it does."""
    if not isinstance(value, Tensor):
        return value
    return value._array.reshape(())[()] if value._array.dtype == np.float32 else value.item()


def scalar_state(value: float = 0.0) -> Tensor:
    """A number as PyTorch's optimizers keep it: a float32 tensor without dimensions."""
    return Tensor._wrap(np.array(value, np.float32))


def next_step(state: State) -> float:
    """Increment the step count of a state and return it: t, from 1."""
    state["step"]._array += 1
    return float(state["step"]._array)


def apply_weight_decay(p: Array, g: Array, group: Group) -> Array:
    """Return g + weight_decay · p; with decoupled weight decay, shrink p by lr · weight_decay and return g."""
    decay = float(group["weight_decay"])
    if decay == 0:
        return g
    if group.get("decoupled_weight_decay"):
        p *= 1 - group["lr"] * decay
        return g
    return g + p * decay


def zeros_like(p: Array) -> Tensor:
    """Zeros of the shape and number type of a parameter, to be kept in its state."""
    return Tensor._wrap(np.zeros(p.shape, p.dtype))


def check(name: str, value: Any, *, message: str = "") -> None:
    """Raise unless a setting is at least 0."""
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ValueError(f"Tensor {name} must be 1-element")
    if not number(value) >= 0.0:
        raise ValueError(message or f"Invalid {name} value: {value}")


def check_betas(betas: tuple[Any, Any]) -> None:
    """Raise unless both betas are in [0, 1)."""
    for i, beta in enumerate(betas):
        if not 0.0 <= number(beta) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


GRAPH_DEVICES = ["cuda", "xpu", "hpu", "privateuseone", "xla"]  # where PyTorch can capture a step


def check_step(p: Tensor, group: Group) -> None:
    """Raise PyTorch's errors on a CPU for `capturable=True`, and for `differentiable=True` with a leaf that is
    trained.
    """
    if group.get("capturable") and not group.get("fused"):
        raise AssertionError(
            f"If capturable=True, params and state_steps must be on supported devices: {GRAPH_DEVICES}."
        )
    if group.get("differentiable") and p.requires_grad:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")


def check_fused(fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
    """Check PyTorch's options for how to compute the update, which have no effect here, against each other."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def _taken(tensor: Tensor, key: str, value: Any) -> Any:
    """A copy of a loaded value: a tensor in the parameter's number type, but a step count as it was."""
    if isinstance(value, list):
        return [_taken(tensor, key, each) for each in value]
    given = as_tensor(value)
    if given is None:
        return deepcopy(value)
    dtype = tensor._array.dtype if key != "step" and tensor.is_floating_point() else given._array.dtype
    return Tensor._wrap(np.array(given._array, dtype))


def _plain(value: Any) -> Any:
    given = as_tensor(value)
    return deepcopy(value) if given is None else Tensor._wrap(given._array.copy())
