"""The same numbers otherwise arranged, taken apart and put together: as PyTorch does, views where it has views."""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradus.engine as engine
from gradus.engine.ops.shapes import Split
from tests.engine.compare import Program, agree, agree_with_differences, numbers

SHAPING: dict[str, Program] = {
    "view": lambda t, x: x.view(6, 4),
    "view -1": lambda t, x: x.view(-1),
    "view of Size": lambda t, x: x.view(t.Size([4, 6])),
    "view tuple": lambda t, x: x.view((2, -1)),
    "view wrong": lambda t, x: x.view(5, 5),
    "view two -1": lambda t, x: x.view(-1, -1),
    "view of transposed": lambda t, x: x.transpose(0, 2).view(-1),
    "reshape of transposed": lambda t, x: x.transpose(0, 2).reshape(-1),
    "torch.reshape": lambda t, x: t.reshape(x, (3, 8)),
    "view_as": lambda t, x: x.view_as(t.zeros(8, 3)),
    "flatten": lambda t, x: x.flatten(),
    "flatten from 1": lambda t, x: t.flatten(x, 1),
    "flatten part": lambda t, x: x.flatten(0, 1),
    "unflatten": lambda t, x: x.unflatten(2, (2, 2)),
    "ravel": lambda t, x: x.ravel(),
    "transpose": lambda t, x: x.transpose(0, 1),
    "transpose negative": lambda t, x: x.transpose(-2, -1),
    "swapaxes": lambda t, x: x.swapaxes(0, 2),
    "t": lambda t, x: x[0].t(),
    "t of 3d": lambda t, x: x.t(),
    "T": lambda t, x: x[0].T,
    "mT": lambda t, x: x.mT,
    "permute": lambda t, x: x.permute(2, 0, 1),
    "torch.permute": lambda t, x: t.permute(x, (1, 2, 0)),
    "permute too few": lambda t, x: x.permute(1, 0),
    "permute twice the same": lambda t, x: x.permute(1, 0, 0),
    "movedim": lambda t, x: x.movedim(0, 2),
    "movedim several": lambda t, x: t.movedim(x, (0, 1), (1, 2)),
    "expand": lambda t, x: x[:, :1].expand(2, 5, 4),
    "expand -1": lambda t, x: x[:1].expand(3, -1, -1),
    "expand new": lambda t, x: x.expand(2, 2, 3, 4),
    "expand wrong": lambda t, x: x.expand(2, 5, 4),
    "expand too few": lambda t, x: x.expand(3, 4),
    "expand tuple": lambda t, x: x[0, :1].expand((7, -1)),
    "expand_as": lambda t, x: x[:, :1].expand_as(x),
    "broadcast_to": lambda t, x: t.broadcast_to(x[0], (2, 3, 4)),
    "squeeze": lambda t, x: x[:, :1].squeeze(),
    "squeeze 1": lambda t, x: x[:, :1].squeeze(1),
    "squeeze not 1": lambda t, x: x.squeeze(1),
    "squeeze several": lambda t, x: x[:1, :1].squeeze((0, 1)),
    "unsqueeze": lambda t, x: x.unsqueeze(0),
    "unsqueeze -1": lambda t, x: t.unsqueeze(x, -1),
    "unsqueeze wrong": lambda t, x: x.unsqueeze(5),
    "contiguous": lambda t, x: x.transpose(0, 1).contiguous(),
    "clone": lambda t, x: x.transpose(0, 1).clone(),
    "split": lambda t, x: x.split(2, dim=2),
    "split ragged": lambda t, x: t.split(x, 2, dim=1),
    "split sizes": lambda t, x: x.split([1, 3], dim=2),
    "split wrong sizes": lambda t, x: x.split([1, 1], dim=2),
    "split used in part": lambda t, x: x.split(2, dim=2)[1],
    "chunk": lambda t, x: x.chunk(2, -1),
    "chunk ragged": lambda t, x: x.chunk(2, 1),
    "chunk many": lambda t, x: x.chunk(7, 0),
    "tensor_split": lambda t, x: t.tensor_split(x, 3, dim=2),
    "tensor_split at": lambda t, x: x.tensor_split([1, 3], dim=2),
    "unbind": lambda t, x: t.unbind(x),
    "unbind -1 in part": lambda t, x: x.unbind(-1)[2],
    "iteration": lambda t, x: [row * i for i, row in enumerate(x)],
    "narrow": lambda t, x: x.narrow(2, 1, 2),
    "narrow wrong": lambda t, x: x.narrow(2, 3, 2),
    "select": lambda t, x: x.select(1, -1),
    "unfold": lambda t, x: x.unfold(2, 3, 1),
    "unfold step": lambda t, x: x.unfold(1, 2, 1),
    "diagonal": lambda t, x: x[0].diagonal(),
    "diagonal offset": lambda t, x: x.diagonal(1, 1, 2),
    "diag of matrix": lambda t, x: t.diag(x[0]),
    "diag of vector": lambda t, x: t.diag(x[0, 0]),
    "diag offset": lambda t, x: x[0, 0].diag(-1),
    "diag_embed": lambda t, x: t.diag_embed(x),
    "tril": lambda t, x: t.tril(x),
    "triu 1": lambda t, x: x.triu(1),
    "tril -1": lambda t, x: x.tril(diagonal=-1),
    "tril of vector": lambda t, x: x[0, 0].tril(),
    "flip": lambda t, x: x.flip(1),
    "flip several": lambda t, x: t.flip(x, (0, 2)),
    "flip list": lambda t, x: x.flip([0]),
    "fliplr": lambda t, x: t.fliplr(x),
    "rot90": lambda t, x: t.rot90(x, 1, (1, 2)),
    "rot90 twice": lambda t, x: t.rot90(x, 2, (0, 1)),
    "rot90 back": lambda t, x: t.rot90(x, -1, (0, 2)),
    "roll": lambda t, x: x.roll(1, 0),
    "roll flat": lambda t, x: t.roll(x, 5),
    "roll several": lambda t, x: x.roll((1, -1), (0, 2)),
    "repeat": lambda t, x: x.repeat(2, 1, 1),
    "repeat new": lambda t, x: x[0, 0].repeat(3, 1),
    "repeat too few": lambda t, x: x.repeat(2),
    "tile": lambda t, x: t.tile(x, (2,)),
    "repeat_interleave": lambda t, x: x.repeat_interleave(2, dim=1),
    "repeat_interleave flat": lambda t, x: t.repeat_interleave(x, 3),
    "repeat_interleave counts": lambda t, x: x.repeat_interleave(t.tensor([1, 0, 2]), dim=1),
    "cat 0": lambda t, x: t.cat([x, x * 2]),
    "cat -1": lambda t, x: t.cat((x, x[..., :2], x), dim=-1),
    "cat with empty": lambda t, x: t.cat([t.zeros(0, dtype=x.dtype), x[0, 0]]),
    "cat of types": lambda t, x: t.cat([x[0, 0], t.tensor([1, 2])]),
    "cat wrong": lambda t, x: t.cat([x, x[:, :2]], dim=0),
    "cat wrong ranks": lambda t, x: t.cat([x, x[0]]),
    "cat of nothing": lambda t, x: t.cat([]),
    "cat of numbers": lambda t, x: t.cat([x.sum(), x.sum()]),
    "cat of a tensor": lambda t, x: t.cat(x),
    "stack": lambda t, x: t.stack([x, x * 3], 1),
    "stack of parts": lambda t, x: t.stack([x[0], x[1], x[0] * 2]),
    "stack of parts that differ": lambda t, x: t.stack([x[0], x[:, 0]]),
    "stack -1": lambda t, x: t.stack([x, x * 3], dim=-1),
    "stack of numbers": lambda t, x: t.stack([x.sum(), x.mean()]),
    "stack wrong": lambda t, x: t.stack([x, x[0]]),
    "stack of nothing": lambda t, x: t.stack([]),
    "hstack": lambda t, x: t.hstack([x[0], x[1]]),
    "vstack": lambda t, x: t.vstack([x[0, 0], x[0, 1]]),
    "dstack": lambda t, x: t.dstack([x[0], x[1]]),
    "column_stack": lambda t, x: t.column_stack([x[0, 0], x[0, 1]]),
    "block_diag": lambda t, x: t.block_diag(x[0], x[1]),
    "meshgrid": lambda t, x: t.meshgrid(x[0, 0], x[0, :, 0], indexing="ij"),
    "meshgrid xy": lambda t, x: t.meshgrid(x[0, 0], x[0, :, 0], indexing="xy"),
    "cartesian_prod": lambda t, x: t.cartesian_prod(x[0, 0], x[0, :, 0]),
    "combinations": lambda t, x: t.combinations(x[0, 0]),
    "broadcast_tensors": lambda t, x: t.broadcast_tensors(x[0], x[:, :1]),
    "atleast_2d": lambda t, x: t.atleast_2d(x[0, 0]),
    "size": lambda t, x: [x.size(0), x.size(-1), tuple(x.size()), tuple(x.shape[::-1])],
    "size wrong": lambda t, x: x.size(3),
    "shape printed": lambda t, x: f"{x.shape} {x.shape[1:]} {x.shape.numel()} {x.shape + (1,)}",  # noqa: RUF005
    "ranks": lambda t, x: [x.dim(), x.ndim, x.numel(), x.nelement(), len(x), t.numel(x)],
    "strides": lambda t, x: [x.stride(), x.transpose(0, 2).stride(), x[..., 1].stride(), x.stride(1)],
    "offset": lambda t, x: [x[1].storage_offset(), x[0, 1:].storage_offset(), x.T.is_contiguous()],
    "len of number": lambda t, x: len(x.sum()),
    "iteration of number": lambda t, x: list(x.sum()),
    "unbind of number": lambda t, x: x.sum().unbind(),
    "tolist": lambda t, x: x.detach().round().tolist(),
    "numpy": lambda t, x: x.numpy(),
    "item of many": lambda t, x: x.item(),
    "item of (1, 1)": lambda t, x: x[:1, :1, 0].item(),
    "a chain of views": lambda t, x: x.view(6, 4).t()[1:].unsqueeze(0).expand(2, 3, 6).reshape(-1)[::5],
}


@pytest.mark.parametrize("layout", ["C", "T"])
@pytest.mark.parametrize("name", SHAPING)
def test_shaping_equals_pytorch(name: str, layout: str) -> None:
    agree(SHAPING[name], numbers(2, 3, 4), layouts=[layout])


SMOOTH = [
    "view",
    "permute",
    "expand",
    "expand new",
    "squeeze 1",
    "split ragged",
    "split used in part",
    "unbind -1 in part",
    "unfold",
    "diagonal offset",
    "diag of vector",
    "tril",
    "flip several",
    "roll several",
    "repeat new",
    "repeat_interleave counts",
    "cat -1",
    "stack",
    "a chain of views",
    "rot90",
    "meshgrid",
]


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient_of_shaping_is_its_slope(name: str) -> None:
    agree_with_differences(SHAPING[name], numbers(2, 3, 4, seed=3))


VIEWS = [
    "view",
    "transpose",
    "permute",
    "squeeze 1",
    "unsqueeze",
    "narrow",
    "select",
    "diagonal",
    "expand -1",
    "T",
    "flatten",
    "chunk",
    "unbind",
    "movedim",
    "unfold",
    "a chain of views",
    "ravel",
]


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_sees_a_change_of_its_base_as_in_pytorch(name: str) -> None:
    def program(t: Any, x: Any) -> Any:
        base = x.detach().clone()
        parts = SHAPING[name](t, base)
        base.mul_(10)
        base[0, 0, 0] = 99
        return parts

    agree(program, numbers(2, 3, 4))


@pytest.mark.parametrize(
    "name", ["view", "transpose", "permute", "squeeze 1", "unsqueeze", "narrow", "select", "diagonal", "T", "movedim"]
)
def test_a_base_sees_a_change_of_its_view_as_in_pytorch(name: str) -> None:
    def program(t: Any, x: Any) -> Any:
        base = x.clone()
        part = SHAPING[name](t, base)
        part.mul_(part.detach() * 3)
        return base, part, base * 2

    agree(program, numbers(2, 3, 4))


def test_reshape_copies_only_where_memory_forces_it() -> None:
    x = engine.arange(6).reshape(2, 3)
    assert x.reshape(-1).data_ptr() == x.data_ptr()
    assert x.t().reshape(-1).data_ptr() != x.data_ptr()
    assert np.shares_memory(x.numpy(), x[1:].numpy())


def test_the_gradient_of_split_is_the_array_whose_pieces_arrive_if_there_is_one() -> None:
    whole = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    node = Split()
    node.forward(np.empty_like(whole), (2, 2), 2)
    left, right = whole[..., :2], whole[..., 2:]
    np.testing.assert_array_equal(node.backward([left, right]), whole)
    assert np.shares_memory(node.backward([left, right]), whole)
    exchanged = node.backward([right, left])
    np.testing.assert_array_equal(exchanged, np.concatenate([right, left], axis=2))
    assert not np.shares_memory(exchanged, whole)
    np.testing.assert_array_equal(node.backward([left, None]), np.concatenate([left, 0 * right], axis=2))


@pytest.mark.parametrize("name", ["cat", "stack"])
def test_parts_are_joined_in_the_graph_that_their_whole_has_come_into(name: str) -> None:
    whole, factor = engine.ones(2, 3), engine.tensor(2.0, requires_grad=True)
    parts = [whole[0], whole[1]]
    join = getattr(engine, name)
    assert not join(parts).requires_grad
    whole *= factor
    join(parts).sum().backward()
    assert factor.grad == 6
    with engine.no_grad():
        assert not join(parts).requires_grad
