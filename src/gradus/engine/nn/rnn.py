"""Recurrent layers over whole sequences: `RNN`, `GRU`, `LSTM`, several layers deep and in both directions if asked.

The products with the inputs are computed for all times at once; the steps are one operation (`ops/recurrence.py`).
Packed sequences, of which step t takes those longer than t, LSTMs with projections and complex numbers go step by step,
by the formulas of `rnn_cells.py`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

from gradus.engine.autograd.record import apply
from gradus.engine.functions import cat, empty, stack, zeros
from gradus.engine.functions.checks import check_factors
from gradus.engine.nn import functional as F
from gradus.engine.nn import init
from gradus.engine.nn.module import Module
from gradus.engine.nn.parameter import Parameter
from gradus.engine.nn.rnn_cells import gru_step, lstm_step, rnn_step
from gradus.engine.nn.utils.rnn import PackedSequence
from gradus.engine.ops import recurrence
from gradus.engine.tensor import Tensor


class RNNBase(Module):
    """What the three share.    input (T, N, input_size), or (N, T, input_size) with batch_first, or without N, or a
    `PackedSequence`, of which the output is one, too

    Parameters of layer k: weight_ih_lk (gates·H, inputs), weight_hh_lk (gates·H, H), bias_ih_lk, bias_hh_lk (gates·H),
    and the same with `_reverse` for the second direction; all start uniform in ±1/√H.
    """

    gates: ClassVar[dict[str, int]] = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
                stacklevel=3,
            )
        for name, flag in (("bias", bias), ("batch_first", batch_first)):
            if not isinstance(flag, bool):
                raise TypeError(f"{name} should be of type bool, got: {type(flag).__name__}")
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
            if not isinstance(size, int):
                raise TypeError(f"{name} should be of type int, got: {type(size).__name__}")
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
            if size <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        rows = self.gates[mode] * hidden_size
        state_size = proj_size or hidden_size
        for layer in range(num_layers):
            inputs = input_size if layer == 0 else state_size * self._directions
            for suffix in self._suffixes(layer):
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs), "weight_hh": (rows, state_size)}
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                for name, shape in shapes.items():
                    self.register_parameter(name + suffix, Parameter(empty(shape, device=device, dtype=dtype)))
        self.reset_parameters()

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _suffixes(self, layer: int) -> list[str]:
        return [f"_l{layer}", f"_l{layer}_reverse"][: self._directions]

    def reset_parameters(self) -> None:
        """Draw all, in the order of `parameters()`."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing to do: PyTorch needs it on GPUs."""

    @property
    def _all_weights(self) -> list[list[str]]:
        """The names of the parameters, one list a layer and direction."""
        kinds = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if self.bias else [])]
        kinds += ["weight_hr"] if self.proj_size else []
        suffixes = [suffix for layer in range(self.num_layers) for suffix in self._suffixes(layer)]
        return [[kind + suffix for kind in kinds] for suffix in suffixes]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters, one list a layer and direction."""
        return [[getattr(self, name) for name in group] for group in self._all_weights]

    @property
    def _flat_weights_names(self) -> list[str]:
        """The names of the parameters: what programs that replace some of them go by."""
        return [name for group in self._all_weights for name in group]

    @property
    def _flat_weights(self) -> list[Any]:
        """The parameters, in the order of their names."""
        return [getattr(self, name, None) for name in self._flat_weights_names]

    @_flat_weights.setter
    def _flat_weights(self, weights: list[Any]) -> None:
        for name, weight in zip(self._flat_weights_names, weights, strict=True):
            if weight is not getattr(self, name, None):
                setattr(self, name, weight)

    def _run(
        self, input: Tensor, states: tuple[Tensor, ...], sizes: list[int] | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """input (T, N, I), states of shape (layers·directions, N, ·) -> output (T, N, directions·H), the states at the
        end. Packed: sizes are those of the steps, input (their sum, I), output (their sum, directions·H).
        """
        if not len(input):
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        last: list[tuple[Tensor, ...]] = []
        x = input
        for layer in range(self.num_layers):
            outputs = []
            for suffix in self._suffixes(layer):
                start = tuple(state[len(last)] for state in states)
                output, end = self._run_one(x, start, suffix, sizes)
                outputs.append(output)
                last.append(end)
            x = outputs[0] if len(outputs) == 1 else cat(outputs, dim=-1)
            if self.dropout and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        return x, tuple(stack(list(each)) for each in zip(*last, strict=True))

    def _run_one(
        self, x: Tensor, state: tuple[Tensor, ...], suffix: str, sizes: list[int] | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One layer in one direction: x (T, N, I) -> (T, N, H); packed (sum of sizes, I) -> (sum of sizes, H)."""
        bias_ih = getattr(self, "bias_ih" + suffix) if self.bias else None
        from_inputs = F.linear(x, getattr(self, "weight_ih" + suffix), bias_ih)  # (T, N, gates·H)
        backwards = suffix.endswith("_reverse")
        if sizes is not None:
            return self._run_packed(from_inputs.split(sizes), state, suffix, backwards)
        if not self.proj_size and not from_inputs.is_complex():
            if backwards:
                from_inputs = from_inputs.flip(0)
            output, *end = self._all_steps(from_inputs, state, suffix)
            return output.flip(0) if backwards else output, tuple(end)
        times = range(x.shape[0])
        outputs: list[Tensor] = []
        for t in reversed(times) if backwards else times:
            state = self._step(from_inputs[t], state, suffix)
            outputs.append(state[0])
        return stack(outputs[::-1] if backwards else outputs), state

    def _all_steps(self, from_inputs: Tensor, state: tuple[Tensor, ...], suffix: str) -> Any:
        """All steps as one operation: from_inputs (T, N, gates·H) -> (T, N, H), and the states at the end."""
        bias = getattr(self, "bias_hh" + suffix) if self.bias else None
        weight = getattr(self, "weight_hh" + suffix)
        for each in state:
            check_factors(each, weight, bias)
        given = from_inputs, weight, bias, *state
        if self.mode == "LSTM":
            return apply(recurrence.LSTM, *given)
        if self.mode == "GRU":
            return apply(recurrence.GRU, *given)
        return apply(recurrence.RNN, *given, relu=self.mode == "RNN_RELU")

    def _run_packed(
        self, from_inputs: Sequence[Tensor], start: tuple[Tensor, ...], suffix: str, backwards: bool
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The steps from_inputs[t] (sizes[t], gates·H): forwards, sequences end; backwards, they begin."""
        outputs: list[Tensor] = []
        ended: list[tuple[Tensor, ...]] = []
        last = len(from_inputs[-1] if backwards else from_inputs[0])
        state = tuple(each[:last] for each in start)
        for each_time in reversed(from_inputs) if backwards else from_inputs:
            now, before = len(each_time), len(state[0])
            if now > before:
                state = tuple(cat([s, s0[before:now]]) for s, s0 in zip(state, start, strict=True))
            elif now < before:
                ended.append(tuple(s[now:] for s in state))
                state = tuple(s[:now] for s in state)
            state = self._step(each_time, state, suffix)
            outputs.append(state[0])
        ends = zip(*[state, *reversed(ended)], strict=True)
        return cat(outputs[::-1] if backwards else outputs), tuple(cat(list(pieces)) for pieces in ends)

    def _step(self, from_input: Tensor, state: tuple[Tensor, ...], suffix: str) -> tuple[Tensor, ...]:
        """From one time to the next: from_input (N, gates·H)."""
        bias = getattr(self, "bias_hh" + suffix) if self.bias else None
        from_state = F.linear(state[0], getattr(self, "weight_hh" + suffix), bias)
        if self.mode == "LSTM":
            h, c = lstm_step(from_input, from_state, state[1])
            return F.linear(h, getattr(self, "weight_hr" + suffix)) if self.proj_size else h, c
        if self.mode == "GRU":
            return (gru_step(from_input, from_state, state[0]),)
        return (rnn_step(from_input, from_state, self.mode == "RNN_RELU"),)

    def _forward(self, input: Any, given: tuple[Tensor, ...] | None) -> tuple[Any, tuple[Tensor, ...]]:
        kind = self.mode.partition("_")[0]
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, given)
        if not isinstance(input, Tensor):
            raise TypeError(f"{kind}: input must be a Tensor or a PackedSequence, got {type(input).__name__}")
        if input.dim() not in (2, 3):
            raise ValueError(f"{kind}: Expected input to be 2D or 3D, got {input.dim()}D tensor instead")
        batched = input.dim() == 3
        if not batched:
            input = input.unsqueeze(0 if self.batch_first else 1)
        self._check_input(input)
        if self.batch_first:
            input = input.transpose(0, 1)
        if given is not None:
            given = tuple(self._checked_state(state, batched) for state in given)
        output, states = self._run(input, self._start(input, given, input.shape[1]), None)
        if self.batch_first:
            output = output.transpose(0, 1)
        if not batched:
            output = output.squeeze(0 if self.batch_first else 1)
            states = tuple(state.squeeze(1) for state in states)
        return output, states

    def _forward_packed(
        self, input: PackedSequence, given: tuple[Tensor, ...] | None
    ) -> tuple[PackedSequence, tuple[Tensor, ...]]:
        """The states are in the caller's order, the sequences are sorted."""
        data, batch_sizes, order, back = input
        if data.dim() != 2:
            raise RuntimeError(f"input must have 2 dimensions, got {data.dim()}")
        self._check_input(data)
        sizes: list[int] = batch_sizes.tolist()
        states = self._start(data, given, sizes[0])
        if order is not None:
            states = tuple(state.index_select(1, order) for state in states)
        output, states = self._run(data, states, sizes)
        if back is not None:
            states = tuple(state.index_select(1, back) for state in states)
        return PackedSequence(output, batch_sizes, order, back), states

    def _check_input(self, input: Tensor) -> None:
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.shape[-1]}"
            )
        weight = self._flat_weights[0]
        if input.dtype != weight.dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). "
                f"Convert input: input.to({weight.dtype}), or convert model: model.to({input.dtype})"
            )

    def _start(self, input: Tensor, given: tuple[Tensor, ...] | None, batch: int) -> tuple[Tensor, ...]:
        """The states before the first step, (layers·directions, N, ·): those given, or zeros."""
        layers = self.num_layers * self._directions
        sizes = [self.proj_size or self.hidden_size, self.hidden_size][: 2 if self.mode == "LSTM" else 1]
        if given is None:
            return tuple(zeros((layers, batch, size), dtype=input.dtype) for size in sizes)
        for i, (state, size) in enumerate(zip(given, sizes, strict=True)):
            if tuple(state.shape) != (layers, batch, size):
                which = f"hidden[{i}]" if self.mode == "LSTM" else "hidden"
                raise RuntimeError(f"Expected {which} size {(layers, batch, size)}, got {list(state.shape)}")
        return given

    def _checked_state(self, state: Tensor, batched: bool) -> Tensor:
        wanted = 3 if batched else 2
        if state.dim() != wanted:
            how = "batched" if batched else "unbatched"
            raise RuntimeError(
                f"For {how} {wanted}-D input, hx should also be {wanted}-D but got {state.dim()}-D tensor"
            )
        return state if batched else state.unsqueeze(1)

    def extra_repr(self) -> str:
        said = [f"{self.input_size}, {self.hidden_size}"]
        if self.proj_size:
            said.append(f"proj_size={self.proj_size}")
        if self.num_layers != 1:
            said.append(f"num_layers={self.num_layers}")
        if not self.bias:
            said.append(f"bias={self.bias}")
        if self.batch_first:
            said.append(f"batch_first={self.batch_first}")
        if self.dropout:
            said.append(f"dropout={self.dropout}")
        if self.bidirectional:
            said.append(f"bidirectional={self.bidirectional}")
        return ", ".join(said)


class _Hidden(RNNBase):
    """A recurrent network whose state is its hidden values only."""

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        output, (hidden,) = self._forward(input, None if hx is None else (hx,))
        return output, hidden


class RNN(_Hidden):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or relu of it (Elman, 1990)"""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        mode = f"RNN_{nonlinearity.upper()}"
        super().__init__(
            mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )
        self.nonlinearity = nonlinearity


class GRU(_Hidden):
    """r, z, n: reset gate, update gate, new value; h_t = (1 - z) n + z h_{t-1} (Cho et al., 2014; see `gru_step`)"""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )


class LSTM(RNNBase):
    """c_t = f c_{t-1} + i g, h_t = o tanh(c_t) (Hochreiter and Schmidhuber, 1997; see `lstm_step`)"""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        sizes = (input_size, hidden_size, num_layers)
        super().__init__("LSTM", *sizes, bias, batch_first, dropout, bidirectional, proj_size, device, dtype)

    def forward(self, input: Any, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Any, tuple[Tensor, Tensor]]:
        output, (hidden, cell) = self._forward(input, hx)
        return output, (hidden, cell)
