"""matplotlib with its own default settings, whatever the learner has set."""

import contextlib
import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# JupyterLab handles every control in a thread of its own, and matplotlib may draw in only one at a time
DRAWING = threading.RLock()
DEFAULTS: dict[Any, Any] = {name: value for name, value in matplotlib.rcParamsDefault.items() if name != "backend"}
_is_steady = False


@contextlib.contextmanager
def steady() -> Iterator[None]:
    """Draw with matplotlib's default settings: the same picture whatever the learner's styles and matplotlibrc say.

    >>> with matplotlib.rc_context({"lines.linewidth": 9}), steady():
    ...     matplotlib.rcParams["lines.linewidth"]
    1.5
    """
    global _is_steady
    with DRAWING:
        if _is_steady:
            yield
            return
        changed = {name: value for name, value in DEFAULTS.items() if matplotlib.rcParams[name] != value}
        _is_steady = True
        try:
            with matplotlib.rc_context(changed) if changed else contextlib.nullcontext():
                yield
        finally:
            _is_steady = False


def steadily(do: Callable) -> Callable:
    """The same function, drawing with matplotlib's default settings."""

    @functools.wraps(do)
    def done(*args: Any, **kwargs: Any) -> Any:
        with steady():
            return do(*args, **kwargs)

    return done


def _all_steadily(kind: type) -> type:
    """The same class, each of whose public methods that may draw does so with matplotlib's default settings."""
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith(("_", "get_")):
            setattr(kind, name, steadily(method))
    return kind


@_all_steadily
class SteadyAxes(Axes):
    """Axes that look the same whatever the learner has set."""


@_all_steadily
class SteadyFigure(Figure):
    """A Figure that looks the same whatever the learner has set, and so does all that is drawn in it."""

    __init__ = steadily(Figure.__init__)

    def add_subplot(self, *args: Any, **kwargs: Any) -> Axes:
        return super().add_subplot(*args, **_with_our_axes(kwargs))

    def add_axes(self, *args: Any, **kwargs: Any) -> Axes:
        return super().add_axes(*args, **_with_our_axes(kwargs))


def _with_our_axes(options: dict[str, Any]) -> dict[str, Any]:
    return options if {"axes_class", "projection", "polar"} & options.keys() else options | {"axes_class": SteadyAxes}
