"""Weights from the Hugging Face hub, by its own library, the extra `hub`: it shows how far a download is, goes on with
one that was interrupted, and keeps the files where other programs find them too. What it gives is checked against a
SHA-256 sum: ours, where it is known, or the one that the hub names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gradus.errors import UserError
from gradus.files import sha256_of
from gradus.hub.folder import CONFIG, INDEX, MODEL

HUB = "https://huggingface.co"
TOKENIZER_FILES = ("tokenizer.json", "vocab.json", "merges.txt")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Release:
    """Weights on the hub.

    Attributes:
        repository: owner/name.
        revision: a commit, or a branch whose newest commit is taken.
        sums: file -> its SHA-256; where there is none, the hub is asked.
    """

    repository: str
    revision: str = "main"
    sums: Mapping[str, str] = field(default_factory=dict)

    @property
    def page(self) -> str:
        return f"{HUB}/{self.repository}/tree/{self.revision}"


RELEASES = {
    "gpt2": Release(
        "openai-community/gpt2",
        "607a30d783dfa663caf39e06633721c8d4cfcd7e",
        {MODEL: "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707"},  # 548,105,171 bytes
    ),
    **{name: Release(f"openai-community/{name}") for name in ("gpt2-medium", "gpt2-large", "gpt2-xl")},
}


def release_of(source: str) -> Release | None:
    """The release that a name means: gpt2, gpt2-medium ..., or OWNER/NAME; None for anything else."""
    if source in RELEASES:
        return RELEASES[source]
    return Release(source) if _REPOSITORY.fullmatch(source) else None


def download(release: Release) -> Path:
    """The folder with a release's config.json, safetensors and tokenizer, each file downloaded once.

    Raises:
        UserError: if the hub's library is not installed, the hub cannot be reached or has no such files, or a file is
            not the one that its sum says.
    """
    try:
        import huggingface_hub
    except ImportError:
        raise UserError(
            f"downloading needs the extra hub: pip install 'gradus-lm[hub]'; or download {release.page} in another "
            "way, and give the folder"
        ) from None
    try:
        revision, sums = release.revision, dict(release.sums)
        wanted = [CONFIG, MODEL]
        if not sums:
            about = huggingface_hub.HfApi().model_info(release.repository, revision=revision, files_metadata=True)
            there = {file.rfilename: file for file in about.siblings or []}
            revision = about.sha or revision
            sums = {name: file.lfs.sha256 for name, file in there.items() if file.lfs is not None}
            weights = [MODEL] if MODEL in there else sorted(name for name in there if _is_shard(name))
            wanted = [CONFIG, *weights, *(name for name in (INDEX, *TOKENIZER_FILES) if name in there)]
        paths = {
            name: Path(huggingface_hub.hf_hub_download(release.repository, name, revision=revision)) for name in wanted
        }
    except Exception as error:  # of several libraries, which it does not turn into its own
        raise UserError(
            f"cannot download {release.repository} ({' '.join(str(error).split())[:200]}); get it from {release.page}, "
            "and give the folder"
        ) from error
    for name, path in paths.items():
        if name in sums and (found := sha256_of(path)) != sums[name]:
            raise UserError(
                f"{path} is not the expected {name}: its sha256 is {found}, expected {sums[name]}; remove "
                f"{path.resolve()} and try again"
            )
    return paths[CONFIG].parent


def _is_shard(name: str) -> bool:
    return name.endswith(".safetensors") and "/" not in name
