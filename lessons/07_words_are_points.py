# %% [markdown]
# # 7. Words are points: Bengio 2003
#
# *To read: 45 minutes. To run: 1 minute. You need: lesson 6.*
#
# To a table, two contexts are the same or they are strangers. What it has counted after
# "mari" is of no use after "kari". In lesson 5 this was the end of counting: one in nine
# of the contexts of five letters in new names had never been seen.
#
# In 2003, Yoshua Bengio and three others had an idea about this, for words. Give each
# word a *point* in space, and let the descent move the points. Words that are used alike
# will come to lie side by side. And what the network learns about one place, it has
# learned about everything near it. GPT-2 still begins this way. You will do it for
# letters.

# %%
import math
import os

import numpy as np

from gradus import load_corpus
from gradus.backend import F, torch

QUICK = os.environ.get("GRADUS_LESSONS") == "quick"  # a shorter run, for tests
torch.set_default_dtype(torch.float64)

splits = load_corpus("names").splits()
train, dev, test = (part.documents for part in (splits.train, splits.dev, splits.test))
symbols = "." + "abcdefghijklmnopqrstuvwxyz"
index = {symbol: i for i, symbol in enumerate(symbols)}

# %% [markdown]
# ## Three letters come in
#
# Take three letters of context instead of one. Before the name begins, they are dots.
#
# **Write down** the examples of "emma". How many are there?


# %%
def examples(words, context=3):
    """(N, context) letters as numbers, and (N,) what follows each."""
    x, y = [], []
    for word in words:
        ids = [0] * context + [index[letter] for letter in word] + [0]
        for i in range(context, len(ids)):
            x.append(ids[i - context : i])
            y.append(ids[i])
    return torch.tensor(x), torch.tensor(y)


for before, after in zip(*examples(["emma"]), strict=True):
    print("".join(symbols[i] for i in before), "->", symbols[after])

X, Y = examples(train)
X_dev, Y_dev = examples(dev)
print("train:", tuple(X.shape), "  dev:", tuple(X_dev.shape))
assert X.shape == (182625, 3)

# %% [markdown]
# ## From letters to points
#
# The points are the rows of a table C: 27 letters, two numbers each, so that you can draw
# them. In lesson 6 you saw that one-hot times a table is a look-up of a row. So skip the
# one-hot and write `C[X]`.
#
# **Write down:** X is (182625, 3), C is (27, 2). What is the shape of C[X]?

# %%
draw = torch.Generator().manual_seed(1)
C = torch.randn((27, 2), generator=draw)
print(tuple(C[X].shape))

# %% [markdown]
# For each example three points of two numbers. The next layer wants one row for each
# example, so put the three points side by side: six numbers. `view` does that without
# moving anything, since this is how they lie in memory.

# %%
inputs = C[X].view(len(X), 6)
side_by_side = torch.cat([C[X[:, 0]], C[X[:, 1]], C[X[:, 2]]], dim=1)
assert torch.equal(inputs, side_by_side)
print(tuple(inputs.shape))

# %% [markdown]
# Then comes what you know: a layer with tanh, a layer without, softmax, cross-entropy.
#
# **Write down** the shapes of the five tables, for 100 neurons, and how many numbers that
# is in all.


# %%
def new_model(n_embd, n_hidden, context=3, seed=1):
    draw = torch.Generator().manual_seed(seed)
    width = context * n_embd
    parameters = [
        torch.randn((27, n_embd), generator=draw),  # C: the points
        torch.randn((width, n_hidden), generator=draw) * (5 / 3) / math.sqrt(width),
        torch.zeros(n_hidden),
        torch.randn((n_hidden, 27), generator=draw) * 0.01,
        torch.zeros(27),
    ]
    for p in parameters:
        p.requires_grad = True
    return parameters


def forward(parameters, x):
    """(N, context) letters -> (N, 27) logits"""
    C, W1, b1, W2, b2 = parameters
    points = C[x].view(len(x), -1)  # (N, context) -> (N, context * n_embd)
    hidden = torch.tanh(points @ W1 + b1)  # -> (N, n_hidden)
    return hidden @ W2 + b2  # -> (N, 27)


def loss_of(parameters, x, y):
    with torch.no_grad():
        return F.cross_entropy(forward(parameters, x), y).item()


model = new_model(n_embd=2, n_hidden=100)
print([tuple(p.shape) for p in model], "=", sum(p.numel() for p in model))
print(
    f"before training: {loss_of(model, X_dev, Y_dev):.4f}, and ln 27 = {math.log(27):.4f}"
)
assert sum(p.numel() for p in model) == 3481
assert abs(loss_of(model, X_dev, Y_dev) - math.log(27)) < 0.02

# %% [markdown]
# 3,481 numbers, where a table for three letters of context has 27⁴ = 531,441 cells. And
# it begins near ln 27, because the last layer was made small (times 0.01): no opinions yet.
# Lesson 8 is about the other factor.
#
# ## First, five names
#
# Before you train on everything, see if it can learn *anything*. Take the examples of the
# first five names and descend. With 3,481 numbers for 32 examples it can learn them by
# heart.
#
# **Write down:** will the loss go to 0?


# %%
def step(parameters, x, y, rate):
    """One step downhill; the loss before it."""
    loss = F.cross_entropy(forward(parameters, x), y)
    for p in parameters:
        p.grad = None
    loss.backward()
    with torch.no_grad():
        for p in parameters:
            p -= rate * p.grad
    return loss.item()


few_x, few_y = examples(load_corpus("names").documents[:5])
small = new_model(n_embd=2, n_hidden=100)
for k in range(2001):
    loss = step(small, few_x, few_y, rate=0.3)
    if k in (0, 10, 100, 1000, 2000):
        print(f"step {k:4}: {loss:.3f}")

# %% [markdown]
# It stops at about a quarter. Look at what it is asked. Five names begin with "...", and
# each goes on with another letter. The best that anyone can say there is one fifth for
# each. That costs ln 5 in 5 of the 32 examples, and everything else can be known:

# %%
floor = 5 * math.log(5) / 32
print(f"5 ln 5 / 32 = {floor:.4f}, reached {loss:.4f}")
assert len(few_x) == 32
assert floor < loss < floor + 0.01

# %% [markdown]
# If a network cannot learn 32 examples by heart, something is broken, and you need not
# wait for the long run to see it. Always do this first.
#
# ## A few examples at a time
#
# Now all 182,625. For one step you need the gradient over all of them. Do you? How
# different is the gradient of a few, drawn at random? Compare the directions: 1 is the
# same direction, 0 is nothing in common.
#
# **Write down** a guess for 32 of 182,625.


# %%
def gradient(parameters, x, y):
    loss = F.cross_entropy(forward(parameters, x), y)
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters)])


draw = torch.Generator().manual_seed(2)
whole = gradient(model, X, Y)
for number in (32, 128, 1024):
    cosines = []
    for _ in range(20):
        i = torch.randint(0, len(X), (number,), generator=draw)
        some = gradient(model, X[i], Y[i])
        cosines.append((some @ whole / (some.norm() * whole.norm())).item())
    print(f"{number:4} examples: {np.mean(cosines):.2f}")

# %% [markdown]
# 128 examples, not a thousandth of all, point more or less the right way. (Among 3,481
# numbers, a direction drawn at random would give about 0.02.) So take many rough steps,
# not few exact ones. These few are called a *minibatch*,
# and the descent *stochastic* gradient descent, SGD. The price: the loss of a minibatch
# jumps up and down. Do not read it as the loss of the model.
#
# ## How large a step?
#
# Try all rates in one run. Begin with a tiny one, make it a little larger at each step,
# and look where the loss turns. Mistake to avoid: stop too early, and you see only the
# part where it falls.


# %%
def batch(x, y, draw, number=128):
    i = torch.randint(0, len(x), (number,), generator=draw)
    return x[i], y[i]


from gradus.plots import plot_sweep

trial = new_model(n_embd=2, n_hidden=100)
draw = torch.Generator().manual_seed(3)
rates = 10 ** np.linspace(-3, 0.3, 400)
losses = [step(trial, *batch(X, Y, draw), rate) for rate in rates.tolist()]
smooth = np.convolve(losses, np.ones(25) / 25, mode="valid")  # the mean of 25 steps
middle = rates[12:-12]
best = middle[smooth.argmin()]
plot_sweep(middle, smooth, best)

# %% [markdown]
# Too small on the left, little happens. On the right the loss rises again. The
# lowest place is no rule, but a good first guess. Take 0.2, and a tenth of it towards the
# end: large steps to get there, small ones to settle.

# %%
assert 0.05 < best < 2


def descend(parameters, x, y, steps, rate=0.2, falls_after=0.6, seed=4):
    draw = torch.Generator().manual_seed(seed)
    for k in range(steps):
        step(parameters, *batch(x, y, draw), rate if k < falls_after * steps else rate / 10)
    return parameters


STEPS = 1000 if QUICK else 6000
descend(model, X, Y, STEPS)
print(f"train {loss_of(model, X, Y):.3f}   dev {loss_of(model, X_dev, Y_dev):.3f}")
assert loss_of(model, X_dev, Y_dev) < (2.55 if QUICK else 2.36)

# %% [markdown]
# Pairs had 2.453, trigrams 2.222. With points in the plane it lies between the two. But
# now look at the points. Nobody told the network what a vowel is.

# %%
from gradus.plots import plot_embeddings

C = model[0].detach().numpy()
plot_embeddings(C, symbols, title="Where the letters went")

# %%
vowels = [index[letter] for letter in "aeiou"]
others = [i for i in range(1, 27) if i not in [*vowels, index["y"]]]


def distance(some, more):
    """The mean distance between two different letters, one of each list."""
    return np.mean([np.linalg.norm(C[i] - C[j]) for i in some for j in more if i != j])


print(f"vowel to vowel:     {distance(vowels, vowels):.2f}")
print(f"vowel to consonant: {distance(vowels, others):.2f}")
assert distance(vowels, vowels) < distance(vowels, others)

# %% [markdown]
# The vowels lie together, and y, which often is one, lies with them. The dot, which is no
# letter, lies apart. The network did this because it pays: after "mar" and after "mor" come
# much the same letters, and if a and o are neighbours, what it learns from the one it knows
# of the other.
#
# ## More room
#
# A plane is for looking at. Take ten numbers for each letter, and 200 neurons.
#
# **Write down:** will it beat the trigrams, which had 2.222 on dev?

# %%
large = descend(new_model(10, 200), X, Y, STEPS)
print(sum(p.numel() for p in large), "numbers")
print(f"train {loss_of(large, X, Y):.3f}   dev {loss_of(large, X_dev, Y_dev):.3f}")
assert sum(p.numel() for p in large) == 11897
assert loss_of(large, X_dev, Y_dev) < (2.40 if QUICK else 2.2225)

# %% [markdown]
# It does. But trigrams look at two letters, and this network at three. Counting with three
# had 2.102 in lesson 5, and 2.061 with Kneser-Ney: there is some way to go.
#
# And strangers? Some contexts in the names of dev were never seen in training.
# There a table of counts knows nothing, and pays ln 27 = 3.2958.

# %%
known = {tuple(context) for context in X.tolist()}
new = torch.tensor([tuple(context) not in known for context in X_dev.tolist()])
on_new = loss_of(large, X_dev[new], Y_dev[new])
print(f"{new.sum().item()} contexts that it has never seen: {on_new:.2f}")
assert new.sum() == 133
assert on_new < 2.9

# %% [markdown]
# It has never seen them, and yet it knows much about them, from those that lie near.
#
# ## A mistake that nobody notices
#
# In a public notebook, the rate falls "after 100,000 steps", in a run of 50,000. So it
# never falls. Nothing crashes, and the loss looks good. **Write down:** what did its author
# lose?

# %%
never = descend(new_model(10, 200), X, Y, STEPS, falls_after=2)
print(f"falls:       dev {loss_of(large, X_dev, Y_dev):.3f}")
print(f"never falls: dev {loss_of(never, X_dev, Y_dev):.3f}")
lost = loss_of(never, X_dev, Y_dev) - loss_of(large, X_dev, Y_dev)
assert QUICK or lost > 0.01  # a short run has not come near enough to jump about

# %% [markdown]
# Large steps with rough gradients do not settle, they jump about the lowest place. You
# only see it when you compare. Write the place as a part of the run, as `falls_after`
# does, not as a number of steps, and no run can miss it.
#
# ## Too small, too large
#
# How many neurons are right? That depends on how much there is to learn from. Here are
# 1 to 300 neurons, once with only 300 names, and once with all 25,626.
#
# **Write down:** draw the curves of train and dev for 300 names.

# %%
from gradus.plots import plot_series

sizes = [1, 100, 300] if QUICK else [1, 3, 10, 30, 100, 300]
some_x, some_y = examples(train[:300])
some_steps = 500 if QUICK else 2000
losses = {"train, 300 names": [], "dev, 300 names": [], "dev, all names": []}
for size in sizes:
    model = descend(new_model(10, size), some_x, some_y, some_steps)
    losses["train, 300 names"].append(loss_of(model, some_x, some_y))
    losses["dev, 300 names"].append(loss_of(model, X_dev, Y_dev))
    model = descend(new_model(10, size), X, Y, some_steps)
    losses["dev, all names"].append(loss_of(model, X_dev, Y_dev))

plot_series(
    sizes,
    losses,
    title="How many neurons?",
    xlabel="neurons",
    ylabel="nats",
    log_steps=True,
)

# %%
print("            ", "   ".join(losses))
for size, *row in zip(sizes, *losses.values(), strict=True):
    print(f"{size:3} neurons:", " ".join(f"{nats:17.3f}" for nats in row))
assert losses["train, 300 names"][-1] == min(losses["train, 300 names"])
assert losses["dev, 300 names"][-1] > min(losses["dev, 300 names"])

# %% [markdown]
# On the left, one neuron is too few for either: the losses of train and dev are both
# high. This is *underfitting*. On the right, with 300 names, train falls and falls, while
# dev has turned and rises: *overfitting*. With all names, 300 neurons are the best of
# these.
#
# So look at the two numbers. Train and dev both high: more neurons, or more steps. Train
# low, dev high: more data, or a smaller network.
#
# ## What it writes


# %%
def write(parameters, draw, context=3):
    ids = [0] * context
    while True:
        with torch.no_grad():
            p = F.softmax(forward(parameters, torch.tensor([ids[-context:]])), dim=1)
        ids.append(torch.multinomial(p, 1, generator=draw).item())
        if ids[-1] == 0:
            return "".join(symbols[i] for i in ids[context:-1])


draw = torch.Generator().manual_seed(5)
print(", ".join(write(large, draw) for _ in range(12)))

# %% [markdown]
# And now, at the very end, once, the names that you have not touched:

# %%
print("train  dev    test")
parts = [(X, Y), (X_dev, Y_dev), examples(test)]
print("  ".join(f"{loss_of(large, *part):.3f}" for part in parts))

# %% [markdown]
# Pairs 2.453, trigrams 2.222, and this is better. But **1.992, Kneser-Ney, still stands.**
# It looks at five letters, and this network at three. It took a second, and this took
# longer. You have an idea that counting does not have. You do not have a better model
# yet.
#
# ## Where gradus has it
#
# The model is called `nplm`, as in the paper: neural probabilistic language model. Its
# layers keep their weights the other way round, one neuron a row, so turn yours.

# %%
from gradus.models import build_model

settings = {"context": 3, "n_embd": 10, "n_hidden": 200}
theirs = build_model("nplm", vocab_size=27, block_size=16, **settings)
C, W1, b1, W2, b2 = large
with torch.no_grad():
    theirs.wte.weight.copy_(C)
    theirs.hidden.weight.copy_(W1.T)
    theirs.hidden.bias.copy_(b1)
    theirs.output.weight.copy_(W2.T)
    theirs.output.bias.copy_(b2)
    _, loss = theirs(X_dev, Y_dev[:, None])
print(f"gradus: {loss.item():.6f}   yours: {loss_of(large, X_dev, Y_dev):.6f}")
assert abs(loss.item() - loss_of(large, X_dev, Y_dev)) < 1e-10

# %% [markdown]
# ## What you have now
#
# * A letter is a row of a table, a point, and the descent moves it. What is used alike
#   comes to lie together, so what is learned of one serves for the other.
# * First learn a handful of examples by heart, and know how low the loss can go.
# * Many rough steps beat few exact ones. Find the rate by trying all, and let it fall.
# * Train high: underfitting. Train low and dev high: overfitting.
# * Say what counting gives, even when it hurts: 1.992.
#
# **Next:** [8. What goes wrong inside](08_what_goes_wrong_inside.ipynb)
