"""Generation: sampling rules to draw the next token, one loop for every model, whole texts, and translations
and other answers to a text."""

from gradus.generation.answers import fill_masks, label_probabilities, translations
from gradus.generation.decoder import half_precision
from gradus.generation.generate import generate, stream
from gradus.generation.sample import SamplingRule, sample_token
from gradus.generation.texts import Texts, samples
from gradus.generation.translate import Hypothesis, beam_search, translate

__all__ = [
    "Hypothesis",
    "SamplingRule",
    "Texts",
    "beam_search",
    "fill_masks",
    "generate",
    "half_precision",
    "label_probabilities",
    "sample_token",
    "samples",
    "stream",
    "translate",
    "translations",
]
