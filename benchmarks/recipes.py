"""Try recipes, and write what came of them: every trial of recipes.toml is trained and scored on the whole dev split.

    python benchmarks/recipes.py [--only WORDS] [--seeds 1 2 3] [--scale 1.0] [--list]

A budget is steps, so that the losses do not depend on the machine or on what else it does; --scale makes all of them
shorter or longer. Each result is added to docs/what-we-tried.jsonl as soon as it is there, and a trial that has one is
not run again (--again does), so a run that was stopped goes on. Then docs/what-we-tried.md is written from all results.
The test split is never looked at.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradus.evaluation import evaluate
from gradus.text import catalogue
from gradus.training import RECIPES, set_up, train

HERE = Path(__file__).parent
KINDS = {entry.name: entry.kind for entry in catalogue()}
RESULTS, PAGE = (HERE.parent / "docs" / f"what-we-tried.{ending}" for ending in ("jsonl", "md"))

INTRODUCTION = """# What we tried

Every recipe that was tried, those that did not help included, by the loss on the whole dev split in nats per character
(test is never looked at): mean over the seeds, and their standard deviation where there is more than one.
Written by `python benchmarks/recipes.py` from `benchmarks/recipes.toml`; run again, it tries what is new.
"""


@dataclass(frozen=True)
class Trial:
    """One recipe on one text: the settings of `gradus train`, the shipped recipe's included, without seed and steps."""

    group: str
    name: str
    steps: int
    settings: dict[str, Any]

    def key(self, seed: int) -> str:
        """What a result is of: all that decides the loss but the settings' own defaults."""
        return json.dumps({**self.settings, "steps": self.steps, "seed": seed}, sort_keys=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", help="trials whose group or name contains this")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--scale", type=float, default=1.0, help="times the steps of each trial")
    parser.add_argument("--again", action="store_true", help="also run trials that have a result")
    parser.add_argument("--list", action="store_true", help="only say what would be run")
    arguments = parser.parse_args()
    groups = tomllib.loads((HERE / "recipes.toml").read_text(encoding="utf-8"))["group"]
    trials = list(trials_of(groups, arguments.scale))
    results = read_results()
    for trial in trials:
        for seed in arguments.seeds:
            chosen = arguments.only.lower() in f"{trial.group}: {trial.name}".lower()
            if not chosen or (trial.key(seed) in results and not arguments.again):
                continue
            print(f"{trial.group}: {trial.name}, seed {seed}, {trial.steps:,} steps", flush=True)
            if not arguments.list:
                results[trial.key(seed)] = result = run(trial, seed)
                with RESULTS.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"trial": trial.key(seed), **result}) + "\n")
                print(f"    dev {result['dev']:.4f}, {result['seconds']:.0f} s", flush=True)
    if not arguments.list:
        PAGE.write_text(page(groups, trials, results), encoding="utf-8")


def trials_of(groups: list[dict[str, Any]], scale: float) -> Iterator[Trial]:
    """The trials of all groups, in order."""
    for group in groups:
        for trial in group["trial"]:
            shipped = RECIPES.get((trial["model"], KINDS[group["corpus"]]), {})
            common = {"corpus": group["corpus"], "model": trial["model"], **shipped, **group.get("settings", {})}
            steps = max(1, round(group["steps"] * scale))
            yield Trial(group["title"], trial["name"], steps, {**common, **trial.get("settings", {})})


def run(trial: Trial, seed: int) -> dict[str, float]:
    """Train a recipe from a seed, and score the weights that it ends with."""
    setup = set_up({**trial.settings, "steps": trial.steps, "seed": seed, "evaluations": 1})
    start = time.perf_counter()
    result = train(setup.model, setup.batches, setup.config)
    if result.stopped == "interrupted":
        raise SystemExit("interrupted: the trial has no result")
    return {
        "dev": evaluate(setup.model, setup.rows("dev")).nats,
        "parameters": setup.model.num_parameters(),
        "tokens": result.tokens,
        "seconds": time.perf_counter() - start,
    }


def read_results() -> dict[str, dict[str, float]]:
    """The latest result of each trial and seed."""
    if not RESULTS.exists():
        return {}
    lines = map(json.loads, RESULTS.read_text(encoding="utf-8").splitlines())
    return {line.pop("trial"): line for line in lines}


def page(groups: list[dict[str, Any]], trials: list[Trial], results: dict[str, dict[str, float]]) -> str:
    """The Markdown page: a table for each group and number of steps that has results."""
    found: dict[tuple[str, int], list[tuple[Trial, list[dict[str, float]]]]] = {}
    for trial in trials:
        by_steps: dict[int, list[dict[str, float]]] = {}
        for key, result in results.items():
            settings = json.loads(key)
            steps = settings.pop("steps")
            del settings["seed"]
            if settings == json.loads(json.dumps(trial.settings)):
                by_steps.setdefault(steps, []).append(result)
        for steps, of_seeds in by_steps.items():
            found.setdefault((trial.group, steps), []).append((trial, of_seeds))
    blocks = [INTRODUCTION]
    for group in groups:
        for (title, steps), rows in sorted(found.items()):
            if title == group["title"]:
                blocks.append(
                    f"## {title[0].upper()}{title[1:]}, {steps:,} steps\n\n{group['about']}\n\n{table(rows)}\n"
                )
    return "\n".join(blocks)


def table(rows: list[tuple[Trial, list[dict[str, float]]]]) -> str:
    lines = ["| recipe | dev | seeds | parameters | million tokens |", "|---|---|---|---|---|"]
    for trial, results in rows:
        losses = [result["dev"] for result in results]
        spread = f" ± {statistics.stdev(losses):.4f}" if len(losses) > 1 else ""
        lines.append(
            f"| {trial.name} | {statistics.mean(losses):.4f}{spread} | {len(losses)} | {results[0]['parameters']:,} | "
            f"{results[0]['tokens'] / 1e6:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
