# %% [markdown]
# # 10. A tree of characters: WaveNet
#
# *To read: 45 minutes. To run: 1 minute. You need: lesson 8.*
#
# Three letters of context are not much. Kneser and Ney looked at five, and that is how they
# beat the network of lesson 7. So give it more: eight. But how should a network take in
# eight letters? The one that you have puts all of them side by side and squeezes them
# through one layer, at once. Nobody reads like that. You see letters, then syllables, then
# the word.
#
# In 2016, WaveNet was built to speak, from 16,000 sound samples a second. It joins
# neighbours two at a time, then the pairs, then the fours: a tree. Here you build it for
# letters. And then you will see how to compute all trees of a name at once. That is called
# a dilated causal convolution, and it is only a way to avoid doing work twice.

# %%
import os

import numpy as np

from gradus import load_corpus
from gradus.backend import F, torch

QUICK = os.environ.get("GRADUS_LESSONS") == "quick"  # a shorter run, for tests
LONG = False  # True: the lecture's largest tree, 200,000 steps, five minutes more

splits = load_corpus("names").splits()
train, dev = splits.train.documents, splits.dev.documents
symbols = "." + "abcdefghijklmnopqrstuvwxyz"
index = {symbol: i for i, symbol in enumerate(symbols)}


def examples(words, context=8):
    """(N, context) letters as numbers, and (N,) what follows each: as in lesson 7."""
    x, y = [], []
    for word in words:
        ids = [0] * context + [index[letter] for letter in word] + [0]
        for i in range(context, len(ids)):
            x.append(ids[i - context : i])
            y.append(ids[i])
    return torch.tensor(x), torch.tensor(y)


X, Y = examples(train)
X_dev, Y_dev = examples(dev)
for before, after in zip(*examples(["emma"]), strict=True):
    print("".join(symbols[i] for i in before), "->", symbols[after])

# %% [markdown]
# ## The parts
#
# These are the building blocks of lesson 8, and two more: `Embedding`, the table of points,
# and `Join`. BatchNorm is as you wrote it there: statistics over axis 0, the examples.
# (Only its running averages are slower.)


# %%
class Embedding:
    def __init__(self, n_embd, draw):
        self.weight = torch.randn((27, n_embd), generator=draw)

    def __call__(self, x):
        return self.weight[x]

    def parameters(self):
        return [self.weight]


class Linear:
    def __init__(self, fan_in, fan_out, draw, bias=True):
        self.weight = torch.randn((fan_in, fan_out), generator=draw) / fan_in**0.5
        self.bias = torch.zeros(fan_out) if bias else None

    def __call__(self, x):
        x = x @ self.weight
        return x if self.bias is None else x + self.bias

    def parameters(self):
        return [self.weight] if self.bias is None else [self.weight, self.bias]


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
                self.running_mean = 0.99 * self.running_mean + 0.01 * mean
                self.running_var = 0.99 * self.running_var + 0.01 * var
        return self.gain * (x - mean) / torch.sqrt(var + 1e-5) + self.bias

    def parameters(self):
        return [self.gain, self.bias]


class Tanh:
    def __call__(self, x):
        return torch.tanh(x)

    def parameters(self):
        return []


class Join:
    """Puts `number` neighbours side by side: (N, T, C) -> (N, T / number, number * C)"""

    def __init__(self, number):
        self.number = number

    def __call__(self, x):
        N, T, C = x.shape
        x = x.view(N, T // self.number, self.number * C)
        return x.squeeze(1) if x.size(1) == 1 else x  # the last: (N, number * C)

    def parameters(self):
        return []


# %%
class Network:
    def __init__(self, *layers):
        self.layers = layers
        self.parameters = [p for layer in layers for p in layer.parameters()]
        layers[-1].weight.mul_(0.1)  # no opinions yet
        for p in self.parameters:
            p.requires_grad = True

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def size(self):
        return sum(p.numel() for p in self.parameters)

    def norms(self, training):
        for layer in self.layers:
            layer.training = training


def learn(network, draw, steps, falls_after=0.6, batch=32):
    network.norms(training=True)
    for k in range(steps):
        i = torch.randint(0, len(X), (batch,), generator=draw)
        loss = F.cross_entropy(network(X[i]), Y[i])
        for p in network.parameters:
            p.grad = None
        loss.backward()
        with torch.no_grad():
            for p in network.parameters:
                p -= (0.1 if k < falls_after * steps else 0.01) * p.grad
    network.norms(training=False)


def loss_of(network, x, y):
    with torch.no_grad():
        parts = zip(x.split(8192), y.split(8192), strict=True)
        sums = [F.cross_entropy(network(a), b, reduction="sum").item() for a, b in parts]
    return sum(sums) / len(x)


# %% [markdown]
# First the flat one: ten numbers for a letter, 80 for eight, and 200 neurons.
#
# **Write down:** how many numbers does it learn? (No bias before BatchNorm.)


# %%
def flat(draw):
    return Network(
        Embedding(10, draw),
        Join(8),
        Linear(80, 200, draw, bias=False),
        BatchNorm(200),
        Tanh(),
        Linear(200, 27, draw),
    )


STEPS = 600 if QUICK else 12000
draw = torch.Generator().manual_seed(42)
network = flat(draw)
learn(network, draw, STEPS)
reached = {"flat": loss_of(network, X_dev, Y_dev)}
print(f"{network.size():,} numbers, dev {reached['flat']:.3f}")
assert network.size() == 22097

# %% [markdown]
# ## Two at a time
#
# Now the tree. Join two neighbours, (N, 8, 10) -> (N, 4, 20), and send each of the four
# pairs through *the same* small layer. Then join those two at a time, and once more.
#
# **Write down** the shape after each layer, for 68 neurons. Can you multiply (32, 4, 20)
# by a table of (20, 68)?


# %%
def tree(draw, n_embd=10, n_hidden=68, norm=BatchNorm):
    layers, width = [Embedding(n_embd, draw)], n_embd
    for _ in range(3):
        linear = Linear(2 * width, n_hidden, draw, bias=False)
        layers += [Join(2), linear, norm(n_hidden), Tanh()]
        width = n_hidden
    return Network(*layers, Linear(n_hidden, 27, draw))


draw = torch.Generator().manual_seed(42)
network = tree(draw)
x = X[:32]
for layer in network.layers:
    x = layer(x)
    if not isinstance(layer, (BatchNorm, Tanh)):
        print(f"{type(layer).__name__:10}", tuple(x.shape))
print(f"{network.size():,} numbers")
assert tuple(x.shape) == (32, 27)
assert network.size() == 22397

# %% [markdown]
# A matrix product uses the last two axes, and does the same for all that is in front. So
# each of the 32 · 4 pairs is multiplied by the same table. With 68 neurons the tree has as
# many numbers as the flat network, 22,000.
#
# Here it is, with the way down from its output. **Write down:** how many layers would it
# take to see 1,024 letters?

# %%
from gradus.plots import plot_reach

pairs = {1: (0, 1), 3: (2, 3), 5: (4, 5), 7: (6, 7)}
fours = {3: (1, 3), 7: (5, 7)}
plot_reach("....emma", [pairs, fours, {7: (3, 7)}], of=7, title="A tree over eight letters")

# %% [markdown]
# Ten, since each layer doubles it. A picture can lie, so ask the gradient: on which of the
# eight letters does an output depend?

# %%
network.norms(training=False)
embedding, *above = network.layers
points = embedding(X[5:6]).detach().requires_grad_()  # (1, 8, 10)
x = points
for layer in above:
    x = layer(x)
    if isinstance(layer, Tanh):
        last = x if x.dim() == 2 else x[:, -1]
        gradient = torch.autograd.grad(last.sum(), points, retain_graph=True)[0]
        seen = (gradient[0].abs().sum(1) > 0).tolist()
        print("".join("x" if s else "-" for s in seen))
assert all(seen)

# %% [markdown]
# ## A bug with a good loss
#
# Train it, then look at the running means.
#
# **Write down** the shape that they should have, for the first layer.

# %%
draw = torch.Generator().manual_seed(42)
network = tree(draw)
learn(network, draw, STEPS)
reached["tree, with a bug"] = loss_of(network, X_dev, Y_dev)
norms = [layer for layer in network.layers if isinstance(layer, BatchNorm)]
print("running means:", [tuple(norm.running_mean.shape) for norm in norms])
print(f"dev {reached['tree, with a bug']:.3f}")
assert tuple(norms[0].running_mean.shape) == (4, 68)

# %% [markdown]
# The layer has 68 neurons, so there should be 68 means. There are 4 · 68. What comes in is
# (32, 4, 68), and BatchNorm averages over axis 0 only. So it keeps a separate mean for each
# of the four places, from 32 numbers each, where it could have one from 128. Nothing
# crashed: it all broadcasts. The class was written for two axes, and met three.
#
# The fix is one line: make all axes but the last into one, before it averages.


# %%
class OverAllPlaces(BatchNorm):
    def __call__(self, x):
        return super().__call__(x.flatten(0, -2)).view(x.shape)


draw = torch.Generator().manual_seed(42)
fixed = tree(draw, norm=OverAllPlaces)
learn(fixed, draw, STEPS)
reached["tree"] = loss_of(fixed, X_dev, Y_dev)
norms = [layer for layer in fixed.layers if isinstance(layer, BatchNorm)]
print("running means:", [tuple(norm.running_mean.shape) for norm in norms])
for name, nats in reached.items():
    print(f"{name:17} dev {nats:.3f}")
assert tuple(norms[0].running_mean.shape) == (68,)
assert min(reached, key=reached.get) == "tree"

# %% [markdown]
# The fixed tree is a little better than the flat network, with as many numbers, as many
# steps, and the same examples. But it was better *with* the bug, too, and that is why such
# a bug stays. You find it by printing shapes, not by looking at the loss.
#
# Why is the tree better? Every pair goes through the same table. So what "an" means is
# learned once, from wherever it stands, and not again for each place. (The advantage gets
# smaller with patience. In the lecture, after 200,000 steps: flat 2.027, tree 2.022, and
# the tree with the bug 2.029.)
#
# ## The same work twice
#
# Now let it read a whole name. For each letter of "annabella" there is a window of eight,
# and a tree. Look at two that follow each other:
#
#     ..annabe      (..)(an)(na)(be)
#     .annabel      (.a)(nn)(ab)(el)
#
# **Write down:** how many pairs do they have in common? And the first window with the one
# that comes two letters later?

# %%
row = "..annabella"
windows = [row[k : k + 8] for k in range(4)]
pairs_of = [{window[k : k + 2] for k in (0, 2, 4, 6)} for window in windows]
for window, pairs in zip(windows, pairs_of, strict=True):
    print(window, sorted(pairs), "in common with the first:", len(pairs & pairs_of[0]))
assert len(pairs_of[0] & pairs_of[2]) >= 3

# %% [markdown]
# With the next window none, with the one after that three of four. So each pair is
# computed in four windows, each four in two. Do it once: compute *every* pair of
# neighbours in the row, at every place. Then every four: the pair that ends here, and
# the one that ends two places earlier. Then every eight: the four that ends here, and
# the one that ends four places earlier. The distances double: 1, 2, 4. This is what
# "dilated" means. "Causal" means that it looks back only.

# %%
T = 14
first = {1: 1, 2: 3, 4: 7}  # the distance -> the first place that has enough before it
joins = [{t: (t - d, t) for t in range(first[d], T)} for d in first]
plot_reach(".....annabella", joins, of=13, title="All trees at once")

# %% [markdown]
# The tree of the last letter is in colour, as before. All the others are in grey, and they
# share its branches.
#
# **Write down:** in code, you have h, a row of T vectors. How do you get, for all places at
# once, the vector here beside the one d places earlier?


# %%
def along(network, ids):
    """(T,) letters -> (T, 27): what the tree says after each of them."""
    embedding, *above = network.layers
    h = embedding(torch.cat([torch.zeros(7, dtype=torch.int64), ids]))  # 7 dots before it
    distance = 1
    for layer in above:
        if isinstance(layer, Join):
            h = torch.cat([h[:-distance], h[distance:]], dim=1)  # (T - distance, 2C)
            distance *= 2
        else:
            h = layer(h)
    return h


name = torch.tensor([0] + [index[letter] for letter in "annabella"])
padded = torch.cat([torch.zeros(7, dtype=torch.int64), name])
all_windows = padded.unfold(0, 8, 1)  # (10, 8): a window for each place
with torch.no_grad():
    one_by_one = fixed(all_windows)
    at_once = along(fixed, name)
print(tuple(at_once.shape), f"largest difference {(at_once - one_by_one).abs().max():.5f}")
assert torch.allclose(at_once, one_by_one, atol=1e-5)

# %% [markdown]
# The same numbers. Nothing was learned anew: it is the same tree, with the same weights.
# For a window of eight, the tree has 4 + 2 + 1 = 7 joins, for every place. Along the row
# it has 3, one for each layer. For a window of 1,024 it would be 1,023 against 10.
#
# And this is a *convolution*, the layer that reads images: a small table that slides
# along a row and does the same everywhere. Here it is two wide, and its two inputs lie
# d apart. Take the third layer's table and let the library do it:

# %%
h = torch.randn((20, 68), generator=torch.Generator().manual_seed(3))
third = [layer for layer in fixed.layers if isinstance(layer, Linear)][2]
yours = torch.cat([h[:-4], h[4:]], dim=1) @ third.weight  # (16, 68)
kernel = third.weight.view(2, 68, 68).permute(2, 1, 0)  # (2, in, out) -> (out, in, 2)
theirs = F.conv1d(h.T[None], kernel, dilation=4)[0].T
print(tuple(theirs.shape), f"largest difference {(yours - theirs).abs().max():.5f}")
assert torch.allclose(yours, theirs, atol=1e-5)

# %% [markdown]
# ## Too good to be true
#
# Now train along whole names: each name is one row, and each place of it an example. Here
# is such a network, by hand, with one switch. In many libraries a convolution can be
# centered: half of what it sees lies before, half after. So it is easy to look ahead
# without noticing. Here `causal=False` does it: it takes the vector d places *later*.
#
# **Write down:** which of the two will have the lower loss?


# %%
def rows_of(words):
    """(N, 16) letters as numbers, and (N, 16) what follows each; -1 is not counted."""
    x = torch.zeros((len(words), 16), dtype=torch.int64)
    y = torch.full((len(words), 16), -1)
    for k, word in enumerate(words):
        ids = torch.tensor([index[letter] for letter in word])
        x[k, 1 : len(ids) + 1] = ids
        y[k, : len(ids)] = ids
        y[k, len(ids)] = 0
    return x, y


class Convolutions:
    def __init__(self, draw, causal=True, n_embd=10, n_hidden=68):
        self.embedding = Embedding(n_embd, draw)
        widths = [n_embd, n_hidden, n_hidden]
        self.layers = [Linear(2 * width, n_hidden, draw) for width in widths]
        self.output = Linear(n_hidden, 27, draw)
        for layer in self.layers:
            layer.weight.mul_(5 / 3)
        self.output.weight.mul_(0.1)
        self.causal = causal
        parts = [self.embedding, *self.layers, self.output]
        self.parameters = [p for part in parts for p in part.parameters()]
        for p in self.parameters:
            p.requires_grad = True

    def __call__(self, x):  # (B, T) -> (B, T, 27)
        return self.above(self.embedding(x))

    def above(self, h):
        for layer, distance in zip(self.layers, (1, 2, 4), strict=True):
            nothing = torch.zeros((h.size(0), distance, h.size(2)))
            if self.causal:
                other = torch.cat([nothing, h[:, :-distance]], dim=1)  # h[t - distance]
            else:
                other = torch.cat([h[:, distance:], nothing], dim=1)  # h[t + distance]
            h = torch.tanh(layer(torch.cat([other, h], dim=2)))
        return self.output(h)


R, S = rows_of(train)
R_dev, S_dev = rows_of(dev)


def learn_rows(network, steps, seed=5):
    draw = torch.Generator().manual_seed(seed)
    for k in range(steps):
        i = torch.randint(0, len(R), (32,), generator=draw)
        loss = F.cross_entropy(network(R[i]).flatten(0, 1), S[i].flatten(), ignore_index=-1)
        for p in network.parameters:
            p.grad = None
        loss.backward()
        with torch.no_grad():
            for p in network.parameters:
                p -= (0.2 if k < 0.6 * steps else 0.02) * p.grad


def loss_of_rows(network):
    with torch.no_grad():
        logits = network(R_dev).flatten(0, 1)
    return F.cross_entropy(logits, S_dev.flatten(), ignore_index=-1).item()


networks = {}
for kind, causal in (("looks back", True), ("looks ahead", False)):
    networks[kind] = Convolutions(torch.Generator().manual_seed(42), causal)
    learn_rows(networks[kind], 200 if QUICK else 600)
    print(f"{kind:12} dev {loss_of_rows(networks[kind]):.3f}")
assert loss_of_rows(networks["looks ahead"]) < (1.2 if QUICK else 0.3)

# %% [markdown]
# Far below anything that you have seen, after a few hundred steps! It does not predict
# the next letter, it *reads* it: one place later is the answer. And when it writes, there
# is no next place yet. Hide what comes after, as when writing, and ask for the letter after
# "emm":

# %%
for kind, network in networks.items():
    x = torch.zeros((1, 16), dtype=torch.int64)
    x[0, 1:4] = torch.tensor([index[letter] for letter in "emm"])
    with torch.no_grad():
        p = F.softmax(network(x)[0, 3], dim=0)
    best = p.argsort(descending=True)[:4].tolist()
    print(f"{kind:12}", "  ".join(f"{symbols[k]} {p[k]:.0%}" for k in best))

# %% [markdown]
# It says what it sees: nothing, the end. So when a loss is too good to be true, ask what
# the output can see. The gradient tells you. Row: an output. Column: an input. 1 where the
# output depends on it.

# %%
from gradus.plots import plot_matrix

looks = {}
for kind, network in networks.items():
    ids = torch.tensor([[0] + [index[letter] for letter in "emmanu"]])
    points = network.embedding(ids).detach().requires_grad_()
    outputs = network.above(points)[0]  # (7, 27)
    slopes = [
        torch.autograd.grad(o.sum(), points, retain_graph=True)[0][0] for o in outputs
    ]
    looks[kind] = (torch.stack(slopes).abs().sum(2) > 0).double()
plot_matrix(looks, rows=".emmanu", columns=".emmanu", digits=0)

# %%
assert torch.equal(looks["looks back"], torch.tril(torch.ones((7, 7))).double())
assert looks["looks ahead"][0, 1] == 1

# %% [markdown]
# A causal network has zeros above the diagonal. You will see this triangle again in the
# next lesson, where it is called a mask.
#
# Train the honest one for longer, and compare. It has as many numbers as the others. (Each
# of its steps sees 32 whole names, about 228 examples, so it takes fewer steps.)

# %%
honest = Convolutions(torch.Generator().manual_seed(42))
learn_rows(honest, STEPS // 4)
size = sum(p.numel() for p in honest.parameters)
reached["convolutions"] = loss_of_rows(honest)
for name, nats in reached.items():
    print(f"{name:17} dev {nats:.3f}")
print(f"convolutions: {size:,} numbers")
assert QUICK or reached["tree"] < reached["convolutions"] < 2.3

# %% [markdown]
# Nearly as good as the flat network, without any BatchNorm. (It took a quarter of the
# steps, but saw nearly twice as many examples.) And what does size bring? Here is the
# larger tree of the lecture, 24 numbers for a letter and 128 neurons, 76,579 in all:

# %%
draw = torch.Generator().manual_seed(42)
large = tree(draw, n_embd=24, n_hidden=128, norm=OverAllPlaces)
learn(large, draw, 200000 if LONG else STEPS, falls_after=0.75)
reached["large tree"] = loss_of(large, X_dev, Y_dev)
on_train = loss_of(large, X, Y)
print(f"{large.size():,} numbers, train {on_train:.3f}   dev {reached['large tree']:.3f}")
assert large.size() == 76579
if LONG:
    assert np.allclose([on_train, reached["large tree"]], [1.769, 1.994], atol=0.01)

# %% [markdown]
# With `LONG = True`, 200,000 steps, it ends near the lecture's 1.769 on train and 1.994
# on dev. Remember the number that you wrote down in lesson 5: **1.992**, Kneser-Ney,
# counted in a second. Three lessons of networks, and it is a draw! But the gap between
# 1.769 and 1.994 tells you what is missing: these are only 25,626 names, and the network
# begins to know them by heart. With more to read, both would get better. But a table must
# have seen a context to know what follows, and a network need not (lesson 7).
#
# ## Where gradus has it
#
# The model is called `wavenet`, and has both designs. `tree` is yours. Load it.

# %%
from gradus.models import build_model

settings = {"n_embd": 10, "n_hidden": 68, "n_layer": 3}
theirs = build_model("wavenet", vocab_size=27, block_size=16, design="tree", **settings)
with torch.no_grad():
    theirs.wte.weight.copy_(fixed.layers[0].weight)
    for to, layer in zip(theirs.layers, fixed.layers[1:-1], strict=True):
        if isinstance(layer, Linear):
            to.weight.copy_(layer.weight.T)
        if isinstance(layer, BatchNorm):
            to.norm.weight.copy_(layer.gain)
            to.norm.bias.copy_(layer.bias)
            to.norm.running_mean.copy_(layer.running_mean)
            to.norm.running_var.copy_(layer.running_var)
    theirs.output[0].weight.copy_(fixed.layers[-1].weight.T)
    theirs.output[0].bias.copy_(fixed.layers[-1].bias)
    _, loss = theirs.eval()(R_dev, S_dev)  # whole names: it cuts the windows itself
print(f"gradus: {loss.item():.6f}   yours: {reached['tree']:.6f}")
assert abs(loss.item() - reached["tree"]) < 1e-5

# %% [markdown]
# `dilated` is the one of the WaveNet paper. Its skeleton is your `Convolutions`, and two
# things are added. Each layer has a *gate*, tanh(a) · σ(b). The *sigmoid* σ(b) = 1 / (1 +
# e^-b) lies between 0 and 1, and so b decides how much of a may pass. And each layer *adds*
# to what was there, where yours replaces it. You will meet that again in lesson 12, under
# the name of residual connection.
#
# `receptive_fields` says how far back each of its layers looks. Is it true? Nudge: change
# one letter at a time, and see whether the last output changes.

# %%
from gradus.models.config import WaveNetConfig
from gradus.models.wavenet import receptive_fields

said = receptive_fields(WaveNetConfig(27, 16, **settings))
for depth, field in enumerate(said, 1):
    print(f"layer {depth} sees", ", ".join(map(str, field)), "letters back")

dilated = build_model("wavenet", vocab_size=27, block_size=16, design="dilated", **settings)
x = torch.randint(0, 27, (1, 16), generator=torch.Generator().manual_seed(4))
changes = []
with torch.no_grad():
    before = dilated(x)[0][0, -1]
    for back in range(16):
        nudged = x.clone()
        nudged[0, 15 - back] = (x[0, 15 - back] + 1) % 27
        if not torch.equal(dilated(nudged)[0][0, -1], before):
            changes.append(back)
print("changes when one nudges", ", ".join(map(str, changes)))
assert changes == said[-1] == list(range(8))

# %% [markdown]
# ## What you have now
#
# * A tree joins neighbours two at a time, with one table for each layer. What is learned at
#   one place serves at all places.
# * A layer that was written for two axes may be wrong for three, and train well. Print the
#   shapes of everything that is kept.
# * All trees of a row at once are a dilated causal convolution. It saves work, and changes
#   no number.
# * If a loss is too good to be true, ask the gradient what the output can see.
# * The tree is fixed: neighbours first, whatever they are. What if a letter could choose
#   whom to look at?
#
# **Next:** [11. Attention, step by step](11_attention.ipynb)
