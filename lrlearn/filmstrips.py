"""A strip of pictures drawn once, then dragged in the browser without asking the kernel.

Every position of the main slider is drawn ahead and sent as compressed pictures;
filmstrip.js shows the one that the slider points at. The first to be seen is drawn first, and
shown at once; the others follow before the cell ends. Other controls go to the kernel, which
sends a new strip; while it is on its way, the picture is marked as not current.
"""

import asyncio
import base64
import math
import time
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets
from IPython import get_ipython
from ipywidgets import widget_serialization
from matplotlib.figure import Figure

from lrlearn.rendering import DRAWING, drawn, give_back_memory

HEAD_START = 0.3  # seconds that a browser on the same few cores has for the first picture before the others are drawn
TOLERANCE = 1e-9  # a slider's 0.7000000000000001 is its 0.7


class Film(anywidget.AnyWidget):
    """The pictures of one filmstrip in the browser; `Filmstrip` puts the sliders around it."""

    # as text: anywidget watches a path for changes, and the watcher keeps every film ever made alive
    _esm = Path(__file__).with_name("filmstrip.js").read_text(encoding="utf-8")
    _css = Path(__file__).with_name("filmstrip.css").read_text(encoding="utf-8")
    slider = traitlets.Instance(ipywidgets.Widget, allow_none=True).tag(sync=True, **widget_serialization)
    picker = traitlets.Instance(ipywidgets.Widget, allow_none=True).tag(sync=True, **widget_serialization)
    controls: traitlets.List = traitlets.List().tag(sync=True, **widget_serialization)
    # one trait, so that pictures, descriptions and the settings they were made for arrive together
    strip = traitlets.Dict().tag(sync=True)


class Filmstrip(ipywidgets.VBox):
    """A slider over ``values`` and a picture for each, all drawn now and dragged without the kernel.

    Args:
        draw: ``draw(value, **settings) -> matplotlib Figure``. It may return the same Figure every
            time, changed: then only artists made with ``animated=True`` are drawn anew, which is
            ten times as quick. Changing others is allowed and costs a full drawing.
        values: positions of the slider; numbers or anything with a short str. Not empty.
        describe: ``describe(value, **settings) -> str``, the picture in words.
        name: the slider's label.
        value: where it starts; one of values, the first if None.
        controls: name -> ipywidgets control; a change goes to the kernel, which draws a new strip.
            Their values are the ``settings`` of draw and describe.
        picker: a Dropdown or the like whose choices are all drawn ahead, so that changing it needs
            no kernel either; draw and describe get its value as ``choice``.
        format: how the slider shows a number, such as ``".2f"``.

    It is a widget: the last line of a cell shows it. ``slider`` and ``controls`` (name -> widget) may be set
    from Python; ``png``, ``description`` and ``settings`` always tell what they show now.

    Raises:
        TypeError, ValueError: draw or describe is no function, values are empty or unordered, the
            start is none of them, or draw returns something that is no Figure.

    >>> from matplotlib.figure import Figure
    >>> strip = filmstrip(lambda n: Figure(figsize=(1, 1)), [1, 2, 3], "{} dots".format, name="dots")
    >>> strip.slider.value = 2
    >>> strip
    Filmstrip(dots=2)
    >>> strip.description
    '2 dots'
    """

    def __init__(
        self,
        draw: Callable[..., Figure],
        values: Sequence[Any],
        describe: Callable[..., str],
        *,
        name: str = "value",
        value: Any = None,
        controls: Mapping[str, ipywidgets.Widget] | None = None,
        picker: ipywidgets.Widget | None = None,
        format: str | None = None,
    ) -> None:
        if not callable(draw) or not callable(describe):
            raise TypeError("draw and describe must be functions of a value")
        self.values = _positions(values)
        self._film = Film()  # first: while the sliders are made and the picture is drawn, the browser reads its script
        self.slider = _slider(name, self.values, value, format)
        self.controls, self.picker = dict(controls or {}), picker
        self._name, self._draw, self._describe = name, draw, describe
        self._waiting = False
        self.slider.observe(self._snap, names="value")
        for control in self.controls.values():
            control.observe(self._changed, names="value")
        further = [*self.controls.values()]
        rows = [picker, self.slider, ipywidgets.HBox(further, layout={"flex_flow": "row wrap"}) if further else None]
        super().__init__([row for row in [*rows, self._film] if row is not None])
        self.add_class("lrlearn-explorer")
        with self._film.hold_sync():
            self._film.slider, self._film.picker, self._film.controls = self.slider, picker, further
            self._film.strip = self._strip(only=self._index())
        _when_the_cell_ends(self._finish)  # elsewhere pictures are drawn when they are asked for

    @property
    def value(self) -> Any:
        """The value that the main slider points at, one of ``values``."""
        return self.values[self._position()]

    @property
    def settings(self) -> dict[str, Any]:
        """What every control shows, by name, the main slider first."""
        chosen = {"choice": self.picker.value} if self.picker else {}
        return chosen | {self._name: self.value} | self._control_values()

    @property
    def description(self) -> str:
        """The current picture in words."""
        return self._current("descriptions")

    @property
    def png(self) -> bytes:
        """The current picture, at double resolution."""
        return self._current("pictures")

    def close(self) -> None:
        """Release the pictures and every widget of this filmstrip, here and in the browser."""
        if not hasattr(self, "slider"):
            return  # its construction failed: there is nothing to release
        self._film.strip = {}
        # they hold the figure, and a notebook's Out may hold this for ever
        self._draw = self._describe = None  # type: ignore[assignment]
        for widget in (self._film, self.slider, *self.controls.values(), *self.children):
            widget.close()
        super().close()

    def _control_values(self) -> dict[str, Any]:
        return {name: _tidy(control.value) for name, control in self.controls.items()}

    def _control_states(self) -> list[Any]:
        """What the browser knows of the controls: the index of a selection, the value of any other."""
        return [_tidy(getattr(control, "index", control.value)) for control in self.controls.values()]

    def _position(self) -> int:
        index = getattr(self.slider, "index", None)
        return _nearest(self.values, self.slider.value) if index is None else index

    def _index(self) -> int:
        return (self.picker.index if self.picker else 0) * len(self.values) + self._position()

    def _current(self, part: str) -> Any:
        if self._film.strip[part][self._index()] is None or not self._up_to_date():
            self.refresh()
        return self._film.strip[part][self._index()]

    def _up_to_date(self) -> bool:
        return self._film.strip["controls"] == self._control_states()

    def _snap(self, _change: Any) -> None:
        # only a value set from Python or typed in can lie between two pictures; a drag never does
        if abs(self.slider.value - self.value) > TOLERANCE if isinstance(self.value, Real) else False:
            self.slider.value = self.value

    def _changed(self, _change: Any) -> None:
        """A control has changed: draw a new strip soon, once for all the changes that wait."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # no kernel, nobody is looking: the strip is drawn when it is asked for
        if not self._waiting:
            self._waiting = True
            loop.call_later(0.02, self.refresh)

    def _finish(self) -> None:
        """The cell that made this filmstrip has run, and its first picture is there: the others, before it ends."""
        time.sleep(0 if self._film.strip.get("whole", True) else HEAD_START)  # a closed one has nothing to draw
        self.refresh()

    def refresh(self) -> None:
        """Draw the whole strip now if only its first picture is there, or the controls have changed since."""
        with DRAWING:
            self._waiting = False
            if self._film.comm is not None and not (self._film.strip["whole"] and self._up_to_date()):
                self._film.strip = self._strip()
                give_back_memory()

    def _strip(self, only: int | None = None) -> dict[str, Any]:
        """Every picture and its description, or one of them, for what the further controls show now."""
        states = self._control_states()  # first: a change from here on must find this strip out of date
        settings = self._control_values()
        choices = [{"choice": value} for _, value in self.picker._options_full] if self.picker else [{}]
        positions = [(value, choice | settings) for choice in choices for value in self.values]
        wanted = positions if only is None else [positions[only]]
        with DRAWING:
            pictures, width = drawn(self._draw(value, **row) for value, row in wanted)
        descriptions = [self._describe(value, **row) for value, row in wanted]
        before = [None] * (only or 0)
        after = [None] * (len(positions) - len(before) - len(wanted))
        return {
            "pictures": [*before, *pictures, *after],
            "descriptions": [*before, *descriptions, *after],
            "whole": only is None,
            "values": [value if isinstance(value, Real) else at for at, value in enumerate(self.values)],
            "controls": states,
            "width": width,
        }

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={_short(value)}" for name, value in self.settings.items())
        return f"{type(self).__name__}({shown})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = f"{self!r}\n{self.description}"
        bundle["image/png"] = base64.b64encode(self.png).decode()
        return bundle, {"image/png": {"width": self._film.strip["width"], "alt": self.description}}


filmstrip = Filmstrip  # a lesson calls it like the function that it stands for


def _when_the_cell_ends(do: Callable[[], Any]) -> None:
    """Call ``do()`` once, when the cell that runs has ended; outside of IPython never."""

    def once(_result: Any) -> None:
        shell.events.unregister("post_run_cell", once)
        do()

    if shell := get_ipython():
        shell.events.register("post_run_cell", once)


# The browser fetches the script that draws sliders when it hears of a part of one: when this was imported, and not
# while a filmstrip of the same cell is on its way. It is never closed: with the first widget of a page JupyterLab ends
# the thread of all others.
_when_the_cell_ends(ipywidgets.SliderStyle)


def _positions(values: Sequence[Any]) -> list[Any]:
    values = values.tolist() if hasattr(values, "tolist") else list(values)
    if not values:
        raise ValueError("values must not be empty")
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise ValueError(f"values must be finite, not {values!r}")
    return values


def _slider(name: str, values: list[Any], value: Any, format: str | None) -> ipywidgets.Widget:
    """ipywidgets' own slider: of numbers where the values are evenly spaced, of choices elsewhere."""
    value = values[0] if value is None else value
    common = {"description": name, "style": {"description_width": "initial"}, "continuous_update": True}
    if not _evenly_spaced(values):
        if value not in values:
            raise ValueError(f"value must be one of the values, not {value!r}")
        options = [(f"{v:{format}}" if format else _short(v), v) for v in values]
        return ipywidgets.SelectionSlider(options=options, value=value, **common)
    if not isinstance(value, Real) or abs(values[_nearest(values, value)] - value) > TOLERANCE:
        raise ValueError(f"value must be one of the values {values[0]!r} ... {values[-1]!r}, not {value!r}")
    kind = ipywidgets.IntSlider if all(isinstance(v, int) for v in values) else ipywidgets.FloatSlider
    readout = {"readout_format": format} if format else {}
    step = round((values[-1] - values[0]) / (len(values) - 1), 12)  # an IntSlider makes an int of it
    return kind(min=values[0], max=values[-1], step=step, value=value, **readout, **common)


def _evenly_spaced(values: list[Any]) -> bool:
    if len(values) < 2 or not all(isinstance(v, Real) and not isinstance(v, bool) for v in values):
        return False
    step = (values[-1] - values[0]) / (len(values) - 1)
    return step > 0 and all(abs(v - values[0] - i * step) < TOLERANCE for i, v in enumerate(values))


def _nearest(values: list[Any], wanted: Any) -> int:
    return min(range(len(values)), key=lambda index: abs(values[index] - wanted))


def _tidy(value: Any) -> Any:
    """A number as it was meant: a slider in the browser turns 0.1 into 0.09999999999999999."""
    return float(f"{value:.12g}") if isinstance(value, float) else value


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
