"""The bases of functions of one number whose derivative needs a single array: the input, or the output."""

from __future__ import annotations

from typing import Any, ClassVar

from gradus.engine.autograd.node import INPUTS, OUTPUT, Function
from gradus.engine.dtypes import Array


class KeepsInput(Function):
    """y = function(x), one of NumPy's; `backward` finds x in `self.x`."""

    keeps = INPUTS
    function: ClassVar[Any]

    def forward(self, x: Array) -> Array:
        self.x = x
        return self.function(x)


class KeepsOutput(Function):
    """y = function(x), one of NumPy's; `backward` finds y in `self.y`."""

    keeps = OUTPUT
    function: ClassVar[Any]

    def forward(self, x: Array) -> Array:
        self.y = self.function(x)
        return self.y
