"""An exercise as its author writes it: one Markdown file, which holds all there is to say of it.

    # Slope by a nudge                       the title
    kind: write a function                   what it is: kind, difficulty, minutes, needs, seconds, read

    The problem, in plain words ...          becomes the head of the learner's file

    ## File                                  one block of Python: the solution and, in it, what the learner begins with
    ## Hints                                 a list, four at most
    ## Checks                                one block of Python: functions of the learner's module, see `checks`
    ## Mistakes                              ### its name, why it is one, how it differs from the solution: a diff
    ## After                                 what is shown when it has passed

In the block of the file, what the learner has to write stands between `# [` and `# ]`. In the stub there is `...`
instead or, where a `# |` divides the two, what follows it.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gradus.errors import UserError

FOLDER = Path(__file__).parent / "exercises"
KINDS = ("write a function", "write a backward", "find the bug", "predict", "milestone")
SECTIONS = ("File", "Hints", "Checks", "Mistakes", "After")
MOST_HINTS = 4
SECONDS = 10.0  # that the learner's code may take, unless the exercise says otherwise


@dataclass(frozen=True)
class Mistake:
    """A known mistake: its name, what is wrong with it, and the file of a learner who has made it."""

    name: str
    why: str
    text: str


@dataclass(frozen=True)
class Exercise:
    """One exercise. `mine.NAME` is what later ones import; `stem` names its file, so that files sort in their order."""

    name: str
    stem: str
    title: str
    lesson: int
    kind: str
    difficulty: int  # 1 to 3
    minutes: int
    needs: tuple[str, ...]  # exercises whose modules it imports
    seconds: float
    read: str  # what to read next
    stub: str
    solution: str
    hints: tuple[str, ...]
    checks: str
    mistakes: tuple[Mistake, ...]
    after: str

    @property
    def number(self) -> str:
        """Such as 2.3: the third exercise of lesson 2."""
        lesson, place, _ = self.stem.split("_", 2)
        return f"{int(lesson)}.{int(place)}"

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


@dataclass(frozen=True)
class CheckText:
    """What a message says of a check: its title, and its lines without what only the checker needs."""

    title: str
    lines: str
    parameters: tuple[str, ...]


def parse(path: Path) -> Exercise:
    """Read an exercise. ValueError, naming the file, for what is missing or wrong."""
    text = path.read_text(encoding="utf-8")
    try:
        head, *parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
        sections = {name.strip(): body.strip("\n") for name, body in zip(parts[::2], parts[1::2], strict=True)}
        if tuple(sections) != SECTIONS:
            raise ValueError(f"its sections must be {', '.join(SECTIONS)}, got {', '.join(sections)}")
        title, facts, problem = re.fullmatch(
            r"# ([^\n]+)\n((?:\w+: [^\n]*\n)+)\n(.*)", head.strip() + "\n", re.DOTALL
        ).groups()  # type: ignore[union-attr]
        fact = dict(line.split(": ", 1) for line in facts.splitlines())
        number = "_".join(path.stem.split("_")[:2])
        page = f'"""{number.replace("_", ".").lstrip("0")} {title}\n\n{problem.strip()}\n"""\n\n'
        both = _block(sections["File"], "python")
        solution, stub = page + _side(both, 0), page + _side(both, 1)
        hints = tuple(" ".join(h.split()) for h in re.split(r"^\d\. ", sections["Hints"], flags=re.MULTILINE)[1:])
        if not 1 <= len(hints) <= MOST_HINTS:
            raise ValueError(f"it must have 1 to {MOST_HINTS} hints, got {len(hints)}")
        if fact["kind"] not in KINDS:
            raise ValueError(f"its kind must be one of {', '.join(KINDS)}, got {fact['kind']}")
        return Exercise(
            name=path.stem.split("_", 2)[2],
            stem=path.stem,
            title=title,
            lesson=int(path.stem.split("_")[0]),
            kind=fact["kind"],
            difficulty=int(fact["difficulty"]),
            minutes=int(fact["minutes"]),
            needs=tuple(fact.get("needs", "").replace(",", " ").split()),
            seconds=float(fact.get("seconds", SECONDS)),
            read=fact["read"],
            stub=stub,
            solution=solution,
            hints=hints,
            checks=_block(sections["Checks"], "python"),
            mistakes=tuple(_mistakes(sections["Mistakes"], solution)),
            after=sections["After"].strip(),
        )
    except (AttributeError, KeyError, IndexError, ValueError) as error:
        raise ValueError(f"{path.name}: {error if not isinstance(error, KeyError) else f'it lacks {error}'}") from error


@cache
def catalogue() -> dict[str, Exercise]:
    """Every exercise by name, in the order in which they are to be solved."""
    return {exercise.name: exercise for exercise in map(parse, sorted(FOLDER.glob("*.md")))}


def find(name: str) -> Exercise:
    """The exercise of a name, a number such as 2.3, or the name of a file. UserError, with the nearest, if none is."""
    for exercise in catalogue().values():
        if name.removesuffix(".py") in (exercise.name, exercise.number, exercise.stem):
            return exercise
    from difflib import get_close_matches

    near = get_close_matches(name, list(catalogue()), n=1)
    raise UserError(
        f"there is no exercise {name!r}; {f'did you mean {near[0]}?' if near else 'gradus learn list lists them'}"
    )


def all_needs(exercise: Exercise) -> list[str]:
    """The exercises whose modules it imports, and those that they import, in the order of the catalogue."""
    needed = set(exercise.needs).union(*(all_needs(catalogue()[name]) for name in exercise.needs))
    return [name for name in catalogue() if name in needed]


def check_texts(source: str) -> dict[str, CheckText]:
    """The checks in a block of them, by the name of their function."""
    texts = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.args.args and node.args.args[0].arg == "my":
            title = ast.get_docstring(node) or node.name.replace("_", " ")
            body = node.body[1:] if ast.get_docstring(node) else node.body
            first = body[0].lineno - 1
            lines = source.splitlines()[first : node.end_lineno]
            shown = "\n".join(line[4:] for line in lines).replace("my.", "")
            shown = re.sub(r"^return ", "", shown, flags=re.MULTILINE)
            texts[node.name] = CheckText(title, shown, tuple(a.arg for a in node.args.args[1:]))
    return texts


def _block(section: str, language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```$", section + "\n", re.DOTALL | re.MULTILINE)
    if len(found) != 1:
        raise ValueError(f"a section must hold one block of {language}, got {len(found)}")
    return str(found[0])


def _side(both: str, side: int) -> str:
    """The solution (0) or the stub (1) of a block in which both are written."""

    def chosen(region: re.Match[str]) -> str:
        indent, inside = region[1], region[2]
        solution, divider, stub = inside.partition(f"{indent}# |\n")
        return solution if side == 0 else stub if divider else f"{indent}...\n"

    return re.sub(r"^( *)# \[\n(.*?)^\1# \]\n", chosen, both, flags=re.DOTALL | re.MULTILINE)


def _mistakes(section: str, solution: str) -> list[Mistake]:
    _, *parts = re.split(r"^### (.+)\n", section, flags=re.MULTILINE)
    mistakes = []
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        why = " ".join(body[: body.index("```diff")].split())
        mistakes.append(Mistake(name.strip(), why, _changed(solution, _block(body, "diff"), name)))
    return mistakes


def _changed(text: str, diff: str, name: str) -> str:
    """A text after a diff, whose pieces are divided by lines of @@."""
    for piece in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        old = "".join(line[1:] for line in piece.splitlines(keepends=True) if line[0] != "+")
        new = "".join(line[1:] for line in piece.splitlines(keepends=True) if line[0] != "-")
        if text.count(old) != 1:
            raise ValueError(f"what the mistake {name!r} replaces is there {text.count(old)} times, not once: {old!r}")
        text = text.replace(old, new)
    return text
