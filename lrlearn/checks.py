"""What a number, a count or a schedule must be; whatever is not is refused by name."""

import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any


def check_number(name: str, value: Any, *, above: float | None = None, least: float | None = None) -> float:
    """Return ``value`` if it is a finite real number in range; say what is wrong otherwise.

    Raises:
        TypeError: ``value`` is not a real number (a bool is not one either).
        ValueError: it is infinite, NaN, not above ``above``, or below ``least``.

    >>> check_number("gamma", 0.9, least=0)
    0.9
    """
    wanted = "a finite number"
    wanted += f" > {above:g}" if above is not None else f" >= {least:g}" if least is not None else ""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be {wanted}, not {value!r} (a {type(value).__name__})")
    too_low = (above is not None and value <= above) or (least is not None and value < least)
    try:
        finite = math.isfinite(value)
    except OverflowError:  # an int beyond what a float can hold
        finite = False
    if not finite or too_low:
        raise ValueError(f"{name} must be {wanted}, not {value!r}")
    return value  # type: ignore[return-value]  # the number itself, of whatever kind, not a float of it


def check_count(name: str, value: Any, *, least: int = 1) -> int:
    """Return ``value`` as an int if it is a whole number >= ``least``; say what is wrong otherwise.

    Raises:
        TypeError: ``value`` is not an integer (2.0 and True are not).
        ValueError: it is below ``least``.

    >>> check_count("num_epochs", 40)
    40
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer >= {least}, not {value!r} (a {type(value).__name__})")
    if value < least:
        raise ValueError(f"{name} must be an integer >= {least}, not {value!r}")
    return int(value)


def check_schedule(initial_lr: float, gamma: float) -> None:
    """Say what is wrong unless ``initial_lr`` is a finite number > 0 and ``gamma`` one >= 0.

    Raises:
        TypeError, ValueError: as `check_number`; the message names the argument.

    >>> check_schedule(initial_lr=0.1, gamma=0.9)
    """
    check_number("initial_lr", initial_lr, above=0)
    check_number("gamma", gamma, least=0)


def check_epoch(epoch: Any) -> None:
    """Say what is wrong unless ``epoch`` is a finite number >= 0 or an array of such numbers.

    Raises:
        TypeError, ValueError: it is not.

    >>> check_epoch(3)
    """
    if not hasattr(epoch, "dtype") or not getattr(epoch, "ndim", 0):
        check_number("epoch", epoch.item() if hasattr(epoch, "dtype") else epoch, least=0)
        return
    kind = getattr(epoch.dtype, "name", str(epoch.dtype))  # numpy's float64, torch's torch.float64
    if "float" not in kind and "int" not in kind:
        raise TypeError(f"epoch must hold real numbers >= 0, not {kind}")
    allowed = (epoch >= 0) & (epoch < math.inf)  # NaN fails both comparisons
    if not bool(allowed.all()):
        raise ValueError(f"epoch must hold only finite numbers >= 0, not {epoch[~allowed][0]!s}")


def check_lists(**arguments: Any) -> list[list]:
    """Each argument as a list of plain numbers; it must be a collection and not empty.

    Raises:
        TypeError, ValueError: it is not; the message names it.

    >>> check_lists(seeds=range(3))
    [[0, 1, 2]]
    """
    lists = []
    for name, argument in arguments.items():
        if isinstance(argument, str) or not isinstance(argument, Iterable) or getattr(argument, "ndim", 1) == 0:
            raise TypeError(f"{name} must be a list of numbers, not {argument!r}")
        values = argument.tolist() if hasattr(argument, "tolist") else list(argument)
        if not values:
            raise ValueError(f"{name} must not be empty")
        lists.append(values)
    return lists
