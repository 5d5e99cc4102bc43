"""What is pointed at in a GPT: a layer, a head, a position, and so on, of one pass; and the weights that are there."""

from __future__ import annotations

from gradus.errors import UserError
from gradus.explorer.forward.passes import Floats, Pass, array_of
from gradus.explorer.forward.stack import head_of, layer_of, module
from gradus.explorer.opened import Opened


class Cell:
    """A number that is pointed at; where it lies is checked when it is asked for."""

    def __init__(
        self,
        opened: Opened,
        seen: Pass,
        t: int,
        *,
        layer: int = 0,
        head: int = 0,
        key: int = 0,
        unit: int = 0,
        id: int = 0,
    ) -> None:
        self.opened, self.seen, self.t = opened, seen, t
        self._layer, self._head, self._key, self._unit, self._id = layer, head, key, unit, id

    @property
    def layer(self) -> int:
        return layer_of(self.opened, self._layer)

    @property
    def head(self) -> int:
        return head_of(self.opened, self._head)

    @property
    def key(self) -> int:
        if not 0 <= self._key <= self.t:
            raise UserError(f"position {self.t} sees the positions 0 to {self.t}, not {self._key}")
        return self._key

    @property
    def step(self) -> int:
        n = 2 * self.opened.config.n_layer
        if not 0 <= self._layer <= n:
            raise UserError(f"the stream has the steps 0 to {n}, got {self._layer}")
        return self._layer

    @property
    def id(self) -> int:
        V = self.opened.config.vocab_size
        if not 0 <= self._id < V:
            raise UserError(f"id must be from 0 to {V - 1}, got {self._id}")
        return self._id

    def unit(self, size: int) -> int:
        if not 0 <= self._unit < size:
            raise UserError(f"unit must be from 0 to {size - 1}, got {self._unit}")
        return self._unit

    def weight(self, name: str) -> Floats:
        return array_of(module(self.opened.model, name).weight)

    def bias(self, name: str) -> Floats | None:
        bias = getattr(module(self.opened.model, name), "bias", None)
        return None if bias is None else array_of(bias)

    def at(self, position: int) -> str:
        """A position in words."""
        return f"{quoted(self.opened.piece(self.seen.ids[position]))} at {position}"

    def piece(self) -> str:
        return quoted(self.opened.piece(self.id))


def quoted(piece: str) -> str:
    """A token as it can be read: its invisible characters are shown."""
    return "“" + piece.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥") + "”"
