"""A network and counts together: the mixture of a trained network with an n-gram model.

    p(w | row) = λ p_network(w | row) + (1 - λ) p_ngram(w | its last tokens)

Two models that err in different places are better together than either: the n-gram knows by heart what was seen often,
the network knows what resembles it. Bengio et al. (2003) mixed theirs with a trigram: a perplexity of 252, not 276.
λ is one number, or a function of how well the counts know the context (Jelinek and Mercer, 1980): the longest context
that was seen, and how often. Neither model may be asked about the text it learned from, which the counts know too well,
so λ is fitted on the dev split, where the likelihood has its one maximum, by expectation-maximization:

    r_i = λ p_network(w_i) / (λ p_network(w_i) + (1 - λ) p_ngram(w_i))      the network's responsibility for w_i
    λ   = the mean of r_i
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.backend import F, torch
from gradus.models.base import NOT_SCORED, LanguageModel, device_of, inference, mean_loss
from gradus.models.config import MixtureConfig, NGramConfig
from gradus.models.kneser_ney import Predictions
from gradus.models.ngram import NGram

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_SIZES = 24  # classes of how often a context was seen, by powers of two: 0, 1, 2-3, 4-7 ...
_PRIOR = 10.0  # tokens: the λ of a class that was asked about so rarely is half that of all classes together
_ROUNDS = 100  # of expectation-maximization: within 4e-5 nats of what 1,000 reach on names, and closer on shakespeare


class Mixture(LanguageModel):
    """A network, which is no longer trained, an n-gram model, which counts, and λ for each class of contexts.

    `count` the training rows, then `fit` on dev. A row that begins with the separator is a document from its beginning,
    which the n-gram model reads as it does alone, with token 0 before it; what precedes any other row is unknown, so
    that it sees a shorter context there. The logits are log probabilities in float64.
    """

    weight: torch.Tensor  # (classes,) float64: λ

    def __init__(self, config: MixtureConfig) -> None:
        from gradus.models.registry import build_model  # which lists this model, too

        network = build_model(**config.described)
        ngram = NGram(NGramConfig(config.vocab_size, config.block_size, order=config.order, method=config.method))
        super().__init__(config, context=max(network.context, ngram.context))
        self.network, self.ngram = network, ngram
        for parameter in network.parameters():
            parameter.requires_grad_(False)
        self.separator, self.by_count = config.separator, config.weights == "count"
        classes = config.order * _SIZES if self.by_count else 1
        self.register_buffer("weight", torch.full((classes,), 0.5, dtype=torch.float64))

    def count(self, x: Ints, y: Ints) -> None:
        """Count the training rows x (B, T) with targets y (B, T)."""
        self.ngram.count(x, y)

    def fit(self, batches: Iterable[tuple[Ints, Ints]]) -> None:
        """Fit λ on rows of the dev split: x, y (B, T) a batch, -1 in y where nothing is scored."""
        parts = []
        with inference(self):
            for x, y in batches:
                scored = y != NOT_SCORED
                log_network = self._log_network(torch.from_numpy(x).to(device_of(self))).cpu().numpy()  # (B, T, V)
                found = self._counts(x)
                place = found.place.reshape(x.shape)[scored]
                parts.append(
                    (np.exp(log_network[scored, y[scored]]), found.p[place, y[scored]], self.classes(found)[place])
                )
        network, ngram, which = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        overall = _maximize(network, ngram, np.zeros_like(which), np.array([0.5]), prior=0.0)
        start = np.repeat(overall, len(self.weight))
        fitted = _maximize(network, ngram, which, start, prior=_PRIOR) if self.by_count else overall
        self.weight = torch.from_numpy(fitted).to(self.weight.device)

    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        logits = self._mix(self._log_network(idx), idx)  # (B, T, V)
        return logits, mean_loss(logits, targets)

    def read(self, idx: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        network, rows = (None, None) if state is None else state
        logits, network = self.network.read(idx, network)
        log_network, rows = F.log_softmax(logits.double(), dim=-1), self.seen(idx, rows)
        mixed = [
            self._mix(log_network[i, None, None], row[None, -max(1, self.ngram.context) :])[:, -1]
            for i, row in enumerate(rows)
        ]
        return torch.cat(mixed), (network, rows)

    def join(self, states: Sequence[Any]) -> Any:
        networks, rows = zip(*states, strict=True)
        return self.network.join(networks), [row for part in rows for row in part]

    def num_parameters(self) -> int:
        """The network's parameters and the counts."""
        return self.network.num_parameters() + self.ngram.num_parameters()

    def _log_network(self, idx: torch.Tensor) -> torch.Tensor:
        return F.log_softmax(self.network(idx)[0].double(), dim=-1)

    def _mix(self, log_network: torch.Tensor, idx: torch.Tensor) -> torch.Tensor:
        """The network's log probabilities (B, S, V) at the last S positions of rows (B, T) -> the mixture's."""
        found, S = self._counts(idx.cpu().numpy()), log_network.size(1)
        place = found.place.reshape(tuple(idx.shape))[:, -S:]  # (B, S)
        with np.errstate(divide="ignore"):
            log_ngram = torch.from_numpy(np.log(found.p)[place]).to(idx.device)  # (B, S, V)
        weight = self.weight[torch.from_numpy(self.classes(found)[place]).to(idx.device)][:, :, None]  # (B, S, 1)
        return torch.logaddexp(log_network + weight.log(), log_ngram + (1 - weight).log())

    def _counts(self, x: Ints) -> Predictions:
        return self.ngram.predict(x, before=np.where(x[:, :1] == self.separator, 0, -1))

    def classes(self, found: Predictions) -> Ints:
        """(U,) the class of each different context, by the length of its part that was seen, and how often."""
        if not self.by_count:
            return np.zeros_like(found.length)
        size = np.minimum(np.log2(found.total + 1).astype(np.int64), _SIZES - 1)
        return found.length * _SIZES + size


def _maximize(network: Floats, ngram: Floats, which: Ints, weight: Floats, *, prior: float) -> Floats:
    """Expectation-maximization of λ for each class, from the probabilities (N,) that the two models gave the tokens
    and the tokens' classes (N,). `prior` more tokens are imagined in each class, shared as `weight` says at first."""
    tokens, imagined = np.bincount(which, minlength=len(weight)) + prior, prior * weight
    for _ in range(_ROUNDS):
        mixed = weight[which] * network
        responsibility = mixed / np.maximum(mixed + (1 - weight[which]) * ngram, 1e-300)
        weight = (np.bincount(which, responsibility, minlength=len(weight)) + imagined) / np.maximum(tokens, 1e-300)
    return weight
