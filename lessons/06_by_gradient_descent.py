# %% [markdown]
# # 6. The same model by gradient descent
#
# *To read: 35 minutes. To run: 5 seconds. You need: lesson 5, and the last part of
# lesson 4.*
#
# In lesson 5 you counted pairs of letters, and the loss was 2.4540. Now you will get the
# same table with a network that knows nothing of counting: it begins with random numbers
# and follows its gradient.
#
# Why, if counting takes a second? Because you know how it must end. When you try a new
# tool for the first time, try it where you know the answer. And counting ends where
# contexts get long, as you saw. A network can go on from there.

# %%
import math
import random
from itertools import pairwise

import numpy as np

from gradus import load_corpus
from gradus.backend import torch

corpus = load_corpus("names")
symbols = "." + "abcdefghijklmnopqrstuvwxyz"
index = {symbol: i for i, symbol in enumerate(symbols)}


def pairs_of(words):
    """Two arrays: each letter as a number, and the one that follows it."""
    text = [pair for word in words for pair in pairwise("." + word + ".")]
    x, y = np.array([(index[a], index[b]) for a, b in text]).T
    return x, y


x, y = pairs_of(corpus.documents)
N = np.zeros((27, 27))
np.add.at(N, (x, y), 1)  # the counts of lesson 5
asked = N.sum(axis=1, keepdims=True)  # (27, 1): how often each letter is the first one
counted = N / asked
print(f"{len(x):,} examples")
assert len(x) == 228146

# %% [markdown]
# ## A letter is not a number
#
# The network gets a letter and should say what follows. You could hand it the index: a is
# 1, b is 2, z is 26. But then z would be 26 times as much as a, and b would lie halfway
# between a and c. Nothing of that is true. Letters are just different.
#
# So give each letter an input of its own: 27 inputs, of which one is 1 and all others are
# 0. This is called *one-hot*. You have seen it in lesson 4.

# %%
from gradus.plots import plot_matrix

emma_x, emma_y = pairs_of(["emma"])
X = np.eye(27)[emma_x]  # (5, 27)
plot_matrix({".emma": X[:, :14]}, rows=".emma", columns=symbols[:14], digits=0)

# %% [markdown]
# (The columns after m are 0 and left out.) Now one layer: 27 neurons, one for each letter
# that may follow, no bias, no tanh. All of it is one table W of shape (27, 27).
#
# **Write down:** the row of "e" is 0 everywhere, and 1 at place 5. What is that row, times
# W?

# %%
draw = torch.Generator().manual_seed(2147483647)
W = torch.randn((27, 27), generator=draw).double().numpy()
assert np.array_equal(X @ W, W[emma_x])
print((X @ W)[1, :4], W[5, :4])

# %% [markdown]
# It is row 5 of W. All the other rows are multiplied by 0. So the whole layer is a look-up
# in a table: *row by the first letter, column by the second*. You had a table like that
# before. The difference is only what stands in it: counts there, random numbers here.
#
# ## What the network says
#
# These numbers are negative as often as not, so they are no counts. Read them as
# *logarithms* of counts. Take exp, and they are positive; divide by the sum of the row,
# and they are probabilities. You know it from lesson 4: it is softmax.
#
# **Write down:** what should the loss of "emma" be, before any training?


# %%
def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss_of(logits, answers):
    return -np.log(softmax(logits)[np.arange(len(answers)), answers]).mean()


print("emma, with random W:", loss_of(X @ W, emma_y))
print("emma, with W = 0:   ", loss_of(X @ np.zeros((27, 27)), emma_y))
print("ln 27:              ", math.log(27))
assert round(loss_of(X @ W, emma_y), 4) == 3.7693

# %% [markdown]
# If you wrote ln 27 = 3.2958, that is what it *should* be. It is more, because random
# numbers are opinions: this network is sure of things that it cannot know. With zeros it
# begins where it should. (May you begin with zeros? In lesson 3 all neurons of
# a layer would have stayed the same. Here each has a target of its own, so they part at
# the first step.)

# %% [markdown]
# ## One step
#
# What is the gradient? You have all the parts. For the logits it is *what you said minus
# what was right*, divided by the number of examples. And the layer is a matrix product,
# so W gets X.T @ G.
#
# **Write down:** in how many rows of W's gradient is anything but 0, for "emma"?

# %%
G = (softmax(X @ W) - np.eye(27)[emma_y]) / len(emma_y)  # (5, 27)
gradient = X.T @ G  # (27, 5) @ (5, 27) -> (27, 27)
touched = np.abs(gradient).sum(axis=1) > 0
print("rows:", [symbols[i] for i in range(27) if touched[i]])
assert touched.sum() == 4

leaf = torch.tensor(W, requires_grad=True)
loss = torch.nn.functional.cross_entropy(torch.tensor(X) @ leaf, torch.tensor(emma_y))
loss.backward()
assert np.allclose(leaf.grad.numpy(), gradient, rtol=1e-12)

print("before:", loss_of(X @ W, emma_y))
print("after: ", loss_of(X @ (W - 10 * gradient), emma_y))

# %% [markdown]
# Four: dot, e, m, a. There are two m in it, and X.T @ G adds up their two gradients, one
# that asks for an m and one that asks for an a. The rest of the table learns nothing from
# "emma".
#
# ## All examples
#
# The same with all 228,146 rows, once:

# %%
X = np.eye(27)[x]  # (228146, 27)
gradient = X.T @ ((softmax(X @ W) - np.eye(27)[y]) / len(x))
print("X takes", X.nbytes // 10**6, "MB; the loss is", loss_of(X @ W, y))

# %% [markdown]
# It works, but look at what is being done. 33,885 of the rows of X are the same "a", and
# for each of them the network says the same thing. Put them together. All examples with
# the first letter a hand their gradient to row a of W. Their sum is: what you said, as
# often as you were asked, minus what came. And what came, added up, are the *counts*.
#
#     gradient = (asked · said - counted pairs) / 228,146
#
# **Write down:** is this an approximation?

# %%
short = (asked * softmax(W) - N) / N.sum()
print("largest difference:", f"{np.abs(short - gradient).max():.0e}")
assert np.abs(short - gradient).max() < 1e-15

# %% [markdown]
# It is the same gradient, from 729 numbers in place of six million. And now look at the
# formula, for it tells you everything. Where does the descent end? Where the gradient is
# 0:
#
#     asked · said = counted pairs
#     said = counted pairs / asked
#
# The right side is the table of lesson 5. **The only place where this network can come to
# rest is counting.** Nobody told it to count. It falls out of the loss.
#
# ## Downhill
#
# Which learning rate? Lesson 3 had 0.1 or less. Here the loss is a mean over everything,
# and the row of q is asked 272 times of 228,146: its gradient is tiny. Try some.
#
# **Write down:** which of 1, 10, 50 and 200 is best after 300 steps?

# %%
from gradus.plots import plot_series


def loss_of_table(W, N):
    return -(N * np.log(softmax(W))).sum() / N.sum()


def descend(W, N, steps, rate=50.0, amount=0.0):
    """W after so many steps. An amount of L2 is explained further down."""
    asked = N.sum(axis=1, keepdims=True)
    for _ in range(steps):
        gradient = (asked * softmax(W) - N) / N.sum() + amount * 2 * W / W.size
        W = W - rate * gradient
    return W


for rate in (1, 10, 50, 200):
    print(f"rate {rate:3}: {loss_of_table(descend(W, N, 300, rate), N):.4f}")

# %% [markdown]
# 50, and 200 is too far. So, with 50:

# %%
at = [1, 3, 10, 30, 100, 300, 1000, 3000, 10000]
learned, losses, done = W, [], 0
for step in at:
    learned = descend(learned, N, step - done)
    losses.append(loss_of_table(learned, N))
    done = step

best = -(N[N > 0] * np.log(counted[N > 0])).sum() / N.sum()
plot_series(
    at,
    {"the network": losses},
    title="Towards the counts",
    ylabel="nats",
    level=best,
    log_steps=True,
)

# %%
for step, nats in zip(at, losses, strict=True):
    print(f"after {step:6,} steps: {nats:.4f}")
print(f"counting:           {best:.4f}")
assert best < losses[-1] < best + 0.0002

# %% [markdown]
# The dashed line is counting, 2.4540. The network comes down to it and never below.
#
# ## Cell by cell
#
# The loss is nearly the same. Is the *model* the same? Look at both.

# %%
from gradus.plots import plot_maps

plot_maps({"counted": counted, "learned by descent": softmax(learned)}, symbols)

# %%
apart = np.abs(softmax(learned) - counted)
i, j = np.unravel_index(apart.argmax(), apart.shape)
print(f"furthest apart: {symbols[i]}{symbols[j]},", end=" ")
print(f"counted {counted[i, j]:.4f}, learned {softmax(learned)[i, j]:.4f}")
assert symbols[i] == "q"
assert apart.max() < 0.002

# %% [markdown]
# Of 729 cells none is further apart than that. The furthest is in the row of q, the
# rarest of all: few examples, small gradients, so it is the last to arrive.
#
# And if it is the same model, it should write the same names. These are the function and
# the draws of lesson 5:


# %%
def write(P, draw):
    letters, last = [], 0
    while True:
        last = draw.choices(range(27), weights=P[last])[0]
        if last == 0:
            return "".join(letters)
        letters.append(symbols[last])


texts = []
for P in (counted, softmax(learned)):
    draw = random.Random(1)
    texts.append(", ".join(write(P, draw) for _ in range(8)))
    print(texts[-1])
assert texts[0] == texts[1]

# %% [markdown]
# Letter for letter.
#
# ## What happens to "jq"
#
# 102 pairs never occurred. Counting gives them 0, and softmax cannot give 0: exp of
# anything is more than 0. **Write down:** so what does the descent do with W[j, q]?

# %%
jq = index["j"], index["q"]
for steps in (0, 100, 1000, 10000):
    w = descend(W, N, steps)
    print(f"after {steps:6,} steps: W {w[jq]:6.2f}   probability {softmax(w)[jq]:.6f}")

# %% [markdown]
# It sinks, ever more slowly, and for ever. A probability of 0 would need a W of minus
# infinity. So this network never says "impossible". But only because you stopped it: how
# much it leaves for what it has not seen depends on when you lost patience.
#
# Better to say what you want. You want W not to go too far from 0. W = 0 everywhere means
# all letters equally likely, so that is a pull towards knowing nothing. Add to the loss:
#
#     loss + amount · mean of W²
#
# This is called *L2 regularisation*, or weight decay. Its gradient is amount · 2 W / 729.
#
# **Write down:** with an amount of 0.01, will the loss of the names be above or below
# 2.4540?

# %%
amount = 0.01
pulled = descend(W, N, 10000, amount=amount)
print("loss of the names:    ", loss_of_table(pulled, N))
print("with the pull on top: ", loss_of_table(pulled, N) + amount * (pulled**2).mean())
print("probability of jq:    ", softmax(pulled)[jq])
assert round(loss_of_table(pulled, N), 3) == 2.460

# %% [markdown]
# Above, as with smoothing: pure counting is the best for the names that were counted.
#
# Mind the two numbers. The first is the loss. The second is what was *minimised*. In
# public notebooks you find 2.48 given as the loss of this model; it is the second kind.
# Compare models by the first.
#
# ## It is smoothing
#
# It is not only like smoothing. Again, set the gradient to 0, multiply by 228,146, and
# write k for amount · 2 · 228,146 / 729:
#
#     asked · said = counted pairs - k · W
#
# In lesson 5 you pretended to have seen each pair once more. Here you pretend, too: -k · W
# is *added to the count*. W is negative for rare pairs, so they get something, and
# positive for frequent ones, which give it.

# %%
k = amount * 2 * N.sum() / W.size
print(f"k = {k:.2f}")
for pair in ("jq", "qu", "an"):
    i, j = index[pair[0]], index[pair[1]]
    print(f"{pair}: counted {N[i, j]:5.0f}, pretended {N[i, j] - k * pulled[i, j]:8.2f}")
pretended = asked * softmax(pulled)
assert np.allclose(pretended, N - k * pulled, atol=1e-3)
assert np.allclose(pulled.sum(axis=1), 0, atol=1e-3)  # nothing is added to a row in all

# %% [markdown]
# There is a difference in kind, though. Add-one gives every cell the same. This takes
# from the frequent and gives to the rare, and a row's sum stays as it is.
#
# How much is best? As always, learn from train, choose on dev.
#
# **Write down:** what does the loss go to, if the amount is very large?

# %%
splits = corpus.splits()
N_train, N_dev = np.zeros((27, 27)), np.zeros((27, 27))
np.add.at(N_train, pairs_of(splits.train.documents), 1)
np.add.at(N_dev, pairs_of(splits.dev.documents), 1)

amounts = [10.0**e for e in range(-5, 2)]
tables = [descend(np.zeros((27, 27)), N_train, 5000, 30, a) for a in amounts]
losses = {
    "train": [loss_of_table(w, N_train) for w in tables],
    "dev": [loss_of_table(w, N_dev) for w in tables],
}
plot_series(
    amounts,
    losses,
    title="How much L2?",
    xlabel="amount of L2",
    ylabel="nats",
    level=math.log(27),
    log_steps=True,
)

# %%
for a, on_train, on_dev in zip(amounts, losses["train"], losses["dev"], strict=True):
    print(f"amount {a:<8g} train {on_train:.4f}   dev {on_dev:.4f}")
add_one = (N_train + 1) / (N_train + 1).sum(axis=1, keepdims=True)
print(f"add one:        dev {-(N_dev * np.log(add_one)).sum() / N_dev.sum():.4f}")
assert round(min(losses["dev"]), 3) == 2.453
assert losses["train"] == sorted(losses["train"])

# %% [markdown]
# You know this picture from lesson 5: with much of it, everything goes to the dashed
# line, where it knows nothing. With little, nothing much happens, and the best is as good
# as adding one. (The smallest amounts give the same on dev, and it is not L2 that smooths
# there. The descent was stopped after 5,000 steps, and "jq" had no time to sink.)
#
# And this is what too much looks like. On the left the amount is 0.01, on the right 1:

# %%
drowned = descend(W, N, 1000, amount=1.0)
plot_maps({"amount 0.01": softmax(pulled), "amount 1": softmax(drowned)}, symbols)

# %%
draw = random.Random(1)
print(f"loss {loss_of_table(drowned, N):.4f}:", end=" ")
print(", ".join(write(softmax(drowned), draw) for _ in range(6)))
assert round(loss_of_table(drowned, N) + (drowned**2).mean(), 3) == 2.892

# %% [markdown]
# The row of q has gone: it is asked 272 times, and the pull is the same for all rows. Those
# that have seen little drown first. What is left writes nearly at random.

# %% [markdown]
# ## Where gradus has it
#
# The model is called `bigram`. It looks up rows (`nn.Embedding` is that: a table whose
# rows you get by their number), and has a bias, which all rows share. Give it your W, and
# compare.

# %%
from gradus.models import build_model

model = build_model("bigram", vocab_size=27, block_size=16).double()
with torch.no_grad():
    model.table.weight.copy_(torch.tensor(W))
_, loss = model(torch.tensor(x[None]), torch.tensor(y[None]))
loss.backward()
print("gradus:", loss.item(), "  yours:", loss_of_table(W, N))
assert abs(loss.item() - loss_of_table(W, N)) < 1e-12
assert np.allclose(model.table.weight.grad.numpy(), short, atol=1e-15)

# %% [markdown]
# ## What you have now
#
# * One-hot times a table is a look-up of a row.
# * The gradient of the table is what was said, as often as it was asked, minus the
#   counts. It is 0 where the network counts, and nowhere else.
# * L2 is smoothing: it adds -k · W to each count.
# * What is minimised need not be what you report.
#
# Was it worth it? The result is the same, and slower. But look at what you never had to
# change: the loss, the gradient of the logits, the descent. Only the layer knows that one
# letter comes in. Put something better in its place, which takes three letters, or eight,
# and *sees that some are alike*. All the rest stays.
#
# **Next:** [7. Words are points: Bengio 2003](07_words_are_points.ipynb)
