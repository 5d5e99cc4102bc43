# %% [markdown]
# # 11. Attention, step by step
#
# *To read: 50 minutes. To run: 1 minute. You need: lesson 7.*
#
# How does this go on?
#
#     the dogs that the old owl hears ...
#
# With "bark". Not with "hoots", although the owl is nearer, and not with "barks". You
# looked back five words, at "dogs", and at nothing else. In the next sentence the word
# that matters will stand somewhere else, and you will find it there.
#
# No network that you have built can do that. Each has one weight for "one back", another
# for "two back", and so on. *Where* it looks was fixed when it was built. In this lesson
# you build a layer that decides where to look, for each text anew, from the words
# themselves.

# %%
import math
import os
from collections import Counter
from itertools import pairwise

import numpy as np

from gradus import load_corpus
from gradus.backend import F, nn, torch
from gradus.text import toy

QUICK = os.environ.get("GRADUS_LESSONS") == "quick"  # a shorter run, for tests
torch.set_default_dtype(torch.float64)

splits = load_corpus("toy").splits()  # sentences made by a small grammar
train, dev = splits.train.documents, splits.dev.documents
for sentence in train[:6]:
    print(sentence)

# %% [markdown]
# These sentences come from a small grammar. Dogs bark and owls hoot. A verb agrees with its
# noun, "the dog barks", "the dogs bark". And between the two there may be a clause about
# other animals, with verbs of their own. So to know the verb, you have to find the right
# noun.
#
# Take words as tokens, not letters: there are only 44, and you can see what happens. The
# dot stands before the first word and after the last, as always.


# %%
words = [".", *sorted({word for sentence in train + dev for word in sentence.split()})]
index = {word: i for i, word in enumerate(words)}
V, LONGEST = len(words), 18


def tokens(sentence):
    return [0, *(index[word] for word in sentence.split())]


def rows(sentences):
    """(N, 18) tokens, and (N, 18) what follows each; -1 after the end is not counted."""
    x = np.zeros((len(sentences), LONGEST), dtype=np.int64)
    y = np.full((len(sentences), LONGEST), -1)
    for i, sentence in enumerate(sentences):
        ids = tokens(sentence)
        x[i, : len(ids)] = ids
        y[i, : len(ids)] = [*ids[1:], 0]
    return torch.tensor(x), torch.tensor(y)


X, Y = rows(train)
X_dev, Y_dev = rows(dev)

pairs = Counter(pair for s in train for pair in pairwise([*tokens(s), 0]))
N = np.full((V, V), 0.1)  # a little smoothing
for (first, second), number in pairs.items():
    N[first, second] += number
P = N / N.sum(axis=1, keepdims=True)
scored = (Y_dev >= 0).numpy()
by_pairs = -np.log(P[X_dev.numpy()[scored], Y_dev.numpy()[scored]]).mean()
floor = toy.loss(splits.dev) * splits.dev.characters / scored.sum()  # nats a token
print(f"{V} tokens; counting pairs: {by_pairs:.4f}; nobody can do better than {floor:.4f}")
assert 1.81 < by_pairs < 1.83
assert 1.34 < floor < 1.35

# %% [markdown]
# Since the grammar is known, so is the best possible loss: 1.3406 nats a token. That is
# what cannot be known, such as whether the sentence is about dogs or owls. You will see
# how near you can get.
#
# ## The mean of what came before
#
# Begin with the simplest way to look back at everything: take the mean. For each place,
# the mean of its own vector and all before it.
#
# **Write down** the three results for the vectors [2, 0], [4, 1] and [9, 5].

# %%
x = torch.tensor([[2.0, 0.0], [4.0, 1.0], [9.0, 5.0]])  # (T, C)
by_loop = torch.stack([x[: t + 1].mean(dim=0) for t in range(3)])
print(by_loop)

# %% [markdown]
# A loop is slow, and there is no need for it. A mean is a sum with weights, and sums with
# weights are what the matrix product does. Row t of the matrix says how much t takes from
# each place: 1 up to the diagonal, 0 to the right of it, divided by the sum of the row.

# %%
ones = torch.ones(3, 3).tril()
by_matrix = (ones / ones.sum(dim=1, keepdim=True)) @ x  # (3, 3) @ (3, 2)

# %% [markdown]
# And a third way, which seems a detour. Give each pair of places a *score*, 0 for all of
# them. Where the other place comes later, the score is minus infinity. Then take the
# softmax of each row.
#
# **Write down:** what is exp(0), and what is exp(-∞)? So what does softmax make of the
# row 0, 0, -∞?

# %%
later = torch.ones(3, 3, dtype=torch.bool).triu(1)  # True to the right of the diagonal
scores = torch.zeros(3, 3).masked_fill(later, -math.inf)
weights = F.softmax(scores, dim=1)
by_softmax = weights @ x

print("apart:", (by_loop - by_matrix).abs().max().item(), end=" and ")
print((by_loop - by_softmax).abs().max().item())
assert torch.allclose(by_loop, by_matrix, atol=1e-6)
assert torch.allclose(by_loop, by_softmax, atol=1e-6)

# %%
from gradus.plots import plot_matrix

plot_matrix({"who takes how much from whom": weights}, sums=True)

# %% [markdown]
# All three are the same. But only in the third is there something to change: the scores
# need not be 0. With other scores you get other weights, and whatever you put in, they
# are positive, their sum is 1, and nothing comes from later. **Attention is this, with
# scores that the words themselves choose.**
#
# ## The mean is a model
#
# First see how far the mean alone gets. Each word becomes a point, 64 numbers. Take the
# mean of the points so far, then a layer, and softmax. `nn.Embedding` is the table of
# points of lesson 7, and `nn.Linear` is a layer, with a bias if you do not say otherwise. A
# class that inherits from `nn.Module` finds the parameters of everything that you put into
# `self`. You write its `forward`, and call it as a function.
#
# The descent is a little different this time. AdamW keeps, for each number, a mean of its
# gradients, and divides the step by how large they are. So one rate fits all of them.


# %%
def mask_later(scores):
    """The scores (..., T, T), with -inf where the column comes later than the row."""
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return scores.masked_fill(later, -math.inf)


class Mean(nn.Module):
    """Takes the mean of what came before: (B, T, C) -> (B, T, C)."""

    def forward(self, x):
        T = x.shape[1]
        return F.softmax(mask_later(torch.zeros(T, T)), dim=1) @ x


class Model(nn.Module):
    """Points of the words, one layer that looks back, and logits of the next word."""

    def __init__(self, look_back, C=64, positions=False):
        super().__init__()
        self.table = nn.Embedding(V, C)
        self.places = nn.Embedding(LONGEST, C) if positions else None  # explained below
        self.look_back = look_back
        self.output = nn.Linear(C, V)

    def forward(self, x):
        points = self.table(x)  # (B, T) -> (B, T, C)
        if self.places is not None:
            points = points + self.places.weight[: x.shape[1]]
        return self.output(self.look_back(points))  # -> (B, T, V)


def loss_of(model, x, y):
    return F.cross_entropy(model(x).view(-1, V), y.view(-1), ignore_index=-1)


STEPS = 300 if QUICK else 1500


def learn(make, seed=0):
    """Make a model and train it. It prints the loss on dev."""
    torch.manual_seed(seed)
    model = make()
    optimizer = torch.optim.AdamW(model.parameters())
    draw = torch.Generator().manual_seed(seed)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = 0.01 * (1 - step / STEPS)  # falls to 0
        i = torch.randint(0, len(X), (64,), generator=draw)
        loss = loss_of(model, X[i], Y[i])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        model.loss = loss_of(model, X_dev, Y_dev).item()
    print(f"dev {model.loss:.4f}")
    return model


bag = learn(lambda: Model(Mean()))
assert bag.loss < by_pairs - 0.1

# %% [markdown]
# Better than pairs already: it knows which animals have been mentioned. But look at what
# it thinks.


# %%
def after(model, sentence, number=4):
    """The likeliest next words."""
    with torch.no_grad():
        p = F.softmax(model(torch.tensor([tokens(sentence)]))[0, -1], dim=0)
    best = p.argsort(descending=True)[:number].tolist()
    return "  ".join(f"{words[i]} {p[i].item():.2f}" for i in best)


SENTENCE = "the dogs that the old owl hears"
print(f"{SENTENCE} ...  {after(bag, SENTENCE)}")
print(f"the owl that likes the dog ...  {after(bag, 'the owl that likes the dog')}")
print(f"the dog that likes the owl ...  {after(bag, 'the dog that likes the owl')}")
one, other = (
    bag(torch.tensor([tokens(s)]))[0, -1]
    for s in ("the owl that likes the dog", "the dog that likes the owl")
)
assert torch.allclose(one, other, atol=1e-5)

# %% [markdown]
# To a mean, the order of the words means nothing: the last two lines are the same. All
# words weigh the same, too, "the" as much as "dogs". And with each word that comes, all
# others weigh less.
#
# ## Query and key
#
# So let the words choose. How? Each word says two things. The *query*: what am I looking
# for? And the *key*: what am I? Both are vectors, and the score of a pair of places is
# their dot product, query · key (multiply them number by number, and add up): large if the
# one is what the other looks for.
#
# Do it by hand first, with one number each. Take "the dogs hear the owl", and let each
# word know only its kind: noun, verb, or other. The key is 1 for a noun. The query is 2
# for a verb: "nouns, please!"

# %%
sentence = ["the", "dogs", "hear", "the", "owl"]
kinds = torch.tensor(
    [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=torch.float64
)
W_q = torch.tensor([[0.0], [2.0], [0.0]])  # a verb asks
W_k = torch.tensor([[1.0], [0.0], [0.0]])  # a noun answers

q, k = kinds @ W_q, kinds @ W_k  # (5, 3) @ (3, 1) -> (5, 1)
scores = q @ k.T  # (5, 1) @ (1, 5) -> (5, 5)
plot_matrix({"scores": scores}, rows=sentence, columns=sentence, digits=0)

# %% [markdown]
# Row: who asks. Column: who is asked. Now hide what comes later, and take the softmax.
#
# **Write down** the row of "hear". It sees "the", "dogs" and itself, with the scores 0, 2
# and 0, and e² is 7.39.

# %%
weights = F.softmax(mask_later(scores), dim=1)
plot_matrix({"weights": weights}, rows=sentence, columns=sentence, sums=True)

# %%
print(f"7.39 / (1 + 7.39 + 1) = {math.exp(2) / (2 + math.exp(2)):.4f}")
assert abs(weights[2, 1].item() - math.exp(2) / (2 + math.exp(2))) < 1e-6

# %% [markdown]
# "hear" takes four fifths from "dogs". The others have nothing to ask, so all their
# scores are 0, and you know what comes of that: the mean.
#
# In the network, nobody writes W_q and W_k by hand. They are layers without a bias, begin
# with random numbers, and learn.
#
# ## Two ways to hide what comes later, one of them wrong
#
# Minus infinity, then softmax. Why not the other way round? Take the softmax of all, and
# set to 0 what comes later. It looks the same. It runs, and it has been published.

# %%
wrong = F.softmax(scores, dim=1).tril()
plot_matrix({"hidden after the softmax": wrong}, rows=sentence, columns=sentence, sums=True)

# %% [markdown]
# The rows do not add up to 1 any more. But that is not the worst. **Write down:** what
# does "hear" know of a word that comes later? Turn the last word, "owl", into a verb, and
# look at how the weights of "hear" change.

# %%
changed = kinds.clone()
changed[4] = torch.tensor([0.0, 1.0, 0.0])
new_scores = (changed @ W_q) @ (changed @ W_k).T
apart = F.softmax(new_scores, dim=1).tril() - wrong
print("hidden after: ", [f"{x:.3f}" for x in apart[2].tolist()])
apart = F.softmax(mask_later(new_scores), dim=1) - weights
print("hidden before:", [f"{x:.3f}" for x in apart[2].tolist()])
assert apart[:4].abs().max() == 0

# %% [markdown]
# The row of "hear" changed, because a *later* word is another one. The denominator of the
# softmax had counted the future. A model that learns with this can use it, and has a loss
# that is too good. When it writes, there is no future, and it is lost.
#
# ## What is handed over: the value
#
# One more thing. A word is found by its key. Must it hand over the same? When you look up
# a telephone number, you search by the name, and take the number. So each word gets a
# third vector, the *value*: what I give to whoever looks at me.
#
#     weights = softmax(query · key)
#     result  = weights @ values
#
# (In public code you also find `weights @ x`, with the values made and never used. It
# runs, and one of three tables learns nothing.)
#
# ## Too sure, too early
#
# How large are the scores, before any training? Let the numbers of q and k be random,
# with the variance 1. How many numbers that are is called the *head size*. A score is a sum
# of as many products. Each has the variance 1, so for a head size of 16 the sum has 16.
#
# **Write down** what that does to the softmax.

# %%
from gradus.plots import plot_series

sizes = [1, 4, 16, 64, 256]
draw = torch.Generator().manual_seed(1)
variance, largest = {"q · k": [], "q · k / √size": []}, {}
for size in sizes:
    q, k = torch.randn((2, 500, size), generator=draw)
    raw = q @ k.T  # (500, 500)
    for name, scores in {"q · k": raw, "q · k / √size": raw / math.sqrt(size)}.items():
        variance[name].append(scores.var().item())
        weights = F.softmax(scores[:, :20], dim=1)  # each query looks at 20 keys
        largest[name, size] = weights.max(dim=1).values.mean().item()

plot_series(
    sizes,
    variance,
    title="How large are the scores?",
    xlabel="head size",
    ylabel="variance",
    log=True,
    log_steps=True,
)

# %%
for i, size in enumerate(sizes):
    print(f"size {size:3}: variance {variance['q · k'][i]:6.1f}", end="   ")
    print(f"largest of 20 weights {largest['q · k', size]:.2f},", end=" ")
    print(f"with the scale {largest['q · k / √size', size]:.2f}")
    assert 0.7 * size < variance["q · k"][i] < 1.4 * size
    assert 0.7 < variance["q · k / √size"][i] < 1.4
assert largest["q · k", 256] > 0.9
assert largest["q · k / √size", 256] < 0.4

# %% [markdown]
# With a head size of 256, each query looks at a single key from the very beginning, with a
# weight of 0.92 on average, and it was chosen by chance. Worse: this is hard to unlearn.
# The slope of a weight p with respect to its own score is p (1 - p), and where p is nearly
# 1 or nearly 0, that is nearly 0. It is as with tanh: at its flat ends it learns next to
# nothing.

# %%
z = torch.tensor([0.1, -0.2, 0.3, -0.2, 0.5])
for factor in (1, 8, 64):
    p = F.softmax(z * factor, dim=0)
    print(f"times {factor:2}:", " ".join(f"{x:.3f}" for x in p.tolist()), end="   ")
    print(f"p (1 - p) of the largest: {(p.max() * (1 - p.max())).item():.6f}")
assert F.softmax(z * 8, dim=0).max() > 0.79

# %% [markdown]
# Divide the scores by √size, and they have the variance 1 for heads of any size. (The
# size of the *head*. In public code you find the size of the embedding, which is larger
# where there are several heads: then the scores are too small, and all heads begin close to
# a mean.)
#
# ## One head
#
# That is everything. Put it together, and you have a *head*:


# %%
def attend(q, k, v, causal=True):
    """softmax(q kᵀ / √hs) v, and the weights. q (..., T, hs), k and v (..., S, hs)."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (..., T, S)
    weights = F.softmax(mask_later(scores) if causal else scores, dim=-1)
    return weights @ v, weights  # (..., T, S) @ (..., S, hs) -> (..., T, hs)


class Head(nn.Module):
    """One head of self-attention: (B, T, C) -> (B, T, head_size)."""

    def __init__(self, C, head_size):
        super().__init__()
        self.query = nn.Linear(C, head_size, bias=False)
        self.key = nn.Linear(C, head_size, bias=False)
        self.value = nn.Linear(C, head_size, bias=False)

    def forward(self, x):
        y, self.weights = attend(self.query(x), self.key(x), self.value(x))
        return y


head = learn(lambda: Model(Head(64, 64)))
assert head.loss < bag.loss - (0.02 if QUICK else 0.06)

# %% [markdown]
# From 1.54 to 1.46. But something is missing. **Write down:** does a head know which word
# came first? Shuffle the words, with nothing hidden, and see what comes out.

# %%
lone, some = Head(64, 64), torch.randn((1, 6, 64), generator=draw)
order = [3, 1, 5, 0, 2, 4]


def without_mask(x):
    return attend(lone.query(x), lone.key(x), lone.value(x), causal=False)[0]


apart = without_mask(some[:, order]) - without_mask(some)[:, order]
print(f"shuffled in, shuffled out: {apart.abs().max().item():.0e} apart")
assert apart.abs().max() < 1e-5

# %% [markdown]
# It is the same, shuffled. A score depends only on what the two words are, not on where
# they stand. To a head, a text is a set. (The mask gives it a hint: the first word sees one
# word, the tenth sees ten.)
#
# The remedy is simple. Give each place a point, too, learned as those of the words are, and
# add it: "dogs" at the second place is then another vector than "dogs" at the sixth. This
# is a *position embedding*, and it is what `places` in the model is for.

# %%
placed = learn(lambda: Model(Head(64, 64), positions=True))
assert QUICK or placed.loss < head.loss

# %% [markdown]
# ## Where does it look?
#
# Here are its weights for the sentence from the beginning. The last row is the word
# "hears", after which "bark" has to come.
#
# **Write down** which of its cells should be dark.

# %%
from gradus.plots import plot_attention


def look(model, sentence):
    """The weights (n_head, T, T) for a sentence, and its words."""
    with torch.no_grad():
        model(torch.tensor([tokens(sentence)]))
    layer = model.look_back
    found = layer.heads if hasattr(layer, "heads") else [layer]
    return torch.cat([one.weights for one in found]), [".", *sentence.split()]


plot_attention(*look(placed, SENTENCE), title="One head")

# %%
weights, names = look(placed, SENTENCE)
row = weights[0, -1]
print("hears:", "  ".join(f"{n} {w:.2f}" for n, w in zip(names, row.tolist(), strict=True)))
print(f"{SENTENCE} ...  {after(placed, SENTENCE)}")
assert QUICK or row.argmax() == names.index("dogs")

# %% [markdown]
# It looks at "dogs", past the owl, which is nearer. Nobody has told it what a subject is.
#
# One sentence may be luck. So measure it, over all sentences of dev in which something
# stands between the noun and its verb. Among the verbs for noises, such as "bark", how
# often is the right one the likeliest? And how much weight does the noun get, when the verb
# is due?

# %%
noises = [noise + s for noise in toy.NOISES.values() for s in ("", "s")]
noise_ids = torch.tensor([index[noise] for noise in noises])
places = []  # (sentence, place before the verb, place of its noun, which noise is right)
for i, sentence in enumerate(dev):
    text = [".", *sentence.split()]
    noun = next(t for t, word in enumerate(text) if word.rstrip("s") in toy.NOISES)
    for t, word in enumerate(text):
        if word in noises and t > noun + 1:
            places.append((i, t - 1, noun, noises.index(word)))
where = torch.tensor(places)
print(len(places), "sentences, such as", dev[places[0][0]])


def right_verbs(logits):
    """How often the right noise is the likeliest, of logits (N, T, V) for dev."""
    said = logits[where[:, 0], where[:, 1]][:, noise_ids].argmax(dim=1)
    return (said == where[:, 3]).float().mean().item()


with torch.no_grad():
    print(f"pairs: {right_verbs(torch.tensor(np.log(P))[X_dev]):.0%}")
    for name, model in {"mean": bag, "head": head, "head with places": placed}.items():
        print(f"{name}: {right_verbs(model(X_dev)):.0%}")
    on_noun = placed.look_back.weights[where[:, 0], where[:, 1], where[:, 2]].mean().item()
    even = (1 / (where[:, 1] + 1)).mean().item()
print(f"weight on the noun: {on_noun:.2f}; with equal weights it would be {even:.2f}")
assert right_verbs(placed(X_dev)) > right_verbs(bag(X_dev)) + (0.1 if QUICK else 0.2)
assert on_noun > 3 * even

# %% [markdown]
# ## Many heads
#
# There is a conflict in the row of "hears". What comes next depends on the noun, and it
# depends on the word "hears" itself: after "the old owl" something else would come. But one
# softmax has a weight of 1 to share out, and here "hears" got 0.00 of it.
#
# So have several. Four heads of 16 numbers cost as much as one of 64, and each has a
# softmax of its own. Their results, side by side, are 64 numbers again. One more layer
# mixes them, so that what one has found can meet what another has found.


# %%
class Heads(nn.Module):
    """Several heads side by side, and a layer that joins them: (B, T, C) -> (B, T, C)."""

    def __init__(self, C, n_head):
        super().__init__()
        self.heads = nn.ModuleList([Head(C, C // n_head) for _ in range(n_head)])
        self.join = nn.Linear(C, C, bias=False)

    def forward(self, x):
        return self.join(torch.cat([one(x) for one in self.heads], dim=-1))


four = learn(lambda: Model(Heads(64, 4), positions=True))
with torch.no_grad():
    print(f"the right verb: {right_verbs(four(X_dev)):.0%}")
    assert right_verbs(four(X_dev)) > (0.4 if QUICK else 0.9)
assert four.loss < placed.loss

# %%
plot_attention(*look(four, SENTENCE), title="Four heads")

# %% [markdown]
# Look at the last row of each. Two heads look at the noun. Another rests on the dot, which
# says nothing: heads learn to look there when there is nothing to find. And the one that
# looks at "old"? It may have no meaning that you could name. That is the usual case, and
# whoever has a name for each head has looked at few sentences.

# %%
print(f"mean   {bag.loss:.4f}\nhead   {head.loss:.4f}\nplaces {placed.loss:.4f}")
print(f"heads  {four.loss:.4f}\nthe best possible {floor:.4f}")
assert four.loss > floor
assert QUICK or four.loss < floor + 0.06

# %% [markdown]
# Within 0.04 of what is possible at all, with a single layer that looks back.
#
# ## The numbers of a known case
#
# Is it really right? Here is a small case whose numbers others have computed: three
# tokens, eight numbers each, two heads, nothing hidden. (In that program one large matrix
# makes q, k and v of both heads at once. It is faster, and the same.)


# %%
def attention(X, W_qkv, W_o, n_head, causal):
    """(T, C) -> (T, C), and the weights (n_head, T, T)."""
    T, C = X.shape
    q, k, v = (X @ W_qkv).split(C, dim=1)  # (T, 3C) -> three of (T, C)
    q, k, v = (m.view(T, n_head, C // n_head).transpose(0, 1) for m in (q, k, v))
    y, weights = attend(q, k, v, causal)  # (n_head, T, hs)
    return y.transpose(0, 1).reshape(T, C) @ W_o, weights


np.random.seed(0)
X_small = torch.tensor(np.arange(24).reshape(3, 8) / 10)
W_qkv = torch.tensor(np.random.randn(8, 24) * 0.1)
W_o = torch.tensor(np.random.randn(8, 8) * 0.1)

y, weights = attention(X_small, W_qkv, W_o, n_head=2, causal=False)
print(weights[0])
known = [0.35121047, 0.33301926, 0.31577027]
assert np.allclose(weights[0, 0], known, atol=1e-8)
known = [0.0608911, 0.02471983, -0.020168, 0.02229383]
assert np.allclose(y[0, :4], known, atol=1e-8)

y, weights = attention(X_small, W_qkv, W_o, n_head=2, causal=True)
print(weights[0])
assert np.allclose(weights[0, 1], [0.54440124, 0.45559876, 0], atol=1e-8)

# %% [markdown]
# ## A map that looks wrong
#
# Take "dogs hear the owl", and again a verb that asks for nouns. One of these maps is
# right. **Write down** which, and what is wrong with the other two.

# %%
few = ["dogs", "hear", "the", "owl"]
q, k = 2.0 * kinds[1:, 1:2], kinds[1:, :1]  # a verb asks, a noun answers
scores = q @ k.T  # (4, 4)
maps = {
    "first": F.softmax(mask_later(scores), dim=0),
    "second": F.softmax(mask_later(scores), dim=1),
    "third": F.softmax(mask_later(scores.T), dim=1),
}
plot_matrix(maps, rows=few, columns=few)

# %%
for name, one in maps.items():
    print(f"{name}: rows add up to {[round(s, 2) for s in one.sum(dim=1).tolist()]}")
assert torch.allclose(maps["second"].sum(dim=1), torch.ones(4))
assert torch.allclose(maps["first"].sum(dim=0), torch.ones(4))
assert torch.allclose(maps["third"].sum(dim=1), torch.ones(4))
assert maps["second"][1, 0] > 0.8

# %% [markdown]
# In the first, the *columns* add up to 1. The softmax went over the wrong axis: here the
# words that ask compete for a word, not the words that are asked. Look at the sums, and
# you have it.
#
# In the third, all sums are right, and it is still wrong: `k @ q.T` in place of `q @ k.T`.
# Who asks and who is asked have changed places, and the owl looks at the verb. No sum shows
# it. It runs, and since W_q and W_k are both learned, it even learns the same. It goes
# wrong only when you load the weights into another program. So compare with known numbers,
# always.
#
# ## Looking at another text
#
# In `attend`, T and S may differ: the queries may come from one text, and keys and values
# from another. This is called *cross-attention*. This is how a translator looks at the
# sentence that it translates, while it writes another. Nothing is hidden then: the source
# is all there.
#
# An example by hand. The source is "hello", its keys are its places, as one-hot. The
# queries ask for the places from the last to the first, and firmly, times 50.
#
# **Write down** what comes out. (In the picture, the rows are what is written, the columns
# what is looked at.)

# %%
from gradus.plots import plot_cross_attention

source = "hello"
k = torch.eye(5)  # (S, 5): the place of each letter
v = torch.eye(26)[[ord(letter) - ord("a") for letter in source]]  # (S, 26): which it is
q = 50 * torch.eye(5).flip(0)  # (T, 5): the last place first
y, weights = attend(q, k, v, causal=False)  # (T, 26)
written = "".join(chr(ord("a") + i) for i in y.argmax(dim=1).tolist())
print(written)
assert written == "olleh"
plot_cross_attention(weights, source, written, title="hello, backwards")

# %% [markdown]
# This is the purest attention: a look-up by key, as in a dictionary. But it is soft: with a
# smaller factor than 50 you would get a mixture, and a mixture has a gradient. So it can be
# *learned*. In the last exercise of this lesson, your attention learns to reverse words by
# itself, and its map will look like this one.
#
# ## Where gradus has it
#
# The steps are in `gradus.attention`, for arrays and for tensors:

# %%
from gradus.attention import average_by_softmax, cross, heads, score_variance

assert torch.allclose(average_by_softmax(x)[0], by_softmax)
theirs, _ = heads(X_small, W_qkv, W_o, 2, causal=True)
yours, _ = attention(X_small, W_qkv, W_o, 2, causal=True)
print("heads:", (theirs - yours).abs().max().item(), "apart")
assert torch.allclose(theirs, yours, atol=1e-12)

asker = torch.randn((2, 8), generator=draw)  # two tokens look at the three
W_q, W_k, W_v = W_qkv.split(8, dim=1)
theirs, _ = cross(asker, X_small, W_q, W_qkv[:, 8:], W_o, n_head=1)
yours = attend(asker @ W_q, X_small @ W_k, X_small @ W_v, causal=False)[0] @ W_o
print("cross-attention:", (theirs - yours).abs().max().item(), "apart")
assert torch.allclose(theirs, yours, atol=1e-12)

before, with_scale = score_variance(16)
print(f"head size 16: variance of the scores {before:.1f}, with the scale {with_scale:.1f}")

# %% [markdown]
# And in the GPT of gradus it is `CausalSelfAttention`. There one matrix makes q, k and v
# of all heads. Put yours into it, one below the other, since `nn.Linear` keeps a neuron a
# row. The loss of the model must stay the same.

# %%
from gradus.models import GPTConfig
from gradus.models.gpt import CausalSelfAttention

config = GPTConfig(vocab_size=V, block_size=LONGEST, n_head=4, n_embd=64, bias=False)
theirs, yours = CausalSelfAttention(config), four.look_back
with torch.no_grad():
    for i, name in enumerate(("query", "key", "value")):
        of_heads = [getattr(one, name).weight for one in yours.heads]
        theirs.c_attn.weight[64 * i : 64 * (i + 1)] = torch.cat(of_heads)
    theirs.c_proj.weight.copy_(yours.join.weight)
    points = four.table(X_dev) + four.places.weight
    apart = (theirs(points) - yours(points)).abs().max().item()
    four.look_back = theirs
    loss = loss_of(four, X_dev, Y_dev).item()
print(f"gradus: {loss:.6f}   yours: {four.loss:.6f}   largest difference {apart:.0e}")
assert abs(loss - four.loss) < 1e-5

# %% [markdown]
# ## What you have now
#
# * Attention is a mean whose weights the words choose: softmax(q kᵀ / √hs) v.
# * The query says what a word looks for, the key what it is found by, the value what it
#   hands over.
# * What comes later is hidden before the softmax, with -∞. After it is too late.
# * Divided by √hs, the scores have the variance 1, and no head is sure too early.
# * A head does not know where a word stands. Add a point for each place.
# * Several heads can look at several places at once. With queries from another text it is
#   cross-attention.
#
# **Next:** [12. GPT](12_gpt.ipynb)
