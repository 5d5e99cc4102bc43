"""A deep learning engine with PyTorch's names on NumPy arrays: `import gradus.engine as torch`."""

import typing as _typing
import warnings
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

from gradus.engine import autograd as autograd

from gradus.engine.tensor import Tensor as Tensor  # isort: skip; first, as the function `tensor` takes the module's name
from gradus.engine.autograd.grad_mode import enable_grad as enable_grad
from gradus.engine.autograd.grad_mode import inference_mode as inference_mode
from gradus.engine.autograd.grad_mode import is_grad_enabled as is_grad_enabled
from gradus.engine.autograd.grad_mode import is_inference_mode_enabled as is_inference_mode_enabled
from gradus.engine.autograd.grad_mode import no_grad as no_grad
from gradus.engine.autograd.grad_mode import set_grad_enabled as set_grad_enabled
from gradus.engine.dtypes import *  # noqa: F403
from gradus.engine.functions import *  # noqa: F403
from gradus.engine.printing import set_printoptions as set_printoptions
from gradus.engine.random import Generator as Generator
from gradus.engine.random import default_generator as default_generator

# 1/0 is inf and 0/0 is nan, as in PyTorch: NumPy's warnings about them, where they come from the engine, are not shown.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"gradus\.engine\.")

from gradus.engine.compat import surface as _surface  # noqa: E402

if _typing.TYPE_CHECKING:
    from gradus.engine.compat.surface import *  # noqa: F403
else:
    globals().update({name: value for name, value in vars(_surface).items() if name in _surface.__all__})
    __getattr__ = _surface.find


def __dir__() -> list[str]:
    return sorted({*globals(), *_surface.__all__})
