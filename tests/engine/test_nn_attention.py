"""Attention and the Transformer's layers start, print, compute and derive as PyTorch's, with all their masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as engine
from tests.engine.compare import agree, numbers, same_error
from tests.engine.nn_compare import Array, assert_close, assert_same_run, assert_same_start, build_both, normal

pytestmark = pytest.mark.filterwarnings(
    "ignore:enable_nested_tensor is True", "ignore:Support for mismatched", "ignore:The PyTorch API of nested tensors"
)

L, S, N, E = 4, 5, 2, 6  # queries, keys, batch, width

ATTENTIONS: list[dict[str, Any]] = [
    {},
    {"bias": False},
    {"batch_first": True},
    {"kdim": 3, "vdim": 4},
    {"add_bias_kv": True},
    {"add_zero_attn": True},
    {"add_bias_kv": True, "add_zero_attn": True, "batch_first": True},
]


def inputs(options: dict[str, Any], kind: str = "float32") -> list[Array]:
    """query, key and value of different lengths and, where asked for, widths."""
    arrays = [
        normal(L, N, E, kind=kind),
        normal(S, N, options.get("kdim", E), kind=kind, seed=1),
        normal(S, N, options.get("vdim", E), kind=kind, seed=2),
    ]
    return [a.swapaxes(0, 1).copy() if options.get("batch_first") else a for a in arrays]


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("options", ATTENTIONS, ids=str)
def test_attention_is_pytorchs(options: dict[str, Any], need_weights: bool) -> None:
    theirs, ours = build_both(lambda nn: nn.MultiheadAttention(E, 3, **options))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, inputs(options), "float32", need_weights=need_weights)
    theirs, ours = (m.double() for m in build_both(lambda nn: nn.MultiheadAttention(E, 3, **options)))
    wide = inputs(options, "float64")
    assert_same_run(theirs, ours, wide, "float64", need_weights=need_weights, average_attn_weights=False)


class Masked:
    """An attention with masks, as a function of its three inputs."""

    def __init__(self, t: Any, module: Any, masks: dict[str, Array], **options: Any) -> None:
        self.module = module
        self.options = {name: t.tensor(mask) for name, mask in masks.items()} | options

    def __call__(self, *args: Any) -> Any:
        return self.module(*args, **self.options)

    def named_parameters(self) -> Any:
        return self.module.named_parameters()


def masks() -> list[dict[str, Array]]:
    rng = np.random.default_rng(6)
    seen = rng.random((L, S)) < 0.4
    seen[:, 0] = False
    padding = np.zeros((N, S), bool)
    padding[0, 3:] = True
    each = np.broadcast_to(seen, (N * 3, L, S)).copy()
    return [
        {"attn_mask": seen},
        {"attn_mask": rng.standard_normal((L, S)).astype(np.float32)},
        {"attn_mask": each},
        {"key_padding_mask": padding},
        {"attn_mask": seen, "key_padding_mask": padding},
    ]


@pytest.mark.parametrize("more", [{}, {"add_bias_kv": True, "add_zero_attn": True}], ids=str)
@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("which", range(5))
def test_masks_are_pytorchs(which: int, need_weights: bool, more: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: nn.MultiheadAttention(E, 3, **more))
    mask = masks()[which]
    assert_same_run(
        Masked(torch, theirs, mask, need_weights=need_weights),
        Masked(engine, ours, mask, need_weights=need_weights),
        inputs({}),
        "float32",
    )


@pytest.mark.parametrize("need_weights", [True, False])
def test_one_sequence_needs_no_batch(need_weights: bool) -> None:
    theirs, ours = build_both(lambda nn: nn.MultiheadAttention(E, 3, batch_first=True))
    mask = {"key_padding_mask": np.array([False, False, False, True, True])}
    assert_same_run(
        Masked(torch, theirs, mask, need_weights=need_weights),
        Masked(engine, ours, mask, need_weights=need_weights),
        [a[:, 0] for a in inputs({})],
        "float32",
    )


def test_self_attention_and_the_causal_hint_give_what_the_mask_gives() -> None:
    engine.manual_seed(3)
    attention = engine.nn.MultiheadAttention(E, 3)
    x, other = engine.randn(L, N, E), engine.nn.Transformer.generate_square_subsequent_mask(L)
    by_mask = attention(x, x, x, attn_mask=other, need_weights=False)[0]
    by_hint = attention(x, x, x, attn_mask=other, need_weights=False, is_causal=True)[0]
    by_copies = attention(x, x.clone(), x.clone(), attn_mask=other)[0]
    assert_close(by_hint, by_mask)
    assert_close(by_copies, by_mask)


def test_a_learned_mask_gets_a_gradient() -> None:
    theirs, ours = build_both(lambda nn: nn.MultiheadAttention(E, 3))
    bias = normal(L, S)
    a, b = torch.tensor(bias, requires_grad=True), engine.tensor(bias, requires_grad=True)
    (theirs(*map(torch.tensor, inputs({})), attn_mask=a)[0] ** 2).sum().backward()
    (ours(*map(engine.tensor, inputs({})), attn_mask=b)[0] ** 2).sum().backward()
    assert_close(b.grad, a.grad)


LAYERS: list[dict[str, Any]] = [
    {},
    {"norm_first": True},
    {"activation": "gelu", "batch_first": True},
    {"bias": False, "layer_norm_eps": 1e-3},
]


@pytest.mark.parametrize("options", LAYERS, ids=str)
def test_encoder_layer_is_pytorchs(options: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: nn.TransformerEncoderLayer(E, 3, 8, dropout=0.0, **options))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [normal(L, N, E)], "float32")
    mask = {"src_mask": np.triu(np.ones((L, L), bool), 1)}
    x = normal(N, L, E) if options.get("batch_first") else normal(L, N, E)
    assert_same_run(Masked(torch, theirs, mask), Masked(engine, ours, mask), [x], "float32")


@pytest.mark.parametrize("options", LAYERS, ids=str)
def test_decoder_layer_is_pytorchs(options: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: nn.TransformerDecoderLayer(E, 3, 8, dropout=0.0, **options))
    assert_same_start(theirs, ours)
    both = [normal(L, N, E), normal(S, N, E, seed=1)]
    if options.get("batch_first"):
        both = [a.swapaxes(0, 1).copy() for a in both]
    padding = np.zeros((N, S), bool)
    padding[1, 2:] = True
    mask = {"tgt_mask": np.triu(np.ones((L, L), bool), 1), "memory_key_padding_mask": padding}
    assert_same_run(Masked(torch, theirs, mask), Masked(engine, ours, mask), both, "float32")


def test_activation_may_be_a_module_or_a_function() -> None:
    theirs, ours = build_both(lambda nn: nn.TransformerEncoderLayer(E, 2, 8, 0.0, activation=nn.GELU()))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [normal(L, N, E)], "float32")
    theirs, ours = build_both(lambda nn: nn.TransformerEncoderLayer(E, 2, 8, 0.0, nn.functional.gelu))
    assert_same_run(theirs, ours, [normal(L, N, E)], "float32")
    with pytest.raises(RuntimeError, match="activation should be relu/gelu, not tanh"):
        engine.nn.TransformerEncoderLayer(E, 2, activation="tanh")


@pytest.mark.parametrize("batch_first", [False, True])
def test_encoder_is_a_stack_of_equal_copies_as_in_pytorch(batch_first: bool) -> None:
    def build(nn: Any) -> Any:
        layer = nn.TransformerEncoderLayer(E, 2, 8, dropout=0.0, batch_first=batch_first)
        return nn.TransformerEncoder(layer, 3, nn.LayerNorm(E))

    theirs, ours = build_both(build)
    assert_same_start(theirs, ours)
    assert_close(ours.layers[2].linear1.weight, ours.layers[0].linear1.weight)
    causal = torch.nn.Transformer.generate_square_subsequent_mask(L).numpy()
    assert_close(engine.nn.Transformer.generate_square_subsequent_mask(L), torch.tensor(causal))
    x = normal(N, L, E) if batch_first else normal(L, N, E)
    assert_same_run(Masked(torch, theirs, {"mask": causal}), Masked(engine, ours, {"mask": causal}), [x], "float32")


@pytest.mark.parametrize("options", [{}, {"norm_first": True, "batch_first": True}], ids=str)
def test_transformer_is_pytorchs(options: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: nn.Transformer(E, 2, 2, 1, 8, dropout=0.0, **options))
    assert_same_start(theirs, ours)
    both = [normal(S, N, E), normal(L, N, E, seed=1)]
    if options.get("batch_first"):
        both = [a.swapaxes(0, 1).copy() for a in both]
    causal = {"tgt_mask": torch.nn.Transformer.generate_square_subsequent_mask(L).numpy()}
    assert_same_run(Masked(torch, theirs, causal), Masked(engine, ours, causal), both, "float32")
    theirs, ours = (m.double() for m in build_both(lambda nn: nn.Transformer(E, 2, 2, 1, 8, dropout=0.0, **options)))
    assert_same_run(theirs, ours, [a.astype(np.float64) for a in both], "float64")


def test_dropout_drops_what_pytorch_drops() -> None:
    theirs, ours = build_both(lambda nn: nn.TransformerEncoderLayer(E, 2, 8, dropout=0.3))
    torch.manual_seed(4)
    engine.manual_seed(4)
    assert_same_run(theirs, ours, [normal(L, N, E)], "float32")


def test_evaluation_is_pytorchs_fast_path() -> None:
    theirs, ours = build_both(lambda nn: nn.TransformerEncoderLayer(E, 2, 8, batch_first=True))
    x = normal(N, L, E)
    with torch.no_grad(), engine.no_grad():
        assert_close(ours.eval()(engine.tensor(x)), theirs.eval()(torch.tensor(x)))


BAD: list[tuple[str, Callable[[Any], Any]]] = [
    ("heads", lambda t: t.nn.MultiheadAttention(6, 4)),
    ("zero", lambda t: t.nn.MultiheadAttention(0, 4)),
    ("width", lambda t: t.nn.MultiheadAttention(6, 3)(*[t.zeros(4, 2, 5)] * 3)),
    ("lengths", lambda t: t.nn.MultiheadAttention(6, 3)(t.zeros(4, 2, 6), t.zeros(5, 2, 6), t.zeros(4, 2, 6))),
    ("mask", lambda t: t.nn.MultiheadAttention(6, 3)(*[t.zeros(4, 2, 6)] * 3, attn_mask=t.zeros(3, 4))),
    ("4-D", lambda t: t.nn.MultiheadAttention(6, 3)(*[t.zeros(1, 4, 2, 6)] * 3)),
    ("hint", lambda t: t.nn.MultiheadAttention(6, 3)(*[t.zeros(4, 2, 6)] * 3, is_causal=True)),
    ("batch", lambda t: t.nn.Transformer(6, 2, 1, 1, 8)(t.zeros(4, 2, 6), t.zeros(4, 3, 6))),
    ("features", lambda t: t.nn.Transformer(6, 2, 1, 1, 8)(t.zeros(4, 2, 5), t.zeros(4, 2, 5))),
]


@pytest.mark.parametrize(("name", "call"), BAD, ids=[name for name, _ in BAD])
def test_bad_attention_input_is_refused_in_pytorchs_words(name: str, call: Callable[[Any], Any]) -> None:
    del name
    with pytest.raises((ValueError, RuntimeError, AssertionError)) as expected:
        call(torch)
    with pytest.raises(expected.type) as got:
        call(engine)
    assert str(got.value) == str(expected.value)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("added", [True, False])
def test_a_query_that_may_see_nothing_gets_0_and_finite_gradients(kind: Any, added: bool) -> None:
    seen = np.ones((2, 1, 5, 6), bool)
    seen[0, 0, 2] = seen[1, 0, :, 3] = False
    mask = np.where(seen, 0, -np.inf).astype(kind) if added else seen

    def program(torch: Any, q: Any, k: Any, v: Any) -> Any:
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=torch.tensor(mask))

    arrays = [numbers(2, 3, n, 4, seed=n).astype(kind) for n in (5, 6, 6)]
    agree(program, *arrays)
    query = engine.tensor(arrays[0], requires_grad=True)
    y = program(engine, query, *map(engine.tensor, arrays[1:]))
    assert (y[0, :, 2] == 0).all()
    y.sum().backward()
    assert query.grad is not None
    assert query.grad.isfinite().all()


@pytest.mark.parametrize("causal", [True, False])
def test_attention_in_half_precision_is_computed_in_float32(causal: bool) -> None:
    arrays = [numbers(2, 2, 40, 16, seed=n).astype(np.float16) for n in range(3)]
    agree(lambda torch, *qkv: torch.nn.functional.scaled_dot_product_attention(*qkv, is_causal=causal), *arrays)


def test_attention_to_nothing_is_0() -> None:
    program = lambda torch, q, k, v: torch.nn.functional.scaled_dot_product_attention(q, k, v)  # noqa: E731
    agree(program, numbers(1, 2, 3, 4), np.zeros((1, 2, 0, 4)), np.zeros((1, 2, 0, 4)))


def test_attention_that_does_not_fit_is_refused_as_by_pytorch() -> None:
    q = numbers(1, 2, 3, 4)
    attend: Any = lambda torch, *qkv: torch.nn.functional.scaled_dot_product_attention(*qkv)  # noqa: E731
    masked: Any = lambda torch, q, m: torch.nn.functional.scaled_dot_product_attention(q, q, q, m)  # noqa: E731
    same_error(attend, q, q.astype(np.float32), q)
    same_error(attend, q, q[..., :3], q)
    same_error(attend, q[0, 0, 0], q, q)
    same_error(attend, *(q.astype(np.int64) for _ in range(3)))
    for kind in (np.int64, np.float16):
        same_error(masked, q, np.ones((3, 3), kind))


def run_forward(t: Any, separate: bool, static: bool, **options: Any) -> list[Any]:
    """multi_head_attention_forward: its outputs, and the gradients of all its tensors."""
    heads, width, length, keys, batch = 2, 6, 3, 4, 2
    shapes = [(length, batch, width), (keys, batch, width), (keys, batch, width), (3 * width, width), (3 * width,)]
    tensors = [t.tensor(normal(*shape, seed=i) * 0.5, requires_grad=True) for i, shape in enumerate(shapes)]
    query, key, value, weight, bias = tensors
    out, out_bias = t.tensor(normal(width, width), requires_grad=True), t.tensor(normal(width), requires_grad=True)
    if separate:
        q, k, v = weight.chunk(3)
        options |= {"use_separate_proj_weight": True, "q_proj_weight": q, "k_proj_weight": k, "v_proj_weight": v}
    if static:
        given = [t.tensor(normal(batch * heads, 5, width // heads, seed=i), requires_grad=True) for i in (7, 8)]
        options |= {"static_k": given[0], "static_v": given[1]}
        tensors += given
    y, weights = t.nn.functional.multi_head_attention_forward(
        *(query, key, value, width, heads, None if separate else weight, bias, None, None),
        *(static, 0.0, out, out_bias),  # with a key of zeros
        **options,
    )
    (y * t.tensor(normal(*y.shape, seed=9))).sum().backward()
    return [y, weights, *[x.grad for x in [*tensors, out, out_bias]]]


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("options", [{}, {"need_weights": False}, {"average_attn_weights": False}], ids=str)
def test_multi_head_attention_forward_is_pytorchs(options: dict[str, Any], static: bool, separate: bool) -> None:
    theirs, ours = (run_forward(t, separate, static, **options) for t in (torch, engine))
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            assert_close(a, b)
