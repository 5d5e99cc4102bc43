"""The small GPT that a laptop trains without a GPU, on the text input.txt beside where it is run.

One argument: how many steps. Every step prints its loss, with all the digits that it has.
"""

import math
import sys

import torch
from model import GPT, GPTConfig

max_iters = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
batch_size = 12
block_size = 64
learning_rate = 1e-3
min_lr = 1e-4
warmup_iters = 100
lr_decay_iters = 2000
grad_clip = 1.0

torch.manual_seed(1337)

with open("input.txt", encoding="utf-8") as f:
    text = f.read()
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text], dtype=torch.long)
train_data = data[: int(0.9 * len(data))]


def get_batch():
    ix = torch.randint(len(train_data) - block_size, (batch_size,))
    x = torch.stack([train_data[i : i + block_size] for i in ix])
    y = torch.stack([train_data[i + 1 : i + 1 + block_size] for i in ix])
    return x, y


def get_lr(it):
    if it < warmup_iters:
        return learning_rate * (it + 1) / (warmup_iters + 1)
    if it > lr_decay_iters:
        return min_lr
    ratio = (it - warmup_iters) / (lr_decay_iters - warmup_iters)
    return min_lr + 0.5 * (1.0 + math.cos(math.pi * ratio)) * (learning_rate - min_lr)


config = GPTConfig(
    block_size=block_size, vocab_size=len(chars), n_layer=4, n_head=4, n_embd=128, dropout=0.0, bias=False
)
model = GPT(config)
optimizer = model.configure_optimizers(
    weight_decay=0.1, learning_rate=learning_rate, betas=(0.9, 0.99), device_type="cpu"
)

model.train()
for it in range(max_iters):
    for param_group in optimizer.param_groups:
        param_group["lr"] = get_lr(it)
    x, y = get_batch()
    logits, loss = model(x, y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), grad_clip)
    optimizer.step()
    print(f"step {it} loss {loss.item():.9f}", flush=True)
