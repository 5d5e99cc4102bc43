"""A GPT that learns to sort: the numbers first, then the same ones in order.

python sort.py --trainer.max_iters=1000
"""

import os
import sys

import torch
from torch.utils.data import Dataset
from torch.utils.data.dataloader import DataLoader

from mingpt.model import GPT
from mingpt.trainer import Trainer
from mingpt.utils import CfgNode as CN
from mingpt.utils import set_seed, setup_logging


class SortDataset(Dataset):
    """Input 0 0 2 1 0 1 asks for output 0 0 0 1 1 2."""

    def __init__(self, split, length=6, num_digits=3):
        assert split in {"train", "test"}
        self.split = split
        self.length = length
        self.num_digits = num_digits

    def __len__(self):
        return 10000

    def get_vocab_size(self):
        return self.num_digits

    def get_block_size(self):
        return self.length * 2 - 1  # input and output, but for the last of the output

    def __getitem__(self, idx):
        while True:
            inp = torch.randint(self.num_digits, size=(self.length,), dtype=torch.long)
            # half of the time, only inputs with many equal numbers
            if torch.rand(1).item() < 0.5 and inp.unique().nelement() > self.length // 2:
                continue
            h = hash(tuple(inp.tolist()))
            if ("test" if h % 4 == 0 else "train") == self.split:
                break
        sol = torch.sort(inp)[0]
        cat = torch.cat((inp, sol), dim=0)
        x = cat[:-1].clone()
        y = cat[1:].clone()
        y[: self.length - 1] = -1  # the input is not to be foretold
        return x, y


def get_config():
    C = CN()
    C.system = CN()
    C.system.seed = 3407
    C.system.work_dir = "out/sort"
    C.model = GPT.get_default_config()
    C.model.model_type = "gpt-nano"
    C.trainer = Trainer.get_default_config()
    C.trainer.learning_rate = 5e-4
    C.trainer.max_iters = 2000
    C.trainer.num_workers = 0
    return C


if __name__ == "__main__":
    config = get_config()
    config.merge_from_args(sys.argv[1:])
    print(config)
    setup_logging(config)
    set_seed(config.system.seed)

    train_dataset = SortDataset("train")
    test_dataset = SortDataset("test")
    x, y = train_dataset[0]
    for a, b in zip(x, y, strict=True):
        print(int(a), int(b))

    config.model.vocab_size = train_dataset.get_vocab_size()
    config.model.block_size = train_dataset.get_block_size()
    model = GPT(config.model)
    trainer = Trainer(config.trainer, model, train_dataset)

    def batch_end_callback(trainer):
        if trainer.iter_num % 20 == 0:
            print(
                f"iter_dt {trainer.iter_dt * 1000:.2f}ms; iter {trainer.iter_num}: train loss {trainer.loss.item():.5f}"
            )
        if (trainer.iter_num + 1) % 50 == 0:
            print("saving model")
            torch.save(model.state_dict(), os.path.join(config.system.work_dir, "model.pt"))

    trainer.set_callback("on_batch_end", batch_end_callback)
    trainer.run()

    model.eval()

    def eval_split(trainer, split, max_batches):
        dataset = {"train": train_dataset, "test": test_dataset}[split]
        n = train_dataset.length
        results = []
        loader = DataLoader(dataset, batch_size=100, num_workers=0, drop_last=False)
        for b, (x, y) in enumerate(loader):
            x = x.to(trainer.device)
            y = y.to(trainer.device)
            inp = x[:, :n]
            sol = y[:, -n:]
            cat = model.generate(inp, n, do_sample=False)
            sol_candidate = cat[:, n:]
            correct = (sol == sol_candidate).all(1).cpu()
            for i in range(x.size(0)):
                results.append(int(correct[i]))
            if max_batches is not None and b + 1 >= max_batches:
                break
        rt = torch.tensor(results, dtype=torch.float)
        print("%s final score: %d/%d = %.2f%% correct" % (split, rt.sum(), len(results), 100 * rt.mean()))
        return rt.sum()

    with torch.no_grad():
        eval_split(trainer, "train", max_batches=3)
        eval_split(trainer, "test", max_batches=3)

    n = train_dataset.length
    inp = torch.tensor([[0, 0, 2, 1, 0, 1]], dtype=torch.long).to(trainer.device)
    assert inp[0].nelement() == n
    with torch.no_grad():
        cat = model.generate(inp, n, do_sample=False)
    sol = torch.sort(inp[0])[0]
    sol_candidate = cat[:, n:]
    print("input sequence  :", inp.tolist())
    print("predicted sorted:", sol_candidate.tolist())
    print("gt sort         :", sol.tolist())
    print("matches         :", bool((sol == sol_candidate).all()))
