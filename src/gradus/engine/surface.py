"""What programs touch of `torch` besides tensors and layers, under the names that `torch` has for it."""

from __future__ import annotations

from gradus.engine import (
    accelerator,
    amp,
    backends,
    cuda,
    distributed,
    jit,
    profiler,
    serialization,
    utils,
    version,
)
from gradus.engine.absent import refuse
from gradus.engine.amp import autocast
from gradus.engine.limits import finfo, iinfo
from gradus.engine.nn import parallel  # noqa: F401 (makes torch.nn.parallel known)
from gradus.engine.runtime import (
    are_deterministic_algorithms_enabled,
    compile,
    get_float32_matmul_precision,
    get_num_interop_threads,
    get_num_threads,
    is_deterministic_algorithms_warn_only_enabled,
    set_float32_matmul_precision,
    set_num_interop_threads,
    set_num_threads,
    use_deterministic_algorithms,
)
from gradus.engine.serialization import load, save
from gradus.engine.version import __version__

__all__ = [
    "__version__",
    "accelerator",
    "amp",
    "are_deterministic_algorithms_enabled",
    "autocast",
    "backends",
    "compile",
    "cuda",
    "distributed",
    "finfo",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "iinfo",
    "is_deterministic_algorithms_warn_only_enabled",
    "jit",
    "load",
    "profiler",
    "save",
    "serialization",
    "set_float32_matmul_precision",
    "set_num_interop_threads",
    "set_num_threads",
    "use_deterministic_algorithms",
    "utils",
    "version",
]

say_what_is_absent = refuse("gradus.engine")  # the `__getattr__` of `torch`
