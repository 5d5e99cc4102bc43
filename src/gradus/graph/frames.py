"""The pictures of a walk, one a step, and in a notebook a picture to step through, without a line of JavaScript: of
many frames the one is shown whose radio button is chosen, so it also works in a saved page, and the arrow keys step."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from zlib import crc32

_NUMBER = count()
MOST = 60  # frames in a notebook; a walk of a thousand steps is for `table` and `save`

_STYLE = """
#ID{font:13px ui-sans-serif,system-ui,sans-serif;overflow-x:auto}
#ID>section{display:none}
#ID input{margin:2px;accent-color:#e2711d;cursor:pointer}
#ID label{display:inline-block;margin:6px 6px 4px 0;padding:2px 10px;border:1px solid #8793a1;border-radius:4px;
cursor:pointer;user-select:none}
#ID svg{display:block;max-width:100%;height:auto}
"""


class Frames(list[str]):
    """SVG texts, one a step. A notebook shows one of them at a time."""

    def __repr__(self) -> str:
        return f"Frames({len(self)} pictures, SVG)"

    def _repr_html_(self) -> str:
        return stepper(self[:MOST], len(self))


def stepper(frames: Sequence[str], total: int) -> str:
    """HTML that shows one of the frames, the first at first; `total` says how many there are beyond them."""
    name = f"frames-{crc32(''.join(frames).encode()):08x}-{next(_NUMBER)}"  # several of them may stand in one page
    chosen = ",".join(f"#{name}-{i}:checked~section:nth-of-type({i + 1})" for i in range(len(frames)))
    buttons = "".join(
        f'<input type="radio" name="{name}" id="{name}-{i}" title="step {i}"{" checked" if i == 0 else ""}>'
        for i in range(len(frames))
    )
    sections, hidden = [], ' style="visibility:hidden"'  # the other button stays where it is
    for i, frame in enumerate(frames):
        back, on = (
            f'<label for="{name}-{to}"{"" if 0 <= to < len(frames) else hidden}>{words}</label>'
            for to, words in ((i - 1, "‹ back"), (i + 1, "next ›"))
        )
        sections.append(f"<section>{back}{on}{frame}</section>")
    more = f"<p>the first {len(frames)} of {total:,} steps</p>" if total > len(frames) else ""
    style = f"{_STYLE.replace('ID', name)}{chosen}{{display:block}}" if frames else ""
    return f'<div id="{name}"><style>{style}</style>{buttons}{"".join(sections)}{more}</div>'
