# %% [markdown]
# # 5. Counting: the first language model
#
# *To read: 40 minutes. To run: 10 seconds. You need: lesson 4, its last part above all.*
#
# Time to make something that writes. A *language model* does one thing: it looks at what
# has been written so far and says how likely each letter is to come next. GPT-2 does
# that, and nothing else. If you can say what comes next, you can write: draw a letter,
# append it, and ask again.
#
# The first such model needs no network and no gradient. You count.

# %%
import math
import os
import random
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np

from gradus import load_corpus

corpus = load_corpus("names")  # 228 kB, downloaded when it is first asked for
words = corpus.documents
print(f"{len(words):,} names, such as", ", ".join(words[:8]))
print("letters: from", min(map(len, words)), "to", max(map(len, words)))
assert len(words) == 32033

# %% [markdown]
# First names of people. This is what the model is to learn from, and it should then make
# up names that sound like them.

# %% [markdown]
# ## What follows what
#
# The simplest guess about the next letter looks at one letter only: the last one. So take
# each name apart into pairs of neighbours. How does a name begin, and how does it end?
# Those are worth knowing too, so put a dot before and after it: `.emma.`
#
# **Write down** the pairs of `.emma.` How many are there? A name of n letters has how
# many?


# %%
def pairs(word):
    return list(pairwise("." + word + "."))


print(pairs("emma"))

# %% [markdown]
# Five: always one more than letters, since the end counts. Now count the pairs of all
# names.
#
# **Write down:** which pair do you expect to be the most frequent one?

# %%
counts = Counter(pair for word in words for pair in pairs(word))
print(f"{counts.total():,} pairs, {len(counts)} different ones")
for (first, second), number in counts.most_common(8):
    print(f"{first}{second}  {number:,}")

assert counts.total() == 228146
assert counts.most_common(1) == [(("n", "."), 6763)]

# %% [markdown]
# Names like to end in n, and in a. The first pair in the list that is not an end is "an".
#
# There are 27 symbols, so 27 · 27 = 729 pairs are possible, and 627 of them occur. Put
# them into a table: row by the first letter, column by the second.

# %%
symbols = "." + "abcdefghijklmnopqrstuvwxyz"
index = {symbol: i for i, symbol in enumerate(symbols)}
N = np.zeros((27, 27), dtype=int)
for (first, second), number in counts.items():
    N[index[first], index[second]] = number

print(f"{(N == 0).sum()} cells are empty")
assert (N == 0).sum() == 102

# %%
from gradus.plots import plot_counts

plot_counts(N, symbols, pairs=False)

# %% [markdown]
# Look at it for a minute. The first row says how names begin, the first column how they
# end. Find q: what follows it? Find the letter after which nearly everything is a vowel.
# All that you could say about these names by looking at two letters is in this picture.
# It *is* the model.

# %% [markdown]
# ## From counts to probabilities
#
# If the last letter was m, what comes next? Take the row of m, and divide it by its sum.
#
# You know how to do it for all rows at once, and you know the trap. The sum of each row
# must keep its shape (27, 1).
#
# **Write down:** what should you check, after the division?

# %%
P = N / N.sum(axis=1, keepdims=True)
assert np.allclose(P.sum(axis=1), 1)  # the habit of lesson 4: look at the sums

row = P[index["m"]]
likely = row.argsort()[::-1][:6]
print("after m:", "  ".join(f"{symbols[i]} {row[i]:.1%}" for i in likely))

# %% [markdown]
# ## Let it write
#
# Start with the dot. Look into its row, and draw a letter by these probabilities. Then
# look into the row of that letter, draw, and so on, until a dot comes.
#
# **Write down:** will this give names?


# %%
def write(P, draw):
    letters, last = [], 0
    while True:
        last = draw.choices(range(27), weights=P[last])[0]
        if last == 0:
            return "".join(letters)
        letters.append(symbols[last])


draw = random.Random(1)
print(", ".join(write(P, draw) for _ in range(12)))

# %% [markdown]
# Hm. Is it even working? Compare it with a model that knows nothing, for which all 27
# symbols are equally likely:

# %%
uniform = np.full((27, 27), 1 / 27)
draw = random.Random(1)
print(", ".join(write(uniform, draw) for _ in range(6)))

# %% [markdown]
# It is working. The lengths are about right, vowels come where they should, and you can
# pronounce most of it. But it looks one letter back and no further, so each letter fits
# the one before, and the whole fits nothing.

# %% [markdown]
# ## How good is it?
#
# "It looks better" is not enough. You need one number, as you needed a loss in lesson 3.
#
# Here is the idea: a good model finds real names likely. The probability of a name is the
# product of all its pairs:

# %%
for first, second in pairs("emma"):
    print(f"{first}{second}: {P[index[first], index[second]]:.4f}")
print("all of emma:", math.prod(P[index[a], index[b]] for a, b in pairs("emma")))

# %% [markdown]
# The product is tiny, and of all names together it would be so tiny that a float cannot
# hold it. So take logarithms: products become sums. Change the sign, so that small is
# good. And divide by the number of pairs, so that long and short texts can be compared.
# You have met this number at the end of lesson 4. It is the cross-entropy, also called
# the mean *negative log-likelihood*. Its unit is the *nat*.


# %%
def loss(P, words):
    """Mean negative log-likelihood, in nats for each symbol."""
    found = np.array([P[index[a], index[b]] for word in words for a, b in pairs(word)])
    with np.errstate(divide="ignore"):
        return -np.log(found).mean()


print("the first three names:", loss(P, words[:3]))

# %% [markdown]
# **Write down** two numbers: what is the loss of the model that knows nothing? And what
# will the loss of this one be on all 32,033 names?

# %%
print("knows nothing:", loss(uniform, words), "  = ln 27 =", math.log(27))
print("pairs:        ", loss(P, words))
assert abs(loss(P, words) - 2.4540144891543667) < 1e-12

# %% [markdown]
# From 3.2958 to 2.4540. Is that much? Undo the logarithm: e^3.2958 is 27, and e^2.4540 is
# 11.6. The model is as unsure as if it had to choose between 11.6 equally likely letters,
# instead of 27. That number is called *perplexity*.
#
# (In a public notebook, the 2.4241 of the first three names is given as the loss "of the
# entire set". Its author computed it for three names, changed the code, and did not run
# the cell again. A number is only as good as the cell that printed it.)

# %% [markdown]
# ## Surprise without end
#
# Now ask it about single names. "andrej" and "vinay" are in the list. What does it think
# of "vinajq", which is not?

# %%
for name in ("andrej", "vinay", "vinajq"):
    print(f"{name}: {loss(P, [name]):.4f}")

# %% [markdown]
# Infinite! One pair is to blame. **Write down** which one it is, before you look.

# %%
for first, second in pairs("vinajq"):
    print(f"{first}{second}: seen {N[index[first], index[second]]:,} times")
assert N[index["j"], index["q"]] == 0

# %% [markdown]
# "jq" never occurred, so the model says: impossible. And one impossible pair makes the
# whole name impossible. That is too proud. It has seen only 32,033 names; it should leave
# a little room for what it has not seen.
#
# The oldest remedy is to pretend that you have seen every pair once more than you did.
# This is called *add-one smoothing*.
#
# **Write down:** will the loss on the 32,033 names become larger or smaller by it?


# %%
def smoothed(N, amount):
    return (N + amount) / (N + amount).sum(axis=1, keepdims=True)


for name in ("andrej", "vinay", "vinajq"):
    print(f"{name}: {loss(smoothed(N, 1), [name]):.4f}")
print("all names:", loss(smoothed(N, 1), words))
assert abs(loss(smoothed(N, 1), ["vinajq"]) - 3.5722422278889954) < 1e-12
assert abs(loss(smoothed(N, 1), words) - 2.454576820116076) < 1e-12

# %% [markdown]
# "vinajq" is no longer impossible, only very unlikely: 3.57 is worse than guessing. For
# this the model pays on the names that it has counted: 2.4546, where it was 2.4540. Pure
# counting is the best there is *for the names that were counted*. It has to be, since it
# knows them.

# %% [markdown]
# ## Names that it has not seen
#
# So that is no fair test. A student who is examined with the very exercises from the book
# may just know them by heart. Put some names aside, before you count. `splits` shuffles
# them and makes three parts: one to learn from (*train*), one to choose settings with
# (*dev*), and one that you touch at the very end only (*test*).

# %%
splits = corpus.splits()
train, dev = splits.train.documents, splits.dev.documents
test = splits.test.documents
print(
    f"{len(train):,} to learn from, {len(dev):,} to choose with, {len(test):,} for the end"
)

QUICK = os.environ.get("GRADUS_LESSONS") == "quick"  # a shorter run, for tests
learned = train[::10] if QUICK else train  # what "train" losses are computed on

N_train = np.zeros((27, 27), dtype=int)
for word in train:
    for a, b in pairs(word):
        N_train[index[a], index[b]] += 1

# %% [markdown]
# Now, how much smoothing is best? Try many amounts, and look at both losses.
#
# **Write down:** what does the loss go to, if you pretend to have seen each pair a
# million times?

# %%
from gradus.plots import plot_series

amounts = [10.0**k for k in range(-2, 7)]
losses = {
    "train": [loss(smoothed(N_train, s), learned) for s in amounts],
    "dev": [loss(smoothed(N_train, s), dev) for s in amounts],
}
plot_series(
    amounts,
    losses,
    title="How much smoothing?",
    xlabel="added to each count",
    ylabel="nats",
    level=math.log(27),
    log_steps=True,
)

# %%
best = min(range(len(amounts)), key=losses["dev"].__getitem__)
for s, of_train, of_dev in zip(amounts, losses["train"], losses["dev"], strict=True):
    print(f"add {s:<9g} train {of_train:.4f}   dev {of_dev:.4f}")
print("the best on dev: add", amounts[best])
assert round(loss(smoothed(N_train, 1), dev), 3) == 2.453

# %% [markdown]
# With a lot of it, all counts drown in the same number, and the model is back at the
# dashed line: ln 27, it knows nothing. With little, nothing much happens, and train and
# dev are almost the same. 729 numbers, counted from 182,625 pairs: there is not much to
# know by heart. That is about to change.

# %% [markdown]
# ## Look further back
#
# Why only one letter? Take two: what comes after "an"? Or three, or five. The length of
# what is counted, the next letter included, is called the *order*: pairs have order 2,
# *trigrams* order 3. Tables would be large (27³ = 19,683 cells for the trigram), so use a
# dictionary from what came before to a Counter of what followed.


# %%
def contexts(word, order):
    """(what came before, the letter) for each letter of a word and its end."""
    text = "." * (order - 1) + word + "."
    return [(text[i - order + 1 : i], text[i]) for i in range(order - 1, len(text))]


def count(words, order):
    table = defaultdict(Counter)
    for word in words:
        for before, letter in contexts(word, order):
            table[before][letter] += 1
    return table


def additive(table, amount):
    """The probability of a letter after a context; an amount is added to each count."""

    def probability(before, letter):
        followers = table.get(before, Counter())
        return (followers[letter] + amount) / (followers.total() + 27 * amount)

    return probability


def loss_of(probability, words, order):
    examples = [example for word in words for example in contexts(word, order)]
    return -sum(math.log(probability(*example)) for example in examples) / len(examples)


trigram = additive(count(train, 3), 0.1)
print("trigram: train", loss_of(trigram, learned, 3), " dev", loss_of(trigram, dev, 3))
assert round(loss_of(trigram, dev, 3), 4) == 2.2225

# %% [markdown]
# From 2.453 to 2.222 on dev: the second letter helps a lot. So take more of them!
#
# **Write down:** draw two curves, train and dev, for the orders 2 to 6. Which way do they
# go?

# %%
orders = range(2, 7)
tables = {order: count(train, order) for order in orders}
losses = {
    "train": [loss_of(additive(tables[order], 0.1), learned, order) for order in orders],
    "dev": [loss_of(additive(tables[order], 0.1), dev, order) for order in orders],
}
plot_series(orders, losses, title="Counting longer pieces", xlabel="order", ylabel="nats")

# %%
for order, of_train, of_dev in zip(orders, losses["train"], losses["dev"], strict=True):
    table = tables[order]
    asked = [before for word in dev for before, _ in contexts(word, order)]
    new = sum(before not in table for before in asked) / len(asked)
    seen = sum(followers.total() for followers in table.values()) / len(table)
    print(f"order {order}: train {of_train:.3f}   dev {of_dev:.3f}", end="   ")
    print(f"{len(table):6,} contexts, each seen {seen:7,.1f} times; new on dev: {new:.1%}")
assert losses["train"] == sorted(losses["train"], reverse=True)
assert losses["dev"].index(min(losses["dev"])) == 2

# %% [markdown]
# The two curves part. On train it becomes better and better. On dev it is best with order
# 4, and then worse and worse. This is *overfitting*: it has learned its names by heart.
#
# Read the table, and you see why. A context of five letters was seen five times, on
# average. That is little to go by, with 27 symbols to choose from. And one in nine of the
# contexts in new names was never seen at all: about those the table knows nothing. What
# it has counted after "mari" does not help it after "kari", though you would say that
# they are much alike. To a table, two contexts are the same or they are strangers.

# %% [markdown]
# ## The one to beat
#
# There is a clever way out, and it is still counting. If you have not seen a long
# context, *ask a shorter one*. Nothing was counted after "zmari"? Then what came after
# "mari"? Kneser and Ney made of this, in 1995, one of the best ways to count that are
# known:
#
# * Take a little, 0.75, away from every count. What is taken away in a context is given
#   to the guess of the next shorter context. The next cell counts what followed "emm": a
#   39 times, e 16 times, and so on, six letters, 77 times in all. So 38.25 remain for a,
#   15.25 for e, and 6 · 0.75 = 4.5 of the 77 go to what "mm" says.
# * The shorter context is asked only when the longer one did not know. So for the shorter
#   ones do not count how often a letter came, but *after how many different* longer
#   contexts it came.

# %%
print(tables[4]["emm"])
assert (tables[4]["emm"].total(), len(tables[4]["emm"])) == (77, 6)


def kneser_ney(table, order, discount=0.75):
    of_order = {order: table}
    for k in range(order - 1, 0, -1):
        of_order[k] = defaultdict(Counter)
        for before, followers in of_order[k + 1].items():
            for letter in followers:
                of_order[k][before[1:]][letter] += 1  # once for each longer context

    def probability(before, letter):
        p = 1 / 27
        for k in range(1, order + 1):  # from the shortest context to the longest
            followers = of_order[k].get(before[order - k :])
            if followers is None:
                break  # it was never seen, nor are the longer ones
            total = followers.total()
            kept = max(followers[letter] - discount, 0)
            p = (kept + discount * len(followers) * p) / total
        return p

    return probability


counted = {order: kneser_ney(tables[order], order) for order in orders}
losses["dev, Kneser-Ney"] = [loss_of(counted[order], dev, order) for order in orders]
plot_series(orders, losses, title="Ask a shorter one", xlabel="order", ylabel="nats")

# %%
for order, nats in zip(orders, losses["dev, Kneser-Ney"], strict=True):
    print(f"order {order}: dev {nats:.4f}")
assert round(min(losses["dev, Kneser-Ney"]), 3) == 1.992

# %% [markdown]
# 1.992, with order 6, and the longer contexts do no harm any more. And what does it
# write?


# %%
def write_longer(probability, order, draw):
    text = "." * (order - 1)
    while True:
        before = text[len(text) - order + 1 :]
        weights = [probability(before, symbol) for symbol in symbols]
        letter = draw.choices(symbols, weights)[0]
        if letter == ".":
            return text[order - 1 :]
        text += letter


for order in (2, 3, 6):
    draw = random.Random(3)
    made_up = [write_longer(counted[order], order, draw) for _ in range(8)]
    print(f"order {order}:", ", ".join(made_up))

# %% [markdown]
# These are names, or could be. **Write down 1.992.** No gradient was needed for it, and
# it took a second. The first networks that people trained on these names needed minutes,
# and did not reach it. A network has to be better than counting, or you could have
# counted. Of every result that you read, ask what counting would have given.

# %% [markdown]
# ## Where gradus has it
#
# The model is called `ngram`, and it counts pairs, trigrams, or any order, with either
# kind of smoothing. It takes numbers in place of letters: rows x, and what comes next, y.

# %%
from gradus.backend import torch
from gradus.models import build_model


def rows_of(words):
    """(N, 16) letters as numbers, and (N, 16) what follows each; -1 is not counted."""
    x, y = np.zeros((len(words), 16), dtype=np.int64), np.full((len(words), 16), -1)
    for i, word in enumerate(words):
        ids = [index[letter] for letter in word]
        x[i, 1 : len(ids) + 1] = ids
        y[i, : len(ids) + 1] = [*ids, 0]
    return x, y


def gradus_loss(learn, judge, **settings):
    model = build_model("ngram", vocab_size=27, block_size=16, **settings)
    model.count(*rows_of(learn))
    x, y = rows_of(judge)
    return model(torch.tensor(x), torch.tensor(y))[1].item()


theirs = gradus_loss(words, words, order=2, method="additive", smoothing=1.0)
print("pairs, add one:     ", theirs, loss(smoothed(N, 1), words))
assert abs(theirs - loss(smoothed(N, 1), words)) < 1e-12

mine = losses["dev, Kneser-Ney"][-1]
theirs = gradus_loss(train, dev, order=6, method="kneser-ney", discount=0.75)
print("Kneser-Ney, order 6:", theirs, mine)
assert abs(theirs - mine) < 1e-9

# %% [markdown]
# ## What you have now
#
# * A language model says how likely each symbol is to come next. That is enough to write.
# * Its loss is the mean of -log of what it gave to what really came. Knowing nothing
#   costs ln 27 = 3.2958.
# * Never judge on what was learned from. Train and dev part when a model learns by heart.
# * Pairs 2.453, trigrams 2.222, Kneser-Ney 1.992, on dev: these are the numbers to beat.
# * A table cannot see that two contexts are *alike*. That is what networks are for.
#
# **Next:** [6. The same model by gradient descent](06_by_gradient_descent.ipynb)
