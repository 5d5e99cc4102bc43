"""The Backward tab in a real browser: the numbers of each step, read from the page, are the engine's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gradus.explorer.backward.numbers import EXAMPLES, backward_numbers
from gradus.explorer.backward.step import backward_operation, backward_step
from gradus.explorer.backward.update import backward_update
from tests.explorer.browser.conftest import PageOf
from tests.explorer.models import opened

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

TEXT = "the cat"


def value(place: Locator) -> float:
    return float(place.get_attribute("data-value") or "nan")


def settled(page: Page) -> None:
    page.wait_for_load_state("networkidle")


def of(model: str = "gpt") -> Any:
    settings: dict[str, Any] = {"n_layer": 1} if model == "gpt" else {}
    found = opened(model, **settings)
    found.__dict__["text_kind"] = "stream"
    return found


@pytest.mark.parametrize("example", [EXAMPLES[1], EXAMPLES[2]], ids=lambda example: example.title)
def test_every_step_of_the_walk_shows_the_walks_numbers(page_of: PageOf, example: Any) -> None:
    page, walk = page_of(of(), tab="backward", text=TEXT, expr=example.expression), backward_numbers(example.expression)
    panel = page.locator("#panel-backward-numbers")
    panel.locator(".bw-said h3").wait_for()
    for i, step in enumerate(walk["steps"]):
        assert f"step={i}" in page.url or i == 0
        said = panel.locator(".bw-said")
        assert value(said.locator("[data-part=after]")) == step["after"]
        if step["node"] >= 0:
            for part in ("incoming", "local", "contribution"):
                assert value(said.locator(f"[data-part={part}]")) == step[part]
            assert step["formula"] in said.inner_text()
        assert said.locator("[data-part=before]").count() == step["accumulates"]
        node = panel.locator(f"[data-node='{step['operand']}']")
        assert value(node) == step["after"]
        assert "bw-taker" in (node.get_attribute("class") or "")
        if i + 1 < len(walk["steps"]):
            page.keyboard.press("n")
            panel.get_by_text(f"step {i + 1} of", exact=False).wait_for()
    for node, told in zip(panel.locator("[data-node]").all(), walk["nodes"], strict=True):
        assert value(node) == told["grad"]
    page.keyboard.press("p")
    panel.get_by_text(f"step {len(walk['steps']) - 2} of", exact=False).wait_for()


def test_an_expression_can_be_typed_and_what_is_wrong_with_it_is_said(page_of: PageOf) -> None:
    page = page_of(of(), tab="backward", text=TEXT)
    panel = page.locator("#panel-backward-numbers")
    page.fill("#expr", "u=4; v=u*u*u")
    panel.locator("[data-name=v]").wait_for()
    panel.get_by_role("button", name="Last step").click()
    panel.get_by_text("step 4 of 4").wait_for()
    assert value(panel.locator("[data-name=u]")) == 48.0
    page.fill("#expr", "u=4; v=w*2")
    panel.get_by_text("w has no value", exact=False).wait_for()


def test_the_quiz_asks_names_the_mistake_and_goes_on(page_of: PageOf) -> None:
    expression = "a=2; b=5; d=a*b; e=d*3"
    page = page_of(of(), tab="backward", text=TEXT, expr=expression, **{"backward.quiz": "true"})
    panel = page.locator("#panel-backward-numbers")
    answer = panel.get_by_label("Your answer")
    for told in (backward_numbers(expression)["steps"][1:])[:2]:
        answer.fill(str(told["after"]))
        answer.press("Enter")
        panel.locator(".bw-right").wait_for()
    panel.get_by_text("step 2 of", exact=False).wait_for()
    assert panel.locator("[data-name=a] .bw-grad").text_content() == "?"
    answer.fill("5")
    answer.press("Enter")
    panel.get_by_text("You forgot the incoming gradient", exact=False).wait_for()
    answer.fill("3*5")
    answer.press("Enter")
    panel.get_by_text("step 3 of", exact=False).wait_for()
    assert value(panel.locator("[data-name=a]")) == 15.0


def test_each_operation_of_a_step_shows_the_engines_numbers(page_of: PageOf) -> None:
    run = of()
    page, told = page_of(run, tab="backward", text=TEXT), backward_step(run, TEXT)
    panel = page.locator("#panel-backward-step")
    panel.locator(".bw-detail h3").first.wait_for()
    assert value(panel.locator("[data-part=loss]")) == told["loss"]
    next_one = panel.get_by_label("The next operation in the walk")
    for i, operation in enumerate(told["operations"]):
        panel.get_by_text(f"{i + 1} of {len(told['operations'])}", exact=True).wait_for()
        assert panel.locator(".bw-head h3").inner_text() == operation["name"]
        assert value(panel.locator("[data-part=incoming]")) == operation["norm"]
        assert [value(out) for out in panel.locator("[data-handed]").all()] == [h["norm"] for h in operation["handed"]]
        detail = backward_operation(run, TEXT, operation=i)
        assert panel.locator("[data-matrix]").count() == len(detail["matrices"])
        if detail["cell"]:
            assert value(panel.locator("[data-part=total]")) == detail["cell"]["total"]
            assert value(panel.locator("[data-part=engine]")) == detail["cell"]["engine"]
        else:
            assert value(panel.locator("[data-part=value]")) == detail["value"]
        chosen = panel.locator("[role=treeitem][aria-selected=true]")
        assert value(chosen) == operation["norm"]
        if i + 1 < len(told["operations"]):
            next_one.click()


def test_a_cell_that_is_clicked_is_spelled_out_and_the_link_opens_it_again(page_of: PageOf) -> None:
    run = of()
    page = page_of(run, tab="backward", text=TEXT, **{"backward.op": 2, "backward.input": 1})
    panel = page.locator("#panel-backward-step")
    canvas = panel.locator("[data-matrix=result] canvas")
    canvas.wait_for()
    canvas.focus()
    canvas.press("Home")
    canvas.click(position={"x": 2, "y": 2})
    told = backward_operation(run, TEXT, operation=2, input=1, row=0, column=0)
    panel.get_by_text("Cell [0", exact=False).first.wait_for()
    settled(page)
    assert value(panel.locator("[data-part=total]")) == told["cell"]["total"]
    assert "backward.row=0" in page.url
    page.reload()
    panel.locator("[data-part=total]").wait_for()
    assert value(panel.locator("[data-part=total]")) == told["cell"]["total"]


def test_the_update_shows_what_the_optimizer_and_the_model_say(page_of: PageOf) -> None:
    run = of()
    page = page_of(run, tab="backward", text=TEXT, **{"backward.steps": 5})
    panel, told = page.locator("#panel-backward-update"), backward_update(run, TEXT, steps=5)
    panel.locator("[data-part=before]").wait_for()
    expected = {
        "norm": told["norm"],
        "factor": told["factor"],
        "learning_rate": told["learning_rate"],
        "before": told["losses"][0],
        "after": told["losses"][1],
        "last": told["losses"][5],
        "predicted": told["predicted"],
        "weight-before": told["cell"]["before"],
        "weight-after": told["cell"]["after"],
    }
    assert {part: value(panel.locator(f"[data-part={part}]")) for part in expected} == expected
    for row in told["parameters"]:
        cells = panel.locator(f"[data-parameter='{row['name']}'] td[data-value]").all()
        assert [value(cell) for cell in cells] == [
            part for part in (row["gradient"], row["change"], row["ratio"]) if part is not None
        ]
    places = panel.locator(".bw-column").all()
    assert [value(place) for place in places] == [p for row in told["positions"] for p in (row["before"], row["after"])]
    panel.locator("[data-position='2']").click()
    panel.locator("[data-position='2'][aria-pressed=true]").wait_for()
    settled(page)
    told = backward_update(run, TEXT, steps=5, position=2)
    shown = panel.locator(".bw-pairs-text [data-value]").all()
    assert [value(one) for one in shown] == [p for t in told["top"]["tokens"] for p in (t["before"], t["after"])]


def test_a_counting_model_has_the_numbers_and_one_honest_line(page_of: PageOf) -> None:
    page = page_of(of("ngram"), tab="backward", text=TEXT)
    page.get_by_text("learns by counting", exact=False).wait_for()
    assert page.locator("#panel-backward-step, #panel-backward-update").count() == 0
    assert page.locator("#panel-backward-numbers [data-node]").count()
