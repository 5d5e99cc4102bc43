"""Optimizers and learning-rate schedules, as `torch.optim` has them."""

from gradus.engine.optim import lr_scheduler
from gradus.engine.optim.adagrad import Adagrad
from gradus.engine.optim.adam import Adam, AdamW
from gradus.engine.optim.muon import Muon
from gradus.engine.optim.optimizer import Optimizer
from gradus.engine.optim.rmsprop import RMSprop
from gradus.engine.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Muon", "Optimizer", "RMSprop", "lr_scheduler"]
