"""How good a model is: its loss over a whole split, in nats, in bits per character, as perplexity; and where it is
surprised."""

from gradus.evaluation.score import Score, evaluate
from gradus.evaluation.surprise import Surprise, token_losses, worst

__all__ = ["Score", "Surprise", "evaluate", "token_losses", "worst"]
