"""Prepared texts: the tokens that the text has, in shards that are whole or named, prepared to the same bytes however
often it was stopped."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.errors import UserError
from gradus.files import locked
from gradus.text import (
    Batches,
    BPETokenizer,
    CharTokenizer,
    Corpus,
    Positions,
    PreparedText,
    Tokenizer,
    WordTokenizer,
    load_corpus,
    make_rows,
    prepare,
    scored_size,
    verify,
)
from gradus.text.prepared import MANIFEST
from gradus.text.split import GPT4
from gradus.text.user_files import JOURNAL, read_text

SMALL: dict[str, Any] = {"shard_tokens": 100, "piece_bytes": 70}


def some_text(words: int = 900, seed: int = 0) -> str:
    """Lines with marks, empty lines, double spaces, characters of one to four bytes, every kind of line end."""
    rng = random.Random(seed)
    pieces = ["the", "cat", "it's", "naïve", "日本語", "𝄞𝄞", "x1234", "well—", "(so)", "end.", "Why?", "_a_b"]
    ends = [" "] * 20 + ["  ", "\n", "\r\n", "\r", "\n\n", ".\n  ", "\t", ",\n"]
    return "".join(rng.choice(pieces) + rng.choice(ends) for _ in range(words))


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xef\xbb\xbf" + some_text().encode())
    return path


def opened(folder: Path) -> PreparedText:
    corpus = load_corpus(folder)
    assert isinstance(corpus, PreparedText)
    return corpus


def part_of(prepared: PreparedText, name: str) -> PreparedText:
    part = getattr(prepared.splits(), name)
    assert isinstance(part, PreparedText)
    return part


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def tokenizers(corpus: Corpus) -> Iterator[tuple[str, Tokenizer]]:
    train = corpus.splits().train
    yield "chars", CharTokenizer.train(corpus)
    yield "bpe", BPETokenizer.train(train, 300)
    yield "gpt4", BPETokenizer.train(train, 300, pattern=GPT4)
    yield "words", WordTokenizer.train(train)


# The tokens are those of the text


def test_its_parts_have_the_tokens_of_the_parts_of_the_text(text_file: Path, tmp_path: Path) -> None:
    corpus = load_corpus(text_file, kind="stream")
    for name, tokenizer in tokenizers(corpus):
        tokenizer.save(tmp_path / f"{name}.json")
        given = str(tmp_path / f"{name}.json") if name == "gpt4" else name
        size = 300 if name == "bpe" else None
        prepare(str(text_file), tmp_path / name, tokenizer=given, vocab_size=size, **SMALL)
        prepared = opened(tmp_path / name)
        assert prepared.tokenizer.to_json() == tokenizer.to_json()
        assert prepared.characters == corpus.characters
        for part in ("train", "dev", "test"):
            expected, found = getattr(corpus.splits(), part), part_of(prepared, part)
            assert found.ids[:].tolist() == tokenizer.encode(expected.text).tolist()
            assert found.characters == expected.characters
            assert scored_size(found, tokenizer) == scored_size(expected, tokenizer)
        if name != "words":
            assert prepared.splits().dev.text == corpus.splits().dev.text


def test_a_word_as_long_as_many_pieces_is_still_all_there(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_text("x" * 500 + " " + "y" * 500)
    prepare(str(path), tmp_path / "out", tokenizer="bpe", vocab_size=260, **SMALL)
    prepared = opened(tmp_path / "out")
    text = prepared.tokenizer.decode(part_of(prepared, "train").ids[:])
    assert text == load_corpus(path, kind="stream").splits().train.text


def test_dev_and_test_of_a_large_text_are_no_larger_than_asked(text_file: Path, tmp_path: Path) -> None:
    manifest = prepare(str(text_file), tmp_path / "out", tokenizer="chars", held_out=50, **SMALL)
    corpus = load_corpus(text_file, kind="stream")
    n = corpus.characters
    assert [manifest.parts[part].characters for part in ("train", "dev", "test")] == [n - 100, 50, 50]
    splits = opened(tmp_path / "out").splits()
    assert splits.dev.text == corpus.text[n // 2 - 50 : n // 2]
    assert splits.test.text == corpus.text[-50:]


def test_a_folder_may_hold_what_is_made_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for i in range(3):
        (folder / f"{i}.txt").write_text(some_text(60, i))

    def stop(stage: str, done: float, tokens: int) -> None:  # noqa: ARG001
        if tokens > 500:
            raise Stop

    with pytest.raises(Stop):
        prepare(str(folder), folder / "out", tokenizer="chars", progress=stop, **SMALL)
    prepare(str(folder), folder / "out", tokenizer="chars", **SMALL)
    assert load_corpus(folder).characters == opened(folder / "out").characters


def test_a_folder_is_read_as_it_is_without_being_prepared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "texts"
    for i in range(9):
        (folder / str(i % 3)).mkdir(parents=True, exist_ok=True)
        (folder / str(i % 3) / f"{i}.txt").write_text(some_text(60, i), newline="")
    (folder / "picture").write_bytes(b"\x89PNG\0" * 50)
    (folder / "latin").write_bytes(b"ok " * 40 + b"\xe9\xe9 " * 9)
    expected = load_corpus(folder)
    prepare(str(folder), tmp_path / "out", tokenizer="chars", **SMALL)
    assert "what is no UTF-8 text (2: " in capsys.readouterr().err.splitlines()[-1]
    train = part_of(opened(tmp_path / "out"), "train")
    assert train.tokenizer.decode(train.ids[:]) == expected.splits().train.text
    assert train.tokenizer.to_json() == CharTokenizer.train(expected).to_json()  # the k of latin is not in it
    shutil.move(tmp_path / "out", folder / "prepared")
    assert load_corpus(folder).text == expected.text  # a prepared text among texts is none


def test_what_a_folder_has_besides_its_documents_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.jsonl", "b.NDJSON"):
        (folder / name).write_text('{"text": "abc abc"}\n' * 50)
    (folder / "c.jsonl.gz").write_bytes(b"x")
    (folder / "README.md").write_text("not this")
    prepare(str(folder / "a.jsonl"), folder / "made", tokenizer="chars")
    assert capsys.readouterr().err == ""
    assert prepare(str(folder), tmp_path / "out", tokenizer="chars").parts["train"].characters > 600
    assert capsys.readouterr().err.splitlines() == [
        f"gradus: left out of {folder}: what is no JSON lines (2: README.md, c.jsonl.gz)",
        f"gradus: left out of {folder}: runs and prepared texts (1: made)",
    ]


def test_documents_are_joined_by_the_separator_and_cut_between_two_of_them(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    texts = [some_text(5, seed).replace("\r\n", "\n").replace("\r", "\n") for seed in range(60)]
    path.write_text("\n\n".join(json.dumps({"id": i, "body": text}) for i, text in enumerate(texts)) + '\n{"body": ""}')
    manifest = prepare(str(path), tmp_path / "out", field="body", vocab_size=300, **SMALL)
    prepared = opened(tmp_path / "out")
    tokenizer = prepared.tokenizer
    assert isinstance(tokenizer, BPETokenizer)
    assert tokenizer.separator == tokenizer.special["<|endoftext|>"]
    documents = {}
    for part in ("train", "dev", "test"):
        found = part_of(prepared, part)
        ids = found.ids[:]
        ends = np.flatnonzero(ids == tokenizer.separator)
        assert (ends[0], ends[-1]) == (0, len(ids) - 1)
        documents[part] = [tokenizer.decode(ids[a + 1 : b]) for a, b in pairwise(ends)]
        size = sum(len(text) + 1 for text in documents[part])
        assert found.scored == (size, sum(len(text.encode()) + 1 for text in documents[part]))
        assert manifest.parts[part].characters == size + 1
    number = len(documents["train"]) - (60 - len(documents["dev"]) - len(documents["test"]))
    assert number == 0
    rest = [text for text in texts if text not in documents["dev"]]
    assert documents["train"] + documents["test"] == rest


def test_a_corpus_by_name_is_prepared(tmp_path: Path) -> None:
    prepare("toy", tmp_path / "out", tokenizer="chars", piece_bytes=1000)
    corpus, train = load_corpus("toy"), part_of(opened(tmp_path / "out"), "train")
    ids = train.ids[:]
    first = corpus.documents[:50]
    tokenizer = CharTokenizer.train(corpus)
    assert ids[: sum(map(len, first)) + 51].tolist() == tokenizer.encode_documents(first).tolist()


def test_parquet_and_data_sets_are_documents(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    texts = [some_text(5, seed).replace("\r\n", "\n").replace("\r", "\n") for seed in range(60)]
    (tmp_path / "in").mkdir()
    for i in (0, 30):
        table = pa.table({"text": [*texts[i : i + 30], None], "n": range(31)})
        parquet.write_table(table, tmp_path / "in" / f"{i:02}.parquet", row_group_size=7)
    (tmp_path / "in" / "README.md").write_text("not this")
    (tmp_path / "lines.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    a = prepare(str(tmp_path / "in"), tmp_path / "a", vocab_size=300)
    b = prepare(str(tmp_path / "lines.jsonl"), tmp_path / "b", vocab_size=300)
    assert a.parts == b.parts
    with pytest.raises(UserError, match=r"has no column 'body'; it has text, n; see --field$"):
        prepare(str(tmp_path / "in"), tmp_path / "c", field="body")
    (tmp_path / "in" / "30.parquet").write_bytes(b"PAR1" + bytes(50))
    with pytest.raises(UserError, match=r"30\.parquet is no whole Parquet file: "):
        prepare(str(tmp_path / "in"), tmp_path / "c")
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    datasets.Dataset.from_dict({"text": texts}).save_to_disk(tmp_path / "saved")
    assert prepare(str(tmp_path / "saved"), tmp_path / "d", vocab_size=300).parts == b.parts


# An epoch


@pytest.fixture
def numbers(tmp_path: Path) -> PreparedText:
    """Every token of the part to train on is another one, so that it says where it stands."""
    path = tmp_path / "numbers"
    path.write_text("".join(map(chr, range(0x4E00, 0x4E00 + 1010))))
    prepare(str(path), tmp_path / "out", tokenizer="chars", shard_tokens=64, held_out=5)
    return part_of(opened(tmp_path / "out"), "train")


@pytest.mark.parametrize(("block_size", "context", "batch_size"), [(8, None, 5), (7, 4, 4), (64, None, 3), (90, 90, 8)])
def test_an_epoch_has_every_target_once_over_any_number_of_ranks(
    numbers: PreparedText, block_size: int, context: int | None, batch_size: int
) -> None:
    batches = Batches(numbers, numbers.tokenizer, block_size, batch_size, seed=1, context=context)
    ids, orders = numbers.ids[:].tolist(), []
    follows = dict(zip(ids, [*ids[1:], ids[0]], strict=True)) | {ids[-2]: ids[-1]}
    for epoch, ranks in ((0, 1), (1, 2), (2, 3)):
        scored: Counter[int] = Counter()
        starts = []
        for step in range(epoch * batches.steps_per_epoch, (epoch + 1) * batches.steps_per_epoch):
            whole = batches.batch(step)
            for rank in range(min(ranks, len(whole[0]))):
                x, y = batches.batch(step, slice(rank, None, ranks))
                width = x.shape[1]  # less where the one short window is alone
                assert np.array_equal(x, whole[0][rank::ranks, :width])
                assert np.array_equal(y, whole[1][rank::ranks, :width])
                scored.update(y[y >= 0].tolist())
                starts += x[:, 0].tolist()
                inside = y >= 0
                assert all(follows[a] == b for a, b in zip(x[inside].tolist(), y[inside].tolist(), strict=True))
        assert scored == dict.fromkeys(ids[1:], 1)
        assert len(starts) == -(-(len(ids) - 1) // batches.stride)
        orders.append(starts)
    assert orders[0] != orders[1] != orders[2]


def test_an_epoch_of_positions_has_every_one_once(numbers: PreparedText) -> None:
    positions = Positions(numbers, numbers.tokenizer, context=3, batch_size=9, seed=0)
    ids = numbers.ids[:].tolist()
    found = []
    for step in range(positions.steps_per_epoch):
        x, y = positions.batch(step)
        found += [tuple(row) for row in np.concatenate([x, y], axis=1).tolist()]
    expected = list(zip(ids, ids[1:], ids[2:], ids[3:], strict=False))
    assert sorted(found[: len(expected)]) == expected


def test_a_batch_is_cut_as_from_the_text_in_memory(numbers: PreparedText) -> None:
    in_memory = Corpus("n", "stream", "", text=numbers.tokenizer.decode(numbers.ids[:]))
    for block_size, stride in ((8, 8), (100, 30)):
        a, b = (make_rows(part, numbers.tokenizer, block_size, stride=stride) for part in (numbers, in_memory))
        assert np.array_equal(a.x, b.x)
        assert np.array_equal(a.y, b.y)
    assert numbers.ids.counts().tolist() == np.bincount(numbers.ids[:], minlength=1010).tolist()


def test_more_shards_than_files_that_may_be_open(text_file: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="this system has no such limit")
    prepare(str(text_file), tmp_path / "out", tokenizer="chars", shard_tokens=20)
    train = part_of(opened(tmp_path / "out"), "train")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    expected = np.concatenate([np.load(path) for path in train.ids.paths])
    assert len(train.ids.paths) > 150
    used = set(map(int, os.listdir("/dev/fd")))
    limit = [descriptor for descriptor in range(len(used) + 120) if descriptor not in used][119]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        ids = train.ids
        assert np.array_equal(ids[:], expected)
        assert np.array_equal(ids[np.arange(len(ids))[::-7]], expected[::-7])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Stopping and going on


class Stop(BaseException):
    pass


def test_stopped_anywhere_it_ends_with_the_same_bytes(text_file: Path, tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    prepare(str(text_file), whole, vocab_size=300, **SMALL)
    for calls in (1, 120, 150, 151, 170, 10**6):
        left = [calls]

        def stop(stage: str, done: float, tokens: int, left: list[int] = left) -> None:  # noqa: ARG001
            left[0] -= 1
            if not left[0]:
                raise Stop

        try:
            prepare(str(text_file), stopped, vocab_size=300, progress=stop, **SMALL)
        except Stop:
            if (stopped / JOURNAL).exists():
                with open(stopped / JOURNAL, "ab") as journal:
                    journal.write(b'["train", {"file": "tr')  # what a killed process leaves: a torn line, a new file
                (stopped / ".train-00001-01234567.npy.0123abcd").write_bytes(b"x")
                with pytest.raises(UserError, match="is not prepared to its end"):
                    load_corpus(stopped)
    assert contents(stopped) == contents(whole)
    assert prepare(str(text_file), stopped, vocab_size=300, **SMALL) == verify(whole)  # done already


def test_several_processes_write_the_same_bytes(text_file: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        prepare(str(text_file), tmp_path / str(workers), tokenizer="chars", workers=workers, **SMALL)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


KILLED = """
import os, signal, sys
from pathlib import Path
from gradus.text import prepare

def kill(stage, done, tokens):
    if tokens > 3000:
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    small = {"shard_tokens": 100, "piece_bytes": 70}
    prepare(sys.argv[1], Path(sys.argv[2]), tokenizer="chars", workers=2, progress=kill, **small)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no such signal")
def test_killed_it_leaves_no_process_and_goes_on(text_file: Path, tmp_path: Path) -> None:
    script, out = tmp_path / "script.py", tmp_path / "out"
    script.write_text(KILLED)
    command = [sys.executable, str(script), str(text_file), str(out)]
    killed = subprocess.run(command, capture_output=True, timeout=300)  # returns when the last process has let go of it
    assert killed.returncode == -signal.SIGKILL
    assert (out / JOURNAL).read_bytes().count(b"\n") > 20
    prepare(str(text_file), out, tokenizer="chars", **SMALL)
    prepare(str(text_file), tmp_path / "whole", tokenizer="chars", **SMALL)
    assert contents(out) == contents(tmp_path / "whole")


def test_a_full_disk_loses_nothing(text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(str(text_file), tmp_path / "whole", tokenizer="chars", **SMALL)
    left, sync = [20], os.fsync

    def full(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    out = tmp_path / "out"
    said = r"^cannot write .*out: No space left on device; \d+ shards? .* there, and the same command goes on"
    with monkeypatch.context() as patch:
        patch.setattr("gradus.files.os.fsync", full)
        for _ in range(2):
            with pytest.raises(UserError, match=said):
                prepare(str(text_file), out, tokenizer="chars", **SMALL)
            assert not [name for name in contents(out) if name.startswith(".")]
            left[0] = 20
    prepare(str(text_file), out, tokenizer="chars", **SMALL)
    assert contents(out) == contents(tmp_path / "whole")


def test_a_shard_that_vanished_before_it_was_finished_is_written_again(text_file: Path, tmp_path: Path) -> None:
    def stop(stage: str, done: float, tokens: int) -> None:  # noqa: ARG001
        if tokens > 600:
            raise Stop

    out = tmp_path / "out"
    with pytest.raises(Stop):
        prepare(str(text_file), out, tokenizer="chars", progress=stop, **SMALL)
    sorted(out.glob("train-*.npy"))[2].unlink()
    prepare(str(text_file), out, tokenizer="chars", **SMALL)
    prepare(str(text_file), tmp_path / "whole", tokenizer="chars", **SMALL)
    assert contents(out) == contents(tmp_path / "whole")


# What is wrong is named


@pytest.fixture
def prepared(text_file: Path, tmp_path: Path) -> Path:
    prepare(str(text_file), tmp_path / "out", tokenizer="chars", **SMALL)
    return tmp_path / "out"


def shard(folder: Path, number: int = 3) -> Path:
    return next(folder.glob(f"train-{number:05}-*.npy"))


def test_a_missing_or_short_shard_is_named_when_it_is_opened(prepared: Path) -> None:
    path = shard(prepared)
    os.truncate(path, 300)
    with pytest.raises(UserError, match=rf"1 of the shards in .* {path.name} has 300 bytes in place of 328; copy them"):
        load_corpus(prepared)
    path.unlink()
    with pytest.raises(UserError, match=rf"{path.name} is missing; "):
        load_corpus(prepared)
    for number in range(5):
        shard(prepared, number if number < 3 else number + 1).unlink()
    with pytest.raises(UserError, match=r"6 of the shards .* train-00002-\w+\.npy is missing, and 3 more; "):
        load_corpus(prepared)


def test_a_damaged_shard_is_named_by_its_sum(prepared: Path) -> None:
    verify(prepared)
    path = shard(prepared)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    load_corpus(prepared)  # which looks at sizes only
    with pytest.raises(UserError, match=rf"1 of the shards in .* {path.name} its sum is another"):
        verify(prepared)


def test_a_token_that_no_model_has_is_named_by_its_shard(prepared: Path) -> None:
    path = shard(prepared)
    data = bytearray(path.read_bytes())
    data[-1] = 0xFF
    path.write_bytes(data)
    train = part_of(opened(prepared), "train")
    with pytest.raises(
        UserError, match=rf"{path.name} is damaged: it has the token 65,\d+, and its tokenizer only \d+"
    ):
        train.ids[:]
    path.write_bytes(b"x" * len(data))
    with pytest.raises(UserError, match=rf"the shard .*{path.name} cannot be read: "):
        part_of(opened(prepared), "train").ids[:]


def test_shards_of_two_tokenizers_are_refused(prepared: Path, text_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"out holds shards of another tokenizer than bpe; choose another folder"):
        prepare(str(text_file), prepared, tokenizer="bpe", vocab_size=None, **SMALL)
    prepare(str(text_file), tmp_path / "other", tokenizer="words", **SMALL)
    shutil.copy(shard(tmp_path / "other", 0), prepared)
    with pytest.raises(UserError, match=r"out has shards of two tokenizers: train-00000-\w{8}\.npy is not of the one"):
        load_corpus(prepared)
    shutil.copy(tmp_path / "other" / "tokenizer.json", prepared)
    with pytest.raises(UserError, match=r"tokenizer\.json is not the tokenizer that the shards"):
        load_corpus(prepared)


def test_a_manifest_that_was_changed_is_damaged(prepared: Path) -> None:
    path = prepared / MANIFEST
    path.write_text(path.read_text().replace('"symbols": ', '"symbols": 1'))
    with pytest.raises(UserError, match=r"manifest\.json is damaged: its sum is another"):
        load_corpus(prepared)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UserError, match=r"manifest\.json is damaged: .*; copy it again, or remove the folder and prep"):
        load_corpus(prepared)


def test_the_manifest_of_something_else_is_none_of_a_prepared_text(text_file: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "manifest.json").write_text('{"name": "an app"}')
    with pytest.raises(UserError, match=r"other is not empty; choose another folder as out"):
        prepare(str(text_file), tmp_path / "other", tokenizer="chars")
    with pytest.raises(UserError, match=r"other is no prepared text: its manifest\.json is of something else"):
        verify(tmp_path / "other")


def test_two_processes_do_not_write_in_one_folder(text_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="this system has no such locks")
    out = tmp_path / "out"
    out.mkdir()
    with locked(out), pytest.raises(UserError, match=r"another process is at work in .*out; wait for it, or choose"):
        prepare(str(text_file), out, tokenizer="chars", **SMALL)
    prepare(str(text_file), out, tokenizer="chars", **SMALL)


def test_another_text_and_other_settings_are_refused(prepared: Path, text_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"was begun with shard_tokens 100, not 99"):
        prepare(str(text_file), prepared, tokenizer="chars", shard_tokens=99, piece_bytes=70)
    text_file.write_text("another text\n" * 100)
    with pytest.raises(UserError, match="holds another text, or its source has changed since"):
        prepare(str(text_file), prepared, tokenizer="chars", **SMALL)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(UserError, match=r"full is not empty; choose another folder"):
        prepare(str(text_file), tmp_path / "full", tokenizer="chars")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.txt", b"good text\n" * 20 + b"\xff\xfe", r"a\.txt is not UTF-8: byte 200 is 0xff \(invalid start byte\)"),
        ("a.jsonl", b"\n", r"a\.jsonl has only 0 characters, too few to cut a train part"),
        ("a.txt", b"abc", r"a\.txt has only 3 characters, too few to cut a dev part"),
        ("a.jsonl", b'{"text": "a"}\n' * 9 + b"{}}\n", r"the line at byte 126 of .*a\.jsonl is no JSON: "),
        ("a.jsonl", b'{"body": "a"}\n', r"byte 0 of .*a\.jsonl has no field 'text'; it has body; --field names"),
        ("a.jsonl", b'{"text": 1}\n', r"byte 0 of .*a\.jsonl has no text in 'text', but 1"),
        ("a.jsonl.gz", b"x", r"a\.jsonl\.gz is compressed, and cannot be read from the middle; unpack it first"),
    ],
)
def test_a_source_that_cannot_be_read_is_named(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=said):
        prepare(str(tmp_path / name), tmp_path / "out", tokenizer="chars", **SMALL)
    with pytest.raises(UserError, match=r"no corpus or file named 'nothing'"):
        prepare("nothing", tmp_path / "out")


def test_another_tokenizer_cannot_read_its_tokens(prepared: Path) -> None:
    part = opened(prepared).splits().dev
    with pytest.raises(UserError, match=r"out was prepared with another tokenizer, CharTokenizer\(.*, than CharTok"):
        make_rows(part, CharTokenizer("abc"), 4)
    with pytest.raises(UserError, match="is a prepared text, of which the tokens alone are kept; give the text itself"):
        CharTokenizer.train(opened(prepared))


def test_the_sums_are_those_of_the_files(prepared: Path, text_file: Path) -> None:
    manifest = verify(prepared)
    assert prepare(f"file://{text_file}", prepared, tokenizer="chars", **SMALL) == manifest  # the same file
    for part in manifest.parts.values():
        for found in part.shards:
            assert hashlib.sha256((prepared / found.file).read_bytes()).hexdigest() == found.sha256
            assert np.load(prepared / found.file).dtype == np.uint16
    assert sum(part.characters for part in manifest.parts.values()) == len(read_text(text_file))
