"""A number that remembers how it was made, so that its derivatives can be found: backpropagation in one class.

Every operation makes a new `Value` that keeps its operands, one or two, and beside each operand one number: the local
derivative of the result with respect to it. The chain rule is then a single loop, the same for every operation: a node
hands each operand its own gradient times that number. A node is a single object, and nothing it holds refers back to
it: so Python's garbage collector, which looks at every container, has little to look at, and a graph is freed with
its last reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import truediv

Number = int | float


class Value:
    """A float in a computation graph.

    `+ - * / **` take a Value or a number on either side; `< <= > >=` compare the data; `==` asks whether two are the
    same node.

        a, b = Value(2.0, "a"), Value(-3.0, "b")
        c = a * b + a
        c.backward()
        a.grad, b.grad  # dc/da = b + 1 = -2.0, dc/db = a = 2.0

    Attributes:
        data: the number. A leaf's may be set; what was computed from it before does not change.
        grad: d(root)/d(this), after `root.backward()`.
        label: a name for people; may be set at any time.
        _op: the operation that made it ("+", "tanh", "**2" ...), "" for a leaf.
        _prev: its operands, in order; one that is used twice is there twice.
        _local: the derivative of this node with respect to each of them.
    """

    __slots__ = ("_a", "_b", "_da", "_db", "_op", "data", "grad", "label")

    data: float
    grad: float
    label: str
    _op: str
    _a: Value | None  # the first operand, None for a leaf
    _b: Value | None  # the second, None if there is only one
    _da: float  # d(this)/d(_a)
    _db: float

    def __init__(self, data: Number, label: str = "") -> None:
        try:
            self.data = float(+data)  # + refuses text; float turns NumPy's scalars into Python's, which are faster
        except (TypeError, ValueError):  # nothing but a number, in whatever form
            raise TypeError(f"a Value holds one real number, got {data!r}") from None
        self.grad = 0.0
        self.label = label
        self._op = ""
        self._a = self._b = None
        self._da = self._db = 0.0

    @property
    def _prev(self) -> tuple[Value, ...]:
        return tuple(operand for operand in (self._a, self._b) if operand is not None)

    @property
    def _local(self) -> tuple[float, ...]:
        return (self._da, self._db)[: len(self._prev)]

    # Operations: the value, the name, and each operand followed by the derivative with respect to it.

    def __add__(self, other: Value | Number) -> Value:
        b = other if isinstance(other, Value) else Value(other)
        return _node(self.data + b.data, "+", self, 1.0, b, 1.0)

    def __sub__(self, other: Value | Number) -> Value:
        b = other if isinstance(other, Value) else Value(other)
        return _node(self.data - b.data, "-", self, 1.0, b, -1.0)

    def __mul__(self, other: Value | Number) -> Value:
        b = other if isinstance(other, Value) else Value(other)
        return _node(self.data * b.data, "*", self, b.data, b, self.data)

    def __truediv__(self, other: Value | Number) -> Value:
        b = other if isinstance(other, Value) else Value(other)
        y = _evaluate(truediv, "/", self, b)
        return _node(y, "/", self, 1.0 / b.data, b, -y / b.data)

    def __pow__(self, other: Value | Number) -> Value:
        """x**n for a number n is a node of one operand, "**n"; for a Value n, of two, "**"."""
        b = other if isinstance(other, Value) else Value(other)
        y = _evaluate(math.pow, "**", self, b)
        da = _evaluate(power_slope, "slope of **", self, b)
        if b is not other:
            return _node(y, f"**{str(b.data).removesuffix('.0')}", self, da)
        return _node(y, "**", self, da, b, exponent_slope(self.data, b.data))

    def __neg__(self) -> Value:
        return _node(-self.data, "neg", self, -1.0)

    def exp(self) -> Value:
        y = _evaluate(math.exp, "exp", self)
        return _node(y, "exp", self, y)

    def log(self) -> Value:
        y = _evaluate(math.log, "log", self)
        return _node(y, "log", self, 1.0 / self.data)

    def sin(self) -> Value:
        y = _evaluate(math.sin, "sin", self)
        return _node(y, "sin", self, math.cos(self.data))

    def cos(self) -> Value:
        y = _evaluate(math.cos, "cos", self)
        return _node(y, "cos", self, -math.sin(self.data))

    def tanh(self) -> Value:
        y = math.tanh(self.data)
        return _node(y, "tanh", self, 1.0 - y * y)

    def sigmoid(self) -> Value:
        y = logistic(self.data)
        return _node(y, "sigmoid", self, y * (1.0 - y))

    def relu(self) -> Value:
        x = self.data
        return _node(0.0, "relu", self, 0.0) if x <= 0 else _node(x, "relu", self, 1.0)  # NaN stays NaN

    def abs(self) -> Value:
        """|x|; the slope at 0 is 0, as in PyTorch."""
        x = self.data
        return _node(abs(x), "abs", self, float((x > 0) - (x < 0)))

    def max(self, other: Value | Number) -> Value:
        """The larger of the two; of equals, each gets half of the gradient, as in PyTorch's maximum."""
        b = other if isinstance(other, Value) else Value(other)
        share = 0.5 * ((self.data > b.data) - (self.data < b.data)) + 0.5
        return _node(max(self.data, b.data), "max", self, share, b, 1.0 - share)

    # A number on the left: sum() starts with 0 + v.

    def __radd__(self, other: Number) -> Value:
        return Value(other) + self

    def __rsub__(self, other: Number) -> Value:
        return Value(other) - self

    def __rmul__(self, other: Number) -> Value:
        return Value(other) * self

    def __rtruediv__(self, other: Number) -> Value:
        return Value(other) / self

    def __rpow__(self, other: Number) -> Value:
        return Value(other) ** self

    def __abs__(self) -> Value:
        return self.abs()

    def __lt__(self, other: Value | Number) -> bool:
        return self.data < _data(other)

    def __le__(self, other: Value | Number) -> bool:
        return self.data <= _data(other)

    def __gt__(self, other: Value | Number) -> bool:
        return self.data > _data(other)

    def __ge__(self, other: Value | Number) -> bool:
        return self.data >= _data(other)

    # Backpropagation.

    def backward(self) -> None:
        """Set `grad` of every node that this one was computed from to d(self)/d(node).

        A node may pass its gradient on only when it is complete, that is, after every node that uses it: hence the
        topological order. With `a = Value(1); b = a + a; c = b + b`, b gets 1 from each of its two uses in c. A walk
        that went on into a at each arrival would pass on 1 (to each of a's two uses) and then, b holding 2 by now, 2:
        a.grad = 6. In the order c, b, a, b holds its 2 before it passes anything on, and a.grad = 4.

        Called again, it does what PyTorch does by default: leaves accumulate (set their grad to 0 between steps, or
        call `zero_grad`), and the nodes between start again from 0, so nothing left from the first call counts twice.
        """
        order = self.topological()
        for node in order:
            if node._a is not None:
                node.grad = 0.0
        self.grad += 1.0
        for node in reversed(order):
            if node._a is not None:
                node._a.grad += node._da * node.grad
                if node._b is not None:
                    node._b.grad += node._db * node.grad

    def topological(self) -> list[Value]:
        """Every node that this one was computed from, each once and after its own operands; this one last.

        Depth first, with a list in place of recursion, so that depth has no limit: a node goes back on the list under
        a None, and above them its operands; when the None comes up again, the operands are done.
        """
        order: list[Value] = []
        seen: set[Value] = set()
        todo: list[Value | None] = [self]
        while todo:
            node = todo.pop()
            if node is None:
                order.append(todo.pop())  # type: ignore[arg-type]  # under a None there is always a node
            elif node not in seen:
                seen.add(node)
                if node._a is None:
                    order.append(node)
                elif node._b is None:
                    todo += (node, None, node._a)
                else:
                    todo += (node, None, node._b, node._a)
        return order

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data}, grad={self.grad}{label})"


def logistic(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow on either side."""
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))


def power_slope(x: float, n: float) -> float:
    """d(x**n)/dx = n x**(n-1); 0 for n = 0, and infinite at 0 for n between 0 and 1."""
    if n == 0:
        return 0.0
    return math.inf if x == 0 and n < 1 else n * math.pow(x, n - 1)


def exponent_slope(x: float, n: float) -> float:
    """d(x**n)/dn = x**n log(x); 0 at x = 0, and nan for a negative x, whose powers are real only here and there."""
    if x > 0:
        return math.pow(x, n) * math.log(x)
    return 0.0 if x == 0 else math.nan


def _node(data: float, op: str, a: Value, da: float, b: Value | None = None, db: float = 0.0) -> Value:
    node: Value = object.__new__(Value)
    node.data = data
    node.grad = 0.0
    node.label = ""
    node._op = op
    node._a, node._da = a, da
    node._b, node._db = b, db
    return node


def _data(x: Value | Number) -> float:
    return x.data if isinstance(x, Value) else x


def _evaluate(function: Callable[..., float], op: str, *operands: Value) -> float:
    """function(the operands' data); an error of domain or range says at which node."""
    try:
        return function(*[operand.data for operand in operands])
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        names = [operand.label or operand._op or "leaf" for operand in operands]
        at = ", ".join(f"{name} = {operand.data}" for name, operand in zip(names, operands, strict=True))
        raise type(error)(f"{error}: {op} of {at}") from None
