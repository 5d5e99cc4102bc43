"""The map of a model names every block once, with the shapes of what it gives and all of its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.explorer import Opened, to_wire
from gradus.explorer.forward.blocks import block_output, blocks
from gradus.explorer.forward.next_token import next_token
from gradus.models import MODELS, build_model, inference
from gradus.text import CharTokenizer

ALPHABET = "\n .acdeghlmnost"
SIZES: dict[str, Any] = {"n_layer": 2, "n_head": 2, "n_embd": 16}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, SIZES if name in ("gpt", "modern", "transformer", "encoder") else {}) for name in MODELS},
    "dilated": ("wavenet", {"design": "dilated"}),
    "classifier": ("encoder", {**SIZES, "n_labels": 3}),
    "mixture": ("mixture", {"network": '{"name": "nplm"}'}),
}


@pytest.fixture(params=KINDS)
def opened(request: pytest.FixtureRequest) -> Opened:
    name, settings = KINDS[request.param]
    torch.manual_seed(3)
    model: Any = build_model(name, vocab_size=len(ALPHABET), block_size=16, **settings)
    tokenizer = CharTokenizer(ALPHABET)
    if name in ("ngram", "mixture"):
        ids = tokenizer.encode("the cat sat on the mat.\n")[None]
        model.count(ids[:, :-1], ids[:, 1:])
    return Opened.of(model, tokenizer)


def every(block: dict[str, Any]) -> list[dict[str, Any]]:
    return [block, *(inner for child in block["children"] for inner in every(child))]


def test_the_parameters_of_all_blocks_are_the_models(opened: Opened) -> None:
    told = blocks(opened, "the cat", "dog")
    assert told["root"]["parameters"] == told["parameters"] == opened.model.num_parameters()
    names = [block["name"] for block in every(told["root"])]
    assert len(names) == len(set(names))
    weights = [weight["shape"] for block in every(told["root"]) for weight in block["weights"] if not weight["shared"]]
    if opened.kind not in ("ngram", "mixture"):
        assert sum(int(np.prod(shape)) for shape in weights) == told["parameters"]
    assert all(block["says"] for block in every(told["root"]))
    assert to_wire(told)


def test_a_block_gives_what_its_module_gives(opened: Opened) -> None:
    """The last block of the map, against a hook of its own."""
    last = [block for block in every(blocks(opened, "the cat", "dog")["root"]) if block["shape"]][-1]
    module, found = dict(opened.model.named_modules())[last["name"]], []
    handle = module.register_forward_hook(lambda _, __, output: found.append(output))
    rows = [torch.from_numpy(opened.row("the cat")[None])]
    if opened.kind == "transformer":
        ids = opened.encode
        rows = [
            torch.from_numpy(np.concatenate(part)[None]) for part in ((ids("the cat"), [0]), ([0], ids("dog"), [0]))
        ]
    with inference(opened.model):
        opened.model(*rows)
    handle.remove()
    array = found[0][0] if isinstance(found[0], tuple) else found[0]
    array = array.numpy()
    told = block_output(opened, "the cat", last["name"], "dog")
    assert told["shape"] == last["shape"]
    assert (told["mean"], told["high"]) == (pytest.approx(array.mean(), abs=1e-5), pytest.approx(array.max(), abs=1e-5))
    np.testing.assert_allclose(told["rows"].array.ravel(), array.ravel(), atol=1e-5)
    assert told["counts"].sum() == array.size


def test_every_kind_says_what_comes_next(opened: Opened) -> None:
    if opened.kind == "encoder":
        with pytest.raises(UserError, match="predicts no next token"):
            next_token(opened, "the cat")
        return
    told = next_token(opened, "the cat", "dog", top=15)
    rows = [torch.from_numpy(opened.row("the cat")[None])]
    if opened.kind == "transformer":
        rows = [torch.tensor([[*opened.encode("the cat"), 0]]), torch.tensor([[0, *opened.encode("dog"), 0]])]
    with inference(opened.model):
        logits = opened.model(*rows)[0][0].double().numpy()
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    ids = rows[-1][0].numpy() if opened.kind == "transformer" else told["ids"]
    n = len(told["ids"]) - 1
    np.testing.assert_allclose(told["surprise"][1:], -np.log(p[np.arange(n), ids[1 : n + 1]]), rtol=1e-4)
    order = np.argsort(-p[-1], kind="stable")
    np.testing.assert_allclose(told["top"]["probabilities"], p[-1][order], rtol=1e-4)
    assert told["pieces"] == (["\n", *"dog"] if opened.kind == "transformer" else list("the cat"))


def test_a_tied_weight_counts_once_and_says_with_what_it_is_shared() -> None:
    torch.manual_seed(3)
    model = build_model("gpt", vocab_size=15, block_size=16, **SIZES)
    head = every(blocks(Opened.of(model, CharTokenizer(ALPHABET)), "the cat")["root"])[-1]
    assert (head["label"], head["parameters"]) == ("lm_head", 0)
    assert head["weights"][0]["shared"] == "transformer.wte.weight"
    assert [child["layer"] for child in blocks(Opened.of(model, CharTokenizer(ALPHABET)), "a")["root"]["children"]] == [
        -1, -1, 0, 1, -1, -1
    ]  # fmt: skip


def test_a_block_that_is_not_there_is_one_line() -> None:
    model = build_model("bigram", vocab_size=15, block_size=16)
    with pytest.raises(UserError, match=r"no block 'h\.0' gives an array here"):
        block_output(Opened.of(model, CharTokenizer(ALPHABET)), "the cat", "h.0")
