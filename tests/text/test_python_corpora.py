"""The corpora made from Python itself."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gradus.errors import UserError
from gradus.text import CharTokenizer, Corpus, catalogue, load_corpus
from gradus.text import python_corpora as made


@pytest.fixture(scope="module")
def words() -> Corpus:
    return load_corpus("words")


def test_words_are_distinct_sorted_lower_case_letters(words: Corpus) -> None:
    assert words.kind == "documents"
    assert list(words.documents) == sorted(set(words.documents))
    assert all(re.fullmatch("[a-z]{2,15}", word) for word in words.documents)
    assert CharTokenizer.train(words).vocab_size == 27
    assert len(words.documents) > 5_000


def test_words_are_english_and_hardly_anything_else(words: Corpus) -> None:
    known = set(words.documents)
    plain = "the argument returns function statement evaluates because of to an assignment defined exception previously"
    assert set(plain.split()) <= known
    junk = "abcxyz getattr str def elif isinstance kwargs argv xxx aaa fd rc rossum microsoft kwargs2 strftime popleft"
    assert set(junk.split()) & known == set()


def test_words_stand_free_in_prose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "lib"
    for folder in ("site-packages/p", "test", "json/tests"):
        (library / folder).mkdir(parents=True)
        (library / folder / "module.py").write_text('"""An unheardofword in a sentence."""\n')
    (library / "json" / "module.py").write_text(
        '"""A wonderword stands here, my_variable, call(it), os.path, camelCase."""\n'
        "variableword = 1  # the variableword is a name, commentword is none\n"
        "loneused = kept = 1\n# a loneused identifier is not kept, one that stands in other files is kept\n"
        'text = "this is literalword indeed"; short = "loneword"; name = "Nobodyword is a name"\n'
        '# brrrt shhh zzzword hyphen-word "quotedword", (bracketword) word\'s end\n'
    )
    monkeypatch.setattr(made.sysconfig, "get_path", lambda _: str(library))  # type: ignore[attr-defined]
    monkeypatch.setattr(made, "_topics", lambda: {"one": "once", "two": "kept or twice"})
    assert " ".join(made.words().documents) == (
        "bracketword commentword end files here hyphen identifier indeed kept literalword none not once one other "
        "quotedword stands that the this twice wonderword word"
    )


def test_pydocs_repeats_no_paragraph() -> None:
    pydocs = load_corpus("pydocs")
    paragraphs = re.split(r"\n\s*\n", pydocs.text.strip("\n"))
    assert pydocs.kind == "stream"
    assert len(paragraphs) == len(set(paragraphs))
    assert pydocs.characters > 200_000
    assert pydocs.text.startswith('The "assert" statement\n**********************\n')


def test_stdlib_is_ascii_source_in_order_without_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "b.py": "b = 1\n",
        "a/x.py": "x = 1\n",
        "a.py": "a = 1\n",
        "c.py": "c = 'é'\n",
        "d.txt": "no source",
        "test/t.py": "t = 1\n",
        "site-packages/s.py": "s = 1\n",
        "_sysconfigdata_linux.py": "built = 1\n",
        "z.py": "z = 1\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(made.sysconfig, "get_path", lambda _: str(tmp_path))  # type: ignore[attr-defined]
    assert made.stdlib().text == "a = 1\nx = 1\nb = 1\nz = 1\n"
    monkeypatch.setattr(made, "STDLIB_LIMIT", 13)
    assert made.stdlib().text == "a = 1\nx = 1\n"
    monkeypatch.setattr(made.sysconfig, "get_path", lambda _: str(tmp_path / "nowhere"))  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="installed without the source of its standard library"):
        made.stdlib()


def test_stdlib_of_this_python() -> None:
    stdlib = load_corpus("stdlib")
    assert "class OrderedDict(dict):" in stdlib.text
    assert 1_000_000 < stdlib.characters <= made.STDLIB_LIMIT
    assert CharTokenizer.train(stdlib).vocab_size <= 100


def test_pydocs_missing_is_the_users_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(UserError, match="installed without pydoc_data"):
        load_corpus("pydocs")


def test_same_python_makes_the_same_words(words: Corpus) -> None:
    """Whatever the order of sets: another process has another hash seed."""
    program = "import hashlib; from gradus.text import load_corpus; d = load_corpus('words').documents\n"
    program += "print(hashlib.sha256(' '.join(d).encode()).hexdigest())"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == hashlib.sha256(" ".join(words.documents).encode()).hexdigest()


def test_catalogue_has_the_table_of_corpora() -> None:
    assert {entry.name: entry.kind for entry in catalogue()} == {
        "words": "documents",
        "pydocs": "stream",
        "stdlib": "stream",
        "toy": "documents",
        "docstrings": "labelled",
        "reverse": "pairs",
        "sort": "pairs",
        "names": "documents",
        "shakespeare": "stream",
    }


def test_importing_text_loads_neither_network_nor_terminal() -> None:
    program = "import sys, gradus.text\nprint({'urllib.request', 'rich', 'pydoc_data', 'click'} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "set()"
