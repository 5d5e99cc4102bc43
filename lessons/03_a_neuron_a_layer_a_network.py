# %% [markdown]
# # 3. A neuron, a layer, a network
#
# *To read: 35 minutes. To run: half a minute. You need: lesson 2.*
#
# You have numbers that know their gradients. Now you build something out of them that
# learns: first a neuron, then a layer of neurons, then layers behind each other. At the
# end it separates two shapes that no straight line can separate, and you watch it do so.
#
# From here on, `Value` comes from gradus. It is the class that you wrote in lesson 2.

# %%
import math
import os
import random

from gradus.scalar import Value

QUICK = os.environ.get("GRADUS_LESSONS") == "quick"  # a shorter run, for tests

# %% [markdown]
# ## One neuron
#
# A neuron takes some numbers x, multiplies each by a weight w of its own, and adds
# everything up, with one number more, the bias b:
#
#     w0 · x0 + w1 · x1 + b
#
# Then comes something that is not a straight line. In lesson 2 that was tanh; here it is
# relu, which is simpler: what is negative becomes 0, the rest stays. The weights begin as
# random numbers between -1 and 1. They and the bias are what learning may change. They
# are called the *parameters*.


# %%
class Neuron:
    def __init__(self, inputs, nonlin=True):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(inputs)]
        self.b = Value(0.0)
        self.nonlin = nonlin

    def __call__(self, x):
        total = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return total.relu() if self.nonlin else total

    def parameters(self):
        return [*self.w, self.b]


random.seed(1)
neuron = Neuron(2)
neuron.w[0].data, neuron.w[1].data, neuron.b.data = 2.0, -1.0, 0.5
print(neuron([1.0, 3.0]), neuron([3.0, 1.0]))

# %% [markdown]
# Check both by hand. 2 · 1 - 1 · 3 + 0.5 is -0.5, so relu gives 0. And 2 · 3 - 1 · 1 +
# 0.5 is 5.5.
#
# **Write down:** in the first of the two, what is the gradient of each weight?

# %%
out = neuron([1.0, 3.0])
out.backward()
print([p.grad for p in neuron.parameters()])
assert [p.grad for p in neuron.parameters()] == [0, 0, 0]

# %% [markdown]
# All 0. Where relu is flat, a nudge of a weight changes nothing: for this input the
# neuron is off, and it cannot learn from it. Keep that in mind. You will see a whole
# network die of it.

# %% [markdown]
# ## A layer, and layers behind each other
#
# A layer is a number of neurons that look at the same inputs. A network, for historical
# reasons called a *multilayer perceptron* or MLP, is a number of layers, each of which
# takes the outputs of the one before as its inputs. The last one has no relu: its result
# should be able to be negative.


# %%
class Layer:
    def __init__(self, inputs, outputs, nonlin=True):
        self.neurons = [Neuron(inputs, nonlin) for _ in range(outputs)]

    def __call__(self, x):
        return [neuron(x) for neuron in self.neurons]

    def parameters(self):
        return [p for neuron in self.neurons for p in neuron.parameters()]


class MLP:
    def __init__(self, inputs, outputs):
        sizes = [inputs, *outputs]
        last = len(outputs) - 1
        self.layers = [
            Layer(sizes[i], sizes[i + 1], nonlin=i != last) for i in range(len(outputs))
        ]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x[0] if len(x) == 1 else x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]


# %% [markdown]
# **Write down:** how many parameters has MLP(3, [4, 4, 1])? That is 3 inputs, two layers
# of 4 neurons, and one neuron at the end.

# %%
random.seed(2)
model = MLP(3, [4, 4, 1])
print(len(model.parameters()))
assert len(model.parameters()) == 4 * (3 + 1) + 4 * (4 + 1) + 1 * (4 + 1) == 41

# %% [markdown]
# Each neuron has a weight for each of its inputs, and one bias: 16 + 20 + 5 = 41. Here is
# a smaller one as a graph, with one input and three neurons: the network *is* a formula,
# nothing more. On the left, relu is off: the weight and the bias above it have the
# gradient 0. Drawn like this, GPT-2 would cover a few football fields.

# %%
from gradus.graph import graph

random.seed(8)
small = MLP(1, [2, 1])
out = small([Value(1.5, "x")])
out.label = "out"
out.backward()
graph(out).svg(direction="down")

# %% [markdown]
# ## Four points
#
# Here is a task. Four inputs of three numbers each, and what the network should say to
# each of them:

# %%
xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
ys = [1.0, -1.0, -1.0, 1.0]

print("it should say:", ys)
print("it says:      ", [round(model(x).data, 2) for x in xs])

# %% [markdown]
# It is wrong, of course; its weights are random. But *how* wrong? For learning you need
# one number that says so. Take the difference for each point, square it, so that too much
# and too little both count, and add up. This number is the *loss*. It is 0 if all is
# right, and never negative.
#
# **Write down:** what would the loss be if the network said 0 to everything?


# %%
def loss_of(model):
    return sum((model(x) - y) ** 2 for x, y in zip(xs, ys, strict=True))


loss = loss_of(model)
print(loss.data)

# %% [markdown]
# (With 0 for everything it would be 1 + 1 + 1 + 1 = 4. So this network is much worse than
# one that says nothing at all. That is usual, before training. Keep the 4, you will need
# it.)
#
# The loss is a Value. It was made from the parameters, by some hundred operations, and it
# remembers. So:

# %%
loss.backward()
w = model.layers[0].neurons[0].w[0]
print("a weight:", w.data, "  its gradient:", w.grad)

# %% [markdown]
# **Write down:** should this weight become larger or smaller, to make the loss smaller?
#
# Against the gradient, always. That is all there is to learning: every parameter takes a
# step against its gradient.

# %%
for p in model.parameters():
    p.data -= 0.03 * p.grad  # 0.03 is the learning rate

print("before:", loss.data, "  after:", loss_of(model).data)
assert loss_of(model).data < loss.data

# %% [markdown]
# The loss is smaller than before. Now do it again. And again. Four lines are the training
# loop of every network that you have ever heard of: forget the old gradients, compute the
# loss, go backward, take a step.


# %%
def train(model, steps, rate, zero_grad=True):
    losses = []
    for _ in range(steps):
        if zero_grad:
            for p in model.parameters():
                p.grad = 0.0
        loss = loss_of(model)
        loss.backward()
        for p in model.parameters():
            p.data -= rate * p.grad
        losses.append(loss.data)
    return losses


random.seed(2)
model = MLP(3, [4, 4, 1])
losses = train(model, steps=60, rate=0.03)
for k in (0, 20, 40, 59):
    print(f"step {k}: loss {losses[k]:.6f}")
print("it should say:", ys)
print("it says:      ", [round(model(x).data, 4) for x in xs])
assert losses[-1] < 1e-4

# %% [markdown]
# It has learned the four points. Nobody told it how.

# %% [markdown]
# ## How large a step?
#
# The 0.03 was not an accident. Try three others, each from the same beginning.
#
# **Write down:** what will the loss do with a rate ten times smaller? And with one that
# is three times as large?

# %%
from gradus.plots import plot_series

curves = {}
for rate in (0.003, 0.01, 0.03, 0.1):
    random.seed(2)
    curves[f"rate {rate}"] = train(MLP(3, [4, 4, 1]), steps=40, rate=rate)

title = "One network, four learning rates"
plot_series(range(40), curves, title=title, ylabel="loss", log=True, level=4)

# %%
print({name: round(losses[-1], 4) for name, losses in curves.items()})
assert curves["rate 0.03"][-1] < curves["rate 0.01"][-1] < curves["rate 0.003"][-1]
assert round(curves["rate 0.1"][-1], 2) == 4.0

# %% [markdown]
# Small steps arrive, but late. And the largest stops at 4 and never moves again. 4! You
# know that number: it is the loss of a network that says 0 to everything. What happened?
#
# The first steps were so long that they threw the weights far away, to where every relu
# is off, for all four points. Where all are off, all gradients behind them are 0, and
# nothing can bring them back. Such neurons are called *dead*.

# %% [markdown]
# ## The bug that seems to work
#
# At the end of lesson 2, gradients of two runs were added up because nobody set them to
# 0. What would that do here? One line is missing, the rest is the same.
#
# **Write down:** will it learn more slowly, not at all, or faster?

# %%
curves = {}
for name, zero_grad in (("with zero_grad", True), ("zero_grad forgotten", False)):
    random.seed(2)
    curves[name] = train(MLP(3, [4, 4, 1]), steps=60, rate=0.01, zero_grad=zero_grad)

plot_series(range(60), curves, title="One line is missing", ylabel="loss", log=True)

# %%
print("after 10 steps:", {name: round(losses[10], 3) for name, losses in curves.items()})
print("after 59 steps:", {name: round(losses[59], 3) for name, losses in curves.items()})
assert curves["zero_grad forgotten"][10] < curves["with zero_grad"][10]
assert curves["zero_grad forgotten"][59] > curves["with zero_grad"][59]

# %% [markdown]
# This is what makes it so nasty: at first it is *faster*. Each step goes along the sum of
# all gradients so far. As long as they all point the same way, the steps become longer
# and longer, and the loss falls quickly. Then it comes to the bottom, where it should
# turn around. But the old gradients are still in the sum, and they push on, past the
# bottom and up the other side.
#
# A network that learns quickly and then goes wild: think of zero_grad first.

# %% [markdown]
# ## Two moons
#
# Four points are few. Here are a hundred, in two shapes that reach into each other:
# circles, which should get 1, and squares, which should get -1.


# %%
def moons(number, noise=0.1):
    draw = random.Random(1)
    points, labels = [], []
    for i in range(number):
        t = math.pi * draw.random()
        if i % 2 == 0:
            x, y = math.cos(t), math.sin(t)
        else:
            x, y = 1 - math.cos(t), 0.5 - math.sin(t)
        points.append((x + draw.gauss(0, noise), y + draw.gauss(0, noise)))
        labels.append(1 if i % 2 == 0 else -1)
    return points, labels


points, labels = moons(40 if QUICK else 100)

# %% [markdown]
# You need a loss again. What counts now is only on which side of 0 the score is. A simple
# loss for that asks for a score of at least 1 on the right side. What is missing is the
# loss, and if nothing is missing it is 0:
#
#     relu(1 - label · score)
#
# **Write down** the loss of these three: label 1 and score 0.3; label 1 and score 2;
# label -1 and score 0.3.

# %%
for label, score in ((1, 0.3), (1, 2.0), (-1, 0.3)):
    print(label, score, (1 - label * Value(score)).relu().data)

# %% [markdown]
# The first is on the right side, but not far enough: 0.7. The second is far enough. The
# third is on the wrong side, and costs 1.3. This is called the *hinge loss*, because its
# picture looks like one.
#
# The training loop is the one that you know. Two things are added: it keeps pictures of
# what the network says everywhere on the plane (`score_grid` asks it at many places), and
# its steps become smaller towards the end, from 1 to 0.1, so that it can settle.

# %%
from gradus.plots import plot_decision, score_grid


def train_on_moons(model, steps, keep):
    grids, losses = {}, []
    for k in range(steps + 1):
        scores = [model(point) for point in points]
        margins = [label * score for label, score in zip(labels, scores, strict=True)]
        loss = sum((1 - margin).relu() for margin in margins) * (1 / len(points))
        right = sum(margin.data > 0 for margin in margins)
        losses.append(loss.data)
        if k in keep:
            size = 12 if QUICK else 24
            grid = score_grid(lambda x, y: model((x, y)).data, points, size=size)
            grids[f"step {k}: loss {loss.data:.3f}, {right} of {len(points)} right"] = grid
        for p in model.parameters():
            p.grad = 0.0
        loss.backward()
        for p in model.parameters():
            p.data -= (1 - 0.9 * k / steps) * p.grad
    return grids, losses, right / len(points)


# %% [markdown]
# First a network of a single neuron, without a relu: the score is w0 · x0 + w1 · x1 + b.
#
# **Write down:** what shape has the border between positive and negative scores, if there
# is only one neuron? How many of the hundred points can it get right, at best?

# %%
random.seed(1337)
grids, _, share = train_on_moons(MLP(2, [1]), steps=30, keep=[30])
print(f"{share:.0%} are right")
plot_decision(grids, points, labels)

# %% [markdown]
# A straight line. It must be: the border is where w0 · x0 + w1 · x1 + b = 0, and that is
# the equation of a line. It does what a line can do.
#
# Now two layers of sixteen neurons in front of it, each with a relu. That is 16 · 3 + 16
# · 17 + 1 · 17 = 337 parameters, and 100 points at a time. This is the half minute that
# was promised.

# %%
random.seed(1337)
sizes, steps = ([8, 8, 1], 30) if QUICK else ([16, 16, 1], 60)
network = MLP(2, sizes)
print(len(network.parameters()), "parameters")
grids, losses, share = train_on_moons(network, steps, keep=[0, 5, steps // 3, steps])
print(f"{share:.0%} are right")
assert share > (0.9 if QUICK else 0.98)
assert losses[-1] < 0.2 * losses[0]

# %%
plot_decision(grids, points, labels)

# %% [markdown]
# Look at the border (the black line). At first there is none: the untrained network says
# "square" to everything, so half of the points are right. Soon the border is almost the
# straight line from before, since that brings the most at once. Then it bends, and at the
# end it winds between the moons.
#
# Look closely: it is made of straight pieces. Each relu can put one bend into it. That is
# the secret of the whole thing: **many simple bends make any shape.** Without the relu,
# two layers would be no better than one, because a line of a line is a line.

# %%
curve = {"two layers of neurons": losses}
plot_series(range(len(losses)), curve, title="Two moons", ylabel="loss", log=True)

# %% [markdown]
# It does not fall smoothly. With steps as long as these it jumps over the valley now and
# then; as they become shorter, it settles.

# %% [markdown]
# ## Where gradus has it
#
# `gradus.scalar` has `Neuron`, `Layer` and `MLP`. Begin with the same random numbers, and
# every output and every gradient must be the same as yours:

# %%
from gradus import scalar

results = []
for kind in (MLP, scalar.MLP):
    random.seed(2)
    model = kind(3, [4, 4, 1])
    loss = loss_of(model)
    loss.backward()
    results.append([loss.data, *(p.grad for p in model.parameters())])

mine, theirs = results
print("loss:", mine[0], theirs[0])
print(
    "gradients that agree:", sum(a == b for a, b in zip(mine[1:], theirs[1:], strict=True))
)
assert mine == theirs

# %% [markdown]
# All 41, to the last bit.

# %% [markdown]
# ## What it costs
#
# **Write down:** how many Values does one step on the moons make? (A point meets 16 · 2 +
# 16 · 16 + 16 weights.)

# %%
margins = [label * network(point) for label, point in zip(labels, points, strict=True)]
loss = sum((1 - margin).relu() for margin in margins) * (1 / len(points))
objects = len(loss.topological())  # the order of lesson 2
print(f"{objects:,}")
assert QUICK or objects == 68140

# %% [markdown]
# ## What you have now
#
# * A neuron is a weighted sum and a bend. A network is neurons that look at neurons. All
#   of it is one formula.
# * The loss is one number that says how wrong it is.
# * The loop: zero_grad, loss, backward, step. It will be the same for GPT-2.
# * Steps can be too short, too long, and deadly. And a forgotten zero_grad looks good at
#   first.
#
# One thing is bad: the 68,140 objects. Each of them is a single number, a plus or a
# times. GPT-2 needs more than a hundred million multiplications for one *word*. Next you
# learn to do thousands of them at once.
#
# **Next:** [4. From numbers to tensors](04_from_numbers_to_tensors.ipynb)
