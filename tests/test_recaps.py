"""Asked again: that every question's right answer is right, in every round, and each belief is named."""

import itertools
import math
import re
import statistics
from random import Random

import numpy as np
import pytest

from lrlearn import comparison, recaps
from lrlearn.answers import copied
from lrlearn.exercises import HINTS, recap
from lrlearn.quadratic import expected_loss
from lrlearn.questions import REGIMES, four_calls
from lrlearn.recaps import IDEAS, LESSONS, questions
from lrlearn.regression import SEEDS, sweep

ROUNDS = range(1, 51)
every_lesson = pytest.mark.parametrize("lesson", LESSONS)


def numbers(text):
    return [float(number) for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?", text)]


def chained(lr, gamma, epochs):
    for _ in range(int(epochs)):
        lr *= gamma
    return lr


def expected(idea, question):
    """The answer worked out anew from the words of the question."""
    text, found = question.text, numbers(question.text)
    if idea == "definition":
        return found[0] * found[1]
    if "Which gamma does that" in text:
        _, first, epochs, last = found
        gamma = question.truth
        assert math.isclose(chained(first, gamma, epochs - 1), last, rel_tol=1e-9)
        return gamma
    if idea == "formula":
        return chained(*found)
    if idea == "first epoch":
        place = {"second": 2, "third": 3, "fourth": 4}[re.search(r"the (\w+) epoch", text)[1]]
        return chained(*found[:2], place - 1)
    if "twice as many" in text:
        gamma, life, lr, epochs = found
        assert gamma**life == pytest.approx(0.5, rel=5e-3) and epochs == pytest.approx(2 * life, rel=1e-2)
        return lr * 0.5 * 0.5
    if idea == "half-life":
        return next(e / 1000 for e in range(1, 10**6) if found[0] ** (e / 1000) <= 0.5)
    if idea == "reach":
        return "no" if question.choices else sum(found[0] * found[1] ** e for e in range(10_000))
    if idea == "three reasons":
        return "yes" if "let it end lower" in text else "no"
    if idea == "last bits":
        lr, gamma, epoch = re.search(r"`(\S+) \* (\S+) \*\* (\d+)`", text).groups()
        assert chained(float(lr), float(gamma), epoch) != float(lr) * float(gamma) ** int(epoch)
        return "rounding"
    if idea == "regimes":
        return regime(question.curve)
    if idea == "four calls":
        letters = {call: letter.lower() for letter, call in re.findall(r"([A-D]): `([^`]+)`", text)}
        calls = "optimizer.zero_grad()", "loss.backward()", "optimizer.step()", "scheduler.step()"
        return "".join(letters[call] for call in calls)
    assert idea == "when not"
    return when_not(text)


def when_not(text):
    """The schedule that leaves the least loss on a bowl: after very many steps with noise, or after few without."""
    lr, gamma = (float(re.search(rf"{name} ([\d.]+\d)", text)[1]) for name in ("From", "gamma"))
    noise, steps = (0.3, np.arange(20_000)) if "no known end" in text else (0, np.arange(5))
    rates = {"exponential decay": lr * gamma**steps, "no decay": lr + 0 * steps, "1/t decay": lr / (1 + lr * steps)}
    losses = {name: expected_loss(rate, 0.1 / lr if noise == 0 else 1, noise).loss[-1] for name, rate in rates.items()}
    return min(losses, key=losses.get)


def regime(curve):
    late = curve[-10:]
    if not curve[-1] < curve[0]:
        return "diverged"
    if max(late) < 1.01 * min(late):
        return "frozen"
    ups = sum(two > one for one, two in itertools.pairwise(curve[-20:]))
    return "noise floor" if ups > 4 and max(curve[-20:]) > 2 * min(curve[-20:]) and curve[-1] > 1e-5 else "just right"


@every_lesson
def test_the_truth_is_right_in_every_round(lesson):
    for round in ROUNDS:
        for idea, _, question in questions(lesson, round):
            truth = expected(idea, question)
            same = (
                truth == question.truth if isinstance(truth, str) else math.isclose(truth, question.truth, rel_tol=2e-3)
            )
            assert same, (round, question)
        right = [question.truth for _, _, question in questions(lesson, round)]
        assert recap(lesson, round, right).correct


@every_lesson
def test_each_belief_is_named_and_told_from_the_truth_and_from_the_others(lesson):
    for round in ROUNDS:
        for at, (_, taught, question) in enumerate(questions(lesson, round)):
            answers = [question.truth, *(belief for _, belief in question.wrong())]
            for one, two in itertools.combinations(answers, 2):
                assert one != two if isinstance(one, str) else not copied(one, two)
            for slug, belief in question.wrong():
                given: list = [...] * 5
                given[at] = belief
                found = recap(lesson, round, given).feedback[at]
                assert (found.correct, found.misconception) == (False, slug), (round, question)
                assert (question.says.get(slug) or HINTS[slug]) in found.hint and found.hint.endswith(
                    f"(Lesson {taught}.)"
                )


@every_lesson
def test_every_word_to_choose_gets_a_sentence_of_its_own(lesson):
    for round in ROUNDS:
        for at, (idea, taught, question) in enumerate(questions(lesson, round)):
            for word in set(question.choices) - {question.truth}:
                given: list = [...] * 5
                given[at] = word
                found = recap(lesson, round, given).feedback[at]
                assert found.hint.removesuffix(f"(Lesson {taught}.)"), (idea, word)


def test_what_a_recap_says_of_a_curve_is_true_of_all_its_curves():
    """Of every seed: its end against its start, its middle and a thousandth of its start."""
    for name, pairs in REGIMES.items():
        for lr, gamma in pairs:
            for run in sweep([lr], [gamma], SEEDS).excess[0, 0].tolist():
                start, middle, late, end = run[0], run[20], statistics.median(run[10:]), statistics.median(run[-5:])
                assert (not end <= start) == (name == "diverged")
                assert (end < start / 1000) == (name == "just right") or late > start / 1000
                assert (late > start / 1000) or name == "just right"
                assert name != "frozen" or abs(end / middle - 1) < 0.01


def test_letters_in_another_order_get_a_sentence():
    asked = four_calls(Random(1))
    assert "what must have been done before it" in asked("".join(reversed(asked.truth))).hint


@every_lesson
def test_only_what_was_taught_before_is_asked_and_all_of_it_in_two_rounds(lesson):
    taught = {idea for idea, forms in IDEAS.items() if any(after < lesson for after, _ in forms)}
    for round in range(1, 20, 2):
        both = [*questions(lesson, round), *questions(lesson, round + 1)]
        assert len(both) == 10 and {idea for idea, _, _ in both} == taught
        assert all(after < lesson for _, after, _ in both)


def test_the_review_covers_ten_ideas():
    assert len(IDEAS) == 10


@every_lesson
def test_the_same_round_is_the_same_and_another_has_other_numbers(lesson):
    assert repr(recap(lesson, 3)) == repr(recap(lesson, round=3))
    assert len({repr(recap(lesson, round)) for round in ROUNDS}) == len(ROUNDS)


def test_a_number_with_three_right_digits_is_right():
    for round in ROUNDS:
        rough = [q.truth if isinstance(q.truth, str) else float(f"{q.truth:.3g}") for _, _, q in questions("06", round)]
        assert recap("06", round, rough).correct


@every_lesson
@pytest.mark.parametrize("answers", [..., [...] * 5, (None, ..., None, ..., ...)])
def test_not_answered_is_neutral(lesson, answers):
    found = recap(lesson, 1, answers)
    assert not found.correct and not any(one.answered for one in found.feedback)
    assert repr(found).count("Not answered yet.") == 5 and "Lesson" not in repr(found)


def endless():
    while True:
        yield 1.0


class Raises:
    def __getattribute__(self, name):
        raise SystemExit


@pytest.mark.parametrize(
    "answers",
    [[], [1, 2], [1] * 6, "abcde", b"abcde", {"a": 1}, {1, 2, 3, 4, 5}, 3, print, endless(), np.ones(3), True],
    ids=lambda answers: type(answers).__name__,  # no addresses: two workers must agree on the names
)
def test_another_number_of_answers_gets_a_word(answers):
    found = recap("03", 1, answers)
    assert repr(found).startswith("A list of 5 answers is wanted") and not found.correct
    assert "wanted" in found._repr_html_() and 'role="status"' in found._repr_html_()


@pytest.mark.parametrize("odd", [[1.0], {"a": 1}, "<script>", (0, 8), "0,8", math.nan, 10**400, print, {1}, b"", True])
def test_any_single_answer_gets_a_word(odd):
    for lesson in LESSONS:
        found = recap(lesson, 1, [odd] * 5)
        assert len(found.feedback) == 5 and all(len(one.hint) < 400 for one in found.feedback)
        assert "<script>" not in found._repr_html_()


def test_an_answer_that_cannot_be_looked_at_gets_a_word():
    assert "Not right yet" in repr(recap("06", 1, [Raises()] * 5)) and "wanted" in repr(recap("06", 1, Raises()))


@pytest.mark.parametrize("lesson", ["00", "08", "", 2, None, ["02"]])
def test_an_unknown_lesson_lists_those_that_there_are(lesson):
    with pytest.raises(ValueError, match="01, 02, 03, 04, 05, 06, 07, review"):
        recap(lesson)


@pytest.mark.parametrize(("round", "error"), [(0, ValueError), (-1, ValueError), (1.0, TypeError), ("1", TypeError)])
def test_a_round_is_a_whole_number_from_1_on(round, error):
    with pytest.raises(error, match="round"):
        recap("02", round)


def test_a_curve_is_shown_and_its_words_do_not_name_the_regime(monkeypatch):
    outputs: list = []
    monkeypatch.setattr("IPython.display.display", lambda shown, **_: outputs.append(shown))
    round = next(r for r in ROUNDS if any(q.curve for _, _, q in questions("05", r)))
    recap("05", round)._ipython_display_()
    asked, picture = outputs
    assert "text/html" in asked and "image/png" in picture._repr_mimebundle_()[0]
    assert len(numbers(repr(picture))) > 8 and not re.search(r"frozen|right|noise|floor|diverge", repr(picture))
    outputs.clear()
    recap("05", round, ...)._ipython_display_()
    assert len(outputs) == 1, "the answers need no picture"


def test_a_diverged_run_is_seen_to_rise():
    """A curve that lies along the upper edge of its picture looks like none at all."""
    asked = [q for r in ROUNDS for _, _, q in questions("05", r) if q.truth == "diverged"]
    assert asked
    curve = asked[0].curve
    (ax,) = recaps._picture(1, curve).axes
    (line,) = ax.lines
    drawn = [value for value in line.get_ydata() if math.isfinite(value)]
    assert len(drawn) > 5 and drawn[-1] > 1e6 * drawn[0] and drawn[-1] < ax.get_ylim()[1]


def test_a_recap_can_be_counted(monkeypatch):
    monkeypatch.setattr(comparison, "_tries", {})
    truths = [question.truth for _, _, question in questions("02", 1)]
    first = recap("02", 1, [999.0, *truths[1:-1], ...])._repr_mimebundle_()[comparison.FEEDBACK]
    assert (first["recap"], first["round"]) == ("02", 1)
    assert [one["verdict"] for one in first["answers"]] == ["not yet", "right", "right", "right", "not answered"]
    again = recap("02", 1, truths)._repr_mimebundle_()[comparison.FEEDBACK]["answers"]
    assert [one["try"] for one in again] == [2, 2, 2, 2, 1] and "999" not in str(first)
    assert recap("02", 1)._repr_mimebundle_() == {}, "questions alone are no answer"
