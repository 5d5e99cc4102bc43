"""How good a model is: its loss over a whole split, in nats, in bits per character, as perplexity; where it is
surprised; how many of its translations and labels are right."""

from gradus.evaluation.classification import Confusion, has_sklearn, tfidf_baseline
from gradus.evaluation.score import Score, evaluate
from gradus.evaluation.surprise import Surprise, token_losses, worst
from gradus.evaluation.translation import TranslationScore, has_sacrebleu, score_translations

__all__ = [
    "Confusion",
    "Score",
    "Surprise",
    "TranslationScore",
    "evaluate",
    "has_sacrebleu",
    "has_sklearn",
    "score_translations",
    "tfidf_baseline",
    "token_losses",
    "worst",
]
