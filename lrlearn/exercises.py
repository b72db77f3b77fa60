"""Questions, answers, and the misconception behind a wrong answer: the catalogue that a teacher edits.

An exercise is the right answer, what somebody who believes a misconception would answer, and inputs that tell
them apart. ``comparison`` judges. What is tried on a real optimizer stands in ``practice``.
"""

import math
from collections.abc import Callable
from itertools import product
from random import Random
from typing import Any

from lrlearn import probes, tuning
from lrlearn.answers import UnusableAnswer
from lrlearn.comparison import Choices, Comparison, Feedback, counted, judged
from lrlearn.misconceptions import HINTS
from lrlearn.practice import PRACTICE
from lrlearn.predictions import PREDICTIONS, Prediction, predicted
from lrlearn.recaps import recap
from lrlearn.schedules import exponential_lr, gamma_for, half_life, step_budget

__all__ = [
    "EXERCISES",
    "HINTS",
    "PREDICTIONS",
    "Choices",
    "Comparison",
    "Feedback",
    "Prediction",
    "UnusableAnswer",
    "check",
    "predicted",
    "recap",
]


def check(exercise_id: str, answer: Any, *rest: Any) -> Feedback:
    """Judge an answer and say which misconception explains it, if one does.

    Args:
        exercise_id: a key of `EXERCISES`.
        answer: a number, a list of numbers or a function, as the exercise asks; ``...`` or None: not answered yet.
        rest: nothing; a decimal comma, as in 0,8, makes two answers of one.

    Returns:
        The feedback; it shows itself in a notebook. No answer makes ``check`` raise.

    Raises:
        ValueError: there is no such exercise; the message lists those that there are.

    >>> check("lr-at-epoch", 0.2 * 0.8**5).misconception
    'off-by-one-epoch'
    """
    if not isinstance(exercise_id, str) or exercise_id not in EXERCISES:
        raise ValueError(f"exercise_id must be one of {', '.join(EXERCISES)}; not {exercise_id!r}")
    return counted(judged(EXERCISES[exercise_id], (answer, *rest) if rest else answer), "exercise", exercise_id)


def _rounded(*digits: int) -> list[Callable]:
    return [lambda *inputs, n=n: round(exponential_lr(*inputs), n) for n in digits]


def _every(*intervals: int) -> list[Callable]:
    """One multiplication in n epochs, in steps or smoothly."""
    steps = [lambda i, g, e, n=n: i * g ** (e // n) for n in intervals]
    return steps + [lambda i, g, e, n=n: i * g ** (e / n) for n in intervals]


def _table(lr: Callable) -> Callable:
    return lambda initial_lr, gamma: [lr(initial_lr, gamma, epoch) for epoch in range(5)]


def _tables(rates: dict[str, list[Callable]]) -> dict[str, list[Callable]]:
    return {slug: [_table(form) for form in forms] for slug, forms in rates.items()}


def _refused() -> float:
    raise ValueError


def _some_lr(numbers: Random) -> float:
    return round(10 ** numbers.uniform(-3, 0), 4)


def _some_gamma(numbers: Random) -> float:
    return round(numbers.uniform(0.3, 0.95), 2)


class NotAsked(Feedback):
    """A right answer to another question."""

    SIGNS = (*Feedback.SIGNS[:1], ("✘", "Not what was asked yet"), *Feedback.SIGNS[2:])


def recursive_lr(answer: Any) -> Feedback:
    """Right if the function is, and multiplies step by step: the closed form rounds its last bits otherwise."""
    feedback = EXERCISES["exponential-lr"](answer)
    closed = exponential_lr, lambda i, g, e: i * math.pow(g, e), lambda i, g, e: i * math.exp(e * math.log(g))
    inputs = list(product((0.1, 0.3), (0.9, 0.7), (7, 12, 19, 25, 31)))
    if feedback.correct and any(all(answer(*one) == form(*one) for one in inputs) for form in closed):
        words = (
            "That is right, and it is the closed form. Here the recursive form is asked: one multiplication an epoch."
        )
        return NotAsked(False, None, words)
    return feedback


# the rate that somebody who believes it gives to an epoch; here i is the initial_lr, g gamma, e the epoch
TAKEN_AWAY = lambda i, g: (1 - g) * i, lambda i, g: 1 - g, lambda i, g: g, lambda i, g: g * i
WRONG_RATES: dict[str, list[Callable]] = {
    "off-by-one-epoch": [lambda i, g, e: i * g ** (e + 1), lambda i, g, e: i * g ** (e - 1)],
    "additive-decay": [
        *(lambda i, g, e, each=each: i - e * each(i, g) for each in TAKEN_AWAY),
        *(lambda i, g, e, each=each: max(0.0, i - e * each(i, g)) for each in TAKEN_AWAY),
    ],
    "never-stepped": [lambda i, g, e: i],
    "gamma-is-the-reduction": [lambda i, g, e: i * (1 - g) ** e],
    "one-multiplication": [lambda i, g, e: i * g * e, lambda i, g, e: i * g, lambda i, g, e: i * g if e else i],
    "exp-minus-gamma": [lambda i, g, e: i * math.exp(-g * e), lambda i, g, e: i * math.exp((g - 1) * e)],
    "gamma-to-the-initial-lr": [lambda i, g, e: (i * g) ** e],
    "double-step": [lambda i, g, e: i * g ** (2 * e)],
}
# id -> what judges an answer: a Comparison, or any function from the answer to a Feedback
EXERCISES: dict[str, Callable[[Any], Feedback]] = {
    "next-rate": Comparison(
        truth=lambda rate, gamma: rate * gamma,
        mistakes={
            "never-stepped": [lambda rate, gamma: rate],
            "gamma-is-the-reduction": [lambda rate, gamma: rate * (1 - gamma)],
            "additive-decay": [lambda rate, gamma: rate - gamma, lambda rate, gamma: rate - (1 - gamma)],
            "exp-minus-gamma": [lambda rate, gamma: rate * math.exp(-gamma)],
            "double-step": [lambda rate, gamma: rate * gamma**2],
            "ratio-upside-down": [lambda rate, gamma: rate / gamma],
        },
        inputs=list(product((0.25, 0.1), (0.9, 0.7, 0.97))),
        corners={"gamma 1": (0.1, 1.0), "gamma 0": (0.1, 0.0)},
        draw=lambda numbers: (_some_lr(numbers), _some_gamma(numbers)),
        says={
            "exp-minus-gamma": "No exp is needed: the rate is multiplied by gamma itself.",
            "ratio-upside-down": "Dividing by a gamma below 1 makes the rate larger: it is multiplied by gamma.",
        },
    ),
    # of three claims, which hold against the best constant rate, or from any initial rate?
    "three-reasons": Choices(
        ("shown", "not shown"),
        [
            ("not shown", {"shown": "schedule-is-the-speed"}),
            ("shown", {"not shown": "small-steps-are-slow"}),
            ("not shown", {"shown": "any-rate-is-saved"}),
        ],
    ),
    "lr-at-epoch": Comparison(
        truth=exponential_lr,
        mistakes={slug: [form for form in forms if form(0.2, 0.8, 4)] for slug, forms in WRONG_RATES.items()}
        | {"every-n-epochs": _every(2), "rounded-to-zero": [lambda *_: 0.0]},
        inputs=[(0.2, 0.8, 4)],
        given=True,
    ),
    "exponential-lr": Comparison(
        truth=exponential_lr,
        mistakes=WRONG_RATES
        | {
            "every-n-epochs": _every(*range(2, 101), *range(120, 1001, 20), 150, 250, 350, 365),
            "rounded-to-zero": _rounded(1, 2, 3, 4, 5, 6, 7, 8),
            "gamma-above-one": [
                lambda i, g, e: i * g**e if g <= 1 else _refused(),
                lambda i, g, e: i * min(g, 1.0) ** e,
            ],
        },
        inputs=list(product((0.1, 0.25, 1e-4), (0.9, 0.5, 0.75), (1, 2, 3, 7))),
        corners={
            "epoch 0": (0.1, 0.9, 0),
            "gamma 1": (0.1, 1.0, 3),
            "gamma above 1": (0.1, 1.1, 3),
            "gamma 0": (0.1, 0.0, 2),
        },
        draw=lambda numbers: (_some_lr(numbers), _some_gamma(numbers), numbers.randint(0, 30)),
        apart=[(0.25, 0.5, epoch) for epoch in (20, 50, 100, 1000)],
        says={"gamma-above-one": "gamma may be above 1: the formula holds as it is, and the rate grows."},
    ),
    "recursive-lr": recursive_lr,
    "half-life": Comparison(
        truth=half_life,
        mistakes={
            "additive-decay": [lambda g: 0.5 / (1 - g)],
            "gamma-is-the-reduction": [lambda g: half_life(1 - g)],
            "off-by-one-epoch": [lambda g: half_life(g) + 1, lambda g: half_life(g) - 1],
            "never-stepped": [lambda g: math.inf],
            "one-multiplication": [lambda g: 0.5 / g],
            "exp-minus-gamma": [lambda g: math.log(2) / g, lambda g: math.log(2) / (1 - g)],
            "double-step": [lambda g: half_life(g) / 2],
            "ratio-upside-down": [lambda g: math.log(g) / math.log(0.5)],
        },
        inputs=[(gamma,) for gamma in (0.9, 0.8, 0.75, 0.6, 0.5, 0.3)],
        draw=lambda numbers: (_some_gamma(numbers),),
        says={"ratio-upside-down": "The ratio is upside down: the logarithm of 1/2 is divided by that of gamma."},
        corners={"gamma 1 (the rate never halves: math.inf)": (1.0,)},
    ),
    "step-budget": Comparison(
        truth=lambda initial_lr, gamma: step_budget(initial_lr, gamma),
        mistakes={
            "decay-always-converges": [lambda i, g: math.inf],
            "off-by-one-epoch": [lambda i, g: i * g / (1 - g), lambda i, g: i / g / (1 - g)],
            "gamma-is-the-reduction": [lambda i, g: i / g],
            "additive-decay": [lambda i, g: sum(max(0.0, i - (1 - g) * i * e) for e in range(99))],
            "exp-minus-gamma": [lambda i, g: i / (1 - math.exp(-g))],
            "gamma-to-the-initial-lr": [lambda i, g: 1 / (1 - i * g)],
            "double-step": [lambda i, g: i / (1 - g**2)],
            "ratio-upside-down": [lambda i, g: (1 - g) / i],
        },
        inputs=list(product((0.1, 0.5), (0.9, 0.75, 0.5, 0.2))),
        corners={"gamma 1 (no limit: math.inf)": (0.1, 1.0), "gamma 0": (0.1, 0.0)},
        draw=lambda numbers: (_some_lr(numbers), _some_gamma(numbers)),
        also={"decay-always-converges": "(A rate that never changes has no limit indeed: never-stepped.)"},
    ),
    "worked-table": Comparison(
        truth=_table(exponential_lr),
        mistakes=_tables(WRONG_RATES | {"every-n-epochs": _every(2, 3, 4), "rounded-to-zero": _rounded(0)})
        | {"get-lr-as-current": [probes.read_from_get_lr]}
        | _tables({"tensor-lr-alias": [lambda i, g, e: i * g**4, lambda i, g, e: i * g**5]}),
        inputs=[(0.5, 0.8)],
        says={
            "get-lr-as-current": "These are the next epoch's rates: a loop that multiplies before it keeps the rate.",
            "tensor-lr-alias": "All five are the same rate, that of the end: keep the number of each epoch.",
        },
        also={"off-by-one-epoch": "Rates kept after scheduler.step() look like that too (logged-after-step)."},
        size=5,
        given=True,
    ),
    "best-gamma": tuning.best_gamma(0.1),
    "best-gamma-alone": tuning.best_gamma(0.15),
    "gamma-per-batch": Comparison(  # n is the number of batches
        truth=lambda gamma, batches_per_epoch: gamma ** (1 / batches_per_epoch),
        mistakes={
            "per-batch-step": [lambda g, n: g, lambda g, n: g**n],
            "additive-decay": [lambda g, n: 1 - (1 - g) / n],
            "divided-not-rooted": [lambda g, n: g / n],
            "gamma-is-the-reduction": [lambda g, n: (1 - g) ** (1 / n), lambda g, n: 1 - g ** (1 / n)],
            "exp-minus-gamma": [lambda g, n: math.exp(-g / n)],
            "fence-post": [lambda g, n: g ** (1 / (n - 1))],
            "off-by-one-epoch": [lambda g, n: g ** (1 / (n + 1))],
        },
        inputs=list(product((0.9, 0.5, 0.75), (2, 8, 100))),
        corners={"one batch": (0.9, 1), "gamma 1": (1.0, 8)},
        draw=lambda numbers: (_some_gamma(numbers), numbers.randint(2, 60)),
        says={
            "fence-post": "One multiplication for each batch: all of them count, and the first is one.",
            "off-by-one-epoch": "One multiplication for each batch, and no more.",
            "exp-minus-gamma": "No exp is needed: a root of gamma itself is wanted.",
        },
    ),
    "gamma-per-update": Comparison(  # b is the number of micro-batches an epoch, a how many share an update
        truth=lambda gamma, batches_per_epoch, accumulate: gamma ** (1 / math.ceil(batches_per_epoch / accumulate)),
        mistakes={
            "micro-batch-step": [lambda g, b, a: g ** (1 / b), lambda g, b, a: g ** (1 / (b * a))],
            "last-update-forgotten": [lambda g, b, a: g ** (1 / (b // a)), lambda g, b, a: g ** (a / b)],
            "per-batch-step": [lambda g, b, a: g, lambda g, b, a: g ** math.ceil(b / a)],
            "additive-decay": [lambda g, b, a: 1 - (1 - g) / math.ceil(b / a)],
            "divided-not-rooted": [lambda g, b, a: g / math.ceil(b / a)],
        },
        inputs=[(0.9, 8, 3), (0.5, 100, 8), (0.75, 10, 4)],
        corners={"no accumulation": (0.9, 8, 1), "fewer batches than one update takes": (0.9, 3, 4)},
    ),
    "weight-left": Comparison(
        truth=lambda initial_lr, gamma, weight_decay, num_epochs: math.prod(
            1 - exponential_lr(initial_lr, gamma, epoch) * weight_decay for epoch in range(num_epochs)
        ),
        mistakes={
            "weight-decay-stays": [lambda i, g, w, n: (1 - i * w) ** n],
            "gamma-is-weight-decay": [lambda i, g, w, n: g**n, lambda i, g, w, n: (1 - w) ** n],
            "off-by-one-epoch": [lambda i, g, w, n: math.prod(1 - i * g ** (e + 1) * w for e in range(n))],
        },
        inputs=[(0.1, 0.9, 0.1, 100), (0.5, 0.8, 0.2, 5), (0.2, 0.95, 0.5, 10)],
        corners={"gamma 1": (0.1, 1.0, 0.1, 10), "no weight decay": (0.1, 0.9, 0.0, 5)},
    ),
    "gamma-for": Comparison(  # f is the final_lr, n num_epochs
        truth=gamma_for,
        mistakes={
            "fence-post": [lambda i, f, n: (f / i) ** (1 / n)],
            "off-by-one-epoch": [lambda i, f, n: (f / i) ** (1 / (n + 1)), lambda i, f, n: (f / i) ** (1 / (n - 2))],
            "additive-decay": [lambda i, f, n: 1 - (1 - f / i) / (n - 1), lambda i, f, n: 1 - (1 - f / i) / n],
            "gamma-is-the-reduction": [lambda i, f, n: 1 - gamma_for(i, f, n)],
            "one-multiplication": [lambda i, f, n: f / i],
            "divided-not-rooted": [lambda i, f, n: f / i / (n - 1), lambda i, f, n: f / i / n],
            "ratio-upside-down": [lambda i, f, n: (i / f) ** (1 / (n - 1)), lambda i, f, n: (i / f) ** (1 / n)],
            "exp-minus-gamma": [lambda i, f, n: math.log(i / f) / (n - 1)],
            "gamma-to-the-initial-lr": [lambda i, f, n: f ** (1 / (n - 1)) / i],
            "gamma-above-one": [
                lambda i, f, n: gamma_for(i, f, n) if f <= i else _refused(),
                lambda i, f, n: min(gamma_for(i, f, n), 1.0),
            ],
        },
        inputs=[(0.01, 1e-4, 30), (0.1, 1e-3, 10), (1.0, 0.05, 5), (0.5, 0.25, 3), (0.3, 0.02, 12)],
        draw=lambda numbers: (_some_lr(numbers), round(10 ** numbers.uniform(-6, -3), 7), numbers.randint(4, 60)),
        says={"ratio-upside-down": "The ratio is upside down: what is left is final_lr / initial_lr."},
        corners={"two epochs": (0.1, 0.01, 2), "a rate that grows": (1e-3, 0.1, 5)},
    ),
    "capstone": tuning.capstone,
    **PRACTICE,
}
