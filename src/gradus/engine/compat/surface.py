"""The names of `torch` besides tensors and their functions.

Half of the engine is imported at its first use, such as `torch.nn` and `torch.optim`: `import gradus.engine` then takes
a fifth of a second.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gradus.engine.compat.absent import in_pytorch, module_of, refuse
from gradus.engine.compat.runtime import (
    OutOfMemoryError,
    are_deterministic_algorithms_enabled,
    compile,
    get_deterministic_debug_mode,
    get_float32_matmul_precision,
    get_num_interop_threads,
    get_num_threads,
    is_deterministic_algorithms_warn_only_enabled,
    is_storage,
    is_warn_always_enabled,
    set_deterministic_debug_mode,
    set_float32_matmul_precision,
    set_flush_denormal,
    set_num_interop_threads,
    set_num_threads,
    set_warn_always,
    typename,
    use_deterministic_algorithms,
)
from gradus.engine.compat.torch_version import __version__
from gradus.engine.compat.untyped_storage import UntypedStorage
from gradus.engine.dtypes.limits import finfo, iinfo
from gradus.engine.functions import foreach
from gradus.engine.tensor import Tensor
from gradus.lazy import lazy

if TYPE_CHECKING:
    from gradus.engine import (
        distributions,
        fft,
        linalg,
        nn,
        optim,
        return_types,
        serialization,
        special,
        testing,
        utils,
    )
    from gradus.engine.autograd.anomaly_mode import is_anomaly_check_nan_enabled, is_anomaly_enabled
    from gradus.engine.compat import (
        accelerator,
        amp,
        backends,
        compiler,
        cpu,
        cuda,
        distributed,
        func,
        jit,
        mps,
        multiprocessing,
        profiler,
        torch_version,
        types,
        version,
        xpu,
    )
    from gradus.engine.compat.amp import autocast
    from gradus.engine.compat.tensor_types import set_default_tensor_type, tensortype
    from gradus.engine.dtypes.layouts import (
        channels_last,
        channels_last_3d,
        contiguous_format,
        layout,
        memory_format,
        preserve_format,
        sparse_coo,
        strided,
    )
    from gradus.engine.serialization import load, save

    BFloat16Tensor: tensortype
    BoolTensor: tensortype
    ByteTensor: tensortype
    CharTensor: tensortype
    DoubleTensor: tensortype
    FloatTensor: tensortype
    HalfTensor: tensortype
    IntTensor: tensortype
    LongTensor: tensortype
    ShortTensor: tensortype

__all__ = [
    "BFloat16Tensor",
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "OutOfMemoryError",
    "ShortTensor",
    "UntypedStorage",
    "__version__",
    "accelerator",
    "amp",
    "are_deterministic_algorithms_enabled",
    "autocast",
    "backends",
    "channels_last",
    "channels_last_3d",
    "compile",
    "compiler",
    "contiguous_format",
    "cpu",
    "cuda",
    "distributed",
    "distributions",
    "fft",
    "finfo",
    "func",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "iinfo",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_storage",
    "is_warn_always_enabled",
    "jit",
    "layout",
    "linalg",
    "load",
    "memory_format",
    "mps",
    "multiprocessing",
    "nn",
    "optim",
    "preserve_format",
    "profiler",
    "return_types",
    "save",
    "serialization",
    "set_default_tensor_type",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_num_threads",
    "set_warn_always",
    "sparse_coo",
    "special",
    "strided",
    "tensortype",
    "testing",
    "torch_version",
    "typename",
    "types",
    "use_deterministic_algorithms",
    "utils",
    "version",
    "xpu",
]

_MODULES = {
    "_C",
    "__config__",
    "_dynamo",
    "_inductor",
    "accelerator",
    "amp",
    "backends",
    "compiler",
    "cpu",
    "cuda",
    "distributed",
    "distributions",
    "fft",
    "func",
    "jit",
    "linalg",
    "mps",
    "multiprocessing",
    "nn",
    "optim",
    "profiler",
    "return_types",
    "serialization",
    "special",
    "testing",
    "torch_version",
    "types",
    "utils",
    "version",
    "xpu",
}
_HOMES = {
    "autocast": "compat.amp",
    "load": "serialization",
    "save": "serialization",
    "is_anomaly_check_nan_enabled": "autograd.anomaly_mode",
    "is_anomaly_enabled": "autograd.anomaly_mode",
    "set_default_tensor_type": "compat.tensor_types",
    "tensortype": "compat.tensor_types",
}
_LAYOUTS = (
    "channels_last", "channels_last_3d", "contiguous_format", "layout", "memory_format", "preserve_format",
    "sparse_coo", "strided",
)  # fmt: skip
_HOMES |= dict.fromkeys(_LAYOUTS, "dtypes.layouts")
_TENSOR_TYPES = frozenset(name for name in __all__ if name.endswith("Tensor"))
# Functions of `torch.nn.functional` that are also in `torch`, with the same arguments.
_OF_FUNCTIONAL = """
    adaptive_avg_pool1d adaptive_max_pool1d alpha_dropout avg_pool1d bilinear celu channel_shuffle conv1d conv2d conv3d
    conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d cosine_similarity dropout feature_alpha_dropout
    group_norm hardshrink layer_norm max_pool1d max_pool2d max_pool3d pairwise_distance pdist pixel_shuffle
    pixel_unshuffle prelu rms_norm selu threshold
""".split()  # noqa: SIM905
_HOMES |= dict.fromkeys(_OF_FUNCTIONAL, "nn.functional")


def find(name: str) -> Any:
    """The `__getattr__` of `torch`: imports a part at its first use, or raises an error that says what is not
    supported.
    """
    if name in _MODULES:
        return module_of(f".{name}")
    if name.startswith("_foreach_") and name in foreach.NAMES:
        return foreach.find(name)
    if name.endswith("_") and hasattr(Tensor, name) and in_pytorch(f"torch.{name}"):
        return getattr(Tensor, name)  # torch.exp_(x) is x.exp_()
    if name in _TENSOR_TYPES:
        return importlib.import_module("gradus.engine.compat.tensor_types").of_module("torch")[name]
    return _find_late(name)


_find_late = lazy("gradus.engine", _HOMES, refuse("gradus.engine"))
