"""Training batches of examples of about the same length, so that little of a batch is padding; and batches of pairs
that are drawn without end. A batch is a pure function of its step, so stopping and resuming needs no state."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from gradus.text.batches import ALL
from gradus.text.corpus import Corpus
from gradus.text.examples import Examples, Pairs, Sequences, make_pairs
from gradus.text.tokenizer import Ids, Tokenizer


class ExampleBatches:
    """Training batches of examples: all once an epoch, in an order that depends on the seed and the epoch alone.

    Examples of the same length stand in a batch together, in a new order each epoch, and the batches come in a new
    order, too. So the number of batches, and how large each is, is the same in every epoch.

    Args:
        batch_size: the most examples in a batch.
        batch_tokens: the most tokens in a batch, padding included, over all that it pads; None sets no limit. An
            example that is longer makes a batch of its own.
        seed: 0 or more.
    """

    def __init__(self, examples: Examples, batch_size: int, seed: int, *, batch_tokens: int | None = None) -> None:
        self.examples, self.seed = examples, seed
        lengths = [part.lengths for part in examples.parts]
        self.by_length = np.lexsort(lengths)  # the last part, a target, decides first
        self.bounds = _bounds([length[self.by_length] for length in lengths], batch_size, batch_tokens)

    def __repr__(self) -> str:
        return f"ExampleBatches({self.steps_per_epoch:,} an epoch, of {len(self.by_length):,} examples)"

    @property
    def steps_per_epoch(self) -> int:
        return len(self.bounds) - 1

    def batch(self, step: int, rows: slice = ALL) -> tuple[Ids, Ids]:
        """x and y of some rows of a step.

        Raises:
            IndexError: if the step is negative.
        """
        if step < 0:
            raise IndexError(f"step must be 0 or more, got {step}")
        epoch, place = divmod(step, self.steps_per_epoch)
        order, batches = _drawn(self, epoch)
        first, last = self.bounds[batches[place] : batches[place] + 2]
        x, y = self.examples.take(order[first:last], np.random.default_rng([self.seed, epoch, place]))
        return x[rows], y[rows]  # of all, as what is drawn for a row depends on those before it


class EndlessPairs:
    """Training batches of pairs that are drawn, others at every step; those of a step depend on the seed and the step.

    Args:
        part: of pairs, with `draw`.
        batch_size, batch_tokens: as in `ExampleBatches`, where the tokens are counted for the longest pair that there
            is.
    """

    def __init__(
        self, part: Corpus, tokenizer: Tokenizer, batch_size: int, seed: int, *, batch_tokens: int | None = None
    ) -> None:
        assert part.draw is not None
        self.part, self.draw, self.tokenizer, self.seed = part, part.draw, tokenizer, seed
        sample = make_pairs(part, tokenizer)
        longest = sum(int(side.lengths.max()) for side in sample.parts)
        self.batch_size = batch_size if batch_tokens is None else max(1, min(batch_size, batch_tokens // longest))

    @property
    def steps_per_epoch(self) -> int:
        """There is no epoch; so many steps draw as many pairs as the sample has."""
        return -(-len(self.part.documents) // self.batch_size)

    def batch(self, step: int, rows: slice = ALL) -> tuple[Ids, Ids]:
        """x (B, S) and y (B, T) of some rows of a step. IndexError if it is negative."""
        if step < 0:
            raise IndexError(f"step must be 0 or more, got {step}")
        generator = np.random.default_rng([self.seed, step])
        end = [self.tokenizer.separator]
        pairs = [self.draw(generator) for _ in range(self.batch_size)]
        sources = Sequences.of([*self.tokenizer.encode(source), *end] for source, _ in pairs)
        targets = Sequences.of([*end, *self.tokenizer.encode(target), *end] for _, target in pairs)
        return Pairs(sources, targets).take(np.arange(len(pairs))[rows])


@lru_cache(maxsize=2)  # the next step needs the same again
def _drawn(batches: ExampleBatches, epoch: int) -> tuple[Ids, Ids]:
    """The order of all examples in an epoch, by length and where that is equal at random, and that of the batches."""
    generator = np.random.default_rng([batches.seed, epoch])
    shuffled = generator.permutation(len(batches.by_length))
    lengths = [part.lengths[shuffled] for part in batches.examples.parts]
    return shuffled[np.lexsort(lengths)], generator.permutation(batches.steps_per_epoch)


def _bounds(lengths: Sequence[Ids], batch_size: int, batch_tokens: int | None) -> Ids:
    """Where batches begin among examples in the order of their lengths, and where the last one ends."""
    bounds, first, widest = [0], 0, [0] * len(lengths)
    for i in range(len(lengths[0])):
        wider = [max(width, int(length[i])) for width, length in zip(widest, lengths, strict=True)]
        rows = i - first + 1
        if i > first and (rows > batch_size or (batch_tokens is not None and rows * sum(wider) > batch_tokens)):
            bounds.append(i)
            first, wider = i, [int(length[i]) for length in lengths]
        widest = wider
    return np.array([*bounds, len(lengths[0])])
