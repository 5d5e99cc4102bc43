# %% [markdown]
# # 2. Numbers that remember
#
# *To read: 40 minutes. To run: 2 seconds. You need: lesson 1.*
#
# Lesson 1 ended with a problem. A nudge tells you what *one* number does to the result.
# GPT-2 has 124,439,808 of them. To nudge each, you would have to run it 124,439,808 times
# for one step.
#
# In this lesson you find all the answers in one run, forwards and then backwards. The
# method is called *backpropagation*. It is the one idea that all of deep learning stands
# on, and you are going to write it in about thirty lines.

# %% [markdown]
# ## A small formula
#
# Here is a formula in three steps. It stands for any network: numbers go in on one side,
# and out comes a single number, `L`, that you want to change. (L for *loss*, the name for
# what should become small. Here it is only a name.)

# %%
a, b, c, f = 2.0, -3.0, 10.0, -2.0
e = a * b
d = e + c
L = d * f
print(L)

# %% [markdown]
# Now you would like to know what L would do if you nudged a. Python cannot tell you: `L`
# is -8.0, and nothing about it says where it came from. The multiplication and the
# addition are forgotten as soon as they are done.
#
# So make numbers that remember.


# %%
class Value:
    """A number, and what it was made from."""

    def __init__(self, data, _prev=(), _op="", label=""):
        self.data = data
        self.grad = 0.0
        self._prev = _prev  # the Values it was made from
        self._op = _op  # and how
        self.label = label

    def __repr__(self):
        return f"Value({self.data})"

    def __add__(self, other):
        return Value(self.data + other.data, (self, other), "+")

    def __mul__(self, other):
        return Value(self.data * other.data, (self, other), "*")


print(Value(2.0) * Value(-3.0) + Value(10.0))

# %% [markdown]
# Python calls `__add__` for you when it sees a +, and `__mul__` for a *. Both do the
# arithmetic, and keep the two numbers that went in. Nothing else is new.
#
# The same formula again:


# %%
def small_formula():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c, f = Value(10.0, label="c"), Value(-2.0, label="f")
    e = a * b
    e.label = "e"
    d = e + c
    d.label = "d"
    L = d * f
    L.label = "L"
    return a, b, c, f, e, d, L


a, b, c, f, e, d, L = small_formula()
print(L, "was made by", L._op, "from", L._prev)
assert L.data == -8.0

# %% [markdown]
# L remembers d and f; d remembers e and c. Follow what each remembers, and you get the
# whole history. It is called the *computation graph*. `graph` draws it:

# %%
from gradus.graph import graph

graph(L)

# %% [markdown]
# Read it from left to right. Blue boxes are the numbers that you put in, the green one is
# the result, and the round signs say what was done. "Backward not run" means that nobody
# has looked for the derivatives yet.

# %% [markdown]
# ## Backwards, by hand
#
# For every box you now ask the question of lesson 1: if this number is nudged, how many
# times as far does L move? The answer is written into `grad`. You begin at the right,
# because there it is easy.
#
# **Write down:** what is the derivative of L with respect to L itself?

# %%
L.grad = 1.0  # nudge L by h, and L moves by h

# %% [markdown]
# Next to the left are d and f. `L = d * f`, with d = 4 and f = -2.
#
# **Write down:** if d is nudged, how many times as far does L move? And if f is nudged?
# (In lesson 1 you had a * b, and found that the answer for a is b.)

# %%
d.grad = f.data  # L = d * f: a nudge of d is multiplied by f
f.grad = d.data
print("d:", d.grad, "  f:", f.grad)

# %% [markdown]
# Now comes the one new idea. What about e? It does not touch L. But it touches d, and d
# touches L:
#
#     d = e + c:   e moves by h  ->  d moves by h         1 times as far
#     L = d * f:   d moves by h  ->  L moves by -2h      -2 times as far
#
# So e moves L by 1 times -2, which is -2 times as far. **When effects follow each other,
# you multiply.** If a car is twice as fast as a bicycle, and a bicycle four times as fast
# as a walker, the car is eight times as fast as the walker. This is the *chain rule*, and
# it is all you need.

# %%
e.grad = 1.0 * d.grad  # how far e moves d, times how far d moves L
c.grad = 1.0 * d.grad
print("e:", e.grad, "  c:", c.grad)

# %% [markdown]
# A plus does not change what passes through it. It hands its own gradient on to both
# sides.
#
# Two are left. `e = a * b`, with a = 2 and b = -3.
#
# **Write down** a.grad and b.grad. How far does a move e? And how far does e move L?

# %%
a.grad = b.data * e.grad
b.grad = a.data * e.grad
print("a:", a.grad, "  b:", b.grad)

# %%
graph(L)

# %% [markdown]
# Now each box has its answer, below the number. Check that you can say each of them in
# words: "if c is nudged up by 0.001, L goes down by 0.002".

# %% [markdown]
# ## Trust, but nudge
#
# Are they right? You do not have to ask anybody. You can nudge.
#
# To check the numbers in the middle as well, d and e, you must nudge them where they are
# made. So write the formula with a place for a nudge after each step:


# %%
def formula(nudged="", h=0.0):
    def n(name):
        return h if name == nudged else 0.0

    a, b, c, f = 2.0 + n("a"), -3.0 + n("b"), 10.0 + n("c"), -2.0 + n("f")
    e = a * b + n("e")
    d = e + c + n("d")
    return d * f + n("L")


def by_nudging(name, h=1e-6):
    return (formula(name, h) - formula(name, -h)) / (2 * h)


for v in (a, b, c, f, e, d, L):
    print(f"{v.label}: by hand {v.grad:5.1f}   by nudging {by_nudging(v.label):9.6f}")
    assert abs(v.grad - by_nudging(v.label)) < 1e-6

# %% [markdown]
# All seven agree. (A public notebook has a check like this one that only nudges a, b, c
# and f. For d it prints "analytical -2.0, numerical 0.0, match False". A number that is
# never nudged never moves anything.)
#
# Such a check finds mistakes, too. A popular one is to forget a factor, as in this line
# for b:

# %%
wrong = e.grad  # -2: what e does to L. But what does b do to e?
print("wrong:", wrong, "  by nudging:", round(by_nudging("b"), 6))

# %% [markdown]
# ## What it is for
#
# You know the gradient of each of the four numbers that you put in. Move each of them by
# 0.01 times its gradient.
#
# **Write down:** will L go up or down? By about how much? (a moves by 0.06 and counts 6
# times. b moves by -0.04 and counts -4 times. Small effects add up.)

# %%
step = 0.01
a2, b2, c2, f2 = (v.data + step * v.grad for v in (a, b, c, f))
L2 = (a2 * b2 + c2) * f2
print(L2)
assert abs(L2 - -7.286496) < 1e-12

# %% [markdown]
# From -8 up to -7.29. The sum of the parts says 0.01 · (6² + 4² + 2² + 4²) = 0.72, and it
# was 0.71: every part is a square, so none of them could pull the other way. To make L
# *smaller*, you step against the gradient, as in lesson 1. One run backwards has told you
# how to move all four at once.

# %% [markdown]
# ## Let the numbers do it
#
# By hand you did the same thing at each sign: take the gradient of the result, multiply
# it by *how far this operand moves the result*, hand it on. The second factor is called
# the *local derivative*. It is known while the operation is being done:
#
# | made by | operand | local derivative |
# |---|---|---|
# | x + y | x | 1 |
# | x + y | y | 1 |
# | x * y | x | y |
# | x * y | y | x |
#
# So let each Value remember it, too, one for each operand:


# %%
class Value:
    """A number, what it was made from, and how far each of those moves it."""

    def __init__(self, data, _prev=(), _op="", _local=(), label=""):
        self.data = data
        self.grad = 0.0
        self._prev = _prev
        self._op = _op
        self._local = _local
        self.label = label

    def __repr__(self):
        return f"Value({self.data})"

    def __add__(self, other):
        return Value(self.data + other.data, (self, other), "+", (1.0, 1.0))

    def __mul__(self, other):
        return Value(self.data * other.data, (self, other), "*", (other.data, self.data))


# %% [markdown]
# Now the whole of what you did by hand fits into three lines. (It has two bugs. You will
# find them.)


# %%
def hand_on(node):
    for operand, local in zip(node._prev, node._local, strict=True):
        operand.grad = local * node.grad
        hand_on(operand)


a, b, c, f, e, d, L = small_formula()
L.grad = 1.0
hand_on(L)
print({v.label: v.grad for v in (a, b, c, f, e, d)})
assert [v.grad for v in (a, b, c, f, e, d)] == [6, -4, -2, 4, -2, -2]

# %% [markdown]
# Exactly your numbers. Finished?

# %% [markdown]
# ## The first bug
#
# Take the shortest formula that uses a number twice: b = a + a.
#
# **Write down:** what is the derivative of b with respect to a?

# %%
a = Value(1.0, label="a")
b = a + a
b.label = "b"
b.grad = 1.0
hand_on(b)
print("db/da =", a.grad)

# %% [markdown]
# It says 1. But b is twice a, so it must be 2! What happened? `hand_on` came to a twice,
# once for each side of the plus. The first time it wrote 1 into a.grad. The second time
# it wrote 1 over it.
#
# You know the answer from lesson 1: small effects add up. There are two ways from a to b.
# If a is nudged, both of them move b. So what arrives must be *added* to what is there:


# %%
def hand_on(node):
    for operand, local in zip(node._prev, node._local, strict=True):
        operand.grad += local * node.grad  # += where it was =
        hand_on(operand)


a = Value(1.0, label="a")
b = a + a
b.label = "b"
b.grad = 1.0
hand_on(b)
print("db/da =", a.grad)
assert a.grad == 2.0

# %% [markdown]
# One character. It is the most important one in this course. Networks use the same number
# in many places, and with = in place of += they learn nothing, without any error message.

# %% [markdown]
# ## The second bug
#
# Do it once more: b = a + a, and then c = b + b. So c is four times a.
#
# **Write down** what `hand_on` will say. You may trust it this time, or not.

# %%
a = Value(1.0, label="a")
b = a + a
b.label = "b"
c = b + b
c.label = "c"
c.grad = 1.0
hand_on(c)
print("dc/da =", a.grad)
assert a.grad == 6.0  # it should be 4

# %% [markdown]
# Six! Follow it with a finger:
#
# 1. c hands 1 to b, for the left side of its plus. Now b.grad = 1.
# 2. At once b hands that on: 1 to a, and 1 to a again. Now a.grad = 2.
# 3. c hands 1 to b, for the right side. Now b.grad = 2, as it should be.
# 4. b hands on what it has, **2**, to a, and 2 again. Now a.grad = 2 + 2 + 2 = 6.
#
# In step 2, b was too quick. It handed on a gradient that was not yet complete, and the
# part that had been handed on already was handed on a second time. So here is the rule:
# **a number hands its gradient on when everything that uses it has handed on to it, and
# not before.**
#
# Put the numbers in a row, so that each comes after what it was made from. Then walk
# along that row backwards. Such an order is called *topological*.


# %%
def in_order(root):
    """All numbers behind root, each after what it was made from."""
    order = []
    seen = set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for operand in node._prev:
                visit(operand)
            order.append(node)  # after its operands

    visit(root)
    return order


print([v.label for v in in_order(c)])
print([v.label for v in in_order(small_formula()[-1])])


# %%
def backward(root):
    root.grad = 1.0
    for node in reversed(in_order(root)):
        for operand, local in zip(node._prev, node._local, strict=True):
            operand.grad += local * node.grad


a = Value(1.0, label="a")
b = a + a
b.label = "b"
c = b + b
c.label = "c"
backward(c)
print("dc/db =", b.grad, "  dc/da =", a.grad)
assert a.grad == 4.0

# %% [markdown]
# Four. That is backpropagation, all of it: an order, and one line that multiplies and
# adds. Watch it walk. `walk` takes the steps one by one; in `accumulates` a second
# gradient arrives where one is already.

# %%
from gradus.graph import walk

print(walk(graph(c)).table())

# %% [markdown]
# And here is one step of it as a picture: b hands on to a for the first time. In b is the
# whole 2, because the step before has completed it. The orange lines are the way that it
# takes, against the way of the computation.

# %%
walk(graph(c)).frames()[3]

# %% [markdown]
# (In a cell of your own, run `walk(graph(c))`: you get buttons to step through all of
# them.)

# %% [markdown]
# ## The rest of arithmetic
#
# A neuron needs more than + and *. Each operation that you add needs one thing: its local
# derivative.
#
# | made by | local derivative | why |
# |---|---|---|
# | exp x | exp x | it is the function that is its own slope |
# | xⁿ | n xⁿ⁻¹ | lesson 1: x² at 3 has the slope 6 |
# | tanh x | 1 - tanh² x | steep in the middle, flat at both ends |
#
# The rest follows: -x is x * -1, x - y is x + -y, x / y is x * y⁻¹. With those, the class
# is complete. Here it is as a whole:

# %%
import math


class Value:
    """A number that remembers how it was made, so that its derivatives can be found."""

    def __init__(self, data, _prev=(), _op="", _local=(), label=""):
        self.data = data
        self.grad = 0.0
        self._prev = _prev
        self._op = _op
        self._local = _local
        self.label = label

    def __repr__(self):
        return f"Value({self.data:.4f})"

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), "+", (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), "*", (other.data, self.data))

    def __pow__(self, n):
        return Value(self.data**n, (self,), f"**{n}", (n * self.data ** (n - 1),))

    def exp(self):
        y = math.exp(self.data)
        return Value(y, (self,), "exp", (y,))

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, (self,), "tanh", (1 - y * y,))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), "relu", (float(self.data > 0),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __truediv__(self, other):
        return self * other**-1

    def __radd__(self, other):  # for number + Value
        return self + other

    def __rsub__(self, other):
        return -self + other

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return self**-1 * other

    def backward(self):
        self.grad = 1.0
        for node in reversed(in_order(self)):
            for operand, local in zip(node._prev, node._local, strict=True):
                operand.grad += local * node.grad


# %% [markdown]
# `relu`, which keeps what is positive and makes 0 of the rest, is there for the next
# lesson.
#
# Two details are worth a look. For `1 + x` Python asks first the 1, which does not know
# how, and then the `__radd__` of x. `sum(...)` needs it too, since it begins with 0 + the
# first. And `__rsub__` is a trap: somebody's notebook has `return self - other` in it,
# which turns 5 - x into x - 5. Check yours:

# %%
x = Value(2.0)
assert (5 - x).data == 3.0
assert (1 / x).data == 0.5
assert sum([x, x, x]).data == 6.0

# %% [markdown]
# ## A neuron
#
# Here is what all this is for: one neuron. It multiplies its inputs x by weights w, adds
# a bias b, and squashes the sum with tanh, so that it lies between -1 and 1.
#
# **Write down:** x2 is 0. What is the gradient of w2? And tanh is at 0.7071 here, where 1
# - tanh² is 0.5. What is the gradient of w1?

# %%
x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
b = Value(6.8813735870195432, label="b")
o = (x1 * w1 + x2 * w2 + b).tanh()
o.label = "o"
o.backward()
graph(o).svg(direction="down")

# %%
for v in (x1, w1, x2, w2):
    print(f"{v.label}: {v.grad:7.4f}")
assert [round(v.grad, 6) for v in (x1, w1, x2, w2)] == [-1.5, 1.0, 0.5, 0.0]

# %% [markdown]
# w2 has the gradient 0. It is multiplied by x2 = 0, so however you move it, nothing
# happens. A weight whose input is 0 cannot learn from this example.
#
# Need tanh be one step? Not at all. Written with exp it is many small ones, and the chain
# rule takes them all:

# %%
p1, p2 = Value(2.0, label="x1"), Value(0.0, label="x2")
q1, q2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
n = p1 * q1 + p2 * q2 + 6.8813735870195432
power = (2 * n).exp()
long_way = (power - 1) / (power + 1)
long_way.backward()
print(long_way, [round(v.grad, 6) for v in (p1, q1, p2, q2)])
for long, short in zip((p1, q1, p2, q2), (x1, w1, x2, w2), strict=True):
    assert abs(long.grad - short.grad) < 1e-12

# %% [markdown]
# The same gradients. How finely you cut a formula into operations is up to you, as long
# as you know the local derivative of each.

# %% [markdown]
# ## Run it twice
#
# One more thing that will bite you later, so meet it now.
#
# **Write down:** the slope of a² at 3 is 6. You compute a * a, and call backward. Then
# you do both once more, with the same a. What does a.grad say now?

# %%
a = Value(3.0, label="a")
(a * a).backward()
print("once: ", a.grad)
(a * a).backward()
print("twice:", a.grad)
assert a.grad == 12.0

# %% [markdown]
# 6, and then 12. The += that was so important adds to what is left from before. Between
# two runs you have to set the gradients to 0 yourself. In lesson 3 you will see what
# happens to a network when somebody forgets.

# %% [markdown]
# ## Where gradus has it
#
# `gradus.scalar.Value` is this class. Take a longer formula, the one with which
# micrograd, the first such class that many people read, greets its visitors. Run it
# through yours and through that of gradus:

# %%
from gradus import scalar


def long_formula(Value):
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return g, a, b


mine, theirs = long_formula(Value), long_formula(scalar.Value)
for who, (g, a, b) in (("yours", mine), ("gradus", theirs)):
    print(f"{who:7} g = {g.data:.4f}   dg/da = {a.grad:.4f}   dg/db = {b.grad:.4f}")
assert round(mine[0].data, 4) == 24.7041
for v, w in zip(mine[1:], theirs[1:], strict=True):
    assert abs(v.grad - w.grad) < 1e-9

# %% [markdown]
# They agree. What is different is the depth that they can take. `in_order` calls itself
# for each step back, and Python allows about a thousand calls inside each other:


# %%
def chain(Value, length):
    x = Value(1.0)
    y = x
    for _ in range(length):
        y = y + 1
    y.backward()
    return x.grad


print("gradus, 5,000 additions:", chain(scalar.Value, 5000))
try:
    chain(Value, 5000)
except RecursionError as error:
    print("yours,  5,000 additions:", type(error).__name__)

# %% [markdown]
# gradus makes the same order with a list in place of the calls. It is twenty lines, which
# you can read in `src/gradus/scalar/value.py`, in the method `topological`. For
# everything in lesson 3 yours is deep enough.
#
# And the check by nudging is there as well. It takes a function, tries every input, and
# says how far the two are apart:

# %%
from gradus.gradcheck import check

print(
    check(
        lambda x, w, b: (x * w + b).tanh(),
        scalar.Value(2.0),
        scalar.Value(-3.0),
        scalar.Value(6.88),
    )
)

# %% [markdown]
# ## What you have now
#
# * A number can remember what it was made from. All that it remembers, together, is the
#   computation graph.
# * When effects follow each other, multiply. When they meet, add.
# * A number hands its gradient on when it is complete: hence the order.
# * One run forwards and one run backwards give the gradients of *all* numbers. Not
#   124,439,808 runs: two.
#
# **Next:** [3. A neuron, a layer, a network](03_a_neuron_a_layer_a_network.ipynb)
