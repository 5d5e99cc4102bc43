"""bfloat16, and float16 with it: two bytes a number, computed in float32 and rounded once, as PyTorch does."""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest
import torch as pytorch

import gradus.engine as engine
from gradus.engine.dtypes import Array
from tests.engine.compare import numbers

HALVES = ("bfloat16", "float16")
STEP = {"bfloat16": 2.0**-8, "float16": 2.0**-11}  # how far a rounded number may be from the exact one, times it


def both(program: Any, *arrays: Array, kind: str) -> tuple[Array, Array]:
    """What the engine and PyTorch compute from tensors of these numbers in a 16-bit type, in float64."""
    found = []
    for torch in (engine, pytorch):
        y = program(torch, *[torch.tensor(a.astype(np.float32)).to(getattr(torch, kind)) for a in arrays])
        assert str(y.dtype) == f"torch.{kind}"
        found.append(y.detach().double().numpy())
    return found[0], found[1]


EXACT: dict[str, Any] = {  # one operation with one right rounding
    "add": lambda t, x, y: x + y,
    "sub": lambda t, x, y: x - y,
    "mul": lambda t, x, y: x * y,
    "div": lambda t, x, y: x / y,
    "add a number": lambda t, x, y: x + 0.3,
    "sub a number": lambda t, x, y: x - 0.3,
    "sub from a number": lambda t, x, y: 0.3 - x,
    "mul by a number": lambda t, x, y: x * 0.3,
    "div by a number": lambda t, x, y: x / 0.3,
    "mul by a 0-d tensor": lambda t, x, y: x * t.tensor(0.3),
    "div by a 0-d tensor": lambda t, x, y: x / t.tensor(0.3),
    "add a 0-d tensor": lambda t, x, y: x + t.tensor(0.3),
    "by an integer tensor": lambda t, x, y: x * t.arange(x.numel()),
    "remainder": lambda t, x, y: x % 0.3,
    "fmod": lambda t, x, y: t.fmod(x, 0.3),
    "square": lambda t, x, y: x**2,
    "sqrt": lambda t, x, y: x.abs().sqrt(),
    "reciprocal": lambda t, x, y: x.reciprocal(),
    "neg": lambda t, x, y: -x,
    "abs": lambda t, x, y: abs(x),
    "relu": lambda t, x, y: x.relu(),
    "leaky_relu": lambda t, x, y: t.nn.functional.leaky_relu(x, 0.3),
    "maximum": lambda t, x, y: t.maximum(x, y),
    "clamp": lambda t, x, y: x.clamp(-0.3, 0.7),
    "where": lambda t, x, y: t.where(x > y, x, y),
    "masked_fill": lambda t, x, y: x.masked_fill(x > 0.3, 0.1),
    "floor": lambda t, x, y: (x * 10).floor(),
    "addcdiv": lambda t, x, y: t.addcdiv(x, x, y, value=0.3),
    "in place": lambda t, x, y: (x * 1).mul_(0.3).add_(y).div_(3),
    "to float16 and back": lambda t, x, y: x.half().to(x.dtype),
    "of float32": lambda t, x, y: (x.float() * 0.3).to(x.dtype),
    "of integers": lambda t, x, y: t.arange(1000).to(x.dtype),
    "sort": lambda t, x, y: x.sort()[0],
    "cat": lambda t, x, y: t.cat([x, y]),
    "index": lambda t, x, y: x[t.tensor([3, 1, 3])],
}

CLOSE: dict[str, Any] = {  # float32 functions that differ in their last bits: hardly a number rounds otherwise
    "addcmul": lambda t, x: t.addcmul(x, x, x.flip(0), value=0.3),
    "exp": lambda t, x: x.exp(),
    "log": lambda t, x: x.abs().log(),
    "sin": lambda t, x: x.sin(),
    "tanh": lambda t, x: x.tanh(),
    "sigmoid": lambda t, x: x.sigmoid(),
    "erf": lambda t, x: x.erf(),
    "pow": lambda t, x: x.abs() ** 2.5,
    "gelu": lambda t, x: t.nn.functional.gelu(x),
    "gelu tanh": lambda t, x: t.nn.functional.gelu(x, approximate="tanh"),
    "silu": lambda t, x: t.nn.functional.silu(x),
    "softplus": lambda t, x: t.nn.functional.softplus(x),
}


@pytest.mark.parametrize("kind", HALVES)
@pytest.mark.parametrize("name", EXACT)
def test_each_number_bit_for_bit(name: str, kind: str) -> None:
    ours, theirs = both(EXACT[name], numbers(1021), numbers(1021, seed=1), kind=kind)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", HALVES)
@pytest.mark.parametrize("name", CLOSE)
def test_functions_round_hardly_a_number_otherwise(name: str, kind: str) -> None:
    ours, theirs = both(CLOSE[name], numbers(4099), kind=kind)
    assert (ours != theirs).mean() < 0.002
    np.testing.assert_allclose(ours, theirs, rtol=2.1 * STEP[kind], atol=1e-7)


ACCUMULATED: dict[str, Any] = {
    "sum": lambda t, x, y: x.sum(),
    "sum along": lambda t, x, y: x.sum(0),
    "mean": lambda t, x, y: x.mean(1),
    "var": lambda t, x, y: x.var(1),
    "std": lambda t, x, y: x.std(),
    "norm": lambda t, x, y: x.norm(),
    "cumsum": lambda t, x, y: x.abs().cumsum(0),
    "softmax": lambda t, x, y: x.softmax(-1),
    "logsumexp": lambda t, x, y: x.logsumexp(1),
    "matmul": lambda t, x, y: x @ y.T,
    "linear": lambda t, x, y: t.nn.functional.linear(x, y, y[:, 0]),
    "addmm": lambda t, x, y: t.addmm(x[:, :40], x, y.T, beta=0.3, alpha=0.7),
    "dot": lambda t, x, y: x[0] @ y[0],
    "einsum": lambda t, x, y: t.einsum("ij,kj->ik", x, y),
    "layer_norm": lambda t, x, y: t.nn.functional.layer_norm(x, (300,), y[0], y[1]),
    "rms_norm": lambda t, x, y: t.nn.functional.rms_norm(x, (300,), y[0]),
    "group_norm": lambda t, x, y: t.nn.functional.group_norm(x.view(5, 8, 300), 4),
    "mse_loss": lambda t, x, y: t.nn.functional.mse_loss(x, y),
    "conv1d": lambda t, x, y: t.nn.functional.conv1d(x.view(5, 8, 300), y[:4, :24].reshape(4, 8, 3)),
}


@pytest.mark.parametrize("kind", HALVES)
@pytest.mark.parametrize("name", ACCUMULATED)
def test_sums_are_made_in_float32(name: str, kind: str) -> None:
    """At most one rounding from what float64 gives for the same numbers, and near PyTorch's."""
    program, arrays = ACCUMULATED[name], (numbers(40, 300), numbers(40, 300, seed=1))
    ours, theirs = both(program, *arrays, kind=kind)
    kept = [pytorch.tensor(a.astype(np.float32)).to(getattr(pytorch, kind)).double() for a in arrays]
    exact = program(pytorch, *kept).numpy()
    size = np.abs(exact).max()
    np.testing.assert_allclose(ours, exact, rtol=1.01 * STEP[kind], atol=1e-5 * size)
    np.testing.assert_allclose(ours, theirs, rtol=4 * STEP[kind], atol=4 * STEP[kind] * size)


GRADIENTS: dict[str, Any] = {
    **{name: EXACT[name] for name in ("mul", "div", "sub", "maximum", "where", "addcdiv", "mul by a 0-d tensor")},
    "a row, repeated": lambda t, x, y: x * y[:1],
    "expand": lambda t, x, y: x[:1].expand(40, -1) * y,
    "unfold": lambda t, x, y: x.unfold(1, 4, 2).sum(-1),
    "rows taken": lambda t, x, y: x[t.tensor([0, 3, 3, 3, 1])],
    "embedding": lambda t, x, y: t.nn.functional.embedding(t.tensor([0, 3, 3, 3, 1]), x),
    "tanh": lambda t, x, y: x.tanh(),
    "exp": lambda t, x, y: x.exp(),
    "split": lambda t, x, y: x.split(100, 1)[1] * y.split(100, 1)[0],
    "masked_fill": lambda t, x, y: x.masked_fill(y > 0, 0.0),
    "gelu": lambda t, x, y: t.nn.functional.gelu(x),
    "softmax": lambda t, x, y: (x.softmax(-1) * y).sum(-1),
    "cross_entropy": lambda t, x, y: t.nn.functional.cross_entropy(x, t.arange(40)),
    "layer_norm": lambda t, x, y: t.nn.functional.layer_norm(x, (300,), y[0], y[1]),
    "layer_norm of wider weights": lambda t, x, y: t.nn.functional.layer_norm(
        x, (300,), *(z.float() if x.itemsize == 2 else z for z in y[:2])
    ),
    "matmul": lambda t, x, y: x @ y.T,
    "linear": lambda t, x, y: t.nn.functional.linear(x, y, y[:, 0]),
    "attention": lambda t, x, y: t.nn.functional.scaled_dot_product_attention(
        *(z.view(2, 4, 25, 60) for z in (x, y, x)), is_causal=True
    ),
    "dropout": lambda t, x, y: t.nn.functional.dropout(x * 1, 0.0),
    "in place": lambda t, x, y: (x * 1).mul_(y).tanh_(),
    "into a part": lambda t, x, y: _into_row(x * 1, y),
    "to float32": lambda t, x, y: (x.float() * y.float()).to(x.dtype),
    "var": lambda t, x, y: x.var(1),
    "norm": lambda t, x, y: x.norm(dim=1),
}


def _into_row(x: Any, y: Any) -> Any:
    x[1] *= y[0]
    return x * x


@pytest.mark.parametrize("kind", HALVES)
@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name: str, kind: str) -> None:
    """Of the 16-bit type, and as near to float64's as PyTorch's own are."""
    arrays = [a.astype(np.float32) for a in (numbers(40, 300), numbers(40, 300, seed=1))]

    def gradients(torch: Any, wanted: str) -> list[Array]:
        leaves = [torch.tensor(a).to(getattr(torch, kind)).to(getattr(torch, wanted)).requires_grad_() for a in arrays]
        torch.manual_seed(0)
        y = GRADIENTS[name](torch, *leaves)
        weights = torch.tensor(np.cos(np.arange(y.numel()) + 1.0).reshape(tuple(y.shape))).to(y.dtype)
        (y * weights).sum().backward()
        assert all(x.grad is None or x.grad.dtype is x.dtype for x in leaves)
        return [np.zeros(x.shape) if x.grad is None else x.grad.double().numpy() for x in leaves]

    exact = gradients(pytorch, "float64")
    for ours, theirs, right in zip(gradients(engine, kind), gradients(pytorch, kind), exact, strict=True):
        size = max(np.abs(right).max(), 1e-6)
        assert np.abs(ours - right).max() <= 1.5 * np.abs(theirs - right).max() + 3 * STEP[kind] * size


def test_many_gradients_of_one_number_are_added_in_float32() -> None:
    x = engine.ones(1, dtype=engine.bfloat16, requires_grad=True)
    (x.expand(1000) * 1.0).sum().backward()
    y = engine.ones(1, dtype=engine.bfloat16, requires_grad=True)
    (y + engine.zeros(1000, dtype=engine.bfloat16)).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert x.grad.item() == y.grad.item() == 1000  # adding ones in bfloat16 stops at 256


def test_an_input_changed_in_place_is_found_out() -> None:
    x = engine.ones(3, dtype=engine.bfloat16, requires_grad=True)
    y = x * 2
    z = y * y
    y += 1
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation: \[torch.BFloat16Tensor \[3\]\]"):
        z.sum().backward()


def test_what_is_kept_for_backward_takes_two_bytes_a_number() -> None:
    x = engine.ones(3, dtype=engine.bfloat16, requires_grad=True)
    node: Any = (x * x).grad_fn
    kept = [value for value in vars(node.wrapped).values() if isinstance(value, np.ndarray)]
    assert kept
    assert all(array.itemsize == 2 for array in kept)


def gpt(torch: Any) -> Any:
    """A small GPT in the manner of nanoGPT."""
    nn, F = torch.nn, torch.nn.functional

    class Block(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self, C: int, heads: int) -> None:
            super().__init__()
            self.heads = heads
            self.ln_1, self.ln_2 = nn.LayerNorm(C), nn.LayerNorm(C)
            self.c_attn, self.c_proj = nn.Linear(C, 3 * C), nn.Linear(C, C)
            self.mlp = nn.Sequential(nn.Linear(C, 4 * C), nn.GELU(), nn.Linear(4 * C, C))

        def forward(self, x: Any) -> Any:
            B, T, C = x.size()
            parts = self.c_attn(self.ln_1(x)).split(C, dim=2)
            q, k, v = (p.view(B, T, self.heads, C // self.heads).transpose(1, 2) for p in parts)
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C))
            return x + self.mlp(self.ln_2(x))

    class GPT(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.wte, self.wpe = nn.Embedding(65, 48), nn.Embedding(24, 48)
            self.blocks = nn.ModuleList([Block(48, 4) for _ in range(2)])
            self.ln_f, self.lm_head = nn.LayerNorm(48), nn.Linear(48, 65, bias=False)

        def forward(self, idx: Any, targets: Any) -> Any:
            x = self.wte(idx) + self.wpe(torch.arange(idx.size(1)))
            for block in self.blocks:
                x = block(x)
            logits = self.lm_head(self.ln_f(x))
            return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1))

    return GPT()


def test_a_gpt_trains_in_bfloat16_as_in_pytorch() -> None:
    seen = []
    for torch in (engine, pytorch):
        torch.manual_seed(1)
        model = gpt(torch).to(torch.bfloat16)
        idx = torch.randint(0, 65, (4, 25))
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        losses: list[float] = []
        logits = None
        for _ in range(12):
            logits, loss = model(idx[:, :-1], idx[:, 1:])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            if not losses:
                first = logits.detach().double().numpy()
                gradients = [p.grad.double().numpy() for p in model.parameters()]
                assert {p.grad.dtype for p in model.parameters()} == {torch.bfloat16}
            optimizer.step()
            losses.append(loss.item())
        assert logits is not None
        assert logits.dtype is torch.bfloat16
        seen.append((first, gradients, losses))
    (ours, our_gradients, our_losses), (theirs, their_gradients, their_losses) = seen
    np.testing.assert_allclose(ours, theirs, atol=2 * 2.0**-8 * np.abs(theirs).max())
    for a, b in zip(our_gradients, their_gradients, strict=True):
        assert np.abs(a - b).max() <= 0.04 * np.abs(b).max()
    np.testing.assert_allclose(our_losses, their_losses, rtol=0.02)
    assert our_losses[-1] < 0.7 * our_losses[0]


def test_types_that_meet() -> None:
    for torch in (engine, pytorch):
        x = torch.ones(2, dtype=torch.bfloat16)
        meets = [
            x + x.half(),
            x + x.float(),
            x + x.double(),
            x + x.long(),
            x * 2.5,
            x * 2,
            x + torch.tensor(1.0),
            x * 1j,
        ]
        meets += [x > 0, x.long() / x, torch.where(x > 0, x, 0.5), x.sum(), x.mean(), x.argmax(), x @ x]
        kinds = ["float32", "float32", "float64", "bfloat16", "bfloat16", "bfloat16", "bfloat16", "complex64"]
        kinds += ["bool", "bfloat16", "bfloat16", "bfloat16", "bfloat16", "int64", "bfloat16"]
        assert [str(y.dtype) for y in meets] == [f"torch.{kind}" for kind in kinds]
        assert torch.promote_types(torch.bfloat16, torch.float16) is torch.float32
        assert torch.can_cast(torch.bfloat16, torch.complex64)


def test_mixed_types_are_refused_in_products() -> None:
    for torch in (engine, pytorch):
        x, y = torch.ones(2, 2, dtype=torch.bfloat16), torch.ones(2, 2)
        for multiply in (torch.matmul, torch.nn.functional.linear):
            for a, b in ((x, y), (y, x)):
                with pytest.raises(RuntimeError, match="same dtype"):
                    multiply(a, b)


def test_what_a_tensor_says_of_itself() -> None:
    for torch in (engine, pytorch):
        x = torch.tensor([1.0, 2.5, 3.14159], dtype=torch.bfloat16)
        assert repr(x) == "tensor([1.0000, 2.5000, 3.1406], dtype=torch.bfloat16)"
        assert x.tolist() == [1.0, 2.5, 3.140625]
        assert type(x[2].item()) is float
        assert (x.itemsize, x.nbytes, x.element_size()) == (2, 6, 2)
        assert x.is_floating_point()
        assert x.type() == "torch.BFloat16Tensor"
        assert float(x[1]) == 2.5
        assert x.float().dtype is torch.float32
        assert torch.tensor([1.0]).bfloat16().dtype is torch.bfloat16
        assert torch.ones(1).type(torch.bfloat16).dtype is torch.bfloat16
        info = torch.finfo(torch.bfloat16)
        assert (info.bits, info.eps, info.max) == (16, 2.0**-7, (2 - 2.0**-7) * 2.0**127)
        with pytest.raises(TypeError, match="Got unsupported ScalarType BFloat16"):
            x.numpy()
        with pytest.raises(TypeError, match="Got unsupported ScalarType BFloat16"):
            np.asarray(x)


def test_numpys_bfloat16_is_not_taken() -> None:
    array = engine.ones(2, dtype=engine.bfloat16)._array
    for torch in (engine, pytorch):
        with pytest.raises(TypeError, match=r"can't convert np.ndarray of type ml_dtypes.bfloat16"):
            torch.from_numpy(array)


def test_as_the_default_type() -> None:
    for torch in (engine, pytorch):
        torch.set_default_dtype(torch.bfloat16)
        try:
            torch.manual_seed(3)
            linear = torch.nn.Linear(3, 2)
            made = torch.tensor([1.5]), torch.zeros(1), torch.randn(2), torch.arange(2) / 2
        finally:
            torch.set_default_dtype(torch.float32)
        assert {str(p.dtype) for p in linear.parameters()} == {"torch.bfloat16"}
        assert [str(x.dtype) for x in made] == ["torch.bfloat16"] * 4


@pytest.mark.parametrize("kind", [*HALVES, "complex64", "complex128"])
@pytest.mark.parametrize("n", [5, 16, 20, 1000])
def test_draws_are_pytorchs(n: int, kind: str) -> None:
    draws: dict[str, Any] = {
        "randn": lambda t, d: t.randn(n, dtype=d),
        "rand": lambda t, d: t.rand(n, dtype=d),
        "normal_": lambda t, d: t.empty(n, dtype=d).normal_(0.5, 0.02),
        "uniform_": lambda t, d: t.empty(n, dtype=d).uniform_(-0.3, 0.7),
    }
    if kind in HALVES:
        draws |= {
            "exponential_": lambda t, d: t.empty(n, dtype=d).exponential_(),
            "bernoulli": lambda t, d: t.bernoulli(t.full((n,), 0.3, dtype=d)),
            "dropout": lambda t, d: t.nn.functional.dropout(t.ones(n, dtype=d), 0.3),
            "randint": lambda t, d: t.randint(200, (n,), dtype=d),
        }
    for name, draw in draws.items():
        seen = []
        for torch in (engine, pytorch):
            torch.manual_seed(7)
            seen.append((draw(torch, getattr(torch, kind)).tolist(), torch.rand(1).item()))
        assert seen[0] == seen[1], name


def test_saved_and_loaded_in_two_bytes_both_ways() -> None:
    values = [1.5, -2.25, math.inf, 3.140625]
    for writer, reader in ((engine, engine), (engine, pytorch), (pytorch, engine)):
        file = io.BytesIO()
        x = writer.tensor(values).bfloat16()
        writer.save({"x": x, "part": x[1:], "z": writer.tensor([1 + 2j])}, file)
        file.seek(0)
        read = reader.load(file)
        assert read["x"].dtype is reader.bfloat16
        assert read["x"].tolist() == values
        read["x"][1] = 7  # the part shares the memory
        assert read["part"].tolist() == [7.0, *values[2:]]
        assert read["z"].dtype is reader.complex64
        assert read["z"].tolist() == [1 + 2j]
