"""What a number, a count, a list or a table must be; whatever is not is refused by name, in a short message.

Numbers come from Python, numpy or torch: int, float, Fraction, Decimal, numpy scalars, arrays and tensors without
a dimension. Only the standard library is imported: arrays are known by their ``dtype`` and ``ndim``.
"""

import contextlib
import math
import re
import reprlib
import sys
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import islice
from numbers import Integral, Real
from typing import Any

LONGEST = 10**7  # numbers in one list, some 300 MB; who asks for more has mistyped
LARGEST_SEED = 2**64 - 1  # of a torch.Generator
_REAL = re.compile(r"\b(u?int|b?float|long|object)")  # in the name of a dtype: "float64", "torch.bfloat16"
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 60


def quoted(value: Any) -> str:
    """How a message quotes ``value``: on one line of at most 80 characters, without addresses in memory.

    >>> quoted("0.1"), quoted([0] * 1000), quoted(10**5000)
    ("'0.1'", '[0, 0, 0, 0, 0, 0, ...]', 'an integer of about 5001 digits')
    """
    try:
        if type(value) is int and abs(value) >= 10**40:
            return f"an integer of about {int(value.bit_length() * math.log10(2)) + 1} digits"
        text = _SHORT.repr(value)
    except Exception:  # somebody else's repr may raise anything
        text = f"<{type(value).__name__}>"
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", " ".join(text.split()))
    return text if len(text) <= 80 else f"{text[:38]}...{text[-38:]}"


def check_number(
    name: str, value: Any, *, above: float | None = None, least: float | None = None, finite: bool = True
) -> float:
    """Return ``value`` as a float if it is a finite real number in range; say what is wrong otherwise.

    Args:
        name: what the message calls the argument.
        value: any kind of real number; the range is that of the float nearest to it.
        above, least: the range; None for no limit.
        finite: whether infinity and NaN are refused.

    Raises:
        TypeError: ``value`` is not a real number (a bool is not one either).
        ValueError: it is infinite, NaN, not above ``above``, or below ``least``.

    >>> check_number("gamma", Decimal("0.9"), least=0)
    0.9
    """
    number = value if type(value) is float else _as_float(value)
    if number is None:
        raise TypeError(f"{name} must be {_wanted(above, least, finite)}, not {quoted(value)} (a {_type(value)})")
    if _outside(number, above, least, finite):
        raise ValueError(f"{name} must be {_wanted(above, least, finite)}, not {quoted(value)}")
    return number


def check_count(name: str, value: Any, *, least: int = 1, most: int | None = None) -> int:
    """Return ``value`` as an int if it is a whole number from ``least`` to ``most``; say what is wrong otherwise.

    Raises:
        TypeError: ``value`` is not an integer (2.0 and True are not).
        ValueError: it is below ``least`` or above ``most``.

    >>> check_count("num_epochs", 40)
    40
    """
    wanted = f"an integer >= {least}" + (f" and <= {most}" if most is not None else "")
    number = _plain(value)
    whole = isinstance(number, Integral) and not isinstance(number, bool)
    if not whole:
        raise TypeError(f"{name} must be {wanted}, not {quoted(value)} (a {_type(value)})")
    if number < least or (most is not None and number > most):
        raise ValueError(f"{name} must be {wanted}, not {quoted(value)}")
    return int(number)


def check_flag(name: str, value: Any) -> bool:
    """Return ``value`` if it is True or False; a word such as ``"no"`` would pass as True.

    Raises:
        TypeError: it is neither.

    >>> check_flag("log", True)
    True
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {value!r}")
    return value


def check_schedule(initial_lr: Any, gamma: Any) -> tuple[float, float]:
    """Both as floats; raise unless initial_lr is finite and > 0 and gamma is finite and >= 0.

    Raises:
        TypeError, ValueError: as `check_number`; the message names the argument.

    >>> check_schedule(initial_lr=1, gamma=0.9)
    (1.0, 0.9)
    """
    return check_number("initial_lr", initial_lr, above=0), check_number("gamma", gamma, least=0)


def is_array(value: Any) -> bool:
    """Whether ``value`` is an array or a tensor with at least one dimension.

    >>> is_array([1, 2])
    False
    """
    return hasattr(value, "dtype") and bool(getattr(value, "ndim", 0))


def check_array(name: str, array: Any, **limits: Any) -> Any:
    """The array or tensor in float64 if it holds real numbers within the limits; say what is wrong otherwise.

    Args:
        name: what the message calls the argument.
        array: of any shape and of any dtype of real numbers, ``object`` included.
        limits: as for `check_number`.

    Raises:
        TypeError, ValueError: it does not hold such numbers; the message quotes the first that is wrong.

    >>> import numpy
    >>> check_array("epoch", numpy.array([0, 1], dtype="int8"), least=0)
    array([0., 1.])
    """
    kind = _kind(array)
    if not _REAL.search(kind):
        raise TypeError(f"{name} must hold only real numbers, not {kind}")
    if kind == "object":
        for value in array.ravel().tolist():
            check_number(name, value, **limits)
    with quiet_numpy():
        floats = array.double() if hasattr(array, "double") else array.astype(float)
        outside = _outside(floats, **limits)
        if bool(outside.any()):
            wanted = _wanted(**limits).removeprefix("a ").replace("number", "numbers")
            raise ValueError(f"{name} must hold only {wanted}, not {floats[outside][0].item()!r}")
    return floats


def check_list(name: str, values: Any, check: Callable = check_number, **limits: Any) -> list:
    """What ``check`` returns for each of the values; they must be a collection and not empty.

    Args:
        name: what the message calls the argument.
        values: numbers in a list, tuple, range, array, tensor, generator ...
        check: `check_number` or `check_count`.
        limits: what else ``check`` takes.

    Raises:
        TypeError, ValueError: there are none, or one of them is refused.

    >>> check_list("seeds", range(3), check_count, least=0)
    [0, 1, 2]
    """
    if not _is_collection(values):
        raise TypeError(f"{name} must be a list of numbers, not {quoted(values)} (a {_type(values)})")
    return [check(name, item, **limits) for item in _items(name, values)]


def check_table(name: str, value: Any, **limits: Any) -> Any:
    """Numbers of any shape as floats: a number, an array or tensor of float64, or lists in lists (a table).

    Args:
        name: what the message calls the argument.
        value: a number, an array or tensor, or lists of them.
        limits: as for `check_number`.

    Raises:
        TypeError, ValueError: something in it is refused, or rows differ in length.

    >>> check_table("rates", [[1, 2], (3, Decimal(4))], least=0)
    [[1.0, 2.0], [3.0, 4.0]]
    """
    if is_array(value) and 0 not in value.shape:
        floats = check_array(name, value, **limits)
        return floats.detach().cpu() if hasattr(floats, "detach") else floats
    if not _is_collection(value):
        return check_number(name, value, **limits)
    rows = [check_table(name, row, **limits) for row in _items(name, value)]
    rows = [row.tolist() if is_array(row) else row for row in rows]
    if len({_shape(row) for row in rows}) > 1:
        raise ValueError(f"{name} must be a table whose rows have the same length")
    return rows


def quiet_numpy() -> contextlib.AbstractContextManager:
    """A context in which numpy neither warns nor raises for a result of inf, NaN or 0, whatever the caller has set.

    >>> with quiet_numpy():
    ...     pass
    """
    numpy = sys.modules.get("numpy")  # whoever passes an array has imported it
    return numpy.errstate(all="ignore") if numpy else contextlib.nullcontext()


def _plain(value: Any) -> Any:
    """Python's own number for a numpy scalar or an array or tensor without a dimension; None for other arrays."""
    if not hasattr(value, "dtype"):
        return value
    try:
        return value.item() if getattr(value, "ndim", None) == 0 and _REAL.search(_kind(value)) else None
    except RuntimeError:  # a tensor on torch's device "meta" has no value
        return None


def _kind(array: Any) -> str:
    """Name of a dtype: numpy's is ``float64``, torch's ``torch.float64``."""
    return str(getattr(array.dtype, "name", array.dtype))


def _as_float(value: Any) -> float | None:
    """The float nearest to a real number, infinite where it is beyond all of them; None if it is no real number."""
    number = _plain(value)
    real = isinstance(number, Real | Decimal) and not isinstance(number, bool)
    if not real:
        return None
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
    except ValueError:  # Decimal's signalling NaN
        return math.nan


def _outside(numbers: Any, above: float | None = None, least: float | None = None, finite: bool = True) -> Any:
    """Whether a number is outside the limits, or which numbers of an array are."""
    low = numbers <= above if above is not None else numbers < (-math.inf if least is None else least)
    return low | (abs(numbers) == math.inf) | (numbers != numbers) if finite else low


def _wanted(above: float | None = None, least: float | None = None, finite: bool = True) -> str:
    text = "a finite number" if finite else "a number"
    return text + (f" > {above:g}" if above is not None else f" >= {least:g}" if least is not None else "")


def _is_collection(value: Any) -> bool:
    return (
        isinstance(value, Iterable)
        and not isinstance(value, str | bytes | bytearray | Mapping)
        and getattr(value, "ndim", 1) != 0
    )


def _items(name: str, values: Iterable) -> list:
    items = list(islice(values.tolist() if hasattr(values, "tolist") else values, LONGEST + 1))
    if not items:
        raise ValueError(f"{name} must not be empty")
    if len(items) > LONGEST:
        raise ValueError(f"{name} must not hold more than {LONGEST:,} numbers")
    return items


def _shape(value: Any) -> tuple:
    return (len(value), *_shape(value[0] if value else 0)) if isinstance(value, list) else ()


def _type(value: Any) -> str:
    return quoted(type(value).__name__)[1:-1]
