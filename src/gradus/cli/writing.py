"""What a model writes, as text: one document at a time up to its end, or a stretch of a stream."""

from __future__ import annotations

from gradus.backend import torch
from gradus.errors import UserError
from gradus.generation import generate
from gradus.models import LanguageModel
from gradus.text import Tokenizer

END = 0  # the id of the separator of documents
DOCUMENTS, LONGEST_DOCUMENT = (
    10,
    1000,
)  # how many are written unless told otherwise, and where one that never ends is cut
STREAM = 500  # characters of a stream


def write_samples(
    model: LanguageModel,
    tokenizer: Tokenizer,
    kind: str,
    *,
    prompt: str = "",
    number: int | None = None,
    length: int | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 1337,
) -> list[str]:
    """Texts that begin with the prompt.

    Args:
        kind: what the model has learnt, "documents" or "stream".
        number: how many; None writes ten documents, or one stretch of a stream.
        length: the most characters to add; None lets documents end by themselves, and adds 500 to a stream.
        temperature, top_k, top_p, seed: as in `generation`.

    Raises:
        UserError: if the prompt has a character that the model does not know, or the model has no token to go on with.
    """
    documents = kind == "documents"
    ids = tokenizer.encode(prompt).tolist()
    start = (
        [END, *ids] if documents or not ids else ids
    )  # a stream without a prompt begins after the first of all tokens
    generator = torch.Generator().manual_seed(seed)
    texts = []
    for _ in range(number or (DOCUMENTS if documents else 1)):
        try:
            row = generate(
                model,
                torch.tensor([start]),
                length or (LONGEST_DOCUMENT if documents else STREAM),
                temperature=temperature,
                top_k=min(top_k, tokenizer.vocab_size) if top_k is not None else None,
                top_p=top_p,
                generator=generator,
                stop=END if documents else None,
            )[0].tolist()
        except ValueError as error:  # a count without smoothing may know nothing to follow
            raise UserError(f"the model cannot go on writing: {error}") from error
        written = row[len(start) - len(ids) :]
        texts.append(tokenizer.decode(written[:-1] if documents and written and written[-1] == END else written))
    return texts
