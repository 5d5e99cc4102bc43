"""The GPT made of Values: PyTorch's gradients, the compiler's, and what it learns."""

from __future__ import annotations

import importlib.util
import math
import random
from pathlib import Path
from typing import Any

import pytest

from gradus.scalar import compile


def load_example() -> Any:
    path = Path(__file__).parents[2] / "examples" / "microgpt.py"
    specification = importlib.util.spec_from_file_location("microgpt", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


microgpt = load_example()


def test_it_has_the_4192_parameters_of_microgpt_and_starts_from_chance() -> None:
    random.seed(42)
    model = microgpt.GPT(27)
    assert len(model.parameters()) == 4192
    assert model.loss(*microgpt.rows(model, [5, 13, 13, 1])).data == pytest.approx(math.log(27), abs=0.15)


def test_it_has_the_loss_and_gradients_of_the_same_model_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    random.seed(1)
    model = microgpt.GPT(5, block_size=4, n_embd=8, n_head=2)
    document = [2, 4, 1]
    names = ("wte", "wpe", "lm_head", "wq", "wk", "wv", "wo", "fc1", "fc2")
    tensors = {}
    for name in names:
        data = [[value.data for value in row] for row in getattr(model, name)]
        tensors[name] = torch.tensor(data, dtype=torch.float64, requires_grad=True)
    wte, wpe, lm_head, wq, wk, wv, wo, fc1, fc2 = tensors.values()

    def norm(x: Any) -> Any:
        return x * (x.pow(2).mean(-1, keepdim=True) + 1e-5).pow(-0.5)

    x = norm(wte[[0, *document]] + wpe)  # (4, 8)
    q, k, v = (((norm(x) @ w.T).view(4, 2, 4).transpose(0, 1)) for w in (wq, wk, wv))  # (2, 4, 4)
    scores = (q @ k.transpose(1, 2) / 2).masked_fill(torch.ones(4, 4).triu(1).bool(), -math.inf)
    x = x + (scores.softmax(-1) @ v).transpose(0, 1).reshape(4, 8) @ wo.T
    x = x + torch.relu(norm(x) @ fc1.T) @ fc2.T
    expected = torch.nn.functional.cross_entropy(x @ lm_head.T, torch.tensor([*document, 0]))
    expected.backward()

    loss = model.loss(*microgpt.rows(model, document))
    loss.backward()
    assert loss.data == pytest.approx(expected.item(), rel=1e-12)
    gradients = [g for name in names for g in tensors[name].grad.flatten().tolist()]
    assert [p.grad for p in model.parameters()] == pytest.approx(gradients, rel=1e-10, abs=1e-14)


def test_the_program_of_a_length_serves_every_document_of_that_length() -> None:
    random.seed(2)
    model = microgpt.GPT(7, block_size=5, n_embd=8, n_head=2)
    compiled = compile(model.loss, model)
    for document in ([1, 2, 3], [6, 6, 6], [4, 1], [5, 4, 3, 2, 1, 6]):
        pair = microgpt.rows(model, document)
        losses, gradients = [], []
        for backward in (compiled.backward, microgpt.eager(model)):
            losses.append(backward(*pair))
            gradients.append([p.grad for p in model.parameters()])
            model.zero_grad()
        assert losses[0] == pytest.approx(losses[1], rel=1e-12)
        assert gradients[0] == pytest.approx(gradients[1], rel=1e-10, abs=1e-14)
    assert str(compiled).count("def loss(") == 3


def test_it_learns_one_word_and_says_it() -> None:
    random.seed(3)
    model = microgpt.GPT(5, block_size=8, n_embd=8, n_head=2)
    compiled, optimizer = compile(model.loss, model), microgpt.Adam(model.parameters(), lr=0.05)
    document = [2, 4, 1, 1, 3]
    for step in range(60):
        loss = compiled.backward(*microgpt.rows(model, document))
        optimizer.step(step, 60)
    assert loss < 0.05
    assert model.sample(temperature=0.2) == document


@pytest.mark.slow
def test_a_thousand_names_bring_it_to_the_published_loss() -> None:
    from gradus.errors import UserError
    from gradus.text import CharTokenizer, load_corpus

    try:
        corpus = load_corpus("names")
    except UserError as error:
        pytest.skip(str(error))
    tokenizer = CharTokenizer.train(corpus)
    train = [tokenizer.encode(name).tolist() for name in corpus.splits().train.documents[:1000]]
    random.seed(42)
    model = microgpt.GPT(tokenizer.vocab_size)
    compiled, optimizer = compile(model.loss, model), microgpt.Adam(model.parameters())
    losses = []
    for step, name in enumerate(train):
        losses.append(compiled.backward(*microgpt.rows(model, name)))
        optimizer.step(step, 1000)
    assert sum(losses[-200:]) / 200 == pytest.approx(2.35, abs=0.1)
