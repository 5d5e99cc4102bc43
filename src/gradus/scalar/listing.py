"""A program as text: Python that computes the value and every gradient, one operation a line, for people to read."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from itertools import chain
from textwrap import fill

from gradus.scalar.program import Instruction, Program

# An operation's line, and those of its gradients: a, b the operands, y the result, g the gradient of the result.
LINES = {
    "+": ("{a} + {b}", "{g}", "{g}"),
    "-": ("{a} - {b}", "{g}", "-{g}"),
    "*": ("{a} * {b}", "{b} * {g}", "{a} * {g}"),
    "/": ("{a} / {b}", "{g} / {b}", "-{y} / {b} * {g}"),
    "neg": ("-{a}", "-{g}"),
    "exp": ("exp({a})", "{y} * {g}"),
    "log": ("log({a})", "{g} / {a}"),
    "sin": ("sin({a})", "cos({a}) * {g}"),
    "cos": ("cos({a})", "-sin({a}) * {g}"),
    "tanh": ("tanh({a})", "(1 - {y} * {y}) * {g}"),
    "sigmoid": ("logistic({a})", "{y} * (1 - {y}) * {g}"),
    "relu": ("max({a}, 0.0)", "({a} > 0) * {g}"),
    "abs": ("abs({a})", "(({a} > 0) - ({a} < 0)) * {g}"),
    "max": ("max({a}, {b})", "(({a} > {b}) + ({a} >= {b})) / 2 * {g}", "(({b} > {a}) + ({b} >= {a})) / 2 * {g}"),
    "**": ("{a} ** {b}", "power_slope({a}, {b}) * {g}", "exponent_slope({a}, {b}) * {g}"),
}
LIBRARY = {
    "math": ("cos", "exp", "inf", "log", "nan", "sin", "tanh"),
    "gradus.scalar.value": ("exponent_slope", "logistic", "power_slope"),
}


def listing(program: Program) -> str:
    """A Python function of the inputs and parameters that returns the value and, in the same order, its gradients."""
    names = _names(program)
    first = len(names) - len(program.ops)
    leaves = names[: len(program.inputs) + len(program.parameters)]
    constants = range(len(leaves), first)
    numbered = list(enumerate(program.instructions(), start=first))

    forward = ["# forward"]
    for slot, (op, a, b, label) in numbered:
        comment = "" if label in ("", names[slot]) else f"  # {label}"
        forward.append(f"{names[slot]} = {LINES[op][0].format(a=names[a], b=names[b])}{comment}")

    result = names[program.result]
    gradients = [f"d_{name}" for name in names]
    backward = [f"# backward: d_x is d({result})/dx"]
    uses = Counter(chain([program.result], *(_operands(instruction) for _, instruction in numbered)))
    reached = {*constants, program.result}  # the slots whose gradient is known, or not wanted
    if program.result not in constants:
        backward.append(f"d_{result} = 1.0")
    for slot, instruction in reversed(numbered):
        a, b = instruction.a, instruction.b
        for operand, slope in zip(_operands(instruction), _slopes(instruction, names, constants), strict=True):
            if operand in constants:
                continue
            gradient = slope.format(a=names[a], b=names[b], y=names[slot], g=gradients[slot])
            if slope == "{g}" and uses[operand] == 1 and operand >= first:
                gradients[operand] = gradient  # the same number: no line for it
            else:
                backward.append(f"{gradients[operand]} {'+=' if operand in reached else '='} {gradient}")
            reached.add(operand)
    backward += [f"{gradients[slot]} = 0.0" for slot in range(len(leaves)) if slot not in reached]

    body = [*forward, *backward, f"return {result}, [{', '.join(gradients[: len(leaves)])}]"]
    return "\n".join(
        [
            *_imports("\n".join(body)),
            f"# {program.operations} operations in the graph, {len(program.ops)} here",
            _wrapped(f"def {program.name}({', '.join(leaves)}):"),
            *(_wrapped(line, "    ") for line in body),
        ]
    )


def _names(program: Program) -> list[str]:
    """What each slot is called: its label where that can be a name, a constant by its digits."""
    taken = {word for words in LIBRARY.values() for word in words} | {"abs", "max"}

    def name(label: str, otherwise: str) -> str:
        label = re.sub(r"\W+", "_", label).strip("_")
        usable = label.isidentifier() and not keyword.iskeyword(label) and taken.isdisjoint({label, f"d_{label}"})
        chosen = label if usable else otherwise
        while not taken.isdisjoint({chosen, f"d_{chosen}"}):
            chosen += "_"
        taken.update({chosen, f"d_{chosen}"})
        return chosen

    return [
        *(name(label, f"x{i}") for i, label in enumerate(program.inputs)),
        *(name(parameter.label, f"p{i}") for i, parameter in enumerate(program.parameters)),
        *(f"({number})" if number < 0 else str(number) for number in program.constants),
        *(name(instruction.label, f"v{i}") for i, instruction in enumerate(program.instructions())),
    ]


def _operands(instruction: Instruction) -> tuple[int, ...]:
    return (instruction.a, instruction.b)[: len(LINES[instruction.op]) - 1]


def _slopes(instruction: Instruction, names: list[str], constants: range) -> tuple[str, ...]:
    """The lines of the gradients; that of a power with a constant exponent shows the rule."""
    if instruction.op != "**" or instruction.b not in constants:
        return LINES[instruction.op][1:]
    n = float(names[instruction.b].strip("()"))
    rule = "0.0" if n == 0 else f"{n} * {{a}} * {{g}}" if n == 2 else f"{n} * {{a}} ** {n - 1} * {{g}}"
    return rule, ""


def _imports(body: str) -> list[str]:
    lines = []
    for module, words in LIBRARY.items():
        if used := [word for word in words if re.search(rf"\b{word}\b", body)]:
            lines.append(f"from {module} import {', '.join(used)}")
    return lines


def _wrapped(line: str, indent: str = "") -> str:
    return fill(line, 110, initial_indent=indent, subsequent_indent=f"{indent}    ", break_long_words=False)
