"""The hooks of a module: functions that a user registers, called before or after its forward or backward."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from gradus.engine.nn.hooks import BackwardGates, RemovableHandle, register_hook


class HookedModule:
    """The part of `Module` that registers hooks and calls them."""

    forward: Callable[..., Any]
    _forward_hooks: dict[int, Callable[..., Any]]
    _forward_pre_hooks: dict[int, Callable[..., Any]]
    _backward_hooks: dict[int, Callable[..., Any]]
    _backward_pre_hooks: dict[int, Callable[..., Any]]
    _hook_ids_with_kwargs: set[int]

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with_kwargs = self._hook_ids_with_kwargs
        for number, hook in tuple(self._forward_pre_hooks.items()):
            changed = hook(self, args, kwargs) if number in with_kwargs else hook(self, args)
            if changed is None:
                continue
            if number not in with_kwargs:
                args = changed if isinstance(changed, tuple) else (changed,)
            elif isinstance(changed, tuple) and len(changed) == 2:
                args, kwargs = changed
            else:
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                )
        watched = self._backward_hooks or self._backward_pre_hooks
        gates = BackwardGates(self, self._backward_hooks, self._backward_pre_hooks) if watched else None
        if gates:
            args = gates.on_inputs(args)
        result = self.forward(*args, **kwargs)
        for number, hook in tuple(self._forward_hooks.items()):
            changed = hook(self, args, kwargs, result) if number in with_kwargs else hook(self, args, result)
            if changed is not None:
                result = changed
        return gates.on_outputs(result) if gates else result

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after every forward; what it returns, if anything, replaces the output."""
        if always_call:
            raise NotImplementedError("always_call=True is not supported: the hook is called when forward succeeds")
        return self._register_hook("_forward_hooks", hook, prepend, with_kwargs)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before every forward; what it returns, if anything, replaces the arguments."""
        return self._register_hook("_forward_pre_hooks", hook, prepend, with_kwargs)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the inputs are there.

        Both are tuples; what it returns, if anything, replaces `grad_input`.
        """
        return self._register_hook("_backward_hooks", hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the module's backward; what it returns replaces `grad_output`."""
        return self._register_hook("_backward_pre_hooks", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)`
        before `load_state_dict` looks for this module's tensors; it may change the state_dict, which is a copy.
        """
        return self._register_load_state_dict_pre_hook(functools.partial(hook, self))

    def _register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        self.__dict__.setdefault("_load_state_dict_pre_hooks", {})
        return self._register_hook("_load_state_dict_pre_hooks", hook, False)

    def _register_hook(
        self, kind: str, hook: Callable[..., Any], first: bool, with_kwargs: bool = False
    ) -> RemovableHandle:
        handle = register_hook(self.__dict__[kind], hook, first=first)
        if with_kwargs:
            self._hook_ids_with_kwargs.add(handle.id)
        return handle
