"""Accuracy, F1 and the confusion matrix against scikit-learn's, and the classical baseline."""

from __future__ import annotations

import numpy as np
import pytest

from gradus.evaluation import Confusion, tfidf_baseline

LABELS = ("a", "b", "c", "d")


def test_confusion_is_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(0)
    true, given = random.integers(4, size=(2, 300))
    given = np.where(random.random(300) < 0.5, true, given)
    confusion = Confusion.of(true, given, LABELS)
    assert confusion.table.tolist() == metrics.confusion_matrix(true, given).tolist()
    assert confusion.accuracy == pytest.approx(metrics.accuracy_score(true, given))
    assert confusion.macro_f1 == pytest.approx(metrics.f1_score(true, given, average="macro"))
    assert confusion.f1.tolist() == pytest.approx(metrics.f1_score(true, given, average=None).tolist())


def test_label_that_no_text_has_counts_as_nothing_in_f1() -> None:
    confusion = Confusion.of([0, 0, 1], [0, 1, 1], LABELS)
    assert confusion.f1.tolist() == pytest.approx([2 / 3, 2 / 3, 0, 0])


def test_baseline_learns_words() -> None:
    pytest.importorskip("sklearn")
    texts = [f"{word} {i}" for i in range(10) for word in ("rain", "sun", "snow")]
    labels = [text.split()[0].upper() for text in texts]
    asked = ["more sun", "no snow", "rain rain"], ["SUN", "SNOW", "RAIN"]
    found = tfidf_baseline((texts, labels), asked, ["RAIN", "SNOW", "SUN"])
    assert found.accuracy == 1
