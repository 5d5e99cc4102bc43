"""How good a model is: its loss over a whole split, in nats, in bits per character, as perplexity; where it is
surprised; which ending of a text it chooses, also after examples; how many of its translations and labels are right."""

from gradus.evaluation.choices import Choices, Item, choose
from gradus.evaluation.classification import Confusion, has_sklearn, tfidf_baseline
from gradus.evaluation.hellaswag import hellaswag, read_hellaswag
from gradus.evaluation.score import Score, evaluate
from gradus.evaluation.surprise import Surprise, token_losses, worst
from gradus.evaluation.task import Prompts, read_task
from gradus.evaluation.translation import TranslationScore, has_sacrebleu, score_translations

__all__ = [
    "Choices",
    "Confusion",
    "Item",
    "Prompts",
    "Score",
    "Surprise",
    "TranslationScore",
    "choose",
    "evaluate",
    "has_sacrebleu",
    "has_sklearn",
    "hellaswag",
    "read_hellaswag",
    "read_task",
    "score_translations",
    "tfidf_baseline",
    "token_losses",
    "worst",
]
