"""How good a model is: its loss over a whole split, in nats, in bits per character, as perplexity."""

from gradus.evaluation.score import Score, evaluate

__all__ = ["Score", "evaluate"]
