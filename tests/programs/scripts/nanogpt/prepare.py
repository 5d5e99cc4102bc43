"""Turn data/DATASET/input.txt into train.bin, val.bin (16-bit numbers) and meta.pkl beside it."""

import os
import pickle
import sys

import numpy as np

folder = os.path.join("data", sys.argv[1])
with open(os.path.join(folder, "input.txt"), encoding="utf-8") as f:
    data = f.read()
chars = sorted(set(data))
stoi = {ch: i for i, ch in enumerate(chars)}
itos = dict(enumerate(chars))
n = int(0.9 * len(data))
for split, text in {"train": data[:n], "val": data[n:]}.items():
    ids = np.array([stoi[c] for c in text], dtype=np.uint16)
    ids.tofile(os.path.join(folder, f"{split}.bin"))
    print(f"{split} has {len(ids):,} tokens")
with open(os.path.join(folder, "meta.pkl"), "wb") as f:
    pickle.dump({"vocab_size": len(chars), "itos": itos, "stoi": stoi}, f)
