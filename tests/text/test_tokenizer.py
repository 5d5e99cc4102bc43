"""The character tokenizer: there and back, its file, and what it refuses."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradus.errors import UserError
from gradus.text import CharTokenizer, Corpus, load_tokenizer

any_text = st.text(st.characters(), min_size=1)  # surrogates included: JSON and UTF-32 must carry them


def stream(text: str) -> Corpus:
    return Corpus("x", "stream", "", text=text)


@given(any_text)
def test_decode_undoes_encode_and_ids_follow_the_sorted_alphabet(text: str) -> None:
    tokenizer = CharTokenizer.train(stream(text))
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int64
    assert tokenizer.decode(ids) == text
    assert [sorted(set(text))[i] for i in ids] == list(text)
    assert tokenizer.vocab_size == len(set(text))


@given(st.lists(st.text(st.characters(exclude_characters="\n")), min_size=1))
def test_separator_of_documents_is_id_0_whatever_sorts_before_it(documents: list[str]) -> None:
    tokenizer = CharTokenizer.train(Corpus("x", "documents", "", documents=(*documents, "\t a")))
    assert tokenizer.encode("\n").tolist() == [0]
    assert tokenizer.alphabet[1:] == "".join(sorted(set("".join([*documents, "\t a"]))))


def test_saved_and_loaded_tokenizer_is_the_same(tmp_path: Path) -> None:
    tokenizer = CharTokenizer('\nab"\\é𝄞\ud800')
    tokenizer.save(tmp_path / "new" / "tokenizer.json")
    loaded = load_tokenizer(tmp_path / "new" / "tokenizer.json")
    assert isinstance(loaded, CharTokenizer)
    assert loaded.alphabet == tokenizer.alphabet
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["tokenizer.json"]  # no temporary file is left


def test_empty_text_and_empty_ids() -> None:
    tokenizer = CharTokenizer("ab")
    assert tokenizer.encode("").tolist() == []
    assert tokenizer.decode([]) == ""


@pytest.mark.parametrize("unknown", ["A", "c", "é", "𝄞", "\ud800"])  # below, between and above the alphabet
def test_unknown_character_is_named_with_its_place(unknown: str) -> None:
    with pytest.raises(UserError) as caught:
        CharTokenizer("abd").encode("abba" + unknown + "a" + unknown)
    expected = f"unknown character {unknown!r} at position 4; it is not among the 3 characters of the alphabet 'abd'"
    assert str(caught.value) == expected


def test_decode_refuses_ids_out_of_range_and_fractions() -> None:
    with pytest.raises(IndexError, match=r"id 2 is not in 0\.\.1"):
        CharTokenizer("ab").decode([0, 2])
    with pytest.raises(IndexError, match=r"id -1 is not in 0\.\.1"):
        CharTokenizer("ab").decode([-1, 0])
    with pytest.raises(TypeError, match="integers"):
        CharTokenizer("ab").decode([0.5])


@pytest.mark.parametrize("alphabet", ["", "aba", ["ab"]])
def test_alphabet_must_be_distinct_characters(alphabet: str | list[str]) -> None:
    with pytest.raises(ValueError, match="distinct characters"):
        CharTokenizer(alphabet)


GOOD = {"format": "gradus tokenizer", "kind": "characters", "alphabet": "ab"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "damaged"),
        (b'{"format": "gradus tok', "damaged"),
        (b"\xff\xfe", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b"[1, 2]", "neither a tokenizer that gradus saved"),
        (b'{"version": "1.0", "model": {"type": "BPE"}}', "damaged: it has no pre_tokenizer"),
        (json.dumps(GOOD | {"kind": "runes"}).encode(), "unknown kind 'runes'"),
        (json.dumps(GOOD | {"kind": [1]}).encode(), "unknown kind"),
        (json.dumps(GOOD | {"alphabet": "aa"}).encode(), "cannot be used"),
        (json.dumps(GOOD | {"alphabet": ""}).encode(), "cannot be used"),
        (json.dumps(GOOD | {"alphabet": [1, 2]}).encode(), "cannot be used"),
        (b'{"format": "gradus tokenizer", "kind": "characters"}', "damaged"),
    ],
)
def test_damaged_or_foreign_file_is_the_users_error(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        load_tokenizer(path)
    assert "tokenizer.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the tokenizer .*No such file"):
        load_tokenizer(tmp_path / "tokenizer.json")


def test_failed_save_leaves_the_previous_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tokenizer.json"
    CharTokenizer("ab").save(path)

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gradus.files.os.fsync", full_disk)
    with pytest.raises(UserError, match=r"cannot write .*tokenizer\.json: No space left on device"):
        CharTokenizer("xyz").save(path)
    assert load_tokenizer(path).vocab_size == 2
    assert list(tmp_path.iterdir()) == [path]


def test_saved_file_can_be_read_by_others(tmp_path: Path) -> None:
    CharTokenizer("ab").save(tmp_path / "tokenizer.json")
    assert stat.S_IMODE((tmp_path / "tokenizer.json").stat().st_mode) & 0o444 == 0o444


def test_save_under_a_file_is_the_users_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot write"):
        CharTokenizer("ab").save(tmp_path / "file" / "tokenizer.json")
