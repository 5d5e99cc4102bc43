"""Computation graphs: read from Values or tensors, laid out, drawn, and walked step by step."""

from gradus.graph.frames import Frames
from gradus.graph.model import Edge, Group, Node
from gradus.graph.picture import Graph
from gradus.graph.read import graph
from gradus.graph.stepping import Step, Walk, walk
from gradus.graph.watch import watch

__all__ = ["Edge", "Frames", "Graph", "Group", "Node", "Step", "Walk", "graph", "walk", "watch"]
