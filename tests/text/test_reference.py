"""The published facts about the two public corpora."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from gradus.text import Batches, CharTokenizer, load_corpus, make_rows
from gradus.text.download import NAMES, SHAKESPEARE, RemoteFile

pytestmark = pytest.mark.usefixtures("data_folder")


@pytest.mark.parametrize("file", [NAMES, SHAKESPEARE], ids=lambda file: file.filename)
def test_files_have_the_stated_size_and_sha256(file: RemoteFile, data_folder: Path) -> None:
    data = (data_folder / file.filename).read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (file.size, file.sha256)


def test_names_are_32033_of_which_29494_distinct() -> None:
    names = load_corpus("names")
    assert names.kind == "documents"
    assert (len(names.documents), len(set(names.documents)), names.characters) == (32_033, 29_494, 228_146)
    assert {min(map(len, names.documents)), max(map(len, names.documents))} == {2, 15}
    assert CharTokenizer.train(names).alphabet == "\nabcdefghijklmnopqrstuvwxyz"


def test_names_split_as_in_the_lectures() -> None:
    names = load_corpus("names")
    parts, tokenizer = names.splits(), CharTokenizer.train(names)
    assert [len(part.documents) for part in (parts.train, parts.dev, parts.test)] == [25_626, 3_203, 3_204]
    assert parts.train.documents[:5] == ("yuheng", "diondre", "xavien", "jori", "juanluis")
    rows = [make_rows(part, tokenizer, 16) for part in (parts.train, parts.dev, parts.test)]
    assert [row.scored for row in rows] == [182_625, 22_655, 22_866]


def test_names_bigrams_counted_from_batches_are_the_published_ones() -> None:
    names = load_corpus("names")
    tokenizer = CharTokenizer.train(names)
    batches = Batches(names, tokenizer, 16, 64, seed=3)
    counts = np.zeros((27, 27), dtype=np.int64)
    for step in range(batches.steps_per_epoch):
        x, y = batches.batch(step)
        np.add.at(counts, (x[y >= 0], y[y >= 0]), 1)
    end, a, n = tokenizer.encode("\nan")
    assert counts.sum() == 228_146
    assert (counts == 0).sum() == 102
    assert (counts[n, end], counts[a, end], counts[a, n], counts[end, a]) == (6_763, 6_640, 5_438, 4_410)
    smoothed = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
    loss = -(counts * np.log(smoothed)).sum() / counts.sum()
    assert loss == pytest.approx(2.454576820116076, abs=1e-12)  # float64 sums of the same terms


def test_shakespeare_has_65_symbols_and_nanogpts_validation_text() -> None:
    shakespeare = load_corpus("shakespeare")
    parts, tokenizer = shakespeare.splits(), CharTokenizer.train(shakespeare)
    assert shakespeare.kind == "stream"
    assert (shakespeare.characters, tokenizer.vocab_size) == (1_115_394, 65)
    assert (parts.train.characters + parts.dev.characters, parts.test.characters) == (1_003_854, 111_540)
    assert parts.train.text.endswith(shakespeare.text[600_000:1_003_854])
    assert parts.test.text == shakespeare.text[1_003_854:]
    np.testing.assert_array_equal(
        tokenizer.encode("hii there"), [46, 47, 47, 1, 58, 46, 43, 56, 43]
    )  # the video lecture
