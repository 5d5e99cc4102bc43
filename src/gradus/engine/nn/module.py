"""`Module`: a piece of a model that keeps its parameters, buffers and sub-modules in order, and calls its `forward`.

What is assigned as an attribute is sorted by what it is: a `Parameter`, a `Module`, a buffer, or just an attribute. All
that is done to a model as a whole (training or evaluation mode, saving and loading, other number types) is a walk over
those three.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from gradus.engine import dtypes
from gradus.engine.autograd import no_grad
from gradus.engine.compat import absent
from gradus.engine.dtypes.layouts import CHANNELS_LAST, in_format
from gradus.engine.nn import state
from gradus.engine.nn.hooks import BackwardGates, RemovableHandle, hang
from gradus.engine.nn.parameter import Buffer, Parameter
from gradus.engine.nn.printing import represent, typename
from gradus.engine.tensor import Tensor

Convert = Callable[[Tensor], Tensor]


class Module:
    """Base class of every layer and model. A subclass calls `super().__init__()`, assigns its parts, and defines
    `forward`.

    >>> class MLP(nn.Module):
    ...     def __init__(self, n_in, n_hidden, n_out):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(n_in, n_hidden)
    ...         self.out = nn.Linear(n_hidden, n_out)
    ...
    ...     def forward(self, x):  # (B, n_in) -> (B, n_out)
    ...         return self.out(self.hidden(x).tanh())
    >>> model = MLP(3, 8, 2)
    >>> model(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    >>> [(name, tuple(p.shape)) for name, p in model.named_parameters()]
    [('hidden.weight', (8, 3)), ('hidden.bias', (8,)), ('out.weight', (2, 8)), ('out.bias', (2,))]
    >>> model.eval()
    MLP(
      (hidden): Linear(in_features=3, out_features=8, bias=True)
      (out): Linear(in_features=8, out_features=2, bias=True)
    )
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _forward_hooks: dict[int, Callable[..., Any]]
    _forward_pre_hooks: dict[int, Callable[..., Any]]
    _backward_hooks: dict[int, Callable[..., Any]]
    _backward_pre_hooks: dict[int, Callable[..., Any]]
    _hook_ids_with_kwargs: set[int]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        name = type(self).__name__
        if kwargs:
            raise TypeError(f"{name}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'")
        if args:
            raise TypeError(f"{name}.__init__() takes 1 positional argument but {len(args) + 1} were given")
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _modules={},
            _non_persistent_buffers_set=set(),
            _forward_hooks={},
            _forward_pre_hooks={},
            _backward_hooks={},
            _backward_pre_hooks={},
            _hook_ids_with_kwargs=set(),
        )

    # ---- calling

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's output: what a call runs. Every subclass defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    if TYPE_CHECKING:
        forward: Callable[..., Any]  # type: ignore[no-redef]  # a subclass chooses its own arguments

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        own = self.__dict__
        if own["_forward_hooks"] or own["_forward_pre_hooks"] or own["_backward_hooks"] or own["_backward_pre_hooks"]:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

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
        return self._hang("_forward_hooks", hook, prepend, with_kwargs)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before every forward; what it returns, if anything, replaces the arguments."""
        return self._hang("_forward_pre_hooks", hook, prepend, with_kwargs)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the inputs are there.

        Both are tuples; what it returns, if anything, replaces `grad_input`.
        """
        return self._hang("_backward_hooks", hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the module's backward; what it returns replaces `grad_output`."""
        return self._hang("_backward_pre_hooks", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)`
        before `load_state_dict` looks for this module's tensors; it may change the state_dict, which is a copy.
        """
        return self._register_load_state_dict_pre_hook(functools.partial(hook, self))

    def _register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        self.__dict__.setdefault("_load_state_dict_pre_hooks", {})
        return self._hang("_load_state_dict_pre_hooks", hook, False)

    def _hang(self, kind: str, hook: Callable[..., Any], first: bool, with_kwargs: bool = False) -> RemovableHandle:
        handle = hang(self.__dict__[kind], hook, first=first)
        if with_kwargs:
            self._hook_ids_with_kwargs.add(handle.id)
        return handle

    # ---- attributes

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Keep `tensor` as a buffer: moved and, if persistent, saved with the module, but not trained."""
        self._check_name("buffer", name, self.__dict__.get("_buffers"))
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Keep `param` as a parameter. None holds the name: `module.bias` is None."""
        self._check_name("parameter", name, self.__dict__.get("_parameters"))
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. "
                f"To express '{name}' as a function of another Tensor, compute the value in the forward() method."
            )
        self._parameters[name] = param

    def add_module(self, name: str, module: Module | None) -> None:
        """Add `module` as a child module under this name."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("module", name, self.__dict__.get("_modules"))
        self._modules[name] = module

    register_module = add_module

    def _check_name(self, kind: str, name: str, held: Any) -> None:
        if held is None:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in held and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        if "_parameters" in own:  # else __init__ has not run yet
            if name in own["_parameters"]:
                return own["_parameters"][name]
            if name in own["_modules"]:
                return own["_modules"][name]
            if name in own["_buffers"]:
                return own["_buffers"][name]
        raise AttributeError(absent.attribute(self, name, "torch.nn.Module"), name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        parameters = own.get("_parameters")
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, own, self._buffers, self._modules)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            if parameters is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, own, self._buffers, self._parameters)
            self._modules[name] = value
        elif parameters is None:
            object.__setattr__(self, name, value)
        elif name in parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                )
            parameters[name] = None
        elif name in own["_modules"]:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as child module '{name}' (torch.nn.Module or None expected)"
                )
            own["_modules"][name] = None
        elif isinstance(value, Buffer) or name in own["_buffers"]:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{typename(value)}' as buffer '{name}' "
                    "(torch.nn.Buffer, torch.Tensor or None expected)"
                )
            persistent = name not in self._non_persistent_buffers_set
            self.register_buffer(name, value, value.persistent if isinstance(value, Buffer) else persistent)
        else:
            object.__setattr__(self, name, value)

    def _forget(self, name: str, *places: dict[str, Any]) -> None:
        for place in places:
            place.pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __delattr__(self, name: str) -> None:
        for held in (self._parameters, self._buffers, self._modules):
            if name in held:
                del held[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = [*super().__dir__(), *self._parameters, *self._modules, *self._buffers]
        return sorted({name for name in names if not name[0].isdigit()})

    # ---- what is inside

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, parents first, each once: (name, module); its own name is `prefix`."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it, parents first, each once."""
        for _, module in self.named_modules():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below, each once: (name, module)."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below, each once."""
        for _, module in self.named_children():
            yield module

    def _named_members(self, kind: str, prefix: str, recurse: bool, once: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=once) if recurse else [(prefix, self)]
        for where, module in modules:
            for name, value in module.__dict__[kind].items():
                if value is None or id(value) in seen:
                    continue
                if once:
                    seen.add(id(value))
                yield (f"{where}.{name}" if where else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(name, parameter) of this module and, with `recurse`, all below; one used twice comes once, under its first
        name.
        """
        yield from self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, in the order of `named_parameters`: what an optimizer takes."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(name, buffer) of this module and, with `recurse`, all below."""
        yield from self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, in the order of `named_buffers`."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module that a dotted name such as "blocks.0.attn" leads to."""
        module: Module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter that a dotted name leads to."""
        found = self._get_member(target)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{target.rpartition('.')[2]}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer that a dotted name leads to."""
        found = self._get_member(target)
        where, _, name = target.rpartition(".")
        if name not in self.get_submodule(where)._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        buffer: Tensor = found
        return buffer

    def _get_member(self, target: str) -> Any:
        where, _, name = target.rpartition(".")
        module = self.get_submodule(where)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        return getattr(module, name)

    # ---- changing all of it

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module below, children first, and on this one: the usual way to initialise."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Training mode (dropout drops, batch norm measures), here and below; `train(False)` is `eval()`."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Evaluation mode, here and below."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set `requires_grad` of every parameter."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set every parameter's gradient to None, or to zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter._grad = None
            elif parameter.grad is not None:
                parameter.grad.detach_().zero_()

    def type(self, dst_type: Any) -> Self:
        """All parameters and buffers in another type, given as torch.float64 or torch.DoubleTensor."""
        return self._apply(lambda t: t.type(dst_type))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Parameters and buffers of the same shapes, to be filled; here they start as zeros.

        Raises:
            RuntimeError, AssertionError: for a device that this machine, or this engine, does not have.
        """
        dtypes.check_device(device)
        return self._apply(lambda t: t.new_empty(t.shape), recurse)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing, as `torch.compile` here: the module runs uncompiled."""

    def _apply(self, fn: Convert, recurse: bool = True) -> Self:
        """Put `fn(tensor)` in the place of every parameter's, gradient's and buffer's numbers; parameters stay the
        objects they are.
        """
        if recurse:
            for module in self.children():
                module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is not None:
                    parameter.data = fn(parameter.data)
                    if parameter.grad is not None:
                        parameter.grad.data = fn(parameter.grad.data)
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """`to(device)`, `to(dtype)`, `to(device, dtype)` or `to(tensor)`: floating-point parameters and buffers change
        type.

        Raises:
            TypeError: for a number type that is not floating point.
            RuntimeError, AssertionError: for a device that this machine, or this engine, does not have.
        """
        unknown = kwargs.keys() - {"device", "dtype", "tensor", "non_blocking", "memory_format"}
        if unknown:
            raise TypeError(f"to() received an invalid combination of arguments: it has no {sorted(unknown)[0]!r}")
        if kwargs.get("memory_format") is not None:
            asked = kwargs["memory_format"]
            self._apply(lambda x: in_format(x, asked) if x.ndim == CHANNELS_LAST.get(asked) else x)
        given = [*args, *(kwargs[key] for key in ("device", "dtype", "tensor") if key in kwargs)]
        kind: dtypes.dtype | None = None
        for argument in given:
            if isinstance(argument, dtypes.dtype):
                kind = argument
            elif isinstance(argument, Tensor):
                kind = argument.dtype
            elif isinstance(argument, int) and not isinstance(argument, bool):
                dtypes.check_device(f"cuda:{argument}")  # PyTorch counts its GPUs
            elif isinstance(argument, str | dtypes.device):
                dtypes.check_device(argument)
        if kind is None:
            return self
        if not kind.is_floating_point:
            raise TypeError(f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={kind}")
        return self._to_float(kind)

    def _to_float(self, dtype: dtypes.dtype) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Convert all floating-point parameters and buffers to float32."""
        return self._to_float(dtypes.float32)

    def double(self) -> Self:
        """Convert all floating-point parameters and buffers to float64."""
        return self._to_float(dtypes.float64)

    def half(self) -> Self:
        """Convert all floating-point parameters and buffers to float16."""
        return self._to_float(dtypes.float16)

    def bfloat16(self) -> Self:
        """Convert all floating-point parameters and buffers to bfloat16."""
        return self._to_float(dtypes.bfloat16)

    def cpu(self) -> Self:
        """Return the module itself: everything is on the CPU."""
        return self

    def cuda(self, device: int | str | None = None) -> Self:
        """Raises, as PyTorch does on a machine without a GPU."""
        dtypes.check_device("cuda")
        return self

    # ---- saving and loading

    def state_dict(
        self, *, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Every parameter and persistent buffer by name, sharing memory with the module; detached unless
        `keep_vars`.
        """
        found: dict[str, Any] = OrderedDict() if destination is None else destination
        state.save(self, found, prefix, keep_vars)
        return found

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> state.IncompatibleKeys:
        """Copy the numbers of `state_dict` into this module and those below.

        Args:
            state_dict: name -> tensor, as `state_dict()` gives it; anything that NumPy reads as an array will do.
            strict: names that are missing, or that this module does not have, are errors.
            assign: put the tensors themselves in place instead of copying their numbers.

        Returns:
            (missing_keys, unexpected_keys).

        Raises:
            RuntimeError: for a shape that differs or, with `strict`, a name that does; one message names all of them.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        return state.load(self, state_dict, strict, assign)

    # ---- printing

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """Return what `repr` shows between the brackets; a subclass overrides it."""
        return ""

    def __repr__(self) -> str:
        return represent(self)


class Layer(Module):
    """A module from one tensor to one tensor, and said to be one, so that a type checker knows what a call returns."""

    if TYPE_CHECKING:

        def __call__(self, input: Tensor) -> Tensor: ...
