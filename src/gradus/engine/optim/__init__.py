"""Optimizers and learning-rate schedules, as `torch.optim` has them."""

from gradus.engine.compat.absent import refuse
from gradus.engine.optim import lr_scheduler
from gradus.engine.optim.adadelta import Adadelta
from gradus.engine.optim.adafactor import Adafactor
from gradus.engine.optim.adagrad import Adagrad
from gradus.engine.optim.adam import Adam, AdamW
from gradus.engine.optim.adamax import Adamax
from gradus.engine.optim.asgd import ASGD
from gradus.engine.optim.lbfgs import LBFGS
from gradus.engine.optim.muon import Muon
from gradus.engine.optim.nadam import NAdam
from gradus.engine.optim.optimizer import Optimizer
from gradus.engine.optim.radam import RAdam
from gradus.engine.optim.rmsprop import RMSprop
from gradus.engine.optim.rprop import Rprop
from gradus.engine.optim.sgd import SGD

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
]

__getattr__ = refuse(__name__)
