"""Many trials of one training: the same settings with other seeds, their mean and spread, and what differs.

One run tells little: another seed gives another score. A trial is any function of a seed that
returns a number, so nothing here knows of torch or of a model.
"""

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, stdev
from typing import Any, NamedTuple

from lrlearn.schedules import check_number

# two-sided 5 % points of Student's t, by degrees of freedom; between two of them the smaller count's is taken
STUDENT_T = {1: 12.7, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 10: 2.23, 15: 2.13, 30: 2.04}


class Summary(NamedTuple):
    """Mean, standard deviation (0 for a single trial), lowest and highest score, and how many there were."""

    mean: float
    sd: float
    lowest: float
    highest: float
    count: int


def progress(items: Iterable[Any], label: str = "", unit: str = "epoch") -> Iterable[Any]:
    """The items, with a progress bar on the error stream while they are used.

    >>> list(progress(range(3)))
    [0, 1, 2]
    """
    from tqdm import tqdm

    return tqdm(items, desc=label or None, unit=unit, mininterval=0.2)


def run_trials(trial: Callable[[int], float], seeds: Iterable[int], label: str = "trials") -> list[float]:
    """The score of ``trial(seed)`` for each seed, with a progress bar.

    >>> run_trials(lambda seed: seed / 2, range(3))
    [0.0, 0.5, 1.0]
    """
    return [float(trial(seed)) for seed in progress(list(seeds), label, "trial")]


def summarise(scores: Sequence[float]) -> Summary:
    """Mean and spread of the scores of many trials.

    Raises:
        TypeError, ValueError: there are no scores, or one of them is no finite number.

    >>> summarise([1, 2, 3])
    Summary(mean=2.0, sd=1.0, lowest=1.0, highest=3.0, count=3)
    """
    scores = [float(check_number("score", score)) for score in scores]
    if not scores:
        raise ValueError("scores must not be empty")
    sd = stdev(scores) if len(scores) > 1 else 0.0
    return Summary(fmean(scores), sd, min(scores), max(scores), len(scores))


def verdict(scores: Sequence[float], against: Sequence[float], *, higher_is_better: bool = True) -> str:
    """What many trials say of two settings: ``"better"``, ``"tie"`` or ``"worse"``.

    The means differ when ``|mean_a - mean_b| > t * sqrt(sd_a**2 / n_a + sd_b**2 / n_b)``, with t the two-sided
    5 % point of Student's distribution and Welch's degrees of freedom. A tie says that these trials
    cannot tell the two apart, not that they are the same.

    Source: B. L. Welch, The generalization of "Student's" problem, Biometrika 34 (1947).

    Raises:
        TypeError, ValueError: one of them has fewer than two scores, or a score is no finite number.

    >>> verdict([0.9, 0.91, 0.92], [0.7, 0.71, 0.72])
    'better'
    >>> verdict([0.9, 0.91, 0.92], [0.89, 0.91, 0.93])
    'tie'
    """
    ours, theirs = summarise(scores), summarise(against)
    if min(ours.count, theirs.count) < 2:
        raise ValueError("a verdict needs at least two trials of each")
    parts = [side.sd**2 / side.count for side in (ours, theirs)]
    squares = sum(part**2 / (side.count - 1) for part, side in zip(parts, (ours, theirs), strict=True))
    freedom = sum(parts) ** 2 / squares if squares else 30
    t = STUDENT_T[max(known for known in STUDENT_T if known <= max(1.0, freedom))]
    difference = (ours.mean - theirs.mean) * (1 if higher_is_better else -1)
    if abs(difference) <= t * sum(parts) ** 0.5:
        return "tie"
    return "better" if difference > 0 else "worse"


def within_spread(score: float, scores: Sequence[float], *, least: float = 0.0) -> bool:
    """Whether a new score fits the spread of stored ones: no farther outside than they are wide.

    ``lowest - margin <= score <= highest + margin``, with ``margin = max(highest - lowest, least)``:
    another processor rounds differently, and a long training makes that visible.

    >>> within_spread(0.97, [0.98, 0.99]), within_spread(0.90, [0.98, 0.99])
    (True, False)
    """
    stored = summarise(scores)
    margin = max(stored.highest - stored.lowest, check_number("least", least, least=0.0)) * (1 + 1e-9)
    return stored.lowest - margin <= check_number("score", score) <= stored.highest + margin
