"""WaveNet (van den Oord et al., 2016) for text: a context that doubles with every layer.

A layer of the MLP squeezes all of its context at once. Here each layer joins only two vectors, neighbours at first,
then neighbouring pairs, then neighbouring fours; after n_layer layers a prediction has seen 2^n_layer tokens:

    h_{k+1}[t] = layer(h_k[t - 2^k], h_k[t])

`tree` is the network of makemore's lecture: for one prediction the vectors form a binary tree, and each layer is a
linear one with BatchNorm and tanh. Every window is computed by itself.

`dilated` is the paper's: computed along a whole row, what neighbouring windows have in common is computed once. That is
a convolution of width 2 whose inputs lie 2^k apart (dilation), looking back only (causal). Its layers are gated,
tanh(a) σ(b), and add what they find to the stream that the next one reads (residual) and to what the logits are made of
(skip).
"""

from __future__ import annotations

from gradus.backend import nn, torch
from gradus.models.base import LanguageModel, mean_loss
from gradus.models.config import WaveNetConfig
from gradus.models.mlp import GAIN, initialise, initialise_output, normalisation
from gradus.models.windows import WindowModel


def WaveNet(config: WaveNetConfig) -> LanguageModel:
    """The network that `config.design` names."""
    return Tree(config) if config.design == "tree" else Dilated(config)


def receptive_fields(config: WaveNetConfig) -> list[list[int]]:
    """For each layer, how many tokens back lie those that one of its outputs sees; 0 is the present one.

    >>> receptive_fields(WaveNetConfig(27, 16, n_layer=2))
    [[0, 1], [0, 1, 2, 3]]
    """
    fields = [[0]]  # the embeddings' own
    for layer in range(config.n_layer):
        below = fields[-1]
        fields.append(sorted({back + jump for back in below for jump in (0, 2**layer)}))
    return fields[1:]


class FlattenConsecutive(nn.Module):
    """Two neighbours become one, side by side: (N, T, C) -> (N, T / 2, 2C)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        N, T, C = x.shape
        return x.view(N, T // 2, 2 * C)


class Tree(WindowModel):
    """Windows of 2^n_layer tokens, halved by each layer until one vector is left."""

    def __init__(self, config: WaveNetConfig) -> None:
        super().__init__(config, context=2**config.n_layer)
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        layers: list[nn.Module] = []
        width = config.n_embd
        for _ in range(config.n_layer):
            linear = nn.Linear(2 * width, config.n_hidden, bias=False)
            layers += [
                FlattenConsecutive(),
                linear,
                OverAllPlaces(normalisation("batch", config.n_hidden)[0]),
                nn.Tanh(),
            ]
            width = config.n_hidden
        self.layers = nn.Sequential(*layers)
        self.output = nn.Sequential(nn.Linear(width, config.vocab_size))
        nn.init.normal_(self.wte.weight)
        initialise(self.layers, "kaiming", GAIN["tanh"])
        initialise_output(self.output, "kaiming")

    def score(self, x: torch.Tensor) -> torch.Tensor:
        h = self.layers(self.wte(x))  # (N, T) -> (N, T, E) -> (N, T/2, H) -> ... -> (N, 1, H)
        logits: torch.Tensor = self.output(h.flatten(1))  # (N, V)
        return logits


class OverAllPlaces(nn.Module):
    """A normalisation of channels (N, C), of every example and place alike: (N, T, C) -> (N, T, C)."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.norm(x.view(-1, x.size(-1))).view(x.shape)
        return out


class Dilated(LanguageModel):
    """Causal convolutions with the dilations 1, 2, 4, ... over whole rows.

    What lies before a row is token 0. All of that is alike, so in each layer one vector stands for it, `before`.
    """

    def __init__(self, config: WaveNetConfig) -> None:
        super().__init__(config, context=2**config.n_layer)
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.widen = nn.Linear(config.n_embd, config.n_hidden)
        self.layers = nn.ModuleList([GatedLayer(config.n_hidden, 2**k) for k in range(config.n_layer)])
        self.output = nn.Sequential(
            nn.ReLU(),
            nn.Linear(config.n_hidden, config.n_hidden),
            nn.ReLU(),
            nn.Linear(config.n_hidden, config.vocab_size),
        )
        nn.init.normal_(self.wte.weight)
        initialise(self, "kaiming", 1.0)
        for parameter in self.output[3].parameters():
            nn.init.normal_(parameter, std=0.01)  # the first loss is near ln V

    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        x = self.widen(self.wte(idx))  # (B, T) -> (B, T, E) -> (B, T, C)
        before = self.widen(self.wte.weight[:1])  # (1, C)
        skips = []
        for layer in self.layers:
            x, before, skip = layer(x, before)
            skips.append(skip)
        logits = self.output(torch.stack(skips).sum(dim=0))  # (B, T, C) -> (B, T, V)
        return logits, mean_loss(logits, targets)


class GatedLayer(nn.Module):
    """z[t] = tanh(a) σ(b), where (a, b) = W [x[t - dilation], x[t]]; the stream goes on as x + R z, the skip is S z."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation, self.width = dilation, width
        self.gates = nn.Linear(2 * width, 2 * width)
        self.outputs = nn.Linear(width, 2 * width)  # R and S

    def forward(self, x: torch.Tensor, before: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The row x (B, T, C), and the vector (1, C) at all places before it -> both for the next layer, and the skip
        (B, T, C)."""
        B, T, C = x.shape
        d = min(self.dilation, T)
        past = torch.cat([before.expand(B, d, C), x[:, : T - d]], dim=1)  # (B, T, C): x[t - dilation]
        change, skip = self._gated(torch.cat([past, x], dim=2))
        change_before, _ = self._gated(torch.cat([before, before], dim=1))
        return x + change, before + change_before, skip

    def _gated(self, pair: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(..., 2C) -> R z and S z, each (..., C)."""
        a, b = self.gates(pair).split(self.width, dim=-1)
        residual, skip = self.outputs(a.tanh() * b.sigmoid()).split(self.width, dim=-1)
        return residual, skip
