"""Answers that are tried on the toy regression: a gamma, or an initial rate and a gamma.

What only torch can tell is asked of it once and kept, in numbers and lists that JSON can hold: a page of the site,
which has no torch, is given all of that. The judges themselves need no torch.
"""

import functools
import json
import math
from collections.abc import Callable
from itertools import product
from statistics import fmean
from typing import Any

from lrlearn import regression
from lrlearn.answers import UnusableAnswer, close_to, copied, read_number, read_numbers
from lrlearn.comparison import Feedback
from lrlearn.regression import GAMMAS, SEEDS
from lrlearn.schedules import exponential_lr
from lrlearn.verdicts import verdict

NEAR = 10  # times the best: neither frozen nor a noise floor, which lie hundreds of times above it
TRAINED: dict[str, Any] = {}  # what was asked of torch -> what it said


def _trained(ask: Callable) -> Callable:
    """Have a function, whose arguments and results JSON can hold, look into TRAINED before it asks torch."""

    @functools.wraps(ask)
    def looked_up(*given: float) -> Any:
        name = json.dumps([ask.__name__, *given])
        if name not in TRAINED:
            TRAINED[name] = ask(*given)
        return TRAINED[name]

    return looked_up


def all_trained() -> dict[str, Any]:
    """TRAINED with everything in it that the exercises ask for."""
    for initial_lr in TRIED:
        final_losses(initial_lr)
    _capstone_best()
    _capstone_data()
    return TRAINED


TRIED = 0.1, 0.15  # the rates that the best gamma is asked for


@_trained
def final_losses(initial_lr: float) -> list[list]:
    """Mean final excess loss of each of GAMMAS, and the verdict on it against the best one, seed by seed.

    The margin is the lowest mean loss itself: "the same" is at most twice the best, with the whole 95 % interval.

    >>> [gamma for gamma, word in zip(GAMMAS, final_losses(0.1)[1]) if word == "the same"]
    [0.94, 0.95]
    """
    excess = regression.sweep([initial_lr], GAMMAS, SEEDS, num_epochs=40).excess[0, :, :, -1]
    means = excess.mean(1)
    best = excess[means.argmin()].tolist()
    margin = means.min().item()
    return [means.tolist(), [verdict(row, best, margin, higher_is_better=False).word for row in excess.tolist()]]


def best_gamma(initial_lr: float) -> Callable[[Any], Feedback]:
    """Right if it is as good as the best gamma, within the margin; else whether the training was frozen or noisy."""

    def judge(answer: Any) -> Feedback:
        gamma, (means, words) = read_number(answer), final_losses(initial_lr)
        best = [choice for choice, word in zip(GAMMAS, words, strict=True) if word == "the same"]
        if any(copied(1 - gamma, right) for right in best):
            return Feedback(False, "gamma-is-the-reduction", "")
        at = next((at for at, choice in enumerate(GAMMAS) if close_to(gamma, choice)), None)
        if at is None:
            raise UnusableAnswer("Choose one of the gammas 0.50, 0.51, ... 1.00")
        loss = f"With gamma {gamma:.2f} the mean excess loss at the end is {means[at]:.2g}"
        if words[at] == "the same":
            return Feedback(True, None, f"{loss}: as good as the best, within the margin.")
        loss += f", at the best gamma {min(means):.2g}"
        if words[at] == "cannot tell":
            return Feedback(
                False, None, f"{loss}: {len(SEEDS)} seeds cannot tell whether that is as good. Go on a little."
            )
        if means[at] <= NEAR * min(means):
            return Feedback(False, None, f"{loss}: near. {'Raise' if gamma < min(best) else 'Lower'} gamma a little.")
        if gamma < min(best):
            return Feedback(False, "decay-always-converges", f"{loss}: frozen.")
        return Feedback(False, None, f"{loss}: the noise floor. The last steps are still too large; decay faster.")

    return judge


CAPSTONE_EPOCHS = 25
HIGHEST_RATE = 1e6  # what a growing rate is cut at: beyond it every run has diverged long before


def capstone_problem() -> regression.Problem:
    """The data of the capstone: 64 samples that no lesson has trained on.

    >>> len(capstone_problem().x)
    64
    """
    return regression.make_problem(weight=-4, bias=2, noise=1.5, width=0.6, seed=6)


def _capstone_rates(initial_lr: float, gamma: float) -> list[float]:
    return [min(exponential_lr(initial_lr, gamma, epoch), HIGHEST_RATE) for epoch in range(CAPSTONE_EPOCHS)]


@_trained
def _capstone_best() -> list[float]:
    """The lowest mean final excess loss of a sweep of 24 first rates and 51 gammas, and its initial_lr and gamma."""
    pairs = [*product([0.02 * 50 ** (step / 23) for step in range(24)], GAMMAS)]  # 0.02 ... 1
    runs = regression.sweep_rates([_capstone_rates(*pair) for pair in pairs], SEEDS, capstone_problem())
    losses = runs.excess[..., -1].mean(1)
    return [losses.min().item(), *pairs[int(losses.argmin())]]


@_trained
def _capstone_data() -> dict[str, Any]:
    """The samples, what is known of them, and for each seed their order: a letter for each, from "0" on."""
    data = capstone_problem()
    orders = regression.sample_orders(SEEDS, CAPSTONE_EPOCHS).tolist()
    return {
        "x": data.x.tolist(),
        "y": data.y.tolist(),
        "best": data.best.tolist(),
        "untrained": data.untrained,
        "orders": ["".join(chr(48 + sample) for sample in order) for order in orders],
    }


@functools.cache
def _capstone_steps() -> list[list[tuple[float, float, float, float]]]:
    """For each seed the steps of its batches: the means of x * x, x, x * y and y, all of them doubled."""
    data = _capstone_data()
    samples = [(x * x, x, x * y, y) for x, y in zip(data["x"], data["y"], strict=True)]
    seen = [[samples[ord(letter) - 48] for letter in order] for order in data["orders"]]
    size = regression.BATCH_SIZE
    starts = range(0, CAPSTONE_EPOCHS * regression.NUM_SAMPLES, size)
    columns = [[zip(*row[at : at + size], strict=True) for at in starts] for row in seen]
    return [[tuple(2 * fmean(column) for column in batch) for batch in row] for row in columns]  # type: ignore[misc]


def _capstone_loss(initial_lr: float, gamma: float) -> float:
    """Mean final excess loss over 32 seeds, each step as in `regression.sweep`."""
    data, losses = _capstone_data(), []
    rates = [rate for rate in _capstone_rates(initial_lr, gamma) for _ in range(regression.STEPS_PER_EPOCH)]
    square, mean = fmean(x * x for x in data["x"]), fmean(data["x"])
    for steps in _capstone_steps():
        weight = bias = 0.0
        for rate, (xx, x, xy, y) in zip(rates, steps, strict=True):
            by_weight, by_bias = xx * weight + x * bias - xy, x * weight + 2 * bias - y
            weight, bias = weight - rate * by_weight, bias - rate * by_bias
        off, up = weight - data["best"][0], bias - data["best"][1]
        losses.append(square * off * off + 2 * mean * off * up + up * up)
    return fmean(losses) if all(loss < regression.LOSS_LIMIT for loss in losses) else math.inf


def capstone(answer: Any) -> Feedback:
    """Right within a factor of two of the best; else how far off, and which way is better."""
    initial_lr, gamma = read_numbers(answer, 2)
    if not (0 < initial_lr < math.inf and 0 <= gamma < math.inf):
        raise UnusableAnswer("initial_lr must be above 0 and gamma at least 0, both finite: (initial_lr, gamma)")
    best, best_lr, best_gamma = _capstone_best()
    loss = _capstone_loss(initial_lr, gamma)
    words = f"The mean excess loss is {loss:.2g}, {loss / best:.3g} times the best of the sweep"
    if loss <= 2 * best:
        return Feedback(True, None, f"{words} ({best:.2g} at initial_lr {best_lr:.2g}, gamma {best_gamma:.2f}).")
    if not loss < _capstone_data()["untrained"]:
        words = "It diverged: worse than the untrained line"
    moves = _towards_the_best(initial_lr, gamma, loss)
    frozen = moves == [("gamma", "raise")]
    advice = " ".join(ADVICE[move] for move in moves) + (" Change both together." if len(moves) > 1 else "")
    return Feedback(False, "decay-always-converges" if frozen else None, f"{words}. {advice}")


ADVICE = {
    ("gamma", "raise"): "Frozen on the way: raise gamma.",
    ("gamma", "lower"): "Its last steps are too large: lower gamma.",
    ("initial_lr", "raise"): "Its steps are too small from the start: raise initial_lr.",
    ("initial_lr", "lower"): "Its first steps are too large: lower initial_lr.",
}


def _towards_the_best(initial_lr: float, gamma: float, loss: float) -> list[tuple[str, str]]:
    """Which of the two numbers to change, and how: a quarter of the way to the best is tried with each.

    Both are named where neither alone lowers the loss: a rate that starts small and grows lies in a valley of its own.
    """
    _, best_lr, best_gamma = _capstone_best()
    by_lr = ("initial_lr", "raise" if initial_lr < best_lr else "lower")
    by_gamma = ("gamma", "raise" if gamma < best_gamma else "lower")
    if loss == math.inf:  # no small change can be told from another: what is too large comes down
        return [("gamma", "lower")] if gamma > 1 else [("initial_lr", "lower")]
    nearer_lr, nearer_gamma = initial_lr**0.75 * best_lr**0.25, gamma + (best_gamma - gamma) / 4
    with_lr, with_gamma = _capstone_loss(nearer_lr, gamma), _capstone_loss(initial_lr, nearer_gamma)
    if min(with_lr, with_gamma) < loss:
        return [by_lr if with_lr <= with_gamma else by_gamma]
    return [by_lr, by_gamma]
