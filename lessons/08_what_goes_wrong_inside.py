# %% [markdown]
# # 8. What goes wrong inside
#
# *To read: 75 minutes. To run: 1 minute. You need: lesson 7. (It is long. A second
# evening could begin at "Deep".)*
#
# A network that learns is not always healthy. It may waste its first thousand steps. Half
# of its neurons may be stuck. The loss falls all the same, only less than it could, and
# nobody tells you. You have to look inside.
#
# In lesson 7, two factors stood in the model without much of a reason: 0.01 for the last
# layer, and (5/3)/√width for the first. Here you take them away and look at what breaks.
# Then you meet the tool that makes both nearly superfluous, and that is notorious for its
# bugs.
#
# You will draw the same random numbers as PyTorch does, with the seed of a well-known
# lecture, Andrej Karpathy's. So you can compare your losses with the ones in his video.

# %%
import math
import os

import numpy as np

from gradus import load_corpus
from gradus.backend import F, torch

QUICK = os.environ.get("GRADUS_LESSONS") == "quick"  # a shorter run, for tests
LONG = False  # True: the lecture's whole run, 200,000 steps, two minutes more

splits = load_corpus("names").splits()
index = {symbol: i for i, symbol in enumerate("." + "abcdefghijklmnopqrstuvwxyz")}


def examples(words, context=3):
    """(N, context) letters as numbers, and (N,) what follows each: as in lesson 7."""
    x, y = [], []
    for word in words:
        ids = [0] * context + [index[letter] for letter in word] + [0]
        for i in range(context, len(ids)):
            x.append(ids[i - context : i])
            y.append(ids[i])
    return torch.tensor(x), torch.tensor(y)


X, Y = examples(splits.train.documents)
X_dev, Y_dev = examples(splits.dev.documents)
assert len(X) == 182625

# %% [markdown]
# ## The first loss
#
# This is the network of lesson 7: ten numbers for a letter, 200 neurons. All of its
# tables are drawn from a normal distribution. The four factors are what this half of the
# lesson is about. For now they are 1.
#
# **Write down:** what should the loss be before any training?


# %%
def new_model(w1=1.0, b1=1.0, w2=1.0, b2=1.0):
    draw = torch.Generator().manual_seed(2147483647)
    parameters = [
        torch.randn((27, 10), generator=draw),
        torch.randn((30, 200), generator=draw) * w1,
        torch.randn(200, generator=draw) * b1,
        torch.randn((200, 27), generator=draw) * w2,
        torch.randn(27, generator=draw) * b2,
    ]
    for p in parameters:
        p.requires_grad = True
    return parameters, draw


def before_tanh(parameters, x):
    C, W1, b1, _, _ = parameters
    return C[x].view(len(x), 30) @ W1 + b1  # (N, 3) -> (N, 30) -> (N, 200)


def forward(parameters, x):
    _, _, _, W2, b2 = parameters
    return torch.tanh(before_tanh(parameters, x)) @ W2 + b2  # -> (N, 27)


def batch(draw, number=32):
    i = torch.randint(0, len(X), (number,), generator=draw)
    return X[i], Y[i]


plain, draw = new_model()
x, y = batch(draw)
logits = forward(plain, x).detach()
first_loss = F.cross_entropy(logits, y).item()
print(f"loss {first_loss:.4f}, and ln 27 = {math.log(27):.4f}")
assert round(first_loss, 4) == 27.8817

# %% [markdown]
# 27.88, where knowing nothing costs 3.30! If you read "28" and shrug ("it has not learned
# yet"), you have missed the first thing that is wrong. Look at what it says about these 32
# examples:

# %%
p = F.softmax(logits, dim=1)  # (32, 27)
surest, letter = p.max(dim=1)
print(f"logits from {logits.min():.0f} to {logits.max():.0f}")
print(f"it gives its favourite letter {surest.mean():.2f} on average")
print(f"and is right {(letter == y).sum()} times of 32")
assert surest.mean() > 0.8

# %% [markdown]
# It is nearly certain each time, of something that was drawn at random. A logit is a sum
# of 200 numbers times almost ±1, so its standard deviation is about √200 = 14. And e^14 is
# a million. Being sure and wrong costs a lot.
#
# So make the last table small, and the logits will be near 0, all letters about equally
# likely. Multiply W2 by 0.01.
#
# **Write down:** will the first loss be 3.2958?

# %%
starts = {
    "plain": {},
    "W2 small": {"w2": 0.01},
    "W2 small, b2 zero": {"w2": 0.01, "b2": 0.0},
}
first = {}
for name, factors in starts.items():
    model, draw = new_model(**factors)
    x, y = batch(draw)
    first[name] = F.cross_entropy(forward(model, x), y).item()
    print(f"{name:18} {first[name]:.4f}")
assert round(first["W2 small"], 4) == 3.8073
assert round(first["W2 small, b2 zero"], 4) == 3.3221

# %% [markdown]
# Not with W2 alone: the bias b2 has its opinions, too. (Why not W2 = 0? You could. But the
# gradient of a neuron comes through W2, so in the first step nothing below it would learn.
# A little is better than nothing.)
#
# What does a bad start cost? Train both, and look at the first 600 steps.
#
# **Write down:** draw the two curves.

# %%
from gradus.plots import plot_series


def train(parameters, draw, steps):
    """The loss of each step; the rate is 0.1, and 0.01 for the last two fifths."""
    losses = []
    for k in range(steps):
        x, y = batch(draw)
        loss = F.cross_entropy(forward(parameters, x), y)
        for p in parameters:
            p.grad = None
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p -= (0.1 if k < 0.6 * steps else 0.01) * p.grad
        losses.append(loss.item())
    return losses


STEPS = 1000 if QUICK else 10000
runs = {name: new_model(**factors) for name, factors in starts.items()}
curves = {name: train(*runs[name], STEPS) for name in ("plain", "W2 small, b2 zero")}
means = {name: np.reshape(c[:600], (-1, 20)).mean(axis=1) for name, c in curves.items()}
plot_series(
    range(10, 610, 20),
    means,
    title="The hockey stick",
    ylabel="nats, mean of 20 steps",
    level=math.log(27),
)

# %% [markdown]
# A hockey stick: a steep fall, then the long flat part. If you see one, ask what the steep
# part *learned*. It learned not to shout. That is no knowledge about names, and you can
# have it for nothing. Without it, the curve is below the grey line, ln 27, within the first
# 20 steps.

# %% [markdown]
# ## The flat ends
#
# Now one layer deeper. What do the 200 neurons say? tanh turns any number into one between
# -1 and 1. Draw how often each value comes, for 1,000 examples, and beside it the same
# network with a W1 five times smaller.
#
# **Write down:** what shapes do you expect?

# %%
from gradus.plots import plot_activations

pre = before_tanh(plain, X[:1000]).detach()
h = {
    "plain": torch.tanh(pre),
    "W1 small": torch.tanh(before_tanh(new_model(w1=0.2, b1=0.01)[0], X[:1000])).detach(),
}
print(f"plain, before tanh: standard deviation {pre.std():.2f}")
plot_activations(h, title="After tanh")

# %% [markdown]
# Two towers, at -1 and 1. Before tanh, the numbers have a standard deviation of 5.5 (each
# is the sum of 30 products), and tanh of 5.5 is 0.99997. So most of the neurons say yes or
# no, with little in between.
#
# What is bad about that? Remember its derivative, from lesson 2: **1 - h²**. The gradient
# that comes from above is multiplied by it. For h = 0 that is 1, everything passes. For
# h = 0.97 it is 0.06, for 0.9999 it is 0.0002. At the flat ends hardly anything passes, so
# whatever lies below learns next to nothing from this example through this neuron. Here is
# where that is so (more than 0.97 from 0): 40 of the examples downwards, 160 of the neurons
# to the right.

# %%
from gradus.plots import plot_saturation

flat = {name: values.abs() > 0.97 for name, values in h.items()}
plot_saturation(flat, title="Where tanh is flat")

# %%
for name, where in flat.items():
    dead = where.all(dim=0).sum().item()
    print(f"{name}: {where.float().mean():.0%} flat, {dead} neurons flat for all examples")
assert flat["plain"].float().mean() > 0.6
assert flat["W1 small"].float().mean() < 0.06

# %% [markdown]
# 70 % of it is flat, and with the small W1 one in twenty. If a whole column were flat,
# for all examples, that neuron would be *dead*. It could hardly learn any more. Here there
# is none. Make one: give neuron 0 a bias of 30, and train.
#
# **Write down:** by how much has its bias moved after 300 steps?

# %%
model, draw = new_model(w1=0.2, b1=0.01, w2=0.01, b2=0)
with torch.no_grad():
    model[2][0] = 30.0
before = model[2].detach().clone()
train(model, draw, 300)
moved = (model[2] - before).detach().abs()
print(f"neuron 0: {moved[0]:.6f}   the others, on average: {moved[1:].mean():.6f}")
assert moved[0] == 0

# %% [markdown]
# Not at all: tanh(30) is 1, to the last digit, so its gradient is 0, so it stays at 30, so
# its gradient is 0. It can happen by a bad start, or in the middle of training, when one
# large step throws a neuron so far out that no example reaches it any more. With ReLU it
# happens more often, since ReLU is flat, with slope 0, for all negative numbers.

# %% [markdown]
# ## How small?
#
# 0.2 was a guess. In a network of fifty layers you cannot guess. What do you want? That
# what comes out of a layer has about the same spread as what goes in. Take inputs of
# standard deviation 1.
#
# **Write down:** x is (1000, 10), W is (10, 200), both with standard deviation 1. What is
# the standard deviation of x @ W?

# %%
draw = torch.Generator().manual_seed(1)
x = torch.randn((1000, 10), generator=draw)
W = torch.randn((10, 200), generator=draw)
print(f"x {x.std():.2f}   x @ W {(x @ W).std():.2f}   √10 = {math.sqrt(10):.2f}")
print(f"with W / √10: {(x @ (W / math.sqrt(10))).std():.2f}")
assert abs((x @ W).std() - math.sqrt(10)) < 0.2

# %% [markdown]
# Each output is a sum of ten independent products. Variances add up, so it is 10, and the
# standard deviation is √10. The remedy: divide W by the root of the number of inputs, its
# *fan-in*.
#
# But then comes tanh, which squeezes, so you need a little more: a *gain*. Send numbers
# through ten layers of 100 and see what is left.
#
# **Write down:** with a gain of 1, what happens from layer to layer? And with 3?


# %%
def spreads(gain, depth=10):
    draw = torch.Generator().manual_seed(1)
    h, found = torch.randn((1000, 100), generator=draw), []
    for _ in range(depth):
        W = torch.randn((100, 100), generator=draw) * gain / math.sqrt(100)
        h = torch.tanh(h @ W)
        found.append(h.std().item())
    return found


gains = {"gain 3": 3, "gain 5/3": 5 / 3, "gain 1": 1, "gain 1/2": 1 / 2}
found = {name: spreads(gain) for name, gain in gains.items()}
plot_series(
    range(1, 11),
    found,
    title="Ten layers of tanh",
    xlabel="layer",
    ylabel="standard deviation",
)

# %%
for name, stds in found.items():
    print(f"{name:8} after one layer {stds[0]:.2f}, after ten {stds[-1]:.3f}")
assert found["gain 1/2"][-1] < 0.01
assert abs(found["gain 5/3"][-1] - found["gain 5/3"][3]) < 0.03

# %% [markdown]
# With 1/2, nothing arrives. With 1 it fades slowly. With 3 it stays, but at 0.84, which
# means: at the flat ends. With 5/3 it settles at a good place. That is the number in
# lesson 7: **(5/3)/√fan-in**. The root is old (Yann LeCun and others, 1998). The gain came
# in 2015, for ReLU, from Kaiming He and others: hence the name Kaiming initialization. 5/3
# is what PyTorch recommends for tanh. Here it is 1.667/√30 = 0.304, so 0.2 was not a bad
# guess.
#
# Does all this make the network better?

# %%
starts["W1 small too"] = {"w1": 0.2, "b1": 0.01, "w2": 0.01, "b2": 0.0}
starts["W1 by Kaiming"] = starts["W1 small too"] | {"w1": (5 / 3) / math.sqrt(30)}
runs |= {name: new_model(**starts[name]) for name in ("W1 small too", "W1 by Kaiming")}


def loss_of(model, x, y):
    with torch.no_grad():
        return F.cross_entropy(model(x), y).item()


dev = {}
for name, (parameters, draw) in runs.items():
    if name not in curves:
        curves[name] = train(parameters, draw, STEPS)
    dev[name] = loss_of(lambda x, p=parameters: forward(p, x), X_dev, Y_dev)
    print(f"{name:18} first {curves[name][0]:7.4f}   dev {dev[name]:.3f}")
assert round(curves["W1 small too"][0], 4) == 3.3135
assert min(dev, key=dev.get) != "plain"
assert QUICK or dev["W1 by Kaiming"] < dev["W2 small, b2 zero"] < dev["plain"]

# %% [markdown]
# The same network, the same steps, the same examples in the same order. Only the first
# numbers differ.

# %% [markdown]
# ## By force: BatchNorm
#
# In 2015, Sergey Ioffe and Christian Szegedy asked a question that sounds too simple. You
# want what goes into tanh to have mean 0 and standard deviation 1? Then *make it so*. For
# each neuron, take the 32 numbers that the batch gave it, subtract their mean, divide by
# their standard deviation. All of that has derivatives, so gradients flow through it.
#
# But should it always be so? Only at the start. So give each neuron a factor and a number
# to add, `gain` and `bias`, which begin at 1 and 0, and which the network learns.
#
# **Write down:** W1's own bias b1 comes before. What is its gradient now?

# %%
(C, W1, b1, W2, b2), draw = new_model()
x, y = batch(draw)
pre = C[x].view(32, 30) @ W1 + b1
normed = (pre - pre.mean(0, keepdim=True)) / pre.std(0, keepdim=True)
loss = F.cross_entropy(torch.tanh(normed) @ W2 + b2, y)
gradient_b1, gradient_W1 = torch.autograd.grad(loss, [b1, W1])
print(f"b1: {gradient_b1.abs().max():.6f}   W1: {gradient_W1.abs().max():.6f}")
assert gradient_b1.abs().max() < 1e-5 * gradient_W1.abs().max()

# %% [markdown]
# Zero, but for rounding: whatever b1 adds to a neuron, it adds for all 32, and the mean
# takes it away again. It is dead weight. So a layer before a BatchNorm gets no bias; the
# BatchNorm has its own.
#
# ## One example alone
#
# One thing is new and strange. What the network says about an example depends on *which
# other examples are in the batch*, through mean and standard deviation. And at the end
# you want to ask about a single one.
#
# **Write down:** what is the standard deviation of one number?

# %%
print(torch.tensor([2.0]).std(unbiased=False).item())

# %% [markdown]
# Zero, and you would divide 0 by it. So for asking, you need a mean and a standard
# deviation that belong to no batch: those of the training examples. Keep a *running*
# average of them while training: 0.999 of the old one plus 0.001 of this batch's. No
# gradient goes there. This is the lecture's run, with PyTorch's random numbers: its first
# 20,001 steps, all at the high rate.

# %%
draw = torch.Generator().manual_seed(2147483647)
C = torch.randn((27, 10), generator=draw)
W1 = torch.randn((30, 200), generator=draw) * (5 / 3) / 30**0.5
W2 = torch.randn((200, 27), generator=draw) * 0.01
b2 = torch.randn(27, generator=draw) * 0
gain, bias = torch.ones((1, 200)), torch.zeros((1, 200))
mean_running, std_running = torch.zeros((1, 200)), torch.ones((1, 200))
parameters = [C, W1, W2, b2, gain, bias]
for p in parameters:
    p.requires_grad = True
print(sum(p.numel() for p in parameters), "numbers to learn")

printed = {}
for k in range(200000 if LONG else 1001 if QUICK else 20001):
    x, y = batch(draw)
    pre = C[x].view(32, 30) @ W1  # (32, 200)
    mean, std = pre.mean(0, keepdim=True), pre.std(0, keepdim=True)  # (1, 200)
    hidden = torch.tanh(gain * (pre - mean) / std + bias)
    loss = F.cross_entropy(hidden @ W2 + b2, y)
    for p in parameters:
        p.grad = None
    loss.backward()
    with torch.no_grad():
        mean_running = 0.999 * mean_running + 0.001 * mean
        std_running = 0.999 * std_running + 0.001 * std
        for p in parameters:
            p -= (0.1 if k < 100000 else 0.01) * p.grad
    if k % 10000 == 0:
        printed[k] = loss.item()
        print(f"step {k:6}: {loss.item():.4f}")

# %% [markdown]
# If you have the video at hand: it shows 3.3239, 2.0322 and 2.5675 for these steps. The
# losses are the same, because the random numbers are the same.

# %%
lecture = [3.3239, 2.0322, 2.5675, 2.0125, 2.2446, 1.8897, 2.0785, 2.3681, 2.2918, 2.0238]
for nats, theirs in zip(printed.values(), lecture, strict=False):
    assert abs(nats - theirs) < 1.5e-4


def ask(x, mean, std):
    pre = C[x].view(len(x), 30) @ W1
    return torch.tanh(gain * (pre - mean) / std + bias) @ W2 + b2


with torch.no_grad():
    pre = C[X].view(len(X), 30) @ W1
    mean_all, std_all = pre.mean(0, keepdim=True), pre.std(0, keepdim=True)
statistics = {
    "of all training examples": (mean_all, std_all),
    "running averages": (mean_running, std_running),
}
reached = {}
for name, (mean, std) in statistics.items():
    for part, known in (("train", (X, Y)), ("dev", (X_dev, Y_dev))):
        reached[name, part] = loss_of(lambda x, m=mean, s=std: ask(x, m, s), *known)
    print(f"{name:24} train {reached[name, 'train']:.4f}   dev {reached[name, 'dev']:.4f}")
if LONG:
    assert [round(nats, 4) for nats in reached.values()][-2:] == [2.0674, 2.1057]

# %% [markdown]
# The running averages do as well as the exact ones, and cost nothing. (With `LONG = True`
# at the top, this ends where the lecture ended: 2.0674 on train, 2.1057 on dev. In between,
# a step's loss goes from 2.03 to 2.57. You know why: it is a minibatch's, not the model's.
# And do not compare with the table above: there the rate had fallen, here not yet.)
#
# ## Its bugs
#
# Every one of these was found in somebody's notebook. None of them crashes.
#
# 1. In evaluation, the statistics *of the batch that is asked*, not the running ones.
# 2. `(std + eps) ** -0.5`: a standard deviation taken for a variance, and the root taken
#    twice.
# 3. b1 was there all the time, at its random start, since it has no gradient. In
#    evaluation it is added, but the running mean was taken without it.
#
# **Write down:** which does the least harm to the loss on dev?


# %%
def in_small_batches(x):
    parts = []
    for some in x.split(32):
        pre = C[some].view(len(some), 30) @ W1
        parts.append(ask(some, pre.mean(0, keepdim=True), pre.std(0, keepdim=True)))
    return torch.cat(parts)


random_b1 = torch.randn((1, 200), generator=torch.Generator().manual_seed(1))
models = {
    "right": lambda x: ask(x, mean_running, std_running),
    "1. statistics of the batch": in_small_batches,
    "2. the root taken twice": lambda x: ask(x, mean_running, (std_running + 1e-5) ** 0.5),
    "3. an untrained bias": lambda x: ask(x, mean_running - random_b1, std_running),
}
bugs = {name: loss_of(model, X_dev, Y_dev) for name, model in models.items()}
for name, nats in bugs.items():
    print(f"{name:28} {nats:.4f}")
assert abs(bugs["1. statistics of the batch"] - bugs["right"]) < (0.1 if QUICK else 0.01)
assert bugs["right"] < bugs["3. an untrained bias"]

# %% [markdown]
# The third shouts, the second whispers, and the first is the dangerous one: on dev it
# cannot be seen at all, so nobody searches. But what it says about a name depends on the
# rest of the batch. Here is one and the same example, in two different batches, and alone:

# %%
others = {"names": X_dev[1:32], "other names": X_dev[900:931], "alone": X_dev[:0]}
for name, rest in others.items():
    x = torch.cat([X_dev[:1], rest])
    pre = C[x].view(len(x), 30) @ W1
    std = pre.std(0, keepdim=True, unbiased=False) + 1e-5
    p = F.softmax(ask(x, pre.mean(0, keepdim=True), std)[0], dim=0)
    print(f"{name:12} first letter a: {p[1]:.4f}")

# %% [markdown]
# Alone, everything minus its own mean is 0: each neuron says the same about any name.

# %% [markdown]
# ## Deep
#
# With one hidden layer, a careful start is enough. Now take six layers, and the parts as
# building blocks, so that you can put them together as you like. Each one remembers what
# it gave, in `out`, for you to look at.


# %%
class Linear:
    def __init__(self, fan_in, fan_out, draw, bias=True):
        self.weight = torch.randn((fan_in, fan_out), generator=draw) / fan_in**0.5
        self.bias = torch.zeros(fan_out) if bias else None

    def __call__(self, x):
        self.out = x @ self.weight
        if self.bias is not None:
            self.out = self.out + self.bias
        return self.out

    def parameters(self):
        return [self.weight] if self.bias is None else [self.weight, self.bias]


class Tanh:
    def __call__(self, x):
        self.out = torch.tanh(x)
        return self.out

    def parameters(self):
        return []


class BatchNorm:
    def __init__(self, width):
        self.gain, self.bias = torch.ones(width), torch.zeros(width)
        self.running_mean, self.running_var = torch.zeros(width), torch.ones(width)
        self.training = True

    def __call__(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(0), x.var(0)
            with torch.no_grad():
                self.running_mean = 0.9 * self.running_mean + 0.1 * mean
                self.running_var = 0.9 * self.running_var + 0.1 * var
        self.out = self.gain * (x - mean) / torch.sqrt(var + 1e-5) + self.bias
        return self.out

    def parameters(self):
        return [self.gain, self.bias]


# %% [markdown]
# `Linear` has a trap that someone has fallen into. **Write down** what this line makes: a
# layer with BatchNorm?

# %%
made = Linear(100, 100, torch.Generator(), bias=BatchNorm(100))
print("its bias is", tuple(made.bias.shape), "zeros:", not made.bias.any())
assert torch.equal(made.bias, torch.zeros(100))

# %% [markdown]
# An object counts as true. So this layer has an ordinary bias, and no BatchNorm at all,
# and it trains without complaint.
#
# (`BatchNorm` keeps the variance, not the standard deviation, and its running averages take
# a tenth of each batch, as in PyTorch. A tiny number is added to the variance before the
# root, for neurons that say the same about the whole batch.)


# %%
class Network:
    def __init__(self, norm=None, factor=1.0):
        self.draw = torch.Generator().manual_seed(2147483647)
        self.C = torch.randn((27, 10), generator=self.draw)
        self.layers = []
        for fan_in, width in [(30, 100), *[(100, 100)] * 4, (100, 27)]:
            self.layers.append(Linear(fan_in, width, self.draw, bias=norm is None))
            self.layers[-1].weight *= factor if width == 100 else 1
            self.layers += [norm(width)] if norm else []
            self.layers += [Tanh()] if width == 100 else []
        last = self.layers[-1]
        (last.gain if norm else last.weight).mul_(0.1)  # no opinions yet
        tanhs = [layer for layer in self.layers if isinstance(layer, Tanh)]
        self.tanhs = {f"layer {k + 1}": tanh for k, tanh in enumerate(tanhs)}
        self.parameters = [self.C]
        for layer in self.layers:
            self.parameters += layer.parameters()
        for p in self.parameters:
            p.requires_grad = True

    def __call__(self, x):
        x = self.C[x].view(len(x), 30)
        for layer in self.layers:
            x = layer(x)
        return x

    def step(self, rate):
        x, y = batch(self.draw)
        loss = F.cross_entropy(self(x), y)
        for tanh in self.tanhs.values():
            tanh.out.retain_grad()
        for p in self.parameters:
            p.grad = None
        loss.backward()
        with torch.no_grad():
            for p in self.parameters:
                p -= rate * p.grad
        return loss.item()

    def outputs(self):
        return {name: tanh.out.detach() for name, tanh in self.tanhs.items()}

    def gradients(self):
        return {name: tanh.out.grad for name, tanh in self.tanhs.items()}


def table(network):
    for name, out in network.outputs().items():
        gradient = network.gradients()[name]
        print(
            f"{name}: std {out.std():.2f}   flat {(out.abs() > 0.97).float().mean():5.1%}"
            f"   gradient {gradient.std():.1e}"
        )


# %% [markdown]
# First without BatchNorm, and with all weights halved: a start that is a little too small.
# **Write down:** what happens to the activations on their way up, and to the gradients on
# their way down?

# %%
weak = Network(factor=0.5)
print(f"loss {weak.step(0.1):.4f}")
table(weak)
plot_activations(weak.outputs(), bins=30, title="Weights too small: activations")

# %%
from gradus.plots import plot_gradients

plot_gradients(weak.gradients(), title="Weights too small: gradients")

# %% [markdown]
# Upwards it fades, 0.41, 0.20, 0.10, 0.05, 0.02. Downwards, from layer 5 to layer 1, the
# gradient fades by half in each layer. It is multiplied by the same small weights, only
# transposed. The first loss is fine, and the loss will fall, too. Only these pictures show
# it.
#
# Now with a factor of 3, and then with BatchNorm. **Write down** what will be different.

# %%
strong = Network(factor=3)
strong.step(0.1)
table(strong)

# %%
normed = Network(BatchNorm)
n = sum(p.numel() for p in normed.parameters)
first_loss = normed.step(0.1)
print(f"{n} numbers, loss {first_loss:.4f}")
table(normed)
assert (n, round(first_loss, 4)) == (47024, 3.2870)
plot_activations(normed.outputs(), bins=30, title="With BatchNorm: activations")

# %%
plot_gradients(normed.gradients(), title="With BatchNorm: gradients")

# %% [markdown]
# With a factor of 3, more than 40 % is flat, and the gradient grows on its way down. With
# BatchNorm the curves of all layers nearly coincide, upwards and downwards. And that does
# not depend on the factor. Half, three times, a hundred times: BatchNorm divides it out.

# %%
for factor in (0.01, 0.5, 3, 100):
    with_norm, without = Network(BatchNorm, factor), Network(None, factor)
    x = X[:32]
    with_norm(x), without(x)
    a, b = (network.outputs()["layer 5"].std() for network in (with_norm, without))
    print(f"factor {factor:6}: layer 5 has std {a:.2f} with BatchNorm, {b:.2f} without")
    assert factor < 0.5 or abs(a - 0.64) < 0.02

# %% [markdown]
# (At 0.01, the tiny number beside the variance begins to matter.)
#
# ## How far does a step move?
#
# One more thing to look at, and the most useful one while a network trains: how large is a
# step, compared with what it changes? For each table, take the standard deviation of the
# step, divide it by that of the table, and take log10. About **-3** is healthy: each step
# changes a thousandth. At -5, hardly anything is learned. At -1, a step changes a tenth,
# and may undo the last one.
#
# **Write down:** in which of the networks are the tables furthest apart?


# %%
def training(network, steps, rate=0.1):
    """log10 of step / table, every 20 steps, for the table of each linear layer."""
    linear = [layer.weight for layer in network.layers if isinstance(layer, Linear)]
    found = {f"table {k + 1}": [] for k in range(len(linear))}
    for k in range(steps):
        network.step(rate)
        if k % 20 == 0:
            for name, W in zip(found, linear, strict=True):
                found[name].append(math.log10(rate * W.grad.std() / W.detach().std()))
    return found


def plot_updates(found, title):
    steps = range(0, 20 * len(found["table 1"]), 20)
    return plot_series(steps, found, title=title, ylabel="log10 of step / table", level=-3)


STEPS = 300 if QUICK else 1000
of_weak, of_normed = training(weak, STEPS), training(normed, 1000)
plot_updates(of_weak, "Weights too small: updates")

# %%
plot_updates(of_normed, "With BatchNorm: updates")

# %% [markdown]
# With the weak start, the last table at first moves fifty times as far as the ones before
# it, partly because it was made small itself. The others climb for 400 steps before they
# settle. With BatchNorm all of them move much more alike from the beginning, and later five
# to ten times as far as the line says: a rate of 0.1 is large for it. And how good are
# they, after 1,001 steps?

# %%
for layer in normed.layers:
    layer.training = False
for name, network in (("weights too small", weak), ("with BatchNorm", normed)):
    losses = [loss_of(network, *part) for part in ((X, Y), (X_dev, Y_dev))]
    print(f"{name:18} train {losses[0]:.4f}   dev {losses[1]:.4f}")
assert [round(nats, 4) for nats in losses] == [2.4003, 2.3982]

# %% [markdown]
# ## Not over the batch: Layer, Group, RMS
#
# Nobody likes it that BatchNorm ties examples together. What else could be normalised? You
# have a table: an example in each row, a neuron in each column. BatchNorm takes a *column*.
# **LayerNorm** (2016) takes a *row*: all neurons of one example.
#
# **Write down:** which of the two needs running averages?


# %%
class LayerNorm:
    centred = True  # this and `groups` are for the two that follow

    def __init__(self, width):
        self.gain, self.bias = torch.ones(width), torch.zeros(width)
        self.groups = 1

    def __call__(self, x):
        rows = x.view(len(x), self.groups, -1)  # (N, width) -> (N, groups, width / groups)
        mean = rows.mean(2, keepdim=True) if self.centred else 0.0
        var = ((rows - mean) ** 2).mean(2, keepdim=True)
        normed = (rows - mean) / torch.sqrt(var + 1e-5)
        self.out = self.gain * normed.view(x.shape) + self.bias
        return self.out

    def parameters(self):
        return [self.gain, self.bias]


from gradus.plots import plot_matrix

x = torch.tensor([[0.5, -1.0, 1.0, 2.5], [0.0, -0.5, -1.0, 2.0], [1.0, 0.0, 0.5, 3.0]])
plot_matrix({"x": x, "BatchNorm": BatchNorm(4)(x), "LayerNorm": LayerNorm(4)(x)}, digits=1)

# %% [markdown]
# Rows are examples, blue is positive. Look at the last neuron, which is large in every
# example. BatchNorm compares it with itself: in the middle example it is *small for this
# neuron*, so -1. LayerNorm compares it with the other neurons of the example: it stays
# large. No other example has a say, so training and evaluation are the same, and a batch of
# one is no special case.
#
# Two more, from the same code. **GroupNorm** (2018) cuts the row into groups, and
# normalises each. **RMSNorm** (2019) leaves out the mean, and only divides by the root of
# the mean square; it is what most large language models use today.


# %%
class GroupNorm(LayerNorm):
    def __init__(self, width):
        super().__init__(width)
        self.groups = 4 if width % 4 == 0 else 3  # 100 = 4 · 25, 27 = 3 · 9


class RMSNorm(LayerNorm):
    centred = False


x = torch.randn((32, 100), generator=torch.Generator().manual_seed(1)) * 3 + 1
close = {"rtol": 1e-5, "atol": 1e-6}
assert torch.allclose(LayerNorm(100)(x), F.layer_norm(x, (100,)), **close)
assert torch.allclose(GroupNorm(100)(x), F.group_norm(x, 4), **close)
assert torch.allclose(RMSNorm(100)(x), F.rms_norm(x, (100,), eps=1e-5), **close)

# %% [markdown]
# A mistake, again from a notebook: LayerNorm with `x.mean(0)` in place of `x.mean(1)`. It
# trains, since it is BatchNorm. How would you notice? Ask for one example alone. The result
# must not change.


# %%
def wrong(x):
    return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + 1e-5)


for name, norm in (("LayerNorm", LayerNorm(100)), ("over axis 0", wrong)):
    difference = (norm(x)[:1] - norm(x[:1])).abs().max()
    print(f"{name:12} alone or not: differs by {difference:.1f}")
    assert (difference < 1e-6) == (norm is not wrong)

# %% [markdown]
# And which is best? Train the six layers with each of them, from three starts: weights
# much too small, right, and much too large.
#
# **Write down:** where will the four help most, and where not at all?

# %%
norms = {"none": None, "Batch": BatchNorm}
norms |= {"Layer": LayerNorm, "Group": GroupNorm, "RMS": RMSNorm}
factors = {"times 0.1": 0.1, "times 5/3": 5 / 3, "times 10": 10}
print("dev         ", "   ".join(factors))
found = {}
for name, norm in norms.items():
    for factor in factors:
        network = Network(norm, factors[factor])
        for _ in range(60 if QUICK else 600):
            network.step(0.1)
        for layer in network.layers:
            layer.training = False
        found[name, factor] = loss_of(network, X_dev, Y_dev)
    print(f"{name:6}", *(f"{found[name, factor]:11.3f}" for factor in factors))
assert found["none", "times 0.1"] > found["Batch", "times 0.1"] + 0.1
assert QUICK or min(found, key=found.get) == ("none", "times 5/3")

# %% [markdown]
# Look at the left and the right column. Without normalisation everything hangs on the
# start: weights a tenth as large are fatal. With it, a bad start costs much less. This is
# what it is for.
#
# Now look at the middle column. With the *right* start, after these 600 steps, the network
# without is the best of all, and it has less to compute. Six layers are not deep. In fifty
# layers a right start is hard to keep while the weights move, and few go without. But
# measure before you add a part that "everybody uses".
#
# ## Where gradus has it
#
# The model is called `mlp`, with `norm` none, batch, layer, group or rms. Load your six
# trained layers into it. Its tables lie the other way round, as in lesson 7.

# %%
from gradus.models import build_model

settings = {"context": 3, "n_embd": 10, "n_hidden": 100, "n_layer": 5}
theirs = build_model(
    "mlp", vocab_size=27, block_size=16, norm="batch", norm_output=True, **settings
)
with torch.no_grad():
    theirs.wte.weight.copy_(normed.C)
    for to, mine in zip([*theirs.hidden, *theirs.output], normed.layers, strict=True):
        if isinstance(mine, Linear):
            to.weight.copy_(mine.weight.T)
        if isinstance(mine, BatchNorm):
            to.weight.copy_(mine.gain)
            to.bias.copy_(mine.bias)
            to.running_mean.copy_(mine.running_mean)
            to.running_var.copy_(mine.running_var)
    _, loss = theirs.eval()(X_dev, Y_dev[:, None])
print(f"gradus: {loss.item():.6f}   yours: {loss_of(normed, X_dev, Y_dev):.6f}")
assert abs(loss.item() - loss_of(normed, X_dev, Y_dev)) < 1e-5

# %% [markdown]
# That is in evaluation. In training, PyTorch and gradus divide the sum of squares by 32,
# where you (and the lecture) divide by 31, the *unbiased* variance. For the running average
# they take the unbiased one, too. So does the paper. If you mix them up, everything is
# 1.6 % too large or too small:

# %%
pre = torch.randn((32, 100), generator=torch.Generator().manual_seed(2))
ratio = F.batch_norm(pre, None, None, training=True) / BatchNorm(100)(pre)
print(f"theirs / yours = {ratio.mean():.4f}, and √(32/31) = {math.sqrt(32 / 31):.4f}")
assert torch.allclose(ratio, torch.tensor(math.sqrt(32 / 31)), rtol=1e-3)

# %% [markdown]
# And the pictures: `gradus train words --model mlp --diagnose` draws them for any model
# while it trains ([A look inside](../docs/inside.md)).
#
# ## What you have now
#
# * Know the first loss before you run: ln 27. A hockey stick is wasted time.
# * tanh passes on 1 - h². Where it is flat, nothing below learns.
# * (5/3)/√fan-in keeps the spread of activations from layer to layer.
# * Look at activations, gradients and updates (-3) while it trains, not only at the loss.
# * BatchNorm forces the spread, over the batch. Its price: running averages, two modes,
#   and bugs that do not crash. Layer, Group and RMS look at one example only.
#
# In all this you let the library find the gradients, even those through BatchNorm. Could
# you have found them yourself?
#
# **Next:** [9. Backprop by hand](09_backprop_by_hand.ipynb)
