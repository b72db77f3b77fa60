"""Asked again: five questions on the lessons before this one, with other numbers in each round."""

import html
import math
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from random import Random
from typing import Any

from lrlearn.answers import UnusableAnswer
from lrlearn.checks import check_count
from lrlearn.comparison import FEEDBACK, Feedback, counted, judged
from lrlearn.questions import IDEAS, Question

LESSONS = ("01", "02", "03", "04", "05", "06", "07", "review")
QUESTIONS = 5  # in a round
PLAIN = "background:#ffffff;color:#111111;border:2px solid #555555;padding:8px 12px;max-width:50em"


def questions(lesson: str, round: int = 1) -> list[tuple[str, str, Question]]:
    """Idea, lesson to read again and question, five of them; two rounds, 1 and 2, 3 and 4 ..., cover every idea.

    >>> [idea for idea, _, _ in questions("01")]
    ['half-life', 'definition', 'first epoch', 'reach', 'formula']
    """
    known = {idea: [one for one in forms if one[0] < lesson] for idea, forms in IDEAS.items()}
    order = [idea for idea, forms in known.items() if forms]
    Random(f"{lesson} {(round - 1) // 2}").shuffle(order)
    order.sort(key=lambda idea: max(after for after, _ in known[idea]), reverse=True)  # the newest come first
    picked = order[:QUESTIONS] if round % 2 else order[-QUESTIONS:]
    found = []
    for idea in picked:
        random = Random(f"{lesson} {round} {idea}")
        taught, form = random.choice(known[idea])
        question = next(one for one in (form(random) for _ in range(1000)) if one.tells_apart())
        found.append((idea, taught, question))
    return found


class Recap:
    """Five questions or, with answers, what is said to each; it shows itself in a notebook."""

    def __init__(self, lesson: str, round: int, feedback: Sequence[Feedback] = (), problem: str = "") -> None:
        self.lesson, self.round, self.feedback, self.problem = lesson, round, list(feedback), problem
        self.questions = questions(lesson, round)

    @property
    def correct(self) -> bool:
        """Whether all five were answered, and right."""
        return len(self.feedback) == QUESTIONS and all(one.correct for one in self.feedback)

    def __repr__(self) -> str:
        if self.problem:
            return self.problem
        said = [f"\n   {one!r}" for one in self.feedback] or [""] * QUESTIONS
        pairs = zip(self.questions, said, strict=True)
        return "\n".join(f"{at}. {_asked(one[2])}{words}" for at, (one, words) in enumerate(pairs, start=1))

    def _repr_html_(self) -> str:
        if self.problem:
            return f'<div role="status" style="{PLAIN}">{html.escape(self.problem)}</div>'
        said = [one._repr_html_() for one in self.feedback] or [""] * QUESTIONS
        code = r'<code style="background:#ffffff;color:#111111">\1</code>'
        texts = [re.sub("`([^`]*)`", code, html.escape(_asked(question))) for _, _, question in self.questions]
        rows = "".join(f"<li>{text}{words}</li>" for text, words in zip(texts, said, strict=True))
        return f'<div style="{PLAIN}"><ol>{rows}</ol></div>'

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        records = [one.record for one in self.feedback]
        return {FEEDBACK: {"recap": self.lesson, "round": self.round, "answers": records}} if records else {}

    def _ipython_display_(self) -> None:
        from IPython.display import display

        bundle = {"text/plain": repr(self), "text/html": self._repr_html_(), **self._repr_mimebundle_()}
        display(bundle, raw=True)
        for at, (_, _, question) in enumerate(self.questions, start=1):
            if not self.feedback and not self.problem and (curve := question.curve):
                display(_picture(at, curve))


def _asked(question: Question) -> str:
    words = " or ".join(f'"{choice}"' for choice in question.choices)
    return f"{question.text} {words and f'({words})'}".strip()


def _picture(number: int, curve: Sequence[float]) -> Any:
    """The curve of a question, with the same in words."""
    from lrlearn import plots

    shown = [max(value, plots.LOWEST) for value in curve]  # a diverged run to the top, or one would not see it rise
    top = max(plots.HIGHEST, 10 * max(value for value in shown if math.isfinite(value)))
    picture = plots.Picture(6, 3)
    ax = picture.subplots()
    ax.plot(shown, color=plots.BLUE, marker="o", markersize=3)
    ax.set(
        yscale="log",
        xlim=(-1, len(shown)),
        ylim=(plots.LOWEST, top),
        xlabel="epoch",
        ylabel="excess loss",
        title=f"Question {number}",
    )
    ax.grid(alpha=0.3)
    values = ", ".join(f"{shown[epoch]:.1g} at epoch {epoch}" for epoch in (0, 5, 10, 15, 20, 25, 30, 35, 37, 38, 39))
    picture.description = f"Question {number}: an excess loss of {values}."
    return picture


def recap(lesson: str, round: int = 1, answers: Any = None) -> Recap:
    """Ask five questions on the lessons before a lesson, or judge the answers.

    Args:
        lesson: "01" ... "07", or "review" for all of them.
        round: another round has other numbers; an integer >= 1.
        answers: five answers in a list, numbers and words; ``...`` for what is not answered yet. None: only ask.

    Raises:
        ValueError, TypeError: there is no such lesson, or the round is no integer >= 1. No answer makes it raise.

    >>> recap("01", answers=[..., ..., ..., "yes", ...]).feedback[3].misconception
    'decay-always-converges'
    """
    if not isinstance(lesson, str) or lesson not in LESSONS:
        raise ValueError(f"lesson must be one of {', '.join(LESSONS)}; not {lesson!r}")
    round = check_count("round", round)
    if answers is None:
        return Recap(lesson, round)
    try:
        given = [...] * QUESTIONS if answers is ... else _five(answers)
    except UnusableAnswer as problem:
        return Recap(lesson, round, problem=f"{problem}.")
    feedback = []
    for answer, (idea, taught, question) in zip(given, questions(lesson, round), strict=True):
        one = judged(question, answer, where=f"(Lesson {taught}.)")
        feedback.append(counted(one, "question", f"{lesson} {round} {idea}"))
    return Recap(lesson, round, feedback)


def _five(answers: Any) -> list[Any]:
    wanted = f'A list of {QUESTIONS} answers is wanted, such as [0.1, "yes", ...]'
    try:
        if isinstance(answers, (str, bytes, Mapping, set, frozenset)):
            raise UnusableAnswer(wanted)
        given = list(islice(iter(answers), QUESTIONS + 1))
    except (KeyboardInterrupt, UnusableAnswer):
        raise
    except BaseException:
        raise UnusableAnswer(wanted) from None
    if len(given) != QUESTIONS:
        raise UnusableAnswer(f"{wanted}, and here are {'more' if len(given) > QUESTIONS else len(given)}")
    return given
