"""`torch.backends`: settings of PyTorch's libraries, which can be read and set, without effect."""

from gradus.engine.compat.absent import refuse
from gradus.engine.compat.backends import cpu, cuda, cudnn, mkl, mkldnn, mps, openmp

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]

__getattr__ = refuse(__name__)
