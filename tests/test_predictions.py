"""Predictions: what counts, what a belief explains, and that no guess breaks anything."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from lrlearn.answers import word_or_number
from lrlearn.exercises import HINTS, PREDICTIONS, Prediction, predicted
from lrlearn.predictions import _near

numbers = st.floats(-1e6, 1e6).filter(lambda number: abs(number) > 1e-6)


def cases():
    """Each belief of each prediction, as a number or a word; those that are functions need a result."""
    for name, asked in PREDICTIONS.items():
        for slug, belief in asked.beliefs.items():
            for value in belief if isinstance(belief, (list, tuple)) else [belief]:
                if not callable(value):
                    yield pytest.param(name, slug, value, id=f"{name}-{slug}-{value}")


def test_every_belief_of_the_catalogue_has_a_sentence():
    assert {slug for asked in PREDICTIONS.values() for slug in asked.beliefs} <= set(HINTS)


@pytest.mark.parametrize(("name", "slug", "value"), list(cases()))
def test_no_belief_of_the_catalogue_says_the_same_as_another(name, slug, value):
    for other, belief in PREDICTIONS[name].beliefs.items():
        for their in belief if isinstance(belief, (list, tuple)) else [belief]:
            if other != slug and not callable(their):
                assert not _near(word_or_number(value), word_or_number(their), 1e-9), (slug, other)


@pytest.mark.parametrize(("name", "slug", "value"), list(cases()))
def test_a_belief_is_named_with_its_sentence(name, slug, value):
    if PREDICTIONS[name].choices and value not in PREDICTIONS[name].choices:
        pytest.fail(f"{value} is not among the choices")
    result = next((c for c in PREDICTIONS[name].choices if c != value), 123456.0)
    found = predicted(name, value, result)
    assert (found.correct, found.misconception) == (False, slug) and HINTS[slug] in found.hint


@given(numbers, st.floats(-0.02, 0.02))
def test_a_number_close_to_the_result_counts(result, off):
    found = predicted(None, result * (1 + off), result)
    assert found.correct and found.verdict == "As predicted" and found.misconception is None


@given(numbers, numbers)
def test_a_number_far_from_it_does_not_and_the_side_is_right(guess, result):
    assume(abs(guess - result) > 0.1 * max(abs(guess), abs(result)))
    found = predicted(None, guess, result)
    assert not found.correct and found.answered and found.verdict == "Not as predicted"
    assert ("too high" in found.hint) == (guess > result) and ("too low" in found.hint) == (guess < result)
    factor = re.search(r"by a factor of (\S+)\.", found.hint)
    if factor:
        assert float(factor[1]) == pytest.approx(max(guess / result, result / guess), rel=0.01)
        assert float(factor[1]) >= 2.99


def test_the_difference_is_said_in_words():
    words = predicted("rate-in-epoch-3", 0.07, 0.0729).hint
    assert words.startswith("You predicted 0.07, it came out as 0.0729: 0.0029 too low. That takes the same amount")
    assert "too high by a factor of 3.7." in predicted("rate-in-epoch-3", 0.27, 0.0729).hint
    assert "too low by a factor of 1e+03." in predicted(None, 1e-5, 1e-2).hint
    assert "too low by a factor" not in predicted(None, -1, 1).hint


def test_a_wide_tolerance_says_the_right_size_and_by_how_much_it_is_off(monkeypatch):
    monkeypatch.setitem(PREDICTIONS, "mine", Prediction(within=0.5))
    near, off, far = (predicted("mine", guess, 18.95) for guess in (18.2, 25, 50))
    assert near.verdict == "As predicted" and near.hint == "You predicted 18.2, it came out as 18.95."
    assert off.correct and repr(off) == "The right size. You predicted 25, it came out as 18.95: 6.05 too high."
    assert "The right size." in off._repr_html_() and off.record["verdict"] == "right"
    assert far.verdict == "Not as predicted"
    assert predicted("mine", 19, 18.95).verdict == "As predicted", "rounded as in the head"


@pytest.mark.parametrize("guess", [5, "never", "none", 0.2])
def test_where_nothing_came_out_a_word_says_so_and_no_guess_is_a_misconception(guess):
    found = predicted("first-epoch-below-the-limit", guess, "never")
    assert found.correct == (guess == "never") and found.misconception is None and "it came out as never" in found.hint


def test_the_result_itself_is_never_a_belief():
    assert predicted("rate-in-epoch-3", 0.0729, 0.0729).correct
    assert predicted("rate-in-epoch-3", 0.0656, 0.0656).correct, "the learner has changed the cell"


def test_a_belief_may_depend_on_what_came_out(monkeypatch):
    monkeypatch.setitem(PREDICTIONS, "mine", Prediction({"never-stepped": lambda result: [2 * result, "no"]}))
    assert predicted("mine", 6, 3).misconception == "never-stepped" and predicted("mine", 5, 3).misconception is None


@pytest.mark.parametrize("guess", ["Yes", " yes ", True, np.True_])
@pytest.mark.parametrize("result", [True, np.True_, torch.tensor(True), "yes"])
def test_yes_and_no_in_any_form(guess, result):
    assert predicted(None, guess, result).correct and not predicted(None, "no", result).correct
    assert not predicted(None, guess, False).correct


def test_a_choice_is_exact_but_for_capitals_and_spaces(monkeypatch):
    asked = Prediction({"decay-always-converges": "It  arrives"}, choices=("it arrives", "it stops short"))
    monkeypatch.setitem(PREDICTIONS, "mine", asked)
    assert predicted("mine", " It stops  SHORT", "it stops short").correct
    assert predicted("mine", "it arrives", "it stops short").misconception == "decay-always-converges"
    found = predicted("mine", "it explodes", "it stops short")
    assert not found.answered and "Choose one of it arrives, it stops short" in found.hint


@pytest.mark.parametrize("guess", [..., None])
def test_no_prediction_is_fine(guess):
    found = predicted("rate-in-epoch-3", guess, 0.0729)
    assert not found.answered and repr(found).startswith("No prediction written down.") and "0.07" not in found.hint


NOTATIONS = {(0, 8): 0.8, (12, 50): 12.5, "0.8": 0.8, "0,8": 0.8, "80 %": 0.8, " 80%": 0.8, ".8": 0.8, "-3": -3}


@pytest.mark.parametrize(("guess", "number"), NOTATIONS.items())
def test_a_number_in_another_notation_is_understood_and_gets_a_word(guess, number):
    found = predicted(None, guess, number)
    assert found.correct and "Python" in found.hint and str(number) in found.hint


@pytest.mark.parametrize("kind", [float, np.float32, torch.tensor, np.array])
def test_numbers_of_any_kind(kind):
    assert predicted(None, kind(0.0729), kind(0.0729)).correct


odd = st.one_of(
    st.text(), st.binary(), st.complex_numbers(), st.floats(), st.integers(), st.booleans(),
    st.lists(st.integers()), st.tuples(st.integers(), st.integers()), st.dictionaries(st.text(), st.integers()),
)  # fmt: skip


class Raises:
    def __getattribute__(self, name):
        raise SystemExit(name)


@given(odd, st.sampled_from([0.5, 0.0, -1, math.inf, math.nan, "yes", True, 10**300]))
def test_no_guess_raises(guess, result):
    found = predicted(None, guess, result)
    assert repr(found).isprintable() and "<script" not in found._repr_html_()


@pytest.mark.parametrize(
    "guess", ["raises", 10**400, 10**5000, "9" * 10000, "1e999", "<script>", [0.1, 0.2], print], ids=range(8)
)
def test_odd_guesses_get_a_word(guess):
    guess = Raises() if guess == "raises" else guess  # pytest itself stumbles over it
    for result in (0.5, "yes"):
        found = predicted("rate-in-epoch-3" if result == 0.5 else None, guess, result)
        assert not found.correct and len(found.hint) < 400 and "<script>" not in found._repr_html_()


@pytest.mark.parametrize("name", ["", "rate in epoch 3", 3, ["rate-in-epoch-3"]])
def test_an_unknown_prediction_lists_the_known_ones(name):
    with pytest.raises(ValueError, match="rate-in-epoch-3"):
        predicted(name, 1, 1)


def test_a_result_that_is_none_is_the_authors_fault():
    with pytest.raises(TypeError, match="result must be"):
        predicted(None, 1, [1])


def test_it_looks_like_the_feedback_of_an_exercise():
    page = predicted("rate-in-epoch-3", 0.07, 0.0729)._repr_html_()
    assert 'role="status"' in page and 'aria-hidden="true">≠' in page and "background:#ffffff" in page
    assert "<strong" in page and "Not as predicted." in page and "additive-decay</code>" in page
