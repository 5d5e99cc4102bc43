"""What each model of the ladder is, in the words of the page: what it does, what it sees, where to read about it."""

from __future__ import annotations

from dataclasses import dataclass

from gradus.report.record import Rung


@dataclass(frozen=True)
class Explanation:
    """For readers who meet the model for the first time."""

    what: str
    sees: str
    paper: str


def explain(rung: Rung) -> Explanation:
    """The explanation of a rung's model, with its own numbers in it."""
    n = rung.context
    characters = "the one character before" if n == 1 else f"the {n} characters before"
    if rung.model == "ngram":
        return Explanation(
            f"It only counts: how often did each character follow {characters} in the training text? Each count is "
            f"raised by {rung.settings.get('smoothing', 0):g}, so that what was never seen is rare and not impossible. "
            "No gradient, no training loop.",
            f"Sees {characters}, and nothing of how characters resemble each other."
            + ("" if n == 1 else " In a context that it has never seen, it finds all characters equally likely."),
            "Markov (1913), An example of statistical investigation of the text Eugene Onegin; Shannon (1948), A "
            "Mathematical Theory of Communication",
        )
    if rung.model == "bigram":
        return Explanation(
            "The same table of pairs, found by descending a gradient instead of counting: one row of logits for each "
            "character, and one that all share; softmax, cross entropy. It can only arrive where the counts already "
            "are, which is the point: counting and learning are the same estimate reached by two roads, and only one "
            "of the roads goes on.",
            f"Sees {characters}.",
            "Bridle (1990), Probabilistic Interpretation of Feedforward Classification Network Outputs (the softmax)",
        )
    if rung.model == "nplm":
        return Explanation(
            "The neural probabilistic language model: every character becomes a short learned vector, the vectors of "
            "the context side by side go through one layer of tanh units, and a softmax gives the next character. "
            "Characters that behave alike get vectors that lie close, so what is learned of one context serves the "
            "contexts like it.",
            f"Sees {characters}, each at its own fixed place.",
            "Bengio, Ducharme, Vincent & Jauvin (2003), A Neural Probabilistic Language Model",
        )
    if rung.model == "gpt":
        return Explanation(
            "A decoder-only Transformer of GPT-2's design: in each layer every position looks at all earlier ones and "
            "takes from them what it needs (attention), then thinks for itself (a small MLP); residual connections and "
            "layer normalisation keep the gradient alive through the depth.",
            f"Sees up to {n} characters before, and chooses for itself which of them matter.",
            "Vaswani et al. (2017), Attention Is All You Need; Radford et al. (2019), Language Models are Unsupervised "
            "Multitask Learners",
        )
    return Explanation(f"A model of the kind “{rung.model}”.", f"Sees {characters}.", "")
