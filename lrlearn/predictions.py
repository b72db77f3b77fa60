"""A guess, written down before the cell is run, beside what came out: the catalogue that a teacher edits."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lrlearn.answers import UnusableAnswer, read_guess, read_word, said, word_or_number
from lrlearn.comparison import Feedback, counted
from lrlearn.misconceptions import HINTS

CLOSE = 0.05  # relative; what a wider `within` lets pass has the right size, and is not what was predicted
COPIED = 5e-3  # relative; a misconception's number may be copied with three digits


@dataclass(frozen=True)
class Prediction:
    """What a lesson asks before it shows.

    Args:
        beliefs: slug -> what somebody who believes that would predict: a number, a word, or a list of such.
            A function is given the result and returns one.
        within: relative; a number that close to the result counts: as predicted, or as the right size if it is
            off by more than `CLOSE`.
        choices: the words to choose from, if the prediction is one of a few.
    """

    beliefs: Mapping[str, Any] = field(default_factory=dict)
    within: float = 0.03
    choices: tuple[str, ...] = ()


class Outcome(Feedback):
    """What `predicted` says. It looks like the `Feedback` on an answer, and a wrong prediction is no fault."""

    SIGNS = (("=", "As predicted"), ("≠", "Not as predicted"), ("…", "No prediction written down"))


class RightSize(Outcome):
    """What `predicted` says to a number that is near enough for its question, and still off."""

    SIGNS = (("≈", "The right size"), *Outcome.SIGNS[1:])


# id -> what is asked; the ids of a lesson begin with what they are about, not with the lesson's number
PREDICTIONS: dict[str, Prediction] = {
    "rate-in-epoch-3": Prediction(  # initial_lr 0.1, gamma 0.9
        {
            "additive-decay": 0.07,
            "off-by-one-epoch": [0.06561, 0.081],
            "never-stepped": 0.1,
            "gamma-is-the-reduction": 0.0001,
            "exp-minus-gamma": 0.00672,
            "one-multiplication": [0.27, 0.09],
            "gamma-to-the-initial-lr": 0.000729,
        },
        within=1e-3,
    ),
    "closer-after-one-step": Prediction(within=1e-9),
    "first-rate-too-large": Prediction(),
    "steps-to-the-goal": Prediction(within=0.3),
    "times-lower": Prediction(within=0.3),
    "first-epoch-below-the-limit": Prediction({"off-by-one-epoch": [4, 6]}),  # 0.25, gamma 0.95, limit 0.2
    "halved-by-epoch-7": Prediction(choices=("ExponentialLR", "LinearLR", "StepLR")),
    "rate-of-the-fourth-epoch": Prediction(  # initial_lr 0.2, gamma 0.9
        {
            "off-by-one-epoch": [0.13122, 0.162],
            "additive-decay": 0.14,
            "never-stepped": 0.2,
            "gamma-is-the-reduction": 0.0002,
            "exp-minus-gamma": 0.01344,
            "one-multiplication": [0.54, 0.72, 0.18],
            "gamma-to-the-initial-lr": 0.005832,
        },
        within=5e-3,
    ),
    "half-life-of-0.99": Prediction({"additive-decay": 50}, within=0.05),  # ten times that of 0.9 is a good guess
    "closed-equals-recursive": Prediction(choices=("yes", "no")),
    "rate-of-epoch-3-from-0.2": Prediction(  # initial_lr 0.2, gamma 0.7
        {
            "off-by-one-epoch": [0.04802, 0.098],
            "additive-decay": 0.02,
            "never-stepped": 0.2,
            "gamma-is-the-reduction": 0.0054,
            "exp-minus-gamma": 0.02449,
            "one-multiplication": [0.42, 0.14],
            "gamma-to-the-initial-lr": 0.002744,
        },
        within=5e-3,
    ),
    "first-rate-from-0.2": Prediction({"off-by-one-epoch": 0.14}, within=1e-3),
    "rate-in-the-last-of-40-epochs": Prediction(  # initial_lr 0.1, gamma 0.9
        {
            "off-by-one-epoch": 0.1 * 0.9**40,
            "never-stepped": 0.1,
            "per-batch-step": 0.1 * 0.9 ** (8 * 39),
            "additive-decay": 0,
            "one-multiplication": 0.09,
        },
        within=0.25,
    ),
    "which-regime-still-improves": Prediction(choices=("frozen", "just right", "noise floor")),
    "decay-against-constant": Prediction(within=0.5),
    "torch-equals-python": Prediction(choices=("yes", "no")),
    "lines-with-odd-digits": Prediction(within=1e-9),
    "where-x-ends": Prediction({"decay-always-converges": 3}),  # from 0 towards 3, reach 1
    "fine-tune-first-rate": Prediction({"decayed-rate-kept": 0.05}),
    "lambda-on-a-loaded-optimizer": Prediction({"base-lrs-kept": "yes"}, choices=("yes", "no")),
    "last-epoch-up-to-2.7": Prediction(),
    "skipped-step-says": Prediction(choices=("nothing", "a warning", "an error")),
    "micro-batch-factor": Prediction({"micro-batch-step": 0.9}),
    "momentum-reach": Prediction(within=0.05),
    "decay-with-adam": Prediction(choices=("hardly", "about ten times", "more than fifty times")),
    "adamw-weight-left": Prediction({"weight-decay-stays": 0.366}),
    "compilations": Prediction(),
    "averaging-part": Prediction(within=0.15),
    "batch-left-alone": Prediction(choices=("about the same", "about ten times", "over a hundred times")),
    "new-group-first-rate": Prediction({"new-group-at-the-first-rate": [0.059, 0.05905]}),
    "silent-faults": Prediction(),
    "rate-after-three-epochs": Prediction(  # initial_lr 0.1, gamma 0.9
        {"off-by-one-epoch": [0.081, 0.06561], "additive-decay": 0.07, "never-stepped": 0.1}, within=5e-3
    ),
    "last-epoch-after-three-epochs": Prediction({"off-by-one-epoch": 2}, within=1e-9),
    "worse-among-the-faults": Prediction(within=1e-9),
    "fourth-epoch-fourth-power": Prediction({"off-by-one-epoch": "yes"}, choices=("yes", "no")),
    "same-cut-every-epoch": Prediction({"additive-decay": "yes"}, choices=("yes", "no")),
    "gamma-is-kept": Prediction({"gamma-is-the-reduction": "no"}, choices=("yes", "no")),
    "rate-is-exp-minus-gamma": Prediction({"exp-minus-gamma": "yes"}, choices=("yes", "no")),
    "one-product-enough": Prediction({"one-multiplication": "yes"}, choices=("yes", "no")),
    "power-covers-everything": Prediction({"gamma-to-the-initial-lr": "yes"}, choices=("yes", "no")),
    "gamma-with-thirty-roots": Prediction({"fence-post": "yes"}, choices=("yes", "no")),
    "last-bits-can-differ": Prediction(choices=("yes", "no")),
    "four-decimals-enough": Prediction(choices=("yes", "no")),
    "warns-of-every-wrong-order": Prediction(choices=("yes", "no")),
    "last-epoch-ends-it": Prediction({"last-epoch-is-the-end": "yes"}, choices=("yes", "no")),
    "gamma-is-weight-decay": Prediction({"gamma-is-weight-decay": "yes"}, choices=("yes", "no")),
    "scheduler-changes-adam": Prediction(choices=("yes", "no")),
    "decay-can-stop-short": Prediction({"decay-always-converges": "no"}, choices=("yes", "no")),
    "any-gamma-accepted": Prediction({"gamma-above-one": "no"}, choices=("yes", "no")),
    "gamma-for-eight-batches": Prediction({"per-batch-step": 0.9}, within=1e-3),
    "which-reaches-the-rate": Prediction(choices=("SequentialLR", "ChainedScheduler", "both", "neither")),
    "resumed-digits-agree": Prediction(choices=("yes", "no")),
    "other-frameworks-differ": Prediction(within=1e-9),
}


def predicted(prediction_id: str | None, guess: Any, result: Any) -> Feedback:
    """Put a prediction beside what came out.

    Args:
        prediction_id: a key of `PREDICTIONS`; None for a question that stands in no catalogue.
        guess: a number or a word, as the lesson asks; ``...`` or None: nothing was written down, which is fine.
        result: what came out, a number, a word or True or False (the same as "yes" or "no").

    Returns:
        The feedback; it shows itself in a notebook. No guess makes ``predicted`` raise.

    Raises:
        ValueError: there is no such prediction; the message lists those that there are.
        TypeError: the result is neither a number nor a word.

    >>> predicted("rate-in-epoch-3", 0.07, 0.0729)  # doctest: +ELLIPSIS
    Not as predicted (additive-decay). You predicted 0.07, it came out as 0.0729: 0.0029 too low. That takes ...
    >>> predicted(None, 6.6, 6.58)
    As predicted. You predicted 6.6, it came out as 6.58.
    >>> predicted("steps-to-the-goal", 15, 19)
    The right size. You predicted 15, it came out as 19: 4 too low.
    """
    if prediction_id is not None and (not isinstance(prediction_id, str) or prediction_id not in PREDICTIONS):
        raise ValueError(f"prediction_id must be None or one of {', '.join(PREDICTIONS)}; not {prediction_id!r}")
    asked = PREDICTIONS[prediction_id] if prediction_id else Prediction()
    outcome = _outcome(asked, guess, result)
    return counted(outcome, "prediction", prediction_id) if prediction_id else outcome


def _outcome(asked: Prediction, guess: Any, result: Any) -> Outcome:
    if guess is ... or guess is None:
        return Outcome(False, None, "Next time, write down what you expect before you run the cell.", answered=False)
    try:
        came_out = word_or_number(result)
    except UnusableAnswer as problem:
        raise TypeError(f"result must be a number, a word, or True or False: {problem}") from None
    ours: float | str
    try:
        if isinstance(came_out, str):
            ours, remark = read_word(guess, asked.choices), ""
        else:
            ours, remark = read_guess(guess)
    except UnusableAnswer as problem:
        return Outcome(False, None, f"{problem}.", answered=False)
    except KeyboardInterrupt:
        raise
    except BaseException:  # an object that cannot even be looked at
        return Outcome(False, None, "That prediction cannot be read.", answered=False)
    correct, slug = _judge(asked, ours, came_out)
    spelled = {str(word_or_number(choice)): choice for choice in asked.choices}
    told = [spelled.get(said(value), said(value)) for value in (ours, came_out)]
    words = f"You predicted {told[0]}, it came out as {told[1]}"
    close = correct and _hits(ours, came_out, CLOSE)
    off = "" if close else _how_far(ours, came_out)
    sentence = HINTS.get(slug, "") if slug else ""
    says = RightSize if correct and not close else Outcome
    return says(correct, slug, " ".join(filter(None, [f"{words}{off}.", remark, sentence])))


def _judge(asked: Prediction, guess: float | str, result: float | str) -> tuple[bool, str | None]:
    """Whether the guess counts, and if not the belief that explains it. A belief's own number never counts."""
    if not _near(guess, result, 1e-9):
        for slug, belief in asked.beliefs.items():
            values = belief(result) if callable(belief) else belief
            for value in values if isinstance(values, (list, tuple)) else [values]:
                believed = word_or_number(value)
                if _hits(guess, believed, COPIED) and not _nearer(guess, result, believed):
                    return False, slug
    return _hits(guess, result, asked.within), None


def _near(one: float | str, other: float | str, within: float) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return math.isclose(one, other, rel_tol=within)


def _hits(guess: float | str, value: float | str, within: float) -> bool:
    """Whether a guess is near enough, or the number rounded to two digits as in the head: 0.073 for 0.0729."""
    rounded = not isinstance(guess, str) and not isinstance(value, str) and guess == float(f"{value:.2g}")
    return rounded or _near(guess, value, within)


def _nearer(guess: float | str, one: float | str, other: float | str) -> bool:
    """Whether a guessed number is strictly nearer to one number than to the other."""
    if isinstance(guess, str) or isinstance(one, str) or isinstance(other, str):
        return False
    return abs(guess - one) < abs(guess - other)


def _how_far(guess: float | str, result: float | str) -> str:
    """By how much a number missed; as a factor, where it is one of three or more."""
    if isinstance(guess, str) or isinstance(result, str):
        return ""
    side = "high" if guess > result else "low"
    if math.isinf(guess) or math.isinf(result) or math.isnan(guess - result):
        return ""
    low, high = sorted([abs(guess), abs(result)])
    if guess * result > 0 and high >= 3 * low and high / low < math.inf:
        return f": too {side} by a factor of {high / low:.3g}"
    return f": {abs(guess - result):.3g} too {side}"
