"""How an answer is judged: it is asked for numbers, and so are the truth and each misconception.

Only those numbers are compared, on the same inputs: no source text is looked at and no wrong number is stored.
"""

import html
import inspect
import math
import operator
import random
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, NamedTuple

from lrlearn import answers
from lrlearn.answers import Unanswered, UnusableAnswer, clean, close_to, copied, raised_by, read_number
from lrlearn.misconceptions import HINTS

ROUGHLY = 1e-5  # relative; float32 rounds more, the more it multiplies
DRAWN = 8  # inputs drawn for each answer, beside those of the exercise
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
            f'<div role="status" style="{style};margin:8px 0;border:2px solid {colour};'
            f'border-left-width:10px;padding:8px 12px;max-width:50em">'
            f'<strong style="color:{colour}"><span aria-hidden="true">{symbol}</span> {self.verdict}.</strong>{name} '
            f"{html.escape(self.hint)}</div>"
        )


_tries: dict[tuple[str, str], list[str | None]] = {}  # what each answer of this kernel was explained by


def counted(feedback: Feedback, kind: str, asked: str) -> Feedback:
    """The feedback as the latest try at what was asked; a question left open is no try.

    >>> counted(Feedback(False, None, "", answered=False), "exercise", "left open").record["try"]
    0
    """
    tries = _tries.setdefault((kind, asked), [])
    earlier = tuple(dict.fromkeys(filter(None, tries)))
    if feedback.answered:
        tries.append(feedback.misconception)
    return replace(feedback, kind=kind, asked=asked, tries=len(tries), earlier=earlier)


def judged(exercise: Callable[[Any], Feedback], answer: Any, where: str = "") -> Feedback:
    """What an exercise says to an answer, with the misconception's sentence and then ``where``; it never raises."""
    try:
        if answers.is_open(answer):
            raise Unanswered
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an answer is asked for corners, where numpy and torch may warn
            feedback = exercise(answer)
        slug = feedback.misconception or ""
        sentence = getattr(exercise, "says", {}).get(slug) or HINTS.get(slug, "")
        parts = sentence, feedback.hint, "" if feedback.correct else where
        return replace(feedback, hint=" ".join(filter(None, parts)))
    except KeyboardInterrupt:
        raise  # the way out of an endless loop
    except Unanswered:
        return Feedback(False, None, "Put your answer in the place of the dots and run the cell again.", answered=False)
    except UnusableAnswer as problem:
        return Feedback(False, None, f"{problem}.")
    except BaseException as error:  # not even exit() in an answer may end the lesson
        return Feedback(False, None, f"That answer cannot be used: it raises {raised_by(error)}.")


@dataclass(frozen=True)
class Seen:
    """What an answer did with an input: the numbers it gave, or the trouble that kept it from giving any."""

    numbers: Mapping[str, float] = field(default_factory=dict)
    trouble: str = ""
    refused: bool = False  # the trouble is an error that is raised on purpose
    warning: str = ""

    def agrees(self, other: "Seen", same: Callable[[float, float], bool] = close_to) -> bool:
        """Whether both gave the same numbers, both refused the input, or both met the same trouble."""
        if self.trouble or other.trouble:
            return (self.refused and other.refused) or self.trouble == other.trouble
        mine, theirs = self.numbers, other.numbers
        return mine.keys() == theirs.keys() and all(same(mine[label], theirs[label]) for label in theirs)


class Asked(NamedTuple):
    """An input, and what the answer and the truth did with it."""

    inputs: tuple
    got: Seen
    want: Seen


@dataclass(frozen=True)
class Comparison:
    """An exercise that compares an answer with the right one and with each misconception's, input by input.

    Args:
        truth: the right answer, a function.
        mistakes: slug -> functions, each what somebody who believes that would answer; the likeliest slug first.
        inputs: tuples of arguments that tell all of these apart.
        corners: name -> arguments of a special case; asked only when all other inputs are right.
        draw: (random.Random) -> one more input; so nobody is right who knows the inputs by heart.
        apart: more inputs, asked of wrong answers only, that tell misconceptions apart.
        says: slug -> a sentence that fits this exercise better than the misconception's own.
        also: slug -> a sentence after that one: what else gives the same numbers.
        size: how many numbers an answer has; None for a single one.
        given: the learner gives the value itself, not a function. Three right digits are enough then.
        observe: (answer, *inputs) -> {label: number}: how an answer is asked if it is not just called.
    """

    truth: Callable
    mistakes: Mapping[str, Sequence[Callable]]
    inputs: Sequence[tuple]
    corners: Mapping[str, tuple] = field(default_factory=dict)
    draw: Callable[[random.Random], tuple] | None = None
    apart: Sequence[tuple] = ()
    says: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    given: bool = False
    observe: Callable[..., dict[str, float]] | None = None

    def __call__(self, answer: Any) -> Feedback:
        if self.given:
            ask = self._given(Seen(self._read(answer)))
        else:
            answers.check_signature(answer, list(inspect.signature(self.truth).parameters))
            ask = partial(self.ask, answer)
        asked: list[Asked] = []
        stages = (self.inputs, close_to), (self._drawn(answer), _roughly), (self.corners.values(), close_to)
        for inputs, same in stages:  # a loop that is wrong anyway might never end at a corner such as gamma 1
            new = [Asked(one, ask(one), self.ask(self.truth, one)) for one in inputs]
            asked += new
            wrong = next((one for one in new if not one.got.agrees(one.want, copied if self.given else same)), None)
            if wrong:
                return self._wrong(asked, wrong, ask)
        warned = next((one.got.warning for one in asked if one.got.warning), "")
        told = f" But PyTorch warns: {warned}" if warned else ""
        words = "You have it." if self.given else f"It agrees on all {len(asked)} inputs tried."
        return Feedback(True, None, words + told)

    def ask(self, answer: Callable, inputs: tuple) -> Seen:
        """The numbers that an answer gives for an input, or what keeps it from giving any."""
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always" if self.observe else "ignore")
                numbers = self.observe(answer, *inputs) if self.observe else self._read(answers.called(answer, *inputs))
            return Seen(numbers, warning=clean(str(caught[0].message)) if caught else "")
        except (KeyboardInterrupt, Unanswered):
            raise
        except UnusableAnswer as problem:
            return Seen(trouble=str(problem))
        except BaseException as error:
            if answers.stumbled_over_dots(error):
                raise Unanswered from None
            on_purpose = (
                isinstance(error, (ValueError, AssertionError, NotImplementedError)) or type(error) is Exception
            )
            return Seen(trouble=f"It raises {raised_by(error)}", refused=on_purpose)

    def diagnose(self, asked: Sequence[Asked]) -> str | None:
        """The first misconception that gives what was seen. Given values are compared by every bit first."""
        for same in (operator.eq, close_to, copied) if self.given else (_roughly,):
            for slug, forms in self.mistakes.items():
                if any(all(one.got.agrees(self.ask(form, one.inputs), same) for one in asked) for form in forms):
                    return slug
        return None

    def _given(self, seen: Seen) -> Callable[[tuple], Seen]:
        return lambda _: seen

    def _drawn(self, answer: Any) -> list[tuple]:
        """Inputs that the answer's own code decides: another answer meets others, the same answer the same ones."""
        code = getattr(getattr(answer, "__code__", None), "co_code", b"")
        numbers = random.Random(zlib.crc32(code))
        return [self.draw(numbers) for _ in range(DRAWN)] if self.draw else []

    def _wrong(self, asked: list[Asked], wrong: Asked, ask: Callable[[tuple], Seen]) -> Feedback:
        corner = next((name for name, inputs in self.corners.items() if inputs is wrong.inputs), None)
        if not corner:
            # an example that is not wrong in its last digits only, if there is one
            wrong = next((one for one in asked if not one.got.agrees(one.want, copied)), wrong)
            asked = asked + [Asked(one, ask(one), Seen()) for one in self.apart]
        slug = self.diagnose(asked)
        if slug is None and wrong.got.trouble and len({one.got.trouble for one in asked}) == 1:
            return Feedback(False, None, f"{wrong.got.trouble}.")  # the same everywhere: no example is needed
        hints = [self.also.get(slug, "")] if slug else [f"Right but for one corner, {corner}." if corner else ""]
        if not slug and len(asked) > 1 and all(one.got.numbers == wrong.got.numbers for one in asked):
            hints.append("It gives the same number whatever it is called with.")
        if not (self.given and slug):
            hints.append(self._example(wrong))
        return Feedback(False, slug, " ".join(filter(None, hints)))

    def _read(self, value: Any) -> dict[str, float]:
        if self.size is None:
            return {"": read_number(value)}
        return {f"number {at}": number for at, number in enumerate(answers.read_numbers(value, self.size), start=1)}

    def _example(self, wrong: Asked) -> str:
        """A counter-example: the input, what was given and what was expected. A value that is wanted is not told."""
        names = list(inspect.signature(self.observe or self.truth).parameters)[-len(wrong.inputs) :]
        where = ", ".join(f"{name} {value:g}" for name, value in zip(names, wrong.inputs, strict=True))
        if wrong.got.trouble:
            return f"For {where}: {wrong.got.trouble}."
        got, want = wrong.got.numbers, wrong.want.numbers
        same, missing = copied if self.given else close_to, math.nan
        label = next(key for key in [*want, *got] if not same(got.get(key, missing), want.get(key, missing)))
        if self.given:
            return f"{label.capitalize() or 'That'} is {_direction(got[label], want[label])}."
        gave, expected = (f"{one[label]:.9g}" if label in one else "nothing" for one in (got, want))
        return f"For {where}: {label}{label and ', '}you gave {gave}, expected {expected}."


@dataclass(frozen=True)
class Choices:
    """An exercise that asks for one of the words, several times; all of them are answered in one list.

    Args:
        choices: the words to choose from.
        questions: for each, the right word and the belief behind each wrong one: wrong word -> slug.
    """

    choices: Sequence[str]
    questions: Sequence[tuple[str, Mapping[str, str]]]

    def __call__(self, answer: Any) -> Feedback:
        if not isinstance(answer, (list, tuple)) or len(answer) != len(self.questions):
            raise UnusableAnswer(f"A list of {len(self.questions)} words is wanted: {' or '.join(self.choices)}")
        words = [answers.read_word(word, self.choices) for word in answer]
        for at, (word, (right, slugs)) in enumerate(zip(words, self.questions, strict=True), start=1):
            if word != answers.word_or_number(right):
                return Feedback(False, slugs.get(word), f"(Number {at}.)" if len(words) > 1 else "")
        return Feedback(True, None, "You have it.")


def _roughly(one: float, other: float) -> bool:
    return close_to(one, other, ROUGHLY)


def _direction(got: float, want: float) -> str:
    if close_to(got, want, 0.03):
        return "close, but three right digits are wanted"
    return "too large" if got > want else "too small"
