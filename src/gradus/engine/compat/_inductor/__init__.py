"""`torch._inductor`, the back end of PyTorch's compiler: the names that programs use, without effect."""

from gradus.engine.compat._inductor import config as config
from gradus.engine.compat.absent import refuse

__getattr__ = refuse(__name__)
