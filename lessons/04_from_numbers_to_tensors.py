# %% [markdown]
# # 4. From numbers to tensors
#
# *To read: 40 minutes. To run: 5 seconds. You need: lesson 3, and to have seen NumPy
# arrays.*
#
# The network of lesson 3 learned two moons, and for each step it made 68,140 objects, one
# for each plus and each times. Nothing in it was wrong. It was only one number at a time.
#
# In this lesson the same network becomes a handful of operations on whole tables of
# numbers. Such tables are called *tensors*. The mathematics stays the same; you will see
# the same losses to twelve digits. What is new is a way to think, in *shapes*, and a new
# family of bugs, which do not crash.

# %%
import math
import random

import numpy as np

from gradus.plots import plot_decision, plot_matrix, score_grid
from gradus.scalar import MLP

# %% [markdown]
# ## A layer is one multiplication
#
# Take the four points of lesson 3, and the first layer of the network, which has 4
# neurons with 3 weights each. By hand, that is 4 points times 4 neurons times 3 products:

# %%
xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
ys = [1.0, -1.0, -1.0, 1.0]

random.seed(2)
model = MLP(3, [4, 4, 1])
neurons = model.layers[0].neurons
by_loop = [
    [sum(w.data * x for w, x in zip(neuron.w, point, strict=True)) for neuron in neurons]
    for point in xs
]

# %% [markdown]
# Now put the points into a table X, one point a row. Put the weights into a table W, one
# neuron a *column*. Then the number for point i and neuron j comes from row i of X and
# column j of W: multiply them pairwise and add up. That is what the sign @, the matrix
# product, does, for all i and j at once.
#
# **Write down:** X has 4 rows and 3 columns, its *shape* is (4, 3). W is (3, 4). What is
# the shape of X @ W?

# %%
X = np.array(xs)
W = np.array([[w.data for w in n.w] for n in neurons]).T  # one neuron a column
print(X.shape, "@", W.shape, "->", (X @ W).shape)
assert np.allclose(X @ W, by_loop, rtol=1e-12)

# %%
plot_matrix({"X: points": X, "W: neurons": W, "X @ W": X @ W})

# %% [markdown]
# Take the upper left corner of the result, and check it with the first row of X and the
# first column of W: 2 · 0.91 + 3 · 0.90 - 1 · -0.89. The two inner sizes, 3 and 3, must
# be the same, and they disappear.
#
# Rows are examples, columns are features: this is how it is done everywhere, and you
# should read `(4, 3)` as "four examples of three numbers".

# %% [markdown]
# ## Broadcasting
#
# Next comes the bias. There is one for each neuron, b has the shape (4,), but X @ W has
# the shape (4, 4). To add them, NumPy stretches b: it is added to *each row*. This is
# called *broadcasting*. The rule: write both shapes with their right ends aligned; where
# one has a 1, or nothing, it is repeated.
#
#     X @ W    (4, 4)
#     b           (4,)     nothing on the left: repeated for each row
#
# **Write down** the shape of each sum, before you run it. One of them is a trap.

# %%
column, row = np.zeros((4, 1)), np.zeros(4)
print("(4, 4) + (4,)   ->", (np.zeros((4, 4)) + row).shape)
print("(4, 4) + (4, 1) ->", (np.zeros((4, 4)) + column).shape)
print("(4, 1) + (4,)   ->", (column + row).shape)

# %% [markdown]
# The last one is the trap. You have four predictions in a column, (4, 1), and four
# targets in a row, (4,). You subtract them, and get not four differences but sixteen:
# every prediction minus every target. Nothing crashes. The loss is a number, it even
# falls. It is only the wrong one:

# %%
predictions, targets = np.array([[1.0], [-1.0], [-1.0], [1.0]]), np.array(ys)
print("right shapes:", ((predictions[:, 0] - targets) ** 2).sum())
print("the trap:    ", ((predictions - targets) ** 2).sum())

# %% [markdown]
# Each prediction is perfect, so the loss should be 0, and the trap says 32. So make it a
# habit: **say the shape of everything, aloud.**

# %% [markdown]
# ## What comes back
#
# Now backwards. The rule of lesson 2 stands: each number gets the gradient "how many
# times as far as I does L move". A table of numbers gets a table of gradients, *of the
# same shape*.
#
# What does the matrix product hand back? Let Y = X @ W, and let G be the gradient of Y, a
# table of the same shape as Y. Take one weight, W[i, j]. It belongs to neuron j and is
# multiplied by feature i. So for each point n it moves Y[n, j], and X[n, i] times as far:
#
#     gradient of W[i, j] =   X[0, i] G[0, j] + X[1, i] G[1, j]
#                           + X[2, i] G[2, j] + X[3, i] G[3, j]
#
# A sum, since there are four ways from this weight to L, one through each point. Read it
# as a matrix product: column i of X with column j of G. Columns of X are rows of its
# transpose, X.T.
#
# **Write down** the two formulas, for the gradients of W and of X. If you forget them,
# the shapes will tell you. X is (4, 3), W is (3, 5), say, and G is (4, 5). There is only
# one way to get (3, 5) out of X and G.

# %%
G = np.random.default_rng(0).normal(size=(4, 4))
dW = X.T @ G  # (3, 4) @ (4, 4) -> (3, 4)
dX = G @ W.T  # (4, 4) @ (4, 3) -> (4, 3)

# Nudge one weight, and look. L = sum of Y * G is a result whose gradient for Y is G.
h = 1e-6
nudged = W.copy()
nudged[1, 2] += h
print("by nudging:", ((X @ nudged * G).sum() - (X @ W * G).sum()) / h)
print("X.T @ G:   ", dW[1, 2])
assert abs(((X @ nudged * G).sum() - (X @ W * G).sum()) / h - dW[1, 2]) < 1e-6

# %% [markdown]
# And the bias? It was added to each of the four rows. A nudge of b[j] moves Y[0, j], Y[1,
# j], Y[2, j] and Y[3, j]. Four ways.
#
# **Write down:** so what is the gradient of b? Its shape must be (4,).
#
# Where ways meet, add: it is the sum of the rows of G. **What was repeated on the way
# forwards is summed on the way backwards.** That is the whole gradient of broadcasting.

# %% [markdown]
# ## A tensor that remembers
#
# Now you can write the class. It is your Value, with two changes. The data are an array.
# And for each operand it keeps not a number but a function: given my gradient, what is
# yours?


# %%
def summed_to(gradient, shape):
    """Undo broadcasting: sum over what was repeated, until the shape is this one again."""
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient


class Tensor:
    def __init__(self, data, _prev=(), _back=()):
        self.data = np.asarray(data, dtype=np.float64)
        self.grad = np.zeros_like(self.data)
        self._prev = _prev
        self._back = _back  # for each operand: my gradient -> its gradient

    def __add__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        return Tensor(self.data + other.data, (self, other), (lambda g: g, lambda g: g))

    def __mul__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        back = (lambda g: g * other.data, lambda g: g * self.data)
        return Tensor(self.data * other.data, (self, other), back)

    def __matmul__(self, other):
        back = (lambda g: g @ other.data.T, lambda g: self.data.T @ g)
        return Tensor(self.data @ other.data, (self, other), back)

    def __sub__(self, other):
        return self + other * -1

    def relu(self):
        return Tensor(np.maximum(self.data, 0), (self,), (lambda g: g * (self.data > 0),))

    def sum(self):
        return Tensor(
            self.data.sum(), (self,), (lambda g: np.broadcast_to(g, self.data.shape),)
        )

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for operand in node._prev:
                    visit(operand)
                order.append(node)

        visit(self)
        self.grad = np.ones_like(self.data)
        for node in reversed(order):
            for operand, back in zip(node._prev, node._back, strict=True):
                arriving = summed_to(back(node.grad), operand.data.shape)
                operand.grad = operand.grad + arriving


# %% [markdown]
# Compare it with lesson 2, line by line. The order is the same. The loop is the same. `+`
# hands its gradient to both, `*` multiplies it by the other one. New are `@`, and
# `summed_to`, which takes care of broadcasting for all operations at once. That `sum`
# repeats its gradient is the same rule once more, the other way round: what was summed is
# repeated.
#
# See it work for the bias:

# %%
b = Tensor(np.zeros(4))
(Tensor(X @ W) + b).sum().backward()
print(b.grad, b.grad.shape)
assert b.grad.tolist() == [4, 4, 4, 4]

# %% [markdown]
# Each bias is used by four points, and each of them moves the sum once.

# %% [markdown]
# ## The same network
#
# Put the 41 parameters of lesson 3 into six tensors: a W and a b for each of the three
# layers.
#
# **Write down** the shapes of the six.


# %%
def tensors_of(model):
    """The parameters of a network of Values, as tensors: W, b, W, b ..."""
    found = []
    for layer in model.layers:
        found.append(Tensor(np.array([[w.data for w in n.w] for n in layer.neurons]).T))
        found.append(Tensor([n.b.data for n in layer.neurons]))
    return found


def forward(parameters, x):
    """(N, inputs) -> (N, outputs)"""
    W1, b1, W2, b2, W3, b3 = parameters
    hidden = (x @ W1 + b1).relu()
    hidden = (hidden @ W2 + b2).relu()
    return hidden @ W3 + b3


parameters = tensors_of(model)
print([p.data.shape for p in parameters])

Y = np.array(ys)[:, None]  # (4, 1), as the predictions: remember the trap
difference = forward(parameters, Tensor(X)) - Y  # (4, 1)
loss = (difference * difference).sum()
loss.backward()
print("the loss of tensors:", loss.data)

# %% [markdown]
# In lesson 3 it was 39.0100807763327. And the gradients? Here are those of the Values
# beside those of the tensors:

# %%
loss_of_values = sum((model(x) - y) ** 2 for x, y in zip(xs, ys, strict=True))
loss_of_values.backward()
print("the loss of Values: ", loss_of_values.data)
assert abs(loss_of_values.data - loss.data) < 1e-12 * loss.data

weight_gradients = [
    np.array([[w.grad for w in neuron.w] for neuron in layer.neurons]).T
    for layer in model.layers
]
plot_matrix({"Values": weight_gradients[0], "tensors": parameters[0].grad}, digits=1)

# %%
for i, layer in enumerate(model.layers):
    W, b = parameters[2 * i], parameters[2 * i + 1]
    assert np.allclose(W.grad, weight_gradients[i], rtol=1e-12)
    assert np.allclose(b.grad, [neuron.b.grad for neuron in layer.neurons], rtol=1e-12)
print("all 41 gradients are the same")

# %% [markdown]
# The same numbers, from a dozen operations in place of some hundreds. (By the way: one
# neuron, the first column, gets almost all of the gradient. In a picture you see that at
# once, in a list of 41 numbers you do not.)
#
# So now the moons, and no half minute for them: four hundred steps.


# %%
def moons(number, noise=0.1):
    draw = random.Random(1)
    points, labels = [], []
    for i in range(number):
        t = math.pi * draw.random()
        x, y = math.cos(t), math.sin(t)
        if i % 2:
            x, y = 1 - x, 0.5 - y
        points.append((x + draw.gauss(0, noise), y + draw.gauss(0, noise)))
        labels.append(1 if i % 2 == 0 else -1)
    return np.array(points), np.array(labels)


points, labels = moons(100)
random.seed(1337)
network = tensors_of(MLP(2, [16, 16, 1]))
steps, losses = 400, []
for k in range(steps):
    scores = forward(network, Tensor(points))  # (100, 1)
    loss = (scores * -labels[:, None] + 1).relu().sum() * (1 / len(points))  # hinge
    for p in network:
        p.grad = np.zeros_like(p.data)
    loss.backward()
    for p in network:
        p.data = p.data - (1 - 0.9 * k / steps) * p.grad
    losses.append(float(loss.data))

for k in (0, 60, steps - 1):
    print(f"step {k}: loss {losses[k]:.6f}")
assert losses[-1] < 1e-6


# %%
def score(x, y):
    return float(forward(network, Tensor([[x, y]])).data[0, 0])


grid = score_grid(score, points)
plot_decision({f"400 steps: loss {losses[-1]:.4f}": grid}, points, labels)

# %% [markdown]
# At the end the loss is 0. Every point has a score of at least 1 on its own side, and
# more than that the hinge loss does not ask for.

# %% [markdown]
# ## Where gradus has it
#
# `gradus.engine` is this class, with a few hundred operations more. Its names are those
# of PyTorch, the library that most of the field uses, so that what you learn here is of
# use there. The same network, the same loss:

# %%
from gradus.backend import torch


def with_library(torch):
    """The loss and the gradients, computed by a library with PyTorch's names."""
    leaves = [torch.tensor(p.data, requires_grad=True) for p in parameters]
    W1, b1, W2, b2, W3, b3 = leaves
    hidden = torch.relu(torch.tensor(X) @ W1 + b1)
    hidden = torch.relu(hidden @ W2 + b2)
    loss = ((hidden @ W3 + b3 - torch.tensor(Y)) ** 2).sum()
    loss.backward()
    return loss.item(), [leaf.grad.numpy() for leaf in leaves]


loss, library_gradients = with_library(torch)
print("gradus:", loss)
assert abs(loss - loss_of_values.data) < 1e-12 * loss
for mine, theirs in zip(parameters, library_gradients, strict=True):
    assert np.allclose(mine.grad, theirs, rtol=1e-12)

# %% [markdown]
# If you have PyTorch itself, ask it, too. (gradus does not need it. Without it, this cell
# says so.)

# %%
import importlib.util

if importlib.util.find_spec("torch"):
    import torch as pytorch

    loss, pytorch_gradients = with_library(pytorch)
    print("PyTorch agrees:", abs(loss - loss_of_values.data) < 1e-12 * loss)
    for mine, theirs in zip(parameters, pytorch_gradients, strict=True):
        assert np.allclose(mine.grad, theirs, rtol=1e-12)
else:
    print("PyTorch is not installed")

# %% [markdown]
# Value, your Tensor, gradus and PyTorch: four ways to one number.

# %% [markdown]
# ## From scores to probabilities
#
# One more tool, because the next lesson needs it. A language model has to say how likely
# each letter is to come next. It has scores for them, any numbers at all, called
# *logits*. Probabilities have to be positive, and to add up to 1. How do you get from one
# to the other?
#
# Make everything positive: exp. Then divide by the sum. This is *softmax*. Each row here
# is one example:

# %%
logits = np.array([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0], [-1.0, 3.0, 0.5]])
counts = np.exp(logits)
p = counts / counts.sum(axis=1, keepdims=True)

# %% [markdown]
# **Write down:** what are the probabilities in the second row, where all scores are 0?
# And what does each row add up to?

# %%
plot_matrix({"logits": logits, "softmax": p}, sums=True)

# %%
assert np.allclose(p.sum(axis=1), 1)
assert np.allclose(p[1], 1 / 3)

# %% [markdown]
# Now the same with one word less. Without `keepdims`, the sum over the columns has the
# shape (3,), where it was (3, 1).
#
# **Write down:** will it crash? If not, what is divided by what? Align the right ends.

# %%
wrong = counts / counts.sum(axis=1)
plot_matrix({"softmax": p, "without keepdims": wrong}, sums=True)

# %% [markdown]
# It did not crash, and it looks like probabilities: all positive, most of them below 1.
# But look at the sums on the right. (3,) was repeated for each *row*, so that column 0
# was divided by the sum of row 0, column 1 by the sum of row 1. It only works because the
# table happens to be square. The tables of the next lesson are 27 by 27: square.
#
# The habit that finds it takes two seconds: **look at the sums.**

# %%
print(wrong.sum(axis=1).round(2))
assert not np.allclose(wrong.sum(axis=1), 1)

# %% [markdown]
# ## Cross-entropy
#
# Suppose the right answers for the three rows are 0, 2 and 1. How good are the
# probabilities? Look at what the model gave to the right answer, and take the negative
# logarithm: it is 0 for a probability of 1, and the larger the smaller the probability
# was. The mean of it over the examples is the *cross-entropy*. All losses from here to
# GPT-2 are this one.
#
# **Write down:** what is the loss of the second row? (ln 3 is 1.0986.)

# %%
answers = np.array([0, 2, 1])
given = p[np.arange(3), answers]
print("given to the right answer:", given.round(4))
print("losses:", (-np.log(given)).round(4), "  mean:", -np.log(given).mean())

# %% [markdown]
# A model that knows nothing pays ln of the number of possible answers. Remember that,
# too: if your model begins with a much larger loss, it is sure of something that it
# cannot know.
#
# And the gradient? For a softmax followed by a cross-entropy, it is the shortest formula
# in the whole course: **what you said, minus what was right.** The probabilities, with 1
# taken away at the right answer (and divided by the number of examples, because of the
# mean).

# %%
right = np.eye(3)[answers]  # 1 at the right answer, 0 elsewhere: "one-hot"
gradient = (p - right) / 3
plot_matrix({"said": p, "right": right, "gradient": gradient})

# %% [markdown]
# It is negative where more was needed, positive where there was too much, and each row
# adds up to 0: probability can only be moved, not made. Do you believe it? Nudge, and ask
# the library:


# %%
def cross_entropy(logits):
    counts = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = counts / counts.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(3), answers]).mean()


for i, j in np.ndindex(3, 3):
    nudged = logits.copy()
    nudged[i, j] += 1e-6
    by_nudging = (cross_entropy(nudged) - cross_entropy(logits)) / 1e-6
    assert abs(by_nudging - gradient[i, j]) < 1e-6

leaf = torch.tensor(logits, requires_grad=True)
loss = torch.nn.functional.cross_entropy(leaf, torch.tensor(answers))
loss.backward()
print("yours:", cross_entropy(logits), "  gradus:", loss.item())
assert abs(loss.item() - cross_entropy(logits)) < 1e-12
assert np.allclose(leaf.grad.numpy(), gradient, rtol=1e-12)

# %% [markdown]
# In the function above the largest score of each row is subtracted first. That changes
# nothing in the probabilities (numerator and denominator get the same factor), but it
# saves you from this:

# %%
with np.errstate(over="ignore", invalid="ignore"):
    print("exp(1000) =", np.exp(1000.0))
    print("and softmax would say", np.exp(1000.0) / np.exp(1000.0))

# %% [markdown]
# ## What you have now
#
# * A layer is one matrix product and one broadcast sum, for all examples at once.
# * Gradients have the shape of what they belong to. What was repeated forwards is summed
#   backwards.
# * Bugs of shape do not crash. Say the shapes, look at the sums.
# * Softmax makes probabilities, cross-entropy judges them, and their gradient is what you
#   said minus what was right.
#
# **Next:** [5. Counting: the first language model](05_counting.ipynb)
