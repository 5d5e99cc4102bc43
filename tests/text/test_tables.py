"""Pairs and labelled texts: files read as tables, how they are told apart and split, and the corpora with a name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.errors import UserError
from gradus.text import Corpus, load_corpus, summarize
from gradus.text.corpus import pairs_corpus
from gradus.text.made_pairs import part_of
from gradus.text.user_files import corpus_from_text, detect_kind

SOURCES = "".join(f"sentence {i}\tphrase {i}\n" for i in range(30))
MOODS = "".join(f"{'good' if i % 3 else 'bad'}\tthe film was the {i}th\n" for i in range(30))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (SOURCES, "pairs"),
        ("".join(f"{line}\tCC BY 2.0\n" for line in SOURCES.splitlines()), "pairs"),
        (SOURCES + "\n \n", "pairs"),  # blank lines are no lines
        (SOURCES + "no tab\n", "pairs"),  # a mistake, which is reported when it is read
        (SOURCES + "no tab\n" * 10, "documents"),
        ("\n".join(SOURCES.splitlines()[:19]), "stream"),  # not many
        ("\treturn x\n" * 30, "documents"),  # nothing before the TAB
        (MOODS, "labelled"),
        ("".join(f"{i % 6}\ttext {i}\n" for i in range(30)), "labelled"),
        ("".join(f"{i % 7}\ttext {i}\n" for i in range(30)), "pairs"),  # too few lines a label
        ("good\tfine\n" * 30, "labelled"),
    ],
)
def test_tables_are_told_apart_by_their_rule(text: str, kind: str) -> None:
    assert detect_kind(text) == kind


def test_source_with_several_targets_is_one_item(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text("Run!\tCours !\tCC BY\nGo.\tVa !\nRun!\tCourez !\n" + SOURCES, encoding="utf-8")
    corpus = load_corpus(path)
    assert (corpus.kind, corpus.documents[:2], corpus.targets[:2]) == (
        "pairs",
        ("Run!", "Go."),
        (("Cours !", "Courez !"), ("Va !",)),
    )
    assert list(corpus.pairs())[:3] == [("Run!", "Cours !"), ("Run!", "Courez !"), ("Go.", "Va !")]
    back = corpus.swapped()
    assert (back.documents[:3], back.targets[:3]) == (
        ("Cours !", "Courez !", "Va !"),
        (("Run!",), ("Run!",), ("Go.",)),
    )


@pytest.mark.parametrize("text", [SOURCES + "Run!\tCours !\nRun!\tCourez !\n", MOODS, "b\tx\ty\na\tx\n"])
def test_lines_of_a_table_are_read_back_as_it(text: str) -> None:
    for kind in ("pairs", "labelled"):
        corpus = corpus_from_text(text, name="x", kind=kind, source="x")
        assert corpus_from_text("\n".join(corpus.lines()), name="x", kind=corpus.kind, source="x") == corpus


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("pairs", "a\tb\n\nc d\n", r"line 3 of F has no TAB between source and target: 'c d'"),
        ("pairs", "a\tb\nc\t\n", r"line 2 of F has an empty target: 'c\\t'"),
        ("pairs", "a\tb\n \tc\n", r"line 2 of F has an empty source: ' \\tc'"),
        ("labelled", "a\tb\ncd\n", r"line 2 of F has no TAB between label and text: 'cd'"),
        ("labelled", "a\tb\nc\t \n", r"line 2 of F has an empty text"),
        ("labelled", "a\tb\na\tc\n", r"F has one label only, 'a'; to tell texts apart takes at least two"),
        ("pairs", "\n\n", "x is empty"),
    ],
)
def test_bad_table_is_the_users_error(kind: str, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        corpus_from_text(text, name="x", kind=kind, source="F")  # type: ignore[arg-type]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.text("ab", min_size=1), st.text("ab", min_size=1)), min_size=40))
def test_no_source_stands_in_two_parts_and_none_is_lost(pairs: list[tuple[str, str]]) -> None:
    corpus = pairs_corpus("x", "", pairs)
    if len(corpus.documents) < 10:
        return
    parts = corpus.splits()
    sources = [source for part in (parts.train, parts.dev, parts.test) for source in part.documents]
    assert sorted(sources) == sorted({source for source, _ in pairs})
    found = [pair for part in (parts.train, parts.dev, parts.test) for pair in part.pairs()]
    assert Counter(found) == Counter(pairs)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("xyz"), st.text("ab", min_size=1)), min_size=40))
def test_no_labelled_text_stands_in_two_parts_and_none_is_lost(items: list[tuple[str, str]]) -> None:
    labels, texts = zip(*items, strict=True)
    corpus = Corpus("x", "labelled", "", documents=texts, labels=labels)
    if len(set(texts)) < 10:
        return
    parts = corpus.splits()
    whole = (parts.train, parts.dev, parts.test)
    assert Counter(item for p in whole for item in zip(p.labels, p.documents, strict=True)) == Counter(items)
    assert sum(len(set(part.documents)) for part in whole) == len(set(texts))


@pytest.mark.parametrize("name", ["reverse", "sort"])
def test_made_pairs_never_train_on_what_they_are_tested_on(name: str) -> None:
    corpus = load_corpus(name)
    assert corpus.kind == "pairs"
    parts = corpus.splits()
    assert [len(part.documents) for part in (parts.train, parts.dev, parts.test)] == [8_000, 1_000, 1_000]
    assert parts.train.draw is not None
    assert parts.dev.draw is parts.test.draw is None
    tested = {*parts.dev.documents, *parts.test.documents}
    assert {part_of(source) for source in parts.test.documents} == {"test"}
    generator = np.random.default_rng(3)
    drawn = [parts.train.draw(generator) for _ in range(2_000)]
    assert not tested & {source for source, _ in drawn}
    assert not tested & set(parts.train.documents)
    for source, target in [*drawn, *parts.test.pairs()]:
        assert target == (source[::-1] if name == "reverse" else "".join(sorted(source)))
        assert 3 <= len(source) <= 10
    assert len(set(drawn)) > 1_900
    assert load_corpus(name).documents == corpus.documents
    with pytest.raises(UserError, match=f"{name} has no two sides that could be swapped"):
        corpus.swapped()


def test_docstrings_are_labelled_with_one_area_each() -> None:
    corpus = load_corpus("docstrings")
    assert corpus.kind == "labelled"
    counts = Counter(corpus.labels)
    assert set(counts) == {"code", "concurrency", "data", "files", "network", "numbers", "text"}
    assert min(counts.values()) > 200
    assert 6_000 < len(corpus.documents) < 20_000
    assert len(set(corpus.documents)) == len(corpus.documents)
    of = dict(zip(corpus.documents, corpus.labels, strict=True))
    assert of["A thread can be join()ed many times."] == "concurrency"


def test_summary_tells_of_tables() -> None:
    said = dict(summarize(corpus_from_text(SOURCES + "sentence 1\tun\n", name="x", kind="pairs", source="x")))
    assert said["sources"] == "30, 10 to 11 characters"
    assert said["targets"] == "31, 2 to 9 characters; 1 sources have several"
    assert said["train"].startswith("24 sources")
    assert said["sample"].startswith("sentence 0 -> phrase 0; ")
    said = dict(summarize(corpus_from_text(MOODS, name="x", kind="labelled", source="x")))
    assert said["labels"] == "2: good 20, bad 10"
    assert said["sample"].startswith("bad: the film was the 0th; ")
