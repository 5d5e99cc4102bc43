"""Generation: sampling rules to draw the next token, one loop for every model, whole texts, and translations."""

from gradus.generation.generate import generate, stream
from gradus.generation.sample import SamplingRule, sample_token
from gradus.generation.texts import Texts, samples
from gradus.generation.translate import Hypothesis, beam_search, translate

__all__ = [
    "Hypothesis",
    "SamplingRule",
    "Texts",
    "beam_search",
    "generate",
    "sample_token",
    "samples",
    "stream",
    "translate",
]
