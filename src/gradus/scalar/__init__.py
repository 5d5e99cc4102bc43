"""Scalars: a number that knows its derivatives, neurons made of such numbers, and a compiler for both."""

from gradus.scalar.compiler import Compiled, compile
from gradus.scalar.nn import MLP, Layer, Module, Neuron
from gradus.scalar.value import Value

__all__ = ["MLP", "Compiled", "Layer", "Module", "Neuron", "Value", "compile"]
