"""Recurrent layers over all times, each as one operation: what a step computes, and its derivative.

Recorded step by step, a layer would be a dozen small operations at every time, and the gradient of the weights a sum of
as many products. Here the steps are a plain loop over arrays that are made once, and the gradient of the weights is one
product over all times.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels.products import column_sums, product, product_transposed

_MANY = 16  # steps; for fewer, copying the transposed weights takes longer than it saves


class Recurrence(Function):
    """What the layers share.    x (T, N, gates·H), the products with the inputs; w (gates·H, H), b (gates·H,) or None;
    h (N, H) before the first step -> h after each (T, N, H), and after the last (N, H)

    A step computes h_t from x_t and s_t = h_{t-1} wᵀ + b. With ds_t its derivative with respect to s_t:
    dw = Σ ds_tᵀ h_{t-1},  db = Σ ds_t,  and h_{t-1} receives ds_t w besides what the step itself passes to it.
    """

    def start(self, x: Array, w: Array, h: Array) -> Array:
        """The states (T + 1, N, H), of which the first is known."""
        self.w, self.transposed = w, np.ascontiguousarray(w.T) if len(x) >= _MANY else None
        self.states = np.empty((len(x) + 1, *h.shape), x.dtype)
        self.states[0] = h
        return self.states

    def from_state(self, h: Array, b: Array | None) -> Array:
        """s = h wᵀ + b"""
        return product_transposed(h, self.w, b) if self.transposed is None else product(h, self.transposed, b)

    def ends(self) -> tuple[Array, Array]:
        """The outputs: copies, as the caller may write into them."""
        return self.states[1:].copy(), self.states[-1].copy()

    def of_weights(self, ds: Array) -> tuple[Array, Array | None]:
        """dw and db of ds (T, N, gates·H)."""
        rows = ds.reshape(-1, ds.shape[-1])
        dw = product(rows.T, self.states[:-1].reshape(len(rows), self.states.shape[-1]))
        return dw, None if self.edges[2] is None else column_sums(rows)

    def arriving(self, dy: Any, *ends: Array | None) -> tuple[Array, ...]:
        """The gradients of h at all times, or zeros, and of the states at the end."""
        every = np.zeros_like(self.states[1:]) if dy is None else dy
        return every, *(np.zeros_like(self.states[0]) if end is None else end.copy() for end in ends)


class RNN(Recurrence):
    """h_t = tanh(x_t + s_t), or relu of it (Elman, 1990).    ds = dh (1 - h²), or dh [h > 0]"""

    def forward(self, x: Array, w: Array, b: Array | None, h: Array, relu: bool) -> Any:
        states = self.start(x, w, h)
        self.relu = relu
        for t in range(len(x)):
            z = self.from_state(states[t], b)
            z += x[t]
            np.maximum(z, 0, out=states[t + 1]) if relu else np.tanh(z, out=states[t + 1])
        return self.ends()

    def backward(self, dy: Any) -> Any:
        every, dh = self.arriving(*dy)
        ds = np.empty_like(self.states[1:])
        for t in reversed(range(len(ds))):
            h = self.states[t + 1]
            dh += every[t]
            np.multiply(dh, h > 0 if self.relu else 1 - h * h, out=ds[t])
            dh = product(ds[t], self.w)
        return ds, *self.of_weights(ds), dh


class GRU(Recurrence):
    """r = σ(x_r + s_r), z = σ(x_z + s_z), n = tanh(x_n + r s_n), h_t = (h_{t-1} - n) z + n (Cho et al., 2014)

    With dn = dh (1 - z)(1 - n²):  ds_z = dh (h_{t-1} - n) z (1 - z),  ds_r = dn s_n r (1 - r),  ds_n = dn r,
    and x_n receives dn.
    """

    def forward(self, x: Array, w: Array, b: Array | None, h: Array) -> Any:
        states, H = self.start(x, w, h), h.shape[1]
        self.gates = x.copy()  # r, z, n
        self.of_state = np.empty_like(states[1:])  # s_n
        for t, gates in enumerate(self.gates):
            s = self.from_state(states[t], b)
            r, z, n = gates[:, :H], gates[:, H : 2 * H], gates[:, 2 * H :]
            gates[:, : 2 * H] += s[:, : 2 * H]
            _sigmoid(gates[:, : 2 * H])
            self.of_state[t] = s[:, 2 * H :]
            n += r * self.of_state[t]
            np.tanh(n, out=n)
            np.subtract(states[t], n, out=states[t + 1])
            states[t + 1] *= z
            states[t + 1] += n
        return self.ends()

    def backward(self, dy: Any) -> Any:
        every, dh = self.arriving(*dy)
        H = dh.shape[1]
        dx, ds = np.empty_like(self.gates), np.empty_like(self.gates)
        for t in reversed(range(len(dx))):
            dh += every[t]
            r, z, n = (self.gates[t][:, i * H : (i + 1) * H] for i in range(3))
            dn = dh * (1 - z)
            dn *= 1 - n * n
            ds[t][:, H : 2 * H] = dh * (self.states[t] - n) * z * (1 - z)
            ds[t][:, :H] = dn * self.of_state[t] * r * (1 - r)
            dx[t][:, : 2 * H] = ds[t][:, : 2 * H]
            dx[t][:, 2 * H :] = dn
            np.multiply(dn, r, out=ds[t][:, 2 * H :])
            dh *= z
            dh += product(ds[t], self.w)
        return dx, *self.of_weights(ds), dh


class LSTM(Recurrence):
    """i, f, o = σ(x + s), g = tanh(x + s), c_t = f c_{t-1} + i g, h_t = o tanh(c_t) (Hochreiter and Schmidhuber, 1997)

    x, s in the order i, f, g, o. With dc = dh o (1 - tanh²(c_t)) + what c_{t+1} passes on, its own f dc:
    ds_i = dc g i (1 - i),  ds_f = dc c_{t-1} f (1 - f),  ds_g = dc i (1 - g²),  ds_o = dh tanh(c_t) o (1 - o)
    """

    def forward(self, x: Array, w: Array, b: Array | None, h: Array, c: Array) -> Any:
        states, H = self.start(x, w, h), h.shape[1]
        self.gates = x.copy()  # i, f, g, o
        self.cells = np.empty_like(states)
        self.cells[0] = c
        self.tanh = np.empty_like(states[1:])  # of the cells
        for t, gates in enumerate(self.gates):
            gates += self.from_state(states[t], b)
            i, f, g, o = (gates[:, k * H : (k + 1) * H] for k in range(4))
            _sigmoid(gates[:, : 2 * H])
            np.tanh(g, out=g)
            _sigmoid(o)
            cell = np.multiply(f, self.cells[t], out=self.cells[t + 1])
            cell += i * g
            np.tanh(cell, out=self.tanh[t])
            np.multiply(o, self.tanh[t], out=states[t + 1])
        return *self.ends(), self.cells[-1].copy()

    def backward(self, dy: Any) -> Any:
        every, dh, dc = self.arriving(*dy)
        H = dh.shape[1]
        ds = np.empty_like(self.gates)
        for t in reversed(range(len(ds))):
            dh += every[t]
            i, f, g, o = (self.gates[t][:, k * H : (k + 1) * H] for k in range(4))
            tanh = self.tanh[t]
            dc += dh * o * (1 - tanh * tanh)
            ds[t][:, :H] = dc * g * i * (1 - i)
            ds[t][:, H : 2 * H] = dc * self.cells[t] * f * (1 - f)
            ds[t][:, 2 * H : 3 * H] = dc * i * (1 - g * g)
            ds[t][:, 3 * H :] = dh * tanh * o * (1 - o)
            dc *= f
            dh = product(ds[t], self.w)
        return ds, *self.of_weights(ds), dh, dc


def _sigmoid(x: Array) -> None:
    """σ(x) = ½ + ½ tanh(x / 2), in place."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5
