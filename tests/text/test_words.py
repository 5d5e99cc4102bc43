"""The word tokenizer: its rule, its vocabulary, and its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradus.errors import UserError
from gradus.text import Corpus, WordTokenizer, load_tokenizer


def stream(text: str) -> Corpus:
    return Corpus("x", "stream", "", text=text)


def test_words_marks_and_line_ends_are_tokens() -> None:
    tokenizer = WordTokenizer.train(stream("a b\n"))
    assert tokenizer.split("Well-known, isn't it? “Yes.”\n\n(3.5)") == [
        "Well-known", ",", "isn't", "it", "?", "“", "Yes", ".", "”", "\n", "\n", "(", "3", ".", "5", ")",
    ]  # fmt: skip


def test_unk_in_a_text_is_a_word_between_two_marks() -> None:
    tokenizer = WordTokenizer.train(stream("the <unk> of <unk>\nthe end"))
    assert tokenizer.words == ("\n", "<unk>", "the", "<", "unk", ">", "of", "end")
    assert tokenizer.encode("<unk> other").tolist() == [3, 4, 5, 1]


def test_frequent_words_come_first_and_rare_ones_are_unknown() -> None:
    text = stream("b b b a a c\nc d")
    assert WordTokenizer.train(text).words == ("\n", "<unk>", "b", "a", "c", "d")
    assert WordTokenizer.train(text, 4).words == ("\n", "<unk>", "b", "a")
    tokenizer = WordTokenizer.train(text, min_count=2)
    assert tokenizer.words == ("\n", "<unk>", "b", "a", "c")
    assert tokenizer.encode("b\nd e").tolist() == [2, 0, 1, 1]


def test_lower_makes_capitals_small() -> None:
    tokenizer = WordTokenizer.train(stream("The the THE cat\ncat"), lower=True)
    assert tokenizer.words == ("\n", "<unk>", "the", "cat")
    assert tokenizer.encode("THE Cat").tolist() == [2, 3]


def test_a_list_of_a_texts_words_has_no_line_ends() -> None:
    tokenizer = WordTokenizer.train(stream("the\ncat\nsat\n"))
    assert tokenizer.encode("the\ncat\n").tolist() == [2, 3]


def test_what_a_list_of_words_has_on_a_line_stays_one_word() -> None:
    tokenizer = WordTokenizer.train(Corpus("list", "stream", "", text="The\nU.S.\n``\nover-all\n''\n.\n"))
    assert tokenizer.words == ("\n", "<unk>", "The", "U.S.", "``", "over-all", "''", ".")
    assert tokenizer.encode("The U.S. ''").tolist() == [2, 3, 6]


def test_documents_are_separated_by_id_0() -> None:
    corpus = Corpus("x", "documents", "", documents=("a cat", "a dog"))
    assert WordTokenizer.train(corpus).encode_documents(corpus.documents).tolist() == [0, 2, 3, 0, 2, 4, 0]


@given(st.lists(st.sampled_from(["\n", "word", ",", "(", "don't", "”", "x"]), max_size=20))
def test_words_survive_decoding_and_a_stream_is_what_decode_gives(words: list[str]) -> None:
    tokenizer = WordTokenizer.train(stream("word , ( don't ” x\n"))
    ids = tokenizer.encode(" ".join(words))
    text = tokenizer.decode(ids)
    assert tokenizer.encode(text).tolist() == ids.tolist()
    assert "".join(tokenizer.stream(ids.tolist())) == text


def test_decoding_spaces_words_as_one_writes_them() -> None:
    text = "Well, (he said) “yes”: 3!\nNo; never."
    tokenizer = WordTokenizer.train(stream(text))
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    tokenizer = WordTokenizer.train(stream("A b\nc"), lower=True)
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = load_tokenizer(tmp_path)
    assert isinstance(loaded, WordTokenizer)
    assert vars(loaded) == vars(tokenizer)


@pytest.mark.parametrize(
    "change",
    [{"words": ["a"]}, {"words": ["\n", "<unk>", "a", "a"]}, {"words": "text"}, {"words": [1]}, {"lower": "yes"}],
)
def test_a_damaged_file_is_the_users_error(tmp_path: Path, change: dict[str, object]) -> None:
    fields = json.loads(WordTokenizer.train(stream("a b")).to_json())
    (tmp_path / "tokenizer.json").write_text(json.dumps(fields | change), encoding="utf-8")
    with pytest.raises(UserError, match=r"tokenizer\.json cannot be used"):
        load_tokenizer(tmp_path)


def test_a_vocabulary_without_room_for_a_word_is_the_users_error() -> None:
    with pytest.raises(UserError, match="vocab_size must be at least 3"):
        WordTokenizer.train(stream("a b"), 2)
