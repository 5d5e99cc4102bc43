"""Byte-level BPE: GPT-2's tokens against tiktoken, training against `tokenizers`, special tokens, and hard texts."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import tiktoken
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tiktoken.load import data_gym_to_mergeable_bpe_ranks

from gradus.errors import UserError
from gradus.text import BPETokenizer, Corpus
from gradus.text.bpe import BYTE_ORDER, LONG
from gradus.text.links import learn_merges
from gradus.text.split import GPT2, GPT4

strings = st.text() | st.text("aB é名𝒳😀'stlvred 0½.!\n\r\t\u2028\x1c\u00a0", max_size=60)
SAME = np.arange(256)


@cache
def theirs(folder: Path) -> tiktoken.Encoding:
    ranks = data_gym_to_mergeable_bpe_ranks(str(folder / "gpt2/vocab.bpe"), str(folder / "gpt2/encoder.json"))
    special = {"<|endoftext|>": 50256}
    return tiktoken.Encoding("gpt2", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special)


PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"  # as tiktoken has it


def taylor_swift(data_folder: Path) -> str:
    return (data_folder / "bpe/taylorswift.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def small() -> BPETokenizer:
    return BPETokenizer.train(["low low lower lowest, newer newest über 😀😀"] * 2, 280, special=["<|endoftext|>"])


# GPT-2's tokens


def test_gpt2_encodes_every_string_as_tiktoken_does(gpt2: BPETokenizer, data_folder: Path) -> None:
    @given(strings)
    def check(text: str) -> None:
        ids = gpt2.encode(text)
        assert ids.tolist() == theirs(data_folder).encode_ordinary(text)
        assert gpt2.decode(ids) == text

    check()


def test_gpt2_encodes_long_pieces_as_tiktoken_does(gpt2: BPETokenizer, data_folder: Path) -> None:
    @given(st.text("abet", min_size=LONG, max_size=3 * LONG) | st.text(st.characters(categories=["L"]), min_size=LONG))
    def check(text: str) -> None:
        assert gpt2.encode(text).tolist() == theirs(data_folder).encode_ordinary(text)

    check()


def test_gpt2_decodes_arbitrary_ids_as_tiktoken_does(gpt2: BPETokenizer, data_folder: Path) -> None:
    @given(st.lists(st.integers(0, 50256), max_size=40))
    def check(ids: list[int]) -> None:
        assert gpt2.decode_bytes(ids) == theirs(data_folder).decode_bytes(ids)
        assert gpt2.decode(ids) == theirs(data_folder).decode(ids) == "".join(gpt2.stream(ids))

    check()


def test_tiny_shakespeare_is_338025_tokens(gpt2: BPETokenizer, data_folder: Path) -> None:
    text = (data_folder / "tinyshakespeare.txt").read_text(encoding="utf-8")
    ids = gpt2.encode(text)
    assert len(ids) == 338_025
    assert ids.tolist() == theirs(data_folder).encode_ordinary(text)
    assert gpt2.decode(ids) == text
    cut = int(0.9 * len(text))
    assert (len(gpt2.encode(text[:cut])), len(gpt2.encode(text[cut:]))) == (301_966, 36_059)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Hello, I'm a language model,", [15496, 11, 314, 1101, 257, 3303, 2746, 11]),
        ("     hello world!!!", [220, 220, 220, 220, 23748, 995, 10185]),
        ("", []),
        ("\0\0", [188, 188]),
    ],
)
def test_gpt2_tokens_that_are_known(gpt2: BPETokenizer, text: str, ids: list[int]) -> None:
    assert gpt2.encode(text).tolist() == ids
    assert gpt2.decode(ids) == text


def test_every_token_of_gpt2_is_its_own_encoding(gpt2: BPETokenizer) -> None:
    """So that it does not matter whether a piece is looked up whole first, as tiktoken does."""
    unsplit = BPETokenizer(gpt2.vocab, gpt2.merges, pattern=None, special=gpt2.special)
    assert all(unsplit.encode_bytes(token).tolist() == [id_] for id_, token in enumerate(gpt2.vocab[:50256]))


# Bytes


@given(st.binary(max_size=60))
def test_arbitrary_bytes_have_ids_that_give_them_back(small: BPETokenizer, data: bytes) -> None:
    assert small.decode_bytes(small.encode_bytes(data)) == data


@given(strings)
def test_bytes_that_are_utf_8_are_encoded_as_their_text(small: BPETokenizer, text: str) -> None:
    assert small.encode_bytes(text.encode()).tolist() == small.encode(text).tolist()


# Training


def test_the_first_merges_are_the_known_ones(data_folder: Path) -> None:
    text = taylor_swift(data_folder)
    assert learn_merges({text.encode(): 1}, SAME, 4) == [(101, 32), (44, 32), (100, 32), (46, 32)]
    tokenizer = BPETokenizer.train([text], 260, pattern=GPT4)
    assert list(tokenizer.vocab[256:]) == [b"er", b"20", b"or", b"in"]
    whole = BPETokenizer.train([text], 260, pattern=None)
    assert whole.vocab[256:] == (b"e ", b", ", b"d ", b". ")


@pytest.mark.parametrize(("text", "pattern"), [("taylor swift", GPT2), ("taylor swift", GPT4), ("shakespeare", GPT2)])
def test_training_learns_what_tokenizers_learns(data_folder: Path, text: str, pattern: str) -> None:
    if text == "taylor swift":
        text = taylor_swift(data_folder)
    else:
        text = (data_folder / "tinyshakespeare.txt").read_text(encoding="utf-8")[:200_000]
    ours = BPETokenizer.train([text], 1000, pattern=pattern, special=["<|endoftext|>"])
    hf = tokenizers.Tokenizer.from_str(BPETokenizer.train([], 256, pattern=pattern).to_json())
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=999, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    hf.train_from_iterator([text], trainer)
    loaded = tokenizers.Tokenizer.from_str(ours.to_json())
    assert {token: id_ for token, id_ in loaded.get_vocab().items() if id_ != 999} == hf.get_vocab()


def test_documents_are_trained_on_one_by_one_and_separated_by_endoftext() -> None:
    corpus = Corpus("names", "documents", "", documents=("anna", "hannah", "anna"))
    tokenizer = BPETokenizer.train(corpus, 300)
    assert tokenizer.special == {"<|endoftext|>": tokenizer.vocab_size - 1}
    ids = tokenizer.encode_documents(corpus.documents)
    end = tokenizer.separator
    assert [tokenizer.vocab[i] for i in ids if i != end] == [b"anna", b"h", b"anna", b"h", b"anna"]
    assert ids[[0, -1]].tolist() == [end, end]
    assert Counter(ids.tolist())[end] == 4


def test_a_stream_has_no_special_token_and_begins_with_a_newline() -> None:
    tokenizer = BPETokenizer.train(Corpus("text", "stream", "", text="one two\none two\n"), 300)
    assert tokenizer.special == {}
    assert tokenizer.vocab[tokenizer.separator] == b"\n"


def test_vocab_size_must_have_room_for_the_bytes() -> None:
    with pytest.raises(UserError, match=r"at least 257, for the bytes and 1 special tokens, got 256"):
        BPETokenizer.train(["a"], 256, special=["<|endoftext|>"])


def test_bytes_have_gpt2s_order(gpt2: BPETokenizer) -> None:
    assert b"".join(gpt2.vocab[:256]) == BYTE_ORDER


# Special tokens


def test_special_tokens_are_taken_from_text_only_where_allowed(gpt2: BPETokenizer, data_folder: Path) -> None:
    text = "a<|endoftext|>b<|endoftext|>"
    encoding = theirs(data_folder)
    assert gpt2.encode(text).tolist() == encoding.encode_ordinary(text)
    assert 50256 not in gpt2.encode(text)
    for allowed in ("all", {"<|endoftext|>"}):
        ids = gpt2.encode(text, allowed_special=allowed)
        assert ids.tolist() == [64, 50256, 65, 50256]
        assert gpt2.decode(ids) == text
    with pytest.raises(UserError, match=r"'<\|endoftext\|>' at position 1, which is not allowed"):
        gpt2.encode(text, disallowed_special="all")
    assert gpt2.encode(text, allowed_special="all", disallowed_special="all").tolist() == [64, 50256, 65, 50256]
    with pytest.raises(UserError, match="no special token '<s>'"):
        gpt2.encode(text, allowed_special={"<s>"})


def test_training_text_with_the_text_of_a_special_token_is_plain() -> None:
    tokenizer = BPETokenizer.train(["<|endoftext|> " * 3], 300, special=["<|endoftext|>"])
    assert tokenizer.special["<|endoftext|>"] not in tokenizer.encode("<|endoftext|>")


# Hard texts


def test_half_a_surrogate_pair_is_the_replacement_character(gpt2: BPETokenizer, data_folder: Path) -> None:
    for text in ("a\ud800b", "\udc80", "\ud83d\ude00"):  # the last is a whole pair: 😀
        assert gpt2.encode(text).tolist() == theirs(data_folder).encode(text)


def test_a_character_comes_out_of_a_stream_with_its_last_byte(small: BPETokenizer) -> None:
    data = "é😀".encode()
    one_by_one = [small.encode_bytes(data[i : i + 1])[0] for i in range(len(data))]
    assert list(small.stream(one_by_one)) == ["", "é", "", "", "", "😀"]
    assert list(small.stream(one_by_one[:4])) == ["", "é", "", "", "\ufffd"]  # what is left over is not lost


def test_ids_out_of_range_are_refused(small: BPETokenizer) -> None:
    for ids in ([-1], [small.vocab_size]):
        with pytest.raises(IndexError, match=r"is not in 0\.\."):
            small.decode(ids)
    assert small.decode([]) == ""


def test_a_piece_of_a_million_letters_is_encoded_in_moments(gpt2: BPETokenizer, data_folder: Path) -> None:
    text = "a" * 1_000_001
    ids = gpt2.encode(text)
    assert gpt2.decode(ids) == text
    assert ids[:-1].tolist() == theirs(data_folder).encode("a" * 4) * 250_000


@pytest.mark.slow
def test_a_hundred_megabytes_on_one_line(gpt2: BPETokenizer) -> None:
    words = gpt2.encode("all on one line " * (100_000_000 // 16))
    assert len(words) == 4 * (100_000_000 // 16) + 1
    assert len(gpt2.encode("a" * 100_000_000)) == 25_000_000


# What a tokenizer must be


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v, m: (v[1:], m), "of the 256 bytes are not in the vocabulary"),
        (lambda v, m: (v[:-1], m), "which is not in the vocabulary"),
        (lambda v, m: (v, m[::-1]), "merge 0 is of a token that no merge before it makes"),
    ],
)
def test_a_vocabulary_that_does_not_hold_together_is_refused(change: object, message: str) -> None:
    tokenizer = BPETokenizer.train(["low low"], 300)
    vocab, merges = change(tokenizer.vocab, tokenizer.merges)  # type: ignore[operator]
    with pytest.raises(ValueError, match=message):
        BPETokenizer(vocab, merges)


def test_a_special_token_must_have_its_own_id() -> None:
    with pytest.raises(ValueError, match="the id 5 of the special token '<s>' is another token's"):
        BPETokenizer([bytes([b]) for b in BYTE_ORDER], [], special={"<s>": 5})
