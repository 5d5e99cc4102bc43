"""Weights from and to others: GPT-2 from a folder of Hugging Face's layout or from its hub, and runs as folders that
`transformers` loads."""

from gradus.hub.exporting import export_run
from gradus.hub.importing import import_run

__all__ = ["export_run", "import_run"]
