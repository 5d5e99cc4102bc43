"""The files of BPE tokenizers: what others wrote is read, what we write others read, and what is damaged is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from gradus.errors import UserError
from gradus.text import BPETokenizer, load_tokenizer
from gradus.text.bpe_files import LETTERS, to_vocab_and_merges
from gradus.text.split import GPT2, GPT4

SPECIAL = "<|endoftext|>"
strings = st.text() | st.text("aB é名𝒳😀'stlvred 0½.!\n\r\t\u2028\x1c\u00a0", max_size=60)


def trained(pattern: str | None = GPT2) -> BPETokenizer:
    text = "The quick brown fox, the quicker fox; 12345 foxes' 12346th über-fox!\n\n  Don't DON'T"
    return BPETokenizer.train([text] * 3, 300, pattern=pattern, special=[SPECIAL])


def same(one: BPETokenizer, other: object) -> bool:
    assert isinstance(other, BPETokenizer)
    return (one.vocab, one.merges, one.pattern, one.special) == (
        other.vocab,
        other.merges,
        other.pattern,
        other.special,
    )


@pytest.mark.parametrize("pattern", [GPT2, GPT4, None])
def test_tokenizers_loads_what_we_write_to_the_same_ids(tmp_path: Path, pattern: str | None) -> None:
    ours = trained(pattern)
    ours.save(tmp_path / "tokenizer.json")
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert theirs.get_vocab_size() == ours.vocab_size
    assert theirs.token_to_id(SPECIAL) == ours.separator == ours.vocab_size - 1
    assert theirs.encode(f"a{SPECIAL}").ids == ours.encode(f"a{SPECIAL}", allowed_special="all").tolist()
    theirs.encode_special_tokens = True

    @given(strings | st.just(f"a{SPECIAL}b"))
    def check(text: str) -> None:
        ids = ours.encode(text).tolist()
        assert theirs.encode(text, add_special_tokens=False).ids == ids
        assert theirs.decode(ids) == text

    check()


@pytest.mark.parametrize("pattern", [GPT2, GPT4, None])
def test_what_is_saved_is_loaded_the_same(tmp_path: Path, pattern: str | None) -> None:
    trained(pattern).save(tmp_path / "tokenizer.json")
    assert same(trained(pattern), load_tokenizer(tmp_path / "tokenizer.json"))
    assert same(trained(pattern), load_tokenizer(tmp_path))


@pytest.mark.parametrize("names", [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")])
def test_a_pair_of_files_is_loaded_from_its_folder_or_either_file(tmp_path: Path, names: tuple[str, str]) -> None:
    for name, text in zip(names, to_vocab_and_merges(trained()), strict=True):
        (tmp_path / name).write_text(text, encoding="utf-8")
    for path in (tmp_path, tmp_path / names[0], tmp_path / names[1]):
        assert same(trained(), load_tokenizer(path))


def test_the_one_id_that_is_missing_from_a_large_vocabulary_is_named(tmp_path: Path) -> None:
    fields = json.loads(trained().to_json())
    size, more = len(fields["model"]["vocab"]), 100_000
    fields["model"]["vocab"] |= {f"a{i}": size + i + (i == more - 1) for i in range(more)}
    (tmp_path / "tokenizer.json").write_text(json.dumps(fields), encoding="utf-8")
    with pytest.raises(UserError, match=f"no token has {size + more - 1}"):
        load_tokenizer(tmp_path)


def test_merges_with_line_ends_of_windows_are_loaded_the_same(tmp_path: Path) -> None:
    vocab, merges = to_vocab_and_merges(trained())
    (tmp_path / "vocab.json").write_text(vocab, encoding="utf-8")
    (tmp_path / "merges.txt").write_bytes(merges.replace("\n", "\r\n").encode())
    assert same(trained(), load_tokenizer(tmp_path))


def test_what_tokenizers_saves_of_gpt2_is_loaded_the_same(
    gpt2: BPETokenizer, tmp_path: Path, data_folder: Path
) -> None:
    model = tokenizers.models.BPE.from_file(str(data_folder / "gpt2/encoder.json"), str(data_folder / "gpt2/vocab.bpe"))
    theirs = tokenizers.Tokenizer(model)
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.post_processor = tokenizers.processors.ByteLevel(trim_offsets=False)
    theirs.add_special_tokens([SPECIAL])
    theirs.save(str(tmp_path / "tokenizer.json"))
    assert same(gpt2, load_tokenizer(tmp_path))


def test_letters_are_gpt2s() -> None:
    assert (LETTERS[ord(" ")], LETTERS[ord("\n")], LETTERS[ord("a")], LETTERS[0], LETTERS[0xAD]) == (
        "Ġ",
        "Ċ",
        "a",
        "Ā",
        "Ń",
    )
    assert set(LETTERS.values()) == set(tokenizers.pre_tokenizers.ByteLevel.alphabet())


def without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


def model(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda fields: fields | {"model": fields["model"] | changes}


def an_added_token(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda fields: fields | {"added_tokens": [token | changes for token in fields["added_tokens"]]}


def a_pre_tokenizer(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda fields: fields | {"pre_tokenizer": fields["pre_tokenizer"] | changes}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: without(f, "pre_tokenizer"), "is damaged: it has no pre_tokenizer"),
        (lambda f: f | {"pre_tokenizer": None}, "cannot be used"),
        (model(merges=None), "its merges are not a list"),
        (model(merges=["a"]), "the merge 'a' is not two tokens"),
        (model(merges=["ab cd"]), "of a token that is not in the vocabulary"),
        (model(vocab=[]), "cannot be used"),
        (model(vocab={}), "the ids from 0 on|of the 256 bytes"),
        (lambda f: model(vocab=without(f["model"]["vocab"], "a"))(f), "no token has 64"),
        (model(type="Unigram"), "its model is Unigram, and only byte-level BPE is known"),
        (model(dropout=0.1), "its model has dropout 0.1"),
        (model(unk_token="<unk>"), "its model has unk_token '<unk>'"),
        (model(ignore_merges=True), "its model has ignore_merges True"),
        (an_added_token(special=False), "its added token '<|endoftext|>' is found in plain text"),
        (an_added_token(lstrip=True), "its added token '<|endoftext|>' has lstrip, which is not supported"),
        (an_added_token(rstrip=True), "its added token '<|endoftext|>' has rstrip"),
        (an_added_token(single_word=True), "its added token '<|endoftext|>' has single_word"),
        (a_pre_tokenizer(add_prefix_space=True), "puts a space before each text"),
        (a_pre_tokenizer(type="Metaspace"), "its pre-tokenizer is Metaspace, not ByteLevel"),
        (lambda f: f | {"normalizer": {"type": "NFC"}}, "it has the normalizer NFC"),
        (lambda f: f | {"post_processor": {"type": "TemplateProcessing"}}, "it has the post-processor Template"),
        (lambda f: f | {"added_tokens": [{"id": 3, "content": "<s>"}]}, "the ids from 0 on"),
    ],
)
def test_a_tokenizer_json_that_asks_for_what_is_not_known_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], message: str
) -> None:
    fields = change(json.loads(trained().to_json()))
    (tmp_path / "tokenizer.json").write_text(json.dumps(fields), encoding="utf-8")
    with pytest.raises(UserError, match=message) as caught:
        load_tokenizer(tmp_path)
    assert "tokenizer.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("share_of_vocab", "share_of_merges"), [(0.5, 1), (1, 0.5), (1, 0.9), (1, 0.01), (0, 1), (1, 0)]
)
def test_a_vocabulary_file_cut_short_is_refused(tmp_path: Path, share_of_vocab: float, share_of_merges: float) -> None:
    vocab, merges = to_vocab_and_merges(trained())
    for name, text, share in (("vocab.json", vocab, share_of_vocab), ("merges.txt", merges, share_of_merges)):
        (tmp_path / name).write_text(text[: int(share * len(text))], encoding="utf-8")
    with pytest.raises(UserError, match=r"tokenizer of vocab\.json and merges\.txt in .* cannot be used") as caught:
        load_tokenizer(tmp_path)
    assert "\n" not in str(caught.value)


def test_files_of_two_tokenizers_are_refused(tmp_path: Path) -> None:
    vocab, _ = to_vocab_and_merges(trained())
    _, merges = to_vocab_and_merges(BPETokenizer.train(["another text, another text"], 280))
    (tmp_path / "vocab.json").write_text(vocab, encoding="utf-8")
    (tmp_path / "merges.txt").write_text(merges, encoding="utf-8")
    with pytest.raises(UserError, match="cannot be used"):
        load_tokenizer(tmp_path)


def test_a_folder_without_a_tokenizer_says_what_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"neither tokenizer\.json nor vocab\.json with merges\.txt nor encoder\.json"):
        load_tokenizer(tmp_path)
