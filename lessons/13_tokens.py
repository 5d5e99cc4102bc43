# %% [markdown]
# # 13. Tokens
#
# *To read: 45 minutes. To run: 2 minutes. You need: lesson 12.*
#
# Your GPT reads letters. GPT-2 does not: it reads *tokens*, pieces of text, of which it
# knows 50,257. Nobody wrote that list. It was found by counting, before any network was
# trained, with an idea from 1994 for compressing files. In this lesson you write the whole
# tokenizer of GPT-2, see what a model gains by it, and what it loses: a GPT that reads
# tokens cannot see how a word is spelled.

# %%
import math
import os
import re
from collections import Counter
from itertools import pairwise

import numpy as np

from gradus import load_corpus
from gradus.backend import torch

QUICK = os.environ.get("GRADUS_LESSONS") == "quick"  # a shorter run, for tests

splits = load_corpus("shakespeare").splits()  # 1.1 MB, downloaded when first asked for
train, dev = splits.train.text, splits.dev.text
print(f"{len(train):,} characters to learn from, {len(set(train))} different ones")
assert len(set(train)) == 65

# %% [markdown]
# ## What is a text made of?
#
# For Shakespeare you gave each of 65 characters a number. What do you do when somebody
# types an é? There are more than 150,000 characters in Unicode, and next year there will
# be more.
#
# But every text that was ever saved in a file was already turned into numbers below 256:
# into *bytes*, mostly by UTF-8. Plain letters take one byte, others two, three or four.
#
# **Write down:** how many bytes has "né 안녕 👋"? It has 7 characters.

# %%
for text in ("low", "né", "안녕", "👋", "né 안녕 👋"):
    print(f"{text:9} {len(text)} characters, bytes: {list(text.encode())}")
assert len("né 안녕 👋") == 7
assert len("né 안녕 👋".encode()) == 15

# %% [markdown]
# So take bytes as the tokens. 256 of them, and nothing in the world is unknown. That works,
# and has a price: a network that sees 64 tokens sees no more than 64 letters of English,
# and no more than 21 of Korean. Every step of it is spent on a single letter.
#
# Could you have longer pieces where the text allows it, and bytes for everything else?
#
# ## The most frequent pair
#
# This is the idea (Philip Gage, 1994; Sennrich, Haddow and Birch, 2016, for
# translation): find the two neighbours that occur together most often, and give the pair
# a number of its own, the next free one. Then do it again.
#
# Try it on paper with `aaabdaaabac`. **Write down:** which pair is the most frequent? And
# what is left after three such steps?


# %%
def count_pairs(ids):
    """How often each pair of neighbours occurs: a Counter."""
    return Counter(pairwise(ids))


def merge(ids, pair, new):
    """The ids with `new` in the place of each occurrence of the pair, from the left."""
    out, i = [], 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


vocab = {i: bytes([i]) for i in range(256)}  # id -> the bytes that it stands for
ids = list(b"aaabdaaabac")
cut = {"bytes": [vocab[i].decode() for i in ids]}
for new in (256, 257, 258):
    counts = count_pairs(ids)
    pair = max(counts, key=lambda pair: (counts[pair], -pair[0], -pair[1]))
    vocab[new] = vocab[pair[0]] + vocab[pair[1]]
    ids = merge(ids, pair, new)
    print(f"{pair} occurs {counts[pair]} times, is now {new}, {vocab[new]}: {ids}")
    cut[f"merge {new - 255}: {vocab[new].decode()}"] = [vocab[i].decode() for i in ids]
assert ids == [258, 100, 258, 97, 99]

# %%
from gradus.plots import plot_pieces

plot_pieces(cut, title="Three merges of aaabdaaabac")

# %% [markdown]
# Eleven bytes have become five tokens: X d X a c, with X for `aaab`. This is *byte pair
# encoding*, BPE. Look at the first merge once more: the pair `aa` was counted 4 times, and
# yet there are only two new tokens. In `aaa` the two pairs share a letter. It can be
# merged once only, and from the left.
#
# (After the first merge two pairs occur twice. Which of them to take is up to you, as long
# as the rule is always the same. Here it is the pair with the smaller ids.)
#
# ## Twenty merges of Shakespeare
#
# Now a real text: the first 100,000 bytes. **Write down** three pairs that you expect
# among the first ten.


# %%
def learn(ids, number):
    """`number` merges, most frequent pair first: {pair: its new id}, and what is left."""
    merges = {}
    for new in range(256, 256 + number):
        counts = count_pairs(ids)
        pair = max(counts, key=lambda pair: (counts[pair], -pair[0], -pair[1]))
        merges[pair] = new
        ids = merge(ids, pair, new)
    return merges, ids


def vocabulary(merges):
    """id -> the bytes that it stands for. In order, so both parts are there."""
    vocab = {i: bytes([i]) for i in range(256)}
    for (first, second), new in merges.items():
        vocab[new] = vocab[first] + vocab[second]
    return vocab


plain = list(train[:100_000].encode())
merges, ids = learn(plain, 20)
vocab = vocabulary(merges)
print([vocab[new].decode() for new in merges.values()])
print(f"{len(plain):,} bytes are {len(ids):,} tokens: {len(plain) / len(ids):.2f} a token")
assert b"".join(vocab[i] for i in ids) == bytes(plain)

# %% [markdown]
# Twenty merges, and the text is a fifth shorter. Some pieces you expected: `th`, `er`,
# `in`. But the first is `'e '`, the end of a word with the space *behind* it, and soon
# comes `', '`. Go on like this, and "dog.", "dog!" and "dog " become tokens that have
# nothing to do with each other, and the network has to learn each of them anew.
#
# ## First cut, then merge
#
# GPT-2's remedy: first cut the text into pieces, roughly words, by a *regular expression*.
# Pairs are counted and merged inside a piece only. Its pattern reads like this, and takes
# the first of its parts that fits:
#
# | part | what it takes |
# |---|---|
# | `'(?:[sdmt]\|ll\|ve\|re)` | the ends of *it's*, *I'd*, *don't*, *we'll*, *I've* |
# | ` ?\p{L}+` | letters, with the space before them |
# | ` ?\p{N}+` | digits, with the space before them |
# | ` ?[^\s\p{L}\p{N}]+` | punctuation and symbols, with the space before them |
# | `\s+(?!\S)` | several spaces or line breaks, but not the last before a word |
# | `\s+` | that last one, if it is not a space but, say, a line break |
#
# Python's `re` does not know `\p{L}`, any letter of any language. `[^\W\d_]`, what is part
# of a word, but no digit and no underscore, is nearly the same (it also takes ½ and ²).
#
# **Write down** how it cuts "Hello've world123 how's are you!?"

# %%
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"

pieces = re.findall(GPT2, "Hello've world123 how's are you!?")
print(pieces)
assert pieces == ["Hello", "'ve", " world", "123", " how", "'s", " are", " you", "!?"]
assert "".join(re.findall(GPT2, train)) == train  # nothing is lost

# %% [markdown]
# Spaces go with the word that follows. So " world" in a sentence and "world" at its
# beginning will be two tokens.
#
# GPT-4 changed several things. Contractions may be in capitals. A number is cut into three
# digits at a time, without the space. Line breaks stay with the punctuation before them.
# And a word may take any one symbol in front of it, not only a space.

# %%
GPT4 = (
    r"'(?i:[sdmt]|ll|ve|re)|(?:[^\r\n\w]|_)?[^\W\d_]+|\d{1,3}"
    r"| ?(?:[^\s\w]|_)+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)
text = "     HOW'S 1234567?\n\nyes"
cut = {"GPT-2": re.findall(GPT2, text), "GPT-4": re.findall(GPT4, text)}
plot_pieces(cut, title="The same text, cut by two patterns")

# %%
for label, parts in cut.items():
    print(f"{label}: {parts}")
assert cut["GPT-2"][:4] == ["    ", " HOW", "'", "S"]
assert cut["GPT-4"][:6] == ["    ", " HOW", "'S", " ", "123", "456"]

# %% [markdown]
# Cutting is not merging yet. Both cut four spaces off the five; whether those four become
# one token depends on the text that the merges are learned from. You will see.
#
# ## The tokenizer
#
# Inside pieces, the same training. A word that occurs a thousand times need not be merged
# a thousand times: keep each different piece once, with how often it occurs.
#
# When two pairs are equally frequent, the one with the smaller ids wins. GPT-2 numbers the
# bytes in an order of its own, printable characters first; use that order here.

# %%
printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
others = [byte for byte in range(256) if byte not in printable]
place = {byte: i for i, byte in enumerate(printable + others)}


def train_bpe(text, number, pattern):
    """`number` merges inside the pieces of a text: {pair: its new id}."""
    pieces = Counter(re.findall(pattern, text))
    words = [(list(piece.encode()), times) for piece, times in pieces.items()]
    merges = {}
    for new in range(256, 256 + number):
        counts = Counter()
        for ids, times in words:
            for pair in pairwise(ids):
                counts[pair] += times
        pair = max(
            counts, key=lambda pair: (counts[pair], *(-place.get(i, i) for i in pair))
        )
        merges[pair] = new
        words = [(merge(ids, pair, new) if pair[0] in ids else ids, n) for ids, n in words]
    return merges


NUMBER = 32 if QUICK else 256
merges = train_bpe(train, NUMBER, GPT2)
vocab = vocabulary(merges)
tokens = [vocab[new].decode() for new in merges.values()]
print("the first:", tokens[:16])
print("the last: ", tokens[-12:])
assert " the" in tokens
assert not any(token.endswith(" ") and token.strip() for token in tokens)

# %% [markdown]
# No token ends in a space any more, and many of the later ones are whole words.
#
# To *encode* a new text: cut it, take the bytes of each piece, and merge. But in which
# order? Not the pair that is the most frequent in the new text: the one that was *learned
# first*. That is the one with the smallest new id.
#
# To *decode*, look every id up and join the bytes.


# %%
def encode_piece(ids, merges):
    """Merge the ids of one piece as far as it goes, always what was learned first."""
    while len(ids) > 1:
        pair = min(pairwise(ids), key=lambda pair: merges.get(pair, math.inf))
        if pair not in merges:
            break
        ids = merge(ids, pair, merges[pair])
    return ids


def encode(text, merges, pattern=GPT2):
    known = {}  # most pieces occur many times
    for piece in set(re.findall(pattern, text)):
        known[piece] = encode_piece(list(piece.encode()), merges)
    return [i for piece in re.findall(pattern, text) for i in known[piece]]


def decode(ids, vocab):
    return b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace")


line = "Shall I compare thee to a summer's day? né 👋"
ids = encode(line, merges)
assert decode(ids, vocab) == line
dev_ids = encode(dev, merges)
assert decode(dev_ids, vocab) == dev
print(f"dev: {len(dev):,} characters are {len(dev_ids):,} tokens")
ids = encode("Shall I compare thee to a summer's day?", merges)
plot_pieces({f"{len(ids)} tokens": [decode([i], vocab) for i in ids]})

# %% [markdown]
# The frequent words are one token, the rare ones several. And "né 👋", of which there is
# nothing in Shakespeare, comes back whole, too: byte by byte.
#
# Why `errors="replace"`? **Write down** what happens without, when a model draws the byte
# 128 as its first token.

# %%
try:
    bytes([128]).decode()
except UnicodeDecodeError as error:
    print(error)
print("with replace:", decode([128], vocab))

# %% [markdown]
# 128 can only be in the middle of a character, never its beginning. A model may draw any
# token after any other, so not every list of tokens is a text. Your program must not crash.
#
# ## A mistake that gives the text back
#
# Here is a mistake that is easily made. To encode, merge what makes the longest token
# first: that looks like the better compression. **Write down:** will decode give the text
# back?


# %%
def longest_first(ids, merges):
    """The mistake: merge what makes the longest token, and not what was learned first."""
    while len(ids) > 1:
        pair = max(
            (p for p in pairwise(ids) if p in merges),
            key=lambda p: (len(vocab[merges[p]]), -merges[p]),
            default=None,
        )
        if pair is None:
            break
        ids = merge(ids, pair, merges[pair])
    return ids


pieces = Counter(re.findall(GPT2, dev))
different = Counter()
for piece, times in pieces.items():
    right = encode_piece(list(piece.encode()), merges)
    wrong = longest_first(list(piece.encode()), merges)
    assert decode(wrong, vocab) == piece  # decode sees nothing of it
    if wrong != right:
        different[piece] = times
share = different.total() / pieces.total()
print(f"{share:.1%} of the pieces of dev are cut in another way, such as")
for piece, _ in different.most_common(3):
    for how in (encode_piece, longest_first):
        print([vocab[i].decode() for i in how(list(piece.encode()), merges)], end="  ")
    print()
assert 0 < share < 0.5

# %% [markdown]
# It does, every time, and no test of decode finds this. But the model was trained on the
# other cut. It now reads combinations that it has never seen, and is a little worse than
# it could be, for no reason that anybody can see. Compare the *ids* with those of a
# tokenizer that does it right.
#
# ## Where gradus has it
#
# `BPETokenizer` does what you did, but numbers the bytes in GPT-2's order; so compare the
# pieces, not the ids. It is quicker, since it does not count everything again after each
# merge.

# %%
from gradus.text import BPETokenizer

theirs = BPETokenizer.train(splits.train, 256 + NUMBER)
assert [theirs.vocab[i] for i in range(256, 256 + NUMBER)] == [
    vocab[i] for i in range(256, 256 + NUMBER)
]
assert [theirs.vocab[i] for i in theirs.encode(dev)] == [vocab[i] for i in dev_ids]
from gradus.text import split

assert re.findall(GPT2, dev) == list(split.split(dev, split.GPT2))
assert re.findall(GPT4, dev) == list(split.split(dev, split.GPT4))
print(f"{NUMBER} merges, {len(dev_ids):,} tokens of dev, both ways of cutting: the same")

# %% [markdown]
# And GPT-2 itself? Its list of merges was published. Take it, 50,000 pairs, and let *your*
# code do the rest, from the numbers of the bytes on.

# %%
from gradus.text import gpt2_tokenizer

gpt2 = gpt2_tokenizer()  # 1.5 MB, downloaded when first asked for
assert all(gpt2.vocab[i] == bytes([byte]) for byte, i in place.items())
gpt2_merges = {pair: 256 + rank for rank, pair in enumerate(gpt2.merges)}


def encode_gpt2(text):
    ids = []
    for piece in re.findall(GPT2, text):
        ids += encode_piece([place[byte] for byte in piece.encode()], gpt2_merges)
    return ids


def show(text):
    ids = encode_gpt2(text)
    print(f"{text!r:24} {[gpt2.decode([i]) for i in ids]}  {ids}")


show("Hello, I'm a language model,")
assert encode_gpt2("Hello, I'm a language model,")[:3] == [15496, 11, 314]
for text in (line, dev[:10_000], "     hello world!!!"):
    assert encode_gpt2(text) == gpt2.encode(text).tolist()

# %% [markdown]
# 256 bytes and 50,000 merges are 50,256 tokens. There is one more, number 50256:
# `<|endoftext|>`, which no merge makes. It stands between two documents. Where a *text*
# says `<|endoftext|>`, these are ordinary characters; otherwise anybody could end the
# document for your model by typing it.

# %%
show("<|endoftext|>")
assert gpt2.vocab[50256] == b"<|endoftext|>"
assert 50256 not in encode_gpt2("<|endoftext|>")

# %% [markdown]
# ## What a GPT sees
#
# Much that is odd about language models begins here. **Write down**, for each of the
# following: how many tokens?

# %%
for text in ("egg", " egg", "Egg", " Egg", "EGG", " strawberry"):
    show(text)
for text in (" 127", " 677", " 1234", " 12345"):
    show(text)
show("     hello world!!!")
assert encode_gpt2("     hello world!!!") == [220, 220, 220, 220, 23748, 995, 10185]

# %% [markdown]
# * An egg at the beginning of a sentence, in its middle, and in a heading have no number in
#   common.
# * 127 is one token, 677 is two. Try to learn to add that way.
# * Five spaces are four tokens, and then " hello". Program text, with its indentation, is
#   expensive for GPT-2. The method is not to blame: GPT-2's merges were counted on web
#   pages. (GPT-4 has one token for the four.) Count them on a little Python, on what you
#   have written above, cut in GPT-4's way:

# %%
import inspect

written = merge, learn, train_bpe, encode_piece, longest_first
code = [inspect.getsource(function) for function in written]
python = BPETokenizer.train(code, 256 + 60, pattern=split.GPT4)
for name, tokenizer in (("GPT-2's", gpt2), ("of Python", python)):
    ids = tokenizer.encode("     hello").tolist()
    print(f"{name:10} {[tokenizer.decode([i]) for i in ids]}")
assert python.decode(python.encode("     hello")[:1]) == "    "

# %% [markdown]
# And other languages: the same sentence, in the tokens of GPT-2, which saw little but
# English.

# %%
for sentence in (
    "Where is the library?",
    "Où est la bibliothèque ?",
    "Где находится библиотека?",
    "도서관은 어디에 있습니까?",
):
    ids = encode_gpt2(sentence)
    print(f"{len(sentence):2} characters, {len(ids):2} tokens: {sentence}")
    assert len(ids) > len(sentence) / 5

# %% [markdown]
# Whoever writes in Korean pays six times as much, and the context holds a sixth of the
# text.
#
# ## Why spelling is hard
#
# " strawberry" is number 41236. How many r are in number 41236? You cannot see it, nor can
# the model. It has to know by heart, for each of 50,257 numbers, which letters it is made
# of.
#
# Measure it. A tokenizer of 4,096 tokens, learned from Shakespeare, has 1,650 that are a
# space and 3 to 7 letters: frequent words, and beginnings of words. Train two small GPTs
# to spell them. Both answer with letters. One *reads* letters, the other reads the word as
# one token:
#
#     reads letters    l o v e :  ->  l o v e .
#     reads tokens     1337    :  ->  l o v e .
#
# Both get 1,350 words to learn from, and are asked about 300 others.
#
# **Write down:** how many of the 300 will each spell right?

# %%
from gradus.models import build_model

large = BPETokenizer.train(splits.train, 4096)
words = [t.decode()[1:] for t in large.vocab if re.fullmatch(rb" [a-z]{3,7}", t)]
np.random.default_rng(0).shuffle(words)
asked, learned = words[:300], words[300:]
print(len(words), "words, such as", words[:8])

letters = {letter: i for i, letter in enumerate("abcdefghijklmnopqrstuvwxyz:.")}
number = {word: len(letters) + i for i, word in enumerate(words)}
LENGTH = 18


def exercises(words, as_token):
    """x (N, LENGTH), and y the same, one later; -1 where nothing is asked."""
    x = np.zeros((len(words), LENGTH), dtype=int)
    y = np.full((len(words), LENGTH), -1)
    for i, word in enumerate(words):
        question = [number[word]] if as_token else [letters[c] for c in word]
        row = [*question, letters[":"], *(letters[c] for c in word), letters["."]]
        x[i, : len(row) - 1] = row[:-1]
        y[i, len(question) : len(row) - 1] = row[len(question) + 1 :]
    return torch.tensor(x), torch.tensor(y)


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


def spelled(model, words, as_token):
    """The share of the words for which every letter, and the end, is the likeliest."""
    x, y = exercises(words, as_token)
    with torch.no_grad():
        right = (model(x)[0].argmax(-1) == y) | (y == -1)
    return right.all(1).float().mean().item()


share = {}
for name, as_token in (("letters", False), ("tokens", True)):
    torch.manual_seed(1)
    sizes = {"n_layer": 2, "n_head": 4, "n_embd": 64}
    model = build_model(
        "gpt", vocab_size=len(letters) + len(words), block_size=LENGTH, **sizes
    )
    draw = torch.Generator().manual_seed(1)
    x, y = exercises(learned, as_token)

    def batch(x=x, y=y, draw=draw):
        i = torch.randint(0, len(x), (64,), generator=draw)
        return x[i], y[i]

    descend(model, batch, steps=100 if QUICK else 400, rate=3e-3)
    share[name] = spelled(model, learned[:300], as_token), spelled(model, asked, as_token)
    print(f"reads {name:7}: {share[name][0]:.1%} of 300 words that it learned, ", end="")
    print(f"{share[name][1]:.1%} of 300 that it did not")
assert share["letters"][1] > (0.1 if QUICK else 0.8)
assert share["tokens"][1] < 0.02

# %% [markdown]
# The one that reads letters has learned to *spell*: it copies what it sees. The one that
# reads tokens has learned 1,350 spellings, one by one. Of a word that nobody spelled for
# it, it can say nothing at all.
#
# GPT-2 does spell a little. It has read a lot: the same word also with a capital, in
# dictionaries, with typing errors that are cut into other tokens. But it had to learn each
# spelling, as you learn telephone numbers.
#
# ## What are tokens good for, then?
#
# Train the same GPT on Shakespeare, with characters, with 512 and with 1,024 tokens. Each
# takes the same number of steps, with the same number of tokens in a step.
#
# **Write down** which will have the lowest loss per token.

# %%
from gradus.text import CharTokenizer

B, T = 16, 64
STEPS = 40 if QUICK else 700


def train_gpt(tokenizer, steps=STEPS):
    """A small GPT on the train part in these tokens, and its loss on dev: nats in all."""
    ids = torch.tensor(tokenizer.encode(train))
    torch.manual_seed(1)
    model = build_model("gpt", vocab_size=tokenizer.vocab_size, block_size=T, **sizes)
    draw = torch.Generator().manual_seed(1)

    def batch():
        starts = torch.randint(0, len(ids) - T - 1, (B,), generator=draw).tolist()
        x = torch.stack([ids[i : i + T] for i in starts])
        return x, torch.stack([ids[i + 1 : i + T + 1] for i in starts])

    descend(model, batch, steps, rate=4e-3)
    ids = torch.tensor(tokenizer.encode(dev))
    rows = (len(ids) - 1) // T
    x, y = ids[: rows * T].view(rows, T), ids[1 : rows * T + 1].view(rows, T)
    nats = 0.0
    with torch.no_grad():
        for i in range(0, rows, 64):
            nats += model(x[i : i + 64], y[i : i + 64])[1].item() * y[i : i + 64].numel()
    return nats, y.numel(), len(tokenizer.decode(y.flatten().numpy()))


tokenizers = {65: CharTokenizer.train(splits.train)}
tokenizers |= {size: BPETokenizer.train(splits.train, size) for size in (512, 1024)}
measured = {size: train_gpt(tokenizer) for size, tokenizer in tokenizers.items()}
print("tokens   nats per token   characters per token   nats per character")
per_token, per_character = [], []
for size, (nats, count, characters) in measured.items():
    per_token.append(nats / count)
    per_character.append(nats / characters)
    print(f"{size:6,} {nats / count:16.3f} {characters / count:22.2f}", end=" ")
    print(f"{nats / characters:20.3f}")
assert per_token == sorted(per_token)
assert per_character == sorted(per_character, reverse=True)

# %%
from gradus.plots import plot_series

plot_series(
    list(measured),
    {"nats per token": per_token, "nats per character": per_character},
    title="Loss by vocabulary size",
    xlabel="tokens in the vocabulary",
    ylabel="loss on dev",
)

# %% [markdown]
# The two lines go opposite ways. **Losses per token cannot be compared, unless the tokens
# are the same.** To guess one of 1,024 pieces is harder than one of 65 letters, and it says
# more than twice as much. Divide by the characters, as here, or by the bytes, and models
# with any tokens can be compared. (The paper of GPT-2 does so too, in bits.)
#
# Per character, more tokens are clearly better here. Is it the tokens? With 1,024 of them,
# a step reads 2.4 times as much Shakespeare, for about 1.5 times the work (the output layer
# is larger). So let the model of letters have 2.4 times as many steps. Then both have read
# as much.

# %%
if not QUICK:
    longer = round(STEPS * len(train) / len(tokenizers[1024].encode(train)))
    nats, _, characters = train_gpt(tokenizers[65], steps=longer)
    print(f"letters, {longer} steps: {nats / characters:.3f} nats per character")
    assert per_character[2] < nats / characters < per_character[0]

# %% [markdown]
# That closes most of the gap, but it is more work than the 1,024 took. So there are two
# gains. The larger one: for the same work, a model of tokens reads more text. The smaller
# one is what is left: 64 tokens look further back than 64 letters, and common words need
# not be spelled out again and again.
#
# Why stop at 1,024, then? Each token is a row of the embedding, and each must be seen often
# enough to be learned. Here each of the 1,024 is seen some 380 times in the whole text,
# on average. GPT-2 has 50,257, and was trained on 40 GB; this is 1 MB.
#
# ## What you have now
#
# * A text is bytes. The most frequent pair of neighbours becomes a new token, again and
#   again, inside pieces that a pattern cuts.
# * To encode, merge in the order in which the merges were learned. Any other order decodes
#   to the same text, and is wrong.
# * A GPT that reads tokens knows spellings by heart, or not at all.
# * Losses per token cannot be compared. Losses per character, or byte, can.
#
# **Next:** [14. GPT-2](14_gpt2.ipynb)
