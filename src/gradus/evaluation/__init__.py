"""How good a model is: its loss over a whole split, in nats, in bits per character, as perplexity; where it is
surprised; which ending of a story it chooses; how many of its translations and labels are right."""

from gradus.evaluation.classification import Confusion, has_sklearn, tfidf_baseline
from gradus.evaluation.hellaswag import Choices, hellaswag, read_hellaswag
from gradus.evaluation.score import Score, evaluate
from gradus.evaluation.surprise import Surprise, token_losses, worst
from gradus.evaluation.translation import TranslationScore, has_sacrebleu, score_translations

__all__ = [
    "Choices",
    "Confusion",
    "Score",
    "Surprise",
    "TranslationScore",
    "evaluate",
    "has_sacrebleu",
    "has_sklearn",
    "hellaswag",
    "read_hellaswag",
    "score_translations",
    "tfidf_baseline",
    "token_losses",
    "worst",
]
