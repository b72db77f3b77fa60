"""The filmstrip: every position's picture is the one that its value would give alone."""

import asyncio
import base64
import gc
import io
import math
import threading
import time
import weakref
from datetime import date
from types import SimpleNamespace

import ipywidgets
import matplotlib
import nbformat
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.events import EventManager, available_events
from matplotlib.figure import Figure
from PIL import Image

import lrlearn
from lrlearn import explorers, filmstrip, filmstrips, pages, plots, rendering
from lrlearn.plots import Picture
from lrlearn.sliders import TOLERANCE
from lrlearn.steady import DRAWING


@pytest.fixture(autouse=True, scope="module")
def quick():
    """Memory is given back in a test of its own: to look through all that torch has made takes a tenth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filmstrips, "give_back_memory", lambda: None)
        yield


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
    assert data["text/plain"] == "The picture in words:\nFilmstrip(length=2)\na bar of 2"
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


DROPDOWN = ipywidgets.Dropdown(options=["a", "b"])
WRONG = [
    ({"draw": lambda value: None}, TypeError, "draw must return a matplotlib Figure, not None"),
    ({"draw": "fresh"}, TypeError, "draw and describe must be functions"),
    ({"draw": lambda: None}, TypeError, r"draw must be a function that can be called as draw\(value\)"),
    ({"draw": fresh, "picker": DROPDOWN}, TypeError, r"draw must be .* called as draw\(value, choice=...\)"),
    ({"describe": None}, TypeError, "draw and describe must be functions"),
    ({"describe": lambda value: None}, TypeError, "describe must return a str, .* not None"),
    ({"describe": lambda value, more: ""}, TypeError, "describe must be a function that can be called"),
    ({"values": []}, ValueError, "values must not be empty"),
    ({"values": 3}, TypeError, "values must be a list"),
    ({"values": "abc"}, TypeError, "values must be a list"),
    ({"values": [None, 1]}, TypeError, r"values must be numbers .* not None \(values\[0\]\)"),
    ({"values": [1, 2, 1]}, ValueError, "values must differ .* 1 is there twice"),
    ({"values": [1.0, math.nan]}, ValueError, "values must be finite"),
    ({"values": [1.0, math.inf]}, ValueError, "values must be finite"),
    ({"value": 9}, ValueError, "value must be one of the values"),
    ({"value": "1"}, ValueError, "value must be one of the values"),
    ({"values": ["a", "b"], "value": "c"}, ValueError, "value must be one of the values"),
    ({"name": 3}, TypeError, "name must be the slider's label"),
    ({"name": ""}, TypeError, "name must be the slider's label"),
    ({"name": "choice", "picker": DROPDOWN}, ValueError, "name must not be 'choice'"),
    ({"picker": ipywidgets.IntSlider()}, TypeError, "picker must be a control with choices, .* not IntSlider"),
    ({"picker": ipywidgets.Dropdown(options=[])}, TypeError, "picker must be a control with choices, one of them"),
    ({"picker": "a"}, TypeError, "picker must be a control with choices"),
    ({"controls": [ipywidgets.IntSlider()]}, TypeError, "controls must be a dict of names"),
    ({"controls": {"a": 3}}, TypeError, r"controls\['a'\] must be an ipywidgets control with a value, not 3"),
    ({"controls": {"a": ipywidgets.HBox()}}, TypeError, r"controls\['a'\] must be .* not HBox"),
    (
        {"controls": {"a": ipywidgets.DatePicker(value=date(2000, 1, 1))}},
        TypeError,
        r"controls\['a'\] must have a value that",
    ),
    ({"controls": {3: ipywidgets.IntSlider()}}, TypeError, "controls must have names, not 3"),
    ({"controls": {"value": ipywidgets.IntSlider()}}, ValueError, "controls must not have the name 'value'"),
    ({"name": "a", "controls": {"a": ipywidgets.IntSlider()}}, ValueError, "controls must not have the name 'a'"),
    ({"format": "two digits"}, ValueError, "format must be"),
    ({"format": 2}, ValueError, "format must be"),
    ({"values": ["a", "b"], "format": ".2f"}, ValueError, "format must be"),
    ({"draw": lambda value: 1 / 0}, ZeroDivisionError, "division"),
    ({"describe": lambda value: 1 / 0}, ZeroDivisionError, "division"),
]


@pytest.mark.parametrize(("arguments", "error", "says"), WRONG, ids=[says for *_, says in WRONG])
def test_what_is_wrong_is_said_and_leaves_nothing_behind(arguments, error, says):
    before = set(ipywidgets.widgets.widget._instances)
    with pytest.raises(error, match=f"^{says}"):
        filmstrip(**{"draw": fresh, "values": [1, 2], "describe": words} | arguments)
    assert set(ipywidgets.widgets.widget._instances) == before
    assert DROPDOWN.comm is not None, "a control belongs to who made it, who will try again"


@pytest.mark.parametrize("which", ["draw", "describe"])
def test_a_picture_that_fails_is_named_and_leaves_the_others(which):
    def fails(value: int, mark: str) -> object:
        if value == 2 and mark == "odd":
            raise ArithmeticError("not this one")
        return fresh(value, mark) if which == "draw" else words(value)

    mark = ipywidgets.Dropdown(options=["plain", "odd"])
    functions = {"draw": fresh, "describe": lambda value, title: words(value)}
    functions[which] = lambda value, title: fails(value, title)
    strip = filmstrip(values=[1, 2, 3], controls={"title": mark}, **functions)
    mark.value = "odd"
    with pytest.raises(ArithmeticError, match="not this one") as caught:
        strip.refresh()
    assert caught.value.__notes__ == ["There is no picture for value=2, title='odd'."]
    assert [picture is None for picture in strip._film.strip["pictures"]] == [False, True, False]
    assert "ArithmeticError: not this one" in strip._film.strip["problems"][1]
    assert np.array_equal(pixels(strip.png), alone(1, "odd"))
    strip.slider.value = 2
    with pytest.raises(ArithmeticError):
        _ = strip.png
    strip.slider.value = 3
    assert np.array_equal(pixels(strip.png), alone(3, "odd"))


def test_choices_that_change_later_are_drawn_anew():
    picker = ipywidgets.Dropdown(options=["A", "B"])
    strip = filmstrip(
        lambda value, choice: fresh(value, choice), [1, 2], lambda value, choice: f"{choice}{value}", picker=picker
    )
    strip.refresh()
    picker.options = ["C", "D", "E"]
    picker.value = "E"
    assert strip.description == "E1" and np.array_equal(pixels(strip.png), alone(1, "E"))
    assert len(strip._film.strip["pictures"]) == 6


def test_positions_that_change_later_are_refused():
    strip = filmstrip(lambda value: fresh(1), ["a", "b"], words)
    with pytest.raises(ValueError, match="fixed"):
        strip.slider.options = ["c"]


def test_a_filmstrip_that_draw_closes_stays_closed():
    count = ipywidgets.IntSlider(1)

    def draw(value: int, count: int) -> Figure:
        if count == 2:
            strip.close()
        return fresh(value)

    strip = filmstrip(draw, [1, 2], lambda value, count: words(value), controls={"count": count})
    count.value = 2
    strip.refresh()
    assert not strip._film.strip
    assert repr(strip) == "Filmstrip(value=1, count=2)"


def test_a_sentence_needs_no_strip():
    drawn = []
    count = ipywidgets.IntSlider(1)
    strip = filmstrip(
        lambda value, count: drawn.append(value) or fresh(value),
        [1, 2],
        "{} of {count}".format,
        controls={"count": count},
    )
    drawn.clear()
    count.value, strip.slider.value = 5, 2
    assert strip.description == "2 of 5" and not drawn


def test_discarded_figures_are_freed_while_others_may_draw(monkeypatch):
    monkeypatch.setattr(filmstrips, "give_back_memory", lambda: (freed(), rendering.give_back_memory()))
    held, locked = [], []

    def freed() -> None:
        thread = threading.Thread(target=lambda: locked.append(not DRAWING.acquire(timeout=5) or DRAWING.release()))
        thread.start()
        thread.join()

    def draw(value: int, count: int) -> Figure:
        figure = fresh(value)
        held.append(weakref.ref(figure))
        return figure

    count = ipywidgets.IntSlider(1)
    strip = filmstrip(draw, [1, 2], lambda value, count: words(value), controls={"count": count})
    strip.refresh()
    assert [figure() for figure in held] == [None] * 3 and locked == [None], "it waits for no drawing"


NASTY = {
    "text.color": "white",
    "axes.facecolor": "black",
    "axes.labelcolor": "white",
    "axes.prop_cycle": matplotlib.cycler(color=["white"]),
    "axes.titlesize": 40,
    "figure.facecolor": "black",
    "figure.dpi": 33,
    "font.size": 30,
    "font.family": "serif",
    "legend.facecolor": "black",
    "lines.linewidth": 9,
    "image.cmap": "jet",
    "savefig.transparent": True,
    "savefig.bbox": "tight",
    "savefig.facecolor": "black",
    "text.usetex": True,
    "xtick.color": "white",
    "xtick.labelsize": 3,
    "axes.unicode_minus": False,
}


def own_picture() -> Picture:
    """What lessons draw by themselves."""
    picture = Picture(6, 3)
    left, right = picture.subplots(1, 2)
    left.plot([-1, 1, 3], label="a line")
    left.set(title="a title", xlabel="epoch", ylabel="loss")
    left.legend()
    left.annotate("here", (1, 1))
    picture.colorbar(right.imshow(np.eye(3)), ax=right)
    right.text(0, 0, "some text")
    picture.suptitle("over all")
    return picture


def shown(thing: object) -> bytes:
    return thing._repr_mimebundle_()[0]["image/png"]


@pytest.mark.parametrize(
    "make",
    [
        own_picture,
        lambda: plots.spread({"a": [[4.0, 2.0], [3.0, 1.0]], "b": [[1.0, 2.0]]}),
        lambda: filmstrip(lambda value: fresh(value, "a title"), [1, 2], words),
        lambda: filmstrip(lambda value: own_picture(), [1, 2], words),
        *(getattr(lrlearn, f"{kind}Explorer") for kind in ("Schedule", "Descent", "Training", "Sweep")),
        lrlearn.WorkedExample,
    ],
)
def test_pictures_do_not_depend_on_the_learners_settings(make, monkeypatch):
    monkeypatch.setattr(explorers, "SEEDS", range(2))
    usual = shown(make())
    with matplotlib.rc_context(NASTY):
        before = dict(matplotlib.rcParams)
        assert shown(make()) == usual
        assert dict(matplotlib.rcParams) == before, "and leave those settings alone"


def test_that_settings_would_change_a_picture():
    def bare() -> bytes:
        figure, data = fresh(3, "a title"), io.BytesIO()
        figure.savefig(data)
        return data.getvalue()

    usual = bare()
    with matplotlib.rc_context({name: value for name, value in NASTY.items() if name != "text.usetex"}):
        assert bare() != usual


def test_the_picture_that_is_kept_is_the_same_with_a_line_under_it():
    strip = filmstrip(lambda value: fresh(value), [1, 2], words)
    data, metadata = strip._kept_picture()
    kept, height = pixels(base64.b64decode(data["image/png"])), metadata["lrlearn"]["line"]
    assert np.array_equal(kept[:-height], pixels(strip.png))
    assert kept[-height:].min() < 50 and metadata["image/png"]["alt"] == strip.description
    together = (
        nbformat.v4.new_output("display_data", {"text/plain": "x"}),
        nbformat.v4.new_output("display_data", data, metadata=metadata),
    )
    (joined,) = pages.joined(list(together))
    assert np.array_equal(pixels(base64.b64decode(joined.data["image/png"])), pixels(strip.png))
    assert joined.metadata["image/png"]["alt"] == strip.description


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
