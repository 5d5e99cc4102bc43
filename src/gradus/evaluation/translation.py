"""How good translations are: how many are exactly right, and BLEU (Papineni et al., 2002) by sacrebleu, whose signature
says how it was computed, so that two figures can be compared (Post, 2018)."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest


@dataclass(frozen=True)
class TranslationScore:
    """Attributes:
    count: how many texts were translated.
    exact: how many are equal to one of their references, but for spaces at the ends.
    bleu: 0 to 100, over all references; None where sacrebleu is not installed.
    signature: of sacrebleu.
    """

    count: int
    exact: int
    bleu: float | None = None
    signature: str = ""

    @property
    def exact_match(self) -> float:
        """The part of the translations that are exactly right."""
        return self.exact / self.count


def has_sacrebleu() -> bool:
    return importlib.util.find_spec("sacrebleu") is not None


def score_translations(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]], *, bleu: bool = True
) -> TranslationScore:
    """Score translations against the references of each, one or more.

    Args:
        bleu: whether to compute BLEU, where sacrebleu is installed: it makes no sense of strings of letters.

    Raises:
        ValueError: if there are none, or not as many references as translations.
    """
    if not hypotheses or len(hypotheses) != len(references):
        raise ValueError(f"got {len(hypotheses)} translations and references for {len(references)}")
    pairs = zip(hypotheses, references, strict=True)
    exact = sum(hypothesis.strip() in {r.strip() for r in right} for hypothesis, right in pairs)
    if not (bleu and has_sacrebleu()):
        return TranslationScore(len(hypotheses), exact)
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU()
    streams = [list(stream) for stream in zip_longest(*references)]  # None where a text has fewer references
    score = metric.corpus_score(list(hypotheses), streams)
    return TranslationScore(len(hypotheses), exact, score.score, str(metric.get_signature()))
