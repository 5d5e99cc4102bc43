"""Text on its way to a model: corpora, their splits, tokenizers, rows and batches of ids. NumPy only; knows no
tensor."""

from gradus.text.batches import Batches
from gradus.text.catalogue import FILE_ADDRESS, CorpusEntry, catalogue, load_corpus
from gradus.text.corpus import Corpus, Kind, Splits
from gradus.text.positions import Positions
from gradus.text.rows import Rows, make_rows
from gradus.text.summary import summarize
from gradus.text.tokenizer import CharTokenizer, Tokenizer, load_tokenizer, tokenizer_from_json

__all__ = [
    "FILE_ADDRESS",
    "Batches",
    "CharTokenizer",
    "Corpus",
    "CorpusEntry",
    "Kind",
    "Positions",
    "Rows",
    "Splits",
    "Tokenizer",
    "catalogue",
    "load_corpus",
    "load_tokenizer",
    "make_rows",
    "summarize",
    "tokenizer_from_json",
]
