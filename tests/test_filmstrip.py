"""The filmstrip: every position's picture is the one that its value would give alone."""

import asyncio
import base64
import gc
import io
import math
import threading
import time
import weakref
from types import SimpleNamespace

import ipywidgets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.events import EventManager, available_events
from matplotlib.figure import Figure
from PIL import Image

from lrlearn import filmstrip, filmstrips, rendering
from lrlearn.filmstrips import TOLERANCE


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def fresh(value: float, title: str = "") -> Figure:
    """A bar as long as the value, each time on a figure of its own."""
    figure = Figure(figsize=(1, 0.5), facecolor="white")
    ax = figure.add_axes((0.1, 0.2, 0.8, 0.5), xlim=(0, 10), ylim=(0, 1))
    ax.set_axis_off()
    ax.fill_betweenx([0, 1], 0, value, color="black")
    figure.text(0, 0.75, title)
    return figure


def words(value: float, **_settings: object) -> str:
    return f"a bar of {value}"


def alone(value: float, title: str = "") -> np.ndarray:
    return pixels(filmstrip(lambda _: fresh(value, title), [value], words).png)


class Reused:
    """The same bar on one figure: the bar is animated, the title is not."""

    def __init__(self, animated: bool = True) -> None:
        self.figure = fresh(0)
        (self.bar,), (self.title,) = self.figure.axes[0].collections, self.figure.texts
        self.bar.remove()
        self.animated = animated
        self.bar = None

    def draw(self, value: float, title: str = "") -> Figure:
        if self.bar is None:
            self.bar = self.figure.axes[0].fill_betweenx([0, 1], 0, value, color="black", animated=self.animated)
        self.bar.set_data([0, 1], 0, value)
        if self.title.get_text() != title:
            self.title.set_text(title)
        return self.figure


VALUES = st.lists(st.integers(0, 10), min_size=1, max_size=6, unique=True)


@settings(max_examples=12)
@given(VALUES, st.booleans(), st.data())
def test_each_picture_is_the_one_its_value_gives_alone(values, animated, data):
    # a title that changes in mid-strip is not animated: the background must be drawn anew, not reused
    titles = {value: data.draw(st.sampled_from(["", "A", "B"])) for value in values}
    reused = Reused(animated)
    strip = filmstrip(lambda value: reused.draw(value, titles[value]), values, words)
    for index, value in enumerate(values):
        strip.slider.index = index if isinstance(strip.slider, ipywidgets.SelectionSlider) else None
        strip.slider.value = value
        assert strip.value == value
        assert strip.description == f"a bar of {value}"
        assert np.abs(pixels(strip.png) - alone(value, titles[value])).max() <= 8  # few colours, a little off


def test_that_the_pictures_above_can_be_told_apart():
    assert np.abs(alone(3) - alone(4)).max() > 100
    assert np.abs(alone(3, "A") - alone(3, "B")).max() > 100


@settings(max_examples=12)
@given(st.lists(st.one_of(st.floats(0, 10), st.sampled_from(["low", "high"])), max_size=8))
def test_any_sequence_of_settings_ends_in_what_is_shown(sequence):
    mark = ipywidgets.Dropdown(options=["low", "high"])
    strip = filmstrip(
        lambda value, mark: fresh(value, mark),
        range(11),
        lambda value, mark: f"{value} and {mark}",
        name="length",
        controls={"mark": mark},
    )
    for wanted in sequence:
        if isinstance(wanted, str):
            mark.value = wanted
        else:
            strip.slider.value = round(wanted)
    assert strip.settings == {"length": strip.slider.value, "mark": mark.value}
    assert strip.description == f"{strip.slider.value} and {mark.value}"
    assert repr(strip) == f"Filmstrip(length={strip.slider.value}, mark={mark.value})"
    assert np.array_equal(pixels(strip.png), alone(strip.slider.value, mark.value))


@given(st.floats(0, 1))
@settings(max_examples=15)
def test_a_value_between_two_pictures_becomes_the_nearest(wanted):
    values = [0.0, 0.25, 0.5, 0.75, 1.0]
    strip = filmstrip(lambda value: fresh(value), values, words)
    strip.slider.value = wanted
    assert strip.value in values
    assert strip.slider.value == pytest.approx(strip.value, abs=TOLERANCE)
    assert abs(strip.value - wanted) <= 0.125 + 1e-9


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 3], ipywidgets.IntSlider),
        ([0, 5, 10], ipywidgets.IntSlider),
        (range(4), ipywidgets.IntSlider),
        (np.linspace(0.5, 1, 51), ipywidgets.FloatSlider),
        ([0.1, 1.0, 10.0], ipywidgets.SelectionSlider),
        ([3, 2, 1], ipywidgets.SelectionSlider),
        (["sgd", "adam"], ipywidgets.SelectionSlider),
        ([7], ipywidgets.SelectionSlider),
    ],
)
def test_any_values_can_be_dragged_to_the_last(values, kind):
    figure = fresh(1)
    strip = filmstrip(lambda value: figure, values, words)
    assert type(strip.slider) is kind
    for value in list(values):
        strip.slider.value = value
        assert strip.value == pytest.approx(value) if not isinstance(value, str) else strip.value == value


def test_a_picker_needs_no_new_strip():
    drawn = []

    def draw(value: int, choice: str) -> Figure:
        drawn.append((value, choice))
        return fresh(value, choice)

    picker = ipywidgets.Dropdown(options=["A", "B"])
    strip = filmstrip(draw, [1, 2], lambda value, choice: f"{choice}{value}", picker=picker)
    strip.refresh()
    drawn.clear()
    for choice in "BAB":
        for value in (2, 1):
            picker.value, strip.slider.value = choice, value
            assert strip.description == f"{choice}{value}"
            assert np.array_equal(pixels(strip.png), alone(value, choice))
    assert not drawn


def test_in_a_cell_the_first_picture_is_shown_before_the_others_are_drawn(monkeypatch):
    shell = SimpleNamespace(events=EventManager(None, available_events))
    monkeypatch.setattr(filmstrips, "get_ipython", lambda: shell)
    drawn = []

    def draw(value: int) -> Figure:
        drawn.append(value)
        return fresh(value)

    strip = filmstrip(draw, [1, 2, 3], "{}".format, value=2)
    shown, _ = strip._repr_mimebundle_()
    assert drawn == [2] and "image/png" in shown and strip.description == "2"
    assert strip._film.strip["pictures"][0] is None and not strip._film.strip["whole"]
    shell.events.trigger("post_run_cell", None)
    assert drawn == [2, 1, 2, 3] and all(strip._film.strip["pictures"]) and strip._film.strip["whole"]
    shell.events.trigger("post_run_cell", None)
    assert len(drawn) == 4


def test_quick_changes_are_drawn_once_and_the_last_one_wins():
    drawn = []

    def draw(value: int, count: int) -> Figure:
        drawn.append(count)
        return fresh(value, str(count))

    async def learner() -> ipywidgets.Widget:
        strip = filmstrip(draw, [1, 2], words, controls={"count": ipywidgets.IntSlider(value=1)})
        drawn.clear()
        for count in range(2, 30):
            strip.controls["count"].value = count
        before = strip._film.strip
        await asyncio.sleep(0.3)
        assert strip._film.strip is not before
        return strip

    strip = asyncio.run(learner())
    assert drawn == [29, 29]
    assert strip._film.strip["controls"] == [29]


def test_a_strip_says_for_which_settings_it_was_drawn():
    controls = {"a": ipywidgets.Checkbox(), "b": ipywidgets.SelectionSlider(options=[("x", 1.5), ("y", 2.5)])}
    strip = filmstrip(lambda value, a, b: fresh(value), [1, 2], words, controls=controls)
    assert strip._film.strip["controls"] == [False, 0]
    controls["b"].value = 2.5
    strip.refresh()
    assert strip._film.strip["controls"] == [False, 1]


def test_a_viewer_without_widgets_gets_picture_text_and_alt():
    strip = filmstrip(lambda value: fresh(value), [1, 2], words, name="length")
    strip.slider.value = 2
    data, metadata = strip._repr_mimebundle_()
    png = base64.b64decode(data["image/png"])
    assert png == strip.png and png.startswith(b"\x89PNG")
    assert data["text/plain"] == "Filmstrip(length=2)\na bar of 2"
    assert metadata["image/png"] == {"width": 100, "alt": "a bar of 2"}
    assert pixels(png).shape == (100, 200, 3)  # twice the size at which it is shown
    assert "application/vnd.jupyter.widget-view+json" in data


def test_the_picture_is_opaque_so_that_it_shows_on_a_dark_theme():
    strip = filmstrip(lambda value: fresh(value), [1], words)
    assert Image.open(io.BytesIO(strip.png)).convert("RGBA").getextrema()[3] == (255, 255)


@pytest.mark.parametrize("further", [True, False], ids=["further control", "none"])
def test_closing_releases_pictures_and_widgets(further):
    def open_widgets() -> set[str]:
        return set(ipywidgets.widgets.widget._instances)

    before = open_widgets()
    strip = filmstrip(fresh, [1, 2], words, controls={"title": ipywidgets.Text()} if further else None)
    film, gone = strip._film, weakref.ref(strip)
    kinds = [ipywidgets.widgets.widget._instances[name] for name in open_widgets() - before]
    assert film in kinds
    strip.close()
    strip.close()
    assert not film.strip
    left = [ipywidgets.widgets.widget._instances[name] for name in open_widgets() - before]
    assert not [widget for widget in left if isinstance(widget, ipywidgets.DOMWidget)]
    del strip, film, kinds, left
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"draw": lambda value: None}, TypeError, "draw must return a matplotlib Figure, not None"),
        ({"draw": "fresh"}, TypeError, "draw and describe must be functions"),
        ({"describe": None}, TypeError, "draw and describe must be functions"),
        ({"values": []}, ValueError, "values must not be empty"),
        ({"values": [1.0, math.nan]}, ValueError, "values must be finite"),
        ({"values": [1.0, math.inf]}, ValueError, "values must be finite"),
        ({"value": 9}, ValueError, "value must be one of the values"),
        ({"value": "1"}, ValueError, "value must be one of the values"),
        ({"values": ["a", "b"], "value": "c"}, ValueError, "value must be one of the values"),
        ({"draw": lambda value: 1 / 0}, ZeroDivisionError, "division"),
        ({"describe": lambda value: 1 / 0}, ZeroDivisionError, "division"),
    ],
)
def test_what_is_wrong_is_said(arguments, error, says):
    with pytest.raises(error, match=says):
        filmstrip(**{"draw": fresh, "values": [1, 2], "describe": words} | arguments)


def test_a_setting_that_cannot_be_drawn_is_said_and_can_be_left_again():
    control = ipywidgets.IntText(value=1)
    strip = filmstrip(lambda value, by: fresh(value / by), [1, 2], words, controls={"by": control})
    control.value = 0
    with pytest.raises(ZeroDivisionError):
        _ = strip.png
    control.value = 2
    strip.slider.value = 2
    assert np.array_equal(pixels(strip.png), alone(1.0))


def test_a_change_while_a_strip_is_drawn_is_not_lost():
    """JupyterLab handles each control in a thread of its own: another may change while pictures are drawn."""
    control = ipywidgets.IntSlider(value=1, min=0, max=9)

    def draw(value: int, extra: int) -> Figure:
        if extra == 2 and value == 0:
            control.value = 3  # as another thread would, in the middle of a strip
        return fresh(value + extra)

    strip = filmstrip(draw, [0, 1, 2], lambda value, extra: f"{value} and {extra}", controls={"extra": control})
    control.value = 2
    strip.refresh()
    assert strip._film.strip["controls"] == [2], "these pictures were drawn for 2 and must not pass as those of 3"
    assert strip.description == "0 and 3"
    assert (pixels(strip.png) == pixels(filmstrip(lambda _: fresh(3), [0], words).png)).all()


def test_strips_are_drawn_one_at_a_time():
    """matplotlib may not draw in two threads at once, not even two different figures."""
    drawing, most = [], []

    def draw(value: int, extra: int) -> Figure:
        drawing.append(1)
        most.append(len(drawing))
        time.sleep(0.01)
        drawing.pop()
        return fresh(value + extra)

    controls = [ipywidgets.IntSlider(value=0, min=0, max=9) for _ in range(2)]
    strips = [filmstrip(draw, [0, 1, 2], lambda value, extra: "", controls={"extra": control}) for control in controls]

    def change(at: int) -> None:
        for value in (1, 2, 3):
            controls[at].value = value
            strips[at].refresh()

    threads = [threading.Thread(target=change, args=[at]) for at in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1


def test_drawing_does_not_run_far_ahead_of_compressing(monkeypatch):
    """A picture that waits takes 4 MB: a whole strip of them would be 200, thirty times in a class."""
    compress, drawn, compressed, ahead = rendering._png, [], [], []

    def slowly(image: Image.Image) -> bytes:
        time.sleep(0.02)
        compressed.append(1)
        return compress(image)

    def draw(value: int) -> Figure:
        drawn.append(1)
        ahead.append(len(drawn) - len(compressed))
        return fresh(value)

    monkeypatch.setattr(rendering, "_png", slowly)
    strip = filmstrip(draw, range(20), words)._strip()
    assert len(strip["pictures"]) == 20
    assert max(ahead) <= rendering.WAITING + 1
