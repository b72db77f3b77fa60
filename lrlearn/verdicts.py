"""One rule for every comparison of the course: what the same seeds say of two settings.

Both settings are trained with the same seeds, and each seed gives one difference. Of these differences there is
a mean and its 95 % interval. It is compared with 0 and with a margin, stated before anything was trained: the
largest difference that would not matter. So there are four verdicts: better, worse, the same (within the margin),
and cannot tell, which asks for more seeds. Two settings that cannot be told apart are not the same.
"""

from collections.abc import Sequence
from itertools import accumulate
from statistics import fmean, stdev
from typing import NamedTuple

from lrlearn.checks import check_list, check_number, quoted

LEVEL = 0.05  # of a wrong "better" or "worse", and of a wrong "the same", over all rows of one table


class Pair(NamedTuple):
    """Two settings to compare: their scores, seed by seed, and the margin, in the unit of the score."""

    ours: Sequence[float]
    theirs: Sequence[float]
    margin: float
    higher_is_better: bool = True


class Verdict(NamedTuple):
    """``word`` is "better", "worse", "the same" or "cannot tell"; the rest are ours minus theirs, and how many."""

    word: str
    difference: float
    low: float
    high: float
    count: int  # type: ignore[assignment]  # in the place of tuple.count


class _Measured(NamedTuple):
    difference: float
    low: float
    high: float
    p_none: float  # how surprising the differences are if there is none between the settings
    p_outside: float  # and if there is one of a margin or more


def verdicts(pairs: Sequence[Pair]) -> list[Verdict]:
    """A verdict for each row of a table, corrected for the number of rows.

    With the mean difference ``d`` of ``n`` seeds, its standard error ``e = sd / sqrt(n)`` and the 97.5 % quantile
    ``t`` of Student's distribution with ``n - 1`` degrees of freedom, the interval is ``d - t * e`` to ``d + t * e``.
    For a table of one row, *the same* means that this interval lies inside the margin on both sides, and otherwise
    *better* or *worse* that it leaves out 0. For a table of several rows, Holm's correction asks for smaller
    chances: that one or more of the rows is wrongly called different has a chance of 5 % at most, and so has
    a wrong "the same". The interval that is returned is the row's own, not corrected.

    Sources: S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6
    (1979); D. J. Schuirmann, A comparison of the two one-sided tests procedure ..., Journal of Pharmacokinetics and
    Biopharmaceutics 15 (1987), with 2.5 % for each side here, so that both questions are asked of one interval.

    Raises:
        TypeError, ValueError: fewer than two seeds, unequal numbers of seeds, a score that is no finite number,
            or a margin that is not > 0.

    >>> clear = Pair([0.91, 0.92, 0.93], [0.80, 0.82, 0.81], margin=0.01)
    >>> [verdict.word for verdict in verdicts([clear, Pair([0.9, 0.8], [0.7, 0.9], margin=0.01)])]
    ['better', 'cannot tell']
    """
    pairs = [_checked(pair) for pair in pairs]
    measured = [_measure(pair) for pair in pairs]
    differ = _holm([one.p_none for one in measured])
    alike = _holm([one.p_outside for one in measured])
    words = []
    for pair, one, apart, close in zip(pairs, measured, differ, alike, strict=True):
        ahead = (one.difference > 0) == pair.higher_is_better
        found = "better" if ahead else "worse"
        words.append("the same" if close < LEVEL else found if apart < LEVEL else "cannot tell")
    return [Verdict(word, *one[:3], len(pair.ours)) for word, one, pair in zip(words, measured, pairs, strict=True)]


def verdict(ours: Sequence[float], theirs: Sequence[float], margin: float, higher_is_better: bool = True) -> Verdict:
    """`verdicts` for a single pair.

    >>> verdict([1.0, 1.1, 1.2, 1.3], [1.01, 1.09, 1.21, 1.3], margin=0.1).word
    'the same'
    """
    return verdicts([Pair(ours, theirs, margin, higher_is_better)])[0]


def _checked(pair: Pair) -> Pair:
    ours = check_list("ours (scores in pairs)", pair.ours)
    theirs = check_list("theirs (scores in pairs)", pair.theirs)
    if len(ours) != len(theirs) or len(ours) < 2:
        raise ValueError("scores must come in pairs, one for each seed, and two pairs at least")
    if not isinstance(pair.higher_is_better, bool):
        raise TypeError(f"higher_is_better must be True or False, not {quoted(pair.higher_is_better)}")
    return Pair(ours, theirs, check_number("margin", pair.margin, above=0), pair.higher_is_better)


def _measure(pair: Pair) -> _Measured:
    from scipy.special import stdtr, stdtrit  # Student's distribution: how much lies below x, and its quantiles

    differences = [a - b for a, b in zip(pair.ours, pair.theirs, strict=True)]
    mean, freedom = fmean(differences), len(differences) - 1
    error = max(stdev(differences) / len(differences) ** 0.5, 1e-12 * pair.margin)  # equal differences have no spread
    reach = float(stdtrit(freedom, 1 - LEVEL / 2)) * error
    beyond = [2 * float(stdtr(freedom, -distance / error)) for distance in (abs(mean), pair.margin - abs(mean))]
    return _Measured(mean, mean - reach, mean + reach, *(min(1.0, p) for p in beyond))


def _holm(chances: Sequence[float]) -> list[float]:
    """The same chances, each as if it stood alone: the smallest times their number, the next times one less ..."""
    order = sorted(range(len(chances)), key=chances.__getitem__)
    raised = accumulate(((len(order) - rank) * chances[at] for rank, at in enumerate(order)), max)
    by_row = dict(zip(order, raised, strict=True))
    return [min(1.0, by_row[at]) for at in range(len(chances))]
