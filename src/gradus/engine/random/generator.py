"""The generator: PyTorch's stream of random words on the CPU, and its state.

A Mersenne Twister, MT19937 (Matsumoto & Nishimura 1998), run by NumPy, seeded and saved as PyTorch does. The functions
of `random` turn its words into numbers.
"""

from __future__ import annotations

import ctypes
import operator
import os
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

DEFAULT_SEED = 67280421310721  # the seed of a Generator that was given none, as in PyTorch
_WORDS = 624  # words in the Twister's state

# A generator's state as PyTorch saves it, 5056 bytes: the words as 64-bit integers, the position, the words left.
_STATE = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),
        ("seeded", "<i4"),
        ("next", "<u8"),
        ("key", "<u8", (_WORDS,)),
        ("normal_x", "<f8"),
        ("normal_y", "<f8"),
        ("normal_rho", "<f8"),
        ("normal_is_valid", "<i8"),
        ("unused", "<u8"),
    ]
)


_making = threading.Lock()


class Generator:
    """A pseudo-random number generator: MT19937, seeded as PyTorch's on the CPU.

    `cached_normal` is the second sample of the last pair that the Box-Muller transform computed for an array of fewer
    than 16 elements; the next such array begins with it. Seeding clears it.
    """

    def __init__(self, device: object = "cpu") -> None:
        if str(device) != "cpu":
            raise RuntimeError(f"a Generator is on the device 'cpu', got {str(device)!r}")
        self.device = "cpu"
        self.cached_normal: float | None = None
        self._made: np.random.MT19937 | None = None
        self._memory: npt.NDArray[np.uint32] | None = None
        self.manual_seed(DEFAULT_SEED)

    def manual_seed(self, seed: int) -> Generator:
        """Set the seed; returns the generator.

        Args:
            seed: -2⁶³ .. 2⁶⁴-1; a negative one means 2⁶⁴ + seed. Only the low 32 bits choose the stream.

        Raises:
            RuntimeError: if it is not an integer.
            ValueError: if it is out of range.
        """
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            raise RuntimeError(f"manual_seed expected an integer, got {seed!r}")
        seed = operator.index(seed)
        if not -(1 << 63) <= seed < 1 << 64:
            raise ValueError(f"seed must be between -2**63 and 2**64 - 1, got {seed}")
        self._seed = seed % (1 << 64)
        self._made = self._memory = None
        self.cached_normal = None
        return self

    @property
    def _twister(self) -> np.random.MT19937:
        """NumPy's generator, seeded; created at the first draw, because its import takes a tenth of the engine's."""
        made = self._made
        if made is None:
            with _making:  # threads that draw first at the same time share one
                made = self._made
                if made is None:
                    made = np.random.MT19937()
                    seeded: Any = np.random.RandomState(self._seed % (1 << 32)).get_state(legacy=False)
                    made.state = seeded
                    self._made = made
        return made

    def seed(self) -> int:
        """Set a seed from the operating system's randomness; returns it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        """The seed, 0 .. 2⁶⁴-1."""
        return self._seed

    def get_state(self) -> npt.NDArray[np.uint8]:
        """The state, (5056,) uint8, byte for byte as PyTorch's generator returns it."""
        twister = self._twister.state["state"]
        key, position = twister["key"], int(twister["pos"])
        untouched = position == _WORDS and int(key[0]) == self._seed % (1 << 32)  # seeded, and no word drawn yet
        state = np.zeros(1, _STATE)
        state["seed"] = self._seed
        state["left"] = _WORDS + 1 - position
        state["seeded"] = 1
        state["next"] = 0 if untouched else position
        state["key"] = key
        if self.cached_normal is not None:
            state["normal_y"] = self.cached_normal
            state["normal_is_valid"] = 1
        return state.view(np.uint8)

    def set_state(self, state: npt.NDArray[np.uint8]) -> Generator:
        """Restore a state that get_state, ours or PyTorch's, returned.

        Raises:
            TypeError: if it is not uint8.
            RuntimeError: if it does not have 5056 bytes, or they are not a generator's state.
        """
        if not isinstance(state, np.ndarray) or state.dtype != np.uint8:
            raise TypeError(f"a generator's state must be a uint8 array, got {getattr(state, 'dtype', type(state))}")
        if state.size != _STATE.itemsize:
            raise RuntimeError(f"a generator's state has {_STATE.itemsize} bytes, got {state.size}")
        fields = np.ascontiguousarray(state).reshape(-1).view(_STATE)[0]
        left = int(fields["left"])
        if fields["seeded"] != 1 or not 1 <= left <= _WORDS or int(fields["next"]) > _WORDS:
            raise RuntimeError("these bytes are not the state of a Mersenne Twister")
        key = fields["key"].astype(np.uint32)
        self._seed = int(fields["seed"])
        self._twister.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": _WORDS + 1 - left}}
        self.cached_normal = float(fields["normal_y"]) if fields["normal_is_valid"] & 1 else None
        return self

    def words(self, n: int) -> npt.NDArray[np.uint32]:
        """The next n words of the stream, (n,)."""
        return self._twister.random_raw(n).astype(np.uint32)

    def double_words(self, n: int) -> npt.NDArray[np.uint64]:
        """The next 2n words, joined in pairs, the first of a pair in the high half: (n,)."""
        words = self._twister.random_raw(2 * n)
        return (words[0::2] << np.uint64(32)) | words[1::2]

    def draw(self, loop: Callable[..., None], *arguments: Any) -> None:
        """Call a compiled loop (`kernels/draws.py`) with the Twister's own memory and the arguments."""
        twister = self._twister
        with twister.lock:
            if self._memory is None:
                address = twister.ctypes.state_address
                self._memory = np.ctypeslib.as_array((ctypes.c_uint32 * (_WORDS + 1)).from_address(address))
            loop(self._memory, *arguments)


default_generator = Generator()  # of draws without a generator; seeded randomly at first, as in PyTorch
default_generator.seed()
