"""One backward pass of a model, kept whole: every operation in the order in which the walk runs it, the gradient that
came in, those that it handed on, where gradients met, and in which module and on which line of the model's code the
operation was recorded.

It is `engine/autograd/plain_walk.py` with a notebook in its hand. The model is a copy; the run's own stays as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus import backend
from gradus.backend import nn, torch
from gradus.errors import UserError
from gradus.explorer.backward.batch import Batch
from gradus.explorer.backward.recording import Call, Line, Record, recorded
from gradus.models import LanguageModel
from gradus.training.adapting import freeze

Array = npt.NDArray[Any]


@dataclass
class Arrival:
    """A gradient handed on: by which operation, to which of its inputs, how large; and where it went, an operation by
    its number in the walk or a parameter by its name."""

    giver: int
    position: int
    shape: tuple[int, ...]
    norm: float
    operation: int = -1
    parameter: str = ""


@dataclass
class Operation:
    """An operation that the walk has run.

    Attributes:
        node: the engine's; what it kept for its backward is still there.
        dy: the gradient of its result; of an operation with several results a list, None for one without.
        call: the innermost call of a module that it was recorded in, -1 for none.
        line: of the model's code, if it is known.
        arrivals: the gradients whose sum dy is.
        handed: those that it handed on, one for each input that takes one.
    """

    node: Any
    dy: Any
    call: int
    line: Line | None
    arrivals: list[Arrival]
    handed: list[Arrival] = field(default_factory=list)

    def gradients(self) -> tuple[Any, ...]:
        """The gradients of its inputs, computed again; None for one that takes none."""
        outgoing = self.node.backward(self.dy)
        return outgoing if type(outgoing) is tuple else (outgoing,)


@dataclass
class Walked:
    """A training step up to its gradients.

    Attributes:
        model: the copy that the step was taken on, in training mode without dropout, with its frozen parts frozen.
        loss, logits: of the batch.
        operations: in the order of the walk, the loss first.
        calls: of modules, in the order in which they began.
        grads: the gradient of each parameter, by its first name.
        uses: how each parameter's gradient came about.
        leaving: for each call, the norm of what it hands on to operations outside it.
    """

    model: LanguageModel
    batch: Batch
    loss: float
    logits: Array
    operations: list[Operation]
    calls: list[Call]
    grads: dict[str, Array]
    uses: dict[str, list[Arrival]]
    leaving: list[float]


def backward_walk(model: LanguageModel, batch: Batch, frozen: str = "") -> Walked:
    """Take a training step on a batch, up to the gradients. The model is not changed.

    Args:
        frozen: the parts that are kept as they are, as the setting `freeze` names them.

    Raises:
        UserError: if the model learns by counting, or the backend is PyTorch, whose nodes do not show what they saved.
    """
    require_gradients(model)
    own = training_copy(model)
    if frozen:
        freeze(own, frozen)
    x, y = torch.from_numpy(batch.x), torch.from_numpy(batch.y)
    with torch.enable_grad(), recorded(own) as record:
        logits, loss = own(x, y)
    if loss is None or not own.scored(batch.y):
        raise UserError("nothing in this text is to be predicted: type a longer one")
    walk = _Walk({id(parameter): name for name, parameter in own.named_parameters()}, record)
    walk.run(loss)
    return Walked(
        own, batch, float(loss.item()), logits.detach().numpy(), walk.operations, record.calls, walk.grads, walk.uses,
        walk.leaving(),
    )  # fmt: skip


def require_gradients(model: LanguageModel) -> None:
    """UserError for a model or a backend without a backward pass that can be looked at."""
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UserError("this model learns by counting: there is no loss to differentiate, and no backward pass")
    if backend.name() != "engine":
        raise UserError("the backward pass is shown on gradus's own engine: start without GRADUS_BACKEND=torch")


def training_copy(model: LanguageModel) -> LanguageModel:
    """A copy of a model as it is in training, but without dropout, so that a step is the same each time."""
    own = copy.deepcopy(model)
    own.state = None
    own.train()
    for module in own.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
        elif isinstance(getattr(module, "dropout", None), float):
            module.dropout = 0.0
    for parameter in own.parameters():
        parameter.grad = None
    return own


class _Walk:
    """The walk: newest node first, each with the sum of the gradients that it has received."""

    def __init__(self, names: Mapping[int, str], record: Record) -> None:
        self.names, self.record = names, record
        self.operations: list[Operation] = []
        self.grads: dict[str, Array] = {}
        self.uses: dict[str, list[Arrival]] = {}
        self.pending: dict[int, tuple[Any, Any, list[Arrival]]] = {}
        self.out: dict[int, float] = {}  # of a call, the sum of squares of what has left it
        self.chains: dict[int, list[int]] = {}
        # by target, by call and which of the target's results: the sum of what leaves the call on its way there
        self.crossing: dict[int, dict[tuple[int, int | None], Array]] = {}

    def run(self, loss: Any) -> None:
        root = loss._edge()
        self._add(root, np.ones_like(loss.detach().numpy()), None)
        while self.pending:
            number = min(self.pending)
            node, dy, arrivals = self.pending.pop(number)
            index = len(self.operations)
            for arrival in arrivals:
                arrival.operation = index
            operation = Operation(node, dy, self.record.call_at(number), self.record.line_at(number), arrivals)
            self._leave(number)
            self.operations.append(operation)
            for position, (target, dx) in enumerate(zip(node.edges, operation.gradients(), strict=True)):
                if target is not None and dx is not None:
                    arrival = Arrival(index, position, dx.shape, norm(dx))
                    operation.handed.append(arrival)
                    self._add(target, dx, arrival)

    def leaving(self) -> list[float]:
        return [float(np.sqrt(self.out.get(i, 0.0))) for i in range(len(self.record.calls))]

    def _add(self, target: Any, dx: Array, arrival: Arrival | None) -> None:
        which = None
        if hasattr(target, "of"):  # one of several results of an operation
            target, which = target.of, target.index
        if not target.number:  # a leaf
            name = self.names.get(id(target), "")
            assert arrival is not None
            arrival.parameter = name
            self.uses.setdefault(name, []).append(arrival)
            self.grads[name] = self.grads[name] + dx if name in self.grads else dx
            return
        _, dy, arrivals = self.pending.get(target.number, (None, None, []))
        if which is not None:
            parts = [None] * target.outputs if dy is None else dy
            parts[which] = dx if parts[which] is None else parts[which] + dx
            dy = parts
        else:
            dy = dx if dy is None else dy + dx
        if arrival is not None:
            arrivals.append(arrival)
            self._cross(target.number, which, dx, arrival)
        self.pending[target.number] = target, dy, arrivals

    def _chain(self, call: int) -> list[int]:
        """A call and those around it."""
        if call not in self.chains:
            self.chains[call] = [] if call < 0 else [call, *self._chain(self.record.calls[call].parent)]
        return self.chains[call]

    def _cross(self, number: int, which: int | None, dx: Array, arrival: Arrival) -> None:
        """Note which calls of modules a gradient leaves on its way."""
        inside = self._chain(self.record.call_at(number))
        crossing = self.crossing.setdefault(number, {})
        for call in self._chain(self.operations[arrival.giver].call):
            if call not in inside:
                crossing[call, which] = crossing[call, which] + dx if (call, which) in crossing else dx

    def _leave(self, number: int) -> None:
        """All that goes to a node has been summed: count it as having left the calls."""
        for (call, _), dx in self.crossing.pop(number, {}).items():
            self.out[call] = self.out.get(call, 0.0) + norm(dx) ** 2


def norm(array: Any) -> float:
    """√ of the sum of squares; of several arrays together."""
    if isinstance(array, list):
        return float(np.sqrt(sum(norm(part) ** 2 for part in array if part is not None)))
    return float(np.linalg.norm(np.asarray(array, np.float32).ravel()))
