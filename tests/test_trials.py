"""The verdict that the applications' tables rest on."""

import math
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lessons" / "applications"))

from trials import progress, summarise, verdict, within_spread

scores = st.lists(st.floats(-100, 100), min_size=2, max_size=12)


@given(scores)
def test_summary_lies_between_the_extremes(values):
    summary = summarise(values)
    assert summary.lowest - 1e-9 <= summary.mean <= summary.highest + 1e-9
    assert summary.count == len(values)
    assert summary.sd <= (summary.highest - summary.lowest) * math.sqrt(len(values)) + 1e-9


@given(scores, scores)
def test_the_verdict_turns_round_with_its_arguments(ours, theirs):
    opposite = {"better": "worse", "worse": "better", "tie": "tie"}
    found = verdict(ours, theirs)
    assert verdict(theirs, ours) == opposite[found]
    assert verdict(ours, theirs, higher_is_better=False) == opposite[found]


@given(scores)
def test_nothing_beats_itself(values):
    assert verdict(values, values) == "tie"


def test_the_verdict_agrees_with_a_worked_case():
    # means 3 and 5, both variances 2.5, n = 5: t = 2 / sqrt(0.5 + 0.5) = 2.0, below 2.31 at 8 degrees of freedom
    assert verdict([3, 4, 5, 6, 7], [1, 2, 3, 4, 5]) == "tie"
    # a difference of 2.4 gives t = 2.4, above it
    assert verdict([3.4, 4.4, 5.4, 6.4, 7.4], [1, 2, 3, 4, 5]) == "better"


def test_exact_scores_that_differ_are_no_tie():
    assert verdict([1.0, 1.0], [2.0, 2.0]) == "worse"


@given(scores, st.integers(0, 11))
def test_a_stored_score_lies_within_its_own_spread(values, which):
    assert within_spread(values[which % len(values)], values)
    width = max(values) - min(values)
    assert not within_spread(max(values) + 1.1 * width + 0.1, values)


def test_least_widens_a_spread_of_nothing():
    assert not within_spread(0.99, [1.0, 1.0])
    assert within_spread(0.99, [1.0, 1.0], least=0.01)


def test_progress_goes_to_the_error_stream(capsys):
    assert list(progress(range(3), "squares")) == [0, 1, 2]
    said = capsys.readouterr()
    assert said.out == "" and "squares" in said.err


@pytest.mark.parametrize("bad", [[], [math.nan], [math.inf], ["1"]])
def test_bad_scores_are_refused(bad):
    with pytest.raises((TypeError, ValueError), match="score"):
        summarise(bad)


@pytest.mark.filterwarnings("error")
def test_scores_without_any_spread_have_a_verdict_and_no_warning():
    assert verdict([500.0] * 5, [500.0] * 5) == "tie"
    assert verdict([500.0] * 5, [480.0, 500.0]) == "tie"
    assert verdict([500.0] * 5, [100.0, 110.0, 90.0]) == "better"
    assert verdict([2.0, 2.0], [1.0, 1.0], higher_is_better=False) == "worse"


def test_a_verdict_needs_two_trials():
    with pytest.raises(ValueError, match="two trials"):
        verdict([1.0], [1.0, 2.0])
