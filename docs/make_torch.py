"""Writes torch.md, the engine's names beside PyTorch's: `python docs/make_torch.py`, where PyTorch is installed."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import torch as pytorch

from gradus.engine.compat.absent import find_module

PAGE = Path(__file__).parent / "torch.md"
ENGINE = importlib.import_module("gradus.engine")

NAMESPACES = (
    "torch",
    "torch.Tensor",
    "torch.nn",
    "torch.nn.functional",
    "torch.nn.init",
    "torch.nn.utils",
    "torch.optim",
    "torch.optim.lr_scheduler",
    "torch.linalg",
    "torch.fft",
    "torch.distributions",
    "torch.autograd",
    "torch.utils.data",
)

SMALL = {
    "torch.accelerator": "there is none: code that asks runs on the CPU",
    "torch.amp": "accepted and changes nothing: everything is computed in float32",
    "torch.backends": "the switches that programs set",
    "torch.autograd.function": "",
    "torch.autograd.functional": "what needs second derivatives is not supported",
    "torch.autograd.graph": "",
    "torch.compiler": "there is none: functions and modules run as they are",
    "torch.cpu": "",
    "torch.cuda": "there is no GPU; code that asks runs on the CPU",
    "torch.distributed": "one process: a world of size 1",
    "torch.func": "",
    "torch.jit": "nothing is compiled; the function or module itself is given back",
    "torch.mps": "there is none",
    "torch.multiprocessing": "Python's own; `spawn` runs one process, this one",
    "torch.profiler": "measured with the wall clock of this process",
    "torch.serialization": "the classes that a file may name",
    "torch.testing": "",
    "torch.types": "",
    "torch.utils.checkpoint": "",
    "torch.utils.tensorboard": "",
    "torch.xpu": "there is none",
}

NOTES = {
    "torch.Tensor": "dense tensors in the CPU's memory, of real and complex numbers",
    "torch.autocast": "changes nothing: everything is computed in float32",
    "torch.autograd.backward": "`create_graph=True` is not supported",
    "torch.autograd.grad": "`create_graph=True` and `is_grads_batched=True` are not supported",
    "torch.Tensor.backward": "`create_graph=True` is not supported",
    "torch.bfloat16": "two bytes a number; each operation is computed in float32 and rounded once",
    "torch.float16": "each operation is computed in float32 and rounded once",
    "torch.complex64": "arithmetic, products, views, holomorphic functions; an error says where there is none",
    "torch.Tensor.conj": "a copy; PyTorch gives a view",
    "torch.conj": "a copy; PyTorch gives a view",
    "torch.compile": "gives back the module or function itself",
    "torch.device": "the CPU is the only one that tensors can be on",
    "torch.empty": "starts as zeros",
    "torch.empty_like": "starts as zeros",
    "torch.Tensor.new_empty": "starts as zeros",
    "torch.load": "runs no code of the file: a class is refused unless it was allowed",
    "torch.utils.data.DataLoader": "`num_workers` is accepted; examples are loaded in this process",
    "torch.utils.data.get_worker_info": "always None: there are no worker processes",
}

NOTHING_SPECIAL = {"TYPE_CHECKING", "annotations"}
SWALLOWS = {"_", "__"}  # names of our ** parameters that let unknown names pass unused
JOINING = {"cat", "concat", "concatenate", "stack"}  # whose **old does too; elsewhere it refuses
PLACED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def both(namespace: str) -> tuple[Any, Any]:
    """The engine's object of that name and PyTorch's."""
    ours, theirs = ENGINE, pytorch
    for part in namespace.split(".")[1:]:
        ours, theirs = getattr(ours, part), getattr(theirs, part)
    return ours, theirs


def public(owner: Any) -> list[str]:
    """The names of a namespace, sorted, without modules and without what it only imports for itself."""
    listed = getattr(owner, "__all__", None) if owner not in (ENGINE, pytorch) else None
    names = set(listed or dir(owner)) - NOTHING_SPECIAL
    return sorted(name for name in names if not name.startswith("_") and _belongs(owner, name))


def _belongs(owner: Any, name: str) -> bool:
    thing = getattr(owner, name, None)
    if isinstance(thing, ModuleType) or getattr(thing, "__module__", None) in (
        "typing",
        "typing_extensions",
        "collections.abc",
    ):
        return False
    if isinstance(owner, type) or owner in (ENGINE, pytorch, ENGINE.autograd, pytorch.autograd):
        return True
    return not (isinstance(thing, type) and any(getattr(root, name, None) is thing for root in (ENGINE, pytorch)))


def shared(namespace: str) -> list[str]:
    """The names that the engine's namespace has and PyTorch's has too."""
    ours, theirs = both(namespace)
    return [name for name in public(ours) if hasattr(ours, name) and hasattr(theirs, name)]


def absent(namespace: str) -> list[str]:
    """PyTorch's own public names that the engine does not have: those with documentation, and no type of the inside."""
    ours, theirs = both(namespace)
    return [name for name in public(theirs) if not hasattr(ours, name) and _documented(theirs, name)]


def _documented(owner: Any, name: str) -> bool:
    thing = getattr(owner, name, None)
    home = getattr(thing, "__module__", None) or "torch"
    outside = not home.startswith("torch") or (owner is pytorch and home.startswith(("torch._C", "torch.types")))
    return bool(inspect.getdoc(thing)) and not outside and (isinstance(thing, type) or callable(thing) or _field(thing))


def _field(thing: Any) -> bool:
    return isinstance(thing, property) or inspect.isgetsetdescriptor(thing)


def signatures(name: str, thing: Any) -> list[str]:
    """How PyTorch says the object is called: from Python where it can tell, else from the documentation."""
    if isinstance(thing, type) or callable(thing):
        try:
            parameters = inspect.signature(thing).parameters.values()
        except (TypeError, ValueError):
            return _documented_signatures(name, thing)
        return [f"{name}({_spelled(list(parameters))})"]
    return []


def _spelled(parameters: list[inspect.Parameter]) -> str:
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in parameters if p.name != "self"]
    text = str(inspect.Signature(bare))[1:-1]
    return re.sub(r"<([\w. ]*)[^<>]*>", "...", text)


def _documented_signatures(name: str, thing: Any) -> list[str]:
    found = re.findall(
        rf"^(?:\.\. (?:function|method):: )?(?:torch\.)?({re.escape(name)}\(.*?\))(?: *->.*)?$",
        inspect.getdoc(thing) or "",
        re.MULTILINE,
    )
    return list(dict.fromkeys(re.sub(r"\s+", " ", text).replace("\\*", "*") for text in found))


def parameters_of(signature: str) -> list[tuple[str, bool]]:
    """The names in a signature's brackets, each with whether it can be given by its place."""
    inside = signature[signature.index("(") + 1 : signature.rindex(")")]
    depth, words = 0, [""]
    for character in inside:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            words.append("")
        else:
            words[-1] += character
    found: list[tuple[str, bool]] = []
    positional = True
    for word in words:
        name = re.split(r"[=:]", word)[0].strip()
        if name == "/":
            found = []  # what stands before has no name that a caller could use
        elif name.startswith("*"):
            positional = False
        elif name.isidentifier():
            found.append((name, positional))
    return found


def differing(ours: Any, spelled: list[str]) -> str:
    """Which parameters of PyTorch's signatures ours refuses, or takes and does not use."""
    try:
        taken = inspect.signature(ours).parameters
    except (TypeError, ValueError):
        return ""
    any_place = any(p.kind is p.VAR_POSITIONAL for p in taken.values())
    rest = next((p.name for p in taken.values() if p.kind is p.VAR_KEYWORD), None)
    wanted = dict(pair for text in spelled for pair in parameters_of(text))
    missing = [name for name, positional in wanted.items() if name not in taken and not (positional and any_place)]
    spare = sum(p.name not in wanted and p.name not in ("self", "input") and p.kind in PLACED for p in taken.values())
    renamed = [name for name in missing if wanted[name]][:spare]
    missing = [name for name in missing if name not in renamed]
    parts = [f"{_listed(renamed)} by place only"] if renamed else []
    if rest in SWALLOWS or (rest == "old" and ours.__name__ in JOINING):
        word = "ignores"
    else:
        word = "without"
        if rest not in (None, "old"):
            missing = [name for name in missing if name == "out"]  # the other names are handed on
    parts += [f"{word} {_listed(missing)}"] if missing else []
    return "; ".join(parts)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def row(namespace: str, name: str) -> str:
    ours, theirs = (getattr(owner, name) for owner in both(namespace))
    spelled = signatures(name, theirs)
    notes = [note for note in (differing(ours, spelled), NOTES.get(f"{namespace}.{name}", "")) if note]
    shown = "<br>".join(f"`{text}`" for text in spelled).replace("|", "\\|")
    return f"| `{name}` | {shown} | {'; '.join(notes)} |"


def table(namespace: str) -> list[str]:
    lines = [f"## {namespace}", "", "| name | PyTorch's signature | what differs |", "| --- | --- | --- |"]
    lines += [row(namespace, name) for name in shared(namespace)]
    if names := absent(namespace):
        lines += ["", "Not supported: " + ", ".join(f"`{name}`" for name in names) + "."]
    return [*lines, ""]


def small(namespace: str) -> str:
    module = find_module(namespace)
    made_here = [name for name, thing in vars(module).items() if getattr(thing, "__module__", None) == module.__name__]
    listed = getattr(module, "__all__", None) or [name for name in made_here if not name.startswith("_")]
    names = ", ".join(f"`{name}`" for name in sorted(listed))
    note = f" ({SMALL[namespace]})" if SMALL[namespace] else ""
    return f"* `{namespace}`{note}: {names}"


def page() -> str:
    """The text of torch.md."""
    version = pytorch.__version__.split("+")[0]
    lines = [
        "# The engine beside PyTorch",
        "",
        f"Written by `python docs/make_torch.py` from the engine and PyTorch {version}. A name is called as",
        "PyTorch calls it. The last column says which of PyTorch's parameters are refused (without), taken but unused",
        "(ignores), or named otherwise here than in PyTorch's documentation (by place only), and what is known to mean",
        "something else; where it is empty, none is known. Any other name raises an AttributeError. Other",
        "modules of PyTorch's, such as torch.onnx, can be imported, and raise NotImplementedError when they are used.",
        "",
    ]
    for namespace in NAMESPACES:
        lines += table(namespace)
    lines += ["## Smaller modules", "", *(small(namespace) for namespace in SMALL), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
