"""Questions, answers, and the misconception behind a wrong answer: the catalogue that a teacher edits.

An exercise is the right answer, what somebody who believes a misconception would answer, and inputs that tell
them apart. ``comparison`` judges; ``probes`` tries what needs an optimizer.
"""

import dataclasses
import math
import warnings
from collections.abc import Callable
from itertools import product
from typing import Any

from lrlearn import probes
from lrlearn.comparison import Comparison, Feedback, Unanswered, UnusableAnswer, counted, raised_by
from lrlearn.misconceptions import HINTS
from lrlearn.predictions import PREDICTIONS, Prediction, predicted
from lrlearn.schedules import exponential_lr, gamma_for, half_life, step_budget

__all__ = [
    "EXERCISES",
    "HINTS",
    "PREDICTIONS",
    "Comparison",
    "Feedback",
    "Prediction",
    "UnusableAnswer",
    "check",
    "predicted",
]
ONE_AHEAD = (
    "A log written after scheduler.step() (logged-after-step) and scheduler-before-optimizer look like that too."
)


def check(exercise_id: str, answer: Any) -> Feedback:
    """Judge an answer and say which misconception explains it, if one does.

    Args:
        exercise_id: a key of `EXERCISES`.
        answer: a number, a list of numbers or a function, as the exercise asks; ``...`` or None: not answered yet.

    Returns:
        The feedback; it shows itself in a notebook. No answer makes ``check`` raise.

    Raises:
        ValueError: there is no such exercise; the message lists those that there are.

    >>> check("lr-at-epoch", 0.2 * 0.8**5).misconception
    'off-by-one-epoch'
    """
    if not isinstance(exercise_id, str) or exercise_id not in EXERCISES:
        raise ValueError(f"exercise_id must be one of {', '.join(EXERCISES)}; not {exercise_id!r}")
    return counted(_judged(EXERCISES[exercise_id], answer), "exercise", exercise_id)


def _judged(exercise: Callable[[Any], Feedback], answer: Any) -> Feedback:
    try:
        if any(part is None or part is ... for part in (answer if type(answer) in (tuple, list) else [answer])):
            raise Unanswered
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an answer is asked for corners, where numpy and torch may warn
            feedback = exercise(answer)
            sentence = HINTS[feedback.misconception] if feedback.misconception else ""
            return dataclasses.replace(feedback, hint=f"{sentence} {feedback.hint}".strip())
    except KeyboardInterrupt:
        raise  # the way out of an endless loop
    except Unanswered:
        return Feedback(False, None, "Put your answer in the place of the dots and run the cell again.", answered=False)
    except UnusableAnswer as problem:
        return Feedback(False, None, f"{problem}.")
    except BaseException as error:  # not even exit() in an answer may end the lesson
        return Feedback(False, None, f"That answer cannot be used: it raises {raised_by(error)}.")


def _rounded(*digits: int) -> list[Callable]:
    return [lambda *inputs, n=n: round(exponential_lr(*inputs), n) for n in digits]


def _table(lr: Callable) -> Callable:
    return lambda initial_lr, gamma: [lr(initial_lr, gamma, epoch) for epoch in range(5)]


def _refused() -> float:
    raise UnusableAnswer("")


# the rate that somebody who believes it gives to an epoch; here i is the initial_lr, g gamma, e the epoch
WRONG_RATES: dict[str, list[Callable]] = {
    "off-by-one-epoch": [lambda i, g, e: i * g ** (e + 1), lambda i, g, e: i * g ** (e - 1)],
    "additive-decay": [lambda i, g, e: i - (1 - g) * i * e, lambda i, g, e: max(0.0, i - (1 - g) * i * e)],
    "never-stepped": [lambda i, g, e: i],
    "gamma-is-the-reduction": [lambda i, g, e: i * (1 - g) ** e],
    "one-multiplication": [lambda i, g, e: i * g * e, lambda i, g, e: i * g, lambda i, g, e: i * g if e else i],
    "exp-minus-gamma": [lambda i, g, e: i * math.exp(-g * e), lambda i, g, e: i * math.exp((g - 1) * e)],
    "gamma-to-the-initial-lr": [lambda i, g, e: (i * g) ** e],
    "double-step": [lambda i, g, e: i * g ** (2 * e)],
}
# id -> what judges an answer: a Comparison, or any function from the answer to a Feedback
EXERCISES: dict[str, Callable[[Any], Feedback]] = {
    "lr-at-epoch": Comparison(
        exponential_lr, WRONG_RATES | {"rounded-to-zero": _rounded(4, 3, 2)}, inputs=[(0.2, 0.8, 4)], given=True
    ),
    "exponential-lr": Comparison(
        truth=exponential_lr,
        mistakes=WRONG_RATES
        | {
            "rounded-to-zero": _rounded(2, 3, 4, 5, 6, 8),
            "gamma-above-one": [
                lambda i, g, e: i * g**e if g <= 1 else _refused(),
                lambda i, g, e: i * min(g, 1.0) ** e,
            ],
        },
        inputs=list(product((0.1, 0.25, 1e-4), (0.9, 0.5, 0.75), (1, 2, 3, 7))),
        corners={"epoch 0": (0.1, 0.9, 0), "gamma 1": (0.1, 1.0, 3), "gamma above 1": (0.1, 1.1, 3)},
        also={"off-by-one-epoch": ONE_AHEAD},
    ),
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
        },
        inputs=[(gamma,) for gamma in (0.9, 0.8, 0.75, 0.6, 0.5, 0.3)],
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
        },
        inputs=list(product((0.1, 0.5), (0.9, 0.75, 0.5, 0.2))),
        corners={"gamma 1 (no limit: math.inf)": (0.1, 1.0)},
        also={"decay-always-converges": "(Without any decay there is no limit indeed: never-stepped.)"},
    ),
    "worked-table": Comparison(
        truth=_table(exponential_lr),
        mistakes={
            slug: [_table(form) for form in forms]
            for slug, forms in {
                **WRONG_RATES,
                "rounded-to-zero": _rounded(3, 2, 1),
                "get-lr-as-current": [lambda i, g, e: i * g ** (e + 1) if e else i],
                "tensor-lr-alias": [lambda i, g, e: i * g**4, lambda i, g, e: i * g**5],
            }.items()
        },
        inputs=[(0.5, 0.8)],
        also={"off-by-one-epoch": ONE_AHEAD},
        size=5,
        given=True,
    ),
    "best-gamma": probes.best_gamma,
    "training-loop": Comparison(
        truth=probes.training_loop(end="s"),
        mistakes={
            "never-stepped": [probes.training_loop()],
            "per-batch-step": [
                probes.training_loop(batch="os"),
                probes.training_loop(batch="so"),
                probes.training_loop(batch="os", end="s"),
            ],
            "scheduler-before-optimizer": [probes.training_loop(start="s")],
            "double-step": [probes.training_loop(end="ss"), probes.training_loop(start="s", end="s")],
            "recreated-optimizer": [probes.training_loop(start="n", end="s")],
            "plotting-consumes-it": [probes.training_loop(first="s", end="s")],
            "off-by-one-epoch": [probes.training_loop(end="s", more=-1), probes.training_loop(end="s", more=1)],
        },
        inputs=[(0.1, 0.9, 3, 4), (0.1, 0.5, 4, 2), (0.1, 0.75, 2, 3)],
        observe=probes.rates_used,
    ),
    "gamma-per-batch": Comparison(  # n is the number of batches
        truth=lambda gamma, batches_per_epoch: gamma ** (1 / batches_per_epoch),
        mistakes={
            "per-batch-step": [lambda g, n: g, lambda g, n: g**n],
            "additive-decay": [lambda g, n: 1 - (1 - g) / n],
            "one-multiplication": [lambda g, n: g / n],
            "gamma-is-the-reduction": [lambda g, n: (1 - g) ** (1 / n), lambda g, n: 1 - g ** (1 / n)],
            "exp-minus-gamma": [lambda g, n: math.exp(-g / n)],
            "fence-post": [lambda g, n: g ** (1 / (n - 1))],
            "off-by-one-epoch": [lambda g, n: g ** (1 / (n + 1))],
        },
        inputs=list(product((0.9, 0.5, 0.75), (2, 8, 100))),
        corners={"one batch": (0.9, 1), "gamma 1": (1.0, 8)},
    ),
    "resume": Comparison(
        truth=probes.resume,
        mistakes={
            "scheduler-state-not-saved": [lambda opt, sched, saved: opt.load_state_dict(saved["optimizer"])],
            "optimizer-state-not-restored": [lambda opt, sched, saved: sched.load_state_dict(saved["scheduler"])],
            "last-epoch-is-the-end": [probes.resume_from_last_epoch],
        },
        inputs=[(0.1, 0.9, 5), (0.5, 0.75, 2)],
        also={"optimizer-state-not-restored": "(Setting last_epoch alone does the same: last-epoch-is-the-end.)"},
        observe=probes.rates_after_resume,
    ),
    "fine-tune": Comparison(
        truth=probes.start_fine_tuning(),
        mistakes={
            "decayed-rate-kept": [
                probes.start_fine_tuning("optimizer"),
                probes.start_fine_tuning("optimizer", "scheduler"),
            ],
            "base-lrs-kept": [probes.start_fine_tuning("optimizer", base=False)],
            "new-gamma-on-resume": [probes.start_fine_tuning("scheduler")],
        },
        inputs=[(0.05, 0.8), (0.02, 0.95)],
        observe=probes.rates_of_fine_tuning,
    ),
    "gamma-per-update": Comparison(  # b is the number of micro-batches an epoch, a how many share an update
        truth=lambda gamma, batches_per_epoch, accumulate: gamma ** (1 / math.ceil(batches_per_epoch / accumulate)),
        mistakes={
            "micro-batch-step": [lambda g, b, a: g ** (1 / b), lambda g, b, a: g ** (1 / (b * a))],
            "last-update-forgotten": [lambda g, b, a: g ** (1 / (b // a)), lambda g, b, a: g ** (a / b)],
            "per-batch-step": [lambda g, b, a: g, lambda g, b, a: g ** math.ceil(b / a)],
            "additive-decay": [lambda g, b, a: 1 - (1 - g) / math.ceil(b / a)],
            "one-multiplication": [lambda g, b, a: g / math.ceil(b / a)],
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
    "unfreeze": Comparison(
        truth=probes.unfreeze(lambda optimizer, scheduler: optimizer.param_groups[0]["lr"]),
        mistakes={
            "new-group-at-the-first-rate": [probes.unfreeze(None)],
            "off-by-one-epoch": [probes.unfreeze(lambda opt, sched: opt.param_groups[0]["lr"] * sched.gamma)],
        },
        inputs=[(0.1, 0.9, 5), (0.5, 0.75, 2)],
        observe=probes.rates_of_a_new_group,
    ),
    "gamma-for": Comparison(  # f is the final_lr, n num_epochs
        truth=gamma_for,
        mistakes={
            "fence-post": [lambda i, f, n: (f / i) ** (1 / n)],
            "off-by-one-epoch": [lambda i, f, n: (f / i) ** (1 / (n + 1)), lambda i, f, n: (f / i) ** (1 / (n - 2))],
            "additive-decay": [lambda i, f, n: 1 - (1 - f / i) / (n - 1), lambda i, f, n: 1 - (1 - f / i) / n],
            "gamma-is-the-reduction": [lambda i, f, n: 1 - gamma_for(i, f, n)],
            "one-multiplication": [lambda i, f, n: f / i, lambda i, f, n: f / i / (n - 1), lambda i, f, n: f / i / n],
            "exp-minus-gamma": [lambda i, f, n: math.log(i / f) / (n - 1)],
            "gamma-to-the-initial-lr": [lambda i, f, n: f ** (1 / (n - 1)) / i],
            "gamma-above-one": [
                lambda i, f, n: gamma_for(i, f, n) if f <= i else _refused(),
                lambda i, f, n: min(gamma_for(i, f, n), 1.0),
            ],
        },
        inputs=[(0.01, 1e-4, 30), (0.1, 1e-3, 10), (1.0, 0.05, 5), (0.5, 0.25, 3), (0.3, 0.02, 12)],
        corners={"two epochs": (0.1, 0.01, 2), "a rate that grows": (1e-3, 0.1, 5)},
    ),
    "capstone": probes.capstone,
}
