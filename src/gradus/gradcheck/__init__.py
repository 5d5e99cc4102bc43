"""Gradient checking by finite differences, with the classic mistakes recognised by name."""

from gradus.gradcheck.check import Check, InputCheck, check
from gradus.gradcheck.derivative import Derivative, derivative

__all__ = ["Check", "Derivative", "InputCheck", "check", "derivative"]
