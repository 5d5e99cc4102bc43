"""gradus from Python, as a notebook wants it: `train` and `load` give a Run, which writes text, measures itself, draws
its losses and goes on training. What the command does with a run's folder, this does with the same functions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import cached_property
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradus.errors import UserError
from gradus.evaluation import Score, evaluate
from gradus.generation import SamplingRule, Texts, samples
from gradus.hub import export_run, import_run
from gradus.models import LanguageModel
from gradus.report.answers import answers
from gradus.report.measure import measure
from gradus.report.train import kept_loss, train_run, write_pages, write_samples
from gradus.text import Tokenizer, split_named, tokenizer_from_json
from gradus.training import (
    TOKENIZER,
    RunFolder,
    Setup,
    TrainConfig,
    create_run,
    is_counting,
    load_model,
    progress_of,
    reopen,
    reopen_to_resume,
    set_up_new,
    settings_of,
    show_progress,
    sliding_stride,
    write_beginning,
)
from gradus.training.metrics import Metrics
from gradus.training.progress import duration
from gradus.training.settings import build

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def train(
    corpus: str | Path | None = None,
    *,
    out: str | Path | None = None,
    progress: bool = True,
    **settings: Any,
) -> Run:
    """Train a model on a text.

        run = gradus.train("names", model="gpt", minutes=1)
        run.sample(temperature=0.8)

    Args:
        corpus: a corpus by name, or a file or folder of your own; None is pydocs, and for a mixture its network's text.
        out: the folder of the run; runs/CORPUS-MODEL-NUMBER if None.
        progress: show how far it is.
        settings: fields of `TrainConfig` and of the model's configuration: model, steps or minutes, batch_size,
            learning_rate, n_layer ... What is not given takes the value that `gradus train` takes.

    Returns:
        The run; after Ctrl-C too, and then `run.resume()` goes on.

    Raises:
        UserError: for a setting that is unknown (it names the nearest), another model's, of the wrong type or out of
            range; for a corpus that cannot be loaded or is too short; for a folder that is taken.
    """
    setup = set_up_new(settings if corpus is None else {"corpus": corpus, **settings})
    folder = create_run(setup, out)
    with folder.in_use():
        write_beginning(folder, setup)
        _train(folder, setup, progress)
    return Run(folder.path)


def load(path: str | Path) -> Run:
    """The run in a folder, whether `train` made it or the command did.

    Raises:
        UserError: if there is none.
    """
    return Run(path)


def from_pretrained(source: str | Path, *, out: str | Path | None = None) -> Run:
    """A run of weights that others have trained: GPT-2's, or a model of the same architecture.

        run = gradus.from_pretrained("gpt2")
        run.sample("Hello, I'm a language model,", length=30)

    Args:
        source: a folder as `transformers` writes it; or gpt2, gpt2-medium, gpt2-large, gpt2-xl or OWNER/NAME, which are
            downloaded from the Hugging Face hub (the extra hub).
        out: the folder of the run; runs/NAME-NUMBER if None.

    Raises:
        UserError: if there are no such weights, they are of another architecture, or the tokenizer does not fit.
    """
    return Run(import_run(source, out).path)


class Run:
    """A model that was trained, with all that its folder holds.

        run = gradus.load("runs/names-gpt-1")
        run.sample(prompt="ma", n=5, temperature=0.8, seed=1)
        run.evaluate("test").bits
        run.plot()

    Attributes:
        path: the folder.
    """

    def __init__(self, path: str | Path) -> None:
        """Raises UserError if there is no run at the path."""
        self.path = Path(path)
        self._folder = RunFolder.open(self.path)

    # What it is

    @cached_property
    def config(self) -> TrainConfig:
        """How it was trained; `run.model.config` has the model's settings."""
        own = settings_of(TrainConfig)
        return build(TrainConfig, {name: value for name, value in self._folder.settings().items() if name in own})

    @cached_property
    def model(self) -> LanguageModel:
        """The model, in eval mode, with the weights that had the lowest dev loss.

        >>> logits, loss = run.model(idx, targets)  # idx, targets (B, T) int64 -> (B, T, V), and a scalar in nats
        """
        return load_model(self._folder)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """What turns its text into ids and back."""
        return tokenizer_from_json(self._folder.read(TOKENIZER), self.path / TOKENIZER)

    @property
    def metrics(self) -> Metrics:
        """The measurements made while it was trained, a dict each: step, tokens, seconds, train_loss, dev_loss ..."""
        return Metrics(self._folder.metrics())

    # What it does

    def sample(
        self,
        prompt: str | Sequence[str] = "",
        n: int | None = None,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        min_p: float | None = None,
        repetition_penalty: float = 1.0,
        stop: str | Sequence[str] = (),
        length: int | None = None,
        seed: int = 1337,
    ) -> Texts:
        """Texts that the model writes, each beginning with the prompt; those of `gradus sample` with the same options.

            texts = run.sample(["KING", "The queen"], length=40, stop=".")
            texts.logprobs[0]  # how likely the model found each token that was drawn for the first one

        Args:
            prompt: a text, or several, which are continued together: one pass through the model gives each a token.
            n: how many of each; None gives ten documents of one prompt, or one stretch of a stream.
            temperature: divides the logits; 0 means always the most likely token.
            top_k: draw from the k most likely tokens only.
            top_p: draw from the most likely tokens that have this probability together.
            min_p: leave out tokens that are less likely than min_p times the most likely one.
            repetition_penalty: above 1, tokens that are in the text already become less likely.
            stop: a string, or several, that end a text; the text does not contain it.
            length: the most tokens to add, which are characters unless the run has another tokenizer; None lets
                documents end by themselves, and adds 500 to a stream.
            seed: the same seed gives the same texts.

        Raises:
            UserError: if the prompt has a character that the model does not know, or an option is out of range.
        """
        stop = (stop,) if isinstance(stop, str) else stop
        for name, texts in (("prompt", (prompt,) if isinstance(prompt, str) else prompt), ("stop", stop)):
            good = isinstance(texts, Sequence) and all(isinstance(text, str) for text in texts)
            if not good or (name == "prompt" and not texts):
                raise UserError(f"{name} must be text, or a list of texts, got {texts!r}")
        for name, value in (("n", n), ("length", length)):
            if value is not None:
                _require_whole(name, value)
        _require_whole("seed", seed, 0, 2**32 - 1)
        rule = build(
            SamplingRule,
            {
                "temperature": temperature,
                "top_k": top_k,
                "top_p": top_p,
                "min_p": min_p,
                "repetition_penalty": repetition_penalty,
            },
        )
        if not self.model.continues:
            raise UserError(f"{self.config.model} does not continue texts; run.answer(text) gives what it says to one")
        return Texts.of(
            samples(
                self.model,
                self.tokenizer,
                self._kind,
                prompt=prompt,
                number=n,
                length=length,
                rule=rule,
                stop=stop,
                seed=seed,
            )
        )

    def answer(
        self, text: str, n: int | None = None, *, beams: int = 1, temperature: float = 0.0, seed: int = 1337
    ) -> Texts:
        """What a model that does not continue texts says to one: its translation, the labels with their probabilities,
        or what each [MASK] in it may be; what `gradus sample --prompt` prints.

        Args:
            n: how many translations; None gives one.
            beams: of a model that translates, the width of beam search.
            temperature: of a model that translates: above 0, tokens are drawn.
            seed: the same seed gives the same translations.

        Raises:
            UserError: if the text does not suit the model, or an option is not for it.
        """
        if self.model.continues:
            raise UserError(f"{self.config.model} continues texts; run.sample(prompt) gives what it writes")
        if not isinstance(text, str):
            raise UserError(f"text must be text, got {text!r}")
        for name, value in (("n", n), ("beams", beams)):
            if value is not None:
                _require_whole(name, value)
        _require_whole("seed", seed, 0, 2**32 - 1)
        rule = build(SamplingRule, {"temperature": temperature})
        return Texts(answers(self._folder, self.model, text, number=n, beams=beams, rule=rule, seed=seed))

    def evaluate(
        self,
        split: str = "test",
        *,
        text: str | Path | None = None,
        sliding: bool = False,
        stride: int | None = None,
    ) -> Score:
        """The loss on every character of a split, each scored once; of a model that translates, labels or finds hidden
        tokens, on every token of a target, label or hidden token.

        Args:
            split: train, dev (also called val or validation) or test.
            text: a file, a folder or a corpus by name, all of which is measured instead.
            sliding: overlap the windows, so that every prediction sees at least three quarters of a block.
            stride: how far each window is from the next, in tokens; 1 gives every prediction a full context.

        Raises:
            UserError: for another split or stride, or if the text has changed.
        """
        part = split_named(split)
        if stride is not None:
            _require_whole("stride", stride)
        if text is not None:
            return measure(self._folder, text, sliding=sliding, stride=stride, model=self.model).score
        if sliding and stride is None:
            stride = sliding_stride(self.model)
        return evaluate(self.model, self._setup.examples(part, stride=stride))

    def export(self, folder: str | Path) -> str:
        """Write the model and its tokenizer into a new folder, for Hugging Face's `transformers`.

        Returns:
            the class there that loads it.

        Raises:
            UserError: if there is none that does the same, or the folder is not empty.
        """
        return export_run(self._folder, folder)

    def plot(self) -> Figure:
        """The losses while it was trained, beside the loss of guessing; a notebook shows the figure."""
        from math import log

        from gradus.plots import LossCurve, plot_losses

        guessing = {"guessing": log(getattr(self.model.config, "n_labels", 0) or self.tokenizer.vocab_size)}
        curve = LossCurve.of(self._folder.metrics(), self.config.model)
        return plot_losses([curve], levels=guessing, title=f"{self.config.model} on {self._corpus}")

    def resume(
        self, *, steps: int | None = None, minutes: float | None = None, progress: bool = True, **hardware: Any
    ) -> Run:
        """Go on training, to the end of its budget or of a new one; the result is that of never having stopped.

        Args:
            steps, minutes: the new budget, of all its training, what is done included.
            hardware: what it goes on with, where that changes: device, precision, compile, shard.

        Returns:
            The run itself.

        Raises:
            UserError: if its budget is spent and there is no new one, or another setting is to change.
        """
        try:
            with self._folder.in_use():
                setup = reopen_to_resume(self._folder, steps=steps, minutes=minutes, **hardware)
                _train(self._folder, setup, progress)
        finally:
            for name in ("config", "model", "_setup"):
                self.__dict__.pop(name, None)
        return self

    def __repr__(self) -> str:
        if not self._folder.has_model:
            return f"Run {self.path}: {self.config.model} on {self._corpus}, not trained yet"
        progress, parameters = progress_of(self._folder), self.model.num_parameters()
        if "imported" in (data := self._folder.state()["data"]):
            return f"Run {self.path}: {self.config.model} imported from {data['imported']}, {parameters:,} parameters"
        counts = is_counting(self.model)
        done = f"{parameters:,} counts" if counts else f"{parameters:,} parameters, {progress.step:,} steps"
        best = "" if progress.best_loss is None else f", dev loss {progress.best_loss:.4f}"
        if best and progress.best_step != progress.step:
            best += f" at step {progress.best_step:,}"
        what = f"Run {self.path}: {self.config.model} on {self._corpus}"
        return f"{what}, {done} in {duration(progress.seconds)}{best}"

    # What is read when it is needed

    @cached_property
    def _setup(self) -> Setup:
        return reopen(self._folder)

    @property
    def _kind(self) -> str:
        return str(self._folder.settings().get("kind"))

    @property
    def _corpus(self) -> str:
        return str(self._folder.state().get("data", {}).get("corpus") or Path(self.config.corpus).name)


def _require_whole(name: str, value: object, least: int = 1, most: int | None = None) -> None:
    """UserError unless an argument is a whole number from `least` to `most`."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise UserError(f"{name} must be a whole number, got {value!r}")
    if int(value) < least or (most is not None and int(value) > most):
        between = f"at least {least}" if most is None else f"between {least} and {most}"
        raise UserError(f"{name} must be {between}, got {value}")


def _train(folder: RunFolder, setup: Setup, progress: bool) -> None:
    """Train from where the run stands, and write what it is given at the end. Ctrl-C leaves a run that can go on."""
    try:
        with show_progress(setup.config.model) if progress and folder.writes else nullcontext() as show:
            result = train_run(folder, setup, show)
        if not folder.writes:  # of several processes, the one that leads makes the report
            return
        if result.stopped == "interrupted":
            print(f"stopped and saved at step {result.step:,}; run.resume() goes on")
            return
        write_samples(folder, setup, show=lambda _: None)
        for _ in write_pages(folder, setup):
            pass
        test_loss = kept_loss(setup, evaluate(setup.model, setup.examples("test")))
    except KeyboardInterrupt:
        print("stopped; run.resume() finishes it")
        return
    folder.update(reported=True, test_loss=test_loss)
