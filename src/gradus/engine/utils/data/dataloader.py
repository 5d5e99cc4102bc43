"""`DataLoader`: passes over a dataset in batches.

It draws the same numbers from the same generators as PyTorch's, so that the same seed gives the same batches. Examples
are always loaded in this process, when their batch is needed, whatever num_workers is: `worker_init_fn` is never
called.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from gradus.engine.random.generator import Generator
from gradus.engine.utils.data.collate import default_collate, default_convert
from gradus.engine.utils.data.dataset import Dataset, IterableDataset, Subset, TensorDataset
from gradus.engine.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed

__all__ = [
    "BatchSampler",
    "DataLoader",
    "Dataset",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "TensorDataset",
    "default_collate",
    "default_convert",
    "get_worker_info",
]

T_co = TypeVar("T_co", covariant=True)


class DataLoader(Generic[T_co]):
    """Iterate over a dataset in batches; each `iter()` starts a new pass.

    >>> from gradus.engine.utils.data import DataLoader, TensorDataset
    >>> x, y = torch.arange(5.0), torch.arange(5)
    >>> for xb, yb in DataLoader(TensorDataset(x, y), batch_size=2):
    ...     print(xb.tolist(), yb.tolist())
    [0.0, 1.0] [0, 1]
    [2.0, 3.0] [2, 3]
    [4.0] [4]

    Args:
        dataset: returns example i as `dataset[i]`, or is an `IterableDataset`.
        batch_size: examples in a batch; None returns them one by one, not collated.
        shuffle: visit in a new random order on each pass.
        sampler: the order to visit in, instead of shuffle.
        batch_sampler: the numbers of each batch, instead of batch_size, shuffle, sampler and drop_last.
        num_workers: accepted; examples are loaded in this process.
        collate_fn: makes a batch from a list of examples.
        pin_memory: accepted, without effect.
        drop_last: drop the last batch if it is not full.
        generator: where the random order comes from; None: the global one.

    Raises:
        ValueError: if options contradict each other, in PyTorch's words.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        iterable = isinstance(dataset, IterableDataset)
        if iterable:
            for name, value in (("shuffle", shuffle), ("sampler", sampler), ("batch_sampler", batch_sampler)):
                if value is not None and value is not False:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if iterable:
                sampler = _Endless()
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.pin_memory = pin_memory
        self.drop_last = drop_last
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.collate_fn: Callable[[Any], Any] = collate_fn or (
            default_convert if batch_sampler is None else default_collate
        )

    def __iter__(self) -> Iterator[Any]:
        numbers = iter(self.sampler if self.batch_sampler is None else self.batch_sampler)
        draw_seed(self.generator)  # PyTorch draws a seed for its workers here, even if there are none
        return self._batches_of_stream(numbers) if isinstance(self.dataset, IterableDataset) else self._batches(numbers)

    def __len__(self) -> int:
        """The number of batches of a pass."""
        if isinstance(self.dataset, IterableDataset):
            n = len(self.dataset)  # type: ignore[arg-type]
            if self.batch_size is None:
                return n
            return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]

    def _batches(self, numbers: Iterator[Any]) -> Iterator[Any]:
        for chosen in numbers:
            if self.batch_sampler is None:
                examples = self.dataset[chosen]
            elif callable(getattr(self.dataset, "__getitems__", None)):
                examples = self.dataset.__getitems__(chosen)
            else:
                examples = [self.dataset[i] for i in chosen]
            yield self.collate_fn(examples)

    def _batches_of_stream(self, numbers: Iterator[Any]) -> Iterator[Any]:
        examples = iter(self.dataset)
        if self.batch_sampler is None:
            yield from map(self.collate_fn, examples)
            return
        for chosen in numbers:
            batch = list(itertools.islice(examples, len(chosen)))
            if not batch or (self.drop_last and len(batch) < len(chosen)):
                return
            yield self.collate_fn(batch)


class _Endless(Sampler[None]):
    """The sampler of an `IterableDataset`: an endless one, since the dataset decides."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


def get_worker_info() -> Any:
    """None: there are no worker processes."""
    return None


def _check_workers(num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool) -> None:
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if prefetch_factor is not None and (num_workers == 0 or prefetch_factor < 0):
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing: let num_workers > 0, otherwise set "
            "prefetch_factor to None."
        )
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")
