# %% [markdown]
# # 9. Backprop by hand
#
# *To read: 60 minutes. To run: 10 seconds. You need: lessons 4 and 8, and a pencil.*
#
# Lesson 8 ended with a question: could you have found the gradients yourself, even those
# through BatchNorm? Until about 2012 nearly everybody did, on paper, and then typed them
# in. Today `loss.backward()` does it, and it is right.
#
# Then why bother? Because `backward` does what you wrote, not what you meant. A gradient
# that is cut off, summed over the wrong axis, or counted once where it should be counted
# twice does not crash. If you have once walked the whole way back, you see such things. And
# at the end, most of the twenty-six steps will have shrunk to two short formulas.

# %%
import math
import os

import numpy as np

from gradus import load_corpus
from gradus.backend import F, torch

QUICK = os.environ.get("GRADUS_LESSONS") == "quick"  # a shorter run, for tests
LONG = False  # True: the lecture's whole run, 200,000 steps, some minutes more

splits = load_corpus("names").splits()
symbols = "." + "abcdefghijklmnopqrstuvwxyz"
index = {symbol: i for i, symbol in enumerate(symbols)}


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

# %% [markdown]
# ## The network, in the smallest steps
#
# It is the one of lesson 8: three letters, a layer, BatchNorm, tanh, a layer. (All biases
# and gains begin with random numbers here. With 0 and 1, some mistakes would give the right
# result by luck.)

# %%
n = 32  # examples in a batch


def new_model(n_hidden):
    draw = torch.Generator().manual_seed(2147483647)
    parameters = {
        "C": torch.randn((27, 10), generator=draw),
        "W1": torch.randn((30, n_hidden), generator=draw) * (5 / 3) / math.sqrt(30),
        "b1": torch.randn(n_hidden, generator=draw) * 0.1,
        "W2": torch.randn((n_hidden, 27), generator=draw) * 0.1,
        "b2": torch.randn(27, generator=draw) * 0.1,
        "gain": torch.randn((1, n_hidden), generator=draw) * 0.1 + 1.0,
        "bias": torch.randn((1, n_hidden), generator=draw) * 0.1,
    }
    return parameters, draw


parameters, draw = new_model(n_hidden=64)
for p in parameters.values():
    p.requires_grad = True
C, W1, b1, W2, b2, gain, bias = parameters.values()
i = torch.randint(0, len(X), (n,), generator=draw)
x, y = X[i], Y[i]
print(sum(p.numel() for p in parameters.values()), "numbers")
assert sum(p.numel() for p in parameters.values()) == 4137

# %% [markdown]
# Now forward, and each line does one thing only. This is what you will walk back.

# %%
emb = C[x]  # (32, 3, 10)
flat = emb.view(n, 30)
pre = flat @ W1 + b1  # (32, 64)

mean = pre.sum(0, keepdim=True) / n  # (1, 64)     BatchNorm: from here ...
diff = pre - mean  # (32, 64)
diff2 = diff**2
var = diff2.sum(0, keepdim=True) / (n - 1)  # (1, 64)
inv_std = (var + 1e-5) ** -0.5  # (1, 64)
unit = diff * inv_std  # (32, 64)
scaled = gain * unit + bias  # (32, 64)             ... to here

h = torch.tanh(scaled)
logits = h @ W2 + b2  # (32, 27)

maxes = logits.max(1, keepdim=True).values  # (32, 1)   cross-entropy: from here ...
shifted = logits - maxes  # (32, 27)
counts = shifted.exp()
sums = counts.sum(1, keepdim=True)  # (32, 1)
inv_sums = sums**-1
probs = counts * inv_sums  # (32, 27)
logprobs = probs.log()
loss = -logprobs[range(n), y].mean()  # ()              ... to here

print(f"loss {loss.item():.4f}   F.cross_entropy {F.cross_entropy(logits, y).item():.4f}")
assert abs(loss - F.cross_entropy(logits, y)) < 1e-6

# %% [markdown]
# The library walks back now, and keeps the gradient at each step, so that you can compare.
# You will call the gradient of `probs` by the name `dprobs`, and so on. It means: how much
# does the *loss* change, if I nudge this?

# %%
steps = {
    "logprobs": logprobs,
    "probs": probs,
    "inv_sums": inv_sums,
    "sums": sums,
    "counts": counts,
    "shifted": shifted,
    "maxes": maxes,
    "logits": logits,
    "h": h,
    "scaled": scaled,
    "unit": unit,
    "inv_std": inv_std,
    "var": var,
    "diff2": diff2,
    "diff": diff,
    "mean": mean,
    "pre": pre,
    "flat": flat,
    "emb": emb,
} | parameters
for t in steps.values():
    t.retain_grad()
loss.backward()
to_do = set(steps)
for p in parameters.values():
    p.requires_grad = False  # from here on it is yours


def off(name, mine):
    """How far a gradient is from the library's, at most."""
    assert mine.shape == steps[name].shape, f"d{name} is {mine.shape}"
    return (mine - steps[name].grad).abs().max().item()


def compare(**mine):
    for name, gradient in mine.items():
        worst = off(name, gradient)
        print(f"d{name:9}", "exact" if worst == 0 else f"off by {worst:.0e}")
        assert worst < 1e-7
        to_do.discard(name)


# %% [markdown]
# ## Four rules
#
# You know them all from lessons 2 and 4. They are enough for everything that follows.
#
# 1. **The gradient of x has the shape of x.** If it has not, you are wrong already.
# 2. **Each step multiplies** what comes from above by its own slope: the chain rule.
# 3. **What was repeated forwards is summed backwards**, and what was summed forwards is
#    repeated backwards.
# 4. **What was used twice gets two gradients**, and adds them.
#
# ## From the loss to the logits
#
# `loss` is the mean of 32 of the 864 numbers in logprobs, with a minus.
#
# **Write down:** what is dlogprobs? Which of its numbers are not 0?

# %%
dlogprobs = torch.zeros((n, 27))
dlogprobs[range(n), y] = -1 / n
print("-1/32 =", dlogprobs[0, y[0]].item())
compare(logprobs=dlogprobs)

# %% [markdown]
# Next `logprobs = probs.log()`. The slope of log p is 1/p. So if the right letter was
# given a probability of 0.01, its gradient is a hundred times as large: the loss shouts
# loudest where the network was most wrong.

# %%
dprobs = dlogprobs / probs
compare(probs=dprobs)

# %% [markdown]
# Then `probs = counts * inv_sums`: (32, 27) times (32, 1). For a product, each factor gets
# the other factor. But inv_sums was repeated over the 27 columns.
#
# **Write down** both lines, with rule 1 in mind.

# %%
dinv_sums = (counts * dprobs).sum(1, keepdim=True)  # (32, 27) -> (32, 1)
dcounts = inv_sums * dprobs  # the first of two
compare(inv_sums=dinv_sums)

# %% [markdown]
# Why the first of two? counts is used once more, in `sums = counts.sum(1)`. The slope of
# s⁻¹ is -s⁻². And the sum, backwards, is a repetition.

# %%
dsums = -(sums**-2) * dinv_sums
compare(sums=dsums)
only_the_second = torch.ones_like(counts) * dsums  # a mistake: = where it should be +=
print(f"overwritten: off by {off('counts', only_the_second):.1e}")
assert off("counts", only_the_second) > 1e-4

dcounts = dcounts + torch.ones_like(counts) * dsums
compare(counts=dcounts)

# %% [markdown]
# Each of the 27 counts of a row gets the same dsums: more of any count makes the sum larger
# and so all probabilities smaller. Now exp, whose slope is itself, and the shift.
#
# **Write down:** `shifted = logits - maxes`, and you know from lesson 4 that subtracting
# the largest changes nothing in the probabilities. What must dmaxes be?

# %%
dshifted = counts * dcounts
dmaxes = -dshifted.sum(1, keepdim=True)
compare(shifted=dshifted, maxes=dmaxes)
print(f"largest of dmaxes: {dmaxes.abs().max():.6f}")
assert dmaxes.abs().max() < 1e-7

# %% [markdown]
# Zero, but for rounding. What changes nothing has no slope. (A check that costs nothing:
# if you ever find more than 1e-7 there, your softmax is wrong.) logits is used twice, in
# the shift and in the maximum, and the maximum passes its gradient to the place that won.

# %%
winners = F.one_hot(logits.max(1).indices, 27)
dlogits = dshifted + winners * dmaxes
compare(logits=dlogits)

# %% [markdown]
# ## A layer
#
# `logits = h @ W2 + b2`. You derived this in lesson 4, but you need not remember it. The
# shapes tell you: dh must be (32, 64), and you have dlogits (32, 27) and W2 (64, 27).
# There is one way to multiply them.
#
# **Write down** all three.

# %%
dh = dlogits @ W2.T  # (32, 27) @ (27, 64)
dW2 = h.T @ dlogits  # (64, 32) @ (32, 27)
db2 = dlogits.sum(0)  # b2 was repeated for 32 rows
compare(h=dh, W2=dW2, b2=db2)

# %% [markdown]
# And tanh, and the gain and the bias of BatchNorm, each of which was repeated for 32 rows.

# %%
dscaled = (1 - h**2) * dh
dgain = (unit * dscaled).sum(0, keepdim=True)
dbias = dscaled.sum(0, keepdim=True)
dunit = gain * dscaled
compare(scaled=dscaled, gain=dgain, bias=dbias, unit=dunit)

# %% [markdown]
# ## Through BatchNorm
#
# Here comes the part where most people give up. So first look at the map: the same lines
# once more, from `pre` on, drawn as in lesson 2.

# %%
from gradus.graph import graph

at = {"pre": pre.detach().requires_grad_()}
at["mean"] = at["pre"].sum(0, keepdim=True) / n
at["diff"] = at["pre"] - at["mean"]
at["diff2"] = at["diff"] ** 2
at["var"] = at["diff2"].sum(0, keepdim=True) / (n - 1)
at["inv_std"] = (at["var"] + 1e-5) ** -0.5
at["unit"] = at["diff"] * at["inv_std"]
graph(at["unit"], names=at)

# %% [markdown]
# Two forks: `pre` is used twice, and `diff` is used twice. There, two gradients will have
# to be added. And at `mean` and `inv_std`, (1, 64) meets (32, 64): there, something will
# have to be summed. The map has told you where the bugs would be.
#
# Now go slowly, from the right to the left. `unit = diff * inv_std`, (32, 64) times
# (1, 64).
#
# **Write down:** dinv_std, and the first of the two gradients of diff.

# %%
dinv_std = (diff * dunit).sum(0, keepdim=True)
ddiff = inv_std * dunit  # the first of two
compare(inv_std=dinv_std)

# %% [markdown]
# `inv_std = (var + 1e-5) ** -0.5`: the exponent comes down, and one less remains.
#
# `var = diff2.sum(0) / 31`: a sum, so backwards a repetition.

# %%
dvar = -0.5 * (var + 1e-5) ** -1.5 * dinv_std
ddiff2 = torch.ones_like(diff2) * dvar / (n - 1)
compare(var=dvar, diff2=ddiff2)

# %% [markdown]
# `diff2 = diff ** 2`, and that is the second use of diff.

# %%
print(f"without the second: off by {off('diff', ddiff):.1e}")
ddiff = ddiff + 2 * diff * ddiff2
compare(diff=ddiff)

# %% [markdown]
# `diff = pre - mean`, and `mean = pre.sum(0) / 32`. pre is used twice, too: each example
# is in its own diff, and in the mean of all 32.

# %%
dmean = -ddiff.sum(0, keepdim=True)
dpre = ddiff + torch.ones_like(pre) * dmean / n
compare(mean=dmean, pre=dpre)

# %% [markdown]
# ## Down to the letters
#
# The first layer is as before.
#
# **Write down** dW1 and db1. What do you know about db1, from lesson 8, before computing
# it?

# %%
dflat = dpre @ W1.T
dW1 = flat.T @ dpre
db1 = dpre.sum(0)
demb = dflat.view(emb.shape)  # put side by side forwards, taken apart backwards
compare(flat=dflat, W1=dW1, b1=db1, emb=demb)
print(f"largest of db1: {db1.abs().max():.6f}")
assert db1.abs().max() < 1e-7

# %% [markdown]
# Zero again, since BatchNorm takes away what b1 adds.
#
# The last one: `emb = C[x]`. Row 5 of C is the letter e. Wherever an e stood in these 96
# places, its row was used, and each use sends a gradient. The obvious line is
# `dC[x] += demb`. **Write down:** is it right?

# %%
obvious = torch.zeros_like(C)
obvious[x] += demb
print(f"obvious: off by {off('C', obvious):.1e}")
assert off("C", obvious) > 1e-4

# %% [markdown]
# It is not, and it is a mistake that many have made. The line reads all 96 rows, adds, and
# writes all 96 rows back. A row that is written several times keeps only what came last. It
# is rule 4, broken without a loop in sight. So add one by one:

# %%
dC = torch.zeros_like(C)
for row in range(n):
    for place in range(3):
        dC[x[row, place]] += demb[row, place]
compare(C=dC)
print("still to do:", to_do or "nothing")
assert not to_do

# %% [markdown]
# All twenty-six, and exact to the last bit, since the library does the same things in the
# same order.
#
# A loop in Python is slow. There are two ways without. `index_add` adds one by one, as
# the loop does. Or remember lesson 6: a look-up is a product with one-hot rows, so its
# gradient is one, too.

# %%
by_index = torch.zeros_like(C).index_add(0, x.view(-1), demb.view(-1, 10))
by_product = F.one_hot(x.view(-1), 27).float().T @ demb.view(-1, 10)
for way in (by_index, by_product):
    assert off("C", way) < 1e-7

# %% [markdown]
# ## On paper: cross-entropy
#
# Eight steps lead from the loss to the logits. But you know the answer from lesson 4:
# **what you said, minus what was right**, divided by 32. On paper, for one example with
# the right answer y:
#
#     loss = -log(e^z[y] / Σ e^z[j]) = log Σ e^z[j] - z[y]
#
# The slope of the first part with respect to z[k] is e^z[k] / Σ e^z[j], which is p[k]. The
# slope of the second is 1 for k = y, and else 0. That is all.

# %%
short = F.softmax(logits, 1)
short[range(n), y] -= 1
short /= n
print(f"in one line: off by {off('logits', short):.0e}")
assert off("logits", short) < 1e-7

# %% [markdown]
# Here it is for six of the examples and the first eleven symbols, times 32. Think of it
# as forces: blue pushes a logit down, orange pulls it up.
#
# **Write down:** what do the forces of one row add up to, over all 27 symbols?

# %%
from gradus.plots import plot_matrix

chosen = [k for k in range(n) if y[k] <= 10][:6]
rows = ["".join(symbols[i] for i in x[k].tolist()) for k in chosen]
print(
    "next:", ", ".join(f"{c} -> {symbols[y[k]]}" for c, k in zip(rows, chosen, strict=True))
)
forces = 32 * short[chosen, :11]
plot_matrix({"gradient of the logits, times 32": forces}, rows=rows, columns=symbols[:11])

# %%
assert short.sum(1).abs().max() < 1e-7

# %% [markdown]
# To 0. The pull up on the right letter is as strong as all the pushes together, and each
# push is as strong as the probability that the letter was given. When the network is nearly
# right, the forces are nearly 0. Learning is this tug of war, handed down to all tables.
#
# ## On paper: BatchNorm
#
# Now the second short formula, and for it you need the pencil. Take one neuron, with its n
# numbers. Call g the gradient that arrives at `unit`. There are three ways from pre to
# unit:
#
# * **straight:** g · inv_std.
# * **through the variance.** You had dinv_std = Σ g · diff, and then dvar =
#   -½ inv_std³ · dinv_std. Each diff gets 2 diff / (n - 1) of it. Write unit for
#   diff · inv_std everywhere, and it is -inv_std · unit · Σ(g · unit) / (n - 1).
# * **through the mean:** it takes away the mean of everything that arrives at diff. What
#   came through the variance has the mean 0, since unit has. So -inv_std · mean(g).
#
# Together:
#
#     dpre = inv_std · (g - mean(g) - unit · Σ(g · unit) / (n - 1))
#
# With numbers: pre is 1, 2, 6, so the mean is 3, diff is -2, -1, 3, the variance 14/2 = 7.
# And g is 1, 0, 0: "the first should be less".
#
# **Write down:** which sign will each of the three numbers of dpre have?


# %%
def backward_norm(g, unit, inv_std):
    n = len(g)
    return inv_std * (g - g.mean(0) - unit * (g * unit).sum(0) / (n - 1))


three = torch.tensor([[1.0], [2.0], [6.0]], requires_grad=True)
three_unit = (three - three.mean(0)) / torch.sqrt(three.var(0) + 1e-5)
g = torch.tensor([[1.0], [0.0], [0.0]])
three_unit.backward(g)

three_unit, inv = three_unit.detach(), (three.detach().var(0) + 1e-5) ** -0.5
mine = backward_norm(g, three_unit, inv)
columns = {
    "g": g,
    "- mean": -g.mean(0) * torch.ones((3, 1)),
    "- spread": -three_unit * (g * three_unit).sum(0) / 2,
    "sum · inv_std": mine,
}
plot_matrix(columns)

# %%
assert torch.allclose(mine, three.grad, atol=1e-7)
total, along = mine.sum().abs(), (mine * three_unit).sum().abs()
print(f"sum of dpre {total:.5f}   sum of dpre · unit {along:.5f}")
assert max(total, along) < 1e-5

# %% [markdown]
# The second should be *more*, although nobody asked for it. Two things are taken out of
# g. The mean: pushing all three up changes nothing, as BatchNorm takes it away. And the
# spread: pulling all three apart changes nothing, as BatchNorm divides it away. What is
# left is what can make a difference. So dpre adds up to 0, and so does dpre · unit.
# Remember that, and you can rebuild the formula from nothing.
#
# Now on the real batch:

# %%
short = backward_norm(gain * dscaled, unit, inv_std)
print(f"in one line: off by {off('pre', short):.0e}")
assert off("pre", short) < 1e-7

# %% [markdown]
# The mistake that everybody makes here is one of two: the mean is forgotten, or the spread
# is. Both look like gradients. **Write down:** is the direction still about right?

# %%
g, theirs = gain * dscaled, pre.grad
for name, wrong in {
    "no mean": inv_std * (g - unit * (g * unit).sum(0) / (n - 1)),
    "no spread": inv_std * (g - g.mean(0)),
}.items():
    cosine = (wrong * theirs).sum() / (wrong.norm() * theirs.norm())
    print(f"{name:10} off by {off('pre', wrong):.1e}   cosine {cosine:.3f}")
    assert off("pre", wrong) > 1e-4

# %% [markdown]
# The direction is nearly right! So it would train, a little worse, and nobody would know.
# Wrong gradients seldom crash. Compare.
#
# ## Train with it
#
# Now put it together, without `backward` anywhere. Seven gradients, and a dozen lines.


# %%
def by_hand(parameters, x, y):
    """The loss, and the gradient of each parameter."""
    C, W1, b1, W2, b2, gain, bias = parameters.values()
    n = len(x)
    flat = C[x].view(n, 30)
    pre = flat @ W1 + b1
    inv_std = (pre.var(0, keepdim=True) + 1e-5) ** -0.5
    unit = (pre - pre.mean(0, keepdim=True)) * inv_std
    h = torch.tanh(gain * unit + bias)
    logits = h @ W2 + b2

    dlogits = F.softmax(logits, 1)
    loss = -dlogits[range(n), y].log().mean()
    dlogits[range(n), y] -= 1
    dlogits /= n
    dscaled = (1 - h**2) * (dlogits @ W2.T)
    dpre = backward_norm(gain * dscaled, unit, inv_std)
    demb = (dpre @ W1.T).view(-1, 10)
    return loss, {
        "C": torch.zeros_like(C).index_add(0, x.view(-1), demb),
        "W1": flat.T @ dpre,
        "b1": dpre.sum(0),
        "W2": h.T @ dlogits,
        "b2": dlogits.sum(0),
        "gain": (unit * dscaled).sum(0, keepdim=True),
        "bias": dscaled.sum(0, keepdim=True),
    }


_, gradients = by_hand(parameters, x, y)
assert all(off(name, gradient) < 1e-7 for name, gradient in gradients.items())

larger, draw = new_model(n_hidden=200)
print(sum(p.numel() for p in larger.values()), "numbers")
STEPS = 200000 if LONG else 500 if QUICK else 10000
for k in range(STEPS):
    i = torch.randint(0, len(X), (n,), generator=draw)
    loss, gradients = by_hand(larger, X[i], Y[i])
    for name, p in larger.items():
        p -= (0.1 if k < STEPS / 2 else 0.01) * gradients[name]
    if k % (STEPS // 5) == 0:
        print(f"step {k:6}: {loss.item():.4f}")


# %%
def evaluate(parameters, x, y):
    """The loss, with the mean and variance of all training examples."""
    C, W1, b1, W2, b2, gain, bias = parameters.values()
    known = C[X].view(-1, 30) @ W1 + b1
    pre = C[x].view(-1, 30) @ W1 + b1
    unit = (pre - known.mean(0)) / torch.sqrt(known.var(0) + 1e-5)
    return F.cross_entropy(torch.tanh(gain * unit + bias) @ W2 + b2, y).item()


reached = [evaluate(larger, X, Y), evaluate(larger, X_dev, Y_dev)]
print(f"train {reached[0]:.4f}   dev {reached[1]:.4f}")
assert reached[1] < (2.6 if QUICK else 2.25)
if LONG:
    assert np.allclose(reached, [2.0705, 2.1099], atol=0.01)

# %% [markdown]
# No autograd was at work. These are the lines that `loss.backward()` saves you. (With
# `LONG = True` it ends where the lecture ended, up to the luck of the draw: 2.0705 and
# 2.1099.)
#
# ## Where gradus has it
#
# In gradus each operation has its backward written out beside its forward, as you have just
# done, and in the short form. You can add one of your own: a `Function`, as in PyTorch. Its
# `forward` leaves in `ctx` what its `backward` will need. And `gradus.gradcheck` nudges
# every number, as you did in lesson 1, to see whether the gradient is right.


# %%
class Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pre):
        inv_std = (pre.var(0, keepdim=True) + 1e-5) ** -0.5
        unit = (pre - pre.mean(0, keepdim=True)) * inv_std
        ctx.save_for_backward(unit, inv_std)
        return unit

    @staticmethod
    def backward(ctx, g):
        return backward_norm(g, *ctx.saved_tensors)


from gradus.gradcheck import check

inputs = torch.randn((6, 4), generator=draw).double()
right = check(Norm.apply, inputs)
print(right)
assert right


# %%
class Forgetful(Norm):
    @staticmethod
    def backward(ctx, g):
        _, inv_std = ctx.saved_tensors
        return inv_std * (g - g.mean(0))


wrong = check(Forgetful.apply, inputs)
print(wrong)
assert not wrong

# %% [markdown]
# And gradus's own BatchNorm? It divides by n where you divided by n - 1 (lesson 8). So put
# n into the formula:

# %%
leaf = inputs.clone().requires_grad_()
g = torch.randn((6, 4), generator=draw).double()
theirs = F.batch_norm(leaf, None, None, training=True)
theirs.backward(g)
inv_std = (inputs.var(0, unbiased=False) + 1e-5) ** -0.5
unit = (inputs - inputs.mean(0)) * inv_std
mine = inv_std * (g - g.mean(0) - unit * (g * unit).mean(0))
print(f"gradus's BatchNorm and yours: off by {(leaf.grad - mine).abs().max():.0e}")
assert torch.allclose(leaf.grad, mine, rtol=1e-12)

# %% [markdown]
# ## What you have now
#
# * Four rules are enough to walk back through any network: shape, slope, repeated and
#   summed, used twice.
# * Cross-entropy: what you said, minus what was right.
# * BatchNorm: take the mean and the spread out of the gradient, since they cannot matter.
# * A look-up adds up its rows. `dC[x] += ...` does not.
# * Wrong gradients train, too, only worse. So compare: with the library, or by nudging.
#
# **Next:** [10. A tree of characters: WaveNet](10_a_tree_of_characters.ipynb)
