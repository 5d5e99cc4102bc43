"""What a view returns arrives as it was: arrays exactly, quantised ones to their step, and numbers that JSON lacks."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from gradus.explorer import quantised, to_wire
from gradus.explorer.wire import DTYPES


def back(sent: Any) -> Any:
    """An array from the wire, as the page reads it."""
    read = json.loads(json.dumps(sent, allow_nan=False))
    array = np.frombuffer(base64.b64decode(read["data"]), DTYPES[read["dtype"]]).reshape(read["shape"])
    if "low" not in read:
        return array
    return read["low"] + array * ((read["high"] - read["low"]) / (255 if read["dtype"] == "u1" else 65535))


@pytest.mark.parametrize(
    "array",
    [
        np.array([[1.5, -np.inf], [np.nan, 1e-30]], np.float32),
        np.array([1 / 3], np.float64),
        np.array([[1, -2, 2**31 - 1]], np.int64),
        np.array([2**40], np.int64),
        np.array([True, False]),
        np.array([65535], np.uint16),
        np.zeros((0, 4), np.float32),
    ],
    ids=str,
)
def test_arrays_arrive_exactly(array: Any) -> None:
    np.testing.assert_array_equal(back(to_wire(array)), array)


@pytest.mark.parametrize("bits", [8, 16])
def test_quantised_arrays_are_off_by_half_a_step_at_most(bits: Any) -> None:
    array = np.random.default_rng(1).normal(size=(3, 50)).astype(np.float32)
    step = (array.max() - array.min()) / (2**bits - 1)
    assert np.abs(back(to_wire(quantised(array, bits))) - array).max() <= step * 0.51
    np.testing.assert_array_equal(back(to_wire(quantised(np.full(3, 0.25), bits))), [0.25] * 3)


def test_an_array_with_nan_is_not_quantised() -> None:
    array = np.array([0, np.nan, np.inf], np.float32)
    np.testing.assert_array_equal(back(to_wire(quantised(array))), array)


def test_a_text_that_reads_nan_stays_a_text() -> None:
    sent = to_wire({"text": "NaN", "loss": float("nan"), "low": -np.float32(np.inf), "n": np.int64(3), "none": None})
    assert sent == {"text": "NaN", "loss": {"number": "NaN"}, "low": {"number": "-Infinity"}, "n": 3, "none": None}


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(TypeError, match="not set"):
        to_wire({"a": {1}})
