"""Every figure is read back from its axes: the numbers and words on it are the ones that were given."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.text import Annotation

from gradus.models.principal_components import principal_components
from gradus.plots import (
    ColoredText,
    LossCurve,
    plot_activations,
    plot_attention,
    plot_counts,
    plot_decision,
    plot_embeddings,
    plot_function,
    plot_gradients,
    plot_losses,
    plot_maps,
    plot_matrix,
    plot_reach,
    plot_saturation,
    plot_series,
    plot_text,
    score_grid,
)
from gradus.plots.colored import SHADES, shade
from gradus.plots.embeddings import APART, spread
from gradus.plots.palette import SERIES, SERIES_DARK, series_color
from gradus.plots.visible import visible


def legend(axes: Axes) -> list[str]:
    figure = axes.get_figure(root=True)
    box = axes.get_legend() or (figure.legends[0] if figure is not None and figure.legends else None)
    return [] if box is None else [t.get_text() for t in box.get_texts()]


def test_loss_lines_hold_the_losses_and_the_seconds() -> None:
    curve = LossCurve("gpt", (1.0, 2.0, 4.0), (3.0, 2.5, 2.0), (2.0, 4.0), (2.6, 2.2))
    axes = plot_losses([curve], smoothing=0.0, levels={"counts": 2.45}).axes[0]
    train, dev, level = axes.get_lines()
    np.testing.assert_array_equal(train.get_xydata(), [[1, 3], [2, 2.5], [4, 2]])
    np.testing.assert_array_equal(dev.get_xydata(), [[2, 2.6], [4, 2.2]])
    np.testing.assert_array_equal(level.get_ydata(), [2.45, 2.45])
    assert legend(axes) == ["gpt", "gpt, dev"]
    assert [t.get_text() for t in axes.texts if isinstance(t, Annotation)] == ["counts 2.450"]
    assert axes.get_xlabel() == "seconds of training"
    assert axes.get_ylabel() == "nats per token"


def test_runs_keep_the_order_of_the_colours() -> None:
    curves = [LossCurve(str(i), (0.0, 1.0), (1.0, 1.0)) for i in range(3)]
    lines = plot_losses(curves).axes[0].get_lines()
    assert [to_hex(line.get_color()) for line in lines] == list(SERIES[:3])
    assert series_color(1, dark=True) == SERIES_DARK[1]


def test_time_axis_can_be_logarithmic() -> None:
    curve = LossCurve("a", (0.1, 1.0), (2.0, 1.0))
    assert plot_losses([curve], log_seconds=True).axes[0].get_xscale() == "log"
    assert plot_losses([curve]).axes[0].get_xscale() == "linear"


def test_smoothing_is_a_bias_corrected_running_mean() -> None:
    curve = LossCurve("a", (0.0, 1.0, 2.0), (4.0, 2.0, 1.0))
    # weights of the points, latest last: (0.5), (0.25, 0.5), (0.125, 0.25, 0.5), each divided by its sum
    np.testing.assert_allclose(curve.smoothed(0.5), [4.0, (1 + 1) / 0.75, (0.5 + 0.5 + 0.5) / 0.875], rtol=1e-12)
    assert curve.smoothed(0.0) == curve.train
    with pytest.raises(ValueError, match=r"weight must be .* got 1\.0"):
        curve.smoothed(1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((1.0,), ()), "1 times for 0 train losses"),
        (((), (), (1.0,), (2.0, 3.0)), "1 times for 2 dev losses"),
        (((2.0, 1.0), (0.0, 0.0)), "train losses go backwards"),
    ],
)
def test_a_curve_that_cannot_be_is_refused(arguments: tuple[tuple[float, ...], ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LossCurve("a", *arguments)


def test_count_cells_show_their_pair_and_number() -> None:
    axes = plot_counts([[0, 4], [9, 1]], ["\n", "a"]).axes[0]
    assert [t.get_text() for t in axes.texts] == ["↵↵\n0", "↵a\n4", "a↵\n9", "aa\n1"]
    np.testing.assert_array_equal(axes.get_images()[0].get_array(), [[0, 2], [3, 1]])
    assert [t.get_text() for t in axes.get_xticklabels()] == ["↵", "a"]
    with pytest.raises(ValueError, match=r"counts must be \(3, 3\) for 3 symbols, got \(2, 2\)"):
        plot_counts(np.zeros((2, 2)), ["a", "b", "c"])


def test_two_dimensional_embeddings_are_drawn_where_they_are() -> None:
    axes = plot_embeddings([[0.0, 1.0], [2.0, -1.0]], ["a", " "]).axes[0]
    assert [(t.get_position(), t.get_text()) for t in axes.texts] == [((0.0, 1.0), "a"), ((2.0, -1.0), "␣")]
    with pytest.raises(ValueError, match=r"got shape \(2, 1\)"):
        plot_embeddings([[0.0], [1.0]], ["a", "b"])


def test_principal_components_find_the_plane_of_the_points() -> None:
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(50, 2)) * [3.0, 1.0]
    turn, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    points, shares = principal_components(np.pad(flat, ((0, 0), (0, 3))) @ turn + 7.0)
    assert shares.sum() == pytest.approx(1.0)  # the points lie in a plane
    distances = np.linalg.norm(flat[:, None] - flat[None], axis=-1)
    np.testing.assert_allclose(np.linalg.norm(points[:, None] - points[None], axis=-1), distances, atol=1e-9)
    assert (points[np.abs(points).argmax(axis=0), [0, 1]] > 0).all()
    axes = plot_embeddings(np.eye(4), list("abcd")).axes[0]
    assert axes.get_xlabel() == "principal component 1 (33% of the variance)"


def test_activation_densities_integrate_to_one_and_state_the_saturation() -> None:
    rng = np.random.default_rng(0)
    axes = plot_activations(
        {"layer 1": np.tanh(rng.normal(size=(40, 50)) * 3), "layer 2": [[0.0, 0.0], [1.0, -1.0]]}
    ).axes[0]
    for line in axes.get_lines():
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        assert (y * (x[1] - x[0])).sum() == pytest.approx(1.0)
    assert legend(axes)[1] == "layer 2: mean +0.00, std 0.71, saturated 50.0%"
    plain = plot_activations({"g": [2.0, 2.0]}, saturated=None).axes[0]
    whole = plot_activations({"g": [0.5, 2.0]}, saturated=1).axes[0]
    assert legend(whole)[0].endswith("saturated 50.0%")
    assert legend(plain) == ["g: mean +2.00, std 0.00"]


def test_activations_that_are_not_finite_are_named() -> None:
    with pytest.raises(ValueError, match="layer 'b' must hold finite values"):
        plot_activations({"a": [1.0], "b": [np.nan]})
    with pytest.raises(ValueError, match="no layers"):
        plot_activations({})


def test_saturation_can_be_given_for_each_layer() -> None:
    axes = plot_activations({"a": [0.0, 1.0], "b": [0.0, 2.0]}, saturated={"a": 0.25}).axes[0]
    assert legend(axes) == ["a: mean +0.50, std 0.50, saturated 25.0%", "b: mean +1.00, std 1.00"]


def test_series_are_lines_over_the_steps_with_a_level() -> None:
    axes = plot_series([10, 20], {"w": [-3.5, -3.0]}, title="t", ylabel="log10 of the ratio", level=-3.0).axes[0]
    line, level = axes.get_lines()
    np.testing.assert_array_equal(line.get_xydata(), [[10, -3.5], [20, -3.0]])
    np.testing.assert_array_equal(level.get_ydata(), [-3, -3])
    assert legend(axes) == ["w"]
    with pytest.raises(ValueError, match="'w' has 1 numbers for 2 steps"):
        plot_series([1, 2], {"w": [1.0]}, title="t", ylabel="y")


def test_gradients_are_drawn_by_their_order_of_magnitude() -> None:
    values = 10.0 ** np.array([-4.0, -3.5, -3.0, -2.5, -2.0, -1.0])
    figure = plot_gradients({"a": values, "b": [0.0, 1e-2]}, weights={"b": [0.0, 2.0]}, bins=30)
    axes = figure.axes[0]
    for line, share in zip(axes.get_lines(), (1.0, 0.5), strict=True):  # half of b is zero
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        assert (y * (x[1] - x[0])).sum() == pytest.approx(share)
    x, y = (np.asarray(data) for data in axes.get_lines()[1].get_data())
    assert x[y > 0] == pytest.approx([-2.0], abs=0.1)
    assert legend(axes) == [f"a: std {values.std():.1e}", "b: std 5.0e-03, / weights 5.0e-03, 50.0% zeros"]
    with pytest.raises(ValueError, match="the gradients of 'a' must be finite"):
        plot_gradients({"a": [np.inf]})
    with pytest.raises(ValueError, match="no gradients"):
        plot_gradients({})


def test_gradients_of_zero_alone_are_drawn_and_named() -> None:
    assert legend(plot_gradients({"a": [0.0, 0.0]}).axes[0]) == ["a: std 0.0e+00, 100.0% zeros"]


def test_dead_units_have_a_colour_of_their_own() -> None:
    flat = np.array([[True, True, False, False], [True, False, False, True]])
    axes = plot_saturation({"tanh": flat}).axes[0]
    np.testing.assert_array_equal(axes.get_images()[0].get_array(), [[2, 1, 0, 0], [2, 0, 0, 1]])
    assert axes.get_title(loc="left") == "tanh: 50% flat, 1 of 4 units dead"
    wide = plot_saturation({"a": np.ones((2, 50, 300), dtype=bool)}, rows=40, units=160).axes[0]
    assert wide.get_images()[0].get_array().shape == (40, 160)  # type: ignore[union-attr]
    assert wide.get_title(loc="left") == "a: 100% flat, 300 of 300 units dead"
    with pytest.raises(ValueError, match="no units to draw"):
        plot_saturation({"a": np.ones((0, 3), dtype=bool)})


def test_a_text_has_the_shades_of_its_probabilities() -> None:
    losses = [math.nan, *(-math.log(p) for p in (0.9, 0.3, 0.02, 1e-5))]
    assert [SHADES.index(shade(loss)) for loss in losses] == [0, 0, 1, 3, 5]
    assert SHADES.index(shade(math.inf)) == 5
    text = ColoredText("a<\nbc", losses)
    html = text.html(legend=False)
    assert re.sub("<[^>]*>", "", html) == "a&lt;↵\nbc"
    assert re.findall("background:(#......)", html) == [SHADES[i].background for i in (1, 3, 5)]
    assert 'title="probability 0.02, 3.91 nats"' in html
    assert re.sub("\033[^m]*m", "", text.ansi()) == "a<↵\nbc"
    axes = plot_text("a<\nbc", losses, width=2).axes[0]
    assert [t.get_text() for t in axes.texts] == ["a", "<", "↵", "b", "c"]
    assert [t.get_position()[1] for t in axes.texts] == [0.54, 0.54, 1.54, 2.54, 2.54]  # a newline ends a line
    assert [to_hex(p.get_facecolor()) for p in axes.patches] == [SHADES[i].background for i in (1, 3, 5)]
    with pytest.raises(ValueError, match=r"losses must be \(2,\) for 2 tokens, got \(1,\)"):
        ColoredText("ab", [1.0])


def test_shades_differ_without_their_colours() -> None:
    def brightness(color: str) -> float:
        r, g, b = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.2126 * r**2.2 + 0.7152 * g**2.2 + 0.0722 * b**2.2

    lights = [brightness(s.background) for s in SHADES]
    assert all(b < 0.85 * a for a, b in pairwise(lights))
    for s in SHADES:  # and the letters can be read: WCAG's contrast
        a, b = sorted((brightness(s.background), brightness(s.ink)))
        assert (b + 0.05) / (a + 0.05) > 4.5


def test_labels_that_would_cover_each_other_are_pushed_apart() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(10, 2)) * 5, [[0.0, 0.0], [0.0, 0.0], [0.01, 0.0]]])
    out = spread(points) / (np.ptp(points, axis=0) * 1.16)
    distances = np.linalg.norm(out[:, None] - out[None], axis=-1) + np.eye(len(out))
    assert distances.min() > 0.95 * APART
    apart = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(spread(apart), apart)


def test_count_table_without_numbers_fits_a_page() -> None:
    figure = plot_counts(np.ones((27, 27)), [*"abcdefghijklmnopqrstuvwxyz\n"], numbers=False)
    assert figure.get_size_inches()[0] < 5
    assert len(figure.axes[0].texts) == 0


def test_attention_has_a_panel_for_every_head_on_one_scale() -> None:
    weights = np.tril(np.ones((5, 3, 3))) / np.arange(1, 4)[:, None]
    figure = plot_attention(weights, ["a", "\n", "b"])
    assert [a.get_title(loc="left") for a in figure.axes] == [f"head {h}" for h in range(5)]
    assert (figure.get_supylabel(), figure.get_supxlabel()) == ("looks", "is looked at")
    for axes, head in zip(figure.axes, weights, strict=True):
        image = axes.get_images()[0]
        np.testing.assert_array_equal(image.get_array(), head)
        assert image.get_clim() == (0.0, 1.0)
        assert [t.get_text() for t in axes.get_yticklabels()] == ["a", "↵", "b"]
    names = [label.get_rotation() for label in plot_attention(np.eye(2), ["the", "b"]).axes[0].get_xticklabels()]
    assert names == [90, 90]  # side by side, words would cover each other
    with pytest.raises(ValueError, match="softmax first"):
        plot_attention(weights * 3, ["a", "b", "c"])
    with pytest.raises(ValueError, match=r"\(n_head, 2, 2\)"):
        plot_attention(weights, ["a", "b"])


def test_tokens_that_cannot_be_seen_are_named() -> None:
    assert [visible(t) for t in (" ", "\n", "\t", "\x00", "é", "the ", "a\nb")] == [
        "␣",
        "↵",
        "⇥",
        "\\x00",
        "é",
        "the ",
        "a↵b",
    ]


def test_drawing_leaves_matplotlib_as_it_was() -> None:
    program = """
import sys, gradus.plots
assert "matplotlib" not in sys.modules, "matplotlib is for those who draw"
import matplotlib
before = dict(matplotlib.rcParams.copy())
gradus.plots.plot_losses([gradus.plots.LossCurve("a", (0.0, 1.0), (1.0, 1.0))]).canvas.draw()
assert "matplotlib.pyplot" not in sys.modules
print([key for key in before if before[key] is not before["backend"] and matplotlib.rcParams[key] != before[key]])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_line_touches_the_curve_and_has_its_slope() -> None:
    axes = plot_function(lambda x: x * x, -1, 3, lines={"slope 2": (1.0, 2.0)}, points=[1.0]).axes[0]
    curve, line, point = axes.get_lines()
    x, y = np.asarray(curve.get_xydata()).T
    np.testing.assert_allclose(y, x * x)
    np.testing.assert_allclose(np.asarray(line.get_xydata())[:, 1], 1 + 2 * (x - 1))
    np.testing.assert_array_equal(point.get_xydata(), [[1, 1]])
    assert legend(axes) == ["slope 2"]
    assert axes.get_xlim() == (-1, 3)
    with pytest.raises(ValueError, match="less than high, got 1 and 1"):
        plot_function(abs, 1, 1)


def test_every_number_of_a_matrix_is_in_its_cell_and_its_rows_sums_beside_it() -> None:
    figure = plot_matrix({"p": [[0.25, 0.75], [0.5, -0.5]], "q": [1, 2]}, columns="xy", sums=True)
    p, q = figure.axes
    assert [t.get_text() for t in p.texts] == ["0.25", "0.75", "0.50", "-0.50", "= 1.00", "= 0.00"]
    assert [t.get_text() for t in q.texts] == ["1.00", "2.00", "= 3.00"]
    assert [t.get_text() for t in p.get_xticklabels()] == ["x", "y"]
    assert p.get_images()[0].get_clim() == q.get_images()[0].get_clim() == (-2, 2)
    with pytest.raises(ValueError, match="'p' has 2 columns, got 3 names"):
        plot_matrix({"p": [[1, 2]]}, columns="xyz")
    with pytest.raises(ValueError, match="no matrices"):
        plot_matrix({})


def test_maps_beside_each_other_have_one_scale() -> None:
    figure = plot_maps({"counted": [[0.25, 0.75], [1.0, 0.0]], "learned": [[0.5, 0.5], [0.81, 0.19]]}, ".a")
    counted, learned = figure.axes
    assert counted.get_title(loc="left") == "counted"
    assert counted.get_images()[0].get_clim() == learned.get_images()[0].get_clim() == (0, 1)
    np.testing.assert_allclose(np.asarray(learned.get_images()[0].get_array())[1], np.sqrt([0.81, 0.19]))
    assert [t.get_text() for t in learned.get_xticklabels()] == [".", "a"]
    with pytest.raises(ValueError, match=r"'learned' must be \(2, 2\) for 2 symbols, got \(1, 2\)"):
        plot_maps({"learned": [[1, 2]]}, ".a")
    with pytest.raises(ValueError, match="'learned' has numbers that are not 0 or more"):
        plot_maps({"learned": [[1, 2], [-1, 0]]}, ".a")
    with pytest.raises(ValueError, match="no tables"):
        plot_maps({}, ".a")


def test_the_line_of_a_decision_lies_where_the_score_is_0() -> None:
    points, labels = [[0.0, 0.0], [2.0, 1.0]], [-1, 1]
    grid = score_grid(lambda x, _: x - 1, points, size=9)
    assert grid.shape == (9, 9)
    np.testing.assert_allclose(grid[0], np.linspace(-1.4, 1.4, 9), atol=1e-12)
    axes = plot_decision({"step 0": grid}, points, labels).axes[0]
    assert axes.get_title(loc="left") == "step 0"
    boundary, squares, circles = axes.collections
    np.testing.assert_allclose(np.asarray(boundary.get_paths()[0].vertices)[:, 0], 1.0, atol=1e-12)
    np.testing.assert_array_equal(squares.get_offsets(), [[0, 0]])
    np.testing.assert_array_equal(circles.get_offsets(), [[2, 1]])
    with pytest.raises(ValueError, match="plot_decision takes grids"):
        plot_decision({"step 0": grid}, points, [1])


def test_an_error_against_a_step_has_two_logarithmic_axes_and_a_gap_at_0() -> None:
    figure = plot_series(
        [1e-8, 1e-4, 1], {"error": [0.0, 1e-9, 1]}, title="", ylabel="", xlabel="h", log=True, log_steps=True
    )
    (axes,) = figure.axes
    assert (axes.get_xscale(), axes.get_yscale(), axes.get_xlabel()) == ("log", "log", "h")
    np.testing.assert_array_equal(axes.get_lines()[0].get_ydata(), [np.nan, 1e-9, 1])


def test_counts_without_their_pairs_fit_a_page_and_leave_empty_cells_empty() -> None:
    table = np.arange(27 * 27).reshape(27, 27)
    figure = plot_counts(table, ".abcdefghijklmnopqrstuvwxyz", pairs=False)
    assert [t.get_text() for t in figure.axes[0].texts] == ["", *map(str, range(1, 27 * 27))]
    assert figure.get_size_inches()[0] < 7.5


def test_whole_steps_have_no_halves_between_them() -> None:
    axes = plot_series(range(2, 7), {"loss": [5, 4, 3, 2, 1]}, title="", ylabel="").axes[0]
    assert all(tick == round(tick) for tick in axes.get_xticks())


def test_the_way_from_an_output_down_to_its_inputs_has_the_colour() -> None:
    pairs, fours = {t: (t - 1, t) for t in range(1, 6)}, {t: (t - 2, t) for t in range(3, 6)}
    figure = plot_reach(".emman", [pairs, fours], of=4, names=["pairs", "fours"])
    (axes,) = figure.axes
    edges = [line for line in axes.lines if line.get_gid() is not None]
    ends = [tuple(map(tuple, np.asarray(line.get_xydata()).tolist())) for line in edges]
    seen = {end for line, end in zip(edges, ends, strict=True) if line.get_gid() == "seen"}
    assert seen == {
        ((1, 0), (2, 1)), ((2, 0), (2, 1)), ((3, 0), (4, 1)), ((4, 0), (4, 1)), ((2, 1), (4, 2)), ((4, 1), (4, 2)),
    }  # fmt: skip
    assert len(edges) == 2 * len(pairs) + 2 * len(fours)
    inputs = [text for text in axes.texts if text.get_text() in ".eman"]
    assert [text.get_color() == "#ffffff" for text in inputs] == [False, True, True, True, True, False]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["input", "pairs", "fours"]


def test_a_reach_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="no layers to draw"):
        plot_reach("ab", [], of=0)
    with pytest.raises(ValueError, match=r"layer 2 reads the places \[0\], where nothing is below it"):
        plot_reach("ab", [{1: (0, 1)}, {1: (0, 1)}], of=1)
    with pytest.raises(ValueError, match=r"layer 1 has no output at 0, only at \[1\]"):
        plot_reach("ab", [{1: (0, 1)}], of=0)
    with pytest.raises(ValueError, match="1 layers need as many names, got 2"):
        plot_reach("ab", [{1: (0, 1)}], of=1, names=["a", "b"])
