"""A graph of Values turned into a program: a list of instructions on numbered slots.

Here is what a compiler does: what depends on nothing but constants is computed once and for all, `x + 0` and `x * 1`
are `x`, an expression that occurs twice is one instruction, and every number gets its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradus.scalar.value import Value

OPS = ("+", "*", "-", "/", "neg", "exp", "log", "tanh", "relu", "**", "sigmoid", "sin", "cos", "abs", "max")
COMMUTATIVE = ("+", "*", "max")


class Instruction(NamedTuple):
    """result = op(a, b), by the numbers of their slots; b is a again where there is only one operand."""

    op: str
    a: int
    b: int
    label: str


@dataclass(frozen=True)
class Program:
    """What a function of Values computes. Its slots are numbered: inputs, parameters, constants, results.

    The instructions are kept as arrays: that is how they are run, and there may be a hundred thousand of them.

    Attributes:
        name: the function's.
        inputs: the labels of the numbers that it was given.
        parameters: the Values that it reads again at every run.
        constants: every other number in it.
        ops: the operation of each instruction, by its place in OPS, in the order of the forward pass.
        a, b: the slots of its operands.
        labels: what results are called, by the number of the instruction.
        result: the slot of what it returns.
        operations: how many nodes the graph had that were not leaves.
    """

    name: str
    inputs: list[str]
    parameters: list[Value]
    constants: list[float]
    ops: NDArray[np.int32]
    a: NDArray[np.int32]
    b: NDArray[np.int32]
    labels: dict[int, str]
    result: int
    operations: int

    def __repr__(self) -> str:
        reads = f"{len(self.inputs)} inputs, {len(self.parameters):,} parameters and {len(self.constants):,} constants"
        return f"Program({self.name}: {len(self.ops):,} instructions on {reads})"

    def instructions(self) -> Iterator[Instruction]:
        """One after the other, in the order of the forward pass."""
        for i, (op, a, b) in enumerate(zip(self.ops.tolist(), self.a.tolist(), self.b.tolist(), strict=True)):
            yield Instruction(OPS[op], a, b, self.labels.get(i, ""))


def translate(name: str, root: Value, inputs: Sequence[Value], parameters: Iterable[Value]) -> Program:
    """The program that computes `root`; leaves that are neither inputs nor parameters are its constants."""
    order = root.topological()
    reached = set(order)
    used = [parameter for parameter in dict.fromkeys(parameters) if parameter in reached]
    builder = _Builder([*inputs, *used])
    for node in order:
        builder.visit(node)
    C, L = len(builder.constants), len(inputs) + len(used)

    def number(slot: int) -> int:  # the constants, -1, -2 ... while nobody knew how many, go between leaves and results
        return L - 1 - slot if slot < 0 else slot if slot < L else slot + C

    return Program(
        name,
        [node.label for node in inputs],
        used,
        [float.fromhex(text) for text in builder.constants],
        np.array([OPS.index(op) for op, _, _ in builder.known], dtype=np.int32),
        np.array([number(a) for _, a, _ in builder.known], dtype=np.int32),
        np.array([number(b) for _, _, b in builder.known], dtype=np.int32),
        builder.labels,
        number(builder.slots[root]),
        sum(node._op != "" for node in order),
    )


class _Builder:
    def __init__(self, leaves: Sequence[Value]) -> None:
        self.slots = {node: slot for slot, node in enumerate(leaves)}
        self.first = len(leaves)
        self.constants: dict[str, int] = {}  # the number, written exactly -> -1, -2 ...
        self.known: dict[tuple[str, int, int], int] = {}  # the instructions, each with the slot of its result
        self.labels: dict[int, str] = {}
        self.zero, self.one = self.constant(0.0), self.constant(1.0)

    def constant(self, number: float) -> int:
        return self.constants.setdefault(number.hex(), -1 - len(self.constants))

    def visit(self, node: Value) -> None:
        """Give the node a slot."""
        if node in self.slots:
            return
        operands = [self.slots[operand] for operand in node._prev]
        if all(slot < 0 for slot in operands):  # a leaf, or the work of constants alone
            self.slots[node] = self.constant(node.data)
            return
        op, a, b = node._op, operands[0], operands[-1]
        if op.startswith("**") and op != "**":
            op, b = "**", self.constant(float(op[2:]))
        simpler = self.simpler(op, a, b)
        self.slots[node] = self.instruction(op, a, b, node.label) if simpler is None else simpler

    def simpler(self, op: str, a: int, b: int) -> int | None:
        """The slot that holds the result without an instruction, if there is one."""
        if op == "+" and self.zero in (a, b):
            return b if a == self.zero else a
        if op == "*" and self.one in (a, b):
            return b if a == self.one else a
        if (op == "-" and b == self.zero) or (op in ("/", "**") and b == self.one):
            return a
        return None

    def instruction(self, op: str, a: int, b: int, label: str) -> int:
        """The slot of op(a, b), which may be there already."""
        instruction = (op, a, b)
        if op in COMMUTATIVE and (op, b, a) in self.known:
            instruction = (op, b, a)
        slot = self.known.setdefault(instruction, self.first + len(self.known))
        if label:
            self.labels.setdefault(slot - self.first, label)
        return slot
