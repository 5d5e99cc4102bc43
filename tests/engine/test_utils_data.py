"""Loading data: the same batches as PyTorch's loader from the same seeds, the generators left at the same place."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import gradus.engine as ours

BOTH: list[Any] = [ours, theirs]


def plain(x: Any) -> Any:
    """Tensors as (type, numbers), containers gone through."""
    if isinstance(x, (ours.Tensor, theirs.Tensor)):
        return str(x.dtype), x.tolist()
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x).__name__, [plain(value) for value in x]
    return x


def passes(torch: Any, seed: int, count: int, **options: Any) -> Any:
    """Two passes over 0 .. n-1 with a loader, and the next number of the global generator."""
    torch.manual_seed(seed)
    if options.pop("own_generator", False):
        options["generator"] = torch.Generator().manual_seed(seed + 1)
    loader = torch.utils.data.DataLoader(list(range(count)), **options)
    found = [[plain(batch) for batch in loader] for _ in range(2)]
    return found, len(loader), torch.rand(1).item()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**63 - 1),
    count=st.integers(1, 50),
    batch_size=st.one_of(st.none(), st.integers(1, 9)),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    own_generator=st.booleans(),
)
def test_loader_gives_pytorchs_batches(
    seed: int, count: int, batch_size: int | None, shuffle: bool, drop_last: bool, own_generator: bool
) -> None:
    options: dict[str, Any] = {"batch_size": batch_size, "shuffle": shuffle, "own_generator": own_generator}
    options["drop_last"] = drop_last and batch_size is not None
    assert passes(ours, seed, count, **options) == passes(theirs, seed, count, **options)


def sampled(torch: Any, name: str, *args: Any, **options: Any) -> list[Any]:
    torch.manual_seed(7)
    sampler = getattr(torch.utils.data, name)(*args, **options)
    return [list(sampler), list(sampler), len(sampler), torch.rand(1).item()]


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("SequentialSampler", ([5, 6, 7],), {}),
        ("RandomSampler", (range(10),), {}),
        ("RandomSampler", (range(10),), {"num_samples": 25}),
        ("RandomSampler", (range(10),), {"replacement": True, "num_samples": 100}),
        ("SubsetRandomSampler", ([3, 1, 4, 1, 5],), {}),
        ("WeightedRandomSampler", ([0.1, 0.9, 0.4, 0.7, 3.0],), {"num_samples": 20}),
        ("WeightedRandomSampler", ([0.1, 0.9, 0.4, 0.7, 3.0],), {"num_samples": 4, "replacement": False}),
        ("BatchSampler", (range(10), 3, False), {}),
        ("BatchSampler", (range(10), 3, True), {}),
    ],
)
def test_samplers_give_pytorchs_numbers(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
    assert sampled(ours, name, *args, **options) == sampled(theirs, name, *args, **options)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("count", [1, 10, 11])
def test_distributed_sampler_deals_out_as_pytorchs(count: int, drop_last: bool) -> None:
    for rank in range(3):
        found = []
        for torch in BOTH:
            sampler = torch.utils.data.distributed.DistributedSampler(
                range(count), 3, rank, seed=5, drop_last=drop_last
            )
            sampler.set_epoch(2)
            found.append((list(sampler), len(sampler)))
        assert found[0] == found[1]


def test_ten_billion_samples_are_drawn_as_they_are_asked_for() -> None:
    data = ours.utils.data.TensorDataset(ours.arange(100))
    sampler = ours.utils.data.RandomSampler(data, replacement=True, num_samples=int(1e10))
    batches = iter(ours.utils.data.DataLoader(data, sampler=sampler, batch_size=4, num_workers=4))
    ours.manual_seed(3)
    theirs.manual_seed(3)
    other = theirs.utils.data.TensorDataset(theirs.arange(100))
    expected = iter(
        theirs.utils.data.DataLoader(
            other,
            sampler=theirs.utils.data.RandomSampler(other, replacement=True, num_samples=int(1e10)),
            batch_size=4,
        )
    )
    ours.manual_seed(3)
    theirs.manual_seed(3)
    assert len(sampler) == 10_000_000_000
    for _ in range(20):
        assert next(batches)[0].tolist() == next(expected)[0].tolist()


@pytest.mark.parametrize("lengths", [[3, 7], [0.3, 0.3, 0.4], [0.5, 0.5], [10]])
def test_random_split_deals_out_as_pytorchs(lengths: list[Any]) -> None:
    found = []
    for torch in BOTH:
        parts = torch.utils.data.random_split(range(10), lengths, generator=torch.Generator().manual_seed(42))
        found.append([list(part.indices) for part in parts])
    assert found[0] == found[1]


Pair = namedtuple("Pair", ["x", "y"])


@pytest.mark.parametrize(
    "example",
    [
        lambda torch: torch.tensor([1.0, 2.0]),
        lambda torch: (torch.tensor([1, 2]), 3),
        lambda _: [np.float32(1.5), 2.5],
        lambda _: {"x": np.arange(3), "name": "a", "raw": b"b"},
        lambda torch: Pair(1, torch.zeros(2, 2)),
        lambda _: (True, np.int32(3), np.array([1.5], np.float32)),
    ],
)
def test_batches_are_collated_as_pytorchs(example: Any) -> None:
    collated = [plain(torch.utils.data.default_collate([example(torch), example(torch)])) for torch in BOTH]
    assert collated[0] == collated[1]
    converted = [plain(torch.utils.data.default_convert(example(torch))) for torch in BOTH]
    assert converted[0] == converted[1]


def test_what_cannot_be_collated_is_an_error_as_in_pytorch() -> None:
    for batch, error in (([object(), object()], TypeError), ([[1], [1, 2]], RuntimeError)):
        for torch in BOTH:
            with pytest.raises(error):
                torch.utils.data.default_collate(batch)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 0},
        {"num_workers": -1},
        {"shuffle": True, "sampler": [1]},
        {"batch_sampler": [[1]], "drop_last": True},
        {"batch_size": None, "drop_last": True},
        {"timeout": -1},
        {"persistent_workers": True},
        {"prefetch_factor": 2},
    ],
)
def test_contradicting_options_are_errors_as_in_pytorch(options: dict[str, Any]) -> None:
    for torch in BOTH:
        with pytest.raises(ValueError, match=r"option|positive"):
            torch.utils.data.DataLoader([1, 2], **options)


def streams(torch: Any, drop_last: bool, batch_size: int | None) -> Any:
    class Stream(torch.utils.data.IterableDataset):  # type: ignore[misc]
        def __iter__(self) -> Iterator[int]:
            return iter(range(7))

        def __len__(self) -> int:
            return 7

    loader = torch.utils.data.DataLoader(Stream() + Stream(), batch_size=batch_size, drop_last=drop_last)
    return [plain(batch) for batch in loader], len(loader)


@pytest.mark.parametrize(("drop_last", "batch_size"), [(False, 4), (True, 4), (False, None)])
def test_iterable_datasets_are_batched_as_pytorchs(drop_last: bool, batch_size: int | None) -> None:
    assert streams(ours, drop_last, batch_size) == streams(theirs, drop_last, batch_size)


def test_datasets_can_be_put_together() -> None:
    for torch in BOTH:
        data = torch.utils.data
        first, second = data.TensorDataset(torch.arange(3)), data.TensorDataset(torch.arange(10, 12))
        both = first + second
        assert [int(both[i][0]) for i in (0, 2, 3, -1)] == [0, 2, 10, 11]
        assert len(both) == 5
        with pytest.raises(ValueError, match="absolute value of index"):
            both[-6]
        assert [int(x[0]) for x in data.Subset(both, [4, 0])] == [11, 0]
        assert data.StackDataset(a=[1, 2], b=[3, 4])[1] == {"a": 2, "b": 4}
        with pytest.raises(AssertionError):
            data.TensorDataset(torch.zeros(2), torch.zeros(3))


def test_batches_asked_for_at_once_come_from_getitems() -> None:
    class Table:
        def __len__(self) -> int:
            return 4

        def __getitems__(self, numbers: list[int]) -> list[int]:
            return [10 * n for n in numbers]

    batches = list(ours.utils.data.DataLoader(Table(), batch_size=3))
    assert [batch.tolist() for batch in batches] == [[0, 10, 20], [30]]


def test_older_places_of_the_names_are_the_same_classes() -> None:
    from gradus.engine.utils.data import dataloader, dataset, sampler

    assert dataloader.DataLoader is ours.utils.data.DataLoader
    assert dataset.Dataset is ours.utils.data.Dataset
    assert sampler.RandomSampler is ours.utils.data.RandomSampler
    assert not ours.utils.data.get_worker_info()
