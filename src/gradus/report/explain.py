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
        "gradus train CORPUS --model ngram --method additive --order {longer}",
    ),
    "kneser-ney": Explanation(
        "Counts of every length at once: where the long context was seen seldom, part of its weight goes to the "
        "shorter one, down to the single character. The shorter one is not asked how often a character occurs, but "
        "after how many different contexts, which is what matters where the context is new. For twenty years it was "
        "the model to beat, and on a small text it still is.",
        "Sees {characters}, and falls back on fewer where these are rare.",
        "Kneser & Ney (1995), Improved backing-off for m-gram language modeling; Chen & Goodman (1999), An empirical "
        "study of smoothing techniques for language modeling",
        "See what one discount for all counts does, in place of three that are estimated:",
        "gradus train CORPUS --model ngram --method kneser-ney --order {longer}",
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
    "mlp": Explanation(
        "The NPLM, made trainable in depth. Before each tanh, BatchNorm brings every unit to mean 0 and variance 1 "
        "over the batch, so that none starts out flat and dead, and the first weights are scaled to keep signals at "
        "one size from layer to layer. With that, more layers can be stacked than the NPLM could bear.",
        "Sees {characters}, each at its own fixed place.",
        "Ioffe & Szegedy (2015), Batch Normalization; He et al. (2015), Delving Deep into Rectifiers",
        "Leave both ideas out, and look at the saturated units:",
        "gradus train CORPUS --model mlp --norm none --init plain --steps 2000 --diagnose",
    ),
    "wavenet": Explanation(
        "The MLP squeezes its whole context at once; this one joins neighbours, then pairs of neighbours, then fours, "
        "as a tree. Each layer doubles what is seen, so a long context costs few layers. What is near is put together "
        "first, as letters make syllables before syllables make words.",
        "Sees {characters}, joined two by two.",
        "van den Oord et al. (2016), WaveNet: A Generative Model for Raw Audio",
        "Try the paper's own design, convolutions with gates, along whole rows:",
        "gradus train CORPUS --model wavenet --design dilated --minutes 1",
    ),
    "recurrent": Explanation(
        "It reads one character after the other and keeps a vector of state, which is all it remembers. Gates, learned "
        "too, say what is kept, what is forgotten and what is new, so that something seen long ago can survive many "
        "steps. Nothing fixes how far back it can look; but it must read in order, and the gradient has to pass every "
        "step on the way back.",
        "Sees all that came before in its row, through the state alone.",
        "Hochreiter & Schmidhuber (1997), Long Short-Term Memory; Cho et al. (2014), Learning Phrase Representations "
        "using RNN Encoder-Decoder (the GRU)",
        "See what the gates are worth; Elman's network of 1990 has none:",
        "gradus train CORPUS --model recurrent --cell rnn --minutes 1",
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
    "modern": Explanation(
        "The GPT with what a decade of trials has changed: positions are rotations of queries and keys (RoPE), "
        "normalisation has no parameters (RMSNorm, also on queries and keys), the MLP squares its ReLU, and blocks "
        "begin by adding nothing. Its matrices are trained by Muon, which makes every step orthogonal, so that rare "
        "directions move as much as common ones. Each change is small and is a setting of its own.",
        "Sees up to {n} characters before, and chooses for itself which of them matter.",
        "Su et al. (2021), RoFormer; Zhang & Sennrich (2019), Root Mean Square Layer Normalization; So et al. (2021), "
        "Primer; Jordan et al. (2024), Muon",
        "Take one of the changes back, and see what it was worth:",
        "gradus train CORPUS --model modern --no-rope --minutes 1",
    ),
    "mixture": Explanation(
        "Two models that err in different places: the best network of this climb that can be mixed, one that carries "
        "no state over the text, and the Kneser-Ney counts, their probabilities averaged. The counts know by heart "
        "what was seen often, the network knows what resembles it. How much each is trusted depends on how often the "
        "counts have seen the context, and is fitted on dev.",
        "Sees what the network and the counts see.",
        "Jelinek & Mercer (1980), Interpolated estimation of Markov source parameters; Bengio et al. (2003), who mixed "
        "theirs with a trigram",
        "See more of what the two write together:",
    ),
}


def explain(rung: Rung) -> Explanation:
    """The explanation of a rung's model, with its own numbers in it."""
    n = rung.context
    smoothed = rung.model == "ngram" and rung.settings.get("method") != "additive"
    known = _EXPLANATIONS.get("kneser-ney" if smoothed else rung.model)
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
