"""Tables fit a terminal: columns leave as stated, and no number is cut."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from gradus.columns import fitting, print_columns

HEAD = ["model", "parameters", "context", "train", "dev", "test", "bits/char", "seconds", "it writes"]
ROWS = [
    ["bigram counts", "729", "1", "2.4540", "2.4540", "2.4575", "3.545", "0.1", "kann, marlerey, ola, sheminn, tar"],
    ["NPLM", "37,523", "5", "2.1038", "2.1534", "2.1561", "3.111", "24.0", "kavon, marlee, shemina"],
]
LEAVING = ("context", "seconds", "bits/char", "train", "parameters", "it writes", "dev")

SHOWN = {
    120: """\
model          parameters  context   train     dev    test  bits/char  seconds  it writes
bigram counts         729        1  2.4540  2.4540  2.4575      3.545      0.1  kann, marlerey, ola, sheminn, tar
NPLM               37,523        5  2.1038  2.1534  2.1561      3.111     24.0  kavon, marlee, shemina
""",
    80: """\
model          parameters   train     dev    test  it writes
bigram counts         729  2.4540  2.4540  2.4575  kann, marlerey, ola, sheminn,
                                                   tar
NPLM               37,523  2.1038  2.1534  2.1561  kavon, marlee, shemina
a wider terminal also shows: context, bits/char, seconds
""",
    60: """\
model             dev    test  it writes
bigram counts  2.4540  2.4575  kann, marlerey, ola, sheminn,
                               tar
NPLM           2.1534  2.1561  kavon, marlee, shemina
a wider terminal also shows: parameters, context, train,
bits/char, seconds
""",
}


def shown(width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    cells = [[Text(cell) for cell in row] for row in ROWS]
    print_columns(console, HEAD, cells, leaving=LEAVING, wrapping="it writes", left=("model", "it writes"))
    assert isinstance(console.file, io.StringIO)
    return "".join(line.rstrip() + "\n" for line in console.file.getvalue().splitlines())


@pytest.mark.parametrize("width", SHOWN)
def test_columns_leave_in_order_and_text_wraps(width: int) -> None:
    assert shown(width) == SHOWN[width]


def test_at_no_width_is_a_number_cut() -> None:
    numbers = {cell for row in ROWS for cell in row[1:-1]}
    for width in range(30, 130):
        lines = shown(width).splitlines()[1:]
        assert all(len(line) <= width for line in lines)
        told = {word for line in lines for word in line.replace(",  ", " ").split() if word[0].isdigit()}
        assert told <= numbers


def test_only_the_columns_that_may_leave_do() -> None:
    assert [HEAD[i] for i in fitting(HEAD, ROWS, 5, leaving=LEAVING, wrapping="it writes")] == ["model", "test"]
