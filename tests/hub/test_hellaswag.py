"""HellaSwag: the same choices and scores as a direct computation with `transformers`, item by item, on the same random
model; the files it is read from; and what does not fit."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.errors import UserError
from gradus.evaluation import Choices, Item, hellaswag, read_hellaswag
from gradus.hub import import_run
from gradus.models import build_model
from gradus.text import BPETokenizer, CharTokenizer, load_tokenizer
from gradus.training import load_model

STORY, ENDINGS = "A man is sitting on a roof. he", ("sings.", "is a cat.", "sits.", "flies off.")
ITEM = {"ctx": STORY, "endings": ENDINGS, "label": 2}


def directly(model: Any, tokenizer: Any, items: list[Item]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Sum and number of the losses of each ending, one row at a time, by PyTorch."""
    reference = pytest.importorskip("torch")
    threads = reference.get_num_threads()
    reference.set_num_threads(1)  # of rows so short, more threads only wait for each other
    losses, lengths = [], []
    for item in items:
        story = tokenizer.encode(item.context).ids
        for text in item.endings:
            ending = tokenizer.encode(" " + text).ids
            row = reference.tensor([story + ending])
            with reference.no_grad():
                logits = model(row).logits[0, len(story) - 1 : -1]
            losses.append(reference.nn.functional.cross_entropy(logits, row[0, len(story) :], reduction="sum").item())
            lengths.append(len(ending))
    reference.set_num_threads(threads)
    return np.array(losses).reshape(-1, 4), np.array(lengths).reshape(-1, 4)


@pytest.mark.parametrize("name", ["small", pytest.param("gpt2", marks=pytest.mark.slow)])
def test_scores_and_choices_are_those_of_a_direct_computation(name: str, tmp_path: Path, data_folder: Path) -> None:
    transformers, tokenizers = pytest.importorskip("transformers"), pytest.importorskip("tokenizers")
    reference = pytest.importorskip("torch")
    items = read_hellaswag(data_folder / "hellaswag" / "hellaswag_val_text_200.jsonl")
    ours = (
        load_tokenizer(data_folder / "gpt2")
        if name == "gpt2"
        else BPETokenizer.train([item.context for item in items], 1000)
    )
    assert isinstance(ours, BPETokenizer)
    reference.manual_seed(0)
    sizes = {"vocab_size": ours.vocab_size, "n_positions": 800, "n_embd": 24, "n_layer": 2, "n_head": 3}
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes, bos_token_id=0, eos_token_id=0)).eval()
    for parameter in model.parameters():
        parameter.data *= 3  # so that the endings differ in more than their length
    model.save_pretrained(tmp_path / "theirs")
    ours.save(tmp_path / "theirs" / "tokenizer.json")
    found = hellaswag(load_model(import_run(tmp_path / "theirs", tmp_path / "run")), ours, items)
    losses, lengths = directly(model, tokenizers.Tokenizer.from_str(ours.to_json()), items)
    np.testing.assert_allclose(found.losses, losses, rtol=1e-5)
    assert np.array_equal(found.lengths, lengths)
    labels = np.array([item.label for item in items])
    assert found.accuracy == (losses.argmin(1) == labels).mean()
    assert found.accuracy_norm == ((losses / lengths).argmin(1) == labels).mean()
    assert len(set(found.chosen.tolist())) == 4


def test_the_raw_items_are_read_as_the_texts_are(data_folder: Path) -> None:
    raw = read_hellaswag(data_folder / "hellaswag" / "hellaswag_val_head10_raw.jsonl")
    texts = read_hellaswag(data_folder / "hellaswag" / "hellaswag_val_text_200.jsonl")
    assert (len(raw), len(texts)) == (10, 200)
    assert raw[0] == texts[0]
    assert raw[0].endings[raw[0].label] == "starts pulling up roofing on a roof."


def test_accuracy_has_its_standard_error() -> None:
    losses, labels = np.array([[1.0, 2, 3, 4], [4.0, 3, 2, 1], [1.0, 9, 9, 9]]), np.array([0, 3, 1])
    found = Choices(losses, np.array([[1, 1, 1, 1], [1, 1, 1, 1], [1, 18, 18, 18]]), labels)
    assert (found.chosen.tolist(), found.chosen_norm.tolist()) == ([0, 3, 0], [0, 3, 1])
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.error(found.accuracy) == pytest.approx(math.sqrt(2 / 3 * 1 / 3 / 3))
    assert "accuracy 0.6667 ± 0.2722, length-normalised 1.0000 ± 0.0000" in repr(found)


def test_of_a_story_longer_than_the_block_the_end_is_read_and_an_ending_must_fit() -> None:
    tokenizer = CharTokenizer(sorted(set(STORY + "".join(ENDINGS))))
    model = build_model("gpt", vocab_size=tokenizer.vocab_size, block_size=16, n_layer=1, n_head=2, n_embd=8)
    long, short = Item(STORY * 3, ENDINGS, 2), Item((STORY * 3)[-17:], ENDINGS, 2)
    both = hellaswag(model, tokenizer, [long, short])
    np.testing.assert_allclose(both.losses[0], both.losses[1], rtol=1e-6)
    with pytest.raises(UserError, match="an ending of item 1 has 17 tokens; a model of block_size 16"):
        hellaswag(model, tokenizer, [long, Item("he", ("s" * 16, *ENDINGS[1:]), 0)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"label": None}, "the answer None, which is none of its 4 choices"),
        ({"label": 4}, "the answer 4, which is none of its 4 choices"),
        ({"endings": ["a", "b"]}, "has 2 choices; there must be at least 4"),
        ({"endings": [1, 2, 3, 4]}, "must be text"),
        ({"endings": "abcd"}, "choices must be a list"),
        ({"endings": ["a", "b", " ", "d"]}, "a choice that is empty"),
        ({"ctx": 7}, "must be text"),
        ({"ctx": ...}, "it has no prompt or question or ctx or query"),
    ],
)
def test_a_line_that_is_no_item_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    item = {name: value for name, value in {**ITEM, **change}.items() if value is not ...}
    (tmp_path / "items.jsonl").write_text(f"{json.dumps(ITEM)}\n{json.dumps(item)}\n")
    with pytest.raises(UserError, match=rf"items.jsonl, line 2 .*{said}"):
        read_hellaswag(tmp_path / "items.jsonl")


def test_a_label_may_be_text_and_a_file_must_have_items(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(json.dumps({**ITEM, "label": "2"}))
    assert read_hellaswag(path)[0].label == 2
    path.write_text("\n")
    with pytest.raises(UserError, match="there are no items in"):
        read_hellaswag(path)
    path.write_bytes(b"\x80")
    with pytest.raises(UserError, match="line 1 is no question with choices"):
        read_hellaswag(path)
    with pytest.raises(UserError, match="cannot read"):
        read_hellaswag(tmp_path / "nowhere")
