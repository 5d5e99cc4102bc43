"""What the gradient of an operation IS: for those that a learner should know, one cell of it spelled out with its
numbers, from the gradient that came in and from what the operation kept. What is spelled out adds up to the engine's
number; a test holds each of them to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradus.explorer.backward.rules_elementwise import (
    add,
    div,
    elementwise,
    gelu_slope,
    mul,
    power,
    silu_slope,
    spread,
    sub,
)
from gradus.explorer.backward.rules_products import attention, embedding, linear, matmul
from gradus.explorer.backward.rules_rows import (
    batch_norm,
    cross_entropy,
    layer_norm,
    log_softmax,
    nll,
    rms_norm,
    softmax,
)
from gradus.explorer.backward.spelled import Rule, Spelled


def spell(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled | None:
    """One cell of the gradient of an input; None for an operation without a rule here."""
    rule = RULES.get(type(node).__name__)
    return None if rule is None else rule(node, dy, position, row, column)


RULES: Mapping[str, Rule] = {
    "Linear": linear,
    "MatMul": matmul,
    "Mm": matmul,
    "CrossEntropy": cross_entropy,
    "LogSoftmax": log_softmax,
    "Softmax": softmax,
    "SafeSoftmax": softmax,
    "NllLoss": nll,
    "Embedding": embedding,
    "Add": add,
    "Sub": sub,
    "Mul": mul,
    "Div": div,
    "Neg": lambda _, dy, position, row, column: spread(  # noqa: ARG005
        dy, np.float64(-1), dy.shape, row, column, "The sign turns.", "dx = −dy"
    ),
    "Tanh": elementwise(
        "tanh is steepest at 0 and flat near ±1: where a unit is saturated, hardly any gradient gets through.",
        "dx = dy · (1 − y²)",
        lambda node: 1 - np.asarray(node.y, np.float64) ** 2,
        lambda node: ("y = tanh(x)", node.y),
    ),
    "Relu": elementwise(
        "relu lets the gradient through where it let the number through, and stops it where it gave 0.",
        "dx = dy where y > 0, else 0",
        lambda node: (node.y > 0).astype(np.float64),
        lambda node: ("y = relu(x)", node.y),
    ),
    "Gelu": elementwise(
        "GELU is a smooth relu: its slope goes from 0 on the far left to 1 on the right, and a little beyond each.",
        "dx = dy · gelu′(x)",
        gelu_slope,
        lambda node: ("x", node.x),
    ),
    "Silu": elementwise("SiLU is x times its sigmoid.", "dx = dy · silu′(x)", silu_slope, lambda node: ("x", node.x)),
    "Sigmoid": elementwise(
        "The sigmoid's slope is at most ¼, and hardly anything near 0 and 1.",
        "dx = dy · y (1 − y)",
        lambda node: np.asarray(node.y, np.float64) * (1 - np.asarray(node.y, np.float64)),
        lambda node: ("y = sigmoid(x)", node.y),
    ),
    "Pow": power,
    "LayerNorm": layer_norm,
    "RMSNorm": rms_norm,
    "BatchNorm": batch_norm,
    "Attention": attention,
}

# What the others are, in a sentence.
SAID: Mapping[str, str] = {
    "View": "The same numbers in another shape: the gradient is given the old shape back. Nothing is computed.",
    "Contiguous": "A copy in another order of memory: the gradient is handed on as it is.",
    "Transpose": "Two axes changed places: the gradient changes them back.",
    "Permute": "Axes changed places: the gradient changes them back.",
    "Split": "One array was cut into several: their gradients are put side by side again.",
    "Cat": "Several arrays were put side by side: the gradient is cut into their parts.",
    "Stack": "Several arrays became one: each gets its part of the gradient.",
    "Slice": "A part was taken: the gradient goes to that part, and what was left out gets 0.",
    "Index": "Some rows were picked: the gradient is added to those rows, and all others get 0.",
    "Pad": "Zeros were put around: the gradient of what was inside is cut out again.",
    "Roll": "The numbers moved along an axis in a circle: the gradient moves back.",
    "Dropout": "Some numbers were set to 0: their gradient is 0 too.",
    "MaskedFill": "Where the mask is, a constant was put: no gradient gets through there.",
    "Sum": "Everything that was summed counts one for one: each gets the gradient of the sum.",
    "Mean": "Each number is one n-th of the mean: it gets the gradient divided by n.",
    "LSTM": "The whole text in one operation: backward runs through the steps from the last to the first, and at each "
    "step the gradient of the state is that of the output there plus what comes from the step after it. The cell's "
    "gradient is multiplied only by the forget gate: that is how an LSTM remembers.",
    "GRU": "The whole text in one operation: backward runs through the steps from the last to the first; where the "
    "update gate keeps the old state, the gradient passes as it is.",
    "RNN": "The whole text in one operation: backward runs through the steps from the last to the first, and at each "
    "one multiplies by the recurrent weights and by 1 − h²: over many steps a gradient vanishes or explodes.",
}  # fmt: skip
