"""gradus: from the derivative of one number to GPT-2, where every step is real software.

    import gradus

    run = gradus.train("names", model="gpt", minutes=1)  # or gradus.load("runs/names-gpt-1")
    run.sample(temperature=0.8)
    run.evaluate("test")
    run.plot()

The names here are imported when they are first asked for; `import gradus` takes no time.
"""

from gradus.lazy import lazy

TYPE_CHECKING = False  # as in gradus.lazy
if TYPE_CHECKING:
    from gradus.api import Run, from_pretrained, load, train
    from gradus.gradcheck import derivative
    from gradus.scalar import Value
    from gradus.text import load_corpus

__version__ = "0.1.0"

_HOME = {
    **dict.fromkeys(["Run", "from_pretrained", "load", "train"], "api"),
    "load_corpus": "text",
    "Value": "scalar",
    "derivative": "gradcheck",
}

__all__ = ["Run", "Value", "derivative", "from_pretrained", "load", "load_corpus", "train"]

__getattr__ = lazy(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
