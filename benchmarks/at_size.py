"""A text of a gigabyte, made for the purpose: prepared, killed half-way and prepared to its end, read for an epoch by
two ranks, and trained on beside the same tokens in memory. Prints what each takes of memory and time.

    python benchmarks/at_size.py                           a gigabyte, in a temporary folder that is removed at the end
    python benchmarks/at_size.py --megabytes 20 --keep /tmp/there
"""

from __future__ import annotations

import copy
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from gradus.text import Batches, PreparedText, load_corpus
from gradus.text.prepared import read_manifest
from gradus.text.user_files import JOURNAL

WORDS, SEED = 60_000, 1
CONSONANTS = ("b", "br", "c", "d", "f", "g", "gr", "h", "k", "l", "m", "n", "p", "pl", "r", "s", "st", "t", "tr", "v")
VOWELS = ("a", "e", "i", "o", "u", "ai", "ou")
BLOCK_SIZE, BATCH_SIZE = 256, 16
SAMPLED = 0.1  # seconds between two looks at the memory of processes


def make_text(path: Path, size: int) -> None:
    """Lines of made-up words, which occur as often as words do: the r-th most frequent one by 1 / (r + 2.7)."""
    rng = np.random.default_rng(SEED)
    syllables = [a + b for a in CONSONANTS for b in VOWELS]
    lengths = rng.choice([1, 2, 3, 4], WORDS, p=[0.25, 0.4, 0.25, 0.1])
    words = np.array(["".join(rng.choice(syllables, length)) for length in lengths])
    capital = rng.random(WORDS) < 0.1
    words[capital] = np.char.capitalize(words[capital])
    p = 1 / (np.arange(WORDS) + 2.7)
    cumulative = np.cumsum(p / p.sum())
    ends = np.array([" ", ", ", ". ", ".\n", "\n\n"])
    written = 0
    with open(path, "w", encoding="utf-8") as file:
        while written < size:
            drawn = np.minimum(np.searchsorted(cumulative, rng.random(100_000)), WORDS - 1)
            marks = rng.choice(5, 100_000, p=[0.84, 0.06, 0.05, 0.04, 0.01])
            written += file.write("".join(np.char.add(words[drawn], ends[marks]).tolist()))


def tree(pid: int) -> list[int]:
    """A process and those below it."""
    found, children = [pid], {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    for parent in found:
        found += children.get(parent, [])
    return found


def memory(pid: int) -> tuple[int, int]:
    """What a process has to itself, and what it has of files, which the system takes back when it needs the room."""
    fields = {}
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            fields[name] = value
    except OSError:
        return 0, 0
    return int(fields.get("RssAnon", "0").split()[0]) * 1024, int(fields.get("RssFile", "0").split()[0]) * 1024


def watched(command: list[str], until: Callable[[], bool] = lambda: False) -> tuple[int, float, bool]:
    """Run a command: the most memory that it and its processes together had to themselves, in bytes, and seconds. It is
    killed when `until` says so; then all its processes must be gone."""
    start, most = time.monotonic(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        processes = tree(process.pid)
        most = max(most, sum(memory(pid)[0] for pid in processes))
        if until():
            process.send_signal(signal.SIGKILL)
            process.wait()
            while any(Path(f"/proc/{pid}").exists() for pid in processes[1:]):
                time.sleep(SAMPLED)
            return most, time.monotonic() - start, True
        time.sleep(SAMPLED)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    return most, time.monotonic() - start, False


def sums(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def prepared(folder: Path) -> PreparedText:
    corpus = load_corpus(folder)
    assert isinstance(corpus, PreparedText)
    train = corpus.splits().train
    assert isinstance(train, PreparedText)
    return train


def read_epoch(folder: str, rank: int, ranks: int, report: Any) -> None:
    """One rank's part of an epoch: the sum of how often each target was scored, as (targets,) bytes, and memory."""
    train = prepared(Path(folder))
    batches = Batches(train, train.tokenizer, BLOCK_SIZE, BATCH_SIZE, SEED)
    targets = len(train.ids) - 1
    # Which windows were read: the places of the windows, asked of the same shuffle that the batches ask.
    before, most = memory(os.getpid())[0], 0
    starts: list[np.ndarray[Any, Any]] = []
    cut = batches._windows

    def noted(which: np.ndarray[Any, Any], offset: int) -> Any:
        starts.append(which.astype(np.uint32))
        return cut(which, offset)

    batches._windows = noted  # type: ignore[method-assign]
    scored, clock = 0, time.process_time()
    for step in range(batches.steps_per_epoch):
        _, y = batches.batch(step, slice(rank, None, ranks))
        scored += int((y >= 0).sum())
        if step % 1000 == 0:
            most = max(most, memory(os.getpid())[0] - sum(a.nbytes for a in starts))
    seconds = time.process_time() - clock
    np.save(f"{report}.{rank}.npy", np.concatenate(starts))
    anonymous, of_files = memory(os.getpid())
    Path(f"{report}.{rank}.json").write_text(
        json.dumps([scored, targets, seconds, most - before, max(most, anonymous), of_files])
    )


def speed(train: PreparedText, steps: int) -> None:
    """Seconds of processor time for a batch and for a training step, from shards and from memory, turn by turn."""
    from gradus.backend import torch
    from gradus.models import build_model
    from gradus.training import TrainConfig
    from gradus.training.optimizer import build_optimizer

    shards = Batches(train, train.tokenizer, BLOCK_SIZE, BATCH_SIZE, SEED)
    in_memory = copy.copy(shards)
    in_memory.ids = train.ids[:]
    sources = {"shards": shards, "memory": in_memory}
    batch = dict.fromkeys(sources, 0.0)
    for step in range(500):
        for name, source in sources.items():
            start = time.process_time()
            source.batch(step)
            batch[name] += (time.process_time() - start) / 500
    model = build_model("gpt", vocab_size=train.tokenizer.vocab_size, block_size=BLOCK_SIZE, n_layer=4, n_embd=128)
    optimizer = build_optimizer(model, TrainConfig(steps=steps))
    times: dict[str, list[float]] = {name: [] for name in sources}
    for step in range(steps):
        for name, source in sources.items():
            start = time.process_time()
            x, y = source.batch(step)
            optimizer.zero_grad(set_to_none=True)
            _, loss = model(torch.from_numpy(x), torch.from_numpy(y))
            loss.backward()
            optimizer.step()
            times[name].append(time.process_time() - start)
    for name in sources:
        step_seconds = float(np.median(times[name][2:]))
        print(f"  {name}: a batch {1e6 * batch[name]:,.0f} µs, a step {step_seconds:.3f} s of processor time")


@click.command()
@click.option("--megabytes", default=1000, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--tokenizer", default="bpe", show_default=True)
@click.option("--steps", default=8, show_default=True, help="Training steps from each source.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the text and what was prepared in this folder.")
def main(megabytes: int, workers: int, tokenizer: str, steps: int, keep: Path | None) -> None:
    """Measure what a text of any size takes."""
    place = keep or Path(tempfile.mkdtemp(prefix="gradus-at-size-"))
    place.mkdir(parents=True, exist_ok=True)
    try:
        measure(place, megabytes, workers, tokenizer, steps)
    finally:
        if keep is None:
            shutil.rmtree(place)


def measure(place: Path, megabytes: int, workers: int, tokenizer: str, steps: int) -> None:
    text, whole, stopped = place / "text.txt", place / "whole", place / "stopped"
    if not text.exists():
        make_text(text, megabytes * 1_000_000)
    print(f"{text.stat().st_size:,} bytes of text", flush=True)

    def command(out: Path) -> list[str]:
        flags = ["--tokenizer", tokenizer, "--workers", str(workers), "--out", str(out)]
        flags += ["--shard-tokens", str(max(1000, 1 << 20 if megabytes < 200 else 1 << 24))]
        return [sys.executable, "-m", "gradus", "data", "prepare", str(text), *flags]

    most, seconds, _ = watched(command(whole))
    manifest = read_manifest(whole)
    shards = sum(len(part.shards) for part in manifest.parts.values())
    print(
        f"prepared in {seconds:.0f} s by {workers} processes: {shards} shards, at most {most / 1e6:.0f} MB", flush=True
    )

    def half() -> bool:
        journal = stopped / JOURNAL
        return journal.exists() and journal.read_bytes().count(b"\n") > shards // 2

    most, seconds, killed = watched(command(stopped), half)
    assert killed, "it was done before it could be killed"
    print(f"killed after {seconds:.0f} s, at most {most / 1e6:.0f} MB; its processes ended with it", flush=True)
    most, seconds, _ = watched(command(stopped))
    assert sums(stopped) == sums(whole)
    print(f"finished in {seconds:.0f} s, at most {most / 1e6:.0f} MB, to the same bytes", flush=True)

    context = multiprocessing.get_context("spawn")
    report = place / "epoch"
    ranks = [context.Process(target=read_epoch, args=(str(whole), rank, 2, str(report))) for rank in range(2)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join()
    found = [json.loads(Path(f"{report}.{rank}.json").read_text()) for rank in range(2)]
    windows = np.concatenate([np.load(f"{report}.{rank}.npy") for rank in range(2)])
    assert np.array_equal(np.sort(windows), np.arange(len(windows))), "a window was left out, or read twice"
    assert found[0][0] + found[1][0] == found[0][1], "a target was left out, or scored twice"
    print(f"an epoch over two ranks: {len(windows):,} windows and {found[0][1]:,} targets, each once")
    for rank, (_, _, seconds, grown, most, of_files) in enumerate(found):
        print(
            f"  rank {rank}: {seconds:.0f} s of processor time, {most / 1e6:.0f} MB of memory, grown by "
            f"{grown / 1e6:.1f} MB; of mapped files {of_files / 1e6:.0f} MB, which the system may take back",
            flush=True,
        )
    speed(prepared(whole), steps)


if __name__ == "__main__":
    main()
