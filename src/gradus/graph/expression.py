"""Arithmetic typed by hand as a graph of Values: `a=1; b=a+a; c=b+b`. The text is parsed and walked, never run as
Python.

What is understood: numbers, names, + - * / **, brackets, the functions below, and assignments separated by
semicolons; a name that is assigned labels its node.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Iterable, Mapping

from gradus.errors import UserError
from gradus.scalar import Value

BINARY: Mapping[type[ast.operator], Callable[[Value, Value], Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
FUNCTIONS: Mapping[str, Callable[[Value], Value]] = {
    "abs": Value.abs,
    "cos": Value.cos,
    "exp": Value.exp,
    "log": Value.log,
    "relu": Value.relu,
    "sigmoid": Value.sigmoid,
    "sin": Value.sin,
    "sqrt": lambda x: x**0.5,
    "tanh": Value.tanh,
}


def parse_expression(text: str, variables: Mapping[str, float] | None = None) -> Value:
    """The Value of an expression, or of the last of several assignments.

    Args:
        variables: numbers for names that the text uses without assigning them.

    Raises:
        UserError: for anything that is not understood or cannot be computed; it says where.
    """
    return _Reader(text, variables or {}).result()


def parse_variables(words: Iterable[str]) -> dict[str, float]:
    """The values of variables, given as words: ["x1=2", "w=-3"] -> {"x1": 2.0, "w": -3.0}.

    Raises:
        UserError: if a word is not a name, "=" and a finite number.
    """
    variables = {}
    for word in words:
        name, equals, number = word.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not equals or not name.isidentifier() or not math.isfinite(value):
            raise UserError(f"a variable is given as NAME=NUMBER, such as x1=2, got {word!r}")
        variables[name] = value
    return variables


class _Reader:
    def __init__(self, text: str, variables: Mapping[str, float]) -> None:
        self.text = "\n".join(line.strip() for line in text.strip().splitlines())  # indented lines are no block here
        self.values = {name: Value(number, name) for name, number in variables.items()}
        self.unused = set(variables)

    def result(self) -> Value:
        try:
            with warnings.catch_warnings(action="ignore"):  # Python's opinions on what is not Python's business
                statements = ast.parse(self.text).body
            if not statements:
                raise UserError("the expression is empty; try 'tanh(2*-3 + 0*1 + 6.88)'")
            value = [self._statement(statement) for statement in statements][-1]
        except SyntaxError as error:
            message = error.msg or "invalid syntax"
            raise self._error(message, line=error.lineno or 1, column=error.offset or 1) from None
        except (RecursionError, MemoryError):
            raise UserError("the expression is nested too deeply; name its parts: 'a = ...; b = a + ...'") from None
        except ValueError as error:  # a zero byte
            raise UserError(f"the expression cannot be read: {error}") from None
        if self.unused:
            name = min(self.unused)
            raise UserError(f"the variable {name} is given but {self.text!r} does not use it")
        return value

    def _statement(self, statement: ast.stmt) -> Value:
        match statement:
            case ast.Expr(value=expression):
                return self._value(expression)
            case ast.Assign(targets=[ast.Name(id=name)], value=expression):
                value = self._value(expression)
                value.label = value.label or name
                self.unused.discard(name)
                self.values[name] = value
                return value
        raise self._error("an expression or an assignment is needed here", statement)

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return Value(self._number(node, number))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return Value(-self._number(node, number))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._value(operand)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._value(operand)
            case ast.Name(id=name):
                return self._variable(name, node)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                base, exponent = self._value(left), self._value(right)
                constant = not exponent.label and not exponent._op
                return self._compute(node, lambda: base ** (_tidy(exponent.data) if constant else exponent))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                a, b = self._value(left), self._value(right)
                return self._compute(node, lambda: BINARY[type(op)](a, b))
            case ast.BinOp(op=ast.BitXor()):
                raise self._error("a power is written **, not ^", node)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments, node)
        raise self._error(f"{ast.unparse(node)!r} is not arithmetic", node)

    def _call(self, name: str, arguments: list[ast.expr], node: ast.expr) -> Value:
        if name != "max" and name not in FUNCTIONS:
            known = ", ".join([*sorted([*FUNCTIONS, "max"])])
            raise self._error(f"unknown function {name!r}; choose one of {known}", node)
        if len(arguments) != 1 and (name != "max" or not arguments):
            raise self._error(
                f"{name} takes {'numbers' if name == 'max' else 'one number'}, got {len(arguments)}", node
            )
        values = [self._value(argument) for argument in arguments]
        if name != "max":
            return self._compute(node, lambda: FUNCTIONS[name](values[0]))
        largest = values[0]
        for value in values[1:]:
            largest = largest.max(value)
        return largest

    def _variable(self, name: str, node: ast.expr) -> Value:
        if name not in self.values:
            is_function = name in FUNCTIONS or name == "max"
            advice = f"{name} is a function: {name}(...)" if is_function else f"{name} has no value; add {name}=2, say"
            raise self._error(advice, node)
        self.unused.discard(name)
        return self.values[name]

    def _number(self, node: ast.expr, number: float) -> float:
        try:
            value = float(number)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self._error("this number is too large for a float", node)
        return value

    def _compute(self, node: ast.expr, compute: Callable[[], Value]) -> Value:
        try:
            return compute()
        except (ArithmeticError, ValueError) as error:
            raise self._error(str(error), node) from None

    def _error(self, said: str, node: ast.AST | None = None, *, line: int = 1, column: int = 1) -> UserError:
        """The message with the place: the line, where there are several, the column, and the text from there."""
        lines = self.text.split("\n")
        if node is not None:
            line, start = node.lineno, node.col_offset  # type: ignore[attr-defined]  # in bytes of UTF-8
            column = len(lines[line - 1].encode("utf-8", "surrogatepass")[:start].decode("utf-8", "replace")) + 1
        rest = lines[line - 1][column - 1 :] if line <= len(lines) else ""
        shown = rest if len(rest) <= 24 else rest[:23] + "…"
        where = f"line {line}, column {column}" if len(lines) > 1 else f"column {column}"
        at = f"at {where}, {shown!r}" if shown else "at the end" + (f" of line {line}" if line < len(lines) else "")
        return UserError(f"{said} ({at} of the expression)")


def _tidy(number: float) -> float:
    """2 rather than 2.0, so that the node is called **2."""
    return int(number) if number.is_integer() and abs(number) < 1e15 else number
