"""The explorers: whatever is set, in whatever order, picture and words are those of a new explorer so set."""

import asyncio
import base64
import gc
import math
import weakref

import ipywidgets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlearn import (
    DescentExplorer,
    ScheduleExplorer,
    SweepExplorer,
    TrainingExplorer,
    WorkedExample,
    explorers,
    exponential_lr,
    filmstrips,
    half_life,
    plots,
    rendering,
)
from lrlearn.regression import problem, sweep


@pytest.fixture(autouse=True, scope="module")
def small():
    """The same explorers, at a low resolution and with few positions and runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "DPI", 24)
        patch.setattr(explorers, "GAMMAS", [0.5, 0.75, 1.0])
        patch.setattr(explorers, "SWEPT_GAMMAS", [0.8, 0.9, 1.0])
        patch.setattr(explorers, "SWEPT_LRS", [0.01, 0.1, 1.0, 10.0])
        patch.setattr(explorers, "SEEDS", range(3))
        # memory has a test of its own: to look through all that torch has made takes a tenth of a second each time
        patch.setattr(filmstrips, "give_back_memory", lambda: None)
        yield


START = {
    ScheduleExplorer: {"gamma": 0.75},
    DescentExplorer: {"drag": "gamma", "gamma": 0.75},
    WorkedExample: {"num_epochs": 4},
    TrainingExplorer: {"gamma": 0.75},
    SweepExplorer: {"gamma": 0.9},
}
every_explorer = pytest.mark.parametrize("kind", START, ids=lambda kind: kind.__name__)


def any_value(widget: ipywidgets.Widget) -> st.SearchStrategy:
    """Everything that a control may be set to."""
    if hasattr(widget, "_options_full"):
        return st.sampled_from([value for _, value in widget._options_full])
    numbers = st.integers if isinstance(widget, ipywidgets.IntSlider) else st.floats
    return numbers(widget.min, widget.max)


def same_but_new(explorer: explorers.Filmstrip, start: dict) -> explorers.Filmstrip:
    """An explorer made from nothing with what the other one shows."""
    if isinstance(explorer, WorkedExample):
        new = WorkedExample(**start)
        new.slider.value = explorer.slider.value
        return new
    return type(explorer)(**start | explorer.settings)


@every_explorer
@settings(max_examples=5)
@given(data=st.data())
def test_any_sequence_of_settings_leaves_everything_consistent(kind, data):
    explorer = kind(**START[kind])
    handles = {"main": explorer.slider} | explorer.controls
    for _ in range(data.draw(st.integers(0, 6))):
        name = data.draw(st.sampled_from(list(handles)))
        handles[name].value = data.draw(any_value(handles[name]))
        if data.draw(st.booleans()):
            _ = explorer.png  # looked at in between, or not
    new = same_but_new(explorer, START[kind])
    assert explorer.settings == new.settings
    assert explorer.description == new.description
    assert explorer.png == new.png
    assert repr(explorer) == repr(new)
    assert explorer.slider.value == pytest.approx(explorer.value)
    assert explorer._film.strip["controls"] == new._film.strip["controls"]
    assert "nan" not in explorer.description.lower()


@every_explorer
def test_each_position_has_a_picture_and_words_of_its_own(kind):
    explorer = kind(**START[kind])
    pictures, words = set(), set()
    for value in explorer.values:
        explorer.slider.value = value
        pictures.add(explorer.png)
        words.add(explorer.description)
        assert f"{value:g}" in explorer.description.replace(f"{value:.2f}", f"{value:g}")
    assert len(pictures) == len(words) == len(explorer.values)


@every_explorer
def test_other_settings_are_other_pictures(kind):
    explorer = kind(**START[kind])
    for name, control in explorer.controls.items():
        before = explorer.png, explorer.description
        states = {"initial_lr": 0.5, "num_epochs": 7, "log": True}
        control.value = states[name]
        assert explorer.png != before[0]
        assert explorer.description != before[1]


@every_explorer
def test_a_viewer_without_widgets_gets_picture_and_text(kind):
    explorer = kind(**START[kind])
    data, metadata = explorer._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]) == explorer.png
    assert metadata["image/png"]["alt"] == explorer.description
    assert data["text/plain"] == f"The picture in words:\n{explorer!r}\n{explorer.description}"
    assert repr(explorer) == repr(kind(**START[kind]))
    assert len(repr(explorer)) < 100 and repr(explorer).startswith(kind.__name__)
    assert "0x" not in repr(explorer)


@every_explorer
def test_a_closed_explorer_is_gone(kind):
    explorer = kind(**START[kind])
    gone = weakref.ref(explorer)
    explorer.close()
    del explorer
    gc.collect()
    assert gone() is None


@every_explorer
def test_a_closed_explorer_that_is_still_held_keeps_no_pictures(kind):
    # a notebook holds whatever a cell has shown, in Out
    held = kind(**START[kind])
    figure = weakref.ref(held._draw(held.value, **held._control_values()))
    held.refresh()
    gc.collect()
    assert figure() is not None and len(held._film.strip["pictures"]) == len(held.values)
    held.close()
    gc.collect()
    assert figure() is None
    assert not held._film.strip


@every_explorer
def test_each_control_can_be_used_and_named(kind):
    explorer = kind(**START[kind])
    for widget in (explorer.slider, *explorer.controls.values()):
        assert widget.description
        assert not widget.disabled


def test_in_a_kernel_the_last_of_many_quick_changes_is_drawn():
    async def learner() -> ScheduleExplorer:
        explorer = ScheduleExplorer(gamma=0.75)
        for num_epochs in range(2, 60):
            explorer.controls["num_epochs"].value = num_epochs
            explorer.controls["initial_lr"].value = num_epochs / 100
            explorer.slider.value = 1.0
        await asyncio.sleep(1.5)
        return explorer

    explorer = asyncio.run(learner())
    assert explorer._film.strip["controls"] == [0.59, 59, False]
    assert explorer.png == ScheduleExplorer(initial_lr=0.59, gamma=1.0, num_epochs=59).png


def test_the_schedules_words_say_half_life_and_budget():
    explorer = ScheduleExplorer(initial_lr=0.1, gamma=0.75, num_epochs=40)
    assert f"half-life {half_life(0.75):.2f} epochs" in explorer.description
    assert "can never pass 0.4" in explorer.description
    explorer.slider.value = 1.0
    assert "never halves" in explorer.description
    assert "no limit" in explorer.description


def test_the_worked_examples_words():
    explorer = WorkedExample(0.1, 0.9, 4)
    said = []
    for epoch in range(4):
        explorer.slider.value = epoch
        said.append(explorer.description.split("= ")[-1].rstrip("."))
    assert said == ["0.1", "0.09", "0.081", "0.0729"]


def covered(figure: plots.Figure) -> list[str]:
    """Moving words that lie on a curve, or on other words, of their axes."""
    figure.canvas.draw()
    found = []
    for ax in figure.axes:
        says = [text for text in ax.texts if text.get_animated() and text.get_text()]
        titles = [title for title in (ax.title, ax._left_title, ax._right_title) if title.get_text()]
        boxes = [title.get_window_extent() for title in titles]
        lines = [line.get_transform().transform(line.get_xydata()) for line in ax.lines if line.get_visible()]
        between = [np.linspace(one[:-1], one[1:], 20).reshape(-1, 2) for one in lines if len(one) > 1]
        seen = [[point for point in points if ax.bbox.padded(2).contains(*point)] for points in between]
        for words in says:
            box = words.get_window_extent()
            if any(box.contains(*point) for points in seen for point in points) or box.count_overlaps(boxes):
                found.append(words.get_text())
    return found


DRAWN = [
    (plots.schedule_scene, {"initial_lr": 0.1, "gammas": [0.05, 0.5, 0.8, 0.93, 1.0, 1.1], "num_epochs": 40}),
    (plots.schedule_scene, {"initial_lr": 1.0, "gammas": [0.5, 0.9, 0.99, 1.0], "num_epochs": 11, "log": True}),
    *(
        (plots.descent_scene, {"paths": paths, "curvatures": explorers.CURVATURES, "name": name})
        for name, paths in {
            "gamma": {gamma: explorers.descent_path(0.25, gamma) for gamma in (0.5, 0.73, 0.98, 0.99, 1.0)},
            "initial_lr": {lr: explorers.descent_path(lr, 1.0) for lr in (0.005, 0.18, 0.2, 0.205, 0.295)},
        }.items()
    ),
]


@pytest.mark.parametrize(("scene", "settings"), DRAWN)
def test_words_that_change_cover_neither_a_curve_nor_other_words(scene, settings):
    draw = scene(**settings)
    for value in settings.get("gammas") or settings["paths"]:
        assert not covered(draw(value)), value


TRAININGS = pytest.mark.parametrize(
    "explorer", [TrainingExplorer(), TrainingExplorer(initial_lr=1.0), SweepExplorer()], ids=repr
)


@TRAININGS
def test_words_of_the_trainings_cover_no_curve_either(explorer):
    for gamma in explorer.values[:: len(explorer.values) // 8]:
        assert not covered(explorer._draw(gamma, **explorer._control_values())), gamma


@TRAININGS
def test_the_titles_of_neighbouring_axes_stand_on_one_line(explorer):
    """Also where the words beside one of them take two lines: a title that stands higher looks like another kind."""
    figure = explorer._draw(explorer.values[-1], **explorer._control_values())
    figure.canvas.draw()
    titles = [title for ax in figure.axes for title in (ax.title, ax._left_title) if title.get_text()]
    assert len(titles) > 1 and not any(title.get_text().endswith("\n") for title in titles)
    boxes = [title.get_window_extent() for title in titles]
    assert max(box.y0 for box in boxes) - min(box.y0 for box in boxes) < boxes[0].height / 2, boxes


def test_a_path_that_leaves_the_valley_is_said_and_drawn():
    explorer = DescentExplorer(initial_lr=0.3, gamma=1.0)
    assert "diverged" in explorer.description
    calm = DescentExplorer(initial_lr=0.05, gamma=1.0)
    assert "diverged" not in calm.description
    assert explorer.png != calm.png


@settings(max_examples=20)
@given(st.floats(0.005, 0.3), st.floats(0.5, 1))
def test_the_path_is_that_of_gradient_descent(initial_lr, gamma):
    path = explorers.descent_path(initial_lr, gamma)
    factors = [
        1 - exponential_lr(initial_lr, gamma, step) * np.array(explorers.CURVATURES) for step in range(len(path) - 1)
    ]
    np.testing.assert_allclose(path[1:], path[0] * np.cumprod(factors, axis=0), rtol=1e-9, atol=1e-300)


def test_a_training_that_diverges_is_shown_as_diverged():
    explorer = SweepExplorer(gamma=1.0)
    assert "nan" not in explorer.description.lower()
    explorer = TrainingExplorer(initial_lr=1.0, gamma=1.0)
    runs = sweep([1.0], [1.0], explorers.SEEDS, 40)
    worse = [run for run in runs.losses[0, 0] if run[-1] > problem().untrained]
    assert ("diverged" in explorer.description) == bool(worse)


@pytest.mark.parametrize("fill", [math.inf, 1e300, math.nan], ids=str)
@pytest.mark.filterwarnings("error")
def test_no_diverged_run_breaks_a_plot(fill):
    gammas = [0.5, 1.0]
    excess, weights = np.full((2, 3, 5), 0.1), np.ones((2, 3, 2))
    excess[1, 1:, 2:], weights[1, 1:] = fill, fill
    data = (np.linspace(-1, 1, 4), np.zeros(4))
    for scene in (
        plots.training_scene(gammas, excess, weights, data, (3.0, 0.5), 0.1, ["fine", "diverged"]),
        plots.sweep_scene([0.1, 1.0], gammas, np.array([excess[..., -1]] * 2)),
    ):
        strip = explorers.Filmstrip(scene, gammas, str)
        strip.slider.value = 1.0
        assert strip.png.startswith(b"\x89PNG")


BAD = [
    (ScheduleExplorer, "initial_lr", 0, ValueError),
    (ScheduleExplorer, "initial_lr", math.nan, ValueError),
    (ScheduleExplorer, "initial_lr", "0.1", TypeError),
    (ScheduleExplorer, "gamma", -1, ValueError),
    (ScheduleExplorer, "gamma", 1.5, ValueError),
    (ScheduleExplorer, "gamma", None, TypeError),
    (ScheduleExplorer, "num_epochs", 0, ValueError),
    (ScheduleExplorer, "num_epochs", 2.5, TypeError),
    (ScheduleExplorer, "gammas", [], ValueError),
    (ScheduleExplorer, "gammas", [0.9, math.inf], ValueError),
    (ScheduleExplorer, "gammas", 0.9, TypeError),
    (ScheduleExplorer, "gammas", [0.9, 0.9], ValueError),
    (ScheduleExplorer, "gamma", 0.905, ValueError),
    (ScheduleExplorer, "log", "no", TypeError),
    (ScheduleExplorer, "log", 1, TypeError),
    (DescentExplorer, "initial_lr", 0.0523, ValueError),
    (TrainingExplorer, "gamma", 0.905, ValueError),
    (TrainingExplorer, "initial_lr", None, TypeError),
    (SweepExplorer, "gamma", 0.905, ValueError),
    (DescentExplorer, "initial_lr", 5, ValueError),
    (DescentExplorer, "gamma", 2, ValueError),
    (DescentExplorer, "drag", "lr", ValueError),
    (DescentExplorer, "initial_lr", "0.1", TypeError),
    (WorkedExample, "initial_lr", -1, ValueError),
    (WorkedExample, "gamma", math.inf, ValueError),
    (WorkedExample, "num_epochs", 1, ValueError),
    (WorkedExample, "num_epochs", 3.0, TypeError),
    (TrainingExplorer, "initial_lr", 1.5, ValueError),
    (TrainingExplorer, "gamma", 0.1, ValueError),
    (TrainingExplorer, "num_epochs", 1000, ValueError),
    (SweepExplorer, "gamma", 0.1, ValueError),
    (SweepExplorer, "num_epochs", "40", TypeError),
]


@pytest.mark.parametrize(("kind", "name", "value", "error"), BAD, ids=lambda part: str(getattr(part, "__name__", part)))
def test_bad_input_is_named(kind, name, value, error):
    with pytest.raises(error, match=rf"^{name} must ") as caught:
        kind(**{name: value})
    assert value == [] or repr(value) in str(caught.value) or repr(value[-1]) in str(caught.value)


def test_what_is_not_dragged_is_honoured_exactly():
    explorer = DescentExplorer(initial_lr=0.0523, gamma=0.75, drag="gamma")
    assert explorer._draw(0.75).axes[1].lines[0].get_ydata()[1] == pytest.approx(
        (explorers.descent_path(0.0523, 0.75)[1] ** 2 @ explorers.CURVATURES) / 2
    )
    schedule = ScheduleExplorer(initial_lr=0.0523, gamma=0.75)
    assert "from 0.0523 in epoch 0" in schedule.description
    rate = schedule.controls["initial_lr"]
    assert (rate.value - rate.min) / rate.step == pytest.approx(round((rate.value - rate.min) / rate.step)), "it stays"
    assert DescentExplorer(initial_lr=0.05, gamma=0.905).description != DescentExplorer(initial_lr=0.05).description


def test_a_rate_that_is_none_of_the_offered_ones_is_trained_with():
    explorer = TrainingExplorer(initial_lr=0.09, gamma=0.75)
    assert explorer.settings["initial_lr"] == 0.09 and "initial_lr 0.09:" in explorer.description
