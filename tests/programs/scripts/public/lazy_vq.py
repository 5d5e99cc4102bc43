"""A small discrete auto-encoder as teaching code writes it: lazy layers, a code drawn by gumbel_softmax, a cooling
temperature.
"""

import torch
import torch.nn.functional as F
from torch import nn


class DiscreteAutoEncoder(nn.Module):
    def __init__(self, codes: int, width: int):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.LazyConv2d(8, 3, padding=1),
            nn.LazyBatchNorm2d(),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.LazyLinear(codes),
        )
        self.codebook = nn.Parameter(torch.randn(codes, width))
        self.decoder = nn.Sequential(nn.LazyLinear(64), nn.Unflatten(1, (1, 8, 8)))

    def forward(self, x, temperature, hard):
        logits = self.encoder(x)
        chosen = F.gumbel_softmax(logits, tau=temperature, hard=hard)
        return self.decoder(chosen @ self.codebook), logits


def main():
    torch.manual_seed(11)
    x = torch.zeros(32, 1, 8, 8)
    kinds = torch.randint(0, 4, (32,))
    for i, kind in enumerate(kinds.tolist()):
        x[i, 0, (kind // 2) * 4 : (kind // 2) * 4 + 4, (kind % 2) * 4 : (kind % 2) * 4 + 4] = 1
    x += 0.1 * torch.randn_like(x)

    model = DiscreteAutoEncoder(codes=6, width=5)
    print(model)
    model(x, 1.0, False)  # gives the lazy layers their shapes
    print(model)
    print(sum(p.numel() for p in model.parameters()), "parameters")

    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for step in range(25):
        temperature = max(0.5, 1.0 * 0.95**step)
        out, logits = model(x, temperature, hard=step >= 15)
        p = F.softmax(logits, dim=-1)
        spread = (p * (p + 1e-9).log()).sum(-1).mean()
        loss = F.mse_loss(out, x) + 0.01 * spread
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 6 == 0:
            print(f"step {step:2d} temperature {temperature:.3f} loss {loss.item():.4f}")

    model.eval()
    with torch.no_grad():
        codes = model.encoder(x).argmax(-1)
    print("codes used:", codes.unique().numel(), "of the first four pictures:", codes[:4].tolist())


main()
