"""What each model of the ladder is, in the words of the page: its idea in three sentences, what it sees, where to read
about it, and what to do next. A model without an entry here is told by the first lines of its own file."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass, replace

from gradus.models import MODELS
from gradus.report.record import Rung


@dataclass(frozen=True)
class Explanation:
    """For readers who meet the model for the first time.

    Attributes:
        what: the idea in three sentences.
        sees: what a prediction sees.
        paper: where to read about it.
        next: what to try, and why.
        command: the command for that; CORPUS and RUN stand for those of the page.
    """

    what: str
    sees: str
    paper: str = ""
    next: str = ""
    command: str = "gradus sample RUN --num 10"


_EXPLANATIONS = {
    "ngram": Explanation(
        "It only counts: how often did each character follow {characters} in the training text? Each count is raised a "
        "little, so that what was never seen is rare and not impossible. No gradient, no training loop, and every "
        "network has to beat it.",
        "Sees {characters}, and nothing of how characters resemble each other.",
        "Markov (1913), An example of statistical investigation of the text Eugene Onegin; Shannon (1948), A "
        "Mathematical Theory of Communication",
        "See what one character more of context does to the counts, on the training text and on dev:",
        "gradus train CORPUS --model ngram --order {longer}",
    ),
    "bigram": Explanation(
        "The same table of pairs, found by descending a gradient instead of counting: a row of logits for each "
        "character, and one that all share; softmax, cross entropy. It can only arrive where the counts already are. "
        "That is the point: counting and learning are two roads to one estimate, and only the second goes on.",
        "Sees {characters}.",
        "Bridle (1990), Probabilistic Interpretation of Feedforward Classification Network Outputs (the softmax)",
        "Weight decay is smoothing in disguise. Pull much harder, and see the loss rise towards the unigram's:",
        "gradus train CORPUS --model bigram --weight-decay 1 --steps 1000",
    ),
    "nplm": Explanation(
        "Every character becomes a short learned vector. The vectors of the context, side by side, go through one "
        "layer of tanh units, and a softmax gives the next character. Characters that behave alike get vectors that "
        "lie close, so what is learned of one context serves the contexts like it.",
        "Sees {characters}, each at its own fixed place.",
        "Bengio, Ducharme, Vincent & Jauvin (2003), A Neural Probabilistic Language Model",
        "See where the characters came to lie, and how many tanh units are saturated:",
        "gradus train CORPUS --model nplm --steps 2000 --diagnose",
    ),
    "gpt": Explanation(
        "In each layer every position looks at all earlier ones and takes from them what it needs (attention), then "
        "works on what it has by itself (a small MLP). Which characters matter is computed from the text, not fixed by "
        "their place. Residual connections and layer normalisation keep the gradient alive through the depth.",
        "Sees up to {n} characters before, and chooses for itself which of them matter.",
        "Vaswani et al. (2017), Attention Is All You Need; Radford et al. (2019), Language Models are Unsupervised "
        "Multitask Learners",
        "See where each head looks:",
        "gradus train CORPUS --model gpt --minutes 1 --diagnose",
    ),
}


def explain(rung: Rung) -> Explanation:
    """The explanation of a rung's model, with its own numbers in it."""
    n = rung.context
    known = _EXPLANATIONS.get(rung.model)
    if known is None:
        sees = "Sees {characters}." if n == 1 else "Sees up to {n} characters before."
        known = Explanation(_first_lines(rung.model), sees, "", "See what it learned, from the inside:")
        known = replace(known, command=f"gradus train CORPUS --model {rung.model} --minutes 1 --diagnose")
    words = {
        "n": n,
        "characters": "the one character before" if n == 1 else f"the {n} characters before",
        "longer": n + 2,
    }
    return replace(
        known,
        what=known.what.format_map(words),
        sees=known.sees.format_map(words),
        command=known.command.format_map(words),
    )


def source(model: str) -> tuple[str, str]:
    """The file of a model, as a path from the package's folder on, and its text; nothing for an unknown model."""
    if model not in MODELS:
        return "", ""
    module = MODELS[model][1].__module__
    return module.replace(".", "/") + ".py", inspect.getsource(sys.modules[module])


def _first_lines(model: str) -> str:
    """The first paragraph of what the model's file says about itself."""
    if model not in MODELS:
        return f"A model of the kind “{model}”."
    text = sys.modules[MODELS[model][1].__module__].__doc__ or ""
    return " ".join(text.split("\n\n")[0].split()).replace("{", "{{").replace("}", "}}")
