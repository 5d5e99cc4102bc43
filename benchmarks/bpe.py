"""Tokenizers measured side by side, in seconds of one core: training on `bpe/taylorswift.txt` and encoding tiny
Shakespeare with GPT-2's vocabulary, by gradus, by tiktoken, by Hugging Face's tokenizers, and by counting all pairs
again for each merge, as minbpe does. Run as `GRADUS_DATA=FOLDER python benchmarks/bpe.py`."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

REPEATS = 3


def seconds(work: Callable[[], object]) -> float:
    """The least processor time of a few runs: what else the machine does only adds to it."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def train_all(text: str) -> None:
    import tokenizers

    from gradus.text import BPETokenizer
    from gradus.text.pairs import learn_merges
    from gradus.text.split import GPT4, split

    tokens = 1000
    ours = seconds(lambda: BPETokenizer.train([text], tokens, pattern=GPT4))
    print(f"train to {tokens:,} tokens on {len(text):,} characters, split by GPT-4's pattern")
    print(f"  gradus            {ours:7.2f} s")

    def hugging_face() -> None:
        tokenizer = tokenizers.Tokenizer.from_str(BPETokenizer.train([], 256, pattern=GPT4).to_json())
        alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
        trainer = tokenizers.trainers.BpeTrainer(vocab_size=tokens, initial_alphabet=alphabet, show_progress=False)
        tokenizer.train_from_iterator([text], trainer)

    print(f"  tokenizers        {seconds(hugging_face):7.2f} s")
    pieces = [list(piece.encode()) for piece in split(text, GPT4)]
    start, few = time.process_time(), 50
    learn_merges(pieces, few)
    recount = (time.process_time() - start) * (tokens - 256) / few
    print(
        f"  recounting        {recount:7.2f} s, {recount / ours:.0f} times ours (from {few} of {tokens - 256} merges)"
    )
    print("  tiktoken          does not train")


def encode_all(text: str, folder: Path) -> None:
    import tiktoken
    import tokenizers
    from tiktoken.load import data_gym_to_mergeable_bpe_ranks

    from gradus.text import BPETokenizer, load_tokenizer
    from gradus.text.pairs import merge
    from gradus.text.split import split

    start = time.process_time()
    ours = load_tokenizer(folder / "gpt2")
    loading = time.process_time() - start
    assert isinstance(ours, BPETokenizer)
    ranks = data_gym_to_mergeable_bpe_ranks(str(folder / "gpt2/vocab.bpe"), str(folder / "gpt2/encoder.json"))
    assert ours.pattern is not None
    openai = tiktoken.Encoding("gpt2", pat_str=ours.pattern, mergeable_ranks=ranks, special_tokens={})
    hugging_face = tokenizers.Tokenizer.from_str(ours.to_json())
    made = {pair: (rank, 256 + rank) for rank, pair in enumerate(ours.merges)}
    byte_ids = {token[0]: id_ for id_, token in enumerate(ours.vocab[:256])}

    def one_by_one() -> int:
        """As minbpe encodes: each piece anew, and its pairs counted again after each merge."""
        number = 0
        for piece in split(text, ours.pattern):
            ids = [byte_ids[byte] for byte in piece.encode()]
            while len(ids) > 1:
                pair = min(Counter(pairwise(ids)), key=lambda pair: made.get(pair, (1 << 30, 0)))
                if pair not in made:
                    break
                ids = merge(ids, pair, made[pair][1])
            number += len(ids)
        return number

    first = []
    for _ in range(REPEATS):
        fresh = BPETokenizer(ours.vocab, ours.merges, special=ours.special)
        start = time.process_time()
        number = len(fresh.encode(text))
        first.append(time.process_time() - start)
    print(f"encode {len(text):,} characters as {number:,} GPT-2 tokens")
    again = seconds(lambda: fresh.encode(text))
    print(f"  gradus            {min(first):7.2f} s, once more {again:.2f} s; {loading:.2f} s to load before")
    print(f"  tiktoken          {seconds(lambda: openai.encode_ordinary(text)):7.2f} s")
    print(f"  tokenizers        {seconds(lambda: hugging_face.encode(text)):7.2f} s")
    print(f"  minbpe's way      {seconds(one_by_one):7.2f} s")


def main() -> None:
    if not os.environ.get("GRADUS_DATA"):
        raise SystemExit("GRADUS_DATA must name a folder with bpe/taylorswift.txt, tinyshakespeare.txt and gpt2/")
    folder = Path(os.environ["GRADUS_DATA"])
    train_all((folder / "bpe/taylorswift.txt").read_text(encoding="utf-8"))
    encode_all((folder / "tinyshakespeare.txt").read_text(encoding="utf-8"), folder)


if __name__ == "__main__":
    main()
