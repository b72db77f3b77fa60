"""How an answer is judged: it is asked for numbers, and so are the truth and each misconception.

Only those numbers are compared, on the same inputs: no source text is looked at and no wrong number is stored.
"""

import html
import inspect
import math
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, ClassVar

EXACT = 1e-6  # relative; answers computed in float32 are right answers
ROUNDED = 1e-3  # relative; a misconception's number may be copied by hand with three digits
LONGEST = 120  # characters quoted from an answer or its error
FEEDBACK = "application/vnd.lrlearn.feedback+json"  # the part of a cell's output that a report can count


@dataclass(frozen=True)
class Feedback:
    """What `check` says: right or not, the misconception's slug if one explains the answer, and a hint.

    `counted` fills in the rest: what was asked, which try at it this is, and the misconceptions of earlier tries.
    """

    correct: bool
    misconception: str | None
    hint: str
    answered: bool = True
    kind: str = field(default="exercise", compare=False)
    asked: str = field(default="", compare=False)
    tries: int = field(default=0, compare=False)
    earlier: tuple[str, ...] = field(default=(), compare=False)

    SIGNS: ClassVar = (("✔", "Right"), ("✘", "Not right yet"), ("…", "Not answered yet"))  # a symbol and its words

    @property
    def _state(self) -> int:
        return 0 if self.correct else 1 if self.answered else 2

    @property
    def verdict(self) -> str:
        return self.SIGNS[self._state][1]

    @property
    def record(self) -> dict[str, Any]:
        """What a report counts: no name, no time and nothing of the answer."""
        return {
            self.kind: self.asked,
            "verdict": ("right", "not yet", "not answered")[self._state],
            "misconception": self.misconception,
            "try": self.tries,
            "earlier": list(self.earlier),
        }

    def __repr__(self) -> str:
        name = f" ({self.misconception})" if self.misconception else ""
        return f"{self.verdict}{name}. {self.hint}"

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        return {FEEDBACK: self.record} if self.asked else {}

    def _repr_html_(self) -> str:
        symbol, colour = self.SIGNS[self._state][0], ("#00694c", "#a33b00", "#555555")[self._state]
        style = "background:#ffffff;color:#111111"  # said everywhere: a dark theme colours code on its own
        name = f' <code style="{style}">{html.escape(self.misconception)}</code>' if self.misconception else ""
        return (
            f'<div role="status" style="{style};border:2px solid {colour};'
            f'border-left-width:10px;padding:8px 12px;max-width:50em">'
            f'<strong style="color:{colour}"><span aria-hidden="true">{symbol}</span> {self.verdict}.</strong>{name} '
            f"{html.escape(self.hint)}</div>"
        )


_tries: dict[tuple[str, str], list[str | None]] = {}  # what each answer of this kernel was explained by


def counted(feedback: Feedback, kind: str, asked: str) -> Feedback:
    """The feedback as the latest try at what was asked; a question left open is no try.

    >>> counted(Feedback(False, None, "", answered=False), "exercise", "half-life").record["try"]
    0
    """
    tries = _tries.setdefault((kind, asked), [])
    earlier = tuple(dict.fromkeys(filter(None, tries)))
    if feedback.answered:
        tries.append(feedback.misconception)
    return replace(feedback, kind=kind, asked=asked, tries=len(tries), earlier=earlier)


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
    if isinstance(value, (bool, str, bytes)) or getattr(value, "ndim", False) or not hasattr(value, "__float__"):
        raise UnusableAnswer(f"One number is wanted, not {_shown(value)}")
    return float(value)


def read_numbers(values: Any, size: int) -> list[float]:
    """``size`` floats from a list, tuple, array or tensor, or a hint is raised."""
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        raise UnusableAnswer(f"A list of {size} numbers is wanted, not {_shown(values)}")
    found = list(islice(iter(values), size + 1))  # one more shows that it is too long, and it may have no end
    if len(found) != size:
        raise UnusableAnswer(f"{size} numbers are wanted, and here are {'more' if len(found) > size else len(found)}")
    return [read_number(value) for value in found]


@dataclass(frozen=True)
class Comparison:
    """An exercise that compares an answer with the right one and with each misconception's, input by input.

    Args:
        truth: the right answer, a function.
        mistakes: slug -> functions, each what somebody who believes that would answer; the likeliest slug first.
        inputs: tuples of arguments that tell all of these apart.
        corners: name -> arguments of a special case; asked only when all inputs are right.
        also: slug -> a sentence after the misconception's own: what else gives the same numbers.
        size: how many numbers an answer has; None for a single one.
        given: the learner gives the value itself, not a function.
        observe: (answer, *inputs) -> {label: number}: how an answer is asked if it is not just called.
    """

    truth: Callable
    mistakes: Mapping[str, Sequence[Callable]]
    inputs: Sequence[tuple]
    corners: Mapping[str, tuple] = field(default_factory=dict)
    also: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    given: bool = False
    observe: Callable[..., dict[str, float]] | None = None

    def __call__(self, answer: Any) -> Feedback:
        seen: list[dict[str, float] | str]
        if self.given:
            value = self._read(answer)
            seen = [value for _ in self.inputs]
        else:
            _check_signature(answer, list(inspect.signature(self.truth).parameters))
            seen = [self.ask(answer, inputs) for inputs in self.inputs]
        asked, corner = list(self.inputs), ""
        wrong = self._first_wrong(seen, asked)
        if wrong is None:
            # only now: a loop that is wrong anyway might never end at gamma 1
            asked += self.corners.values()
            seen += [self.ask(answer, inputs) for inputs in self.corners.values()]
            wrong = self._first_wrong(seen, asked)
            if wrong is None:
                return Feedback(
                    True, None, "You have it." if self.given else f"It agrees on all {len(asked)} inputs tried."
                )
            corner = f"Right but for one corner, {list(self.corners)[wrong - len(self.inputs)]}."
        slug = self.diagnose(seen, asked)
        if slug is None and isinstance(seen[0], str) and len(set(map(str, seen))) == 1:
            return Feedback(False, None, f"{seen[0]}.")  # the same trouble everywhere: no example is needed
        hints = [self.also.get(slug, "")] if slug else [corner]
        if not (self.given and slug):  # the value would give the answer away
            hints.append(self._example(asked[wrong], seen[wrong]))
        return Feedback(False, slug, " ".join(filter(None, hints)))

    def ask(self, answer: Callable, inputs: tuple) -> dict[str, float] | str:
        """The numbers that an answer gives for an input, or what keeps it from giving any."""
        try:
            return self.observe(answer, *inputs) if self.observe else self._read(called(answer, *inputs))
        except (KeyboardInterrupt, Unanswered):
            raise
        except UnusableAnswer as problem:
            return str(problem)
        except BaseException as error:
            if "ellipsis" in (raised := raised_by(error)):
                raise Unanswered from None  # a blank is still open, as in gamma ** ...
            return f"It raises {raised}"

    def diagnose(self, seen: Sequence[dict[str, float] | str], asked: Sequence[tuple]) -> str | None:
        """The first misconception that would have given what was seen."""
        for tolerance in (EXACT, ROUNDED) if self.given else (EXACT,):
            for slug, forms in self.mistakes.items():
                for form in forms:
                    pairs = zip(seen, asked, strict=True)
                    if all(_same(one, self.ask(form, inputs), tolerance) for one, inputs in pairs):
                        return slug
        return None

    def _read(self, value: Any) -> dict[str, float]:
        if self.size is None:
            return {"": read_number(value)}
        return {f"number {at}": number for at, number in enumerate(read_numbers(value, self.size), start=1)}

    def _first_wrong(self, seen: Sequence[dict[str, float] | str], asked: Sequence[tuple]) -> int | None:
        right = (_same(one, self.ask(self.truth, inputs)) for one, inputs in zip(seen, asked, strict=True))
        return next((at for at, is_right in enumerate(right) if not is_right), None)

    def _example(self, inputs: tuple, got: dict[str, float] | str) -> str:
        """A counter-example: the input, what was given and what was expected."""
        names = list(inspect.signature(self.observe or self.truth).parameters)[-len(inputs) :]
        where = ", ".join(f"{name} {value:g}" for name, value in zip(names, inputs, strict=True))
        want = self.ask(self.truth, inputs)
        if isinstance(got, str) or isinstance(want, str):
            return f"For {where}: {got}."
        missing = math.nan
        label = next(key for key in [*want, *got] if not close_to(got.get(key, missing), want.get(key, missing)))
        gave, expected = (f"{one[label]:.9g}" if label in one else "nothing" for one in (got, want))
        return f"For {where}: {label}{label and ', '}you gave {gave}, expected {expected}."


def called(answer: Callable, *inputs: Any) -> Any:
    """What the answer returns; dots are no answer."""
    value = answer(*inputs)
    if value is ...:
        raise Unanswered
    return value


def _check_signature(answer: Any, names: list[str]) -> None:
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
        raise UnusableAnswer(clean(f"{wanted}, and this one takes ({', '.join(signature.parameters)})")) from None
    if list(signature.parameters) != names and sorted(signature.parameters) == sorted(names):
        raise UnusableAnswer(f"{wanted}: the arguments in this order")


def close_to(one: float, other: float, tolerance: float = EXACT) -> bool:
    """Whether two numbers agree within a relative tolerance."""
    return math.isclose(one, other, rel_tol=tolerance)


def _same(got: dict[str, float] | str, want: dict[str, float] | str, tolerance: float = EXACT) -> bool:
    if isinstance(got, str) or isinstance(want, str):
        # a misconception that refuses an input leaves the text empty: any trouble is the same then
        return isinstance(got, str) and isinstance(want, str) and got.startswith(want)
    return got.keys() == want.keys() and all(close_to(got[label], want[label], tolerance) for label in want)


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
    return clean(f"{name}: {message}" if message else name)
