"""Complex numbers: values, types and gradients as PyTorch's, and the gradients those that differences show.

Programs take pairs of real numbers, see them as complex ones, and give real numbers again, so that what is compared
and differentiated is real.
"""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

import builtins
import warnings
from typing import Any

import numpy as np
import pytest
import torch as pytorch

import gradus.engine as engine
from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.ops import number_types
from tests.engine.compare import agree, agree_with_differences, numbers, run

OF_ONE: dict[str, Any] = {
    "neg": lambda t, z: -z,
    "times a number": lambda t, z: z * (2 - 1j),
    "a number over it": lambda t, z: 2j / z,
    "minus a real number": lambda t, z: 3 - z - 1,
    "reciprocal": lambda t, z: z.reciprocal(),
    "square": lambda t, z: z**2,
    "power": lambda t, z: z**2.5,
    "complex power": lambda t, z: z ** (1 + 1j),
    "exp": lambda t, z: z.exp(),
    "expm1": lambda t, z: t.expm1(z),
    "log": lambda t, z: z.log(),
    "log2": lambda t, z: z.log2(),
    "sqrt": lambda t, z: z.sqrt(),
    "rsqrt": lambda t, z: z.rsqrt(),
    "sin": lambda t, z: z.sin(),
    "cos": lambda t, z: z.cos(),
    "tan": lambda t, z: z.tan(),
    "sinh": lambda t, z: z.sinh(),
    "cosh": lambda t, z: z.cosh(),
    "tanh": lambda t, z: z.tanh(),
    "sigmoid": lambda t, z: z.sigmoid(),
    "conj": lambda t, z: z.conj() * z * z,
    "real": lambda t, z: z.real * 2,
    "imag": lambda t, z: z.imag * 2,
    "both parts": lambda t, z: t.complex(z.imag, z.real) * z,
    "abs": lambda t, z: z.abs(),
    "builtin abs": lambda t, z: abs(z),
    "angle": lambda t, z: t.angle(z),
    "sgn": lambda t, z: t.sgn(z),
    "sum": lambda t, z: z.sum(),
    "sum over an axis": lambda t, z: (z * z).sum(0, keepdim=True),
    "mean": lambda t, z: (z * z).mean(-1),
    "prod": lambda t, z: z.prod(),
    "cumsum": lambda t, z: z.cumsum(0),
    "var": lambda t, z: z.var(0),
    "std": lambda t, z: z.std(),
    "norm": lambda t, z: z.norm(),
    "cov": lambda t, z: t.cov(z),
    "float_power": lambda t, z: t.float_power(z, 2),
    "exp2": lambda t, z: t.exp2(z),
    "transpose": lambda t, z: z.T * z.adjoint(),
    "adjoint": lambda t, z: z.mH @ z,
    "reshape": lambda t, z: z.reshape(-1, 2)[1:] * 2j,
    "index": lambda t, z: z[t.tensor([0, 2, 0])] * z[0, 0],
    "slice": lambda t, z: z[1:, ::2] * z[0, 0],
    "mask": lambda t, z: z[z.real > 0],
    "where": lambda t, z: t.where(z.real > 0, z, z.conj()),
    "masked_fill": lambda t, z: z.masked_fill(z.imag > 0, 1j),
    "expand": lambda t, z: z[:1].expand(3, -1) * z,
    "cat": lambda t, z: t.cat([z, z * 1j]),
    "stack with real numbers": lambda t, z: t.stack([z, z.real + 0j]),
    "diagonal": lambda t, z: z.diagonal() ** 2,
    "tril": lambda t, z: z.tril() * z,
    "flip": lambda t, z: z.flip(0) * z,
    "to float64": lambda t, z: (z * 2j).real.to(t.float64),
    "to complex64": lambda t, z: z.to(t.complex64),
    "pairs, turned": lambda t, z: t.view_as_complex(t.view_as_real(z).flip(-1).contiguous()),
    "in place": lambda t, z: (z * 1).mul_(z).add_(1j),
    "into a part": lambda t, z: _into_real(z * 1),
    "into pairs": lambda t, z: _into_pairs(t, z * 1),
    "through a real number": lambda t, z: z.real.to(t.complex64) * z,
}

OF_TWO: dict[str, Any] = {
    "add": lambda t, z, w: t.add(z, w, alpha=2j),
    "sub": lambda t, z, w: t.sub(z, w, alpha=2),
    "mul": lambda t, z, w: z * w,
    "mul, a row": lambda t, z, w: z * w[:1],
    "mul with real numbers": lambda t, z, w: z * w.real,
    "div": lambda t, z, w: z / w,
    "div of real numbers": lambda t, z, w: z.imag / w,
    "pow": lambda t, z, w: z**w,
    "matmul": lambda t, z, w: z @ w.T,
    "batched matmul": lambda t, z, w: z.expand(2, 3, 4) @ w.T,
    "of vectors": lambda t, z, w: z[0] @ w[0],
    "vdot": lambda t, z, w: t.vdot(z[0], w[0]),
    "linear": lambda t, z, w: t.nn.functional.linear(z, w, w[:, 0]),
    "outer": lambda t, z, w: t.outer(z[0], w[0]),
    "einsum": lambda t, z, w: t.einsum("ij,kj->ik", z, w),
    "complex": lambda t, z, w: t.complex(z.real, w.imag[:1]),
    "polar": lambda t, z, w: t.polar(z.abs(), w.imag),
    "polar, broadcast": lambda t, z, w: t.polar(z.abs(), w.imag[0]),
    "addmm": lambda t, z, w: t.addmm(z[:, :3], z, w.T, beta=1 + 2j, alpha=2 + 3j),
    "conv1d": lambda t, z, w: t.nn.functional.conv1d(z, w[:, None, :2].expand(-1, 3, -1)),
    "lerp by hand": lambda t, z, w: z + 0.3 * (w - z),
}


def _into_real(z: Any) -> Any:
    z.real.mul_(z.imag * 1)
    return z * z


def _into_pairs(t: Any, z: Any) -> Any:
    t.view_as_real(z)[..., 0] *= 3
    return z * z


def _real(program: Any) -> Any:
    """The program, of pairs of real numbers, and giving them."""

    def of_pairs(t: Any, *pairs: Any) -> Any:
        y = program(t, *map(t.view_as_complex, pairs))
        return t.view_as_real(y) if y.is_complex() else y

    return of_pairs


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("name", OF_ONE)
def test_functions_of_one(name: str, kind: Any) -> None:
    agree(_real(OF_ONE[name]), numbers(3, 4, 2).astype(kind), tolerance=2e-4 if kind is np.float32 else None)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("name", OF_TWO)
def test_functions_of_two(name: str, kind: Any) -> None:
    pairs = numbers(3, 4, 2).astype(kind), numbers(3, 4, 2, seed=1).astype(kind)
    agree(_real(OF_TWO[name]), *pairs, tolerance=2e-4 if kind is np.float32 else None)


@pytest.mark.parametrize("name", [n for n in OF_ONE if n not in ("to complex64", "through a real number")])
def test_gradients_of_one_are_slopes(name: str) -> None:
    agree_with_differences(_real(OF_ONE[name]), numbers(3, 4, 2))


@pytest.mark.parametrize("name", OF_TWO)
def test_gradients_of_two_are_slopes(name: str) -> None:
    agree_with_differences(_real(OF_TWO[name]), numbers(3, 4, 2), numbers(3, 4, 2, seed=1))


def rotary(t: Any, xq: Any, xk: Any) -> Any:
    """Rotary embeddings as Llama's published code writes them."""
    dim, end = xq.shape[-1], xq.shape[1]
    freqs = 1.0 / (10000.0 ** (t.arange(0, dim, 2)[: (dim // 2)].float() / dim))
    freqs = t.outer(t.arange(end), freqs).float()
    freqs_cis = t.polar(t.ones_like(freqs), freqs)  # complex64
    xq_ = t.view_as_complex(xq.float().reshape(*xq.shape[:-1], -1, 2))
    xk_ = t.view_as_complex(xk.float().reshape(*xk.shape[:-1], -1, 2))
    freqs_cis = freqs_cis.view(1, xq_.shape[1], 1, xq_.shape[-1])
    xq_out = t.view_as_real(xq_ * freqs_cis).flatten(3)
    xk_out = t.view_as_real(xk_ * freqs_cis).flatten(3)
    return xq_out.type_as(xq), xk_out.type_as(xk)


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_rotary_embeddings_of_llama(kind: Any) -> None:
    agree(rotary, numbers(2, 5, 3, 8).astype(kind), numbers(2, 5, 3, 8, seed=1).astype(kind), names=True)


def test_gradient_of_a_complex_leaf_is_pytorchs() -> None:
    z = numbers(3, 2).view(np.complex128).reshape(3)
    agree(lambda t, z: ((z * z.conj()).real.sum(), (z**3).abs(), t.view_as_real(z * 2j)), z)
    agree(lambda t, z: z.real.exp() * z.imag, z)


def test_gradient_of_nothing_at_zero() -> None:
    agree(lambda t, z: (z.abs(), t.sgn(z), t.angle(z)), np.array([0j, 1 + 1j]))


REFUSED: dict[str, Any] = {
    "less": lambda t, z: z < z,
    "less than a number": lambda t, z: z.real < 1j,
    "maximum": lambda t, z: t.maximum(z, z),
    "max": lambda t, z: z.max(),
    "max along": lambda t, z: z.max(0),
    "argmax": lambda t, z: z.argmax(),
    "sort": lambda t, z: z.sort(),
    "topk": lambda t, z: z.topk(1),
    "unique": lambda t, z: z.unique(),
    "cummax": lambda t, z: z.cummax(0),
    "floor": lambda t, z: z.floor(),
    "round": lambda t, z: z.round(),
    "remainder": lambda t, z: z % 2,
    "floor division": lambda t, z: z // 2,
    "clamp": lambda t, z: z.clamp(0),
    "relu": lambda t, z: z.relu(),
    "gelu": lambda t, z: t.nn.functional.gelu(z),
    "softmax": lambda t, z: z.softmax(0),
    "erf": lambda t, z: z.erf(),
    "sign": lambda t, z: z.sign(),
    "mse_loss": lambda t, z: t.nn.functional.mse_loss(z, z),
    "backward": lambda t, z: z.sum().backward(),
    "mixed types": lambda t, z: z[None] @ z.real,
    "imag of real numbers": lambda t, z: z.real.imag,
    "view_as_real of real numbers": lambda t, z: t.view_as_real(z.real),
    "view_as_complex of three": lambda t, z: t.view_as_complex(t.ones(3)),
    "view_as_complex across": lambda t, z: t.view_as_complex(t.ones(2, 2).t()),
    "view_as_complex of integers": lambda t, z: t.view_as_complex(t.ones(2, 2).long()),
    "complex of two types": lambda t, z: t.complex(z.real, z.real.float()),
    "complex of integers": lambda t, z: t.complex(t.ones(2).long(), t.ones(2).long()),
    "complex of a number": lambda t, z: t.complex(z.real, 2),
    "polar of a number": lambda t, z: t.polar(2, z.real),
    "into real numbers": lambda t, z: t.ones(2).mul_(1j),
    "fill real numbers": lambda t, z: t.ones(2).fill_(1j),
    "tensor of another type": lambda t, z: t.tensor([1j], dtype=t.float32),
    "as the default type": lambda t, z: t.set_default_dtype(t.complex64),
    "abs in place": lambda t, z: (z * 1).abs_(),
    "float": lambda t, z: float(z[0]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_pytorch_refuses(name: str) -> None:
    z = np.array([1 + 2j, 3])
    theirs, ours = (
        run(torch, REFUSED[name], [z], ["C"], gradients=True, names=False).error for torch in (pytorch, engine)
    )
    assert theirs
    assert ours
    assert issubclass(getattr(builtins, ours[0]), getattr(builtins, theirs[0])), (ours, theirs)


PROMOTED: list[Any] = [
    lambda t: t.ones(2) * 1j,
    lambda t: t.ones(2).double() * 1j,
    lambda t: t.ones(2).long() * 1j,
    lambda t: t.ones(2) * t.tensor(1j, dtype=t.complex128),
    lambda t: t.ones(2).double() * t.tensor(1j),
    lambda t: t.ones(2).long() * t.tensor(1j, dtype=t.complex128),
    lambda t: t.tensor([1j]) * t.ones(1).double(),
    lambda t: t.tensor([1j]) * 2,
    lambda t: t.tensor([1j]) + t.tensor([True]),
    lambda t: 2j - t.ones(1),
    lambda t: t.ones(1) / 2j,
    lambda t: t.full((2,), 1j),
    lambda t: t.tensor([1 + 2j, 3.5]),
    lambda t: t.tensor(1 + 2j),
    lambda t: t.zeros(2, 3, dtype=t.complex64),
    lambda t: t.ones_like(t.tensor([1j])),
    lambda t: t.eye(2, dtype=t.complex128),
    lambda t: t.tensor([True, False]).to(t.complex64),
    lambda t: t.tensor([0j, 1j]).bool(),
    lambda t: t.tensor([1.5]).cfloat(),
    lambda t: t.tensor([1 + 2j]).abs(),
    lambda t: t.tensor([3.0, -1, 0]).angle(),
]


@pytest.mark.parametrize("program", PROMOTED)
def test_types_of_results(program: Any) -> None:
    agree(program)


def test_complex_to_real_warns_and_keeps_the_real_part() -> None:
    with pytest.warns(UserWarning, match="discards the imaginary part"):
        assert engine.tensor([1 + 2j]).float().tolist() == [1.0]


@pytest.mark.parametrize(
    "array",
    [
        np.array([1 + 2j, 3.5]),
        np.array(1 - 2j),
        np.array([1 + 2j, 3 - 1e-5j, 1e9]),
        np.array([[0.5 - 1j, np.nan], [1j * np.inf, 2]]),
        np.arange(1200) * (1 - 0.5j),
        np.arange(24).reshape(2, 3, 4) * (1.25 - 0.5j),
        np.zeros((0, 2), np.complex64),
    ],
)
def test_prints_as_pytorch(array: Array) -> None:
    for kind in (np.complex64, np.complex128):
        assert repr(engine.tensor(array.astype(kind))) == repr(pytorch.tensor(array.astype(kind)))


def test_views_share_memory() -> None:
    z = engine.zeros(2, 3, dtype=engine.complex64)
    z.real[0] = 1
    z.imag = 2
    engine.view_as_real(z)[1, 1, 0] = 5
    assert z.tolist() == [[1 + 2j] * 3, [2j, 5 + 2j, 2j]]
    assert z.imag.stride() == (6, 2)
    x = engine.zeros(2, 2)
    engine.view_as_complex(x)[0] = 3 + 4j
    assert x.tolist() == [[3, 4], [0, 0]]


def test_python_numbers() -> None:
    z = engine.tensor([1 + 2j])
    assert z.item() == complex(z) == 1 + 2j
    assert float(engine.tensor(2 + 0j)) == 2.0
    assert complex(engine.tensor(2.0)) == 2 + 0j


def test_types_say_what_they_are() -> None:
    for torch in (engine, pytorch):
        kinds: Any = torch.complex64, torch.complex128, torch.bfloat16, torch.float32, torch.int64
        assert [k.is_complex for k in kinds] == [True, True, False, False, False]
        assert [k.itemsize for k in kinds] == [8, 16, 2, 4, 8]
        assert [str(k.to_real()) for k in kinds[:4]] == [
            *("torch.float32", "torch.float64", "torch.bfloat16", "torch.float32"),
        ]
        assert [str(k.to_complex()) for k in kinds[:4]] == [
            *("torch.complex64", "torch.complex128", "torch.complex64", "torch.complex64"),
        ]
        assert torch.is_complex(torch.tensor([1j]))
        assert not torch.is_complex(torch.tensor([1.0]))
        assert torch.finfo(torch.complex64).eps == torch.finfo(torch.float32).eps
        assert torch.tensor([1j]).type() == "torch.ComplexFloatTensor"


def test_every_operation_that_the_tables_name_is_there() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        engine.nn.functional.relu(engine.ones(1))  # so that all are imported
        engine.fft.fft(engine.ones(2))
    known, waiting = set(), [Function]
    while waiting:
        op = waiting.pop()
        known.add(op.__name__)
        waiting += op.__subclasses__()
    assert known >= number_types.MOVES | number_types.LINEAR | number_types.HOLOMORPHIC
