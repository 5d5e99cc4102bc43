"""The task of every rung: one text with its splits and tokenizer, and the questions asked of every model.

Models that see a fixed number of characters are scored with all of them as context, and a recurrent network carries its
state over all of a stream. A Transformer reads rows of a stream that do not overlap (windows, as nanoGPT is measured),
and the test split once more with a sliding window, where every character has at least three quarters of a row before
it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile

import numpy as np
import numpy.typing as npt

from gradus.backend import F, torch
from gradus.evaluation import Score, evaluate
from gradus.generation import generate
from gradus.models import LanguageModel, device_of, inference
from gradus.report.ladder import DEV_WHILE_TRAINING, LONGEST_ROW, SCORED_AT_MOST, TRAIN_SCORED_AT_MOST
from gradus.report.record import Guess, Part, Question, Sample
from gradus.text import CharTokenizer, Corpus, PreparedText, Rows, Splits, Tokenizer, scored_size
from gradus.training.prepare import rows_for, slides, sliding_stride

WORDS, PASSAGES, PASSAGE = 24, 3, 240  # samples a rung: documents; passages of a stream, and their characters
ASKED = (6, 2, -1)  # characters of a document before the one that is asked for; -1 is all, so that its end is asked for
PLACES = (0.5, 0.25, 0.75)  # where in the dev split of a stream a character is asked for ...
SHOWN = 24  # ... and at most so many characters before it are given


@dataclass(frozen=True)
class Task:
    """What every model of a climb is trained and evaluated on. block_size is the longest row of any rung."""

    corpus: Corpus
    splits: Splits
    tokenizer: Tokenizer
    block_size: int

    @classmethod
    def of(cls, corpus: Corpus) -> Task:
        """Split a corpus, learn its alphabet and find the length of its rows.

        Raises:
            UserError: if the corpus is too small to be split or to fill a row.
        """
        if isinstance(corpus, PreparedText):
            corpus.refuse()
        splits = corpus.splits()
        longest = max(map(len, corpus.documents)) + 1 if corpus.documents else LONGEST_ROW
        return cls(corpus, splits, CharTokenizer.train(corpus), min(LONGEST_ROW, longest))

    @property
    def is_stream(self) -> bool:
        return self.corpus.kind == "stream"

    def rows(self, model: LanguageModel, part: Corpus, *, sliding: bool = False) -> Rows:
        """The rows of a part that a model is scored on; sliding is as `gradus eval --sliding` does it."""
        return rows_for(model, part, self.tokenizer, stride=sliding_stride(model) if sliding else None)

    # Scores

    @cached_property
    def scored(self) -> tuple[Corpus, Corpus, Corpus]:
        """Train, dev and test as they are scored: whole, or so much of their beginning as is allowed."""
        train = beginning(self.splits.train, TRAIN_SCORED_AT_MOST)
        return train, beginning(self.splits.dev, SCORED_AT_MOST), beginning(self.splits.test, SCORED_AT_MOST)

    @cached_property
    def dev_while_training(self) -> Corpus:
        return beginning(self.splits.dev, DEV_WHILE_TRAINING)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The splits and what is scored of them, for the page."""
        whole = (self.splits.train, self.splits.dev, self.splits.test)
        return tuple(
            Part(full.part, len(full.documents), full.characters, scored.characters - self.is_stream)
            for full, scored in zip(whole, self.scored, strict=True)
        )

    def captions(self) -> tuple[str, ...]:
        """What a reader must know to compare the losses."""
        whole = (self.splits.train, self.splits.dev, self.splits.test)
        cut = [
            f"{full.part} (the first {part.characters:,} of {full.characters:,} characters)"
            for full, part in zip(whole, self.scored, strict=True)
            if part.characters < full.characters
        ]
        out = ["Each loss is over the whole of its split" + (f", except {' and '.join(cut)}." if cut else ".")]
        unit = "character" if isinstance(self.tokenizer, CharTokenizer) else "token"
        if self.is_stream:
            out.append(
                "A model with a fixed context sees all of it before every character, and a recurrent network has read "
                f"all that comes before. A Transformer reads windows of {self.block_size} {unit}s that do not overlap, "
                f"so that its average {unit} has half a window before it; “sliding” scores test again with at least "
                f"{self.block_size - self.block_size // 4 + 1} {unit}s of context."
            )
        elif max(map(len, self.corpus.documents)) >= self.block_size:
            out.append(f"Documents longer than {self.block_size - 1} {unit}s are read in pieces.")
        if unit == "token":
            out.append(
                f"The model reads tokens, of which there are {self.tokenizer.vocab_size:,}: a context and the curve of "
                "training are told in tokens, losses per character."
            )
        return tuple(out)

    def score(self, model: LanguageModel, part: Corpus, *, sliding: bool = False) -> Score:
        """The loss of a model over a part, per character whatever its tokens are."""
        batch_size = 64 if self.is_stream else 256  # rows; a document is short
        score = evaluate(model, self.rows(model, part, sliding=sliding), batch_size=batch_size)
        return Score(score.total, scored_size(part, self.tokenizer)[0])

    def slides(self, model: LanguageModel) -> bool:
        """Whether scoring with a sliding window would say something that windows do not."""
        return slides(model, self.corpus.kind)

    # Samples and guesses

    def samples(self, model: LanguageModel, seed: int) -> tuple[Sample, ...]:
        """A model's samples: documents from nothing, or continuations of a line of the dev split. None, where an n-gram
        without smoothing has never seen the context."""
        try:
            return self._samples(model, seed)
        except ValueError:
            return ()

    def _samples(self, model: LanguageModel, seed: int) -> tuple[Sample, ...]:
        generator = torch.Generator().manual_seed(seed)
        if self.is_stream:
            prompt = self.tokenizer.encode(self.questions[0].context)
            ids = generate(model, _batch(model, prompt, PASSAGES), PASSAGE, generator=generator).cpu()
            return tuple(Sample(self.tokenizer.decode(row[len(prompt) :])) for row in ids.numpy())
        start = np.array([self.tokenizer.separator])
        first = _batch(model, start, WORDS)
        ids = generate(model, first, self.block_size, generator=generator, stop=int(start[0])).cpu()
        rows = (row[1:].tolist() for row in ids.numpy())
        texts = [self.tokenizer.decode(list(takewhile(lambda id_: id_ != start[0], row))) for row in rows]
        return tuple(Sample(text, self._origin(text)) for text in texts)

    def _origin(self, text: str) -> str:
        if text in self._train_documents:
            return "train"
        return "held out" if text in self._held_out_documents else "new"

    @cached_property
    def _train_documents(self) -> frozenset[str]:
        return frozenset(self.splits.train.documents)

    @cached_property
    def _held_out_documents(self) -> frozenset[str]:
        return frozenset(self.splits.dev.documents) | frozenset(self.splits.test.documents)

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """Contexts from the dev split, each with the character that follows it there. They are the same for every model
        of a text; one with shorter rows sees the end of a context."""
        if self.is_stream:
            return tuple(self._place(part) for part in PLACES)
        documents, out = self.splits.dev.documents, []
        longest = max(documents, key=len)
        for i, characters in enumerate(ASKED):
            document = next((d for d in documents[i:] if len(d) > max(ASKED)), longest)  # another word each time
            place = len(document) if characters < 0 else min(characters, len(document) - 1)
            out.append(Question("\n" + document[:place], (document + "\n")[place]))
        return tuple(dict.fromkeys(out))

    def _place(self, part: float) -> Question:
        """A place in the middle of a word of the dev split, after so much of it."""
        text = self.splits.dev.text
        first = min(int(part * len(text)), len(text) - 2)
        in_word = (i for i in range(max(first, 3), len(text) - 1) if text[i - 3 : i + 1].isalpha())
        end = next(in_word, first)
        return Question(text[max(0, end - SHOWN) : end], text[end])

    def guesses(self, model: LanguageModel, most: int = 5) -> tuple[tuple[Guess, ...], ...]:
        """For each question the most likely characters; the true one is added where it is not among them."""
        return tuple(self._guesses(model, question, most) for question in self.questions)

    def _guesses(self, model: LanguageModel, question: Question, most: int) -> tuple[Guess, ...]:
        context = self._encoded(question.context)[-model.block_size :]
        with inference(model):
            logits, _ = model(torch.from_numpy(context[None]).to(device_of(model)))  # (1, T, V)
            p = F.softmax(logits[0, -1], dim=-1).cpu().numpy()
        if not np.isfinite(p).all():  # counts without smoothing that have not seen this context
            return ()
        ids = [int(i) for i in np.argsort(-p, kind="stable")[:most]]
        right = self._encoded(question.answer)[:1].tolist()  # a space is no token of words
        end = None if self.is_stream else self.tokenizer.separator
        texts = {i: "\n" if i == end else self.tokenizer.decode([i]) for i in dict.fromkeys([*ids, *right])}
        return tuple(Guess(text, float(p[i])) for i, text in texts.items())

    def _encoded(self, text: str) -> npt.NDArray[np.int64]:
        """The ids of a text, in which a newline stands for the separator of documents."""
        if self.is_stream or not text.startswith("\n"):
            return self.tokenizer.encode(text)
        return np.concatenate([[self.tokenizer.separator], self.tokenizer.encode(text[1:])])


def beginning(part: Corpus, characters: int) -> Corpus:
    """As many first documents, or characters of a stream, as make at most so many characters; at least one document."""
    if part.characters <= characters:
        return part
    if isinstance(part, PreparedText):
        return part.beginning(characters)
    if part.kind == "stream":
        return replace(part, text=part.text[:characters])
    ends = np.cumsum([len(document) + 1 for document in part.documents])
    return replace(part, documents=part.documents[: max(1, int(np.searchsorted(ends, characters, side="right")))])


def _batch(model: LanguageModel, prompt: np.ndarray[tuple[int, ...], np.dtype[np.int64]], size: int) -> torch.Tensor:
    return torch.from_numpy(np.tile(prompt, (size, 1))).to(device_of(model))
