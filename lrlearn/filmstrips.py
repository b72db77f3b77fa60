"""A strip of pictures drawn once, then dragged in the browser without asking the kernel.

Every position of the main slider is drawn ahead and sent as compressed pictures;
filmstrip.js shows the one that the slider points at. The first to be seen is drawn first, and
shown at once; the others follow before the cell ends. Other controls go to the kernel, which
sends a new strip; while it is on its way, the picture is marked as not current.
"""

import base64
import functools
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets
from IPython import get_ipython
from IPython.display import display
from ipywidgets import widget_serialization
from matplotlib.figure import Figure

from lrlearn import cells, kept, sliders, transport
from lrlearn.checks import quoted
from lrlearn.rendering import drawn, give_back_memory
from lrlearn.sliders import TOLERANCE, short, tidy
from lrlearn.steady import DRAWING

REST = 1.0  # seconds without a change after which the notebook gets the picture that it keeps
VIEW = "application/vnd.jupyter.widget-view+json"


class Film(anywidget.AnyWidget):
    """The pictures of one filmstrip in the browser; `Filmstrip` puts the sliders around it."""

    # text, not a Path: anywidget never disconnects its callback for a Path, so no Film would ever be freed
    _esm = Path(__file__).with_name("filmstrip.js").read_text(encoding="utf-8")
    _css = Path(__file__).with_name("filmstrip.css").read_text(encoding="utf-8")
    slider = traitlets.Instance(ipywidgets.Widget, allow_none=True).tag(sync=True, **widget_serialization)
    picker = traitlets.Instance(ipywidgets.Widget, allow_none=True).tag(sync=True, **widget_serialization)
    controls: traitlets.List = traitlets.List().tag(sync=True, **widget_serialization)
    # one trait, so that pictures, descriptions and the settings they were made for arrive together
    strip = traitlets.Dict().tag(sync=True, to_json=transport.to_json)
    drawing = traitlets.Bool(False).tag(sync=True)  # the kernel has heard of a change and draws


class Filmstrip(ipywidgets.VBox):
    """A slider over ``values`` and a picture for each, all drawn now and dragged without the kernel.

    Args:
        draw: ``draw(value, **settings) -> matplotlib Figure``. It may return the same Figure every
            time, changed: then only artists made with ``animated=True`` are drawn anew, which is
            ten times as quick. Changing others is allowed and costs a full drawing. It runs with
            matplotlib's default settings, so that the picture is the same on every machine: a
            style is chosen inside ``draw``.
        values: positions of the slider; numbers or anything with a short str. Not empty, no two alike.
        describe: ``describe(value, **settings) -> str``, the picture in words.
        name: the slider's label.
        value: where it starts; one of values, the first if None.
        controls: name -> ipywidgets control; a change goes to the kernel, which draws a new strip.
            Their values are the ``settings`` of draw and describe.
        picker: a Dropdown or the like whose choices are all drawn ahead, so that changing it needs
            no kernel either; draw and describe get its value as ``choice``.
        format: how the slider shows a number, such as ``".2f"``.

    It is a widget: the last line of a cell shows it. ``slider`` and ``controls`` (name -> widget) may be set
    from Python; ``png``, ``description`` and ``settings`` always tell what they show now. A cell that is
    run again closes what it made before, unless a variable holds it or another cell shows it.

    Raises:
        TypeError, ValueError: an argument is not what is said above; the message names it. Whatever
            draw and describe raise comes with a note that names the value. If that happens to a later
            picture, the others are there, and its place says what went wrong.

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
        sliders.check_name(name, picker)
        self.values = sliders.positions(values)
        self.controls = sliders.checked_controls(name, controls, picker)
        self.picker: Any = picker
        sliders.check_functions([*(["choice"] if picker else []), *self.controls], draw=draw, describe=describe)
        self._name, self._waiting, self._moves = name, False, 0
        self._draw: Any = draw
        self._describe: Any = describe
        self._kept: kept.Kept | None = None
        self.slider: Any = None
        self._film = Film()  # first: while the sliders are made and the picture is drawn, the browser reads its script
        try:
            self.slider = sliders.slider(name, self.values, value, format)
            further = [*self.controls.values()]
            row = ipywidgets.HBox(further, layout={"flex_flow": "row wrap"}) if further else None
            super().__init__([part for part in [picker, self.slider, row, self._film] if part is not None])
            self.add_class("lrlearn-explorer")
            with self._film.hold_sync():
                self._film.slider, self._film.picker, self._film.controls = self.slider, picker, further
                self._film.strip = self._strip(only=self._index())
        except Exception:
            self._release(spare=[picker, *self.controls.values()])
            raise
        self._observe()
        _open.add(self)
        cells.made(self, get_ipython())
        if _keeps_pictures():
            get_ipython().display_formatter.mimebundle_formatter.for_type(ipywidgets.Box, _show_box)

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
        settings = self.settings
        return _words(self._describe(settings.pop(self._name), **settings)) if self._describe else "closed"

    @property
    def png(self) -> bytes:
        """The current picture, at double resolution."""
        if not self._up_to_date() or self._film.strip["pictures"][self._index()] is None:
            self.refresh()
        if self._film.strip["pictures"][self._index()] is None:  # it could not be drawn: what draw raises says why
            self._strip(only=self._index())
        return self._film.strip["pictures"][self._index()]

    def close(self, spare: Callable[[Any], bool] = lambda control: False) -> None:
        """Release the pictures and every widget of this filmstrip, here and in the browser.

        A control that another filmstrip has as well stays open, and one for which ``spare(control)`` is true.
        """
        if self in _open:
            _open.discard(self)
            shared = [control for strip in _open for control in strip._further()]
            self._release([control for control in self._further() if control in shared or spare(control)])

    def _release(self, spare: list[Any]) -> None:
        self._observe(False)
        self._film.strip, self._kept = {}, None
        self._draw = self._describe = None  # they hold the figure, and a notebook's Out may hold this for ever
        for widget in [self._film, self.slider, *self._further(), *self.children]:
            if widget is not None and widget not in spare:
                _close(widget)
        _close(self, super().close)

    def _further(self) -> list[ipywidgets.Widget]:
        """Every control but the main slider."""
        return [*([self.picker] if self.picker else []), *self.controls.values()]

    def _observe(self, on: bool = True) -> None:
        """Hear of what the controls tell, or no longer."""
        heard = [(self.slider, self._snap, "value"), (self.slider, _refuse, "options")]
        heard += [(widget, self._keep, "value") for widget in (self.slider, self.picker)]
        heard += [(control, self._changed, "value") for control in self.controls.values()]
        heard += [(control, self._reshaped, "options") for control in self._further()]
        for widget, do, trait in heard:
            if widget is not None and widget.has_trait(trait):
                widget.observe(do, trait) if on else widget.unobserve(do, trait)

    def _control_values(self) -> dict[str, Any]:
        return {name: tidy(control.value) for name, control in self.controls.items()}

    def _control_states(self) -> list[Any]:
        """What the browser knows of the controls: the index of a selection, the value of any other."""
        return [tidy(getattr(control, "index", control.value)) for control in self.controls.values()]

    def _position(self) -> int:
        index = getattr(self.slider, "index", None)
        return sliders.nearest(self.values, self.slider.value) if index is None else index

    def _index(self) -> int:
        return ((self.picker.index or 0) if self.picker else 0) * len(self.values) + self._position()

    def _up_to_date(self) -> bool:
        return self._film.strip["controls"] == self._control_states()

    def _snap(self, _change: Any) -> None:
        # only a value set from Python or typed in can lie between two pictures; a drag never does
        if abs(self.slider.value - self.value) > TOLERANCE if sliders.is_number(self.value) else False:
            self.slider.value = self.value

    def _changed(self, _change: Any = None) -> None:
        """A control has changed: draw a new strip soon, once for all the changes that wait."""
        if self._waiting:
            return
        self._waiting = True
        self._film.drawing = True
        if not cells.soon(self.refresh, 0.02):  # nobody is looking: the strip is drawn when it is asked for
            self._waiting = self._film.drawing = False

    def _reshaped(self, _change: Any) -> None:
        """A control has other choices than before: no picture holds any more."""
        self._film.strip = self._film.strip | {"controls": None}
        self._changed()

    def refresh(self) -> None:
        """Draw the whole strip now if only its first picture is there, or the controls have changed since.

        Raises:
            Exception: what draw or describe raises, once all other pictures are there.
        """
        try:
            with DRAWING:
                self._waiting = False
                if not self._film.strip or (self._film.strip["whole"] and self._up_to_date()):
                    return  # closed, or nothing to do
                strip = self._strip()
                if self._film.strip:  # draw may have closed it
                    self._film.strip = strip
        finally:
            self._film.drawing = False
        give_back_memory()
        self._keep()
        if strip["problems"] and self._draw:
            self._strip(only=min(strip["problems"]))

    finish = refresh

    def _strip(self, only: int | None = None) -> dict[str, Any]:
        """Every picture and its description for what the further controls show now.

        With ``only`` one of them, the others missing; what draw or describe raises is raised then.
        """
        states = self._control_states()  # first: a change from here on must find this strip out of date
        settings, draw, describe = self._control_values(), self._draw, self._describe
        choices = [{"choice": value} for _, value in self.picker._options_full] if self.picker else [{}]
        positions = [(value, choice | settings) for choice in choices for value in self.values]
        wanted = {at: positions[at] for at in (range(len(positions)) if only is None else [only])}
        made, width, panels = drawn(functools.partial(draw, value, **row) for value, row in wanted.values())
        pictures: list[bytes | None] = [None] * len(positions)
        descriptions: list[str | None] = [None] * len(positions)
        problems: dict[int, str] = {}
        for (at, (value, row)), picture in zip(wanted.items(), made, strict=True):
            try:
                if isinstance(picture, Exception):
                    raise picture
                descriptions[at], pictures[at] = _words(describe(value, **row)), picture
            except Exception as error:
                shown = ", ".join(f"{name}={value!r}" for name, value in ({self._name: value} | row).items())
                error.add_note(f"There is no picture for {shown}.")
                if only is not None:
                    raise
                problems[at] = descriptions[at] = f"This picture could not be drawn. {type(error).__name__}: {error}"
        return {
            "pictures": pictures,
            "descriptions": descriptions,
            "problems": problems,
            "whole": only is None,
            "values": [sliders.for_browser(value, at) for at, value in enumerate(self.values)],
            "controls": states,
            "width": width,
            "panels": panels,
            "start": self._index(),  # a file of the strip has this picture first
        }

    def _keep(self, _change: Any = None) -> None:
        """Once nothing has moved for a while, give the notebook the picture that a reopened one shows."""
        self._moves += 1
        if self._kept:
            cells.soon(functools.partial(self._keep_now, self._moves), REST)

    def _keep_now(self, move: int) -> None:
        if self._kept and move == self._moves and self._up_to_date() and self._film.strip["pictures"][self._index()]:
            self._kept.update(self._kept_picture())

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={short(value)}" for name, value in self.settings.items())
        return f"{type(self).__name__}({shown})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        # anywidget's, not that of the box: ipywidgets 7 has none, and on Colab it tells where what draws widgets is
        own: Any = self._film._repr_mimebundle_(**kwargs)
        bundle, about = own
        bundle[VIEW] = bundle[VIEW] | {"model_id": self.model_id}
        # JupyterLab shows the first line of what is folded: it must give nothing away
        bundle["text/plain"] = f"The picture in words:\n{self!r}\n{self.description}"
        bundle["image/png"] = base64.b64encode(self.png).decode()
        return bundle, about | {"image/png": {"width": self._film.strip["width"], "alt": self.description}}

    def _ipython_display_(self) -> None:
        """Show the sliders, and beside them a picture that stays when the notebook is opened again."""
        cells.shown(self)
        data, metadata = self._repr_mimebundle_() if self in _open else ({"text/plain": repr(self)}, {})
        if self not in _open or not _keeps_pictures():
            display(data, metadata=metadata, raw=True)
            return
        display({mime: value for mime, value in data.items() if mime != "image/png"}, raw=True)
        self._keep_here()

    def _keep_here(self, at_once: bool = False) -> None:
        if self in _open:
            self._kept = kept.Kept(self._film.model_id, self._kept_picture(), at_once=at_once)

    def _kept_picture(self) -> tuple[dict, dict]:
        return kept.bundle(self.png, self._film.strip["width"], self.description)


filmstrip = Filmstrip  # a lesson calls it like the function that it stands for


# Whatever JupyterLab hears of first is never closed: with it would end the thread in which it handles all others.
# A part of a slider has it fetch the script that draws sliders, before a filmstrip is on its way: in a notebook that
# runs at once the first picture comes after 0.59 s with it, 0.61 s without (tests/benchmarks/first_picture.py).
_first = ipywidgets.SliderStyle() if get_ipython() else None
_open: "weakref.WeakSet[Filmstrip]" = weakref.WeakSet()


def still_open() -> list[Filmstrip]:
    """The filmstrips that no cell has closed."""
    return [*_open]


def _keeps_pictures() -> bool:
    """Whether a cell can have a picture beside its sliders; Colab puts each output into a page of its own."""
    return "google.colab" not in sys.modules and bool(getattr(get_ipython(), "kernel", None))


def _show_box(box: ipywidgets.Box, **kwargs: Any) -> Any:
    """What IPython shows of any box, as ever; the pictures of the explorers in it are kept once the cell has run."""
    for strip in kept.inside(box, Filmstrip) if _keeps_pictures() else ():
        if strip in _open:
            cells.shown(strip)
            cells.afterwards(functools.partial(strip._keep_here, at_once=True))
    return box._repr_mimebundle_(**kwargs)


def _words(description: Any) -> str:
    if not isinstance(description, str):
        raise TypeError(f"describe must return a str, the picture in words, not {quoted(description)}")
    return description


def _refuse(_change: Any) -> None:
    raise ValueError("the positions of a filmstrip's slider are fixed: make a new filmstrip with other values")


def _close(widget: ipywidgets.Widget, close: Callable[[], None] | None = None) -> None:
    """Close a widget, and what ipywidgets has made for its looks."""
    if widget.comm is not None:
        parts = [widget.layout, getattr(widget, "style", None)]
        (close or widget.close)()
        for part in parts:
            if isinstance(part, ipywidgets.Widget):
                part.close()
