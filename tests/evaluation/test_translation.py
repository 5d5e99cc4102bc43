"""Exact matches and BLEU, over all references of a source."""

from __future__ import annotations

import pytest

from gradus.evaluation import score_translations


def test_any_reference_will_do_and_spaces_at_the_ends_do_not_count() -> None:
    score = score_translations(["a b", " c", "d"], [["x", "a b "], ["c"], ["e", "f", "g"]], bleu=False)
    assert (score.count, score.exact, score.exact_match, score.bleu) == (3, 2, 2 / 3, None)


def test_bleu_is_that_of_sacrebleu_with_its_signature() -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    found = ["The dog bit the man.", "It was not unexpected.", "The man bit him first."]
    references = [["The dog bit the man.", "The dog had bit the man."], ["It was not unexpected at all."], ["The man"]]
    score = score_translations(found, references)
    # Those without a second reference have None there, which sacrebleu leaves out.
    streams = [["The dog bit the man.", "It was not unexpected at all.", "The man"]]
    more = [*streams, ["The dog had bit the man.", None, None]]
    assert score.bleu == pytest.approx(sacrebleu.corpus_bleu(found, more).score)
    assert score.signature.startswith("nrefs:var|case:mixed|")
    perfect = score_translations(found, [[text, "other words"] for text in found])
    assert perfect.bleu == pytest.approx(100)


def test_nothing_to_score_is_an_error() -> None:
    with pytest.raises(ValueError, match="got 0 translations and references for 0"):
        score_translations([], [])
