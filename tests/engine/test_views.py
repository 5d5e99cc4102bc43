"""Parts and other arrangements, views and copies: values, shared memory, gradients and refusals as PyTorch's."""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch as pytorch

import gradus.engine as engine
from tests.engine.compare import Program, agree, numbers

ARRANGING: dict[str, Program] = {
    "split by name": lambda t, x: x.split(split_size=2),
    "split of the module": lambda t, x: t.split(x, split_size_or_sections=2, dim=1),
    "split by tensors": lambda t, x: (x.split(t.tensor(2)), x.split([t.tensor(1), 2])),
    "split below 0": lambda t, x: x.split([-1, 4]),
    "chunk by a tensor": lambda t, x: x.chunk(t.tensor(2), dim=1),
    "tensor_split": lambda t, x: (x.tensor_split(2, 1), x.tensor_split((1, -1), dim=1), x.tensor_split([2, 1])),
    "tensor_split by tensors": lambda t, x: (x.tensor_split(t.tensor(2)), x.tensor_split(t.tensor([1, 2]))),
    "tensor_split by name": lambda t, x: (x.tensor_split(sections=2), x.tensor_split(indices=(1,), dim=1)),
    "tensor_split of 0": lambda t, x: x.tensor_split(0),
    "tensor_split by a matrix": lambda t, x: x.tensor_split(t.tensor([[1]])),
    "tensor_split by floats": lambda t, x: x.tensor_split(t.tensor([1.0])),
    "tensor_split of a number": lambda t, x: x.sum().tensor_split(1),
    "hsplit": lambda t, x: (x.hsplit(2), x[0].hsplit([1, 3]), x.vsplit([1])),
    "hsplit unevenly": lambda t, x: x.hsplit(3),
    "hsplit of 0": lambda t, x: x.hsplit(0),
    "hsplit of a number": lambda t, x: x.sum().hsplit(1),
    "vsplit of a vector": lambda t, x: x[0].vsplit(1),
    "dsplit": lambda t, x: t.dsplit(x.reshape(2, 3, 2), 2),
    "dsplit of a matrix": lambda t, x: t.dsplit(x, 2),
    "narrow by tensors": lambda t, x: (x.narrow(1, t.tensor(1), 2), x.narrow(0, -2, 2), x.narrow(1, 4, 0)),
    "narrow by a bool": lambda t, x: x.narrow(0, t.tensor(True), 1),
    "narrow by a vector": lambda t, x: x.narrow(0, t.tensor([1]), 1),
    "narrow outside": lambda t, x: x.narrow(0, 9, 0),
    "narrow too far": lambda t, x: x.narrow(0, 1, 3),
    "narrow below 0": lambda t, x: x.narrow(0, 0, -1),
    "select": lambda t, x: (x.select(0, t.tensor(1)), x.select(axis=1, index=-1)),
    "select outside": lambda t, x: x.select(0, 9),
    "movedim twice": lambda t, x: x.movedim((0, -2), (0, 1)),
    "movedim to one": lambda t, x: x.movedim((0, 1), (0, -2)),
    "movedim unevenly": lambda t, x: x.movedim((0, 1), (0,)),
    "dims by tensors": lambda t, x: (x.transpose(t.tensor(0), 1), x.sum(t.tensor(0)), x.unbind(t.tensor(1))),
    "sizes by tensors": lambda t, x: (x.view(t.tensor(4), -1), x.reshape(np.int64(2), 6), x.repeat(t.tensor(2), 1)),
    "sizes by name": lambda t, x: (x.view(size=(4, 3)), x.expand(size=(2, 3, 4)), x.repeat(repeats=(1, 2))),
    "dims by name": lambda t, x: (x.permute(dims=(1, 0)), x.flip(dims=(0,)), t.tile(x, dims=(2,))),
    "flip by axis": lambda t, x: x.flip(axis=0),
    "squeeze nothing": lambda t, x: x.reshape(1, 3, 4, 1).squeeze(()),
    "squeeze several": lambda t, x: (x.reshape(1, 3, 4, 1).squeeze((0, -1)), x.reshape(1, 12).squeeze(axis=0)),
    "atleast": lambda t, x: (t.atleast_1d(x.sum(), x), t.atleast_2d([x[0], x.sum()]), t.atleast_3d(x, x[0])),
    "atleast of a number": lambda t, x: t.atleast_2d(1.0),
    "diagonal of one": lambda t, x: x.diagonal(dim1=1, dim2=1),
    "diag_embed": lambda t, x: (x.diag_embed(1, 0, 2), x.diag_embed(-1, dim1=-1, dim2=0)),
    "diag_embed in one": lambda t, x: x.diag_embed(0, 1, 1),
    "diag_embed outside": lambda t, x: x.diag_embed(0, 9),
    "diff": lambda t, x: (x.diff(prepend=x[:, :1], append=x), x.diff(2, 0), x.diff(9), x.diff(0, append=x)),
    "diff of other dims": lambda t, x: x.diff(append=x[0]),
    "diff of a number": lambda t, x: x.sum().diff(),
    "diff below 0": lambda t, x: x.diff(-1),
    "fliplr of a vector": lambda t, x: x[0].fliplr(),
    "flipud of a number": lambda t, x: x.sum().flipud(),
    "rot90": lambda t, x: [t.rot90(x, k) for k in (-1, 0, 1, 2, 3)],
    "rot90 in one": lambda t, x: x.rot90(1, (1, -1)),
    "rot90 in three": lambda t, x: x.rot90(1, (0, 1, 2)),
    "rot90 of a vector": lambda t, x: x[0].rot90(),
    "roll": lambda t, x: (x.roll(t.tensor(1)), x.roll((1, -1), (0, 1)), x.sum().roll(1)),
    "roll by nothing": lambda t, x: x.roll([]),
    "roll of a number": lambda t, x: x.sum().roll(0, 0),
    "repeat_interleave": lambda t, x: (t.repeat_interleave(t.tensor([1, 2])), x.repeat_interleave(2, 1, output_size=8)),
    "repeat_interleave badly": lambda t, x: x.repeat_interleave(2, 1, output_size=5),
    "repeat_interleave below 0": lambda t, x: x.repeat_interleave(t.tensor([1, -1, 1]), 0),
    "repeat_interleave by floats": lambda t, x: x.repeat_interleave(t.tensor([1.0, 1, 1]), 0),
    "unfold by 0": lambda t, x: x.unfold(0, 1, 0),
    "unfold below 0": lambda t, x: x.unfold(0, -1, 1),
    "sum_to_size": lambda t, x: (x.sum_to_size(4), x.sum_to_size(3, 1), x.sum_to_size(()), (x > 0).sum_to_size(())),
    "sum_to_size unfit": lambda t, x: x.sum_to_size(3, 2),
    "sum_to_size too large": lambda t, x: x.sum_to_size(2, 3, 4),
    "cat nothing": lambda t, x: (t.cat([x.new_zeros(0), x]), t.cat([x[0, :0], x], 1), t.cat([x[0, :0], x[0, :0]])),
    "cat types": lambda t, x: t.cat([t.zeros(0), x.long()]),
    "hstack nothing": lambda t, x: t.hstack([]),
    "vstack nothing": lambda t, x: t.vstack([]),
    "dstack nothing": lambda t, x: t.dstack([]),
    "hstack a tensor": lambda t, x: t.hstack(x),
    "block_diag": lambda t, x: (t.block_diag(x.sum(), x[0], x), t.block_diag()),
    "block_diag of three": lambda t, x: t.block_diag(x[None]),
    "meshgrid": lambda t, x: t.meshgrid(x[0], x.sum(), indexing="xy"),
    "meshgrid of a matrix": lambda t, x: t.meshgrid(x),
    "meshgrid of nothing": lambda t, x: t.meshgrid(),
    "meshgrid otherwise": lambda t, x: t.meshgrid(x[0], indexing="yx"),
    "meshgrid of types": lambda t, x: t.meshgrid(x[0], x[0].float()),
    "cartesian_prod of a matrix": lambda t, x: t.cartesian_prod(x),
    "combinations": lambda t, x: (t.combinations(x[0], 3), t.combinations(x[0, :1]), t.combinations(x[0], 0)),
    "combinations of a matrix": lambda t, x: t.combinations(x),
    "combinations below 0": lambda t, x: t.combinations(x[0], -1),
    "scatters": lambda t, x: (
        t.select_scatter(x, x[0] * 2, 0, 1),
        t.slice_scatter(x, x[:1] * 3, 0, 1, 2),
        t.diagonal_scatter(x, x[0, :3], 1),
    ),
    "select_scatter unfit": lambda t, x: t.select_scatter(x, x[0, :2], 0, 1),
    "diagonal_scatter unfit": lambda t, x: t.diagonal_scatter(x, x[0]),
    "slice_scatter unfit": lambda t, x: t.slice_scatter(x, x, 0, 1),
    "as_strided": lambda t, x: ((x * 1).as_strided((2, 3), (1, 2), 1), (x * 1).as_strided((3, 3), (1, 1))),
    "as_strided outside": lambda t, x: x.as_strided((5, 5), (5, 1)),
    "as_strided unevenly": lambda t, x: x.as_strided((5,), (5, 1)),
    "as_strided backwards": lambda t, x: x.as_strided((2,), (-1,), 3),
    "as another type": lambda t, x: (x.view(t.int64), x.view(t.int16), x.float().view(t.float64)),
    "as a wider type": lambda t, x: x[:, :3].float().contiguous().view(t.float64),
}


@pytest.mark.parametrize("name", ARRANGING)
def test_arranging_equals_pytorch(name: str) -> None:
    agree(ARRANGING[name], numbers(3, 4))


COPIED = {
    "alias": (), "diagonal": (), "expand": ((2, 3, 4),), "narrow": (0, 1, 2), "permute": ((1, 0),),
    "select": (0, 1), "slice": (0, 1, 2), "split": (2,), "split_with_sizes": ([1, 2],), "squeeze": (), "t": (),
    "transpose": (0, 1), "unbind": (), "unfold": (0, 2, 1), "unsqueeze": (0,), "view": ((4, 3),),
    "as_strided": ((2, 2), (1, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", COPIED)
def test_copy_of_a_view_equals_pytorch_and_shares_nothing(name: str) -> None:
    agree(lambda t, x: getattr(t, name + "_copy")(x, *COPIED[name]), numbers(3, 4))
    x = engine.ones(3, 4)
    made = getattr(engine, name + "_copy")(x, *COPIED[name])
    for part in made if isinstance(made, tuple) else (made,):
        assert not np.may_share_memory(part.numpy(), x.numpy())


SHARING: dict[str, Program] = {
    "ravel": lambda t, x: x.ravel(),
    "ravel of a part": lambda t, x: x[:, ::2].ravel(),
    "ravel of a column": lambda t, x: x[:, 0].ravel(),
    "take": lambda t, x: x.take(t.tensor(0)),
    "sum_to_size": lambda t, x: x.sum_to_size(x.shape),
    "sum_to_size of a number": lambda t, x: x[0, 0].sum_to_size(()),
    "diff of order 0": lambda t, x: x.diff(0),
    "as_strided": lambda t, x: x.as_strided((2,), (3,)),
    "narrow": lambda t, x: x.narrow(0, 0, 1),
    "view as integers": lambda t, x: x.view(t.int32),
}


@pytest.mark.parametrize("name", SHARING)
def test_memory_is_shared_where_pytorch_shares_it(name: str) -> None:
    shared = []
    for torch in (engine, pytorch):
        x = torch.arange(12.0).reshape(3, 4)
        SHARING[name](torch, x).fill_(9)
        shared.append(x.tolist())
    assert shared[0] == shared[1]


CHANGING: dict[str, Program] = {
    "round_": lambda t, y: y.round_(decimals=1),
    "t_": lambda t, y: y.t_(),
    "transpose_": lambda t, y: y.transpose_(0, 1),
    "swapdims_": lambda t, y: y.swapdims_(0, 1),
    "squeeze_": lambda t, y: y.squeeze_(),
    "unsqueeze_": lambda t, y: y.unsqueeze_(0),
    "as_strided_": lambda t, y: y.as_strided_((2, 2), (1, 3)),
}


@pytest.mark.parametrize("of_view", [False, True])
@pytest.mark.parametrize("name", CHANGING)
def test_a_shape_changed_in_place_keeps_its_gradient(name: str, of_view: bool) -> None:
    def program(t: Any, x: Any) -> Any:
        y = x * 2
        y = y[1:] if of_view else y
        z = y * 3
        CHANGING[name](t, y)
        y.mul_(2)
        return y, z, y._version

    agree(program, numbers(3, 4))


def test_a_leaf_that_wants_a_gradient_keeps_its_shape() -> None:
    agree(lambda t, x: x.t_(), numbers(3, 4))


RESIZING: dict[str, Program] = {
    "smaller": lambda t, x: x.resize_(2, 2),
    "as large": lambda t, x: x.resize_((4, 3)),
    "of a part": lambda t, x: x[1].resize_(2, 3),
    "as another": lambda t, x: x.resize_as_(t.zeros(2, 5)),
    "larger": lambda t, x: x.clone().resize_(5, 5)[:2],
    "below 0": lambda t, x: x.resize_(-1),
    "wants a gradient": lambda t, x: x.requires_grad_().resize_(2),
}


@pytest.mark.parametrize("name", RESIZING)
def test_resizing_equals_pytorch(name: str) -> None:
    agree(RESIZING[name], numbers(3, 4), gradients=False)
