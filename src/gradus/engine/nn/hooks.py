"""A module's hooks: the handle that removes one, and identity operations that call backward hooks with gradients."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from gradus.engine.autograd.grad_mode import no_grad
from gradus.engine.autograd.node import Function
from gradus.engine.autograd.record import apply, writable
from gradus.engine.dtypes import Array
from gradus.engine.tensor import Tensor

Hook = Callable[..., Any]
Gradients = Sequence[Array | None]

_ids = itertools.count()


class RemovableHandle:
    """The handle of a registered hook: `remove()` removes the hook; so does the end of a `with`."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.hooks = hooks
        self.id = next(_ids)

    def remove(self) -> None:
        self.hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def register_hook(hooks: dict[int, Any], hook: Callable[..., Any], *, first: bool = False) -> RemovableHandle:
    """Add `hook` to `hooks`, at the end or, if asked, at the front."""
    handle = RemovableHandle(hooks)
    others = dict(hooks)
    if first:
        hooks.clear()
    hooks[handle.id] = hook
    if first:
        hooks.update(others)
    return handle


class BackwardHookFunction(Function):
    """y_i = x_i for several tensors at once.    dx = call(dy): calls a module's backward hooks."""

    name_ = "BackwardHookFunctionBackward"

    def forward(self, *xs: Array, call: Callable[[Gradients], Gradients]) -> tuple[Array, ...]:
        self.call = call
        return tuple(x.copy() for x in xs)

    def backward(self, dys: list[Array | None]) -> tuple[Array | None, ...]:
        with no_grad():
            passed = self.call([None if dy is None else writable(dy) for dy in dys])
        return tuple(None if dx is None else dx.view() for dx in passed)  # views: a hook may have kept the tensors


class BackwardGates:
    """One call of a module with backward hooks: an identity operation on its inputs and one on its outputs, through
    which its gradients pass.
    """

    def __init__(self, module: Any, hooks: dict[int, Hook], pre_hooks: dict[int, Hook]) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.grad_output: tuple[Tensor | None, ...] = ()
        self.inputs = 0
        self.wanted: list[int] = []

    def on_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.inputs = len(args)
        self.wanted = [i for i, a in enumerate(args) if isinstance(a, Tensor) and a.requires_grad]
        if not self.wanted:
            return args
        passed = _pass(tuple(args[i] for i in self.wanted), self._call_input_hooks)
        changed = list(args)
        for i, tensor in zip(self.wanted, passed, strict=True):
            changed[i] = tensor
        return tuple(changed)

    def on_outputs(self, result: Any) -> Any:
        several = isinstance(result, tuple | list)
        outputs = tuple(result) if several else (result,)
        wanted = [i for i, o in enumerate(outputs) if isinstance(o, Tensor) and o.requires_grad]
        if not wanted:
            return result

        def call(gradients: Any) -> Any:
            slots: list[Tensor | None] = [None] * len(outputs)
            for i, gradient in zip(wanted, gradients, strict=True):
                slots[i] = None if gradient is None else Tensor._wrap(gradient)
            self.grad_output = tuple(slots)
            for hook in tuple(self.pre_hooks.values()):
                changed = hook(self.module, self.grad_output)
                if changed is not None:
                    self.grad_output = changed if isinstance(changed, tuple) else (changed,)
            if not self.wanted:
                self._call_hooks((None,) * self.inputs)
            passed = [self.grad_output[i] for i in wanted]
            return [None if t is None else t._array for t in passed]

        changed = list(outputs)
        for i, tensor in zip(wanted, _pass(tuple(outputs[i] for i in wanted), call), strict=True):
            changed[i] = tensor
        return type(result)(changed) if several else changed[0]

    def _call_input_hooks(self, gradients: Any) -> Any:
        slots: list[Tensor | None] = [None] * self.inputs
        for i, gradient in zip(self.wanted, gradients, strict=True):
            slots[i] = None if gradient is None else Tensor._wrap(gradient)
        changed = self._call_hooks(tuple(slots))
        return [None if changed[i] is None else changed[i]._array for i in self.wanted]

    def _call_hooks(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in tuple(self.hooks.values()):
            changed = hook(self.module, grad_input, self.grad_output)
            if changed is not None:
                grad_input = changed if isinstance(changed, tuple) else (changed,)
        return grad_input


def _pass(tensors: tuple[Tensor, ...], call: Callable[[Any], Any]) -> tuple[Tensor, ...]:
    passed = apply(BackwardHookFunction, *tensors, call=call)
    return passed if isinstance(passed, tuple) else (passed,)
