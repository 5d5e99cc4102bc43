"""How a model writes: rules to draw the next token, and one loop for every model."""

from gradus.generation.generate import generate, stream
from gradus.generation.sample import check_rule, sample_token

__all__ = ["check_rule", "generate", "sample_token", "stream"]
