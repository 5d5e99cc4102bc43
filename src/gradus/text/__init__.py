"""Text on its way to a model: corpora, their splits, tokenizers, rows and batches of ids. NumPy only; knows no
tensor."""

from gradus.text.batches import Batches
from gradus.text.bpe import BPETokenizer
from gradus.text.catalogue import FILE_ADDRESS, CorpusEntry, catalogue, load_corpus
from gradus.text.characters import CharTokenizer
from gradus.text.corpus import KINDS, Corpus, Kind, Split, Splits, split_named
from gradus.text.example_batches import EndlessPairs, ExampleBatches
from gradus.text.examples import Examples, Labelled, Masked, Pairs, framed, make_labelled, make_masked, make_pairs
from gradus.text.load import gpt2_tokenizer, load_tokenizer, tokenizer_from_json
from gradus.text.positions import Positions
from gradus.text.prepared import PreparedText, verify
from gradus.text.preparing import prepare
from gradus.text.rows import Rows, make_rows, scored_size
from gradus.text.summary import summarize
from gradus.text.tokenizer import Tokenizer
from gradus.text.tracks import TrackBatches, Tracks, make_tracks
from gradus.text.wordpiece import WordPieceTokenizer
from gradus.text.words import WordTokenizer

__all__ = [
    "FILE_ADDRESS",
    "KINDS",
    "BPETokenizer",
    "Batches",
    "CharTokenizer",
    "Corpus",
    "CorpusEntry",
    "EndlessPairs",
    "ExampleBatches",
    "Examples",
    "Kind",
    "Labelled",
    "Masked",
    "Pairs",
    "Positions",
    "PreparedText",
    "Rows",
    "Split",
    "Splits",
    "Tokenizer",
    "TrackBatches",
    "Tracks",
    "WordPieceTokenizer",
    "WordTokenizer",
    "catalogue",
    "framed",
    "gpt2_tokenizer",
    "load_corpus",
    "load_tokenizer",
    "make_labelled",
    "make_masked",
    "make_pairs",
    "make_rows",
    "make_tracks",
    "prepare",
    "scored_size",
    "split_named",
    "summarize",
    "tokenizer_from_json",
    "verify",
]
