"""Where what came differs first from what was expected: kind, shape, dtype, then index and size of the difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradus.learn.plain import Plain, show

NAMES = {"nothing": "None", "todo": "...", "bool": "a bool", "number": "a number", "text": "a string", "dict": "a dict"}


def difference(came: Plain, expected: Plain, tolerance: float, at: str = "") -> str | None:
    """One line on the first difference, None if there is none."""
    where = f"at {at}: " if at else ""
    if came["kind"] == "todo":
        return f"{where}the TODO is still there"
    if came["kind"] != expected["kind"]:
        return f"{where}{kind_of(came)} came, {kind_of(expected)} was expected"
    kind = came["kind"]
    if kind == "array":
        return _of_arrays(came, expected, tolerance, where)
    if kind == "number":
        gap = _gap(came["value"], expected["value"], tolerance)
        if gap is None:
            return None
        if at or not math.isfinite(gap):
            return f"{where}{show(came)} came, {show(expected)} was expected"
        return f"the two are {_size(gap)} apart"
    if kind == "list":
        pairs = list(zip(came["value"], expected["value"], strict=False))
        if len(came["value"]) != len(expected["value"]):
            return f"{where}length {len(came['value'])} came, {len(expected['value'])} was expected"
        return _first(difference(c, e, tolerance, f"{at}[{i}]") for i, (c, e) in enumerate(pairs))
    if kind == "dict":
        return _of_dicts(came, expected, tolerance, at)
    if came != expected:
        return f"{where}{show(came)} came, {show(expected)} was expected"
    return None


def where_it_differs(came: Plain, expected: Plain, tolerance: float) -> tuple[str, Plain, Plain]:
    """The first item that differs, as deep inside lists and dictionaries as it goes: its place, such as [1]['a'], what
    came there and what was expected; the place is "" where the two differ as a whole."""
    pairs: list[tuple[str, Plain, Plain]] = []
    if came["kind"] == expected["kind"] == "list" and len(came["value"]) == len(expected["value"]):
        pairs = [(f"[{i}]", *pair) for i, pair in enumerate(zip(came["value"], expected["value"], strict=True))]
    elif came["kind"] == expected["kind"] == "dict":
        a, b = ({show(k): v for k, v in data["value"]} for data in (came, expected))
        pairs = [(f"[{k}]", a[k], b[k]) for k in b] if a.keys() == b.keys() else []
    for place, x, y in pairs:
        if difference(x, y, tolerance) is not None:
            inside, x, y = where_it_differs(x, y, tolerance)
            return place + inside, x, y
    return "", came, expected


def shape_of_it(came: Plain, expected: Plain, tolerance: float) -> str | None:
    """What the whole of a wrong answer looks like: the expected one with its sign turned, transposed, reversed."""
    a, b = _numbers(came), _numbers(expected)
    if came["kind"] != expected["kind"] or not a or not b:
        return None
    if _shape(came) == _shape(expected) and _close([-x for x in a], b, tolerance):
        return "the expected answer with its sign turned"
    shape = _shape(expected)
    if len(shape) == 2 and min(shape) > 1 and _shape(came) == shape[::-1]:
        rows, columns = shape
        if _close([a[j * rows + i] for i in range(rows) for j in range(columns)], b, tolerance):
            return "the expected answer transposed"
    if len(shape) == 1 and _shape(came) == shape and len(a) > 1 and _close(a[::-1], b, tolerance):
        return "the expected answer in reverse order"
    return None


def kind_of(data: Plain) -> str:
    if data["kind"] == "array":
        return f"{'a tensor' if data['type'] == 'tensor' else 'an array'} of shape {tuple(data['shape'])}"
    if data["kind"] == "list":
        return f"a {data['type']}"
    return NAMES.get(data["kind"]) or f"an object of type {data['type']}"


def _of_arrays(came: Plain, expected: Plain, tolerance: float, where: str) -> str | None:
    if came["type"] != expected["type"]:
        return f"{where}{kind_of(came)} came, {kind_of(expected)} was expected"
    if came["shape"] != expected["shape"]:
        return f"{where}shape {tuple(came['shape'])} came, {tuple(expected['shape'])} was expected"
    if came["dtype"] != expected["dtype"]:
        return f"{where}dtype {came['dtype']} came, {expected['dtype']} was expected"
    gaps = [_gap(a, b, tolerance) for a, b in zip(came["value"], expected["value"], strict=True)]
    wrong = [i for i, gap in enumerate(gaps) if gap is not None]
    if not wrong:
        return None
    first, shape = wrong[0], came["shape"]
    index: list[int] = []
    rest = first
    for n in reversed(shape):
        index.insert(0, rest % n)
        rest //= n
    a, b = (show({"kind": "number", "value": d["value"][first]}) for d in (came, expected))
    most = max((gap for gap in gaps if gap is not None), default=0.0)
    size = f", by {_size(most)} at most" if math.isfinite(most) else ""
    return f"{where}first at {index}: {a} came, {b} was expected; {len(wrong)} of {len(gaps)} entries differ{size}"


def _of_dicts(came: Plain, expected: Plain, tolerance: float, at: str) -> str | None:
    a, b = ({show(k): v for k, v in data["value"]} for data in (came, expected))
    for what, keys in (("is missing", b.keys() - a.keys()), ("should not be there", a.keys() - b.keys())):
        if keys:
            more = f", and {len(keys) - 1} more" if len(keys) > 1 else ""
            return f"{f'at {at}: ' if at else ''}the key {min(keys)} {what}{more}"
    return _first(difference(a[k], b[k], tolerance, f"{at}[{k}]") for k in b)


def _first(found: Any) -> str | None:
    return next((text for text in found if text is not None), None)


def _gap(a: Any, b: Any, tolerance: float) -> float | None:
    """How far apart two numbers are, None if near enough; both may be "nan", "inf" or "-inf"."""
    if isinstance(a, bool) or isinstance(b, bool) or isinstance(a, str) or isinstance(b, str):
        return None if a == b else float("inf")
    try:
        gap = abs(float(a) - float(b))
    except OverflowError:  # an int that no float can hold
        return None if a == b else float("inf")
    return None if gap <= tolerance * max(1.0, abs(b)) else gap


def _size(gap: float) -> str:
    return f"{gap:.4g}"


def _numbers(data: Plain) -> list[float]:
    flat = [data] if data["kind"] == "number" else data.get("value", [])
    values = (
        [v["value"] if isinstance(v, dict) and v.get("kind") == "number" else v for v in flat]
        if isinstance(flat, list)
        else []
    )
    return values if all(isinstance(v, (int, float)) for v in values) else []


def _shape(data: Plain) -> tuple[int, ...]:
    if data["kind"] == "array":
        return tuple(data["shape"])
    return (len(data["value"]),) if data["kind"] == "list" else ()


def _close(a: Sequence[float], b: Sequence[float], tolerance: float) -> bool:
    return (
        len(a) == len(b) and all(_gap(x, y, tolerance) is None for x, y in zip(a, b, strict=True)) and any(map(abs, b))
    )
