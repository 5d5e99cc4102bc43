"""`torch.utils`: loading data, logs for TensorBoard, and `checkpoint`."""

from gradus.engine.compat.absent import refuse
from gradus.engine.utils import checkpoint, data, tensorboard

__all__ = ["checkpoint", "data", "tensorboard"]

__getattr__ = refuse(__name__)
