"""The one loop that runs every compiled program: it reads instructions and does each for a block of inputs at once.

`values` and `grads` have a row for each slot (input, parameter, constant or result) and a column for each input of the
block, so an instruction is a loop over two or three contiguous rows, of which the machine does several numbers at a
time. Numba compiles it once and keeps it, so a new program costs no compilation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.scalar.program import OPS

try:
    from numba import njit
except ImportError:  # the same loop in plain Python

    def njit(**_: Any) -> Callable[[Any], Any]:  # type: ignore[no-redef]
        return lambda function: function


Floats = NDArray[np.float64]
Integers = NDArray[np.int32]
Flags = NDArray[np.bool_]

ADD, MUL, SUB, DIV, NEG, EXP, LOG, TANH, RELU, POW, SIGMOID, SIN, COS, ABS, MAX = range(len(OPS))
BLOCK = 64  # columns: two rows of operands and one of results for each of a thousand slots stay in a core's own cache


@njit(cache=True, error_model="numpy")
def forward(ops: Integers, a: Integers, b: Integers, values: Floats, width: int, suspect: Flags) -> None:
    """Fill the rows of the results. A column in which one that can go wrong is not finite is suspect."""
    first = values.shape[0] - ops.size
    for k in range(ops.size):
        op, x, y, out = ops[k], a[k], b[k], first + k
        if op == ADD:
            for j in range(width):
                values[out, j] = values[x, j] + values[y, j]
        elif op == MUL:
            for j in range(width):
                values[out, j] = values[x, j] * values[y, j]
        elif op == SUB:
            for j in range(width):
                values[out, j] = values[x, j] - values[y, j]
        elif op == NEG:
            for j in range(width):
                values[out, j] = -values[x, j]
        elif op == RELU:
            for j in range(width):
                values[out, j] = values[x, j] if values[x, j] > 0 else 0.0
        elif op == TANH:
            for j in range(width):
                values[out, j] = math.tanh(values[x, j])
        elif op == SIGMOID:
            for j in range(width):
                e = math.exp(-abs(values[x, j]))
                values[out, j] = 1.0 / (1.0 + e) if values[x, j] >= 0 else e / (1.0 + e)
        elif op == ABS:
            for j in range(width):
                values[out, j] = abs(values[x, j])
        elif op == MAX:
            for j in range(width):
                values[out, j] = values[y, j] if values[y, j] > values[x, j] else values[x, j]
        else:
            for j in range(width):
                if op == DIV:
                    value = values[x, j] / values[y, j]
                elif op == EXP:
                    value = np.exp(values[x, j])
                elif op == LOG:
                    value = np.log(values[x, j])
                elif op == POW:
                    value = values[x, j] ** values[y, j]
                elif op == SIN:
                    value = np.sin(values[x, j])
                else:
                    value = np.cos(values[x, j])
                values[out, j] = value
                if not math.isfinite(value):
                    suspect[j] = True


@njit(cache=True, error_model="numpy")
def backward(ops: Integers, a: Integers, b: Integers, wanted: Flags, values: Floats, grads: Floats, width: int) -> None:
    """Pass the gradients from the last result to the first, to the operands whose gradient is wanted."""
    first = values.shape[0] - ops.size
    for k in range(ops.size - 1, -1, -1):
        op, x, y, out = ops[k], a[k], b[k], first + k
        to_x, to_y = wanted[x], wanted[y]
        if op in (ADD, SUB):
            if to_x:
                for j in range(width):
                    grads[x, j] += grads[out, j]
            if to_y:
                sign = 1.0 if op == ADD else -1.0
                for j in range(width):
                    grads[y, j] += sign * grads[out, j]
        elif op == MUL:
            if to_x:
                for j in range(width):
                    grads[x, j] += values[y, j] * grads[out, j]
            if to_y:
                for j in range(width):
                    grads[y, j] += values[x, j] * grads[out, j]
        elif op == DIV:
            if to_x:
                for j in range(width):
                    grads[x, j] += grads[out, j] / values[y, j]
            if to_y:
                for j in range(width):
                    grads[y, j] += -values[out, j] / values[y, j] * grads[out, j]
        elif op == NEG:
            for j in range(width):
                grads[x, j] -= grads[out, j]
        elif op == EXP:
            for j in range(width):
                grads[x, j] += values[out, j] * grads[out, j]
        elif op == LOG:
            for j in range(width):
                grads[x, j] += grads[out, j] / values[x, j]
        elif op == TANH:
            for j in range(width):
                grads[x, j] += (1.0 - values[out, j] * values[out, j]) * grads[out, j]
        elif op == SIGMOID:
            for j in range(width):
                grads[x, j] += values[out, j] * (1.0 - values[out, j]) * grads[out, j]
        elif op == RELU:
            for j in range(width):
                grads[x, j] += grads[out, j] if values[x, j] > 0 else 0.0
        elif op == SIN:
            for j in range(width):
                grads[x, j] += math.cos(values[x, j]) * grads[out, j]
        elif op == COS:
            for j in range(width):
                grads[x, j] -= math.sin(values[x, j]) * grads[out, j]
        elif op == ABS:
            for j in range(width):
                grads[x, j] += ((values[x, j] > 0) * 1.0 - (values[x, j] < 0) * 1.0) * grads[out, j]
        elif op == MAX:
            for j in range(width):
                share = 0.5 + 0.5 * ((values[x, j] > values[y, j]) * 1.0 - (values[x, j] < values[y, j]) * 1.0)
                if to_x:
                    grads[x, j] += share * grads[out, j]
                if to_y:
                    grads[y, j] += (1.0 - share) * grads[out, j]
        else:
            for j in range(width):
                base, n = values[x, j], values[y, j]
                if to_x and n != 0:
                    grads[x, j] += n * base ** (n - 1.0) * grads[out, j]
                if to_y:
                    slope = values[out, j] * math.log(base) if base > 0 else (0.0 if base == 0 else math.nan)
                    grads[y, j] += slope * grads[out, j]


@np.errstate(all="ignore")  # without Numba, too, 1/0 is inf, silently
def run(
    ops: Integers, a: Integers, b: Integers, wanted: Flags, result: int, inputs: Floats, fixed: Floats, slopes: bool
) -> tuple[Floats, Floats, Floats, Flags]:
    """The program for every column of `inputs` (I, B), with `fixed` (F,), parameters and constants, the same for all.

    Returns:
        the results (B,); with `slopes`, their gradients with respect to the inputs (I, B) and, summed over the batch,
        with respect to `fixed` (F,), else zeros; and the columns (B,) in which something may have gone wrong.
    """
    n_inputs, batch = inputs.shape
    leaves = n_inputs + len(fixed)
    columns = min(BLOCK, batch)
    values = np.empty((leaves + len(ops), columns))
    values[n_inputs:leaves] = fixed[:, None]
    results = np.empty(batch)
    d_inputs, d_fixed = np.zeros_like(inputs), np.zeros_like(fixed)
    suspect = np.zeros(batch, dtype=np.bool_)
    for start in range(0, batch, columns):
        block = slice(start, min(start + columns, batch))
        width = block.stop - start
        values[:n_inputs, :width] = inputs[:, block]
        forward(ops, a, b, values, width, suspect[block])
        results[block] = values[result, :width]
        if slopes:
            grads = np.zeros_like(values)
            grads[result, :width] = 1.0
            backward(ops, a, b, wanted, values, grads, width)
            d_inputs[:, block] = grads[:n_inputs, :width]
            d_fixed += grads[n_inputs:leaves].sum(axis=1)
    return results, d_inputs, d_fixed, suspect
