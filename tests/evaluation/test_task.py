"""Tasks of multiple choice: their files, how prompts with examples are put together, and what a model chooses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gradus.backend import F, torch
from gradus.errors import UserError
from gradus.evaluation import Item, Prompts, choose, hellaswag, read_task
from gradus.models import build_model
from gradus.text import CharTokenizer, Corpus

TOKENIZER = CharTokenizer.train(Corpus("letters", "stream", source="made up", text="abcdef \n"))
ITEMS = [Item("abc", ("de", "f", "fed a"), 1), Item("", ("a", "bc"), 0), Item("fedcba" * 9, ("ab", "cd"), 1)]


def test_the_loss_of_each_choice_is_that_of_its_tokens_one_by_one() -> None:
    torch.manual_seed(3)
    model = build_model("gpt", vocab_size=TOKENIZER.vocab_size, block_size=16, n_layer=1, n_head=2, n_embd=8).eval()
    found = choose(model, TOKENIZER, ITEMS)
    for i, item in enumerate(ITEMS):
        for j, ending in enumerate(item.endings):
            context = TOKENIZER.encode(item.context).tolist() or [TOKENIZER.separator]
            total = 0.0
            whole = [*context, *TOKENIZER.encode(ending).tolist()]
            row = whole[-17:]
            for place in range(len(row) - len(ending), len(row)):
                logits = model(torch.tensor([row[:place]]))[0][:, -1]
                total += F.cross_entropy(logits, torch.tensor([row[place]])).item()
            assert found.losses[i, j] == pytest.approx(total, rel=1e-4)
            assert found.lengths[i, j] == len(ending)
    assert found.cropped == 2
    assert found.losses[1, 2] == np.inf
    assert found.chance == pytest.approx((1 / 3 + 1 / 2 + 1 / 2) / 3)
    assert found.labels.tolist() == [1, 0, 1]
    assert found.chosen.tolist() == found.losses.argmin(1).tolist()


def test_hellaswag_is_a_task_whose_endings_follow_a_space() -> None:
    model = build_model("gpt", vocab_size=TOKENIZER.vocab_size, block_size=16, n_layer=1, n_head=2, n_embd=8)
    items = [Item("abc", ("de", "f", "fed", "a"), 2)]
    np.testing.assert_array_equal(
        hellaswag(model, TOKENIZER, items).losses, choose(model, TOKENIZER, Prompts().task(items)).losses
    )


def test_a_task_is_json_or_text_between_tabs(tmp_path: Path) -> None:
    path = tmp_path / "task"
    path.write_text(
        '{"prompt": "2 + 3 =", "choices": ["4", "5"], "answer": 1}\n'
        '{"question": "capital of France?", "options": ["Rome", "Paris"], "answer": "Paris"}\n'
        '{"ctx": "a", "endings": ["b", "c", "c", "e"], "label": "3"}\n\n'
        "sea\tmer\tMeer\n"
    )
    assert read_task(path) == [
        Item("2 + 3 =", ("4", "5"), 1),
        Item("capital of France?", ("Rome", "Paris"), 1),
        Item("a", ("b", "c", "c", "e"), 3),
        Item("sea", ("mer", "Meer"), 0),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no tab", "line 1 is no question with choices: it has no tab between a prompt and its choices"),
        ('{"choices": ["a", "b"], "answer": 0}', "it has no prompt or question or ctx or query"),
        ('{"prompt": "a", "choices": ["a", "b"], "answer": 2}', "the answer 2, which is none of its 2 choices"),
        ('{"prompt": "a", "choices": ["a", "b"], "answer": "c"}', "the answer 'c', which is none of its 2 choices"),
        ('{"prompt": "a", "choices": ["a", "a"], "answer": 0}', "has the right choice twice"),
        ('{"prompt": "a", "choices": ["a", " "], "answer": 0}', "has a choice that is empty"),
        ('{"prompt": 1, "choices": ["a", "b"], "answer": 0}', "they must be text"),
        ('{"prompt": "a", "choices": "ab", "answer": 0}', "choices must be a list"),
        ("sea\tmer", "has 1 choices; there must be at least 2"),
        ("{", "line 1 is no question with choices"),
        ("\n", "there are no items in"),
    ],
)
def test_a_line_that_is_no_item_is_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "task").write_text(line)
    with pytest.raises(UserError, match=said):
        read_task(tmp_path / "task")


def test_examples_are_other_items_and_the_same_seed_shows_the_same() -> None:
    items = [Item(f"q{i}", (f"a{i}", "no"), 0) for i in range(6)]
    prompts = Prompts(delimiter=" -> ", separator=" ; ")
    task = prompts.task(items, 3)
    assert task == prompts.task(items, 3)
    assert task != prompts.task(items, 3, seed=1)
    for i, item in enumerate(task):
        *examples, question = item.context.split(" ; ")
        assert question == f"q{i}"
        assert len(set(examples)) == 3
        assert all(example.split(" -> ")[1] == "a" + example[1] for example in examples)
        assert f"q{i} -> a{i}" not in examples
        assert item.endings == (f" -> a{i}", " -> no")
    shown = [Item("x", ("y",), 0)]
    assert prompts.task(items, 1, shown)[2].context == "x -> y ; q2"
    assert prompts.task(items) == [Item(f"q{i}", (f" -> a{i}", " -> no"), 0) for i in range(6)]
    with pytest.raises(UserError, match="shots must be between 0 and 5, as many examples as there are, got 6"):
        prompts.task(items, 6)
