"""The switches of PyTorch's libraries, as `torch.backends` has them: they can be asked and set, and switch nothing."""

from gradus.engine.compat.absent import refuse
from gradus.engine.compat.backends import cpu, cuda, cudnn, mkl, mkldnn, mps, openmp

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]

__getattr__ = refuse(__name__)
