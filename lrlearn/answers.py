"""Reading an answer: a number of any kind, a list of them, a word or a function. All else is refused in words."""

import inspect
import math
import re
import reprlib
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from traceback import walk_tb
from typing import Any

EXACT = 1e-6  # relative; answers computed in float32 are right answers
LONGEST = 120  # characters quoted from an answer or its error
POINT = "Python writes decimals with a point: 0.8, not 0,8"


class UnusableAnswer(Exception):
    """An answer that is no number, no list of the right length, no function ...: its text is the hint.

    A function in `EXERCISES` may raise it too.
    """


class Unanswered(Exception):
    """The dots are still there."""


def read_number(value: Any) -> float:
    """The float in a number of any kind (int, Fraction, Decimal, numpy scalar, 0-d tensor), or a hint is raised."""
    if value is None:
        raise UnusableAnswer("There is no value, only None; perhaps a return is missing")
    if isinstance(value, str) and written_number(value) is not None:
        how = POINT if "," in value else f"Python writes it as {written_number(value):g}, without quotes"
        raise UnusableAnswer(f"One number is wanted, not {_shown(value)}. {how}")
    if type(value) is tuple and 0 < len(value) <= 2:
        raise UnusableAnswer(f"One number is wanted, and a comma makes a list of them. {POINT}")
    if isinstance(value, (bool, str, bytes)) or getattr(value, "ndim", False) or not hasattr(value, "__float__"):
        raise UnusableAnswer(f"One number is wanted, not {_shown(value)}")
    return float(value)


def read_numbers(values: Any, size: int) -> list[float]:
    """``size`` floats from a list, tuple, array or tensor, or a hint is raised."""
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        raise UnusableAnswer(f"A list of {size} numbers is wanted, not {_shown(values)}")
    found = list(islice(iter(values), 2 * size + 1))  # more show that it is too long, and it may have no end
    if len(found) != size:
        why = f". {POINT}" if len(found) == 2 * size and all(type(value) is int for value in found) else ""
        many = "more" if len(found) > size else len(found)
        raise UnusableAnswer(f"{size} numbers are wanted, and here are {many}{why}")
    return [read_number(value) for value in found]


def written_number(text: str) -> float | None:
    """The number in a text such as "0.07", "0,07" or "7 %"; None if there is none.

    >>> written_number("7 %")
    0.07
    """
    found = re.fullmatch(r"\s*([+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:e[+-]?\d+)?)\s*(%?)\s*", text[:40], re.IGNORECASE)
    return float(found[1].replace(",", ".")) / (100 if found[2] else 1) if found and len(text) <= 40 else None


def read_guess(guess: Any) -> tuple[float, str]:
    """A guessed number and, if it was written in another way than Python's, a sentence on how Python writes it."""
    if type(guess) is tuple and len(guess) == 2 and all(type(part) is int and part >= 0 for part in guess):
        number = float("{}.{}".format(*guess))
        return number, f"Python reads {guess[0]},{guess[1]} as two numbers: write {number:g}, with a decimal point."
    written = written_number(guess) if isinstance(guess, str) else None
    if written is None:
        return read_number(guess), ""
    return written, f"Python writes that number as {written:g}, without quotes."


def word_or_number(value: Any) -> float | str:
    """A word without capitals and double spaces ("yes" or "no" for a truth value), or a float."""
    if isinstance(value, bool) or str(getattr(value, "dtype", "")).endswith("bool"):  # numpy's and torch's too
        return "yes" if value else "no"
    return " ".join(value.split()).casefold() if isinstance(value, str) else read_number(value)


def read_word(answer: Any, choices: Sequence[str]) -> str:
    """The answer as one of the words to choose from; spaces and capitals do not matter."""
    try:
        word = said(word_or_number(answer))
    except UnusableAnswer:
        word = None
    if choices and word not in [word_or_number(choice) for choice in choices]:
        raise UnusableAnswer(f"Choose one of {', '.join(choices)}, in quotes")
    if word is None:
        raise UnusableAnswer(f"A word in quotes is wanted, not {_shown(answer)}")
    return word


def said(value: float | str) -> str:
    """The number with four digits, the word as it is."""
    return clean(value) if isinstance(value, str) else f"{value:.4g}"


def is_open(answer: Any) -> bool:
    """Whether an answer is the dots or None, or a list that still has some; known by identity."""
    parts = answer if type(answer) in (tuple, list) else [answer]
    return any(part is None or part is ... for part in parts)


def stumbled_over_dots(error: BaseException) -> bool:
    """Whether an answer failed because a blank is still open, as in ``gamma ** ...``: its own code uses the dots."""
    if not isinstance(error, (TypeError, AttributeError)):
        return False
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    frames = [frame for frame in frames if not str(frame.f_globals.get("__name__")).startswith("lrlearn.")]
    for frame in frames:
        if frame.f_globals is frames[0].f_globals:  # not a library that the answer calls
            named = [frame.f_globals.get(name) for name in frame.f_code.co_names]
            if any(value is ... for value in [*frame.f_code.co_consts, *frame.f_locals.values(), *named]):
                return True
    return False


def called(answer: Callable, *inputs: Any) -> Any:
    """What the answer returns; dots are no answer."""
    value = answer(*inputs)
    if value is ...:
        raise Unanswered
    return value


def check_signature(answer: Any, names: list[str]) -> None:
    """An answer has to be a function that can be called with as many arguments, in the same order."""
    wanted = f"A function of ({', '.join(names)}) is wanted"
    if not callable(answer):
        raise UnusableAnswer(f"{wanted}, its name without brackets after it, not {_shown(answer)}")
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):
        return  # some functions written in C do not tell
    try:
        signature.bind(*names)
    except TypeError:
        by_name = any(one.kind is one.KEYWORD_ONLY for one in signature.parameters.values())
        star = ", some of them by name only: leave out the star (*)" if by_name else ""
        raise UnusableAnswer(f"{wanted}, and this one takes ({clean(', '.join(signature.parameters))}){star}") from None
    if list(signature.parameters) != names and sorted(signature.parameters) == sorted(names):
        raise UnusableAnswer(f"{wanted}: the arguments in this order")


def close_to(one: float, other: float, tolerance: float = EXACT) -> bool:
    """Whether two numbers agree within a relative tolerance."""
    return math.isclose(one, other, rel_tol=tolerance)


def copied(one: float, other: float) -> bool:
    """Whether the first three digits agree, give or take one in the third: a number copied by hand, or rounded.

    >>> copied(0.0819, 0.08192), copied(0.08, 0.08192)
    (True, False)
    """
    if not (math.isfinite(one) and math.isfinite(other) and one and other):
        return one == other
    return abs(one - other) <= 1.001 * 10.0 ** (math.floor(math.log10(abs(other))) - 2)


def clean(text: str) -> str:
    """One short line without control characters: what is quoted cannot disturb the page or the terminal."""
    text = "".join(letter if letter.isprintable() else " " for letter in text[: LONGEST + 1])
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


def _shown(value: Any) -> str:
    """Strings are quoted, all else is named by its type: a repr may be long, change from run to run or raise."""
    return clean(reprlib.repr(value) if type(value) is str else f"a value of type {type(value).__name__}")


def raised_by(error: BaseException) -> str:
    """The name and message of an error in one short line."""
    name = type(error).__name__
    try:
        message = str(error)
    except BaseException:
        message = ""
    if isinstance(error, TypeError) and (" for ^" in message or "bitwise_xor" in message):
        return "TypeError: a power is written ** in Python, not ^"
    return clean(f"{name}: {message}" if message else name)
