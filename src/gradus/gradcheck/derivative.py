"""The first lesson: a derivative as a limit, and what a computer makes of it.

The smaller the step, the better the quotient follows the curve, until rounding takes over: f(x+h) and f(x) agree in
ever more digits, and what is left of their difference is noise. The forward difference is best near h = 1e-8, with
half of the digits right; the central one near 1e-5, with two thirds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.gradcheck.inputs import Array
from gradus.scalar import Value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHODS = ("forward", "backward", "central")


@dataclass(frozen=True, slots=True)
class Derivative:
    """Difference quotients of a function at x, over a range of steps.

    Attributes:
        exact: the derivative that errors are measured against: by backpropagation, where f can be called with a
            Value; else the central difference that agrees best with its neighbour, which is good to about ten digits.
        by_backpropagation: which of the two it is.
        steps: (n,), decreasing.
        forward, backward, central: (n,), (f(x+h) - f(x)) / h, (f(x) - f(x-h)) / h, (f(x+h) - f(x-h)) / 2h.
    """

    x: float
    value: float
    exact: float
    by_backpropagation: bool
    steps: Array
    forward: Array
    backward: Array
    central: Array

    def errors(self, method: str) -> Array:
        """|quotient - exact| of "forward", "backward" or "central", (n,)."""
        quotients: Array = getattr(self, method)
        return np.abs(quotients - self.exact)

    def best(self, method: str = "central") -> float:
        """The step with the smallest error."""
        return float(self.steps[np.nanargmin(self.errors(method))])

    def table(self) -> str:
        """One line a step."""
        lines = [f"{'h':>8}" + "".join(f"{method:>24}" for method in METHODS)]
        for i, step in enumerate(self.steps):
            lines.append(f"{step:8.0e}" + "".join(f"{float(getattr(self, method)[i]):24.15f}" for method in METHODS))
        lines.append(self._summary())
        return "\n".join(lines) + "\n"

    __str__ = table

    def __repr__(self) -> str:
        """What is known, and how near a quotient comes; `print` shows the table."""
        step = self.best()
        error = self.errors("central")[self.steps == step][0]
        return f"{self._summary()}\nbest: central difference with h = {step:g}, error {error:.1e}"

    def _summary(self) -> str:
        how = "by backpropagation" if self.by_backpropagation else "by central differences"
        return f"f({self.x:g}) = {self.value:.15g}, f'({self.x:g}) = {self.exact:.15g} {how}"

    def figure(self) -> Figure:
        """The error against the step, both axes logarithmic: down with the curve, up with the rounding."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6.4, 4.0), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        styles = (("#d9590f", "o", "-"), ("#b57a00", "s", "--"), ("#2a78d6", "^", "-"))
        for method, (color, marker, line) in zip(METHODS, styles, strict=True):
            errors = np.maximum(self.errors(method), np.finfo(float).tiny)
            shown = np.where(errors > 1e-17, errors, np.nan)  # an exact hit has no place on a logarithmic axis
            axes.plot(self.steps, shown, color=color, marker=marker, linestyle=line, markersize=4, label=method)
        axes.set(xscale="log", yscale="log", xlabel="step h", ylabel="error of the derivative")
        axes.set_title(f"Difference quotients at x = {self.x:g}, derivative {self.exact:.6g}", loc="left", fontsize=11)
        axes.grid(True, color="#e4e3df", linewidth=0.8)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.legend(frameon=False)
        return figure

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Twice as fine as it is shown, for a screen with such pixels."""
        from io import BytesIO

        figure, buffer, shown = self.figure(), BytesIO(), 96  # pixels an inch
        figure.savefig(buffer, format="png", dpi=2 * shown)
        width, height = figure.get_size_inches()
        return buffer.getvalue(), {"width": round(width * shown), "height": round(height * shown)}


def derivative(f: Callable[[Any], Any], x: float, steps: Any = None) -> Derivative:
    """Forward, backward and central differences of f at x.

    Args:
        f: a function of one number, made of arithmetic and of methods of Value, or of `math`.
        steps: the values of h; 1e-1, 1e-2 ... 1e-15 if None.

    Raises:
        TypeError: if f is no function, or x no number.
        ValueError: if a step is not positive.
    """
    if not callable(f):
        raise TypeError(f"f must be a function of one number, such as lambda x: x**2, got {f!r}")
    if not isinstance(x, (int, float)):
        raise TypeError(f"x must be a number, got {x!r}")
    h = np.array([10.0**-k for k in range(1, 16)] if steps is None else steps, dtype=np.float64)
    if h.ndim != 1 or not h.size or not np.all(h > 0):
        raise ValueError(f"steps must be one or more positive numbers, got {steps}")
    evaluate, exact = _as_numbers(f, x)
    here = evaluate(x)
    above = np.array([evaluate(x + step) for step in h])
    below = np.array([evaluate(x - step) for step in h])
    forward, backward, central = (above - here) / h, (here - below) / h, (above - below) / (2 * h)
    known = exact is not None
    if exact is None:
        exact = float(central[np.argmin(np.abs(np.diff(central)))]) if h.size > 1 else float(central[0])
    return Derivative(float(x), here, exact, known, h, forward, backward, central)


def _as_numbers(f: Callable[[Any], Any], x: float) -> tuple[Callable[[float], float], float | None]:
    """f as a function of floats, and its derivative if a graph can give it."""
    leaf = Value(x)
    try:
        result = f(leaf)
    except (TypeError, AttributeError):
        return lambda at: float(f(at)), None
    if not isinstance(result, Value):
        return lambda at: float(f(at)), None
    result.backward()
    return lambda at: float(f(Value(at)).data), leaf.grad
