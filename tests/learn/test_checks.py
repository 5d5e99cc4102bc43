"""What is drawn for the cases of a check: of the shape, dtype and range that it says; one seed gives one draw."""

from __future__ import annotations

from random import Random

from gradus import engine as torch
from gradus.learn.checks import tensor, tokens


def test_a_tensor_is_of_its_shape_and_the_same_for_the_same_seed() -> None:
    x, again, other = (tensor(2, 3).draw(Random(seed)) for seed in (1, 1, 2))
    assert (tuple(x.shape), x.dtype) == ((2, 3), torch.float32)
    assert torch.equal(x, again)
    assert not torch.equal(x, other)
    assert ((x.abs() >= 0.2) & (x.abs() <= 2)).all()


def test_tokens_are_whole_numbers_below_a_limit() -> None:
    x = tokens(40, 5, below=3).draw(Random(1))
    assert (tuple(x.shape), x.dtype) == ((40, 5), torch.int64)
    assert sorted(set(x.flatten().tolist())) == [0, 1, 2]
