"""The sections of the models that are no Transformers: the numbers that the page shows are those of the functions,
which other tests hold against the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.explorer import Opened
from gradus.explorer.forward.bigram import cell, table
from gradus.explorer.forward.mixture import mixture
from gradus.explorer.forward.mlp import window
from gradus.explorer.forward.ngram import ngram
from gradus.explorer.forward.recurrent import state
from gradus.explorer.forward.wavenet import wavenet
from gradus.models import NGram
from tests.explorer.browser.conftest import PageOf
from tests.explorer.models import TEXT, opened
from tests.explorer.test_counting_models import mixed
from tests.explorer.test_networks import shaken

if TYPE_CHECKING:
    from playwright.sync_api import Page

WRITTEN = "the cat s"
close: Any = pytest.approx


def numbers(page: Page, selector: str) -> list[float]:
    """The numbers that elements show, with all their digits."""
    page.locator(selector).first.wait_for(state="attached")
    return [float(text) for text in page.locator(selector).evaluate_all("all => all.map(one => one.dataset.value)")]


def explains(page: Page, told: dict[str, Any]) -> None:
    """Wait until the Why box shows the numbers of this formula, and no others."""
    from playwright.sync_api import Error

    expected = [part["value"] for line in told["lines"] for part in line if "value" in part]
    shown = "[...document.querySelectorAll('#panel-why .part-value')].map(one => Number(one.dataset.value))"
    try:
        page.wait_for_function(
            f"expected => {{ const shown = {shown}; return shown.length === expected.length"
            " && shown.every((one, i) => Math.abs(one - expected[i]) <= 1e-6 * Math.max(1, Math.abs(expected[i]))) }",
            arg=expected,
        )
    except Error:
        assert page.evaluate(shown) == close(expected)


def probability(seen: Opened, text: str, following: int) -> float:
    """What the model itself says of a next token."""
    logits = seen.model(torch.from_numpy(seen.row(text)[None]))[0][0, -1]
    return float(logits.double().softmax(dim=-1)[following].item())


@pytest.mark.parametrize("method", ["modified-kneser-ney", "additive"])
def test_an_n_grams_counts_weights_and_probability(page_of: PageOf, method: str) -> None:
    seen = opened("ngram", order=4, method=method)
    assert isinstance(seen.model, NGram)
    seen.model.count(seen.encode(TEXT)[None, :-1], seen.encode(TEXT)[None, 1:])
    found = ngram(seen, WRITTEN)
    page = page_of(seen, text=WRITTEN)
    known = [level for level in found["levels"] if level["seen"]]
    assert numbers(page, "#panel-ngram .total") == [level["total"] for level in known]
    assert numbers(page, "#panel-ngram td.cell") == [n for level in known for n in level["candidate_counts"]]
    assert numbers(page, "#panel-ngram tfoot .p") == close([one["p"] for one in found["candidates"]])
    explains(page, found["levels"][0]["why"] if method == "additive" else found["why"])
    if method == "additive":
        return
    assert found["why"]["result"] == close(probability(seen, WRITTEN, found["following"]))
    assert numbers(page, "#panel-ngram .weight") == close([level["weight"] for level in found["levels"]])
    shares = [level["share"] for level in found["levels"]] + [found["uniform"]["share"]]
    assert numbers(page, "#panel-ngram .slice-share") == close([share for share in shares if share > 0])
    page.locator("#panel-ngram [data-length='1'] .context-name").hover()
    explains(page, found["levels"][2]["why"])
    page.locator("#panel-ngram [data-length='2'] td.cell").nth(1).hover()
    explains(page, ngram(seen, WRITTEN, following=found["candidates"][1]["id"])["levels"][1]["why"])
    other = found["candidates"][3]
    page.locator("#panel-ngram .candidate").nth(3).click()
    page.locator(f"#panel-ngram [data-key='next {other['id']}'][aria-pressed='true']").wait_for()
    assert numbers(page, "#panel-ngram .whole") == close([probability(seen, WRITTEN, other["id"])])


def test_a_bigrams_cell_under_the_pointer(page_of: PageOf) -> None:
    seen = shaken("bigram")
    page = page_of(seen, text=WRITTEN)
    row, column = int(seen.row(WRITTEN)[-1]), 4
    map_ = page.locator("#panel-bigram canvas").first
    box = map_.bounding_box()
    assert box is not None
    n = seen.config.vocab_size
    map_.hover(position={"x": (column + 0.5) * box["width"] / n, "y": (row + 0.5) * box["height"] / n})
    page.locator("#panel-bigram .readout[data-value]").first.wait_for()
    p = table(seen)["p"][row, column]
    assert numbers(page, "#panel-bigram .readout[data-value]") == close([p], rel=1e-6)
    assert p == close(probability(seen, WRITTEN, column), rel=1e-6)
    explains(page, cell(seen, WRITTEN, row=row, column=column)["why"])


@pytest.mark.parametrize(("kind", "settings"), [("nplm", {"direct": True}), ("mlp", {"n_layer": 2})])
def test_the_plane_the_units_and_the_logit_of_a_window(page_of: PageOf, kind: str, settings: dict[str, Any]) -> None:
    seen = shaken(kind, n_embd=4, n_hidden=12, **settings)
    found = window(seen, WRITTEN)
    page = page_of(seen, text=WRITTEN)
    logit, unit = found["logit"], found["unit"]
    assert numbers(page, "#panel-logit .num.logit") == close([logit["logit"]])
    assert numbers(page, "#panel-logit .num.p") == close([probability(seen, WRITTEN, logit["following"])], rel=1e-5)
    points = page.locator("#panel-plane .context-point")
    shown = [[float(points.nth(i).get_attribute(f"data-{axis}") or "nan") for axis in "xy"] for i in range(3)]
    np.testing.assert_allclose(shown, found["context"]["points"])
    strongest = sorted(logit["from_hidden"], key=abs, reverse=True)
    assert numbers(page, "#panel-logit .reasons [data-group]") == close(strongest)
    if kind == "nplm":
        assert numbers(page, "#panel-logit .reasons li:not([data-group])") == close(logit["direct"].tolist())
    explains(page, unit["why"])
    page.locator("#panel-hidden [data-tile='values'] canvas").click(position={"x": 30, "y": 9})  # the second unit
    explains(page, window(seen, WRITTEN, unit=1)["unit"]["why"])
    assert page.locator("#panel-hidden [data-tile]").count() == (3 if kind == "mlp" else 2)
    page.locator("#panel-logit .says .piece").hover()
    explains(page, logit["why"])


@pytest.mark.parametrize("design", ["tree", "dilated"])
def test_the_nodes_of_a_wavenet_and_the_unit_of_one(page_of: PageOf, design: str) -> None:
    seen = shaken("wavenet", design=design, n_layer=3, n_embd=4, n_hidden=5)
    found = wavenet(seen, WRITTEN)
    page = page_of(seen, text=WRITTEN)
    sizes = np.concatenate([level["size"] for level in found["levels"]])
    assert numbers(page, "#panel-wavenet .node-mark") == close(sizes.tolist())
    assert page.locator("#panel-wavenet .node-mark.in-tree").count() == 15
    explains(page, found["chosen"]["why"])
    place = found["position"] - 4
    page.locator(f"#panel-wavenet [data-level='2'][data-place='{place}']").press("Enter")
    page.locator("#panel-wavenet figcaption", has_text="layer 2").wait_for()
    explains(page, wavenet(seen, WRITTEN, level=2, node=place)["chosen"]["why"])


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_recurrent_networks_unit_and_its_gates(page_of: PageOf, cell: str) -> None:
    seen = shaken("recurrent", cell=cell, n_embd=4, n_hidden=6)
    found = state(seen, WRITTEN)
    page = page_of(seen, text=WRITTEN)
    page.locator("#panel-unit circle").first.wait_for()
    for part, line in found["lines"].items():
        assert numbers(page, f"#panel-unit circle[data-part='{part}']") == close([line[-1]])
    explains(page, found["why"])
    page.locator(".token").nth(2).click()
    page.locator("#panel-state .unit-list button").nth(3).click()
    unit = int(found["order"][3])
    there = state(seen, WRITTEN, 2, unit=unit)
    explains(page, there["why"])
    for _ in range(50):  # the unit's own panel may be drawn later than the formula
        if numbers(page, "#panel-unit circle[data-part='h']") == close([there["numbers"]["h"]]):
            break
        page.wait_for_timeout(100)
    assert numbers(page, "#panel-unit circle[data-part='h']") == close([there["numbers"]["h"]])


def test_the_two_parts_of_a_mixture(page_of: PageOf) -> None:
    seen = mixed(0)
    found = mixture(seen, WRITTEN)
    page = page_of(seen, text=WRITTEN)
    assert numbers(page, "#panel-mixture .num.weight") == close([found["weight"]])
    for name, key in (("network", "network_p"), ("ngram", "ngram_p"), ("mixed", "p")):
        assert numbers(page, f"#panel-mixture .num.{name}") == close([one[key] for one in found["candidates"]])
    explains(page, found["why"])
    assert found["why"]["result"] == close(probability(seen, WRITTEN, found["following"]))
    assert numbers(page, "#panel-mixture-ngram .whole") == close([found["ngram_p"]])
