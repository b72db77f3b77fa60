"""What a filmstrip is given: its values, functions and controls, checked; and the slider made of the values."""

import inspect
import json
import math
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import ipywidgets
from traitlets import TraitError

from lrlearn.checks import quoted

TOLERANCE = 1e-9  # a slider's 0.7000000000000001 is its 0.7


def positions(values: Iterable[Any]) -> list[Any]:
    """The values of a slider as a list of plain ones.

    Raises:
        TypeError, ValueError: there are none, two are alike, or one cannot be a position.

    >>> positions(range(3))
    [0, 1, 2]
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"values must be a list of the slider's positions, not {quoted(values)}")
    values = values.tolist() if hasattr(values, "tolist") else [_plain(value) for value in values]
    if not values:
        raise ValueError("values must not be empty")
    for at, value in enumerate(values):
        if value is None or (hasattr(value, "ndim") and value.ndim):
            raise TypeError(f"values must be numbers or have a short name, not {quoted(value)} (values[{at}])")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"values must be finite, not {quoted(value)} (values[{at}])")
        if value in values[:at]:
            raise ValueError(f"values must differ from one another: {quoted(value)} is there twice")
    return values


def _plain(value: Any) -> Any:
    """A number of numpy or torch as Python's own."""
    return value.item() if hasattr(value, "item") and not getattr(value, "ndim", 1) else value


def check_name(name: str, picker: Any) -> None:
    """Say what is wrong unless ``name`` can be the label of a slider.

    >>> check_name("gamma", picker=None)
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"name must be the slider's label, a str, not {quoted(name)}")
    if picker is not None and name == "choice":
        raise ValueError("name must not be 'choice': that is what the picker has chosen")


def checked_controls(name: str, controls: Mapping[str, ipywidgets.Widget] | None, picker: Any) -> dict[str, Any]:
    """The further controls of a slider called ``name``.

    Raises:
        TypeError, ValueError: one of them, or the picker, is no control whose value can be asked for.

    >>> list(checked_controls("gamma", {"epochs": ipywidgets.IntSlider()}, picker=None))
    ['epochs']
    """
    if picker is not None and not (hasattr(picker, "options") and isinstance(picker.index, int)):
        wanted = "a control with choices, one of them chosen, such as ipywidgets.Dropdown"
        raise TypeError(f"picker must be {wanted}, not {quoted(picker)}")
    if controls is None:
        return {}
    if not isinstance(controls, Mapping):
        raise TypeError(f"controls must be a dict of names and ipywidgets controls, not {quoted(controls)}")
    for key, control in controls.items():
        if not isinstance(key, str):
            raise TypeError(f"controls must have names, not {quoted(key)}")
        if key == name or (picker is not None and key == "choice"):
            raise ValueError(f"controls must not have the name {quoted(key)}: the slider or the picker has it")
        if not isinstance(control, ipywidgets.Widget) or not control.has_trait("value"):
            wanted = "an ipywidgets control with a value"
            raise TypeError(f"controls[{quoted(key)}] must be {wanted}, not {quoted(control)}")
        try:
            json.dumps(getattr(control, "index", control.value))
        except TypeError:
            wanted = "a number, a text, a choice or a list of these"
            found = quoted(control.value)
            raise TypeError(f"controls[{quoted(key)}] must have a value that is {wanted}, not {found}") from None
    return dict(controls)


def check_functions(settings: Iterable[str], **functions: Callable) -> None:
    """Say what is wrong unless each function can be called with a value and with settings of these names.

    >>> check_functions(["mark"], draw=lambda value, mark: None)
    """
    if not all(callable(function) for function in functions.values()):
        raise TypeError(f"{' and '.join(functions)} must be functions of a value")
    for role, function in functions.items():
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):
            continue  # builtins may have no signature
        try:
            signature.bind(None, **dict.fromkeys(settings))
        except TypeError as error:
            call = f"{role}({', '.join(['value', *(f'{name}=...' for name in settings)])})"
            raise TypeError(f"{role} must be a function that can be called as {call}: {error}") from None


def slider(name: str, values: list[Any], value: Any, format: str | None) -> ipywidgets.Widget:
    """ipywidgets' own slider: of numbers where the values are evenly spaced, of choices elsewhere.

    Raises:
        TypeError, ValueError: value is none of the values, or format none that a number has.

    >>> slider("gamma", [0.5, 0.75, 1.0], 0.75, ".2f").step
    0.25
    """
    value = values[0] if value is None else _plain(value)
    common = {"description": name, "style": {"description_width": "initial"}, "continuous_update": True}
    if not is_even(values):
        if value not in values:
            raise ValueError(f"value must be one of the values, not {quoted(value)}")
        options = [(_formatted(v, format), v) for v in values]
        return ipywidgets.SelectionSlider(options=options, value=value, **common)
    if not is_number(value) or abs(values[nearest(values, value)] - value) > TOLERANCE:
        first, last = quoted(values[0]), quoted(values[-1])
        raise ValueError(f"value must be one of the values {first} ... {last}, not {quoted(value)}")
    kind = ipywidgets.IntSlider if all(isinstance(v, int) for v in values) else ipywidgets.FloatSlider
    step = round(float(values[-1] - values[0]) / (len(values) - 1), 12)  # an IntSlider makes an int of it
    _formatted(values[0], format)
    try:
        readout = {"readout_format": format} if format else {}
        return kind(min=values[0], max=values[-1], step=step, value=value, **readout, **common)
    except TraitError as error:
        raise ValueError(f"format must be a format of a number such as '.2f', not {quoted(format)}: {error}") from None


def _formatted(value: Any, format: str | None) -> str:
    if format is None:
        return short(value)
    try:
        return f"{value:{format}}"
    except (TypeError, ValueError) as error:
        wanted = f"a format such as '.2f' that {quoted(value)} has"
        raise ValueError(f"format must be {wanted}, not {quoted(format)}: {error}") from None


def is_number(value: Any) -> bool:
    """Whether it is a real number; True and False are none here.

    >>> is_number(0.5), is_number("0.5"), is_number(True)
    (True, False, False)
    """
    return isinstance(value, Real) and not isinstance(value, bool)


def is_even(values: list[Any]) -> bool:
    """Whether the values are numbers that rise in equal steps.

    >>> is_even([0, 5, 10]), is_even([0.1, 1, 10])
    (True, False)
    """
    if len(values) < 2 or not all(is_number(value) for value in values):
        return False
    step = (values[-1] - values[0]) / (len(values) - 1)
    return step > 0 and all(abs(value - values[0] - at * step) < TOLERANCE for at, value in enumerate(values))


def nearest(values: list[float], wanted: float) -> int:
    """The index of the value that is nearest to another one.

    >>> nearest([0.0, 0.5, 1.0], 0.6)
    1
    """
    return min(range(len(values)), key=lambda index: abs(values[index] - wanted))


def tidy(value: Any) -> Any:
    """A number as it was meant: a slider in the browser turns 0.1 into 0.09999999999999999.

    >>> tidy(0.09999999999999999)
    0.1
    """
    return float(f"{value:.12g}") if isinstance(value, float) else value


def short(value: Any) -> str:
    """A value as a label.

    >>> short(1 / 3), short("sgd")
    ('0.3333', 'sgd')
    """
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def for_browser(value: Any, at: int) -> float:
    """A value as filmstrip.js compares it with a slider's: a plain number, or its place in the list.

    >>> for_browser(0.5, 3), for_browser("sgd", 3)
    (0.5, 3)
    """
    return (int(value) if isinstance(value, Integral) else float(value)) if isinstance(value, Real) else at
