"""Generation: sampling rules to draw the next token, and one loop for every model."""

from gradus.generation.generate import generate, stream
from gradus.generation.sample import SamplingRule, sample_token

__all__ = ["SamplingRule", "generate", "sample_token", "stream"]
