# %% [markdown]
# # 12. GPT
#
# *To read: 50 minutes. To run: 2 minutes. You need: lesson 11.*
#
# You have attention. GPT is what you get when you put it into a block, and stack such
# blocks. In this lesson you add one part at a time, in the order in which you need them,
# and after each you look at two things: the loss, and what it writes.
#
# At the end you have the model of GPT-2, in about sixty lines, only smaller. By then you
# know what each part is for, since you have seen the model without it.

# %%
import math
import os

import numpy as np

from gradus import load_corpus
from gradus.backend import F, nn, torch

MODE = os.environ.get("GRADUS_LESSONS", "")  # "quick" for tests, "full" for 5,000 steps
QUICK, FULL = MODE == "quick", MODE == "full"
torch.set_default_dtype(torch.float64)

corpus = load_corpus("shakespeare")  # 1.1 MB, downloaded when it is first asked for
splits = corpus.splits()
symbols = sorted(set(corpus.text))
index = {symbol: i for i, symbol in enumerate(symbols)}
V = len(symbols)


def numbers(text):
    return torch.tensor([index[symbol] for symbol in text])


train, dev = numbers(splits.train.text), numbers(splits.dev.text)
print(f"{len(train):,} characters to learn from, {len(dev):,} to judge by, {V} symbols")
print(splits.train.text[:120])
assert V == 65

# %% [markdown]
# A megabyte of Shakespeare's plays. There are no separate names or sentences any more, and
# no dots between them: it is one long text. So an example is any piece of it. Take T
# characters, and ask at each of them for the next.
#
# **Write down:** how many predictions are in 32 pieces of 8 characters?

# %%
T, C = 8, 32  # characters that it sees; numbers for each of them


def batch(data, number, length, draw):
    """x (number, length), and y: the same, one character further."""
    start = torch.randint(0, len(data) - length, (number,), generator=draw)
    at = start[:, None] + torch.arange(length)
    return data[at], data[at + 1]


x, y = batch(train, 32, T, torch.Generator().manual_seed(1))
for i in range(1, 5):
    before, after = x[0, :i].tolist(), y[0, i - 1].item()
    print(repr("".join(symbols[j] for j in before)), "->", repr(symbols[after]))
assert x.numel() == 256

# %% [markdown]
# 256: one at each place of each piece, with a context of one character, of two, and so on
# up to 8. That is why no place may see what comes later: the answer is there.
#
# And what has to be beaten? Count, as in lesson 5. It takes a second.

# %%
from gradus.models import build_model

for order in (2, 6):
    counting = build_model(
        "ngram", vocab_size=V, block_size=16, order=order, method="kneser-ney"
    )
    counting.count(train[None, :-1].numpy(), train[None, 1:].numpy())
    counted = counting(dev[None, :-1], dev[None, 1:])[1].item()
    print(f"counting, order {order}: {counted:.3f}")
assert 1.4 < counted < 1.5
print(f"knowing nothing: ln 65 = {math.log(65):.3f}")

# %% [markdown]
# ## The first rung: a table
#
# The model of lesson 6: each character has a row of logits for what comes next. It is the
# baseline. Here is also everything that all rungs share: training, judging, writing.


# %%
class Table(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(V, V)

    def forward(self, x):
        return self.table(x)  # (B, T) -> (B, T, V)


def loss_of(model, x, y):
    return F.cross_entropy(model(x).view(-1, V), y.view(-1))


def judge(model, length, number=None):
    """The loss on dev, in pieces that do not overlap, or on the first `number` of them."""
    number = 400 if QUICK else number
    n = (len(dev) - 1) // length * length
    x, y = dev[:n].view(-1, length)[:number], dev[1 : n + 1].view(-1, length)[:number]
    with torch.no_grad():
        parts = zip(x.split(500), y.split(500), strict=True)
        return sum(loss_of(model, *part).item() * len(part[0]) for part in parts) / len(x)


def write(model, length, number, seed=3):
    draw = torch.Generator().manual_seed(seed)
    ids = [0]  # a line break, to begin with
    for _ in range(number):
        with torch.no_grad():
            logits = model(torch.tensor([ids[-length:]]))[0, -1]
        ids.append(torch.multinomial(F.softmax(logits, dim=0), 1, generator=draw).item())
    return "".join(symbols[i] for i in ids[1:])


STEPS = 5000 if FULL else 100 if QUICK else 1500
EVERY = STEPS // 10
ladder, curves = {}, {}


def rung(name, make, rate=0.01):
    """Make a model, train it, print its loss and a text of it, and keep them."""
    torch.manual_seed(1)
    model, draw = make(), torch.Generator().manual_seed(1)
    optimizer = torch.optim.AdamW(model.parameters())
    curves[name] = []
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = rate * (1 - step / STEPS)
        loss = loss_of(model, *batch(train, 32, T, draw))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % EVERY == 0:
            curves[name].append(judge(model, T, 500))
    ladder[name] = judge(model, T)
    size = sum(p.numel() for p in model.parameters())
    print(f"{size:,} numbers, loss on dev {ladder[name]:.3f}")
    print(write(model, T, 150))
    return model


rung("a table", Table)
assert QUICK or 2.4 < ladder["a table"] < 2.6

# %% [markdown]
# ## Attention
#
# Now the layer of lesson 11, with all heads at once, as GPT-2 has it: one matrix makes
# queries, keys and values, `view` splits them into heads, another matrix joins what they
# found.


# %%
def attend(q, k, v):
    """Causal attention: (B, nh, T, hs) -> (B, nh, T, hs)."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (B, nh, T, T)
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return F.softmax(scores.masked_fill(later, -math.inf), dim=-1) @ v


class Attention(nn.Module):
    def __init__(self, C, n_head):
        super().__init__()
        self.c_attn = nn.Linear(C, 3 * C)  # q, k, v of all heads
        self.c_proj = nn.Linear(C, C)  # joins the heads
        self.n_head = n_head

    def split(self, x):
        """q, k and v, each (B, nh, T, hs), of (B, T, C)."""
        B, T, C = x.shape
        parts = self.c_attn(x).split(C, dim=2)
        return [part.view(B, T, self.n_head, -1).transpose(1, 2) for part in parts]

    def join(self, y):
        B, _, T, _ = y.shape
        return self.c_proj(y.transpose(1, 2).reshape(B, T, -1))

    def forward(self, x):
        return self.join(attend(*self.split(x)))


class Model(nn.Module):
    """Points of characters and of places, a body, logits."""

    def __init__(self, body, norm=None):
        super().__init__()
        self.table, self.places = nn.Embedding(V, C), nn.Embedding(T, C)
        self.body, self.norm = body, norm or nn.Identity()
        self.output = nn.Linear(C, V)

    def forward(self, x):
        points = self.table(x) + self.places.weight[: x.shape[1]]
        return self.output(self.norm(self.body(points)))


rung("one head", lambda: Model(Attention(C, 1)))
assert QUICK or ladder["one head"] < ladder["a table"]

# %% [markdown]
# **Write down:** four heads of 8 in place of one of 32, the same number of parameters.
# Better or worse?

# %%
rung("four heads", lambda: Model(Attention(C, 4)))
assert QUICK or ladder["four heads"] < ladder["one head"]

# %% [markdown]
# ## Time to think
#
# Attention gathers. It is a mean, and nothing is done with what was gathered. So let each
# place work on it by itself: a layer four times as wide, a bend, and back again. This is an
# *MLP*. In GPT-2 the bend is GELU, a relu with a round corner.


# %%
class MLP(nn.Module):
    def __init__(self, C):
        super().__init__()
        self.c_fc, self.c_proj = nn.Linear(C, 4 * C), nn.Linear(4 * C, C)

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


rung("and an MLP", lambda: Model(nn.Sequential(Attention(C, 4), MLP(C))))
assert QUICK or ladder["and an MLP"] < ladder["four heads"] + 0.02

# %% [markdown]
# Gather, then think: that is a *block*. Communication, then computation.
#
# ## Deeper, and worse
#
# One block gathers once. After two, a place could know what others have gathered. So stack
# three.
#
# **Write down:** what will the loss be?


# %%
def plain_blocks(n):
    return nn.Sequential(*[nn.Sequential(Attention(C, 4), MLP(C)) for _ in range(n)])


rung("three blocks", lambda: Model(plain_blocks(3)))
often = torch.bincount(train, minlength=V).double()
letters = -(often / often.sum())[dev].log().mean().item()
print(f"only how frequent each character is: {letters:.3f}")
assert ladder["three blocks"] > ladder["and an MLP"] + 0.1

# %% [markdown]
# Much worse than one! It is no better than knowing how frequent each character is and never
# looking at the text. Three blocks can do all that one can, and more. They do not *learn*
# it. You know this disease from lesson 8. Look at the gradients of six blocks, before any
# training: how large is the gradient that the first block gets, and the last?


# %%
def gradient_sizes(blocks, attention_of):
    """The norm of the gradient of each block's c_attn, in a model that has not learned."""
    torch.manual_seed(1)
    model = Model(blocks)
    loss_of(model, *batch(train, 32, T, torch.Generator().manual_seed(1))).backward()
    return [attention_of(one).c_attn.weight.grad.norm().item() for one in blocks]


plain = gradient_sizes(plain_blocks(6), lambda block: block[0])
print("  ".join(f"{size:.1e}" for size in plain))
assert plain[0] < plain[-1] / 20

# %% [markdown]
# Each block on the way back multiplies the gradient by something smaller than 1, and next
# to nothing arrives at the first. These are *vanishing gradients*. AdamW can make up for
# their size, but not for what they say: whatever the first block does hardly changes the
# output. The text has to come through the same blocks, so the output hardly depends on it
# either, and all that is left to learn is how frequent each character is. (A smaller rate
# helps, but not enough.)
#
# ## A way past
#
# The remedy is one plus sign. Let a block not *replace* what comes in, but *add* to it:
#
#     x = x + attention(x)
#     x = x + mlp(x)
#
# You have known since lesson 2 what a plus does to a gradient: it hands it on, whole, to
# both sides. So there is a way past all blocks on which nothing is multiplied. This is
# called a *residual connection*. What flows along it is the *residual stream*: each block
# reads it, and adds its part to it.


# %%
class Block(nn.Module):
    def __init__(self, C, n_head, norm=True):
        super().__init__()
        self.ln_1 = nn.LayerNorm(C) if norm else nn.Identity()  # explained below
        self.attn = Attention(C, n_head)
        self.ln_2 = nn.LayerNorm(C) if norm else nn.Identity()
        self.mlp = MLP(C)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


def blocks(n, norm):
    return nn.Sequential(*[Block(C, 4, norm) for _ in range(n)])


from gradus.plots import plot_series

added = gradient_sizes(blocks(6, norm=False), lambda block: block.attn)
plot_series(
    range(1, 7),
    {"without residuals": plain, "with x + ...": added},
    title="Gradients of six blocks, before training",
    xlabel="block",
    ylabel="norm of the gradient",
    log=True,
)

# %%
rung("residuals", lambda: Model(blocks(3, norm=False)))
assert added[0] > 20 * plain[0]
assert ladder["residuals"] < ladder["three blocks"] - 0.2
assert QUICK or ladder["residuals"] < ladder["and an MLP"] - 0.1

# %% [markdown]
# The same blocks, with two plus signs. No parameter more.
#
# ## Keep the stream in bounds
#
# There is a price. Everything is added and nothing is taken away, so the numbers of the
# stream grow from block to block. In lesson 8 you brought activations into bounds with
# BatchNorm: each neuron gets the mean 0 and the variance 1 *over the batch*. That was a
# nuisance, since the examples of a batch then depend on each other. LayerNorm does it
# over *the numbers of one place*, and each place is for itself.
#
# **Write down** what it makes of [1, 2, 3, 6]: subtract the mean, divide by the standard
# deviation.

# %%
row = torch.tensor([1.0, 2.0, 3.0, 6.0])
by_hand = (row - row.mean()) / torch.sqrt(((row - row.mean()) ** 2).mean() + 1e-5)
print([round(number, 3) for number in by_hand.tolist()])
assert torch.allclose(nn.LayerNorm(4)(row), by_hand, atol=1e-12)
assert abs(by_hand[3].item() - 3 / math.sqrt(3.5)) < 1e-4

# %% [markdown]
# Mean 3, variance (4 + 1 + 0 + 9) / 4 = 3.5. (Afterwards each number is multiplied by a
# weight and gets a bias, which are learned, and begin as 1 and 0.)
#
# Where to put it? Not on the stream: that would be in the way of the gradient again. (The
# Transformer of 2017 had it there; GPT-2 moved it.) Each block normalises the *copy that it
# reads*, as `Block` above does, and one more LayerNorm stands before the output.

# %%
rung("LayerNorm", lambda: Model(blocks(3, norm=True), nn.LayerNorm(C)))
assert ladder["LayerNorm"] < ladder["three blocks"] - 0.2

# %% [markdown]
# It is no better; if anything, worse. Then why does every GPT have it? Not for three small
# blocks with a rate that was chosen to suit them. Take six, and be careless: three times
# the rate.


# %%
def careless(norm):
    """Train six blocks with a rate of 0.03: the loss now and then."""
    torch.manual_seed(1)
    model = Model(blocks(6, norm), nn.LayerNorm(C) if norm else None)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.03)
    draw, losses = torch.Generator().manual_seed(1), []
    for _ in range(61):
        loss = loss_of(model, *batch(train, 32, T, draw))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


without, with_it = careless(norm=False), careless(norm=True)
for step in range(0, 61, 20):
    print(f"step {step:3}: without {without[step]:12,.1f}   with {with_it[step]:.2f}")
assert max(without) > 10 * max(with_it)
assert with_it[-1] < 3.5

# %% [markdown]
# That is what it is for. It does not make a good run better. It makes it hard to have a
# bad one: whatever the stream has become, each layer gets numbers of the size 1. With 12
# or 96 blocks, and runs that cost money, you want that.
#
# ## A LayerNorm that is used twice
#
# In a public notebook, the block has two LayerNorms, ln_1 and ln_2. But its forward uses
# ln_1 in both places. **Write down:** does it crash? How would you find out?


# %%
class Twice(Block):
    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_1(x))


torch.manual_seed(1)
broken = Model(nn.Sequential(Twice(C, 4)))
loss_of(broken, x, y).backward()
dead = [name for name, p in broken.named_parameters() if p.grad is None]
print("no gradient:", dead)
assert dead == ["body.0.ln_2.weight", "body.0.ln_2.bias"]

# %% [markdown]
# It does not crash, and it learns. Nobody would see it in the loss. Ask every parameter for
# its gradient, once, after the first backward. It takes two lines, and finds everything
# that is built and not connected.
#
# ## The ladder

# %%
plot_series(
    range(EVERY, STEPS + 1, EVERY),
    curves,
    title="One part at a time",
    ylabel="nats a character, part of dev",
)

# %%
for name, nats in ladder.items():
    print(f"{name:15} {nats:.3f}")
print(f"{'counting':15} {counted:.3f}")

# %% [markdown]
# (The curves are measured on the first 500 pieces of dev, the table on all of them.)
#
# In Andrej Karpathy's lecture, which this ladder follows with its own settings, a table has
# 2.57, one head 2.5, four heads 2.28, with an MLP 2.24, and three blocks with residuals
# and LayerNorm 2.06. (It takes 5,000 steps a rung; with `GRADUS_LESSONS=full` so do you.)
#
# Counting is still far ahead, though it looks back 5 characters only, and this network up
# to 8. What the network lacks now is size.
#
# ## The whole model
#
# Nothing new from here on, only more of it, and three habits of GPT-2:
#
# * The output layer has no table of its own. It uses that of the points, `wte`: a
#   character is likely if the stream points to where the character lies.
# * The weights begin as small random numbers (0.02 at GPT-2's width), and those that write
#   into the stream (`c_proj`) smaller still, by √(2 · blocks), since so many are added up.
# * The names: wte and wpe are the tables of tokens and positions, h the blocks, ln_f the
#   last norm.


# %%
class GPT(nn.Module):
    def __init__(self, V, block_size, n_layer, n_head, C):
        super().__init__()
        self.block_size = block_size
        self.wte = nn.Embedding(V, C)
        self.wpe = nn.Embedding(block_size, C)
        self.h = nn.ModuleList([Block(C, n_head) for _ in range(n_layer)])
        self.ln_f = nn.LayerNorm(C)
        for name, p in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(p)
            elif p.dim() == 2:
                writes = name.endswith("c_proj.weight")
                std = 0.02 * math.sqrt(768 / C) / math.sqrt(2 * n_layer if writes else 1)
                nn.init.normal_(p, std=std)

    def forward(self, x):
        x = self.wte(x) + self.wpe(torch.arange(x.shape[1]))  # (B, T) -> (B, T, C)
        for block in self.h:
            x = block(x)
        return self.ln_f(x) @ self.wte.weight.T  # (B, T, C) @ (C, V) -> (B, T, V)


SMALL = {"block_size": 32, "n_layer": 4, "n_head": 4, "C": 64}
torch.manual_seed(1)
gpt = GPT(V, **SMALL)

# %% [markdown]
# **Write down** how many numbers these are. A block has 12 C² weights: 4 C² in attention,
# 8 C² in the MLP. Then 13 C more, biases and norms. Around the blocks, two tables, and
# the last norm, 2 C.


# %%
def count(V, block_size, n_layer, C):
    return V * C + block_size * C + n_layer * (12 * C * C + 13 * C) + 2 * C


print("this one:", f"{sum(p.numel() for p in gpt.parameters()):,}")
assert sum(p.numel() for p in gpt.parameters()) == count(V, 32, 4, 64)
print("GPT-2:   ", f"{count(50257, 1024, 12, 768):,}")
assert count(50257, 1024, 12, 768) == 124439808

# %% [markdown]
# The same formula, and the same code. Only five numbers differ between this and GPT-2.
#
# **Write down** what its first loss should be.

# %%
before = judge(gpt, 32, 500)
print(f"before training: {before:.3f}   ln 65 = {math.log(65):.3f}")
assert abs(before - math.log(65)) < 0.3

# %% [markdown]
# A little more than ln 65. Random weights are opinions, as in lesson 6, and half the
# variance of the logits comes on top. It is small enough not to give the curve the shape
# of a hockey stick (lesson 8).

# %%
GPT_STEPS = 5000 if FULL else 50 if QUICK else 1200
optimizer = torch.optim.AdamW(gpt.parameters())
draw = torch.Generator().manual_seed(1)
for step in range(GPT_STEPS):
    optimizer.param_groups[0]["lr"] = 0.005 * (1 - step / GPT_STEPS)
    loss = loss_of(gpt, *batch(train, 16, 32, draw))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % (GPT_STEPS // 6) == 0:
        print(f"step {step:4}: {loss.item():.3f}")
learned = judge(gpt, 32)
print(f"dev: {learned:.3f}")
assert learned < (3.1 if QUICK else 2.05)
assert QUICK or learned < min(ladder.values()) - 0.05

# %%
print(write(gpt, 32, 400))

# %% [markdown]
# Speakers, lines, words that could be English. It has read 600,000 characters, two thirds
# of the text. And counting, with 1.46, is not beaten. On the usual split of this text
# counting has 1.52, and nanoGPT, with 10.8 million parameters and a GPU, 1.47. It takes
# that much to beat counting.
#
# ## What do the heads look at?

# %%
from gradus.models.inside import attention
from gradus.plots import plot_heads

size = {"block_size": 32, "n_layer": 4, "n_head": 4, "n_embd": 64}
theirs = build_model("gpt", vocab_size=V, bias=True, **size)
state = {f"transformer.{name}": p for name, p in gpt.state_dict().items()}
theirs.load_state_dict({**state, "lm_head.weight": gpt.wte.weight})

phrase = "ROMEO:\nI will"
maps = attention(theirs, numbers(phrase).numpy())
plot_heads(maps, phrase)

# %% [markdown]
# (Drawn by gradus, from your weights. More about that in a moment.) Each row is a character
# that looks, each column one that it looks at. **Write down** two heads that you can
# explain: one that looks at the character just before, and one that looks at the line
# break. Then measure.

# %%
line = phrase.index("\n")
just_before, at_break = {}, {}
for i, layer in enumerate(maps):
    for j, weights in enumerate(layer):
        just_before[i, j] = np.diagonal(weights, -1).mean()
        at_break[i, j] = weights[line + 1 :, line].mean()
for what, found in {"just before": just_before, "line break": at_break}.items():
    best = max(found, key=found.__getitem__)
    print(f"{what}: layer {best[0]}, head {best[1]}, mean weight {found[best]:.2f}")
    assert QUICK or found[best] > 0.5

# %% [markdown]
# One knows what came just before. The other knows where the line began, and so can know how
# long it is by now: verses have a length. Most of the others have no simple explanation. In
# the later layers they no longer look at characters, but at what earlier layers have made
# of them.
#
# ## Writing faster: keep what does not change
#
# To write one more character, `write` sends the whole text through the model again. But
# look: a place never sees what comes later. So its keys and values do not change when a
# character is added. Keep them, in each block. Then a new character costs one row: its
# query, against all keys so far. This is called the *cache*.
#
# **Write down:** to write 28 characters after "ROME", how many rows go through the model,
# with and without it? And why is no mask needed any more?


# %%
def read_one(gpt, token, cache):
    """The logits (V,) after one more token. cache: the keys and values of each block."""
    at = cache[0][0].shape[2] if cache[0] else 0  # how many were read before
    x = gpt.wte(torch.tensor([[token]])) + gpt.wpe.weight[at]  # (1, 1, C)
    for block, past in zip(gpt.h, cache, strict=True):
        q, k, v = block.attn.split(block.ln_1(x))  # (1, nh, 1, hs) each
        if past:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
        past[:] = [k, v]  # (1, nh, n, hs)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (1, nh, 1, n)
        x = x + block.attn.join(F.softmax(scores, dim=-1) @ v)
        x = x + block.mlp(block.ln_2(x))
    return (gpt.ln_f(x) @ gpt.wte.weight.T)[0, 0]


def greedy(logits_after, number):
    """The text with `number` more characters, always the likeliest, and their logits."""
    ids, seen = numbers("ROME").tolist(), []
    for _ in range(number):
        with torch.no_grad():
            seen.append(logits_after(ids))
        ids.append(seen[-1].argmax().item())
    return "".join(symbols[i] for i in ids), torch.stack(seen)


rows = {"without": 0, "with": 0}


def whole(ids):
    rows["without"] += len(ids)
    return gpt(torch.tensor([ids]))[0, -1]


cache = [[] for _ in gpt.h]


def cached(ids):
    read = cache[0][0].shape[2] if cache[0] else 0
    for token in ids[read:]:
        rows["with"] += 1
        logits = read_one(gpt, token, cache)
    return logits


slow, slow_logits = greedy(whole, 28)
fast, fast_logits = greedy(cached, 28)
print(repr(fast))
print(f"rows: {rows}, apart: {(slow_logits - fast_logits).abs().max().item():.0e}")
assert fast == slow
assert torch.allclose(slow_logits, fast_logits, atol=1e-10)
assert (rows["without"], rows["with"]) == (sum(range(4, 32)), 31)

# %% [markdown]
# The same text, the same logits, and 31 rows in place of 490. The one query is at the last
# place, and sees everything: there is nothing to hide.
#
# Here the text fits into the 32 places. Once it is longer, the window has to move: each
# character gets another place, with another point, and all keys change. Then what was
# kept is worth nothing. Later models encode positions in ways without this flaw.
#
# ## Where gradus has it
#
# In `gradus.models.gpt`, with the same names: your weights have been in it since you drew
# the heads. It calls `F.scaled_dot_product_attention`, which does what `attend` does, but
# never holds all the weights of attention at once. The cache is in `gradus.models.cache`.

# %%
from gradus.generation import SamplingRule, generate

x, y = batch(dev, 8, 32, torch.Generator().manual_seed(2))
with torch.no_grad():
    apart = (theirs(x)[0] - gpt(x)).abs().max().item()
likeliest = SamplingRule(temperature=0)
ids = generate(theirs, numbers("ROME")[None], 28, likeliest)[0].tolist()
written = "".join(symbols[i] for i in ids)
print(f"logits: {apart:.0e} apart")
print(repr(written))
assert apart < 1e-10
assert written == fast

# %% [markdown]
# ## What you have now
#
# * A block: gather (attention), then think (an MLP). Stacked blocks see further.
# * x + f(x): without it, three blocks are worse than one, and hardly any gradient comes to
#   the first of six.
# * LayerNorm keeps each layer's input in bounds. It buys safety more than loss.
# * After the first backward, ask every parameter for its gradient.
# * Keys and values of what was read do not change. Keep them, and writing costs one row a
#   character.
# * The model is that of GPT-2. What is missing is size, and tokens larger than letters.
#
# **Next:** [13. Tokens](13_tokens.ipynb)
