"""What models that do not continue a text answer, to a prompt and on a split: the lines that `gradus sample`, `gradus
train` and `gradus eval` print."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np

from gradus.errors import UserError
from gradus.evaluation import Confusion, has_sacrebleu, has_sklearn, score_translations, tfidf_baseline
from gradus.generation import SamplingRule, fill_masks, label_probabilities, translations
from gradus.generation.translate import GREEDY
from gradus.models import Encoder, LanguageModel, Transformer
from gradus.text import Corpus, Split
from gradus.training import RunFolder, Setup, labels_of, tokenizer_of

SHOWN = 5  # samples of dev


def results(setup: Setup, split: Split, *, beams: int = 1) -> Iterator[str]:
    """What such a model answers on a split, besides its loss: exact matches and BLEU, or accuracy, F1, the confusion
    matrix and the baseline. Nothing for hidden tokens."""
    part: Corpus = getattr(setup.splits, split)
    if isinstance(setup.model, Transformer):
        for width in dict.fromkeys((1, beams)):
            yield _translated(setup, part, width)
        if _is_language(setup) and not has_sacrebleu():
            yield "BLEU     needs sacrebleu: pip install 'gradus-lm[bleu]'"
    elif setup.labels:
        found = confusion(setup, part)
        yield f"{split} labels of {len(part.documents):,} texts: {_told(found)}"
        yield from _matrix(found)
        if has_sklearn():
            train = setup.splits.train
            baseline = tfidf_baseline((train.documents, train.labels), (part.documents, part.labels), setup.labels)
            yield f"beside it, TF-IDF with logistic regression: {_told(baseline)}"
        else:
            yield "to see what TF-IDF with logistic regression does: pip install scikit-learn"


def sample_lines(setup: Setup) -> Iterator[str]:
    """What such a model makes of the first texts of dev, a line each."""
    dev = setup.splits.dev
    texts = dev.documents[:SHOWN]
    if isinstance(setup.model, Transformer):
        for source, target, references in zip(texts, _translations(setup, texts), dev.targets, strict=False):
            verdict = "right" if target in references else f"reference: {references[0]}"
            yield f"{source} -> {target}  ({verdict})"
    elif setup.labels:
        given = label_probabilities(cast(Encoder, setup.model), setup.tokenizer, texts)
        for text, p, right in zip(texts, given, dev.labels, strict=False):
            name = setup.labels[int(p.argmax())]
            verdict = "right" if name == right else f"is {right}"
            yield f"{name} {p.max():.0%}: {text if len(text) <= 80 else text[:79] + '…'}  ({verdict})"


def answers(
    run: RunFolder,
    model: LanguageModel,
    prompt: str,
    *,
    number: int | None = None,
    beams: int = 1,
    length: int | None = None,
    rule: SamplingRule = GREEDY,
    seed: int = 1337,
) -> Iterator[str]:
    """What the model of a run answers to a prompt, in lines: translations, as many as `number`; its labels with their
    probabilities, the likeliest first; or for each [MASK] what may be there.

    Raises:
        UserError: if the prompt does not suit the model, or an option is not for it.
    """
    tokenizer = tokenizer_of(run, model)
    if isinstance(model, Transformer):
        texts = [prompt] * (number or 1)
        yield from translations(model, tokenizer, texts, beams=beams, length=length, rule=rule, seed=seed)
        return
    assert isinstance(model, Encoder)
    if beams > 1 or rule != GREEDY or number is not None or length is not None:
        raise UserError(
            "the model reads the prompt and writes no text: it takes no beams, number, length or rule for drawing"
        )
    if not prompt.strip():
        raise UserError("there is nothing to read: give a text by --prompt")
    if names := labels_of(run):
        (p,) = label_probabilities(model, tokenizer, [prompt])
        yield from (f"{p[i]:6.1%} {names[i]}" for i in (-p).argsort(kind="stable"))
    else:
        for found in fill_masks(model, tokenizer, prompt):
            yield "  ".join(f"{token.strip() or token!r} {p:.1%}" for token, p in found)


def _translated(setup: Setup, part: Corpus, beams: int) -> str:
    found = _translations(setup, part.documents, beams)
    score = score_translations(found, part.targets, bleu=_is_language(setup))
    how = "greedy" if beams == 1 else f"beam {beams}"
    said = f"{how:8} {score.exact_match:.1%} of {score.count:,} exactly right"
    return said if score.bleu is None else f"{said}, BLEU {score.bleu:.2f} ({score.signature})"


def _translations(setup: Setup, texts: tuple[str, ...], beams: int = 1) -> list[str]:
    return translations(cast(Transformer, setup.model), setup.tokenizer, texts, beams=beams)


def _is_language(setup: Setup) -> bool:
    """Whether the targets are text, of which BLEU can be told: made strings are none."""
    return setup.splits.train.draw is None


def confusion(setup: Setup, part: Corpus) -> Confusion:
    """Which labels a classifier gives to the texts of a part."""
    given = label_probabilities(cast(Encoder, setup.model), setup.tokenizer, part.documents).argmax(axis=1)
    return Confusion.of([setup.labels.index(label) for label in part.labels], given, setup.labels)


def _told(confusion: Confusion) -> str:
    return f"accuracy {confusion.accuracy:.1%}, macro F1 {100 * confusion.macro_f1:.1f} %"


def _matrix(confusion: Confusion) -> Iterator[str]:
    """The confusion matrix: the labels that the texts have down the side, those they were given across the top."""
    names = confusion.labels
    side = max(map(len, names))
    widths = [max(len(name), len(str(column.max()))) for name, column in zip(names, confusion.table.T, strict=True)]
    yield " ".join([" " * side, *(f"{name:>{width}}" for name, width in zip(names, widths, strict=True)), "   F1"])
    for name, row, f1 in zip(names, confusion.table, confusion.f1, strict=True):
        cells = (f"{number:>{width}}" for number, width in zip(np.asarray(row), widths, strict=True))
        yield " ".join([f"{name:>{side}}", *cells, f"{f1:5.2f}"])
