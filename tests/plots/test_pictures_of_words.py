"""Pictures of attention between texts, of all heads, of near words, of what a classifier confuses, and of schedules:
the numbers and words on them are those that were given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from gradus.plots import (
    plot_confusion,
    plot_cross_attention,
    plot_heads,
    plot_neighbours,
    plot_pieces,
    plot_schedule,
)
from gradus.plots.neighbours import nearest


def rows(seed: int, *shape: int) -> Any:
    weights = np.random.default_rng(seed).random(shape)
    return weights / weights.sum(axis=-1, keepdims=True)


def image(axes: Axes) -> Any:
    return np.asarray(axes.images[0].get_array())


def labels(axis: Any) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


def test_cross_attention_has_the_source_above_and_the_target_beside() -> None:
    weights = rows(0, 3, 4)
    axes = plot_cross_attention(weights, ["a", "b", "c", " "], ["x", "y", "z"], title="t").axes[0]
    np.testing.assert_allclose(image(axes), weights)
    assert labels(axes.xaxis) == ["a", "b", "c", "␣"]
    assert labels(axes.yaxis) == ["x", "y", "z"]


def test_cross_attention_of_several_heads_is_their_mean() -> None:
    weights = rows(0, 2, 3, 4)
    axes = plot_cross_attention(weights, "abcd", "xyz").axes[0]
    np.testing.assert_allclose(image(axes), weights.mean(axis=0))


def test_all_heads_are_in_rows_of_layers_and_columns_of_heads() -> None:
    layers = [rows(1, 3, 5, 5), rows(2, 3, 5, 5)]
    axes = plot_heads(layers).axes
    assert len(axes) == 6
    for i, one in enumerate(axes):
        np.testing.assert_allclose(image(one), layers[i // 3][i % 3])
    assert [one.get_title() for one in axes[:3]] == ["head 0", "head 1", "head 2"]
    assert [one.get_ylabel() for one in axes[::3]] == ["layer 0", "layer 1"]


def test_the_nearest_are_by_the_angle_and_not_by_the_length() -> None:
    vectors = np.array([[1.0, 0.0], [10.0, 1.0], [0.9, 0.9], [-1.0, 0.0], [0.0, 0.0]])
    assert nearest(vectors, 0, 4).tolist() == [1, 2, 4, 3]


def test_near_words_are_joined_to_the_word_they_are_near_to() -> None:
    vectors = np.concatenate([np.eye(4)[:2] * 5, np.eye(4)[:2] + 0.1, -np.eye(4)[:1]])
    axes = plot_neighbours(vectors, ["one", "red", "two", "blue", "far"], ["one", "red"], k=1).axes[0]
    where = {text.get_text(): text.get_position() for text in axes.texts}
    assert set(where) == {"one", "red", "two", "blue"}
    ends = [{tuple(point) for point in np.asarray(line.get_xydata())} for line in axes.get_lines()]
    assert ends == [{where["one"], where["two"]}, {where["red"], where["blue"]}]


def test_the_confusion_matrix_has_every_count_and_the_shade_of_its_part_of_the_row() -> None:
    axes = plot_confusion(np.array([[1200, 300], [0, 0]]), ["no", "yes"]).axes[0]
    assert [str(text.get_text()) for text in axes.texts] == ["1,200", "300", "0", "0"]
    np.testing.assert_allclose(image(axes), np.array([[0.8, 0.2], [0, 0]]))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")


def test_schedules_are_lines_over_the_budget() -> None:
    axes = plot_schedule([0.0, 0.5, 1.0], {"a": [0.0, 1e-3, 0.0], "b": [1e-3, 1e-3, 1e-3]}).axes[0]
    lines = np.array([line.get_ydata() for line in axes.get_lines()])
    np.testing.assert_allclose(lines, np.array([[0, 1e-3, 0], [1e-3] * 3]))
    assert axes.get_xlabel() == "part of the budget"
    assert plot_schedule([0, 100], {"a": [1.0, 0.0]}).axes[0].get_xlabel() == "step"


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plot_cross_attention(rows(0, 3, 4), "abc", "xyz"), r"weights must be \(3, 3\) for 3 words of 3"),
        (lambda: plot_cross_attention(rows(0, 3, 4) * 2, "abcd", "xyz"), "attention weights lie between 0 and 1"),
        (lambda: plot_heads([]), "layers must be"),
        (lambda: plot_heads([rows(0, 2, 3, 3), rows(0, 3, 3, 3)]), r"got shapes \[\(2, 3, 3\), \(3, 3, 3\)\]"),
        (lambda: plot_neighbours(np.eye(3), "abc", ["d"]), "'d' is not among the words"),
        (lambda: plot_neighbours(np.eye(3), "ab", ["a"]), r"vectors must be \(2, C\) for 2 words"),
        (lambda: plot_neighbours(np.eye(3), "abc", []), "of must be one to six words, got 0"),
        (lambda: plot_confusion(np.eye(3), "ab"), r"counts must be \(2, 2\) for 2 labels, got \(3, 3\)"),
        (lambda: plot_schedule([0, 1], {"a": [1.0]}), "'a' has 1 rates for 2 points"),
    ],
)
def test_what_does_not_fit_is_refused(draw: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw()


def test_tokens_are_boxes_around_their_characters_row_by_row() -> None:
    axes = plot_pieces({"bytes": ["l", "o", " "], "one merge": ["lo", " "]}, title="t").axes[0]
    texts = [t.get_text() for t in axes.texts]
    assert texts == ["bytes", "l", "o", "␣", "one merge", "l", "o", "␣"]
    widths = [round(float(box.get_width()) + 0.28) for box in axes.patches]  # type: ignore[attr-defined]
    assert widths == [1, 1, 1, 2, 1]
    assert axes.get_xlim() == (0, 3)
    with pytest.raises(ValueError, match="at least one token"):
        plot_pieces({"empty": []})
    with pytest.raises(ValueError, match="at least one row"):
        plot_pieces({})
