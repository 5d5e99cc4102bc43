# %% [markdown]
# # 15. Translating and classifying
#
# *To read: 60 minutes. To run: a minute. You need: lessons 11 and 12.*
#
# A GPT continues a text. There are two other things that one often wants: to write one text
# *from* another, such as its translation, and to say *what a text is*, such as the topic of
# a message. Both are made of the parts that you have. What changes is who may look at whom:
# the masks.
#
# The first is what the Transformer was invented for, in 2017. The GPT came a year later: it
# is one half of it.

# %%
import math
import os
import random
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np

from gradus.backend import F, nn, torch

QUICK = os.environ.get("GRADUS_LESSONS") == "quick"  # a shorter run, for tests

# %% [markdown]
# ## A language that cannot count
#
# To learn to translate, a network needs texts in two languages. Take something small enough
# that you can judge every answer, and yet real: counting things in English and in French.
#
# French numbers are a famous trap. 60 is *soixante*, and then the tens run out: 70 is
# *soixante-dix* (sixty-ten), 71 *soixante et onze* (sixty and eleven), and 80
# *quatre-vingts*, four twenties.
#
# **Write down** what 97 is, before you run the cell.

# %%
WORDS = """
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen
twenty thirty forty fifty sixty seventy eighty ninety
un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize
dix-sept dix-huit dix-neuf
vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt
"""
words = WORDS.split()
ONES, TENS, UNITS, DIZAINES = words[:19], words[19:27], words[27:46], words[46:]


def english(n):
    """1 to 99 in words."""
    if n < 20:
        return ONES[n - 1]
    return TENS[n // 10 - 2] + (f"-{ONES[n % 10 - 1]}" if n % 10 else "")


def french(n):
    if n < 20:
        return UNITS[n - 1]
    rest = n % (20 if n >= 60 else 10)  # from 60 on, the French count by twenties
    ten = DIZAINES[n // 10 - 2]
    if rest == 0:
        return "quatre-vingts" if n == 80 else ten
    joined = " et " if rest in (1, 11) and n < 80 else "-"
    return f"{ten}{joined}{UNITS[rest - 1]}"


for n in (21, 22, 70, 71, 80, 81, 97):
    print(f"{n}  {english(n):15} {french(n)}")
assert french(97) == "quatre-vingt-dix-sept"

# %% [markdown]
# Now count things with it. Each French noun is masculine or feminine, and what stands
# beside it has to agree: *un chien blanc*, a white dog, but *une maison blanche*, a white
# house; and the plural mostly adds an s. Most adjectives stand behind the noun, a few
# before it.

# %%
NOUNS = """house maison maisons f, car voiture voitures f, dog chien chiens m,
cat chat chats m, book livre livres m, chair chaise chaises f, door porte portes f,
tree arbre arbres m, bird oiseau oiseaux m, horse cheval chevaux m, flower fleur fleurs f,
boat bateau bateaux m, hat chapeau chapeaux m, apple pomme pommes f, key clé clés f,
street rue rues f"""  # one and many, and the gender
ADJECTIVES = """white blanc blanche after, black noir noire after, green vert verte after,
blue bleu bleue after, small petit petite before, big grand grande before"""
nouns = [line.split() for line in NOUNS.split(",")]
adjectives = [line.split() for line in ADJECTIVES.split(",")]


def phrase(n, adjective, noun):
    """So many things, in English and in French. `adjective` may be None."""
    thing, one, many, gender = noun
    count, word = french(n), one if n == 1 else many
    if gender == "f" and re.search(r"\bun$", count):
        count += "e"
    described = ""
    if adjective:
        described, masculine, feminine, place = adjective
        form = (feminine if gender == "f" else masculine) + ("s" if n > 1 else "")
        word = f"{form} {word}" if place == "before" else f"{word} {form}"
    things = thing if n == 1 else thing + "s"
    return " ".join(f"{english(n)} {described} {things}".split()), f"{count} {word}"


pairs = [phrase(n, a, w) for n in range(1, 100) for a in [None, *adjectives] for w in nouns]
random.Random(1).shuffle(pairs)
train, dev = pairs[:2000], pairs[-500:]
print(f"{len(pairs):,} phrases, {len(train):,} to learn from, {len(dev)} to judge by")
for source, target in train[:5]:
    print(f"  {source:26} {target}")
assert ("twenty-one small cars", "vingt et une petites voitures") in pairs

# %% [markdown]
# Look at *twenty-one small cars*: *vingt et une petites voitures*. **Write down:** which
# English word decides that it is *une*, and not *un*?
#
# The last one. A car is feminine. So before the third word can be written, the last word
# has to be read. And in *trois maisons blanches*, three white houses, the second English
# word comes third. Word for word does not work, and the two texts are not even equally
# long. So: **first read everything, then write.** That takes two networks, a reader and a
# writer. They are called *encoder* and *decoder*.
#
# ## Pieces and padding
#
# Cut at spaces and before hyphens, so that *-dix* is one piece wherever it stands. One
# table of pieces serves both languages; number 0 is the mark that begins and ends a text.


# %%
def pieces(text):
    return re.findall(r"-?[\w']+", text)


vocabulary = [".", *sorted({p for pair in pairs for text in pair for p in pieces(text)})]
number = {piece: i for i, piece in enumerate(vocabulary)}


def pad(rows):
    """Lists of different lengths as one tensor: -1 after the end of each."""
    longest = max(map(len, rows))
    return torch.tensor([row + [-1] * (longest - len(row)) for row in rows])


def batch_of(pairs):
    """Sources (B, S), with their ends; targets (B, T), with a mark before and after."""
    sources = [[number[p] for p in pieces(source)] + [0] for source, _ in pairs]
    targets = [[0] + [number[p] for p in pieces(target)] + [0] for _, target in pairs]
    return pad(sources), pad(targets)


def text_of(ids):
    return " ".join(vocabulary[i] for i in ids if i > 0).replace(" -", "-")


long = ("twenty-one small cars", "vingt et une petites voitures")
x, y = batch_of([("one cat", "un chat"), long])
print(len(vocabulary), "pieces")
print(x)
print(y)

# %% [markdown]
# The first source has two places that stand for nothing: *padding*. It is there only
# because a tensor is a rectangle. It must not count anywhere. Keep that in mind.
#
# ## Attention with a mask
#
# In lesson 11 the queries, the keys and the values came from the same text. That is
# *self-attention*. Let the queries come from `x`, and the keys and values from `source`,
# which may be another text: then it is *cross-attention*. And let the mask be given. True
# means: may be seen.


# %%
class Attention(nn.Module):
    def __init__(self, C, n_head):
        super().__init__()
        self.n_head = n_head
        self.query, self.key, self.value = (nn.Linear(C, C) for _ in range(3))
        self.output = nn.Linear(C, C)

    def heads(self, x):
        """(B, T, C) -> (B, nh, T, hs)"""
        return x.view(x.size(0), x.size(1), self.n_head, -1).transpose(1, 2)

    def forward(self, x, source, seen):
        """x (B, T, C) asks, source (B, S, C) answers; seen: (B, nh, T, S), or broadcast."""
        q = self.heads(self.query(x))
        k, v = self.heads(self.key(source)), self.heads(self.value(source))
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))  # (B, nh, T, S)
        self.weights = torch.softmax(scores.masked_fill(~seen, -math.inf), dim=-1)
        return self.output((self.weights @ v).transpose(1, 2).flatten(2))  # -> (B, T, C)


# %% [markdown]
# Now forget the padding, as many do. Let *one cat* attend to itself, once alone and once in
# a batch with a longer neighbour. The padding gets a vector, too, no matter which.
#
# **Write down:** is the result for *one* the same?

# %%
torch.manual_seed(1)
attention, table = Attention(64, 4), torch.randn(len(vocabulary), 64)
alone, in_batch = table[x[:1, :3]], table[x.clamp(min=0)]
everything = torch.ones(2, 1, 1, x.size(1), dtype=torch.bool)
no_padding = (x >= 0)[:, None, None, :]  # (B, 1, 1, S): for all heads and all positions


def apart(seen):
    """How far the vectors of *one cat* in the batch are from those that it has alone."""
    with torch.no_grad():
        right = attention(alone, alone, everything[:1, :, :, :3])
        return (attention(in_batch, in_batch, seen)[:1, :3] - right).abs().max().item()


print(f"padding is seen:   {apart(everything):.6f} apart")
print(f"padding is masked: {apart(no_padding):.6f} apart")
assert apart(no_padding) < 1e-5 < 0.01 < apart(everything)

# %% [markdown]
# A translation that depends on what else is in the batch! Nothing crashes, the loss falls,
# and you find out when somebody translates a single sentence and gets another answer. The
# test is the one that you just saw: **a row has alone what it has in a batch.** Write it
# whenever there is padding.
#
# ## Three masks
#
# * The encoder reads: every word sees every word, before and after it, but no padding.
# * The decoder writes: a word sees those before it. That is the triangle of the GPT.
# * And at each word that it writes, the decoder looks at what the encoder made of the
#   source: at all of it, but for the padding.
#
# One class will do for both, with the LayerNorms where GPT-2 has them. (The paper of 2017
# had them on the stream.) A layer of the decoder has one attention more.


# %%
class Layer(nn.Module):
    def __init__(self, C, n_head, crosses=False, activation=nn.ReLU):
        super().__init__()
        self.attention = Attention(C, n_head)
        if crosses:
            self.cross_attention = Attention(C, n_head)
        wide = nn.Linear(C, 4 * C), activation(), nn.Linear(4 * C, C)
        self.feed_forward = nn.Sequential(*wide)
        self.norms = nn.ModuleList([nn.LayerNorm(C) for _ in range(3 if crosses else 2)])

    def forward(self, x, seen, memory=None, memory_seen=None):
        normed = self.norms[0](x)
        x = x + self.attention(normed, normed, seen)
        if memory is not None:  # what the encoder made of the source
            x = x + self.cross_attention(self.norms[1](x), memory, memory_seen)
        return x + self.feed_forward(self.norms[-1](x))


# %% [markdown]
# ## The whole of it
#
# One table of embeddings serves three times: for the source, for the target, and for the
# logits, which say how well the result fits each row. For the logits its numbers should be
# small, about 1/√C, or the first loss would be far too high. As inputs they are then *too*
# small: with C = 64 about 0.125, beside positions of about 0.7. The paper multiplies them
# by √C. You will see below what happens if you forget it.


# %%
class Translator(nn.Module):
    def __init__(self, vocab_size, C=64, n_head=4, n_layer=1, longest=16, scaled=True):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, C)
        nn.init.normal_(self.embedding.weight, std=1 / math.sqrt(C))
        self.positions = nn.Parameter(torch.randn(longest, C) * 0.7)  # as large as a sine
        self.scale = math.sqrt(C) if scaled else 1.0
        self.encoder = nn.ModuleList([Layer(C, n_head) for _ in range(n_layer)])
        self.decoder = nn.ModuleList([Layer(C, n_head, True) for _ in range(n_layer)])
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(C), nn.LayerNorm(C)

    def embed(self, ids):
        return self.embedding(ids.clamp(min=0)) * self.scale + self.positions[: ids.size(1)]

    def encode(self, sources):
        """(B, S) -> what was read (B, S, C), and where there is something to be seen."""
        seen = (sources >= 0)[:, None, None, :]  # (B, 1, 1, S)
        x = self.embed(sources)
        for layer in self.encoder:
            x = layer(x, seen)
        return self.encoder_norm(x), seen

    def decode(self, targets, memory, memory_seen):
        """(B, T), and what was read -> logits (B, T, V) of what comes next."""
        T = targets.size(1)
        triangle = torch.ones(T, T, dtype=torch.bool).tril()
        x = self.embed(targets)
        for layer in self.decoder:
            x = layer(x, triangle, memory, memory_seen)
        return F.linear(self.decoder_norm(x), self.embedding.weight)

    def forward(self, sources, targets):
        """The logits of targets[:, 1:], and their loss."""
        logits = self.decode(targets[:, :-1], *self.encode(sources))
        asked = targets[:, 1:].flatten()
        return logits, F.cross_entropy(logits.flatten(0, 1), asked, ignore_index=-1)


# %% [markdown]
# Two things to check. The decoder reads `targets[:, :-1]` and is scored on
# `targets[:, 1:]`: it reads the mark and should say *vingt*, reads *vingt* and should say
# *et*. While it learns it reads the right words, even if it would have written others: this
# is called *teacher forcing*. And the padding of the target needs no mask: it comes after
# everything, and the triangle hides what comes after. Nor is it scored: that is
# `ignore_index`.
#
# **Write down:** how low can the loss be, for somebody who knows both languages?

# %%
torch.manual_seed(1)
model = Translator(len(vocabulary))
print(f"{sum(p.numel() for p in model.parameters()):,} numbers")
with torch.no_grad():
    _, loss = model(*batch_of(dev))
guess = math.log(len(vocabulary))
print(f"before training: {loss.item():.2f}, and ln {len(vocabulary)} = {guess:.2f}")
assert guess < loss < guess + 2


def drawn_from(pairs):
    """A function that draws a batch of 64."""
    return lambda draw: batch_of(draw.choices(pairs, k=64))


def learn(model, batch, steps, rate=3e-3):
    """AdamW, 50 steps to warm up, and a smaller rate at the end. Returns the losses."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    draw, losses = random.Random(2), []
    for k in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (k + 1) / 50) * (1 if k < 0.7 * steps else 0.2)
        _, loss = model(*batch(draw))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% [markdown]
# It begins above ln 171. The table explains it: what comes in is the row of a piece, what
# comes out is compared with the rows, and so the untrained model is rather sure that each
# piece is followed by itself. For somebody who knows both languages the loss is 0: each
# phrase has one translation here. (In a real language it has many. There it is not 0.)
#
# To write, begin with the mark, take the likeliest piece, append it, ask again. This is
# called *greedy*. All sources are written at once; the text ends at the mark.


# %%
def translate(model, sources, longest=12):
    """What a model writes for each source, a text."""
    with torch.no_grad():
        memory = model.encode(batch_of([(source, "") for source in sources])[0])
        ids = torch.zeros(len(sources), 1, dtype=torch.int64)
        for _ in range(longest):
            following = model.decode(ids, *memory)[:, -1].argmax(dim=-1, keepdim=True)
            ids = torch.cat([ids, following], dim=1)
    rows = [[*row[1:], 0] for row in ids.tolist()]
    return [text_of(row[: row.index(0)]) for row in rows]


STEPS = 180 if QUICK else 500
losses = learn(model, drawn_from(train), STEPS)
with torch.no_grad():
    _, loss = model(*batch_of(dev))
asked = [source for source, _ in dev]
written = translate(model, asked)
wrong = [(s, t, w) for (s, t), w in zip(dev, written, strict=True) if w != t]
print(f"dev: loss {loss.item():.3f}, exactly right {1 - len(wrong) / len(dev):.1%}")
assert 1 - len(wrong) / len(dev) > (0.85 if QUICK else 0.97)

# %%
from gradus.plots import plot_series

first = 100 if QUICK else 150
unscaled = Translator(len(vocabulary), scaled=False)
forgotten = learn(unscaled, drawn_from(train), first)
plot_series(
    range(1, first + 1),
    {"embeddings times √C": losses[:first], "as they are": forgotten},
    title="Learning to translate",
    ylabel="nats a piece, in the batch",
)

# %% [markdown]
# The second curve is the mistake of forgetting √C. It begins lower, since the model is less
# sure that each piece follows itself. But without the factor the words drown in their
# positions, and must grow first. At the end of the picture it is where the other was 70
# steps before.

# %%
at = 99
print(f"loss at step {at + 1}: scaled {losses[at]:.2f}, not scaled {forgotten[at]:.2f}")
assert losses[at] + 0.3 < forgotten[at]
for source, answer in list(zip(asked, written, strict=True))[:5]:
    print(f"  {source:26} {answer}")
print(f"{len(wrong)} of {len(dev)} are wrong:")
for source, target, answer in wrong[:4]:
    print(f"  {source:26} {answer}   not: {target}")
singular = sum(source.startswith("one ") for source, _ in train)
print(f"in the singular there were {singular} of {len(train):,} to learn from")

# %% [markdown]
# It has seen fewer than one in five of all phrases, and translates the others. What it does
# not know well is what is rare: the singular, which is 1 in 99. It hardly ever saw *chien*,
# *pomme* and *blanc*. A model knows what it has often seen, and an average over all phrases
# hides the rest.
#
# ## What it looked at
#
# Nobody told the model which English word is which French one. But it had to look there.
# Each layer of the decoder keeps the weights of its cross-attention. The picture shows, for
# each piece that was written (a row), how much it took from each piece of the source: from
# nothing, white, to all, blue.

# %%
from gradus.plots import plot_cross_attention


def looked_at(model, source, target):
    """(T, S): the weights, mean of the heads, when each piece of the target was written."""
    with torch.no_grad():
        model(*batch_of([(source, target)]))
    return model.decoder[-1].cross_attention.weights[0].mean(dim=0).numpy()


def show(source, target, title):
    weights = looked_at(model, source, target)
    return plot_cross_attention(
        weights, [*pieces(source), "."], [*pieces(target), "."], title=title
    )


show("seventy-one white houses", "soixante et onze maisons blanches", "71 white houses")

# %% [markdown]
# Read it row by row. *soixante* looks at *seventy* alone, *et* and *onze* mostly at *-one*.
# And then the cross: *maisons* looks at the last word, *blanches* at the one before. Is it
# always so? Ask all phrases of dev in which the adjective stands behind the noun.

# %%
colors = [a[0] for a in adjectives if a[3] == "after"]
crossed = [p for p in dev if any(color in p[0].split() for color in colors)]
crosses = []
for source, target in crossed:
    noun, color = looked_at(model, source, target)[-3:-1].argmax(axis=1)
    last = len(pieces(source)) - 1
    crosses.append((noun, color) == (last, last - 1))
print(f"{len(crossed)} phrases; in {np.mean(crosses):.1%} both look where they should")
assert np.mean(crosses) > (0.5 if QUICK else 0.9)

# %% [markdown]
# Now *vingt et une petites voitures*. **Write down:** when it writes *une*, where does it
# look?

# %%
show(*long, "21 small cars")

# %% [markdown]
# Hardly at *cars*, though only *cars* can tell. But replace the word, and you see that it
# does know:

# %%
cars, dogs = translate(model, ["twenty-one small cars", "twenty-one small dogs"])
print(cars, "/", dogs)
_, at_one, at_small, at_cars, _ = looked_at(model, *long)[2]
print(f"une looked at: one {at_one:.0%}, small {at_small:.0%}, cars {at_cars:.0%}")
assert QUICK or (cars == long[1] and dogs == "vingt et un petits chiens")

# %% [markdown]
# In the encoder every word has looked at every other. When the decoder looks at *small*, it
# finds no longer the word alone, but something like "small, said of something feminine". So
# be careful with such pictures: they show *where* it looked, not *what* it found there.
#
# ## A choice that cannot be taken back
#
# Greedy takes the likeliest piece, and never looks back. Say a model gives these
# probabilities. Each line says what may follow a beginning; after the noun comes the mark.

# %%
TREE = {
    (): {"la": 0.6, "une": 0.4},
    ("la",): {"maison": 0.4, "porte": 0.35, "rue": 0.25},
    ("une",): {"maison": 0.9, "porte": 0.1},
}


def following(beginning):
    """What may follow a beginning: a dictionary from piece to ln of its probability."""
    found = TREE.get(beginning, {".": 1.0})
    return {piece: math.log(p) for piece, p in found.items()}


# %% [markdown]
# **Write down:** what does greedy write, and how likely is it? What is the likeliest text?
#
# Greedy: *la maison*, 0.6 · 0.4 = 0.24. But *une maison* has 0.4 · 0.9 = 0.36. To find it,
# you must not throw *une* away too early. *Beam search* keeps several beginnings. It
# continues each with every piece, keeps the likeliest of all the continuations, and puts
# aside those that have ended.


# %%
def beam_search(following, beams, longest=12, end="."):
    """Texts that have ended, each with ln of its probability, the likeliest first."""
    going, ended = {(): 0.0}, {}
    for _ in range(longest):
        longer = {
            (*beginning, piece): log_p + more
            for beginning, log_p in going.items()
            for piece, more in following(beginning).items()
        }
        best = sorted(longer, key=longer.get, reverse=True)
        ended |= {text[:-1]: longer[text] for text in best[:beams] if text[-1] == end}
        going = {text: longer[text] for text in [t for t in best if t[-1] != end][:beams]}
        if len(ended) >= beams or not going:
            break
    return sorted(ended.items(), key=lambda item: -item[1])


for beams in (1, 2):
    text, log_p = beam_search(following, beams)[0]
    print(f"{beams} beam{'s' * (beams > 1)}: {' '.join(text)}, {math.exp(log_p):.2f}")
assert beam_search(following, 1)[0][0] == ("la", "maison")
assert beam_search(following, 2)[0][0] == ("une", "maison")

# %% [markdown]
# With one beam it *is* greedy. Does it matter for the translator? A model that is nearly
# always right is sure of itself, and greedy will do. So take one that has learned for only
# a short time, and let it write with one beam and with four.
#
# **Write down:** in how many of 100 phrases does it find a likelier text? And are those
# more often right?

# %%
torch.manual_seed(1)
young = Translator(len(vocabulary))
learn(young, drawn_from(train), 60 if QUICK else 110)


def of_model(model, source):
    """What may follow, by a model that translates this source."""
    with torch.no_grad():
        memory = model.encode(batch_of([(source, "")])[0])

    def following(beginning):
        with torch.no_grad():
            logits = model.decode(torch.tensor([[0, *beginning]]), *memory)[0, -1]
        log_p = F.log_softmax(logits, dim=0)
        best = log_p.topk(8)  # the others will not be among the best of four beams
        return dict(zip(best.indices.tolist(), best.values.tolist(), strict=True))

    return following


some = dev[: 10 if QUICK else 100]
likelier, right_one, right_four = 0, 0, 0
for source, target in some:
    following = of_model(young, source)
    one, four = (beam_search(following, beams, longest=16, end=0) for beams in (1, 4))
    likelier += bool(four) and (not one or four[0][1] > one[0][1] + 1e-6)
    right_one += bool(one) and text_of(one[0][0]) == target
    right_four += bool(four) and text_of(four[0][0]) == target
print(f"of {len(some)}: four beams find a likelier text {likelier} times")
print(f"right: {right_one} with one beam, {right_four} with four")

# %% [markdown]
# Likelier texts, but they are not right more often. Beam search only searches; it is the
# model that says what is likely, and where the model is wrong, a better search finds its
# errors all the more surely. It pays when the model is good and yet unsure, as with whole
# sentences, which can begin in more than one way.
#
# Note also that every piece costs, so a shorter text tends to be likelier. With many beams
# you find texts that are too short; so in practice ln p is divided by a power of the
# length.
#
# ## Where gradus has it
#
# The model is `transformer`, and gradus.generation has the beams, for many sources at once
# and with a cache. Give it your weights; a few names differ.

# %%
from gradus.generation.translate import beam_search as beams_of_gradus
from gradus.models import build_model


def renamed(name):
    name = name.replace("feed_forward.0", "feed_forward.inside")
    name = name.replace("feed_forward.2", "feed_forward.outside")
    return re.sub(r"norms\.(\d)", lambda found: f"add_{int(found[1]) + 1}.norm", name)


settings = {"n_layer": 1, "n_head": 4, "n_embd": 64, "position_encoding": "learned"}
theirs = build_model("transformer", vocab_size=len(vocabulary), block_size=16, **settings)
theirs.load_state_dict({renamed(name): value for name, value in model.state_dict().items()})
theirs.eval()
x, y = batch_of(dev[:64])
with torch.no_grad():
    gap = (theirs(x, y)[0] - model(x, y)[0]).abs().max().item()
print(f"logits: {gap:.5f} apart")
assert gap < 1e-4

same = 0
for source, _ in dev[:10]:
    mine, log_p = beam_search(of_model(model, source), 4, end=0)[0]
    x = batch_of([(source, "")])[0]
    best = beams_of_gradus(theirs, x, 13, stop=0, beams=4, length_penalty=0)[0][0]
    same += best.ids == mine and abs(best.log_p - log_p) < 1e-4
print(f"beam search: the same text and the same probability in {same} of 10")
assert same == 10

# %% [markdown]
# ## Real sentences
#
# With phrases of your own making everything goes well. What about sentences that people
# have said? Tatoeba collects them, with translations (CC BY 2.0). If you have its English
# and French pairs, as `tatoeba/eng-fra.txt` in the folder that `GRADUS_DATA` names, the
# next cell learns from the shortest of them. Without the file it does nothing; read on.
#
# **Write down:** which part of new sentences will it translate exactly as people did?

# %%
FILE = Path(os.environ.get("GRADUS_DATA", "")) / "tatoeba" / "eng-fra.txt"
if FILE.is_file() and not QUICK:
    lines = FILE.read_text("utf-8").lower().splitlines()[:6000]
    said = [tuple(" ".join(pieces(t)) for t in line.split("\t")[:2]) for line in lines]
    vocabulary = [".", *sorted({p for pair in said for text in pair for p in pieces(text)})]
    number = {piece: i for i, piece in enumerate(vocabulary)}
    new = random.Random(1).sample(sorted({source for source, _ in said}), 300)
    to_learn = [pair for pair in said if pair[0] not in set(new)]
    spoken = Translator(len(vocabulary), C=96, longest=24)
    learn(spoken, drawn_from(to_learn), 700)
    written = list(zip(new, translate(spoken, new), strict=True))
    right = [pair for pair in written if pair in set(said)]
    print(f"{len(to_learn):,} pairs, {len(vocabulary):,} pieces")
    print(f"of {len(new)} new sentences {len(right)} are translated as somebody did:")
    for pair in right[:5]:
        print("  {:22} {}".format(*pair))
    print("and not so:")
    for pair in [pair for pair in written if pair not in right][:7]:
        print("  {:22} {}".format(*pair))
else:
    print("there is no such file")

# %% [markdown]
# Most are wrong, though they look like French, and often you can see where they come from.
# (A few are only not what people wrote.) 5,000 short sentences are little to learn a
# language from: most of their words occur once or twice. It is the trouble of *one white
# horse* again. What is missing is not an idea but text, and a larger model.
#
# ## The other job: what is a text?
#
# Now read a text and give it a label. Here are paragraphs from the documentation in
# Python's own source, and the label is what the module is about, one of seven areas.

# %%
from gradus import load_corpus

corpus = load_corpus("docstrings")
splits = corpus.splits()
known, asked = splits.train, splits.dev
labels = sorted(set(corpus.labels))
learned = range(0, len(known.documents), 5 if QUICK else 1)
texts = [known.documents[i] for i in learned]
Y = torch.tensor([labels.index(known.labels[i]) for i in learned])
Y_dev = np.array([labels.index(label) for label in asked.labels])
print(f"{len(texts):,} texts to learn from, {len(Y_dev)} to judge by")
for i in (0, 1, 2):
    print(f"  {asked.labels[i]:12} {asked.documents[i][:70]}")
print(Counter(asked.labels).most_common())

# %% [markdown]
# **Write down:** how often are you right if you always give the same label? And how often
# will a good model be right, half of the time or nearly always?
#
# ## First a baseline
#
# Before you build a network, ask what can be had without. For topics there is an old and
# strong answer: **which words are in it**, in any order. Not every word says as much. *the*
# is in every text, *socket* is not. So count in how many of N texts each word is, df, and
# give it the weight ln((1 + N) / (1 + df)) + 1, the *inverse document frequency*. A word
# that is n times in the text, its *term frequency*, gets 1 + ln n times that. Take pairs of
# neighbours as words, too. A text is then a vector of such weights, divided by its length
# so that long texts weigh no more: *TF-IDF*.


# %%
def terms(text):
    words = re.findall(r"\b\w\w+\b", text.lower())
    return Counter([*words, *(f"{a} {b}" for a, b in pairwise(words))])


counted = [terms(text) for text in texts]
df = Counter(term for counts in counted for term in counts)
place = {term: i for i, term in enumerate(df)}
idf = {term: math.log((1 + len(texts)) / (1 + n)) + 1 for term, n in df.items()}
print(f"{len(df):,} words and pairs")
for term in ("the", "file", "socket", "time zone"):
    print(f"  {term:10} in {df[term]:5,} texts: {idf.get(term, 0):.2f}")


def weighted(counted):
    """The terms of all texts in a row, where each text begins, and the weights."""
    ids, begins, weights = [], [], []
    for counts in counted:
        begins.append(len(ids))
        known = [(term, n) for term, n in counts.items() if term in idf]
        found = {term: (1 + math.log(n)) * idf[term] for term, n in known}
        length = math.sqrt(sum(w * w for w in found.values()))
        ids += [place[term] for term in found]
        weights += [w / length for w in found.values()]
    return torch.tensor(ids), torch.tensor(begins), torch.tensor(weights)


# %% [markdown]
# On top comes one layer with softmax: a number for each term and label. You know it from
# lesson 6: a layer on one-hot is a look-up in a table. Here several rows are looked up, and
# added with their weights; `embedding_bag` does that. This is called *logistic regression*.
# An L2 penalty, the sum of the squares of W, keeps it from learning its texts by heart.

# %%
W = torch.zeros(len(df), len(labels), requires_grad=True)
b = torch.zeros(len(labels), requires_grad=True)


def scores(bags):
    ids, begins, weights = bags
    return F.embedding_bag(ids, W, begins, mode="sum", per_sample_weights=weights) + b


bags, bags_dev = weighted(counted), weighted([terms(text) for text in asked.documents])
optimizer = torch.optim.Adam([W, b], lr=0.3)
for k in range(51 if QUICK else 101):
    loss = F.cross_entropy(scores(bags), Y) + (W * W).sum() / (20 * len(texts))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if k % 25 == 0:
        print(f"step {k:3}: {loss.item():.4f}")

with torch.no_grad():
    by_words = scores(bags_dev).argmax(dim=1).numpy()
always = np.bincount(Y_dev).max() / len(Y_dev)
print(f"always the same: {always:.1%}   TF-IDF: {np.mean(by_words == Y_dev):.1%}")
assert np.mean(by_words == Y_dev) > (0.55 if QUICK else 0.78)

# %% [markdown]
# Four of five, in a few seconds, almost without the order of the words. Which words give an
# area away? Look at the largest numbers of the table:

# %%
names = list(df)
for j, label in enumerate(labels):
    best = W[:, j].topk(6).indices.tolist()
    print(f"{label:12}", ", ".join(names[i] for i in best))

# %% [markdown]
# ## An encoder with a classifier
#
# Now with attention. The encoder of the translator makes a vector of each word, which knows
# of all the others. Take the mean of these vectors, and put a small layer with softmax on
# it. *BERT* (2018) is such an encoder, only larger; it takes the vector of an extra first
# token in place of the mean.
#
# **Write down:** the mean over what?


# %%
def words_of(text):
    return re.findall(r"\w+|[^\w\s]", text.lower())[:62]


often = Counter(word for text in texts for word in words_of(text))
words = [".", "?", *sorted(word for word, n in often.items() if n > 2 and word not in ".?")]
number = {word: i for i, word in enumerate(words)}  # rare words are all "?"


def ids_of(text):
    return [0, *(number.get(word, 1) for word in words_of(text)), 0]


class Classifier(nn.Module):
    def __init__(self, vocab_size, n_labels, C=64, n_head=4, n_layer=1, longest=64):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, C)
        self.positions = nn.Embedding(longest, C)
        for table in (self.embedding, self.positions):
            nn.init.normal_(table.weight, std=0.02)
        self.embedding_norm, self.norm = nn.LayerNorm(C), nn.LayerNorm(C)
        layers = [Layer(C, n_head, activation=nn.GELU) for _ in range(n_layer)]
        self.layers = nn.ModuleList(layers)
        self.head, self.classifier = nn.Linear(C, C), nn.Linear(C, n_labels)

    def forward(self, ids, answers=None):
        """(B, T), -1 after the end of a text -> logits (B, n_labels), and their loss."""
        there = ids >= 0
        x = self.embedding(ids.clamp(min=0)) + self.positions.weight[: ids.size(1)]
        x = self.embedding_norm(x)
        for layer in self.layers:
            x = layer(x, there[:, None, None, :])
        counts = there.float()[:, :, None]  # (B, T, 1): padding does not count
        mean = (self.norm(x) * counts).sum(dim=1) / counts.sum(dim=1)  # (B, C)
        logits = self.classifier(torch.tanh(self.head(mean)))
        return logits, None if answers is None else F.cross_entropy(logits, answers)


# %% [markdown]
# The mean over the words that are there: it is the second place where padding gets in,
# after attention. Without `counts`, a text in a batch with longer ones would have another
# vector. Try it, and the test from above says so.
#
# Texts of about the same length go into a batch together, so that there is little padding.

# %%
torch.manual_seed(1)
reader = Classifier(len(words), len(labels))
print(f"{sum(p.numel() for p in reader.parameters()):,} numbers")
rows = [(ids_of(text), label) for text, label in zip(texts, Y.tolist(), strict=True)]
rows.sort(key=lambda row: len(row[0]))


def neighbours(draw):
    """64 texts that follow each other by length."""
    first = draw.randrange(len(rows) - 64)
    ids, answers = zip(*rows[first : first + 64], strict=True)
    return pad(ids), torch.tensor(answers)


losses = learn(reader, neighbours, 100 if QUICK else 500, rate=2e-3)


def labels_of(reader, texts):
    ids = [ids_of(text) for text in texts]
    with torch.no_grad():
        logits = [reader(pad(ids[i : i + 64]))[0] for i in range(0, len(ids), 64)]
    return torch.cat(logits).argmax(dim=1).numpy()


by_encoder = labels_of(reader, asked.documents)
print(f"loss of the last batches {np.mean(losses[-20:]):.3f}")
of_words, of_encoder = np.mean(by_words == Y_dev), np.mean(by_encoder == Y_dev)
print(f"TF-IDF: {of_words:.1%}   encoder: {of_encoder:.1%}")
assert of_encoder > (0.4 if QUICK else 0.74)

# %% [markdown]
# Attention loses, by a few points, against a count of words. It knows its 6,930 texts
# nearly by heart: look at its loss in training. For topics, which words there are says
# nearly all, and their order adds little. So always show a simple baseline beside the
# network.
#
# What BERT did about it: let the encoder first learn from text *without* labels, of which
# there is any amount, by hiding words and asking what they were. Then come the labels, and
# few are enough. In the exercises you hide the words.
#
# ## What is taken for what
#
# One number hides what is confused with what. Count it, in a *confusion matrix*: a row for
# what is true, a column for what was said.

# %%
from gradus.plots import plot_confusion

confusion = np.zeros((len(labels), len(labels)), dtype=int)
np.add.at(confusion, (Y_dev, by_encoder), 1)
plot_confusion(confusion, labels, title="Confusion matrix of the encoder, on dev")

# %% [markdown]
# *text* is the rarest label. What share of those texts was found? That is *recall*. And of
# those that were called *text*, what share is? That is *precision*. F1 is twice their
# product over their sum, high only if both are. The mean of the labels' F1, *macro F1*,
# counts a rare label as much as a frequent one.

# %%
found, given, true = np.diagonal(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
recall, precision = found / true, found / np.maximum(given, 1)
f1 = 2 * found / (given + true)  # the same, multiplied out
for j, label in enumerate(labels):
    print(
        f"{label:12} precision {precision[j]:.2f}, recall {recall[j]:.2f}, F1 {f1[j]:.2f}"
    )
print(f"accuracy {found.sum() / true.sum():.3f}, macro F1 {f1.mean():.3f}")
assert np.allclose(f1, 2 * precision * recall / np.maximum(precision + recall, 1e-9))

# %% [markdown]
# ## Where gradus has these
#
# The model is `encoder`; it adds 1e-12 to the variance in its norms, as BERT does, where
# yours adds 1e-5. `gradus.evaluation` counts the confusions, and has the same TF-IDF
# baseline, for which it takes scikit-learn, if that is installed.

# %%
from gradus.evaluation.classification import Confusion, has_sklearn, tfidf_baseline

settings = {"n_layer": 1, "n_head": 4, "n_embd": 64, "pool": "mean", "n_labels": 7}
theirs = build_model("encoder", vocab_size=len(words), block_size=64, **settings)
state = {renamed(name): value for name, value in reader.state_dict().items()}
state = {name.replace("head.", "head.0."): value for name, value in state.items()}
row = torch.zeros(1, 64)  # theirs has one more, for a hidden word
state["embedding.weight"] = torch.cat([state["embedding.weight"], row])
theirs.load_state_dict(state)
for module in theirs.eval().modules():
    if isinstance(module, nn.LayerNorm):
        module.eps = 1e-5
x = pad([ids_of(text) for text in asked.documents[:64]])
with torch.no_grad():
    gap = (theirs(x)[0] - reader(x)[0]).abs().max().item()
print(f"logits: {gap:.5f} apart")
assert gap < 1e-4

counted = Confusion.of(Y_dev, by_encoder, labels)
print(counted)
assert np.array_equal(counted.table, confusion)
assert abs(counted.macro_f1 - f1.mean()) < 1e-12

if has_sklearn() and not QUICK:
    theirs = tfidf_baseline((texts, known.labels), (asked.documents, asked.labels), labels)
    print(f"TF-IDF: yours {of_words:.3f}, scikit-learn's {theirs.accuracy:.3f}")
    assert abs(of_words - theirs.accuracy) < 0.01
else:
    print("scikit-learn is not here to compare with")

# %% [markdown]
# ## What you have now
#
# * An encoder and a decoder differ in who may see whom: everything but padding, or only
#   what came before. Cross-attention joins the two.
# * A row must have alone what it has in a batch. Padding gets in through attention,
#   through means, and through the loss.
# * Greedy cannot take back a choice; beams can. They find what the model holds likely,
#   which is not always what is right.
# * An attention map shows where a model looked, not what it found there.
# * Beside one number, show what counting words gives, and what is taken for what.
#
# This was the last lesson. You began with the slope of a parabola, and you have built every
# step from there to here. What is left is to go on: `gradus train FILE` learns from
# texts, pairs or labels of your own, and the [page on attention](../docs/attention.md) has
# each step of it as a function to play with.
