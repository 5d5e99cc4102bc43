"""How modules print, and how error messages name types: PyTorch's forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.engine.tensor import Tensor

if TYPE_CHECKING:
    from gradus.engine.nn.module import Module


def represent(module: Module) -> str:
    """A module's repr: its name and, in parentheses, its `extra_repr` and its children, one on each line."""
    name, said = module._get_name(), module.extra_repr()
    own = said.split("\n") if said else []
    children = [f"({key}): {indented(repr(child))}" for key, child in module._modules.items()]
    if len(own) == 1 and not children:
        return f"{name}({own[0]})"
    inside = "\n  ".join(own + children)
    return f"{name}(\n  {inside}\n)" if inside else f"{name}()"


def indented(text: str) -> str:
    """The text with all lines but the first indented by two spaces."""
    return text.replace("\n", "\n  ")


def typename(value: Any) -> str:
    """The name of a value's type: "torch.FloatTensor" of a tensor, "collections.deque" of anything else."""
    if isinstance(value, Tensor):
        return str(value.type())
    kind = value if hasattr(value, "__qualname__") else type(value)
    where = getattr(kind, "__module__", None)
    return str(kind.__qualname__) if where in (None, "", "builtins") else f"{where}.{kind.__qualname__}"
