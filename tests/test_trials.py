"""Mean and spread of many trials, and the bar that shows them."""

import math
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lessons" / "applications"))

from trials import progress, summarise, within_spread

scores = st.lists(st.floats(-100, 100), min_size=2, max_size=12)


@given(scores)
def test_summary_lies_between_the_extremes(values):
    summary = summarise(values)
    assert summary.lowest - 1e-9 <= summary.mean <= summary.highest + 1e-9
    assert summary.count == len(values)
    assert summary.sd <= (summary.highest - summary.lowest) * math.sqrt(len(values)) + 1e-9


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
