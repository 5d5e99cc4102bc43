"""One step of a recurrent network: the three formulas, and `RNNCell`, `GRUCell`, `LSTMCell`, which apply them to one
time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gradus.engine.functions import empty, zeros
from gradus.engine.nn import functional as F
from gradus.engine.nn import init
from gradus.engine.nn.module import Module
from gradus.engine.nn.parameter import Parameter
from gradus.engine.tensor import Tensor


def rnn_step(from_input: Tensor, from_state: Tensor, relu: bool = False) -> Tensor:
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu.
    from_input is the part with x, from_state that with h: (N, H)
    """
    z = from_input + from_state
    return z.relu() if relu else z.tanh()


def gru_step(from_input: Tensor, from_state: Tensor, h: Tensor) -> Tensor:
    """r = σ(x_r + h_r), z = σ(x_z + h_z), n = tanh(x_n + r h_n), h' = (h - n) z + n.
    parts (N, 3H) in that order, h (N, H)
    """
    x_r, x_z, x_n = from_input.chunk(3, -1)
    h_r, h_z, h_n = from_state.chunk(3, -1)
    r = (x_r + h_r).sigmoid()
    z = (x_z + h_z).sigmoid()
    n = (x_n + r * h_n).tanh()
    return (h - n) * z + n


def lstm_step(from_input: Tensor, from_state: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """i, f, o = σ(...), g = tanh(...), c' = f c + i g, h' = o tanh(c').
    parts (N, 4H) in the order i, f, g, o; c (N, H)
    """
    i, f, g, o = (from_input + from_state).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


class RNNCellBase(Module):
    """weight_ih (gates·H, I), weight_hh (gates·H, H), bias_ih, bias_hh (gates·H); all start uniform in ±1/√H."""

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows, place = num_chunks * hidden_size, {"device": device, "dtype": dtype}
        self.weight_ih = Parameter(empty((rows, input_size), **place))
        self.weight_hh = Parameter(empty((rows, hidden_size), **place))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty((rows,), **place)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all, in the order of `parameters()`."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _parts(self, input: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        return F.linear(input, self.weight_ih, self.bias_ih), F.linear(h, self.weight_hh, self.bias_hh)

    def _checked(self, input: Tensor, hx: Tensor | None) -> tuple[Tensor, Tensor]:
        name = self._get_name()
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {input.shape[-1]} expected {self.input_size}")
        if hx is None:
            return input, zeros((*input.shape[:-1], self.hidden_size), dtype=input.dtype)
        if hx.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected hidden to be 1D or 2D, got {hx.dim()}D instead")
        if hx.shape[-1] != self.hidden_size:
            raise RuntimeError(f"hidden0 has inconsistent hidden_size: got {hx.shape[-1]}, expected {self.hidden_size}")
        if input.dim() == hx.dim() == 2 and len(input) != len(hx):
            raise RuntimeError(f"Input batch size {len(input)} doesn't match hidden0 batch size {len(hx)}")
        return input, hx

    def extra_repr(self) -> str:
        said = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            said += f", bias={self.bias}"
        if self.__dict__.get("nonlinearity", "tanh") != "tanh":
            said += f", nonlinearity={self.nonlinearity}"
        return said


class RNNCell(RNNCellBase):
    """h' = `rnn_step`.    input (N, I) or (I), hx (N, H) or (H), zeros if not given -> (N, H) or (H)"""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    if TYPE_CHECKING:

        def __call__(self, input: Tensor, hx: Tensor | None = None) -> Tensor: ...

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        input, h = self._checked(input, hx)
        return rnn_step(*self._parts(input, h), self.nonlinearity == "relu")


class GRUCell(RNNCellBase):
    """h' = `gru_step`.    input (N, I) or (I), hx (N, H) or (H), zeros if not given -> (N, H) or (H)"""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    if TYPE_CHECKING:

        def __call__(self, input: Tensor, hx: Tensor | None = None) -> Tensor: ...

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        input, h = self._checked(input, hx)
        return gru_step(*self._parts(input, h), h)


class LSTMCell(RNNCellBase):
    """(h', c') = `lstm_step`.    input (N, I) or (I), hx = (h, c), each (N, H) or (H), zeros if not given"""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    if TYPE_CHECKING:

        def __call__(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]: ...

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        input, h = self._checked(input, None if hx is None else hx[0])
        c = zeros(tuple(h.shape), dtype=h.dtype) if hx is None else hx[1]
        return lstm_step(*self._parts(input, h), c)
