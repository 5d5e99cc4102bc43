"""gradus: from the derivative of one number to GPT-2, where every step is real software."""

__version__ = "0.1.0"
