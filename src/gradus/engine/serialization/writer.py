"""Writing an object as PyTorch pickles it: tensors by PyTorch's names, their memory outside the pickle."""

from __future__ import annotations

import codecs
import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, ClassVar

from gradus.engine import dtypes
from gradus.engine.dtypes import Array
from gradus.engine.nn.parameter import Parameter
from gradus.engine.random.generator import Generator
from gradus.engine.serialization.storages import Shelf, Storage
from gradus.engine.tensor import Tensor


def pickled(obj: object, protocol: int) -> tuple[bytes, dict[str, Array]]:
    """The pickle of an object, and the memory of its tensors by the names of their records."""
    file = io.BytesIO()
    pickler = Pickler(file, protocol)
    pickler.dump(obj)
    return file.getvalue(), {storage.key: storage.array for storage in pickler.shelf.storages.values()}


class Named:
    """A class or function of PyTorch, of which a pickle has only the name."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, *_: Any) -> None:
        raise TypeError(f"{self.module}.{self.name} is only a name here")


REBUILD_TENSOR = Named("torch._utils", "_rebuild_tensor_v2")
REBUILD_PARAMETER = Named("torch._utils", "_rebuild_parameter")
SIZE = Named("torch", "Size")
DEVICE = Named("torch", "device")


class Pickler(pickle._Pickler):
    """Python's pickler, in its pure Python form: the C one cannot write names that are not importable here."""

    # Attributes that typeshed omits.
    proto: int
    save: Callable[[object], None]
    write: Callable[[bytes], None]
    memoize: Callable[[object], None]

    def __init__(self, file: io.BytesIO, protocol: int) -> None:
        super().__init__(file, protocol)
        self.shelf = Shelf()
        self._names: dict[str, Named] = {}  # one object for each name, because the pickler remembers objects

    def persistent_id(self, obj: object) -> Any:
        """A storage is written as a reference to its record."""
        if isinstance(obj, Storage):
            return ("storage", self._named(obj.name), obj.key, "cpu", obj.array.size)
        return None

    def reducer_override(self, obj: object) -> Any:
        """The function and arguments that rebuild the object."""
        match obj:
            case Parameter():
                data = Tensor._wrap(obj._array)
                data._base = obj._base
                return REBUILD_PARAMETER, (data, obj.requires_grad, OrderedDict())
            case Tensor():
                storage, offset, stride = self.shelf.place(obj)
                return REBUILD_TENSOR, (storage, offset, tuple(obj.shape), stride, obj.requires_grad, OrderedDict())
            case dtypes.Size():
                return SIZE, (tuple(obj),)
            case dtypes.device():
                return DEVICE, (obj.type,) if obj.index is None else (obj.type, obj.index)
            case bytes() if not obj and self.proto < 3:  # PyTorch cannot read Python's own format
                return codecs.encode, ("", "latin1")
            case Generator():
                raise pickle.PicklingError("a Generator cannot be saved: save its get_state()")
        return NotImplemented

    def save_named(self, obj: Named) -> None:
        """Write a name."""
        if self.proto >= 4:
            self.save(obj.module)
            self.save(obj.name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        self.memoize(obj)

    def save_dtype(self, obj: dtypes.dtype) -> None:
        """Write a dtype as a name, such as torch.float32."""
        self.save(self._named(obj.name))

    def _named(self, name: str) -> Named:
        return self._names.setdefault(name, Named("torch", name))

    dispatch: ClassVar[dict[type, Callable[..., None]]] = {
        **pickle._Pickler.dispatch,
        Named: save_named,
        dtypes.dtype: save_dtype,
    }
