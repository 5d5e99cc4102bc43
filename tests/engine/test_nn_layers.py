"""Every layer starts, prints, computes and derives as PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradus.engine as engine
from tests.engine.compare import agree, numbers, same_error
from tests.engine.nn_compare import Build, assert_close, assert_same_run, assert_same_start, build_both, normal

Case = tuple[str, Build, tuple[int, ...]]

LAYERS: list[Case] = [
    ("Linear", lambda nn: nn.Linear(5, 3), (4, 5)),
    ("Linear 3-D", lambda nn: nn.Linear(5, 3), (2, 4, 5)),
    ("Linear 1-D", lambda nn: nn.Linear(5, 3), (5,)),
    ("Linear without bias", lambda nn: nn.Linear(5, 3, bias=False), (4, 5)),
    ("Identity", lambda nn: nn.Identity(54, unused=0.1), (4, 5)),
    ("LayerNorm", lambda nn: nn.LayerNorm(6), (4, 6)),
    ("LayerNorm of two axes", lambda nn: nn.LayerNorm([3, 6], eps=1e-3), (4, 3, 6)),
    ("LayerNorm without bias", lambda nn: nn.LayerNorm(6, bias=False), (2, 3, 6)),
    ("LayerNorm without weights", lambda nn: nn.LayerNorm(6, elementwise_affine=False), (4, 6)),
    ("RMSNorm", lambda nn: nn.RMSNorm(6), (4, 6)),
    ("RMSNorm with eps", lambda nn: nn.RMSNorm((3, 6), eps=1e-2), (4, 3, 6)),
    ("RMSNorm without weights", lambda nn: nn.RMSNorm(6, elementwise_affine=False), (4, 6)),
    ("GroupNorm", lambda nn: nn.GroupNorm(2, 6), (3, 6, 5)),
    ("GroupNorm 2-D", lambda nn: nn.GroupNorm(3, 15), (3, 15)),
    ("GroupNorm without weights", lambda nn: nn.GroupNorm(3, 6, affine=False), (3, 6, 2, 2)),
    ("BatchNorm1d", lambda nn: nn.BatchNorm1d(6), (5, 6)),
    ("BatchNorm1d 3-D", lambda nn: nn.BatchNorm1d(6, momentum=0.3), (5, 6, 4)),
    ("BatchNorm1d average", lambda nn: nn.BatchNorm1d(6, momentum=None), (5, 6)),
    ("BatchNorm1d untracked", lambda nn: nn.BatchNorm1d(6, track_running_stats=False, affine=False), (5, 6)),
    ("Conv1d", lambda nn: nn.Conv1d(4, 6, 3), (2, 4, 9)),
    ("Conv1d unbatched", lambda nn: nn.Conv1d(4, 6, 3, padding=1), (4, 9)),
    ("Conv1d stride", lambda nn: nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, bias=False), (2, 4, 9)),
    ("Conv1d groups", lambda nn: nn.Conv1d(4, 6, 2, groups=2), (2, 4, 9)),
    ("Conv1d same", lambda nn: nn.Conv1d(4, 6, 4, padding="same"), (2, 4, 9)),
    ("Conv1d valid", lambda nn: nn.Conv1d(4, 6, (4,), padding="valid"), (2, 4, 9)),
    ("Flatten", lambda nn: nn.Flatten(), (2, 3, 4)),
    ("Flatten from 0", lambda nn: nn.Flatten(0, 1), (2, 3, 4)),
    ("Unflatten", lambda nn: nn.Unflatten(1, (2, -1)), (3, 6, 2)),
    ("ReLU", lambda nn: nn.ReLU(), (4, 5)),
    ("ReLU6", lambda nn: nn.ReLU6(), (4, 5)),
    ("SiLU", lambda nn: nn.SiLU(), (4, 5)),
    ("Mish", lambda nn: nn.Mish(), (4, 5)),
    ("SELU", lambda nn: nn.SELU(), (4, 5)),
    ("Hardtanh", lambda nn: nn.Hardtanh(-0.5, 0.7), (4, 5)),
    ("Sigmoid", lambda nn: nn.Sigmoid(), (4, 5)),
    ("LogSigmoid", lambda nn: nn.LogSigmoid(), (4, 5)),
    ("Tanh", lambda nn: nn.Tanh(), (4, 5)),
    ("Softsign", lambda nn: nn.Softsign(), (4, 5)),
    ("GELU", lambda nn: nn.GELU(), (4, 5)),
    ("GELU tanh", lambda nn: nn.GELU(approximate="tanh"), (4, 5)),
    ("ELU", lambda nn: nn.ELU(alpha=0.7), (4, 5)),
    ("LeakyReLU", lambda nn: nn.LeakyReLU(0.2), (4, 5)),
    ("PReLU", lambda nn: nn.PReLU(), (4, 5)),
    ("PReLU a channel", lambda nn: nn.PReLU(5, init=0.1), (4, 5, 2)),
    ("Softplus", lambda nn: nn.Softplus(beta=2.0, threshold=1.0), (4, 5)),
    ("GLU", lambda nn: nn.GLU(), (4, 6)),
    ("GLU dim 0", lambda nn: nn.GLU(dim=0), (4, 6)),
    ("Softmax", lambda nn: nn.Softmax(dim=1), (4, 5)),
    ("LogSoftmax", lambda nn: nn.LogSoftmax(dim=0), (4, 5)),
    ("Dropout p=0", lambda nn: nn.Dropout(0.0), (4, 5)),
]
NAMES = [name for name, _, _ in LAYERS]


@pytest.mark.parametrize("case", LAYERS, ids=NAMES)
def test_layer_starts_and_prints_as_pytorch(case: Case) -> None:
    _, build, _ = case
    assert_same_start(*build_both(build))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")  # PyTorch tells of a copy it makes
@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("case", LAYERS, ids=NAMES)
def test_layer_computes_and_derives_as_pytorch(case: Case, kind: str) -> None:
    _, build, shape = case
    theirs, ours = build_both(build)
    if kind == "float64":
        theirs, ours = theirs.double(), ours.double()
    assert_same_run(theirs, ours, [normal(*shape, kind=kind) * 1.5], kind)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_bilinear_is_pytorchs(kind: str) -> None:
    theirs, ours = build_both(lambda nn: nn.Bilinear(4, 5, 3))
    assert_same_start(theirs, ours)
    inputs = [normal(2, 6, 4, kind=kind), normal(2, 6, 5, kind=kind, seed=1)]
    if kind == "float64":
        theirs, ours = theirs.double(), ours.double()
    assert_same_run(theirs, ours, inputs, kind)


@pytest.mark.parametrize("options", [{}, {"padding_idx": 2}, {"padding_idx": -1}])
@pytest.mark.parametrize("shape", [(), (4,), (2, 5)])
def test_embedding_is_pytorchs(shape: tuple[int, ...], options: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: nn.Embedding(7, 3, **options))
    assert_same_start(theirs, ours)
    ids = np.random.default_rng(3).integers(0, 7, shape)
    assert_same_run(theirs, ours, [np.asarray(ids, np.int64)], "float32")


def test_embedding_from_pretrained_is_frozen_and_shares_the_table() -> None:
    table = engine.randn(4, 3)
    layer = engine.nn.Embedding.from_pretrained(table)
    assert not layer.weight.requires_grad
    table[1] = 7.0
    assert layer(engine.tensor(1)).tolist() == [7.0, 7.0, 7.0]


@pytest.mark.parametrize("options", [{}, {"momentum": None}, {"momentum": 0.5, "affine": False}])
@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 3)])
def test_batchnorm_keeps_pytorchs_running_statistics(shape: tuple[int, ...], options: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: nn.BatchNorm1d(4, **options))
    for seed in range(4):
        assert_same_run(theirs, ours, [normal(*shape, seed=seed) * 2 + seed], "float32")
    for name, value in theirs.state_dict().items():
        assert_close(ours.state_dict()[name], value, what=name)
    theirs.eval(), ours.eval()
    assert_same_run(theirs, ours, [normal(*shape, seed=9)], "float32")


def test_batchnorm_refuses_other_dimensions() -> None:
    with pytest.raises(ValueError, match=r"expected 2D or 3D input \(got 4D input\)"):
        engine.nn.BatchNorm1d(2)(engine.zeros(1, 2, 3, 4))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 1.0])
def test_dropout_drops_what_pytorch_drops(p: float) -> None:
    theirs, ours = build_both(lambda nn: nn.Dropout(p))
    assert repr(ours) == repr(theirs)
    assert_same_run(theirs, ours, [normal(8, 9)], "float32")
    assert_same_run(theirs.eval(), ours.eval(), [normal(8, 9)], "float32")


@pytest.mark.parametrize("p", [-0.1, 1.5])
def test_dropout_refuses_what_is_no_probability(p: float) -> None:
    with pytest.raises(ValueError, match=f"dropout probability has to be between 0 and 1, but got {p}"):
        engine.nn.Dropout(p)


@pytest.mark.parametrize("name", ["ReLU", "SiLU", "ReLU6", "ELU", "Hardtanh", "Mish", "SELU", "LeakyReLU"])
def test_inplace_activation_overwrites_its_input(name: str) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, name)(inplace=True))
    assert repr(ours) == repr(theirs)
    x = engine.tensor(normal(3, 4))
    y = ours(x)
    assert y is x
    assert_close(x, getattr(engine.nn, name)()(engine.tensor(normal(3, 4))))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda nn: nn.Conv1d(4, 6, 3, groups=3), "in_channels must be divisible by groups"),
        (lambda nn: nn.Conv1d(6, 4, 3, groups=3), "out_channels must be divisible by groups"),
        (lambda nn: nn.Conv1d(4, 6, 3, stride=2, padding="same"), "padding='same' is not supported"),
        (lambda nn: nn.GroupNorm(4, 6), r"num_channels \(6\) must be divisible by num_groups \(4\)"),
        (lambda nn: nn.Hardtanh(1, -1), r"max_val \(-1\) must be greater than min_val \(1\)"),
        (lambda nn: nn.Embedding(3, 2, padding_idx=3), "Padding_idx must be within num_embeddings"),
        (lambda nn: nn.Unflatten(1, (2.0, 3)), "unflattened_size must be tuple of ints"),
    ],
)
def test_impossible_layer_is_refused_in_pytorchs_words(build: Build, message: str) -> None:
    import torch

    with pytest.raises((ValueError, AssertionError, TypeError)) as expected:
        build(torch.nn)
    with pytest.raises(expected.type, match=message):
        build(engine.nn)


def test_conv1d_names_a_channel_mismatch_as_pytorch() -> None:
    import torch

    theirs, ours = build_both(lambda nn: nn.Conv1d(4, 6, 3))
    with pytest.raises(RuntimeError) as expected:
        theirs(torch.zeros(2, 5, 9))
    with pytest.raises(RuntimeError) as got:
        ours(engine.zeros(2, 5, 9))
    assert str(got.value) == str(expected.value)


@pytest.mark.parametrize(
    ("program", "arrays"),
    [
        (lambda torch, x: torch.nn.Linear(5, 3)(x), (np.ones((4, 5)),)),
        (lambda torch, x: torch.nn.Linear(5, 3)(x), (np.ones((4, 5), np.int64),)),
        (lambda torch, x: torch.nn.Linear(5, 3)(x), (np.ones((4, 4), np.float32),)),
        (lambda torch, x, w: torch.nn.functional.embedding(x, w), (np.ones(3), np.ones((4, 2)))),
        (lambda torch, x, w: torch.nn.functional.embedding(x, w), (np.ones(3, np.uint8), np.ones((4, 2)))),
        (lambda torch, x, w: torch.nn.functional.embedding(x, w), (np.ones(3, np.int64), np.ones(4))),
        (lambda torch, x, w: torch.nn.functional.embedding(x, w, 4), (np.ones(3, np.int64), np.ones((4, 2)))),
        (lambda torch, x, w: torch.nn.functional.embedding(x, w), (np.full(3, 9), np.ones((4, 2)))),
        (lambda torch, x: torch.nn.functional.one_hot(x), (np.zeros(0, np.int64),)),
        (lambda torch, x: torch.nn.RNN(3, 5, bias=0)(x), (np.ones(1),)),
        (lambda torch, x: torch.nn.GRU(3, 5, batch_first="yes")(x), (np.ones(1),)),
        (lambda torch, x: torch.nn.LSTMCell(4, 5)(x), (np.ones((3, 3), np.float32),)),
        (lambda torch, x, h: torch.nn.RNNCell(4, 5)(x, h), (np.ones((3, 4), np.float32), np.ones((2, 5), np.float32))),
        (lambda torch, x, h: torch.nn.GRUCell(4, 5)(x, h), (np.ones((3, 4), np.float32), np.ones((3, 6), np.float32))),
    ],
)
def test_inputs_that_do_not_fit_are_refused_as_by_pytorch(program: Any, arrays: Any) -> None:
    same_error(program, *arrays)


@pytest.mark.parametrize("options", [{"max_norm": 0.9}, {"max_norm": 1.1, "norm_type": 1.0, "padding_idx": -1}])
def test_embedding_shortens_the_rows_it_looks_up(options: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: nn.Embedding(7, 3, **options))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [np.array([[1, 2], [2, 6]])], "float32")
    assert_close(ours.weight, theirs.weight)


def test_cosine_similarity_broadcasts_what_it_reduces() -> None:
    a, b = numbers(1, 2, 3), numbers(2, 1, 3, seed=1)
    for dim in (0, 1, 2):
        agree(lambda torch, *pair, dim=dim: torch.nn.functional.cosine_similarity(*pair, dim), a, b)
