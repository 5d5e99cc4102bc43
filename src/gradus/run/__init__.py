"""Running PyTorch programs and notebooks, as they are, on gradus's engine. PyTorch is not needed for it."""

from gradus.run.alias import torch_is_engine
from gradus.run.notebook import run_notebook
from gradus.run.program import run_program

__all__ = ["run_notebook", "run_program", "torch_is_engine"]
