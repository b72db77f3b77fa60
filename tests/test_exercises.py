"""The exercises: what is accepted, what is diagnosed, and that no answer breaks anything."""

import html
import itertools
import json
import math
import operator
import re
import subprocess
import sys
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lrlearn import comparison, recaps, tuning
from lrlearn.answers import close_to, copied
from lrlearn.commands import notebooks_under
from lrlearn.comparison import Choices, Comparison, Feedback
from lrlearn.exercises import EXERCISES, HINTS, check, predicted
from lrlearn.regression import GAMMAS
from lrlearn.schedules import exponential_lr, gamma_for, half_life, step_budget
from lrlearn.tuning import ADVICE

ROOT = Path(__file__).resolve().parent.parent
COMPARISONS = {name: exercise for name, exercise in EXERCISES.items() if isinstance(exercise, Comparison)}
# the course's list of misconceptions; each is met by an exercise ...
KNOWN = """
off-by-one-epoch additive-decay never-stepped gamma-is-the-reduction exp-minus-gamma one-multiplication
gamma-to-the-initial-lr per-batch-step scheduler-before-optimizer double-step get-lr-as-current logged-after-step
fence-post last-epoch-is-the-end scheduler-state-not-saved optimizer-state-not-restored new-gamma-on-resume
plotting-consumes-it gamma-is-weight-decay step-takes-the-loss adam-ignores-it manual-edit-lasts recreated-optimizer
tensor-lr-alias decay-always-converges gamma-above-one rounded-to-zero
"""
# ... or gives the same numbers as a likelier one, whose hint names it ...
NAMED_BY = {"logged-after-step": ("worked-table", "off-by-one-epoch")}
# ... or can be met by none
NOT_MET = {
    "step-takes-the-loss": "training-loop is given no loss that could be passed on",
    "adam-ignores-it": "a belief about Adam; every exercise is about rates, which Adam and SGD share",
    "manual-edit-lasts": "no exercise asks what follows after param_groups were edited by hand",
}


# with the torch of today get_lr() is one epoch ahead throughout: only the last bits tell it from the closed form
SAME_BUT_FOR_ROUNDING = [{"off-by-one-epoch", "get-lr-as-current"}]


def as_answer(exercise, function):
    """A function of the inputs in the form that the learner gives: the function, or its value."""
    return function(*exercise.inputs[0]) if exercise.given else function


def beliefs():
    return [pytest.param(name, slug, id=f"{name}-{slug}") for name, e in COMPARISONS.items() for slug in e.mistakes]


@pytest.mark.parametrize("name", COMPARISONS)
def test_the_truth_is_right(name):
    feedback = check(name, as_answer(COMPARISONS[name], COMPARISONS[name].truth))
    assert feedback.correct and feedback.misconception is None and feedback.answered


@pytest.mark.parametrize(("name", "slug"), beliefs())
def test_every_misconception_is_diagnosed_with_its_slug(name, slug):
    exercise = COMPARISONS[name]
    for at, form in enumerate(exercise.mistakes[slug]):
        feedback = check(name, as_answer(exercise, form))
        assert (feedback.correct, feedback.misconception) == (False, slug), at
        assert exercise.says.get(slug, HINTS[slug]) in feedback.hint and len(feedback.hint) < 400


def observed(exercise, function):
    """What `Comparison` sees: the inputs, and the corners if all inputs are right; else more inputs."""
    seen = [exercise.ask(function, inputs) for inputs in exercise.inputs]
    right = [exercise.ask(exercise.truth, inputs) for inputs in exercise.inputs]
    all_right = all(one.agrees(other) for one, other in zip(seen, right, strict=True))
    more = exercise.corners.values() if all_right else exercise.apart
    return all_right, seen + [exercise.ask(function, inputs) for inputs in more]


def tells_apart(exercise):
    """No two misconceptions, nor one and the truth, may agree on all inputs."""
    answers: list = [("right", exercise.truth)]
    answers += [(slug, form) for slug, functions in exercise.mistakes.items() for form in functions]
    seen = [(slug, *observed(exercise, form)) for slug, form in answers]
    loose = copied if exercise.given else comparison._roughly
    for (slug, one_right, one), (other, two_right, two) in itertools.combinations(seen, 2):
        # a rounded right number is close to the right one by its nature; it must only not be equal
        same = operator.eq if {slug, other} in SAME_BUT_FOR_ROUNDING else loose
        same = close_to if "rounded-to-zero" in (slug, other) else same
        if slug != other and one_right == two_right:
            agree = all(a.agrees(b, same) for a, b in zip(one, two, strict=True))
            assert not agree, f"{slug} and {other} give the same numbers"


@pytest.mark.parametrize("name", COMPARISONS)
def test_inputs_tell_all_misconceptions_and_the_truth_apart(name):
    tells_apart(COMPARISONS[name])


def test_that_test_can_fail():
    twins = Comparison(
        truth=half_life,
        mistakes={"additive-decay": [lambda g: 2 * g], "double-step": [lambda g: g + g]},
        inputs=[(0.5,), (0.9,)],
    )
    with pytest.raises(AssertionError, match="same numbers"):
        tells_apart(twins)


def test_every_known_misconception_is_met_named_or_has_a_reason():
    met = {slug for exercise in COMPARISONS.values() for slug in exercise.mistakes}
    met |= {check("best-gamma", gamma).misconception for gamma in (*GAMMAS, 0.06)} - {None}
    choices = [exercise for exercise in EXERCISES.values() if isinstance(exercise, Choices)]
    met |= {slug for exercise in choices for _, slugs in exercise.questions for slug in slugs.values()}
    asked = [question for round in range(1, 30) for _, _, question in recaps.questions("review", round)]
    met |= {slug for question in asked for slug in question.beliefs}
    assert met == set(HINTS), "each sentence has an exercise, and each exercise its sentences"
    assert set(KNOWN.split()) <= met | NAMED_BY.keys() | NOT_MET.keys() and not met & NOT_MET.keys()
    for slug, (name, likelier) in NAMED_BY.items():
        form = COMPARISONS[name].mistakes[likelier][0]
        assert slug in check(name, as_answer(COMPARISONS[name], form)).hint
    assert all(len(reason) > 20 for reason in NOT_MET.values())


def test_states_that_were_exchanged_are_named():
    def resume(optimizer, scheduler, checkpoint):
        optimizer.load_state_dict(checkpoint["scheduler"])
        scheduler.load_state_dict(checkpoint["optimizer"])

    assert "another state than its own" in check("resume", resume).hint


def test_a_word_without_its_quotes_is_asked_for_as_a_word():
    feedback = predicted("last-epoch-ends-it", dict, "no")
    assert "yes, no, in quotes" in repr(feedback)


def test_the_same_numbers_are_named_in_the_hint():
    ahead = [0.5 * 0.8**epoch for epoch in range(1, 6)]
    assert "logged-after-step" in check("worked-table", ahead).hint
    assert "never-stepped" in check("step-budget", lambda initial_lr, gamma: math.inf).hint

    def only_the_count(optimizer, scheduler, checkpoint):
        scheduler.last_epoch = checkpoint["scheduler"]["last_epoch"]

    feedback = check("resume", only_the_count)
    assert feedback.misconception == "optimizer-state-not-restored" and "last-epoch-is-the-end" in feedback.hint


# ---- right answers, in any reasonable form

KINDS = [
    float,
    np.float64,
    np.float32,
    np.array,
    torch.tensor,
    lambda number: torch.tensor(number, dtype=torch.float64),
    lambda number: torch.tensor(number, requires_grad=True),
    Decimal,
    lambda number: Decimal(repr(number)),
    lambda number: Fraction(number) if math.isfinite(number) else number,
]
kinds = st.sampled_from(KINDS)
drift = st.floats(-0.9e-6, 0.9e-6)


@given(kinds, st.floats(-0.8e-6, 0.8e-6))
def test_a_right_number_of_any_kind_is_right(kind, error):
    assert check("lr-at-epoch", kind(0.2 * 0.8**4 * (1 + error))).correct
    assert check("best-gamma", kind(0.94)).correct


@given(
    st.lists(kinds, min_size=5, max_size=5), st.sampled_from([list, tuple, iter, lambda values: (v for v in values)])
)
def test_a_right_table_of_any_kind_is_right(each, container):
    assert check("worked-table", container([kind(0.5 * 0.8**e) for e, kind in enumerate(each)])).correct


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_and_tensors_are_lists(dtype):
    table = (0.5 * 0.8 ** np.arange(5)).astype(dtype)
    assert check("worked-table", table).correct and check("worked-table", torch.tensor(table)).correct


@given(st.sampled_from([name for name, e in COMPARISONS.items() if not e.given and not e.observe]), kinds, drift)
def test_a_right_function_that_returns_any_kind_is_right(name, kind, error):
    truth = COMPARISONS[name].truth
    error = error / 2  # float32 rounds as well
    assert check(name, eval_like(truth, lambda value: kind(value * (1 + error)))).correct


def eval_like(function, change):
    def answer(*inputs):
        return change(function(*inputs))

    return answer


def loop_lr(initial_lr, gamma, epoch):
    lr = initial_lr
    for _ in range(epoch):
        lr *= gamma
    return lr


def recursive_lr(initial_lr, gamma, epoch):
    return initial_lr if epoch == 0 else gamma * recursive_lr(initial_lr, gamma, epoch - 1)


def float32_loop_lr(initial_lr, gamma, epoch):
    lr, gamma = torch.tensor(initial_lr), torch.tensor(gamma)
    for _ in range(epoch):
        lr = lr * gamma
    return lr


def torch_lr(initial_lr, gamma, epoch):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=initial_lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
    for _ in range(epoch):
        optimizer.step()
        scheduler.step()
    return scheduler.get_last_lr()[0]


class Callable:
    def __call__(self, initial_lr, gamma, epoch):
        return initial_lr * gamma**epoch


def adding_up(initial_lr, gamma):
    return math.inf if gamma >= 1 else sum(initial_lr * gamma**epoch for epoch in range(1000))


def np_half_life(gamma):
    return np.log(np.float32(0.5)) / np.log(np.float32(gamma)) if gamma < 1 else np.inf


STYLES = [
    ("exponential-lr", lambda initial_lr, gamma, epoch: initial_lr * gamma**epoch),
    ("exponential-lr", lambda initial_lr, gamma, epoch: initial_lr * math.exp(epoch * math.log(gamma or 1e-300))),
    ("exponential-lr", lambda initial_lr, gamma, epoch: np.float32(initial_lr) * np.float32(gamma) ** epoch),
    ("exponential-lr", lambda initial_lr, gamma, epoch: torch.tensor(initial_lr) * torch.tensor(gamma) ** epoch),
    ("exponential-lr", lambda initial_lr, gamma, epoch: Fraction(initial_lr) * Fraction(gamma) ** epoch),
    ("exponential-lr", lambda initial_lr, gamma, epoch: Decimal(str(initial_lr)) * Decimal(str(gamma)) ** epoch),
    ("exponential-lr", lambda initial_lr, gamma, epoch: initial_lr * math.prod([gamma] * epoch)),
    ("exponential-lr", lambda a, b, c, d=1: a * b**c * d),
    ("exponential-lr", lambda *args, **kwargs: args[0] * args[1] ** args[2]),
    *(("exponential-lr", function) for function in (loop_lr, recursive_lr, float32_loop_lr, torch_lr, Callable())),
    ("exponential-lr", exponential_lr),
    ("half-life", half_life),
    ("half-life", np_half_life),
    ("half-life", lambda gamma: math.log(0.5, gamma) if gamma != 1 else math.inf),
    ("half-life", lambda gamma: float("inf") if gamma == 1 else -1 / math.log2(gamma)),
    ("half-life", lambda gamma: torch.log(torch.tensor(2.0)) / torch.log(torch.tensor(1 / gamma))),
    ("step-budget", step_budget),
    ("step-budget", adding_up),
    ("step-budget", lambda initial_lr, gamma: torch.tensor(initial_lr) / (1 - torch.tensor(gamma))),
    ("gamma-per-batch", lambda gamma, batches_per_epoch: math.exp(math.log(gamma) / batches_per_epoch)),
    ("gamma-per-batch", lambda gamma, batches_per_epoch: torch.tensor(gamma) ** (1 / batches_per_epoch)),
    ("gamma-for", gamma_for),
    ("gamma-for", lambda i, f, n: np.float32(f / i) ** np.float32(1 / (n - 1))),
    ("gamma-for", lambda i, f, n: 10 ** (math.log10(f / i) / (n - 1))),
]


@pytest.mark.parametrize(("name", "function"), STYLES)
def test_right_functions_in_any_style_are_right(name, function):
    assert check(name, function) == Feedback(True, None, check(name, COMPARISONS[name].truth).hint)


def skips_the_last(optimizer, scheduler, num_epochs, batches_per_epoch):
    for epoch in range(num_epochs):
        for _ in range(batches_per_epoch):
            optimizer.zero_grad()
            optimizer.step()
        if epoch < num_epochs - 1:
            scheduler.step()


def starts_with_the_scheduler(optimizer, scheduler, num_epochs, batches_per_epoch):
    for epoch in range(num_epochs):
        if epoch > 0:
            scheduler.step()
        for _ in range(batches_per_epoch):
            optimizer.step()


def with_while(optimizer, scheduler, num_epochs, batches_per_epoch):
    done = 0
    while done < num_epochs * batches_per_epoch:
        optimizer.step(lambda: torch.tensor(1.0))
        done += 1
        if done % batches_per_epoch == 0:
            scheduler.step()


@pytest.mark.parametrize("loop", [skips_the_last, starts_with_the_scheduler, with_while])
def test_loops_that_use_the_right_rates_are_right(loop):
    assert check("training-loop", loop).correct


def new_pair_each_epoch(optimizer, scheduler, num_epochs, batches_per_epoch):
    for _ in range(num_epochs):
        optimizer = torch.optim.SGD(optimizer.param_groups[0]["params"], lr=0.1)
        for _ in range(batches_per_epoch):
            optimizer.step()
        scheduler.step()


def two_schedulers(optimizer, scheduler, num_epochs, batches_per_epoch):
    second = torch.optim.lr_scheduler.ExponentialLR(optimizer, scheduler.gamma)
    for _ in range(num_epochs):
        for _ in range(batches_per_epoch):
            optimizer.step()
        scheduler.step()
        second.step()


def by_hand(optimizer, scheduler, num_epochs, batches_per_epoch):
    for _ in range(num_epochs):
        for _ in range(batches_per_epoch):
            optimizer.step()
        optimizer.param_groups[0]["lr"] *= scheduler.gamma


def never_trains(optimizer, scheduler, num_epochs, batches_per_epoch):
    for _ in range(num_epochs):
        scheduler.step()


@pytest.mark.parametrize(
    ("loop", "slug", "words"),
    [
        (new_pair_each_epoch, "recreated-optimizer", "new optimizer"),
        (two_schedulers, "double-step", "compound"),
        (by_hand, None, "scheduler stepped"),
        (never_trains, None, "optimizer.step() was never called"),
        (lambda *_: None, None, "optimizer.step() was never called"),
    ],
)
def test_faults_of_real_loops(loop, slug, words):
    feedback = check("training-loop", loop)
    assert not feedback.correct and feedback.misconception == slug and words in feedback.hint


def test_a_loop_leaves_no_hook_behind():
    from torch.optim.optimizer import _global_optimizer_pre_hooks

    before = len(_global_optimizer_pre_hooks)
    check("training-loop", by_hand)
    check("training-loop", lambda *_: 1 / 0)
    assert len(_global_optimizer_pre_hooks) == before


def test_resume_sees_the_fault_that_the_rates_hide():
    def optimizer_alone(optimizer, scheduler, checkpoint):
        optimizer.load_state_dict(checkpoint["optimizer"])

    resume = COMPARISONS["resume"]
    seen, right = (resume.ask(function, (0.1, 0.9, 5)).numbers for function in (optimizer_alone, resume.truth))
    assert {key for key in right if not math.isclose(seen[key], right[key])} == {"scheduler.last_epoch"}
    assert right == pytest.approx(dict(zip(right, (5, 0.059049, 0.0531441, 0.04782969, 0, 0), strict=True)))
    assert "Nothing was restored" in check("resume", lambda *_: None).hint


def counts_epochs_for_the_scheduler(optimizer, scheduler, num_epochs, batches_per_epoch):
    for epoch in range(num_epochs):
        for _ in range(batches_per_epoch):
            optimizer.step()
        scheduler.step(epoch)


def once_a_micro_batch(optimizer, scheduler, num_epochs, batches_per_epoch):
    for _ in range(num_epochs):
        for batch in range(batches_per_epoch):
            scheduler.step()
            if batch % 2:
                optimizer.step()


def four_processes(optimizer, scheduler, num_epochs, batches_per_epoch):
    for _ in range(num_epochs):
        for _ in range(batches_per_epoch):
            optimizer.step()
        for _ in range(4):
            scheduler.step()


def behind_the_epochs(optimizer, scheduler, num_epochs, batches_per_epoch):
    for _ in range(num_epochs):
        for _ in range(batches_per_epoch):
            optimizer.step()
    scheduler.step()


def a_scheduler_of_its_own(optimizer, scheduler, checkpoint):
    optimizer.load_state_dict(checkpoint["optimizer"])
    own = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    own.load_state_dict(checkpoint["scheduler"])


def reset(optimizer, scheduler, checkpoint):
    optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"]


def caught_up(optimizer, scheduler, checkpoint):
    optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])
    scheduler.step()


@pytest.mark.parametrize(
    ("name", "answer", "slug"),
    [
        ("exponential-lr", lambda i, g, e: i * g ** (e // 50), "every-n-epochs"),
        ("exponential-lr", lambda i, g, e: i * g ** (e // 200), "every-n-epochs"),
        ("exponential-lr", lambda i, g, e: i * g ** (e / 365), "every-n-epochs"),
        ("exponential-lr", lambda i, g, e: i - e * g, "additive-decay"),
        ("gamma-for", lambda i, f, n: (i / f) ** (1 / (n - 1)), "ratio-upside-down"),
        ("gamma-per-batch", lambda g, n: g / n, "divided-not-rooted"),
        ("training-loop", counts_epochs_for_the_scheduler, "step-with-the-epoch"),
        ("training-loop", once_a_micro_batch, "per-micro-batch-step"),
        ("training-loop", four_processes, "stepped-by-every-process"),
        ("training-loop", behind_the_epochs, "scheduler-after-the-epochs"),
        ("resume", a_scheduler_of_its_own, "new-scheduler-on-resume"),
        ("resume", reset, "rate-reset-on-resume"),
        ("resume", caught_up, "stepped-to-catch-up"),
    ],
)
def test_faults_that_people_reported_have_a_name_of_their_own(name, answer, slug):
    assert check(name, answer).misconception == slug
    assert slug in HINTS


def test_a_right_loop_at_which_torch_warns_is_told_so():
    def loop(optimizer, scheduler, num_epochs, batches_per_epoch):
        for _ in range(num_epochs):
            for _ in range(batches_per_epoch):
                optimizer.step()
            warnings.warn("Detected call of something", UserWarning, stacklevel=1)
            scheduler.step()

    feedback = check("training-loop", loop)
    assert feedback.correct and "PyTorch warns: Detected call of something" in feedback.hint


@pytest.mark.parametrize(
    "right_by_heart",
    [
        lambda i, g, e: i * g**e if e <= 7 else 0.0,
        lambda i, g, e: i * g**e if g in (0.9, 0.5, 0.75, 1.0, 1.1, 0.0) else 0.0,
        lambda i, g, e: round(i * g**e, 3) if i not in (0.1, 0.25, 1e-4) else i * g**e,
    ],
)
def test_a_function_that_is_right_on_the_fixed_inputs_alone_is_found(right_by_heart):
    feedback, again = (check("exponential-lr", right_by_heart) for _ in range(2))
    assert not feedback.correct
    assert again.hint == feedback.hint, "the same each time"


def test_the_form_with_exp_and_log_fails_in_one_corner():
    def answer(initial_lr, gamma, epoch):
        return initial_lr * math.exp(epoch * math.log(gamma))

    assert check("exponential-lr", answer).hint.startswith("Right but for one corner, gamma 0")


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("exponential-lr", lambda initial_lr, gamma, epoch: initial_lr * gamma ^ epoch, "a power is written **"),
        ("exponential-lr", lambda initial_lr, *, gamma, epoch: 1, "leave out the star"),
        ("lr-at-epoch", (0, 8), "a point: 0.8, not 0,8"),
        ("lr-at-epoch", "0,082", "a point: 0.8, not 0,8"),
        ("half-life", lambda gamma: {}["ellipsis"], "KeyError: 'ellipsis'"),
        ("recursive-lr", lambda initial_lr, gamma, epoch: initial_lr * gamma**epoch, "it is the closed form"),
    ],
)
def test_the_word_that_helps_stands_in_the_hint(name, answer, words):
    feedback = check(name, answer)
    assert feedback.answered and not feedback.correct and words in feedback.hint


# ---- wrong in ways that no misconception explains


@given(st.floats(0.001, 10), st.floats(-5, 5))
def test_an_unexplained_function_gets_a_counter_example(factor, shift):
    def answer(initial_lr, gamma, epoch):
        return initial_lr * gamma**epoch * (7 + factor) + 100 + shift

    feedback = check("exponential-lr", answer)
    assert not feedback.correct and feedback.misconception is None
    example = re.fullmatch(
        r"For initial_lr (\S+), gamma (\S+), epoch (\d+): you gave (\S+), expected (\S+)\.", feedback.hint
    )
    initial_lr, gamma, epoch, gave, expected = map(float, example.groups())
    assert gave == pytest.approx(answer(initial_lr, gamma, epoch)) and expected == pytest.approx(
        initial_lr * gamma**epoch
    )


@pytest.mark.parametrize(
    ("name", "function", "corner"),
    [
        ("exponential-lr", lambda i, g, e: i * math.prod([g] * e) if e else 0, "epoch 0"),
        ("exponential-lr", lambda i, g, e: i * g**e / (1 - g) * (1 - g), "gamma 1"),
        ("half-life", lambda gamma: math.log(0.5) / math.log(gamma), "gamma 1"),
        ("step-budget", lambda initial_lr, gamma: initial_lr / (1 - gamma), "gamma 1"),
        ("gamma-for", lambda i, f, n: (f / i) ** (1 / (n - 1)) if n > 2 else 0.5, "two epochs"),
    ],
)
def test_a_function_that_fails_in_a_corner_is_told_which(name, function, corner):
    feedback = check(name, function)
    assert not feedback.correct and feedback.misconception is None
    assert feedback.hint.startswith(f"Right but for one corner, {corner}")


def test_corners_are_not_asked_of_a_function_that_is_wrong_anyway():
    def counts(gamma):
        epochs, rate = 0, 1.0
        while rate > 0.5:  # at gamma 1 it would never end
            assert gamma < 1, "asked at gamma 1"
            epochs, rate = epochs + 1, rate * gamma
        return epochs

    assert "you gave 7, expected 6.57" in check("half-life", counts).hint


def test_a_number_copied_with_three_digits_is_diagnosed():
    assert check("lr-at-epoch", 0.0655).misconception == "off-by-one-epoch"
    assert check("worked-table", [0.4, 0.32, 0.256, 0.205, 0.164]).misconception == "off-by-one-epoch"
    assert check("lr-at-epoch", 0.0).misconception == "rounded-to-zero"


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize(("name", "initial_lr"), [("best-gamma", 0.1), ("best-gamma-alone", 0.15)])
def test_best_gamma_says_on_which_side_it_fails(name, initial_lr, gamma):
    means, words = tuning.final_losses(initial_lr)
    best = [choice for choice, word in zip(GAMMAS, words, strict=True) if word == "the same"]
    feedback = check(name, gamma)
    assert feedback.correct == (gamma in best)
    assert GAMMAS[means.index(min(means))] in best
    if words[GAMMAS.index(gamma)] == "cannot tell":
        assert "cannot tell" in feedback.hint and feedback.misconception is None
    elif gamma not in best and means[GAMMAS.index(gamma)] < 10 * min(means):
        way = "Raise" if gamma < min(best) else "Lower"
        assert f"near. {way} gamma a little" in feedback.hint and feedback.misconception is None
    elif gamma < min(best):
        assert "frozen" in feedback.hint and feedback.misconception == "decay-always-converges"
    elif gamma > max(best):
        assert "noise floor" in feedback.hint and feedback.misconception is None


# ---- not answered, unusable, hostile


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("answer", [..., None, [0.5, ..., ...], (..., ...)])
def test_dots_are_not_answered_yet(name, answer):
    feedback = check(name, answer)
    assert not feedback.correct and feedback.misconception is None and not feedback.answered
    assert repr(feedback).startswith("Not answered yet.")


@pytest.mark.parametrize("name", [name for name, e in COMPARISONS.items() if not e.given])
def test_a_function_that_returns_the_dots_is_not_answered_yet(name):
    assert not check(name, lambda *_: ...).answered


def test_a_function_with_blanks_is_not_answered_yet():
    assert not check("exponential-lr", lambda initial_lr, gamma, epoch: initial_lr * gamma ** ...).answered
    assert not check("half-life", lambda gamma: math.log(...) / math.log(...)).answered
    assert not check("gamma-for", lambda i, f, n: (f / i) ** (1 / (n - ...))).answered
    assert not check("training-loop", lambda *_: [1 for _ in range(...)]).answered


def raising(error):
    def answer(*_):
        raise error

    return answer


def tagged(*_):
    raise ValueError("<img src=x onerror=alert(1)>\x1b[31m\n" * 50)


def weird():
    """Answers of every odd kind; in a function, for pytest itself stumbles over some of them."""

    class Raises:
        """Everything that can be asked of it raises, or shows markup."""

        def __getattribute__(self, name):
            raise RuntimeError("<script>alert(1)</script>")

        def __repr__(self):
            raise RuntimeError("no repr")

        __str__ = __repr_html__ = _repr_html_ = __float__ = __len__ = __iter__ = __bool__ = __eq__ = __hash__ = __repr__

    class Markup:
        def __repr__(self):
            return "<script>alert(1)</script>\x1b[2J\n" * 1000

        __str__ = _repr_html_ = __repr__

    class Meta(type):
        def __getattribute__(cls, name):
            raise RuntimeError(name)

        def __eq__(cls, other):
            raise RuntimeError

        __hash__ = type.__hash__

    class MetaRaises(metaclass=Meta):
        pass

    class BadError(Exception):
        def __str__(self):
            raise SystemExit

        __repr__ = __str__

    async def coroutine(*_):
        return 1.0

    nested = []
    nested.append(nested)
    deep: list = []
    for _ in range(5000):
        deep = [deep]

    return [
        *(
            raising(error)
            for error in (ZeroDivisionError("x"), SystemExit(0), GeneratorExit(), BadError(), MemoryError())
        ),
        tagged,
        lambda: 1.0,
        lambda a: a,
        lambda a, b, c, d, e, f: a,
        lambda *, gamma: gamma,
        lambda *_: "0.1",
        lambda *_: [1.0],
        lambda *_: lambda: 1,
        lambda *_: math.nan,
        lambda *_: Raises(),
        lambda *_: MetaRaises(),
        lambda *_: 1j,
        lambda *_: 10**400,
        lambda *_: exec("raise RecursionError"),
        coroutine,
        print,
        int,
        type,
        Raises,
        Raises(),
        Markup(),
        MetaRaises,
        MetaRaises(),
        "<script>alert(1)</script>",
        "0.08192",
        b"0.1",
        "\ud800\x00\u202e",
        [],
        [0.5],
        [1.0] * 4,
        [1.0] * 6,
        itertools.count(),
        {"a": 1},
        {1.0, 2.0, 3.0, 4.0, 5.0},
        [[1.0] * 5] * 5,
        ["<b>"] * 5,
        [Raises()] * 5,
        [Markup()] * 5,
        nested,
        deep,
        math.nan,
        -math.inf,
        10**400,
        10**5000,
        Fraction(10**400),
        Decimal("NaN"),
        Decimal("sNaN"),
        True,
        1j,
        np.array([0.1]),
        np.zeros((2, 2)),
        np.array("x"),
        np.array([]),
        torch.zeros(3),
        torch.tensor(1j),
        torch.zeros(1, device="meta")[0],
        object(),
        NotImplemented,
        sys,
    ]


def is_safe(feedback):
    assert isinstance(feedback, Feedback)
    page, text = feedback._repr_html_(), repr(feedback)
    assert type(feedback.hint) is str and text.isprintable() and len(text) < 600
    assert re.sub(r"</?(div|strong|span|code)\b[^<>]*>", "", page).count("<") == 0
    assert "0x" not in text  # an address would differ from run to run
    text.encode()


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("number", range(len(weird())))
def test_weird_answers_never_raise(name, number):
    feedback = check(name, weird()[number])
    is_safe(feedback)
    assert not feedback.correct


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: st.lists(inner, max_size=6) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*EXERCISES]), anything, st.booleans())
def test_no_answer_makes_check_raise(name, answer, as_function):
    is_safe(check(name, (lambda *_: answer) if as_function else answer))


def test_endless_loops_can_be_stopped():
    with pytest.raises(KeyboardInterrupt):
        check("half-life", raising(KeyboardInterrupt()))


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("half-life", 6.58, "A function of (gamma) is wanted"),
        ("half-life", lambda a, b: a, "this one takes (a, b)"),
        ("exponential-lr", lambda gamma, initial_lr, epoch: 1.0, "in this order"),
        ("half-life", lambda gamma: print(end=""), "a return is missing"),
        ("half-life", lambda gamma: "6.58", "One number is wanted, not '6.58'"),
        ("half-life", lambda gamma: gamma / 0, "It raises ZeroDivisionError"),
        ("lr-at-epoch", "0.08192", "One number is wanted, not '0.08192'"),
        ("lr-at-epoch", half_life, "One number is wanted"),
        ("worked-table", [0.5, 0.4], "5 numbers are wanted, and here are 2"),
        ("worked-table", [0.5] * 9, "and here are more"),
        ("worked-table", 0.5, "A list of 5 numbers is wanted"),
        ("best-gamma", 0.945, "Choose one of the gammas"),
        ("best-gamma", 7, "Choose one of the gammas"),
    ],
)
def test_unusable_answers_are_told_why(name, answer, words):
    assert words in check(name, answer).hint


@pytest.mark.parametrize("name", ["half life", "", None, 3, ["half-life"], "<b>"])
def test_an_unknown_exercise_lists_the_known_ones(name):
    with pytest.raises(ValueError, match="half-life") as error:
        check(name, 1)
    assert all(known in str(error.value) for known in EXERCISES)


# ---- how it shows itself


@pytest.mark.parametrize(
    ("answer", "symbol", "word"), [(0.08192, "✔", "Right"), (0.2, "✘", "Not right yet"), (..., "…", "Not answered yet")]
)
def test_feedback_shows_itself_without_colour_and_as_text(answer, symbol, word):
    feedback = check("lr-at-epoch", answer)
    page = feedback._repr_html_()
    assert symbol in page and f"{word}." in page and 'role="status"' in page and "background:#ffffff" in page
    assert html.escape(feedback.hint) in page and f'aria-hidden="true">{symbol}' in page
    assert repr(feedback) == repr(check("lr-at-epoch", answer)) and repr(feedback).startswith(word)
    assert "\n" not in repr(feedback)


def test_feedback_keeps_its_distance_from_what_was_printed_above_it():
    """A notebook leaves no room between two outputs of a cell."""
    (above,) = re.findall(r"^<div[^>]*;margin:(\d+)px 0", check("lr-at-epoch", 0.2)._repr_html_())
    assert int(above) >= 6


def counted_part(shown):
    """The part that a report counts, of what IPython would show."""
    from IPython.core.formatters import DisplayFormatter

    return DisplayFormatter().format(shown)[0]


@pytest.fixture
def fresh_kernel(monkeypatch):
    monkeypatch.setattr(comparison, "_tries", {})


@pytest.mark.usefixtures("fresh_kernel")
def test_feedback_can_be_counted():
    answers = [..., 0.2 * 0.8**5, 0.2, 0.123, 0.2 * 0.8**5, 0.2 * 0.8**4, ...]
    shown = [counted_part(check("lr-at-epoch", answer)) for answer in answers]
    assert all(part.keys() == {"text/plain", "text/html", comparison.FEEDBACK} for part in shown)
    records = [part[comparison.FEEDBACK] for part in shown]
    assert records == json.loads(json.dumps(records))
    ahead, never = "off-by-one-epoch", "never-stepped"
    assert [(r["exercise"], r["verdict"], r["misconception"], r["try"], r["earlier"]) for r in records] == [
        ("lr-at-epoch", "not answered", None, 0, []),
        ("lr-at-epoch", "not yet", ahead, 1, []),
        ("lr-at-epoch", "not yet", never, 2, [ahead]),
        ("lr-at-epoch", "not yet", None, 3, [ahead, never]),
        ("lr-at-epoch", "not yet", ahead, 4, [ahead, never]),
        ("lr-at-epoch", "right", None, 5, [ahead, never]),
        ("lr-at-epoch", "not answered", None, 5, [ahead, never]),
    ]


@pytest.mark.usefixtures("fresh_kernel")
def test_what_is_counted_holds_nothing_of_the_answer():
    for name in EXERCISES:
        for answer in (tagged, raising(ValueError("secret-92137")), "secret-92137", 92137.0, lambda *_: 92137.0):
            record = json.dumps(check(name, answer).record)
            assert "92137" not in record and "<" not in record and len(record) < 200


@pytest.mark.usefixtures("fresh_kernel")
def test_exercises_and_predictions_are_counted_apart():
    check("half-life", 1)
    assert check("lr-at-epoch", 1).tries == 1
    found = predicted("rate-in-epoch-3", 0.07, 0.0729)
    assert found.record == {
        "prediction": "rate-in-epoch-3",
        "verdict": "not yet",
        "misconception": "additive-decay",
        "try": 1,
        "earlier": [],
    }
    assert comparison.FEEDBACK not in counted_part(predicted(None, 1, 2)), "it has no name to count it under"
    assert comparison.FEEDBACK not in counted_part(Feedback(True, None, ""))


def test_quoted_text_is_escaped():
    page = check("half-life", tagged)._repr_html_()
    assert "<img" not in page and "&lt;img" in page


def test_formula_exercises_need_no_torch():
    code = (
        "from lrlearn.exercises import check; import sys; check('half-life', float); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    code = code.replace("check('half-life', float)", "check('best-gamma', 0.9)")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 1


# ---- in CONTRIBUTING and in the lessons


def test_the_exercise_of_contributing_works():
    section = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add an exercise")[2]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
    before = set(EXERCISES)
    try:
        exec(code, {})
        (added,) = set(EXERCISES) - before
        tells_apart(EXERCISES[added])
        assert check(added, EXERCISES[added].truth).correct
    finally:
        for name in set(EXERCISES) - before:
            del EXERCISES[name]


LESSONS = notebooks_under(ROOT / "lessons")


def asked(source):
    # not an application's stored.check
    return re.findall(r"""(?<![\w.])check\(\s*["']([a-z-]+)["']""", source)


def questions(notebook):
    """[exercise id, source of the cell that asks, code of the solutions folded away between it and the next]."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found += [[name, cell.source, []] for name in asked(cell.source)]
        elif found:
            for fold in re.findall(r"<details>(.*?)</details>", cell.source, re.DOTALL):
                found[-1][2] += re.findall(r"```python\n(.*?)```", fold, re.DOTALL)
    return found


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_question_of_a_lesson_has_a_folded_solution_that_is_accepted(path):
    found = questions(nbformat.read(path, as_version=4))
    for name, cell, codes in found:
        assert codes, f"{path.stem}: {name} has no folded solution"
        for code in codes:
            # a solution checks itself, or is what the learner puts in the place of the dots
            lines = {"check": check}
            if not asked(code):
                exec(cell, lines)
                code += cell.splitlines()[-1]
            exec(code.replace("check(", "feedback = check("), lines)
            assert lines["feedback"].correct, f"{path.stem}: a solution of {name} is rejected: {lines['feedback']}"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_stored_with_its_questions_open(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and asked(cell.source) and "..." in cell.source:
            texts = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
            assert any(text.startswith("Not answered yet.") for text in texts), cell.source


@pytest.mark.parametrize("initial_lr", [0.45, 0.5, 0.6])
def test_the_capstone_says_how_far_and_in_which_direction(initial_lr):
    assert check("capstone", (initial_lr, 0.84)).correct
    frozen, noisy = check("capstone", (initial_lr, 0.6)), check("capstone", [initial_lr, 1.0])
    assert frozen.misconception == "decay-always-converges" and "times the best" in frozen.hint
    assert not noisy.correct and noisy.misconception is None and "lower gamma" in noisy.hint


@pytest.mark.parametrize(
    ("answer", "words"), [((5.0, 0.9), "diverged"), ((0.5, 1e9), "diverged"), ((-1, 0.9), "above 0")]
)
def test_the_capstone_stands_any_pair(answer, words):
    feedback = check("capstone", answer)
    assert not feedback.correct and words in feedback.hint


def test_the_capstone_names_the_better_side_of_initial_lr():
    assert "raise initial_lr" in check("capstone", (0.05, 0.9)).hint
    assert "raise initial_lr" in check("capstone", (0.001, 1.0)).hint
    assert "raise gamma" in check("capstone", (0.5, 1e-300)).hint


@settings(max_examples=10)
@given(st.floats(-6, 2), st.floats(0, 2))
@example(-3, 1.0)
@example(-3.5, 1.3)  # a rate that starts small and grows lies in a valley of its own
@example(1.0, 5.0)
def test_whoever_follows_the_advice_of_the_capstone_comes_to_a_right_answer(exponent, gamma):
    """As one would who knows no more: large steps first, and half of one when told to go back."""
    numbers, steps, sides = {"initial_lr": 10**exponent, "gamma": gamma}, {"initial_lr": 4.0, "gamma": 0.2}, {}
    for _ in range(80):
        feedback = check("capstone", (numbers["initial_lr"], numbers["gamma"]))
        if feedback.correct:
            return
        advised = [move for move, words in ADVICE.items() if words in feedback.hint]
        assert advised, feedback.hint
        for name, side in advised:
            if sides.setdefault(name, side) != side:
                sides[name], steps[name] = side, steps[name] ** 0.5 if name == "initial_lr" else steps[name] / 2
            if name == "initial_lr":
                numbers[name] *= steps[name] if side == "raise" else 1 / steps[name]
            else:
                numbers[name] = max(0, numbers[name] + (steps[name] if side == "raise" else -steps[name]))
    raise AssertionError(f"still wrong at {numbers}: {feedback.hint}")
