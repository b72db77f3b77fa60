"""The mathematics of ExponentialLR: plain functions of (initial_lr, gamma, epoch).

Only the standard library is imported: numpy arrays and torch tensors of epochs are
served because ``gamma ** epoch`` and ``initial_lr * ...`` work on them as they do on numbers.
"""

import math
from typing import Any

from lrlearn.checks import check_count, check_epoch, check_number, check_schedule


def exponential_lr(initial_lr: float, gamma: float, epoch: Any) -> Any:
    """Learning rate used in an epoch: ``initial_lr * gamma ** epoch``.

    Args:
        initial_lr: rate of epoch 0; finite, > 0.
        gamma: what the rate is multiplied by after every epoch; finite, >= 0.
        epoch: 0-indexed epoch; an int, a real number >= 0 (for smooth curves) or an array of them.

    Returns:
        The rate, in the unit of ``initial_lr``; an array of the shape of ``epoch`` if that is one.

    Raises:
        TypeError, ValueError: an argument is no number or out of range; the message names it.

    Source: ``torch.optim.lr_scheduler.ExponentialLR`` (closed form).

    >>> round(exponential_lr(0.1, 0.9, 3), 4)
    0.0729
    """
    check_schedule(initial_lr, gamma)
    check_epoch(epoch)
    try:
        return float(initial_lr) * float(gamma) ** epoch
    except OverflowError:
        return math.inf  # Python's floats raise where numpy's give inf: gamma > 1 for very long


def chained_lrs(initial_lr: float, gamma: float, num_epochs: int) -> list[float]:
    """Learning rates of epochs 0 ... num_epochs - 1, multiplied step by step as torch does.

    Formula: ``lr[0] = initial_lr``, ``lr[e] = lr[e - 1] * gamma``. It differs from
    ``exponential_lr`` in the last bits, for each product is rounded.

    Args:
        initial_lr: rate of epoch 0; finite, > 0.
        gamma: factor per epoch; finite, >= 0.
        num_epochs: how many rates; an integer >= 1.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    Source: ``torch.optim.lr_scheduler.ExponentialLR`` (recursive form).

    >>> chained_lrs(0.1, 0.5, 3)
    [0.1, 0.05, 0.025]
    """
    check_schedule(initial_lr, gamma)
    lrs = [float(initial_lr)]
    for _ in range(check_count("num_epochs", num_epochs) - 1):
        lrs.append(lrs[-1] * gamma)
    return lrs


def half_life(gamma: float) -> float:
    """Epochs until the rate has halved: ``log(1/2) / log(gamma)``.

    Args:
        gamma: factor per epoch, 0 <= gamma <= 1.

    Returns:
        A number of epochs, rarely a whole one; ``math.inf`` at gamma 1, 0.0 at gamma 0.

    Raises:
        TypeError, ValueError: gamma is no number, negative, or above 1 (the rate never halves).

    >>> round(half_life(0.9), 2)
    6.58
    """
    check_number("gamma", gamma, least=0)
    if gamma > 1:
        raise ValueError(f"gamma must be <= 1 for a half-life (above 1 the rate grows), not {gamma!r}")
    if gamma in (0, 1):
        return math.inf if gamma == 1 else 0.0
    return -math.log(2) / math.log(gamma)


def step_budget(initial_lr: float, gamma: float, num_epochs: int | None = None) -> float:
    """Sum of the learning rates: how far steps of unit gradient can reach, one step an epoch.

    Formula: ``initial_lr * (1 - gamma ** num_epochs) / (1 - gamma)``; without num_epochs its
    limit ``initial_lr / (1 - gamma)``. With ``n`` steps an epoch the reach is ``n`` times that.

    Args:
        initial_lr: rate of epoch 0; finite, > 0.
        gamma: factor per epoch; finite, >= 0.
        num_epochs: how many epochs, an integer >= 1; None means for ever.

    Returns:
        The sum, in the unit of ``initial_lr``; ``math.inf`` for gamma >= 1 and no num_epochs.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    >>> round(step_budget(0.1, 0.9), 6), round(step_budget(0.1, 0.9, 4), 6)
    (1.0, 0.3439)
    """
    check_schedule(initial_lr, gamma)
    if num_epochs is None:
        return initial_lr / (1 - gamma) if gamma < 1 else math.inf
    check_count("num_epochs", num_epochs)
    if gamma in (0, 1):
        return float(initial_lr * num_epochs) if gamma else float(initial_lr)
    try:
        # expm1 keeps the digits that 1 - gamma ** n loses when gamma is close to 1
        return initial_lr * math.expm1(num_epochs * math.log(gamma)) / (gamma - 1)
    except OverflowError:
        return math.inf


def gamma_for(initial_lr: float, final_lr: float, num_epochs: int) -> float:
    """Gamma with which the last of num_epochs epochs trains at final_lr.

    Formula: ``(final_lr / initial_lr) ** (1 / (num_epochs - 1))``. The last epoch has the index
    num_epochs - 1, so only that many multiplications come before it.

    Args:
        initial_lr: rate of epoch 0; finite, > 0.
        final_lr: rate of epoch num_epochs - 1; finite, > 0.
        num_epochs: an integer >= 2.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    >>> round(gamma_for(0.01, 1e-4, 30), 4)
    0.8532
    """
    check_number("initial_lr", initial_lr, above=0)
    check_number("final_lr", final_lr, above=0)
    check_count("num_epochs", num_epochs, least=2)
    return (final_lr / initial_lr) ** (1 / (num_epochs - 1))
