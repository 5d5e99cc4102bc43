"""How good labels are: accuracy, F1 and which label is taken for which; and the classical baseline to hold them
against, words weighted by TF-IDF with logistic regression, which on little data is often the better choice."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Confusion:
    """Which labels were given to which texts.

    >>> confusion = Confusion.of([0, 0, 1, 1], [0, 1, 1, 1], ["cat", "dog"])
    >>> confusion.table.tolist()
    [[1, 1], [0, 2]]
    >>> confusion.accuracy
    0.75

    Attributes:
        labels: the names of the n labels.
        table: (n, n) how many texts with the label of the row were given that of the column.
    """

    labels: tuple[str, ...]
    table: Ints

    def __repr__(self) -> str:
        return (
            f"Confusion({len(self.labels)} labels, {self.table.sum():,} texts: accuracy {self.accuracy:.4f}, "
            f"macro F1 {self.macro_f1:.4f})"
        )

    @classmethod
    def of(cls, true: ArrayLike, given: ArrayLike, labels: Sequence[str]) -> Confusion:
        """From the true labels and those that were given, (N,) each, as numbers."""
        table = np.zeros((len(labels), len(labels)), dtype=np.int64)
        np.add.at(table, (np.asarray(true), np.asarray(given)), 1)
        return cls(tuple(labels), table)

    @property
    def accuracy(self) -> float:
        """The part of the texts that were given their label."""
        return float(np.trace(self.table) / self.table.sum())

    @property
    def f1(self) -> NDArray[np.float64]:
        """(n,) of each label the harmonic mean of precision and recall; 0 for one that no text has or was given."""
        right = np.diagonal(self.table)
        both = self.table.sum(axis=0) + self.table.sum(axis=1)  # given it, and having it
        out: NDArray[np.float64] = 2 * right / np.maximum(both, 1)
        return out

    @property
    def macro_f1(self) -> float:
        """The mean of the labels' F1, in which a rare label counts as much as a frequent one."""
        return float(self.f1.mean())


def has_sklearn() -> bool:
    return importlib.util.find_spec("sklearn") is not None


def tfidf_baseline(
    train: tuple[Sequence[str], Sequence[str]], test: tuple[Sequence[str], Sequence[str]], labels: Sequence[str]
) -> Confusion:
    """Learn from texts and labels, and label others: words and pairs of words weighted by TF-IDF, and logistic
    regression, by scikit-learn, with its own settings but for the pairs, logarithms of counts and C = 10.

    Raises:
        ImportError: if scikit-learn is not installed.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = LogisticRegression(C=10, max_iter=1000)
    model.fit(vectorizer.fit_transform(train[0]), train[1])
    given = model.predict(vectorizer.transform(test[0]))
    number = {label: i for i, label in enumerate(labels)}
    return Confusion.of([number[label] for label in test[1]], [number[label] for label in given], labels)
