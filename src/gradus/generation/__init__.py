"""Generation: sampling rules to draw the next token, one loop for every model, and whole texts."""

from gradus.generation.generate import generate, stream
from gradus.generation.sample import SamplingRule, sample_token
from gradus.generation.texts import Texts, samples

__all__ = ["SamplingRule", "Texts", "generate", "sample_token", "samples", "stream"]
