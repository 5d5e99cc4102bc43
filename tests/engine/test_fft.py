"""Fourier transforms: PyTorch's values and gradients, for each size, direction and scale."""

# all cases of a table are called with the same arguments

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradus.engine as engine
from tests.engine.compare import agree, agree_with_differences, numbers

Program = Callable[[Any, Any], Any]


def shown(t: Any, y: Any) -> Any:
    return t.view_as_real(y.resolve_conj().contiguous()) if y.is_complex() else y


TRANSFORMS: list[tuple[str, Program]] = [
    ("fft", lambda t, x: t.fft.fft(x)),
    ("fft padded", lambda t, x: t.fft.fft(x, 7, 0, "ortho")),
    ("fft cut", lambda t, x: t.fft.fft(x, n=2, norm="forward")),
    ("ifft", lambda t, x: t.fft.ifft(x)),
    ("ifft forward", lambda t, x: t.fft.ifft(t.complex(x, x * 2), norm="forward")),
    ("fft2", lambda t, x: t.fft.fft2(x)),
    ("ifft2", lambda t, x: t.fft.ifft2(x, (3, 6))),
    ("fftn", lambda t, x: t.fft.fftn(x)),
    ("ifftn", lambda t, x: t.fft.ifftn(x, dim=(0,))),
    ("rfft", lambda t, x: t.fft.rfft(x)),
    ("rfft odd", lambda t, x: t.fft.rfft(x, 5, norm="ortho")),
    ("rfft2", lambda t, x: t.fft.rfft2(x)),
    ("rfftn", lambda t, x: t.fft.rfftn(x, dim=(1, 0))),
    ("irfft", lambda t, x: t.fft.irfft(t.complex(x, x.flip(0)))),
    ("irfft odd", lambda t, x: t.fft.irfft(t.complex(x, x.flip(0)), 5)),
    ("irfft of real", lambda t, x: t.fft.irfft(x, norm="forward")),
    ("irfft2", lambda t, x: t.fft.irfft2(t.complex(x, x.flip(0)))),
    ("irfftn", lambda t, x: t.fft.irfftn(t.complex(x, x.flip(0)), (4, 5))),
    ("hfft", lambda t, x: t.fft.hfft(t.complex(x, x.flip(0)))),
    ("ihfft", lambda t, x: t.fft.ihfft(x, norm="ortho")),
    ("fftshift", lambda t, x: t.fft.fftshift(x)),
    ("ifftshift", lambda t, x: t.fft.ifftshift(x, 1)),
    ("there and back", lambda t, x: t.fft.irfft(t.fft.rfft(x), x.shape[-1])),
]
IDS = [name for name, _ in TRANSFORMS]


@pytest.mark.parametrize(("name", "program"), TRANSFORMS, ids=IDS)
def test_transforms(name: str, program: Program) -> None:
    del name
    agree(lambda t, x: shown(t, program(t, x)), numbers(3, 4, seed=2))
    agree(lambda t, x: shown(t, program(t, x)), numbers(2, 5, seed=3).astype(np.float32))
    agree_with_differences(lambda t, x: shown(t, program(t, x)), numbers(3, 4, seed=2))


def test_frequencies() -> None:
    agree(lambda t: (t.fft.fftfreq(5, 0.5), t.fft.rfftfreq(6), t.fft.fftfreq(4, dtype=t.float64)))


def test_whole_numbers_are_transformed_in_float32() -> None:
    agree(lambda t: t.view_as_real(t.fft.fft(t.arange(6))))


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.fft.fft(t.ones(3), norm="x"),
        lambda t: t.fft.fft(t.ones(3), 0),
        lambda t: t.fft.fftn(t.ones(3, 3), dim=(0, 0)),
        lambda t: t.fft.fft(t.ones(3), dim=2),
        lambda t: t.fft.rfft(t.ones(3, dtype=t.complex64)),
    ],
)
def test_misuse_is_refused(call: Any) -> None:
    with pytest.raises((RuntimeError, IndexError)):
        call(engine)
