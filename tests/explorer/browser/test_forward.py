"""The numbers of the Forward tab, read from the page in a browser, are those of the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.explorer.forward.attention import attention_row
from gradus.explorer.forward.blocks import blocks
from gradus.explorer.forward.next_token import next_token
from gradus.explorer.forward.residual import lens, residual
from gradus.explorer.forward.units import units
from gradus.explorer.forward.why import why
from gradus.models import inference
from tests.explorer.browser.conftest import PageOf
from tests.explorer.models import opened

TEXT = "the cat sat on"


def values(page: Any, selector: str) -> list[float]:
    """The numbers behind what is written there, once it is drawn."""
    page.locator(selector).first.wait_for()
    return [float(value) for value in page.eval_on_selector_all(selector, "all => all.map(one => one.dataset.value)")]


@pytest.mark.parametrize("kind", ["gpt", "modern"])
def test_what_comes_next_is_the_models_softmax(page_of: PageOf, kind: str) -> None:
    model = opened(kind)
    surprise = next_token(model, TEXT)["surprise"]  # before the page: compiled loops are loaded at their first use
    page = page_of(model, text=TEXT, token=5)
    with inference(model.model):
        logits = model.model(torch.from_numpy(model.row(TEXT)[None]))[0][0, 5].double().numpy()
    p = np.exp(logits) / np.exp(logits).sum()
    shown = values(page, ".next-bars li[data-value]")
    np.testing.assert_allclose(shown, np.sort(p)[::-1][: len(shown)], rtol=1e-4)
    np.testing.assert_allclose(values(page, ".tokens .token[data-value]"), surprise[1:], rtol=1e-5)


def test_a_block_for_each_module_with_its_parameters(page_of: PageOf) -> None:
    model = opened()
    page = page_of(model, text=TEXT)
    page.locator(".block[data-block='transformer.h.1.attn']").wait_for()
    shown = {
        name: int(value)
        for name, value in page.eval_on_selector_all(
            ".blocks .block",
            "all => all.map(one => [one.dataset.block, one.querySelector('.block-count').dataset.value])",
        )
    }
    assert shown["transformer.h.1.attn"] == 4 * 16 * 16
    rows = blocks(model, TEXT)["root"]["children"]
    assert sum(shown[row["name"]] for row in rows) == model.model.num_parameters()
    page.locator(".block[data-block='transformer.h.1.mlp']").click()
    page.locator(".block-detail", has_text="(14, 16)").wait_for()
    assert "map.block=transformer.h.1.mlp" in page.evaluate("location.hash")
    assert "layer=1" in page.evaluate("location.hash")


def test_attention_the_stream_the_lens_and_the_units(page_of: PageOf) -> None:
    model = opened()
    page = page_of(model, height=5000, text=TEXT, token=9, layer=1, head=1)
    row = attention_row(model, TEXT, 1, 1, 9)
    np.testing.assert_allclose(values(page, ".arc-token[data-value]"), row["weights"], rtol=1e-6)
    told = residual(model, TEXT)
    np.testing.assert_allclose(values(page, ".steps tr td:nth-child(4)[data-value]"), told["sizes"][::-1, 9], rtol=1e-6)
    np.testing.assert_allclose(
        values(page, ".lens td[data-right]"), lens(model, TEXT)["probabilities"][::-1].ravel(), rtol=1e-5
    )
    np.testing.assert_allclose(
        values(page, ".unit-bars li"), units(model, TEXT, layer=1, token=9, top=18)["values"], rtol=1e-6
    )


def test_the_formula_of_the_weight_under_the_pointer(page_of: PageOf) -> None:
    model = opened()
    page = page_of(model, height=5000, text=TEXT, token=9, layer=0, head=1)
    page.locator(".arc-token").nth(4).hover()
    page.locator(".because h3", has_text="Attention weight, layer 0, head 1").wait_for()
    told = why(model, TEXT, "weight", layer=0, head=1, token=9, key=4)
    numbers = [part["value"] for line in told["lines"] for part in line if "value" in part]
    np.testing.assert_allclose(values(page, ".because .part-value"), numbers, rtol=1e-6)
    page.locator(".arc-token").nth(4).click()
    page.get_by_role("button", name="score", exact=True).click()
    page.locator(".because h3", has_text="Attention score").wait_for()
    score = attention_row(model, TEXT, 0, 1, 9)["scores"][4]
    assert values(page, ".because .part-value")[0] == pytest.approx(score)


def test_a_head_is_locked_by_the_keyboard_alone_and_freed(page_of: PageOf) -> None:
    page = page_of(opened(), height=5000, text=TEXT)
    page.locator(".head-button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator(".one-head h3", has_text="Layer 1, head 1").wait_for()
    assert "layer=1&head=1" in page.evaluate("location.hash")
    page.keyboard.press("Escape")
    page.locator(".one-head h3", has_text="Layer 0, head 0").wait_for()
    assert "head=" not in page.evaluate("location.hash")


def test_what_is_typed_is_shown_at_once(page_of: PageOf) -> None:
    model = opened()
    page = page_of(model, text=TEXT)
    page.locator("#text").press_sequentially(" t")
    page.locator(".lead", has_text="the␣cat␣sat␣on␣t"[-12:]).wait_for()
    p = next_token(model, TEXT + " t")["top"]["probabilities"]
    np.testing.assert_allclose(values(page, ".next-bars li[data-value]"), p, rtol=1e-5)
