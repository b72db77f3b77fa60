"""Answers that are tried on the toy regression: a gamma, or an initial rate and a gamma."""

import functools
import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from lrlearn import regression
from lrlearn.answers import UnusableAnswer, close_to, copied, read_number, read_numbers
from lrlearn.comparison import Feedback
from lrlearn.regression import GAMMAS, SEEDS
from lrlearn.schedules import exponential_lr
from lrlearn.verdicts import verdict

NEAR = 10  # times the best: neither frozen nor a noise floor, which lie hundreds of times above it


@functools.cache
def final_losses(initial_lr: float) -> tuple[list[float], list[str]]:
    """Mean final excess loss of each of GAMMAS, and the verdict on it against the best one, seed by seed.

    The margin is the lowest mean loss itself: "the same" is at most twice the best, with the whole 95 % interval.

    >>> [gamma for gamma, word in zip(GAMMAS, final_losses(0.1)[1]) if word == "the same"]
    [0.94, 0.95]
    """
    excess = regression.sweep([initial_lr], GAMMAS, SEEDS, num_epochs=40).excess[0, :, :, -1]
    means = excess.mean(1)
    best = excess[means.argmin()].tolist()
    margin = means.min().item()
    return means.tolist(), [verdict(row, best, margin, higher_is_better=False).word for row in excess.tolist()]


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


def _capstone_losses(initial_lrs: Sequence[float], gammas: Sequence[float]) -> Any:
    """Mean final excess loss [initial_lr, gamma] over 32 seeds."""
    pairs = product(initial_lrs, gammas)
    rates = [[min(exponential_lr(*pair, epoch), HIGHEST_RATE) for epoch in range(CAPSTONE_EPOCHS)] for pair in pairs]
    runs = regression.sweep_rates(rates, SEEDS, capstone_problem())
    return runs.excess[..., -1].mean(1).unflatten(0, (len(initial_lrs), len(gammas)))


@functools.cache
def _capstone_best() -> tuple[float, float, float]:
    """The lowest loss of a sweep of 24 first rates and 51 gammas, and its initial_lr and gamma."""
    initial_lrs = [0.02 * 50 ** (step / 23) for step in range(24)]  # 0.02 ... 1
    losses = _capstone_losses(initial_lrs, GAMMAS)
    row, column = divmod(int(losses.argmin()), len(GAMMAS))
    return losses.min().item(), initial_lrs[row], GAMMAS[column]


def capstone(answer: Any) -> Feedback:
    """Right within a factor of two of the best; else how far off, and which way is better."""
    initial_lr, gamma = read_numbers(answer, 2)
    if not (0 < initial_lr < math.inf and 0 <= gamma < math.inf):
        raise UnusableAnswer("initial_lr must be above 0 and gamma at least 0, both finite: (initial_lr, gamma)")
    best, best_lr, best_gamma = _capstone_best()
    loss = _capstone_losses([initial_lr], [gamma])[0, 0].item()
    words = f"The mean excess loss is {loss:.2g}, {loss / best:.3g} times the best of the sweep"
    if loss <= 2 * best:
        return Feedback(True, None, f"{words} ({best:.2g} at initial_lr {best_lr:.2g}, gamma {best_gamma:.2f}).")
    if not loss < capstone_problem().untrained:
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
    with_lr = _capstone_losses([nearer_lr], [gamma])[0, 0].item()
    with_gamma = _capstone_losses([initial_lr], [nearer_gamma])[0, 0].item()
    if min(with_lr, with_gamma) < loss:
        return [by_lr if with_lr <= with_gamma else by_gamma]
    return [by_lr, by_gamma]
