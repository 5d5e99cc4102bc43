"""WordPiece against the library `tokenizers`, whose files it reads and writes, and by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.errors import UserError
from gradus.text import WordPieceTokenizer, load_tokenizer, tokenizer_from_json

TOKENS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "un",
    "##aff",
    "##able",
    "##a",
    "!",
    "é",
    "e",
    "E",
    "中",
    "'",
    "s",
]
HARD = [
    "",
    " \t\r\n ",
    "Unaffable! unaffab",
    "don't  stop—now… (well), $5.00 + 10% = [x] {y} <z> ^ ` | ~",
    "É é e\u0301 ÀÇñ İstanbul ΟΔΟΣ straße ﬁn",
    "中文字 and 한국어, 日本語。㐀𠀀",
    "a\u0000b\ufffdc\u200bd\u00ade\u00a0f\u2028g\u3000h\ufeff",
    "x" * 100 + " " + "x" * 101,
    "naïve café 🎉👍🏽 ½ ² ™ © «quote» ‘single’ “double”",
    "[CLS] ##able [MASK]",
]


def tokenizer(**settings: Any) -> WordPieceTokenizer:
    return WordPieceTokenizer(TOKENS, **settings)


def test_words_are_cut_into_the_longest_pieces_from_their_beginning() -> None:
    t = tokenizer()
    assert [TOKENS[i] for i in t.encode("Unaffable! affable unaffa unaffab")] == [
        "un", "##aff", "##able", "!", "[UNK]", "un", "##aff", "##a", "[UNK]",
    ]  # fmt: skip
    assert t.encode("").tolist() == []
    assert (t.start, t.separator, t.unknown, t.vocab_size) == (2, 3, 1, 16)


def test_capitals_and_accents_count_where_they_are_kept() -> None:
    assert [TOKENS[i] for i in tokenizer().encode("E é É")] == ["e", "e", "e"]
    assert [TOKENS[i] for i in tokenizer(lower=False).encode("E é É")] == ["E", "é", "[UNK]"]
    assert [TOKENS[i] for i in tokenizer(strip_accents=False).encode("E é É")] == ["e", "é", "é"]


def test_chinese_characters_and_marks_are_words() -> None:
    assert tokenizer().words("中e中 s's\u00a0e!e") == ["中", "e", "中", "s", "'", "s", "e", "!", "e"]


def test_decoding_puts_spaces_between_words_and_not_before_marks() -> None:
    t = tokenizer()
    assert t.decode(t.encode("unaffable E !")) == "unaffable e!"
    assert t.decode([]) == ""
    with pytest.raises(IndexError, match=r"id 16 is not in 0..15"):
        t.decode([16])


def vocabulary() -> list[str]:
    """A vocabulary of single characters and a few pieces, in which most of the hard texts have tokens."""
    letters = sorted({c for text in HARD for c in text.lower() + text if not c.isspace()})
    return [*TOKENS[:5], *letters, *(f"##{c}" for c in letters), "do", "##ff", "ist", "caf", "##anbul"]


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("accents", [True, False, None])
def test_ids_and_texts_are_those_of_tokenizers(lower: bool, accents: bool | None) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    ours = WordPieceTokenizer(vocabulary(), lower=lower, strip_accents=accents)
    theirs = tokenizers.Tokenizer.from_str(ours.to_json())
    theirs.encode_special_tokens = True  # as text, as ours
    random = np.random.default_rng(0)
    letters = [c for text in HARD for c in text]
    texts = [*HARD, *("".join(random.choice(letters, size=30)) for _ in range(200))]
    for text in texts:
        expected = theirs.encode(text).ids
        assert [ours.start, *ours.encode(text).tolist(), ours.separator] == expected, text
        ids = ours.encode(text)
        assert ours.decode(ids) == theirs.decode(ids.tolist(), skip_special_tokens=False), text


def test_saved_as_json_it_is_the_same(tmp_path: Path) -> None:
    for t in (tokenizer(), tokenizer(lower=False, strip_accents=True)):
        t.save(tmp_path / "tokenizer.json")
        again = load_tokenizer(tmp_path)
        assert isinstance(again, WordPieceTokenizer)
        assert vars(again) == vars(t)


def test_berts_own_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join(TOKENS) + "\n", encoding="utf-8")
    first = load_tokenizer(tmp_path)
    assert isinstance(first, WordPieceTokenizer)
    assert (first.tokens, first.lower) == (tuple(TOKENS), True)
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false, "strip_accents": null}')
    second = load_tokenizer(tmp_path)
    assert isinstance(second, WordPieceTokenizer)
    assert (second.lower, second.strip_accents) == (False, False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"normalizer": None}, "its normalizer is None, and only BERT's 'BertNormalizer' is known"),
        ({"pre_tokenizer": {"type": "Whitespace"}}, "its pre_tokenizer is 'Whitespace'"),
        ({"model": {"type": "WordPiece"}}, "is damaged: it has no unk_token"),
    ],
)
def test_what_is_not_berts_is_refused(change: dict[str, Any], message: str) -> None:
    fields = {**json.loads(tokenizer().to_json()), **change}
    with pytest.raises(UserError, match=message):
        tokenizer_from_json(json.dumps(fields), "tokenizer.json")


def test_a_vocabulary_without_the_special_tokens_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the vocabulary has no \[CLS\], \[SEP\]"):
        WordPieceTokenizer(["[UNK]", "a"])
    with pytest.raises(ValueError, match="a token is twice in the vocabulary"):
        WordPieceTokenizer([*TOKENS, "un"])
    (tmp_path / "vocab.txt").write_text("a\nb\n")
    with pytest.raises(UserError, match=r"the tokenizer of vocab.txt .* has no \[UNK\]"):
        load_tokenizer(tmp_path)
