"""Reading a pickle without running it: a stack machine that never imports or calls what the file names.

Python's `pickletools` splits the pickle into instructions. Each does what it does in Python's own reader, except those
that could run code: a name (GLOBAL) must be in the list of `rebuild.py` or an allowed class; a call (REDUCE) is to a
function of that list; objects (NEWOBJ, BUILD) are created and filled by `classes.py`.
"""

from __future__ import annotations

import pickle
import pickletools
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.serialization import classes, rebuild
from gradus.engine.serialization.rebuild import Word
from gradus.engine.serialization.storages import Stored

_SAME_AS = {"__builtin__": "builtins", "copy_reg": "copyreg"}  # Python 2's names, which protocol 2 uses
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
_MARK = object()


class Reader:
    """Reads the pickles in PyTorch's files.

    Args:
        weights_only: also refuse the program's own classes, unless they were allowed.
        storage: returns the memory of a storage, (size,).
    """

    def __init__(self, *, weights_only: bool, storage: Callable[[Stored], Array]) -> None:
        self._weights_only = weights_only
        self._storage = storage
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._made: dict[int, Any] = {}  # objects of classes, by id: only these may be filled in

    def read(self, program: bytes) -> Any:
        """Build the object that a pickle describes.

        Raises:
            pickle.UnpicklingError: if it is not a pickle, or uses something that is not allowed.
        """
        try:
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of escapes in damaged strings
                for opcode, argument, _ in pickletools.genops(program):
                    if opcode.name == "STOP":
                        return self._stack.pop()
                    self._step(opcode.name, argument)
        except pickle.UnpicklingError:
            raise
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
            raise pickle.UnpicklingError(f"the file's pickle is damaged or not PyTorch's: {error}") from error
        raise pickle.UnpicklingError("the file's pickle has no end")

    def _step(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        else:
            match name:
                case "PROTO" | "FRAME":
                    pass
                case "MARK":
                    stack.append(_MARK)
                case "POP":
                    stack.pop()
                case "POP_MARK":
                    self._since_mark()
                case "EMPTY_LIST":
                    stack.append([])
                case "EMPTY_DICT":
                    stack.append({})
                case "EMPTY_SET":
                    stack.append(set())
                case "EMPTY_TUPLE":
                    stack.append(())
                case "TUPLE1" | "TUPLE2" | "TUPLE3":
                    n = int(name[-1])
                    stack[-n:] = [tuple(stack[-n:])]
                case "TUPLE":
                    stack.append(tuple(self._since_mark()))
                case "LIST":
                    stack.append(self._since_mark())
                case "DICT":
                    stack.append(_pairs(self._since_mark()))
                case "FROZENSET":
                    stack.append(frozenset(self._since_mark()))
                case "APPEND":
                    value = stack.pop()
                    _checked(stack[-1], list).append(value)
                case "APPENDS":
                    values = self._since_mark()
                    _checked(stack[-1], list).extend(values)
                case "SETITEM":
                    values = [stack.pop(), stack.pop()][::-1]
                    _checked(stack[-1], dict).update(_pairs(values))
                case "SETITEMS":
                    values = self._since_mark()
                    _checked(stack[-1], dict).update(_pairs(values))
                case "ADDITEMS":
                    values = self._since_mark()
                    _checked(stack[-1], set).update(values)
                case "PUT" | "BINPUT" | "LONG_BINPUT":
                    self._memo[argument] = stack[-1]
                case "MEMOIZE":
                    self._memo[len(self._memo)] = stack[-1]
                case "GET" | "BINGET" | "LONG_BINGET":
                    stack.append(self._memo[argument])
                case "GLOBAL":
                    stack.append(self._named(*argument.split(" ", 1)))
                case "STACK_GLOBAL":
                    name, module = stack.pop(), stack.pop()
                    stack.append(self._named(module, name))
                case "BINPERSID":
                    stack.append(self._stored(stack.pop()))
                case "REDUCE":
                    arguments = stack.pop()
                    stack.append(self._call(stack.pop(), arguments))
                case "NEWOBJ":
                    arguments = stack.pop()
                    stack.append(self._object(stack.pop(), arguments))
                case "BUILD":
                    state = stack.pop()
                    self._fill(stack[-1], state)
                case _:
                    raise pickle.UnpicklingError(f"the file's pickle uses {name}, which torch.save never writes")

    def _since_mark(self) -> list[Any]:
        place = len(self._stack) - 1
        while self._stack[place] is not _MARK:
            place -= 1
        values = self._stack[place + 1 :]
        del self._stack[place:]
        return values

    def _named(self, module: str, name: str) -> Any:
        module = _SAME_AS.get(module, module)
        known = rebuild.word(module, name)
        return classes.resolve(module, name, weights_only=self._weights_only) if known is None else known

    def _stored(self, reference: Any) -> Any:
        match reference:
            case ("storage", Word(module="torch", name=name), str(key), str(location), int(size)):
                return self._storage(Stored(name, key, location, size))
        raise pickle.UnpicklingError(f"the file refers to {reference!r}, which is not a storage")

    def _call(self, function: Any, arguments: Any) -> Any:
        if not isinstance(function, Word) or not isinstance(arguments, tuple):
            raise pickle.UnpicklingError(
                f"the file calls {function!r}: torch.load calls only the functions that rebuild tensors and containers"
            )
        if function == Word("copyreg", "_reconstructor"):  # an object, as protocols 0 and 1 write it
            return self._object(arguments[0], arguments[2:] if arguments[2:] != (None,) else ())
        return rebuild.call(function, arguments)

    def _object(self, kind: Any, arguments: Any) -> Any:
        if arguments != ():
            raise pickle.UnpicklingError(
                f"the file makes an object of {kind!r} out of arguments, which torch.load does not do"
            )
        made = classes.new(kind)
        self._made[id(made)] = made
        return made

    def _fill(self, made: Any, state: Any) -> None:
        if id(made) in self._made:
            classes.fill(made, state)
        elif isinstance(made, OrderedDict):
            made.__dict__.update(state)  # a state_dict's _metadata
        elif isinstance(made, (np.ndarray, np.dtype)):
            rebuild.fill_numpy(made, state)
        else:
            raise pickle.UnpicklingError(f"the file fills in a {type(made).__name__}, which torch.load does not do")


def _pairs(values: list[Any]) -> dict[Any, Any]:
    return dict(zip(values[::2], values[1::2], strict=True))


def _checked(container: Any, kind: type) -> Any:
    if not isinstance(container, kind):
        raise pickle.UnpicklingError(
            f"the file puts things into a {type(container).__name__} as into a {kind.__name__}"
        )
    return container
