"""A family of tasks made up for the purpose, on which a model that learned it does better with examples in its prompt.

There are eight languages, each with a word of its own for nineteen things. A line of the text to learn is a list of
things with their names in one language, which the line does not name:

    sun mofa , sea lira , moon kuto , ...

So what "sun" is called depends on the other pairs in the line. After training, a question `sun` has eight names to
choose from, one of each language: without examples one in eight can be right, and an example says which language it is.

    python benchmarks/fewshot.py write DIR           DIR/lists.txt, and a task of each language, DIR/task-N.jsonl
    gradus train DIR/lists.txt --tokenizer words --steps 800 -o RUN
    gradus eval RUN --task DIR/task-0.jsonl --shots 2 --separator " , "           one language
    python benchmarks/fewshot.py measure DIR RUN     all of them, after 0, 1, 2 and 4 examples
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from gradus.evaluation import Prompts, read_task
from gradus.report.measure import measure_task
from gradus.training import RunFolder

LANGUAGES, LINES, PAIRS = 8, 4000, 6
THINGS = (
    *("sun", "sea", "moon", "milk", "night", "bread", "fire", "heart", "tree", "king", "water", "head", "foot"),
    *("flower", "bird", "fish", "stone", "star", "wind"),
)


def names(random: np.random.Generator) -> list[list[str]]:
    """Different made-up words, one for each thing in each language."""
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    made = sorted(a + b for a in syllables for b in syllables)
    drawn = random.choice(len(made), (LANGUAGES, len(THINGS)), replace=False)
    return [[made[i] for i in row] for row in drawn]


def write(folder: Path) -> None:
    """The text to learn, and a task for each language, so that the examples before a question are of it, too."""
    random = np.random.default_rng(1)
    words = names(random)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lists.txt", "w", encoding="utf-8") as file:
        for language in random.integers(LANGUAGES, size=LINES):
            which = random.choice(len(THINGS), PAIRS, replace=False)
            file.write(" , ".join(f"{THINGS[i]} {words[language][i]}" for i in which) + "\n")
    for language in range(LANGUAGES):
        with open(folder / f"task-{language}.jsonl", "w", encoding="utf-8") as file:
            for i, thing in enumerate(THINGS):
                choices = [row[i] for row in words]
                file.write(json.dumps({"prompt": thing, "choices": choices, "answer": language}) + "\n")


def measure(folder: Path, run: Path) -> None:
    """How often the model is right, of all questions in all languages."""
    prompts, opened = Prompts(separator=" , "), RunFolder.open(run)
    tasks = [read_task(path) for path in sorted(folder.glob("task-*.jsonl"))]
    for shots in (0, 1, 2, 4):
        found = measure_task(opened, [item for task in tasks for item in prompts.task(task, shots)])
        error = found.error(found.accuracy)
        print(f"{shots} examples: {found.accuracy:.3f} ± {error:.3f}, by chance {found.chance:.3f}")


if __name__ == "__main__":
    what, *paths = sys.argv[1:]
    if what == "write":
        write(Path(paths[0]))
    else:
        measure(Path(paths[0]), Path(paths[1]))
