"""No meaning by colour alone: what the pictures look like to those who see two kinds of light, or one."""

import itertools

import numpy as np
import pytest
from eyes import cielab, confused, contrast_with_white, distance, figure_of

import lrlearn
from lrlearn import plots

EXPLORERS = ["ScheduleExplorer", "DescentExplorer", "WorkedExample", "TrainingExplorer", "SweepExplorer"]


def test_the_distances_are_those_of_cie():
    assert cielab("white", "anyone") == pytest.approx([100, 0, 0], abs=0.02)
    assert cielab("red", "anyone") == pytest.approx([53.24, 80.09, 67.20], abs=0.1)
    assert distance("#cc4444", "#808000", "anyone") > 3 * distance("#cc4444", "#808000", "deuteranopia")
    assert contrast_with_white("#777777") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(range(len(plots.STYLES)), 2)))
def test_two_styles_differ_in_dashes_and_marker(one, other):
    one, other = plots.STYLES[one], plots.STYLES[other]
    assert one["linestyle"] != other["linestyle"] and one["marker"] != other["marker"]


@pytest.mark.parametrize("style", plots.STYLES, ids=lambda style: style["color"])
def test_a_style_can_be_seen_on_white(style):
    assert contrast_with_white(style["color"]) >= 3


@pytest.mark.parametrize("name", EXPLORERS)
def test_curves_of_an_explorer_are_told_apart_without_colour(name):
    assert not confused(figure_of(getattr(lrlearn, name)()))


def test_curves_of_many_runs_are_told_apart_without_colour():
    runs = {str(name): np.exp(-np.outer(np.ones(4), np.arange(20) / (name + 1))) for name in range(len(plots.STYLES))}
    assert not confused(plots.spread(runs))


def test_curves_that_differ_in_colour_alone_are_found():
    picture = plots.Picture()
    ax = picture.subplots()
    ax.plot([0, 1], color=plots.BLUE, label="a")
    ax.plot([1, 0], color=plots.ORANGE, label="b")
    assert len(confused(picture)) == 1
    ax.lines[1].set_linestyle("--")
    assert not confused(picture)
    ax.lines[1].set_color("#ffcc00")
    assert confused(picture) == [": b is too pale"]


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ({"x": [0, 1], "color": plots.BLUE}, 0),
        ({"x": [2, 3], "color": "#0074b4"}, 0),
        ({"x": [1, 2], "color": "#0074b4"}, 1),
    ],
    ids=["one group", "columns", "two groups"],
)
def test_curves_without_a_name_are_a_group_by_colour_or_columns_by_place(other, found):
    picture = plots.Picture()
    ax = picture.subplots()
    ax.plot([0, 1], [0, 1], color=plots.BLUE)
    ax.plot(other["x"], [1, 0], color=other["color"])
    assert len(confused(picture)) == found
