"""`torch._inductor`, the back of PyTorch's compiler, as far as programs name it: nothing is compiled here."""

from gradus.engine.compat._inductor import config as config
from gradus.engine.compat.absent import refuse

__getattr__ = refuse(__name__)
