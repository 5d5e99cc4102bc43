"""How a model writes: rules to draw the next token, and one loop for every model."""

from gradus.generation.generate import generate, stream
from gradus.generation.sample import sample_token

__all__ = ["generate", "sample_token", "stream"]
