"""Learning-rate schedules, as `torch.optim.lr_scheduler` has them.

`scheduler.step()` after each `optimizer.step()` sets every group's `lr` for the next.
"""

from gradus.engine.compat.absent import refuse
from gradus.engine.optim.combined_schedules import ChainedScheduler, ReduceLROnPlateau, SequentialLR
from gradus.engine.optim.cycles import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from gradus.engine.optim.schedule import LRScheduler
from gradus.engine.optim.schedules import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)

_LRScheduler = LRScheduler  # its name before PyTorch 2.0

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]

__getattr__ = refuse(__name__)
