"""The one rule by which the course compares: against scipy, by hand, and how often it is wrong."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, ttest_rel

from lrlearn.verdicts import Pair, _holm, verdict, verdicts

WORDS = {"better": "worse", "worse": "better", "the same": "the same", "cannot tell": "cannot tell"}
pairs_of_scores = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=2, max_size=12)
margins = st.floats(0.01, 50)


@given(pairs_of_scores, margins)
def test_it_turns_round_with_its_arguments_and_with_what_counts_as_better(scores, margin):
    ours, theirs = zip(*scores, strict=True)
    found = verdict(ours, theirs, margin)
    turned = verdict(theirs, ours, margin)
    assert turned.word == WORDS[found.word] == verdict(ours, theirs, margin, higher_is_better=False).word
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-9)


@given(pairs_of_scores, margins)
def test_alone_each_word_can_be_read_off_the_interval(scores, margin):
    ours, theirs = zip(*scores, strict=True)
    word, _, low, high, _ = verdict(ours, theirs, margin)
    if min(abs(low), abs(high), abs(low + margin), abs(high - margin)) < 1e-9:
        return  # on the edge the last bits decide
    inside = -margin < low and high < margin
    expected = "the same" if inside else "better" if low > 0 else "worse" if high < 0 else "cannot tell"
    assert word == expected


@given(pairs_of_scores)
def test_the_interval_is_scipys(scores):
    ours, theirs = zip(*scores, strict=True)
    differences = np.subtract(ours, theirs)
    if np.ptp(differences) < 1e-6:
        return  # scipy has no interval for differences without a spread
    _, difference, low, high, count = verdict(ours, theirs, 1.0)
    wanted = ttest_rel(ours, theirs).confidence_interval(0.95)
    assert (low, high) == pytest.approx(tuple(wanted), rel=1e-6, abs=1e-6)
    assert difference == pytest.approx(differences.mean(), abs=1e-9) and count == len(scores)


def test_a_case_worked_by_hand():
    # differences 1, 2, 3: mean 2, sd 1, error 1 / sqrt(3) = 0.5774, t at 2 degrees of freedom 4.303: 2 +- 2.484
    word, difference, low, high, _ = verdict([1, 2, 3], [0, 0, 0], margin=0.5)
    assert (word, difference) == ("cannot tell", 2)
    assert (low, high) == pytest.approx((-0.484, 4.484), abs=1e-3)
    # a fourth 2 makes it mean 2, sd 0.8165, t 3.182: 2 +- 1.299, which leaves out 0
    assert verdict([1, 2, 3, 2], [0] * 4, margin=0.5).word == "better"
    assert verdict([1, 2, 3, 2], [0] * 4, margin=3.3).word == "the same"  # 3.299 is inside the margin


def test_cannot_tell_and_the_same_are_not_the_same():
    assert verdict([0.9, 0.5], [0.6, 0.8], margin=0.01).word == "cannot tell"
    assert verdict([0.9, 0.5], [0.9, 0.5], margin=0.01).word == "the same"


def test_a_difference_that_is_certain_but_does_not_matter_is_called_the_same():
    random = np.random.default_rng(0).normal(0.001, 0.0001, 50)
    word, _, low, _, _ = verdict(random, np.zeros(50), margin=0.01)
    assert low > 0 and word == "the same"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_no_correction_and_bonferronis(chances):
    raised = _holm(chances)
    for before, after in zip(chances, raised, strict=True):
        assert before <= after <= min(1, before * len(chances)) + 1e-12
    assert [chances[i] for i in np.argsort(raised, kind="stable")] == sorted(chances) or len(set(raised)) < len(raised)
    assert all(after >= fdr - 1e-12 for after, fdr in zip(raised, false_discovery_control(chances), strict=True))


def test_holm_by_hand():
    assert _holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def how_often(difference: float, margin: float, words: set[str], singly: bool = False) -> float:
    """The part of 150 tables, of 10 rows and 10 seeds each, in which at least one row gets one of the words."""
    hits = 0
    for table in np.random.default_rng(1).normal(difference, 1.0, (150, 10, 10)):
        rows = [Pair(row.tolist(), [0.0] * 10, margin) for row in table]
        found = [verdict(*row) for row in rows] if singly else verdicts(rows)
        hits += bool(words & {one.word for one in found})
    return hits / 150


def test_a_whole_table_is_wrong_at_most_as_often_as_promised():
    # 5 %, with room for the chance of 150 tables: 3 standard errors are 0.053
    assert how_often(0.0, 0.01, {"better", "worse"}) < 0.1
    assert how_often(1.5, 1.5, {"the same"}) < 0.1  # a difference of just the margin is not the same


def test_that_the_test_above_can_fail():
    assert how_often(0.0, 0.01, {"better", "worse"}, singly=True) > 0.3  # without the correction
    assert how_often(1.2, 1.5, {"worse", "better"}) > 0.5


def test_equal_differences_have_no_spread_and_still_a_verdict():
    assert verdict([500.0] * 5, [500.0] * 5, 10).word == "the same"
    assert verdict([2.0, 3.0], [1.0, 2.0], 0.5, higher_is_better=False).word == "worse"


@pytest.mark.parametrize(
    ("ours", "theirs", "margin", "what"),
    [
        ([1.0], [2.0], 1, "pairs"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], 1, "pairs"),
        ([], [], 1, "pairs"),
        ([1.0, math.nan], [1.0, 2.0], 1, "score"),
        ([1.0, "2"], [1.0, 2.0], 1, "score"),
        ([1.0, 2.0], [1.0, 2.0], 0, "margin"),
    ],
)
def test_what_cannot_be_compared_is_refused(ours, theirs, margin, what):
    with pytest.raises((TypeError, ValueError), match=what):
        verdict(ours, theirs, margin)
