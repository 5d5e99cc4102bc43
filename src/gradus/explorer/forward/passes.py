"""One pass of a model over a text, and what every module gave on the way. The model runs once for a text; all that is
shown of it afterwards is read from what was kept. When a text grows, a model with a key/value cache reads only the
tokens that are new: what comes before them cannot change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from gradus.backend import F, nn, torch
from gradus.explorer.opened import Opened
from gradus.models import LanguageModel, Transformer, device_of, inference
from gradus.models.cache import Cache, CachedModel
from gradus.text.tokenizer import Ids

Floats = NDArray[np.floating[Any]]
Made = TypeVar("Made")

NO_TOKENS: Ids = np.zeros(0, dtype=np.int64)


@dataclass
class Rows:
    """An array that was computed some rows at a time, each part under the one before."""

    parts: list[Floats]

    def whole(self) -> Floats:
        if len(self.parts) > 1:
            self.parts = [np.concatenate(self.parts)]
        return self.parts[0]

    @property
    def shape(self) -> tuple[int, ...]:
        return (sum(map(len, self.parts)), *self.parts[0].shape[1:]) if len(self.parts) > 1 else self.parts[0].shape

    def first(self, n: int) -> list[Floats]:
        """The parts of the first n rows."""
        out, start = [], 0
        for part in self.parts:
            out.append(part[: n - start])
            start += len(part)
            if start >= n:
                break
        return out


@dataclass(frozen=True)
class Heads:
    """What one call of attention worked with; row t is position t.

    Attributes:
        q: (T, nh, hs), as the product with the keys takes them: after a norm and a rotation, where there are any.
        k, v: (S, nkv, hs); with grouped queries fewer heads, each for nh / nkv of the queries.
    """

    q: Floats
    k: Floats
    v: Floats

    def key_head(self, head: int) -> int:
        """The head of keys and values that a head of queries looks at."""
        return head * self.k.shape[1] // self.q.shape[1]


@dataclass(frozen=True)
class _Call:
    q: Rows
    k: Rows
    v: Rows


@dataclass
class Pass:
    """What a model computed for one row of tokens.

    Attributes:
        ids: (T,) what the model read.
        target: (S,) of a model that translates, what it was given as the translation up to now; else empty.
        order: the names of the modules, as they began to work.
        times: how often each was called; the arrays are those of its first call.
    """

    ids: Ids
    target: Ids = field(default_factory=lambda: NO_TOKENS)
    order: list[str] = field(default_factory=list)
    times: dict[str, int] = field(default_factory=dict)
    _inputs: dict[str, Rows] = field(default_factory=dict)
    _outputs: dict[str, Rows] = field(default_factory=dict)
    _attentions: list[_Call] = field(default_factory=list)
    _results: dict[Any, Any] = field(default_factory=dict)

    @property
    def logits(self) -> Floats:
        """(T, V): at each position the scores of the token after it. Of a model that translates (S, V); of a
        classifier, (1, labels)."""
        return self.output("")

    def output(self, name: str) -> Floats:
        """What the module gave: (T, ...) where it worked on the positions of the row, else as it was."""
        return self._outputs[name].whole()

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of what the module gave; () if that was no array."""
        return self._outputs[name].shape if name in self._outputs else ()

    def input(self, name: str) -> Floats:
        """What the module was given first, likewise."""
        return self._inputs[name].whole()

    def has(self, name: str) -> bool:
        """Whether the module gave an array."""
        return name in self._outputs

    def heads(self, call: int) -> Heads:
        """What the call of attention with this number worked with."""
        made = self._attentions[call]
        return Heads(made.q.whole(), made.k.whole(), made.v.whole())

    def once(self, name: Any, make: Callable[[], Made]) -> Made:
        """What `make` gives, computed at most once for this pass."""
        if name not in self._results:
            self._results[name] = make()
        made: Made = self._results[name]
        return made

    def go_on_from(self, last: Pass, n: int) -> None:
        """Put what the last pass has of the first n positions before what this one has of the others."""
        if not self._outputs:  # the text has only become shorter
            self.order, self.times = last.order, last.times
        for of, to in ((last._inputs, self._inputs), (last._outputs, self._outputs)):
            for name, rows in of.items():
                to[name] = Rows(rows.first(n) + (to[name].parts if name in to else []))
        calls = self._attentions or [_Call(Rows([]), Rows([]), Rows([])) for _ in last._attentions]
        self._attentions = [
            _Call(
                Rows(before.q.first(n) + after.q.parts),
                Rows(before.k.first(n) + after.k.parts),
                Rows(before.v.first(n) + after.v.parts),
            )
            for before, after in zip(last._attentions, calls, strict=True)
        ]


@dataclass
class _Kept:
    """The last passes of a model, the newest first, and the keys and values of the newest."""

    passes: list[Pass] = field(default_factory=list)
    cache: Cache | None = None


_KEPT: WeakKeyDictionary[Opened, _Kept] = WeakKeyDictionary()
_MOST_KEPT = 2
_LOCK = threading.RLock()  # a pass watches the model's modules: two at once would see each other's


def run(opened: Opened, text: str, target: str = "") -> Pass:
    """The pass of a model over a text, which is computed unless it was one of the last two.

    Args:
        target: of a model that translates, the translation up to now.

    Raises:
        UserError: at a character that the model does not know.
    """
    ids, written = opened.row(text), NO_TOKENS
    if isinstance(opened.model, Transformer):
        separator = np.array([opened.tokenizer.separator])
        ids = np.concatenate([opened.encode(text)[: opened.block_size - 1], separator])
        written = np.concatenate([separator, opened.encode(target)])[: opened.block_size]
    with _LOCK:
        kept = _KEPT.setdefault(opened, _Kept())
        for one in kept.passes:
            if np.array_equal(one.ids, ids) and np.array_equal(one.target, written):
                return one
        last = kept.passes[0] if kept.passes else None
        kept.passes = kept.passes[: _MOST_KEPT - 1]
        if isinstance(opened.model, CachedModel):
            made = _with_cache(opened.model, ids, kept, last)
        else:
            made = _from_nothing(opened.model, ids, written)
        kept.passes.insert(0, made)
        return made


def _from_nothing(model: LanguageModel, ids: Ids, written: Ids) -> Pass:
    made = Pass(ids, written)
    given = [ids[None]]
    if isinstance(model, Transformer):  # the last token of a target is not read: what follows it is what is asked
        given.append(np.concatenate([written, written[:1]])[None])
    with inference(model), _watched(model, made, (len(ids), len(written))):
        model(*(torch.from_numpy(rows).to(device_of(model)) for rows in given))
    return made


def _with_cache(model: CachedModel, ids: Ids, kept: _Kept, last: Pass | None) -> Pass:
    """A pass over tokens, of which those that begin as the last ones did are not computed again."""
    same, cache = 0, kept.cache
    if cache is None or last is None:
        cache, last = Cache(1, model.block_size, model.n_layer, device_of(model)), None
    else:
        shorter = min(len(ids), len(last.ids))
        differ = np.flatnonzero(ids[:shorter] != last.ids[:shorter])
        same = int(differ[0]) if len(differ) else shorter
    made, kept.cache = Pass(ids), None  # until it is whole again
    cache.lengths = [same]
    if same < len(ids):
        new = torch.from_numpy(ids[None, same:]).to(device_of(model))
        cache.extend(new)
        with inference(model), _watched(model, made, (len(ids) - same,)):
            logits = model.head(model.vectors(new, cache))
        made._outputs[""] = Rows([array_of(logits[0])])
    if last is not None and same:
        made.go_on_from(last, same)
    kept.cache = cache
    return made


@contextmanager
def _watched(model: LanguageModel, into: Pass, lengths: tuple[int, ...]) -> Iterator[None]:
    """Within it, what every module is given and gives, and every call of attention, is noted in a pass."""
    handles = []
    for name, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(_before(into, name, lengths)))
        handles.append(module.register_forward_hook(_after(into, name, lengths)))
    fused, thread = F.scaled_dot_product_attention, threading.get_ident()

    def watching(q: Any, k: Any, v: Any, attn_mask: Any = None, *others: Any, **named: Any) -> Any:
        if threading.get_ident() == thread:
            into._attentions.append(_call(q, k, v, attn_mask))
        return fused(q, k, v, attn_mask, *others, **named)

    setattr(F, "scaled_dot_product_attention", watching)  # noqa: B010 (a module's attribute)
    try:
        yield
    finally:
        setattr(F, "scaled_dot_product_attention", fused)  # noqa: B010
        for handle in handles:
            handle.remove()


def _before(into: Pass, name: str, lengths: tuple[int, ...]) -> Callable[[nn.Module, Any], None]:
    def hook(_: nn.Module, inputs: Any) -> None:
        if name not in into.times:
            into.order.append(name)
            if inputs and isinstance(inputs[0], torch.Tensor) and inputs[0].is_floating_point():
                into._inputs[name] = Rows([_positions(inputs[0], lengths)])
        into.times[name] = into.times.get(name, 0) + 1

    return hook


def _after(into: Pass, name: str, lengths: tuple[int, ...]) -> Callable[[nn.Module, Any, Any], None]:
    def hook(_: nn.Module, __: Any, output: Any) -> None:
        first = output[0] if isinstance(output, tuple) else output  # others follow: a loss, a last state
        if name not in into._outputs and isinstance(first, torch.Tensor):
            into._outputs[name] = Rows([_positions(first, lengths)])

    return hook


def _call(q: Any, k: Any, v: Any, mask: Any) -> _Call:
    """From queries, keys and values (1, nh, T, hs); with a cache, of the keys and values only those that are new."""
    T, S = q.size(2), k.size(2)
    q, k, v = (np.array(array_of(x[0].transpose(0, 1))) for x in (q, k, v))
    if T < S and (mask is None or mask.dim() == 2):  # the last T of S positions, with a cache
        k, v = k[-T:], v[-T:]
    return _Call(Rows([q]), Rows([k]), Rows([v]))


def _positions(tensor: Any, lengths: tuple[int, ...]) -> Floats:
    """A tensor as an array; one of a batch of one row, without the batch."""
    array = array_of(tensor)
    return array[0] if array.ndim > 2 and array.shape[0] == 1 and array.shape[1] in lengths else array


def array_of(tensor: Any) -> Floats:
    """The numbers of a tensor."""
    out: Floats = tensor.detach().cpu().numpy()
    return out
