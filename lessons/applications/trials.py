"""Many trials of one training: the same settings with other seeds, their mean and their spread.

One run tells little: another seed gives another score. A score is a number, so nothing here knows
of torch or of a model.
"""

from collections.abc import Iterable, Sequence
from statistics import mean, stdev
from typing import Any, NamedTuple

from lrlearn.checks import check_list, check_number


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


def summarise(scores: Sequence[float]) -> Summary:
    """Mean and spread of the scores of many trials.

    Raises:
        TypeError, ValueError: there are no scores, or one of them is no finite number.

    >>> summarise([1, 2, 3])
    Summary(mean=2.0, sd=1.0, lowest=1.0, highest=3.0, count=3)
    """
    scores = check_list("scores", scores)
    return Summary(mean(scores), stdev(scores) if len(scores) > 1 else 0.0, min(scores), max(scores), len(scores))


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
