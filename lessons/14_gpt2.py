# %% [markdown]
# # 14. GPT-2
#
# *To read: 50 minutes. To run: 1 minute. You need: lessons 12 and 13.*
#
# In 2019 OpenAI published a model that was the GPT of your lesson 12, larger: GPT-2. Its
# weights are public. In this lesson you account for every number in it, read such weights
# from a folder, and run them with forty lines of NumPy. Then you make it write, measure it,
# teach it something else, and give it examples.
#
# If you have GPT-2 in a folder (config.json, model.safetensors and its tokenizer, as the
# Hugging Face hub has them), name it here or in `GRADUS_GPT2`. If not, the lesson trains a
# small GPT and puts it into a folder of the same kind. Every cell after that is the same
# (and with GPT-2 itself takes ten minutes, not one).

# %%
import json
import math
import os
import tempfile
from pathlib import Path

import numpy as np

from gradus import load_corpus
from gradus.backend import torch
from gradus.models import build_model

QUICK = os.environ.get("GRADUS_LESSONS") == "quick"  # a shorter run, for tests
FOLDER = os.environ.get("GRADUS_GPT2")  # a folder with GPT-2; None trains a small one
SMALL = FOLDER is None

splits = load_corpus("shakespeare").splits()
workshop = tempfile.TemporaryDirectory()

# %% [markdown]
# ## Every number accounted for
#
# GPT-2 comes in four sizes. The smallest has 12 blocks, vectors of 768 numbers, 12 heads,
# 50,257 tokens and a context of 1,024. From lesson 12 you know every part.
#
# **Write down** what you think: how many numbers is that in all? And which part has the
# most: the tokens, attention, or the MLPs (also called *feed-forward* layers)?


# %%
def parts(n_layer, n_embd, vocab_size=50257, block_size=1024):
    """(name, shape, how many times it is there) of everything that is learned."""
    C = n_embd
    yield "wte: tokens", (vocab_size, C), 1
    yield "wpe: positions", (block_size, C), 1
    yield "ln_1 weight", (C,), n_layer
    yield "ln_1 bias", (C,), n_layer
    yield "attn.c_attn weight", (C, 3 * C), n_layer  # query, key and value of all heads
    yield "attn.c_attn bias", (3 * C,), n_layer
    yield "attn.c_proj weight", (C, C), n_layer
    yield "attn.c_proj bias", (C,), n_layer
    yield "ln_2 weight", (C,), n_layer
    yield "ln_2 bias", (C,), n_layer
    yield "mlp.c_fc weight", (C, 4 * C), n_layer
    yield "mlp.c_fc bias", (4 * C,), n_layer
    yield "mlp.c_proj weight", (4 * C, C), n_layer
    yield "mlp.c_proj bias", (C,), n_layer
    yield "ln_f weight", (C,), 1
    yield "ln_f bias", (C,), 1


total = 0
print("part                shape             numbers  times          all")
for name, shape, times in parts(12, 768):
    numbers = math.prod(shape)
    total += numbers * times
    print(f"{name:19} {shape!s:14} {numbers:10,} {times:6} {numbers * times:12,}")
print(f"{total:,}")
assert total == 124_439_808

# %% [markdown]
# 124,439,808. That is what "GPT-2 124M" means. Something is not in the table: the *head*,
# which turns the last vector into a logit for each of 50,257 tokens. Its matrix has the
# shape of `wte`, and GPT-2 uses `wte` itself. A token whose vector is like the last one is
# likely to come next. This is called *tied weights*.
#
# If you count the head as well, as you do when you add up all tensors of a model's
# `state_dict`, you get 163 million, and wonder which of the two numbers is wrong.

# %%
print(f"{total + 50257 * 768:,}")
sizes = {"gpt2": (12, 768), "medium": (24, 1024), "large": (36, 1280), "xl": (48, 1600)}
share = {"tokens and positions": [], "attention": [], "feed-forward": []}
for name, (n_layer, n_embd) in sizes.items():
    numbers = {}
    for part, shape, times in parts(n_layer, n_embd):
        family = part.split(".")[0].split(":")[0]
        numbers[family] = numbers.get(family, 0) + math.prod(shape) * times
    everything = sum(numbers.values())
    share["tokens and positions"].append((numbers["wte"] + numbers["wpe"]) / everything)
    share["attention"].append(numbers["attn"] / everything)
    share["feed-forward"].append(numbers["mlp"] / everything)
    print(f"{name:7} {n_layer} blocks of width {n_embd:4}: {everything:13,}")
assert everything == 1_557_611_200

from gradus.models import GPTConfig

config = GPTConfig(50257, 1024, n_layer=12, n_head=12, n_embd=768, bias=True)
assert config.parameters == total

# %%
from gradus.plots import plot_series

plot_series(
    [n_layer for n_layer, _ in sizes.values()],
    share,
    title="Where GPT-2's parameters are",
    xlabel="blocks",
    ylabel="share of all parameters",
)

# %% [markdown]
# Almost a third of the smallest GPT-2 is its table of tokens. That table grows with C, and
# the blocks with C²: 4 C² in attention and 8 C² in the feed-forward layers. So the larger
# the model, the larger the share of the blocks.
#
# ## The start
#
# One thing in GPT-2 is not in the table: how the weights begin. Every block *adds* two
# results to the stream, and a sum of many random things is large. So, as in lesson 12, the
# two matrices whose results are added, both called `c_proj`, begin smaller, by a factor of
# 1/√(2 · blocks).
#
# **Write down:** how much larger is the stream after 24 blocks, without that?

# %%
tokens = torch.randint(0, 100, (4, 64), generator=torch.Generator().manual_seed(1))
for n_layer in (2, 6, 12, 24):
    spread = []
    for factor in (1.0, math.sqrt(2 * n_layer)):  # as it is; and as it would be without
        torch.manual_seed(1)
        settings = {"n_layer": n_layer, "n_head": 4, "n_embd": 64, "bias": True}
        model = build_model("gpt", vocab_size=100, block_size=64, **settings)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if name.endswith("c_proj.weight"):
                    weight *= factor
            spread.append(model.vectors(tokens).std().item())
    print(
        f"{n_layer:2} blocks: the stream's std is {spread[0]:.3f}, without {spread[1]:.3f}"
    )
assert spread[1] > 2 * spread[0]

# %% [markdown]
# With it, the stream begins the same in a shallow model and in a deep one.
#
# ## A folder with a GPT in it
#
# If there is no GPT-2 on your machine, train a small GPT now, on Shakespeare with 512
# tokens. It is the one of lesson 12. What is new is how it is kept: a folder with three
# files.


# %%
def descend(model, batch, steps, rate):
    """Train with AdamW; the rate rises for 50 steps, and is down to 0 at the end."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    for k in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (k + 1) / 50) * (1 - k / steps)
        _, loss = model(*batch())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def batches(ids, T, B=16, seed=1):
    """A function that draws B windows: x (B, T), and y, the token after each of x."""
    ids, draw = torch.tensor(ids), torch.Generator().manual_seed(seed)

    def batch():
        starts = torch.randint(0, len(ids) - T - 1, (B,), generator=draw).tolist()
        x = torch.stack([ids[i : i + T] for i in starts])
        return x, torch.stack([ids[i + 1 : i + T + 1] for i in starts])

    return batch


def write_folder(model, tokenizer, folder):
    """A GPT in the layout of GPT-2 on the Hugging Face hub."""
    from safetensors.numpy import save_file

    tensors = {}
    for name, weight in model.state_dict().items():
        if name != "lm_head.weight":  # tied: it is wte
            array = weight.numpy()
            linear = ".c_" in name and name.endswith(".weight")
            array = np.ascontiguousarray(array.T) if linear else array.copy()
            tensors[name.removeprefix("transformer.")] = array
    folder.mkdir()
    save_file(tensors, folder / "model.safetensors")
    names = {"n_positions": "block_size"}
    fields = ("vocab_size", "n_positions", "n_layer", "n_head", "n_embd")
    values = {field: getattr(model.config, names.get(field, field)) for field in fields}
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2", **values}))
    (folder / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")


if SMALL:
    from gradus.text import BPETokenizer

    tokenizer = BPETokenizer.train(splits.train, 512)
    torch.manual_seed(1)
    settings = {"n_layer": 3, "n_head": 4, "n_embd": 96, "bias": True}
    model = build_model("gpt", vocab_size=512, block_size=64, **settings)
    steps = 80 if QUICK else 600
    descend(model, batches(tokenizer.encode(splits.train.text), T=64), steps, rate=3e-3)
    FOLDER = Path(workshop.name) / "small-gpt"
    write_folder(model, tokenizer, FOLDER)

FOLDER = Path(FOLDER)
print((FOLDER / "config.json").read_text()[:200])

# %% [markdown]
# ## Weights in
#
# From here on you have a folder, and nothing else. `model.safetensors` is a list of named
# arrays. (Older models come as `pytorch_model.bin`. That is a pickle: reading it can run
# any code that somebody put into it. Don't.)

# %%
from safetensors.numpy import load_file

from gradus.text import load_tokenizer

tokenizer = load_tokenizer(FOLDER)
config = json.loads((FOLDER / "config.json").read_text())
W = {
    name.removeprefix("transformer."): array.astype(np.float32)
    for name, array in load_file(FOLDER / "model.safetensors").items()
    if not name.endswith((".attn.bias", "lm_head.weight"))  # masks, and wte once more
}
n_layer, n_head, C = (config[name] for name in ("n_layer", "n_head", "n_embd"))
expected = parts(n_layer, C, config["vocab_size"], config["n_positions"])
print(
    f"{sum(math.prod(shape) * times for _, shape, times in expected):,} numbers expected,"
)
print(f"{sum(array.size for array in W.values()):,} are there")
for name in ("wte", "h.0.attn.c_attn", "h.0.attn.c_proj", "h.0.mlp.c_fc"):
    print(f"{name:16} {W[name + '.weight'].shape}")
assert W["h.0.attn.c_attn.weight"].shape == (C, 3 * C)

# %% [markdown]
# **Write down:** what shape would an `nn.Linear` from C to 3C numbers give its weight?
#
# (3C, C): one neuron a row, and it computes x @ W.T. But GPT-2's weights are (C, 3C), and
# want x @ W, since it was written with a layer of its own, called Conv1D. x @ W is the
# simplest thing to write in NumPy, so run the model with NumPy. All of it:


# %%
def linear(x, name):
    return x @ W[name + ".weight"] + W[name + ".bias"]


def layer_norm(x, name):
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)
    return x * W[name + ".weight"] + W[name + ".bias"]


def gelu(x):
    """x, where it is large; 0, where it is very negative; smooth between."""
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention(x, name):
    B, T, _ = x.shape
    q, k, v = np.split(linear(x, name + ".c_attn"), 3, axis=-1)
    q, k, v = (
        a.reshape(B, T, n_head, -1).swapaxes(1, 2) for a in (q, k, v)
    )  # (B, nh, T, hs)
    scores = q @ k.swapaxes(-2, -1) / math.sqrt(C / n_head)  # -> (B, nh, T, T)
    scores = np.where(np.tril(np.ones((T, T), bool)), scores, -np.inf)
    y = (softmax(scores) @ v).swapaxes(1, 2).reshape(B, T, C)
    return linear(y, name + ".c_proj")


def gpt2(ids):
    """(B, T) tokens -> (B, T, vocab_size) logits"""
    x = W["wte.weight"][ids] + W["wpe.weight"][: ids.shape[1]]
    for i in range(n_layer):
        x = x + attention(layer_norm(x, f"h.{i}.ln_1"), f"h.{i}.attn")
        hidden = gelu(linear(layer_norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc"))
        x = x + linear(hidden, f"h.{i}.mlp.c_proj")
    return layer_norm(x, "ln_f") @ W["wte.weight"].T


def losses(model, ids):
    """(B, T + 1) tokens -> (B, T) the nats of each but the first"""
    p = softmax(model(ids[:, :-1]))
    return -np.log(np.take_along_axis(p, ids[:, 1:, None], axis=2)[..., 0])


T = min(config["n_positions"], 128)
dev = tokenizer.encode(splits.dev.text)[: 100 * T + 1]
windows = np.stack([dev[i : i + T + 1] for i in range(0, 8 * T, T)])
loss = losses(gpt2, windows).mean()
print(f"{loss:.3f} nats per token; knowing nothing: ln {len(W['wte.weight'])} =", end=" ")
print(f"{math.log(len(W['wte.weight'])):.3f}")
assert loss < math.log(len(W["wte.weight"])) - 1

# %% [markdown]
# That is GPT-2, without a framework. It runs, and it predicts.
#
# About `gelu`: exactly, it is x times the probability that a normal variable is below x. In
# 2016 that was slow to compute. GPT-2 was trained with this form with tanh, and so has to
# be run with it. How far is it from the exact one?

# %%
x = np.linspace(-5, 5, 10001)
exact = np.array([0.5 * t * (1 + math.erf(t / math.sqrt(2))) for t in x])
print(f"at most {np.abs(gelu(x) - exact).max():.5f}")
assert np.abs(gelu(x) - exact).max() < 5e-4

# %% [markdown]
# ## A mistake that fits
#
# Whoever copies these weights into `nn.Linear` has to transpose four matrices in each
# block. Forget it for `c_attn`, and PyTorch complains: (C, 3C) is not (3C, C). Forget it
# for `attn.c_proj`, and nothing complains.
#
# **Write down** why. And what does it do to the loss?

# %%
right = dict(W)
for i in range(n_layer):
    W[f"h.{i}.attn.c_proj.weight"] = right[f"h.{i}.attn.c_proj.weight"].T
wrong = losses(gpt2, windows).mean()
W.update(right)
print(f"{loss:.3f} as it should be, {wrong:.3f} with c_proj transposed: a {C} x {C} matrix")
assert wrong > loss + 0.1

# %% [markdown]
# It is square, so it fits both ways. The model even writes something. You find such a
# mistake only by comparing with a program that does it right.
#
# ## Where gradus has it
#
# `gradus import FOLDER`, or from Python `gradus.from_pretrained`, reads the same folder,
# transposes what must be, and refuses what does not fit. Compare the logits.

# %%
import gradus

run = gradus.from_pretrained(FOLDER, out=Path(workshop.name) / "run")
model = run.model
with torch.no_grad():
    theirs = model(torch.tensor(windows[:, :-1]))[0].numpy()
yours = gpt2(windows[:, :-1])
print(f"{yours.size:,} logits, at most {np.abs(theirs - yours).max():.1e} apart,", end=" ")
print(f"and they go from {yours.min():.1f} to {yours.max():.1f}")
assert np.abs(theirs - yours).max() < 1e-4 * np.abs(yours).max()

# %% [markdown]
# ## Drawing the next token
#
# The model gives a probability for every token. You can take the largest, or draw. Three
# settings, applied in this order, change the probabilities before you draw:
#
# * *temperature* divides the logits. Below 1 the likely become likelier.
# * *top-k* keeps the k likeliest.
# * *top-p* keeps the likeliest that together have at least the probability p: few where the
#   model is sure, many where it is not.


# %%
def to_draw_from(logits, temperature=1.0, top_k=None, top_p=None):
    """(V,) logits -> (V,) probabilities"""
    logits = np.asarray(logits, dtype=np.float64) / temperature
    if top_k is not None:
        smallest = np.sort(logits)[-top_k]
        logits = np.where(logits < smallest, -np.inf, logits)
    p = softmax(logits)
    if top_p is not None:
        order = np.argsort(-p)
        before = np.cumsum(p[order]) - p[order]  # what the likelier ones have together
        p[order[before >= top_p]] = 0
    return p / p.sum()


prompt = "ROMEO:\nI"
ids = tokenizer.encode(prompt)
logits = gpt2(ids[None])[0, -1]
temperatures = {f"temperature {t}": to_draw_from(logits, t) for t in (0.5, 1.0, 2.0)}
ranks = list(range(1, 61))
sorted_p = {name: np.sort(p)[::-1][:60].tolist() for name, p in temperatures.items()}
plot_series(
    ranks,
    sorted_p,
    title="What comes after " + repr(prompt),
    xlabel="tokens, the likeliest first",
    ylabel="probability",
    log=True,
)

# %% [markdown]
# **Write down:** how many tokens does top-p with 0.9 keep, at each temperature?

# %%
from gradus.generation import SamplingRule

for t in (0.5, 1.0, 2.0):
    for top_k, top_p in ((None, None), (20, None), (None, 0.9), (20, 0.9)):
        p = to_draw_from(logits, t, top_k, top_p)
        rule = SamplingRule(temperature=t, top_k=top_k, top_p=top_p)
        with torch.no_grad():
            kept = rule.apply(torch.tensor(logits)[None])[0]
        assert np.array_equal(p > 0, np.isfinite(kept.numpy()))
        assert np.allclose(p, torch.softmax(kept, dim=-1).numpy(), atol=1e-6)
        print(f"temperature {t}, top_k {top_k}, top_p {top_p}: {(p > 0).sum()} tokens")

# %% [markdown]
# The assertions compare each with gradus's `SamplingRule`. Now let it write, and measure
# two things. How often does it repeat itself: of all runs of three tokens, what share are
# different ones? And how likely does the model find what it wrote?

# %%
from gradus.generation import stream


def variety(row):
    """The share of the runs of three tokens that are different ones."""
    threes = list(zip(row, row[1:], row[2:], strict=False))
    return len(set(threes)) / len(threes)


length = 40 if QUICK else 120
print("temperature   different threes   nats per token")
different = {}
for t in (0.0, 0.5, 1.0, 1.5):
    rows = torch.tensor(ids)[None].repeat(4, 1)
    rule, draw = SamplingRule(temperature=t), torch.Generator().manual_seed(1)
    drawn = list(stream(model, rows, length, rule, generator=draw))
    written = torch.cat([step.token for step in drawn], dim=1).numpy()
    nats = -np.mean([step.logprob.numpy() for step in drawn])
    different[t] = np.mean([variety(row) for row in written.tolist()])
    print(f"{t:11} {different[t]:18.0%} {nats:16.2f}")
    if t in (0.0, 1.0):
        print("   ", repr(tokenizer.decode(written[0]))[:90])
assert different[0.0] < different[1.0] <= different[1.5] + 0.05

# %% [markdown]
# At temperature 0 it always takes the likeliest token, and repeats itself. At 1.5 it never
# does, and makes no sense. At 1 what it writes is about as surprising to it as real text:
# compare with the loss on dev above.
#
# ## Perplexity, and how much it may see
#
# Cut dev into windows side by side, T tokens each, and average the loss. **Write down:**
# where in a window are the losses highest?

# %%
count = 20 if QUICK else 100 if SMALL else 16
rows = np.stack([dev[i * T : i * T + T + 1] for i in range(count)])
by_position = losses(gpt2, rows).mean(axis=0)
groups = by_position[: T // 8 * 8].reshape(8, -1).mean(axis=1)
places = [(i + 0.5) * (T // 8) for i in range(8)]
plot_series(
    places,
    {"mean loss": groups.tolist()},
    title="Loss by position in the window",
    xlabel="position in the window",
    ylabel="nats per token",
)

# %% [markdown]
# At the beginning of a window the model sees nothing of what came before, only because of
# where you cut. So let the windows overlap: move on by a *stride* of less than T each time,
# and score only what is new. Then every token is scored once, and from the second window on
# has at least T - stride tokens before it.
#
# *Perplexity* is e to the mean loss: the number of equally likely tokens among which the
# model would be just as unsure. (Average the losses first. The mean of the perplexities of
# windows is something else, and larger.)


# %%
def mean_loss(model, ids, stride):
    """Mean nats per token, each scored once, in windows of T that move on by `stride`."""
    total, begin, scored = 0.0, 0, 0
    while scored < len(ids) - 1:
        window = ids[begin : begin + T + 1]
        fresh = begin + len(window) - 1 - scored  # targets not scored before
        total += losses(model, window[None])[0, -fresh:].sum()
        scored += fresh
        begin += stride
    return total / scored


text = dev[: count * T // 2 + 1]
perplexity = {}
for stride in (T, T // 2, T // 4):
    perplexity[stride] = math.exp(mean_loss(gpt2, text, stride))
    print(f"stride {stride:3}: perplexity {perplexity[stride]:.2f}")
assert perplexity[T // 4] < perplexity[T]

# %% [markdown]
# The same model, the same text, another number: so give the stride with a perplexity. For
# the small GPT it makes one percent at most, and a stride of 16 is no better than 32: it
# makes little of what is far back. See how soon the curve is flat. In gradus:
# `gradus eval RUN --sliding`, and from Python:

# %%
from gradus.evaluation import evaluate
from gradus.text import Rows
from gradus.text.rows import windows as cut

begins, counts = np.array([0]), np.array([len(text) - 1])  # one text, and its targets
for stride in (T, T // 4):
    score = evaluate(model, Rows(text, *cut(begins, counts, T, stride), T))
    print(f"stride {stride:3}: {score}")
    assert score.count == len(text) - 1
    assert abs(score.perplexity / perplexity[stride] - 1) < 1e-4

# %% [markdown]
# ## Which ending?
#
# A model that says how likely a text is can answer questions by it: put each answer behind
# the question, and take the likeliest text. HellaSwag, a test that GPT-2 is often measured
# by, has short stories with four endings, one of them true. Make such a test: twenty words
# of dev, and what follows; the three false endings are taken from elsewhere.
#
# **Write down:** chance is 25%. What do you expect?

# %%
from gradus.evaluation import hellaswag
from gradus.evaluation.hellaswag import Item

words = splits.dev.text.split()
draw = np.random.default_rng(1)
items = []
for i in range(0, 60 * 100, 60)[: 100 if SMALL and not QUICK else 20]:
    starts = [i + 20, *draw.integers(0, len(words) - 30, 3)]
    endings = [" ".join(words[s : s + draw.integers(4, 9)]) for s in starts]
    label = int(draw.integers(0, 4))
    endings[0], endings[label] = endings[label], endings[0]
    items.append(Item(" ".join(words[i : i + 20]), tuple(endings), label))


def surprise(item):
    """The nats of each ending after the story: in all, and per token."""
    story = tokenizer.encode(item.context)
    in_all, per_token = [], []
    for ending in item.endings:
        ids = tokenizer.encode(" " + ending)
        row = np.concatenate([story, ids])[-config["n_positions"] - 1 :]
        nats = losses(gpt2, row[None])[0, -len(ids) :]
        in_all.append(nats.sum())
        per_token.append(nats.mean())
    return in_all, per_token


found = np.array([surprise(item) for item in items])  # (items, 2, 4)
labels = np.array([item.label for item in items])
theirs = hellaswag(model, tokenizer, items)
assert np.allclose(theirs.losses, found[:, 0], rtol=1e-3)
for how, nats in (("in all", found[:, 0]), ("per token", found[:, 1])):
    chosen = nats.argmin(axis=1)
    long = theirs.lengths[np.arange(len(items)), chosen].mean()
    print(f"least surprising {how:10}: {(chosen == labels).mean():.0%} right", end=", ")
    print(f"{long:.1f} tokens long; all endings: {theirs.lengths.mean():.1f}")
print("gradus:", theirs)

# %% [markdown]
# Look at the two lines. In all, a short ending is cheap, because every token costs
# something: it takes short ones, right or wrong. Per token, short ones have no such
# advantage. The ± of gradus says how far so few questions can be trusted. (On HellaSwag the
# smallest GPT-2 has 28.6% in all and 29.6% per token, the largest 48.9% per token.)
#
# ## Fine-tuning
#
# Now teach it something else: first names, of which you have only 500. One way is to start
# from scratch. The other is to go on from the weights that you have. A GPT that has read
# Shakespeare knows letters and syllables, at least.
#
# **Write down:** after 60 steps, which is better on *new* names? And what happens to the
# loss on Shakespeare?

# %%
names = load_corpus("names").splits()
few = tokenizer.encode("\n".join(names.train.documents[:500]))
new = tokenizer.encode("\n".join(names.dev.documents[:1000]))
old = dev[: 50 * T + 1]


def loss_on(model, ids):
    rows = min((len(ids) - 1) // T, 60 if SMALL else 8)
    x, y = ids[: rows * T].reshape(rows, T), ids[1 : rows * T + 1].reshape(rows, T)
    with torch.no_grad():
        return model(torch.tensor(x), torch.tensor(y))[1].item()


def another(weights):
    """A model of the same sizes, with these weights, or new ones."""
    torch.manual_seed(2)
    sizes = {"vocab_size": config["vocab_size"], "block_size": config["n_positions"]}
    sizes |= {"n_layer": n_layer, "n_head": n_head, "n_embd": C, "bias": True}
    model = build_model("gpt", **sizes)
    if weights is not None:
        model.load_state_dict(weights)
    return model


steps = 20 if QUICK or not SMALL else 60
print("                          new names   Shakespeare")
print(f"before                  {loss_on(model, new):11.3f} {loss_on(model, old):13.3f}")
rates = (3e-4, 1e-3, 3e-3) if SMALL else (3e-5, 3e-4)
trials = [("from scratch", None, rates[-1])]
trials += [("fine-tuned", model.state_dict(), rate) for rate in rates]
tuned = []
for name, weights, rate in trials:
    other = another(weights)
    descend(other, batches(few, T, B=16 if SMALL else 2, seed=3), steps, rate)
    tuned.append((loss_on(other, new), loss_on(other, old)))
    print(f"{name:12} rate {rate:.0e} {tuned[-1][0]:12.3f} {tuned[-1][1]:13.3f}")
assert min(on_new for on_new, _ in tuned[1:]) < tuned[0][0]
assert tuned[1][1] < tuned[-1][1]

# %% [markdown]
# Going on beats starting from scratch. But look at both columns. With the smallest rate it
# has learned too little in 60 steps, and the larger the rate, the more of Shakespeare is
# forgotten. The usual choice is a rate below that of the training, and as many steps as it
# needs. In gradus: `gradus train my.txt --init-from RUN`, which takes a tenth of RUN's
# rate, or 3e-5 if it was imported.
#
# ## Few-shot: learning without a step
#
# There is another way to teach a model, and it changes no weight: write examples into the
# prompt. GPT-2 does a little of it, and GPT-3 became famous for it. How can a network that
# only says what comes next learn from examples? One reason: in what it was trained on,
# *examples of the same kind follow each other*. See it happen, in a model that you can
# train in ten seconds. All that it reads is lists such as these, each in one of four
# languages:
#
#     sea mer  sun soleil  moon lune  ...
#     milk Milch  sea Meer  sun Sonne  ...
#
# Only its examples say which language a list is in.
#
# **Write down:** how often is the first answer right? And the second?

# %%
LISTS = """sun soleil Sonne sol sole, sea mer Meer mar mare, milk lait Milch leche latte,
night nuit Nacht noche notte, bread pain Brot pan pane, fire feu Feuer fuego fuoco,
heart coeur Herz corazón cuore, tree arbre Baum árbol albero, king roi König rey re,
water eau Wasser agua acqua, day jour Tag día giorno, head tête Kopf cabeza testa,
foot pied Fuß pie piede, flower fleur Blume flor fiore"""
WORDS = [row.split() for row in LISTS.split(",")]
everything = sorted({word for row in WORDS for word in row})
number = {word: i for i, word in enumerate(everything)}
table = torch.tensor([[number[word] for word in row] for row in WORDS])  # (14, 5)
SHOTS = 8


def lists(count, draw):
    """x (count, 2 SHOTS - 1) lists of words, and y: the translations, at their places."""
    which = torch.randint(0, len(WORDS), (count, SHOTS), generator=draw)
    language = torch.randint(1, 5, (count, 1), generator=draw)
    pairs = torch.stack(
        [table[which, 0], table[which, language]], dim=2
    )  # (count, SHOTS, 2)
    x = pairs.view(count, 2 * SHOTS)
    y = torch.full_like(x, -1)
    y[:, ::2] = x[:, 1::2]
    return x[:, :-1], y[:, :-1].contiguous()


torch.manual_seed(1)
settings = {"n_layer": 2, "n_head": 4, "n_embd": 64}
pupil = build_model("gpt", vocab_size=len(everything), block_size=2 * SHOTS, **settings)
draw = torch.Generator().manual_seed(1)
descend(pupil, lambda: lists(64, draw), steps=60 if QUICK else 250, rate=3e-3)

x, y = lists(1000, draw)
with torch.no_grad():
    right = (pupil(x)[0].argmax(-1) == y)[:, ::2].float().mean(dim=0).tolist()
for shots, part in enumerate(right):
    print(f"examples before the question: {shots}   right: {part:.1%}")
assert right[0] < 0.45
assert right[1] > (0.5 if QUICK else 0.95)

# %% [markdown]
# Without an example it can only guess the language: one in four. With one it knows. No
# weight changed between the first answer and the second. It did not learn to translate
# there, it had learned that before; from the example it learned *what is asked*.

# %%
workshop.cleanup()

# %% [markdown]
# ## What you have now
#
# * Every one of the 124,439,808 numbers has a place in a table. The head is not in it: it
#   is the table of tokens once more.
# * GPT-2 is a folder of named arrays, and forty lines. Square matrices fit both ways.
# * Temperature, top-k and top-p change what is drawn, and not what the model knows.
# * A perplexity belongs to its windows, and to its tokens.
# * Fine-tuning changes the weights, and forgets. Examples in the prompt change nothing, and
#   say what is asked.
#
# **Next:** [15. Translating and classifying](15_translating_and_classifying.ipynb)
