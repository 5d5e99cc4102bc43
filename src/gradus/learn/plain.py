"""Values as plain data that JSON can carry from one process to another, and that the judge compares without running
anything of the learner's: no object of theirs, with methods of its own, ever reaches it."""

from __future__ import annotations

import math
from typing import Any

Plain = dict[str, Any]
LONGEST = 200  # characters of the text of an object that is nothing we know
DEEPEST = 20


def plain(value: Any, depth: int = 0) -> Plain:
    """A value as plain data: {"kind": ..., "value": ...}, arrays and tensors with their shape and dtype."""
    if depth > DEEPEST:
        return {"kind": "object", "type": "something nested too deeply", "value": "..."}
    if value is None or value is ...:
        return {"kind": "nothing" if value is None else "todo"}
    if isinstance(value, bool):
        return {"kind": "bool", "value": bool(value)}
    if isinstance(value, (int, float)):
        return {"kind": "number", "value": _number(value)}
    if isinstance(value, str):
        return {"kind": "text", "value": str(value)}
    if isinstance(value, (list, tuple)):
        return {
            "kind": "list",
            "type": "tuple" if isinstance(value, tuple) else "list",
            "value": [plain(v, depth + 1) for v in value],
        }
    if isinstance(value, dict):
        return {"kind": "dict", "value": [[plain(k, depth + 1), plain(v, depth + 1)] for k, v in value.items()]}
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return _array(value)
    return {"kind": "object", "type": type(value).__name__, "value": _shown(value)}


def show(data: Plain, digits: int = 10) -> str:
    """Plain data as a reader sees it, on one line; numbers within a list with fewer digits."""
    kind = data["kind"]
    if kind == "number":
        return _digits(data["value"], digits)
    if kind in ("nothing", "todo"):
        return "None" if kind == "nothing" else "..."
    if kind in ("bool", "text"):
        return repr(data["value"])
    if kind == "list":
        inside = ", ".join(show(v, digits=6) for v in data["value"][:12]) + (", ..." if len(data["value"]) > 12 else "")
        if data["type"] == "list":
            return f"[{inside}]"
        return f"({inside},)" if len(data["value"]) == 1 else f"({inside})"
    if kind == "dict":
        pairs = [f"{show(k)}: {show(v, digits=6)}" for k, v in data["value"]]
        return "{" + ", ".join(pairs[:8] + ["..."] * (len(pairs) > 8)) + "}"
    if kind == "array":
        return _show_array(data)
    return f"{data['type']}: {data['value']}"


def _number(x: float) -> float | str:
    return str(float(x)) if isinstance(x, float) and not math.isfinite(x) else x + 0


def _digits(x: Any, digits: int = 6) -> str:
    if isinstance(x, (str, int)):
        return str(x)
    short = f"{x:.{digits}g}"
    return short if any(c in short for c in ".en") else f"{short}.0"


def _array(value: Any) -> Plain:
    if isinstance(getattr(value, "nbytes", None), int) and not hasattr(type(value), "__setitem__"):
        return plain(value.item())  # one of NumPy's scalars is a number
    shape, dtype = [int(n) for n in value.shape], str(value.dtype).removeprefix("torch.")
    tensor = hasattr(value, "detach")
    flat = (value.detach() if tensor else value).reshape(-1).tolist()
    entries = [_number(x) if isinstance(x, (int, float)) else str(x) for x in flat]
    return {"kind": "array", "type": "tensor" if tensor else "array", "shape": shape, "dtype": dtype, "value": entries}


def _show_array(data: Plain) -> str:
    shape = tuple(data["shape"])
    if len(data["value"]) > 40:
        return f"{data['type']} of shape {shape}, dtype {data['dtype']}"

    def rows(shape: tuple[int, ...], flat: list[Any]) -> str:
        if not shape:
            return _digits(flat[0])
        step = len(flat) // shape[0] if shape[0] else 0
        return "[" + ", ".join(rows(shape[1:], flat[i * step : (i + 1) * step]) for i in range(shape[0])) + "]"

    return f"{rows(shape, data['value'])}  shape {shape}, {data['dtype']}"


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as error:
        text = f"its repr raises {type(error).__name__}"
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
