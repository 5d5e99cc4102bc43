"""What masked pre-training is worth: an encoder that labels the corpus `docstrings`, from nothing and from one that
first learned to find hidden tokens in the same texts; beside both the classical baseline. Run as

    python benchmarks/pretraining.py --minutes 2 --pretraining 8

From nothing is trained twice: for the minutes of fine-tuning alone, and for those of both trainings together."""

from __future__ import annotations

import argparse
from typing import Any

import gradus
from gradus.evaluation import Confusion, tfidf_baseline
from gradus.report.answers import confusion
from gradus.training import RunFolder, load_weights, reopen, weights


def tell(name: str, dev: Confusion, test: Confusion) -> None:
    parts = (
        f"{what} {100 * part.accuracy:5.1f} % (F1 {100 * part.macro_f1:.1f})"
        for what, part in (("dev", dev), ("test", test))
    )
    print(f"{name:54} {', '.join(parts)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="docstrings")
    parser.add_argument("--minutes", type=float, default=2, help="of fine-tuning")
    parser.add_argument("--pretraining", type=float, default=8, help="minutes of pre-training")
    asked = parser.parse_args()

    def train(minutes: float, **settings: Any) -> gradus.Run:
        return gradus.train(asked.corpus, model="encoder", minutes=minutes, progress=False, **settings)

    runs = {}
    masked = train(asked.pretraining, masked=True)
    tuned = f"fine-tuned for {asked.minutes:g} min, after {asked.pretraining:g} of pre-training"
    runs[tuned] = train(asked.minutes, init_from=str(masked.path))
    for minutes in (asked.minutes, asked.minutes + asked.pretraining):
        runs[f"from nothing, {minutes:g} min"] = train(minutes)
    for name, run in runs.items():
        setup = reopen(RunFolder.open(run.path))
        load_weights(setup.model, weights(run.model))
        tell(name, confusion(setup, setup.splits.dev), confusion(setup, setup.splits.test))
    train_, labels = setup.splits.train, sorted(set(setup.corpus.labels))
    baseline = [
        tfidf_baseline((train_.documents, train_.labels), (part.documents, part.labels), labels)
        for part in (setup.splits.dev, setup.splits.test)
    ]
    tell("TF-IDF with logistic regression", *baseline)


if __name__ == "__main__":
    main()
