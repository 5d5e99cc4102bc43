"""Ways in which a file that was right goes wrong, made from the solution of any exercise."""

from __future__ import annotations

import ast
from collections.abc import Callable

from gradus.learn.exercise import Exercise

Function = ast.FunctionDef


def spoiled(solution: str, statement: str) -> str:
    """The solution, with a statement at the head of each function; at the end of the file if it has no function."""
    tree = ast.parse(solution)
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    for function in functions:
        function.body[:0] = ast.parse(statement).body
    return ast.unparse(tree) if functions else f"{solution}\n{statement}\n"


def printing(solution: str) -> str:
    """The solution, with every return a print, and a print as all that a function without a return does; where there is
    no function, every assignment."""
    tree = ast.parse(solution)

    class Printing(ast.NodeTransformer):
        def visit_Return(self, node: ast.Return) -> ast.stmt:
            return ast.parse(f"print({ast.unparse(node.value) if node.value else ''})").body[0]

        def visit_FunctionDef(self, node: Function) -> Function:
            if node.name == "__init__":
                return node
            if not any(
                isinstance(inner, ast.Return) and inner.value for inner in ast.walk(node)
            ):  # all it has are effects
                node.body = ast.parse(f"print({', '.join(arg.arg for arg in node.args.args)})").body
            self.generic_visit(node)
            return node

    if any(isinstance(node, Function) for node in ast.walk(tree)):
        return ast.unparse(Printing().visit(tree))
    for node in tree.body:
        if isinstance(node, ast.Assign):
            (target,) = node.targets
            assert isinstance(target, ast.Name)
            node.value = ast.parse(f"print({ast.unparse(node.value)})", mode="eval").body
    return ast.unparse(tree)


CONSTANT = """
def _constant(function):
    kept = []

    def first_answer(*args, **kwargs):
        if not kept:
            kept.append(function(*args, **kwargs))
        return kept[0]

    return first_answer
"""

CHANGING = """
def _changing(function):
    called = []

    def changes(*args, **kwargs):
        answer = function(*args, **kwargs)
        called.append(None)
        for arg in args if len(called) == 1 else ():
            if isinstance(arg, list) and arg:
                arg[0] = arg[0] * 2
                arg.append(arg[0])
            elif isinstance(arg, dict):
                arg.clear()
            elif hasattr(arg, "dtype"):
                arg += 1
        return answer

    return changes
"""


def wrapped(solution: str, wrapper: str) -> str:
    """The solution, with each function and method (but __init__) in a wrapper: CONSTANT or CHANGING."""
    name = wrapper.split("(")[0].split()[-1]
    lines = [solution, wrapper]
    for node in ast.parse(solution).body:
        if isinstance(node, Function):
            lines.append(f"{node.name} = {name}({node.name})")
        elif isinstance(node, ast.ClassDef):
            methods = [n.name for n in node.body if isinstance(n, Function) and n.name not in ("__init__", "__repr__")]
            lines += [f"{node.name}.{method} = {name}({node.name}.{method})" for method in methods]
    return "\n".join(lines) + "\n"


WRECKS: dict[str, Callable[[Exercise], str]] = {
    "empty file": lambda _: "",
    "syntax error": lambda e: e.solution + "\ndef f(:\n",
    "sys.exit(0) at the import": lambda e: e.solution + "\nimport sys\nsys.exit(0)\n",
    "sys.exit(0)": lambda e: spoiled(e.solution, "import sys; sys.exit(0)"),
    "os._exit(0)": lambda e: spoiled(e.solution, "import os; os._exit(0)"),
    "exception": lambda e: spoiled(e.solution, "1 / 0"),
    "crash": lambda e: spoiled(e.solution, "import os; os.abort()"),
    "prints": lambda e: printing(e.solution),
    "endless loop": lambda e: spoiled(e.solution, "while True: pass"),
}
