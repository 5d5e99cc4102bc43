"""The views of the Backward tab: the chain rule on numbers, a training step of the run's own model on tensors, and the
update that follows."""

from __future__ import annotations

from gradus.explorer.backward.numbers import EXAMPLES, MOST_CHARACTERS, backward_numbers
from gradus.explorer.backward.quiz import backward_answer
from gradus.explorer.backward.step import backward_operation, backward_step
from gradus.explorer.backward.update import backward_update
from gradus.explorer.view import TEXT, Parameter, View

EXPRESSION = Parameter(str, EXAMPLES[0].expression, high=MOST_CHARACTERS)
MOST = 2**31 - 1
COUNT, PLACE = Parameter(int, 0, 0, MOST), Parameter(int, -1, -1, MOST)
STEP = {
    "text": TEXT,
    "target": TEXT,
    "source": Parameter(str, "text", choices=("text", "batch")),
    "number": PLACE,
}

VIEWS = {
    "backward/numbers": View(
        backward_numbers,
        {"expression": EXPRESSION, "direction": Parameter(str, "right", choices=("right", "down"))},
        runs=(),
    ),
    "backward/answer": View(
        backward_answer,
        {"expression": EXPRESSION, "step": COUNT, "answer": Parameter(str, "", high=200)},
        runs=(),
    ),
    "backward/step": View(backward_step, STEP),
    "backward/operation": View(
        backward_operation, {**STEP, "operation": COUNT, "input": COUNT, "row": PLACE, "column": PLACE}
    ),
    "backward/update": View(
        backward_update,
        {
            **STEP,
            "learning_rate": Parameter(float, 0.0, 0.0, 100.0),
            "steps": Parameter(int, 1, 1, 50),
            "parameter": Parameter(str, "", high=200),
            "position": PLACE,
        },
    ),
}
