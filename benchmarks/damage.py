"""Damage a run's files and kill its training, at random and often: nothing may end in a traceback, be used without a
word, or come out other than in one go.

    python benchmarks/damage.py [--damages 300] [--kills 100] [--seed 1]

A damage cuts, empties, deletes, swaps or overwrites a file, flips its bits, or edits a field of its JSON or TOML. Then
`gradus sample`, `eval` and `train --resume` each have to refuse it in one line, or to give the undamaged run's bytes;
where they go on without something, they have to say so. A kill ends a training (SIGKILL, and some SIGTERM and SIGINT)
at a random moment of its time; then it is resumed, killed again, and compared at its end with one that nobody killed.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from gradus.cli import main
from gradus.files import from_json
from gradus.training import RunFolder, set_up, train, write_beginning

SMALL = {"model": "gpt", "n_layer": 1, "n_embd": 8, "block_size": 8, "batch_size": 4, "learning_rate": 0.01}
COMPARED = ("model.safetensors", "best.safetensors", "optimizer.safetensors", "samples.txt", "tokenizer.json")
VALUES = [b"0", b"1", b"3", b"-1", b"1e300", b'"x"', b"null", b"[]", b"{}", b"9" * 5000, b"NaN", b"true"]
TIMES = ("seconds", "tokens_per_second", "seal", "metrics")  # what no two runs have in common


def main_program() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--damages", type=int, default=300)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "text")
        words = random.Random(5).choices(["the", "cat", "sat", "on", "a", "mat"], k=600)
        text.write_text(" ".join(words), encoding="utf-8")
        faults = damage(Path(folder), text, asked.damages, random.Random(asked.seed))
        faults += kill(Path(folder), text, asked.kills, random.Random(asked.seed))
    for fault in faults[:20]:
        print(f"FAULT {fault}")
    print(f"{len(faults)} faults")
    return 1 if faults else 0


# Damages


def damage(folder: Path, text: Path, number: int, draw: random.Random) -> list[str]:
    """Damage copies of a run that was stopped halfway, one file at a time; what went wrong."""
    half, other = begun(folder / "half", text, n_head=2, seed=1), begun(folder / "other", text, n_head=4, seed=2)
    whole = folder / "whole"
    commands: list[tuple[str, list[str]]] = [
        ("sample", ["sample", "RUN", "--length", "40"]),
        ("eval", ["eval", "RUN"]),
        ("resume", ["train", "--resume", "RUN"]),
    ]
    shutil.copytree(half, whole)
    right = {name: call(words, whole) for name, words in commands}
    assert all(status == 0 for status, *_ in right.values()), right
    count: Counter[str] = Counter()
    faults = []
    began = time.perf_counter()
    for i in range(number):
        run = folder / "damaged"
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(half, run)
        what = harm(run, other, draw)
        for name, words in commands:
            status, out, err, trace = call(words, run)
            told = err.startswith("gradus: ")
            if trace or status not in (0, 2):
                faults.append(f"{i} {what}: {name} ended with {status} {trace}")
            elif status == 2:
                count["refused in one line"] += 1
                if not told or err.strip().count("\n"):
                    faults.append(f"{i} {what}: {name} said {err!r}")
            elif not (out == right[name][1] if name != "resume" else same(run, whole, metrics=not told)):
                faults.append(f"{i} {what}: {name} went on, and came out otherwise")
            else:
                count["went on, and said what was left out" if told else "not concerned: the undamaged bytes"] += 1
    print(f"{number} damages, {3 * number} commands in {time.perf_counter() - began:.0f} s")
    for outcome, times in count.most_common():
        print(f"  {times:4} {outcome}")
    return faults


def begun(run: Path, text: Path, *, n_head: int, seed: int) -> Path:
    """A run that Ctrl-C stopped after 5 of 8 steps, and that alone has its text, as from a pipe."""
    piped = Path(shutil.copy(text, run.with_suffix(".text")))
    setup = set_up({**SMALL, "corpus": str(piped), "n_head": n_head, "seed": seed, "steps": 8, "evaluations": 4})
    made = RunFolder.create(run)
    write_beginning(made, setup)
    piped.rename(run / "text.txt")
    train(
        setup.model,
        setup.batches,
        setup.config,
        made,
        evaluate=lambda model: float(next(model.parameters()).abs().sum().item()),
        progress=lambda report: signal.raise_signal(signal.SIGINT) if report.step == 5 else None,
        data=setup.data(),
    )
    return run


def harm(run: Path, other: Path, draw: random.Random) -> str:
    """Damage one file; what was done."""
    there = sorted(path for path in run.rglob("*") if path.is_file())
    path = draw.choice(there)
    data = path.read_bytes()
    ways: dict[str, Callable[[], bytes | None]] = {
        "cut": lambda: data[: draw.randrange(len(data))],
        "emptied": lambda: b"",
        "bit flipped": lambda: flip(data, 1, draw),
        "bits flipped": lambda: flip(data, 20, draw),
        "overwritten": lambda: draw.randbytes(len(data)),
        "longer": lambda: data + draw.randbytes(9),
        "of another run": lambda: (other / path.relative_to(run)).read_bytes(),
        "of another name": lambda: draw.choice([p for p in there if p != path]).read_bytes(),
        "deleted": lambda: None,
        "nested": lambda: b"[" * 100_000,
        "a field edited": lambda: edited(data, draw),
        "another field edited": lambda: edited(data, draw),
    }
    way = draw.choice(sorted(ways))
    new = ways[way]()
    path.unlink()
    if new is not None:
        path.write_bytes(new)
    return f"{path.name} {way}"


def flip(data: bytes, bits: int, draw: random.Random) -> bytes:
    flipped = bytearray(data)
    for _ in range(bits):
        flipped[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(flipped)


def edited(data: bytes, draw: random.Random) -> bytes:
    """A number or a string of a text file replaced by another value, or by one of another type."""
    places = list(re.finditer(rb'(?<=[=:] )(-?\d[\d.e+-]*|"[^"\n]*"|null|true|false)', data))
    if not places:
        return flip(data, 1, draw)
    place = draw.choice(places)
    return data[: place.start()] + draw.choice(VALUES) + data[place.end() :]


def call(words: list[str], run: Path) -> tuple[int, str, str, str]:
    """A command in this process: its status, output, errors, and the exception that nobody caught."""
    result = CliRunner().invoke(main, [word.replace("RUN", str(run)) for word in words])
    trace = "" if result.exception is None or isinstance(result.exception, SystemExit) else repr(result.exception)
    return result.exit_code, result.stdout, result.stderr, trace


def same(run: Path, whole: Path, *, metrics: bool = True) -> bool:
    """Whether a run came out as the other, but for the time it took."""
    return all((run / name).read_bytes() == (whole / name).read_bytes() for name in COMPARED) and (
        timeless((run / "state.json").read_bytes(), moments=metrics)
        == timeless((whole / "state.json").read_bytes(), moments=metrics)
        and (not metrics or moments(run) == moments(whole))
        and (not metrics or lines(run) == lines(whole))
    )


def moments(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run / "moments").iterdir()}


def timeless(data: bytes, *, moments: bool = True) -> dict[str, object]:
    left_out = (*TIMES, "files") if moments else (*TIMES, "files", "moments")
    return {name: value for name, value in from_json(data).items() if name not in left_out}


def lines(run: Path) -> list[dict[str, object]]:
    return [timeless(line) for line in (run / "metrics.jsonl").read_bytes().splitlines()]


# Kills


def kill(folder: Path, text: Path, number: int, draw: random.Random) -> list[str]:
    """Kill trainings at random moments and resume them until they are done; what went wrong."""
    settings = {**SMALL, "n_head": 2, "steps": 60, "evaluations": 20}
    flags = [str(text)]
    for name, value in settings.items():
        flags += ["--" + name.replace("_", "-"), str(value)]
    began = time.perf_counter()
    log = folder / "log"
    child(["train", *flags, "--run", str(folder / "unbroken")], log)  # compiles, if need be
    shutil.rmtree(folder / "unbroken")
    started = time.perf_counter()
    if child(["train", *flags, "--run", str(folder / "unbroken")], log):
        return [f"an unbroken training failed: {log.read_text(encoding='utf-8')}"]
    whole = time.perf_counter() - started
    count: Counter[str] = Counter()
    faults: list[str] = []
    killed = finished = attempt = 0
    run = folder / "killed-0"
    while killed < number and len(faults) < 20:
        resumes = (run / "state.json").exists()
        if not resumes and run.exists():
            count["before there was a run"] += 1
            attempt += 1
            run = folder / f"killed-{attempt}"
        words = ["train", "--resume", str(run)] if resumes else ["train", *flags, "--run", str(run)]
        with_signal = draw.choice([signal.SIGKILL] * 6 + [signal.SIGTERM] * 2 + [signal.SIGINT] * 2)
        status = child(words, log, with_signal, 1.1 * draw.random() * whole)
        said = log.read_text(encoding="utf-8", errors="replace")
        if "Traceback" in said:
            faults.append(f"kill {killed} by {with_signal.name}: {said[-500:]}")
        if status not in (0, 130, -with_signal):
            faults.append(f"kill {killed} by {with_signal.name}: status {status}: {said[-500:]}")
        if status:
            killed += 1
            saved = "and it saved" if "stopped and saved" in said else ""
            count[f"{with_signal.name} {saved}".strip()] += 1
            count["between a commit and its renames" if list(run.glob("*.new")) else "files at rest"] += 1
            continue
        finished += 1
        if not same(run, folder / "unbroken"):
            faults.append(f"the run that ended after kill {killed} came out otherwise than in one go")
        shutil.rmtree(run)
    print(f"{killed} kills, {finished} runs to their end, in {time.perf_counter() - began:.0f} s")
    for outcome, times in count.most_common():
        print(f"  {times:4} {outcome}")
    return faults


def child(words: list[str], log: Path, number: signal.Signals | None = None, after: float = 0.0) -> int:
    """Run a command in a fork of this process, all of whose modules are loaded, and kill it after some seconds; its
    status, negative for a signal."""
    process = os.fork()
    if not process:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        try:
            main(words)
        except SystemExit as stop:
            sys.stdout.flush()
            os._exit(stop.code if isinstance(stop.code, int) else 1)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            sys.stderr.flush()
        os._exit(1)
    time.sleep(after)
    if number is not None:
        os.kill(process, number)  # what has ended waits for us, so that its number is no one else's
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


if __name__ == "__main__":
    sys.exit(main_program())
