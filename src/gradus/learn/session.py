"""What one can do with a folder of exercises, as text to show: check, hint, solution, reset, go on. The command and its
watcher are both made of these."""

from __future__ import annotations

from dataclasses import replace

from gradus.learn import message
from gradus.learn.exercise import Exercise, catalogue, find
from gradus.learn.folder import Folder, seal
from gradus.learn.judge import Judge, Verdict


class Session:
    """A folder of exercises at work. Ends its processes with `with`.

    Args:
        ahead: keep a process ready for the next check, as a watcher does.
    """

    def __init__(self, folder: Folder, *, ahead: bool = False) -> None:
        self.folder = folder
        self.judge = Judge(ahead=ahead)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.judge.end()

    @property
    def current(self) -> Exercise:
        return find(self.folder.progress().current)

    def check(self, exercise: Exercise) -> Verdict:
        """Check the learner's file, and write down whether it has passed."""
        progress = self.folder.progress()  # before any code of the learner's runs
        right = self.folder.right(progress)
        text = self.folder.text(exercise)
        usable = {name: pair for name, pair in right.items() if name != exercise.name}
        verdict = self.judge.judge(exercise, text, self.folder.file(exercise).name, usable)
        progress.passed.pop(exercise.name, None)
        if verdict.passed:
            progress.passed[exercise.name] = seal(text)
        self.folder.write(progress)
        return verdict

    def said(self, verdict: Verdict) -> str:
        """What a verdict says here, with the modules that are gradus's own, and what to do next."""
        exercise, progress = verdict.exercise, self.folder.progress()
        untouched = verdict.failure is not None and self.folder.text(exercise) == exercise.stub
        if untouched and verdict.failure is not None:  # then it is no mistake yet
            verdict = replace(verdict, failure=replace(verdict.failure, mistake="", why=""))
        notes = [message.message(verdict, progress.hints.get(exercise.name, 0))]
        if untouched:
            notes.insert(
                0,
                message.wrap(
                    f"{exercise} is as it was at the beginning: open {self.folder.shown(exercise)} and look for TODO."
                ),
            )
        if stands := message.stand_ins(exercise, list(self.folder.right(progress))):
            notes.append(stands)
        if verdict.passed and (waiting := self.waiting()):
            notes.append(f"Next: {waiting[0]}, {waiting[0].title}")
        return "\n\n".join(notes)

    def heading(self, exercise: Exercise) -> str:
        return message.heading(exercise, self.folder.shown(exercise))

    def hint(self, exercise: Exercise) -> str:
        """The next hint, and after the last one all of them."""
        progress = self.folder.progress()
        shown = progress.hints.get(exercise.name, 0)
        if shown == len(exercise.hints):
            again = "\n".join(message.hint(exercise, i + 1) for i in range(shown))
            next_step = f"key s, or gradus learn solution {exercise.name}"
            return f"{again}\nThat was the last hint; the solution is the next step: {next_step}"
        progress.hints[exercise.name] = shown + 1
        self.folder.write(progress)
        return message.hint(exercise, shown + 1)

    def go(self, exercise: Exercise) -> str:
        """Make an exercise the current one."""
        progress = self.folder.progress()
        progress.current = exercise.name
        self.folder.write(progress)
        return self.heading(exercise)

    def waiting(self) -> list[Exercise]:
        """The exercises that have not passed: those after the current one, then those before."""
        every, right = list(catalogue().values()), self.folder.right()
        place = every.index(self.current)
        return [e for e in every[place + 1 :] + every[: place + 1] if e.name not in right]

    def next(self) -> str:
        """Go on to the next exercise that has not passed, after the current one or else from the beginning."""
        waiting = self.waiting()
        return (
            self.go(waiting[0]) if waiting else f"All {len(catalogue())} exercises have passed: there is no next one."
        )

    def reset(self, exercise: Exercise) -> str:
        """Write the beginning of the learner's file again, and say where the copy is."""
        copy = self.folder.reset(exercise)
        kept = f";\nwhat you had is in {copy.parent.name}/{copy.name}" if copy else ""
        return f"{self.folder.shown(exercise)} is as at the beginning{kept}"

    def table(self) -> list[tuple[str, str, str, str]]:
        """Of each exercise: whether it has passed, its name, kind and minutes."""
        right, passed, current = self.folder.right(), self.folder.progress().passed, self.current.name

        def state(name: str) -> str:
            done = "passed" if name in right else "changed" if name in passed else ""
            return f"> {done}".strip() if name == current else done

        return [(state(e.name), str(e), e.kind, f"{e.minutes} min") for e in catalogue().values()]

    def check_all(self) -> list[Verdict]:
        """Check every exercise whose file is no longer as at the beginning; the others have not passed."""
        begun = (e for e in catalogue().values() if self.folder.file(e).is_file() and self.folder.text(e) != e.stub)
        return [self.check(e) for e in begun]
