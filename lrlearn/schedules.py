"""The mathematics of ExponentialLR: plain functions of (initial_lr, gamma, epoch).

Every number may be of any kind that Python, numpy and torch have; it is made a float before it is multiplied.
A result is infinite or 0 only where its formula is, not because something on the way to it was.
Only the standard library is imported: numpy arrays and torch tensors of epochs are served
because ``gamma ** epoch`` and ``initial_lr * ...`` work on them as they do on numbers.
"""

import math
import sys
from typing import Any

from lrlearn.checks import (
    LONGEST,
    check_array,
    check_count,
    check_number,
    check_schedule,
    is_array,
    quiet_numpy,
    quoted,
)

SMALLEST = sys.float_info.min  # below it a float has fewer digits


def exponential_lr(initial_lr: float, gamma: float, epoch: Any) -> Any:
    """Learning rate used in an epoch: ``initial_lr * gamma ** epoch``.

    Args:
        initial_lr: rate of epoch 0; finite, > 0.
        gamma: what the rate is multiplied by after every epoch; finite, >= 0.
        epoch: 0-indexed epoch; a real number >= 0 (a fraction for smooth curves) or an array or tensor of them.

    Returns:
        The rate, in the unit of ``initial_lr``: a float, or an array or tensor of float64 of the shape of ``epoch``.
        ``math.inf`` where gamma > 1 takes it beyond all floats.

    Raises:
        TypeError, ValueError: an argument is no number or out of range; the message names it.

    Source: ``torch.optim.lr_scheduler.ExponentialLR`` (closed form).

    >>> round(exponential_lr(0.1, 0.9, 3), 4)
    0.0729
    """
    initial_lr, gamma = check_schedule(initial_lr, gamma)
    if not is_array(epoch):
        return _rate(initial_lr, gamma, check_number("epoch", epoch, least=0))
    epoch = check_array("epoch", epoch, least=0)
    with quiet_numpy():
        power = gamma**epoch
        rates = initial_lr * power
        far = (power < SMALLEST) | (power == math.inf)  # as in _rate
        third = gamma ** (epoch[far] / 3)
        rates[far] = initial_lr * third * third * third
    return rates


def chained_lrs(initial_lr: float, gamma: float, num_epochs: int) -> list[float]:
    """Learning rates of epochs 0 ... num_epochs - 1, multiplied step by step as torch does.

    Formula: ``lr[0] = initial_lr``, ``lr[e] = lr[e - 1] * gamma``. It differs from
    ``exponential_lr`` in the last bits, for each product is rounded.

    Args:
        initial_lr: rate of epoch 0; finite, > 0.
        gamma: factor per epoch; finite, >= 0.
        num_epochs: how many rates; an integer from 1 to 10,000,000.

    Returns:
        The rates, in the unit of ``initial_lr``.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    Source: ``torch.optim.lr_scheduler.ExponentialLR`` (recursive form).

    >>> chained_lrs(0.1, 0.5, 3)
    [0.1, 0.05, 0.025]
    """
    initial_lr, gamma = check_schedule(initial_lr, gamma)
    lrs = [initial_lr]
    for _ in range(check_count("num_epochs", num_epochs, most=LONGEST) - 1):
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

    Source: ``gamma ** epoch = 1/2``, solved for epoch.

    >>> round(half_life(0.9), 2)
    6.58
    """
    factor = check_number("gamma", gamma, least=0)
    if factor > 1:
        raise ValueError(f"gamma must be <= 1 for a half-life (above 1 the rate grows), not {quoted(gamma)}")
    if factor in (0, 1):
        return math.inf if factor == 1 else 0.0
    return -math.log(2) / math.log(factor)


def step_budget(initial_lr: float, gamma: float, num_epochs: int | None = None) -> float:
    """Sum of the learning rates: how far steps of unit gradient can reach, one step an epoch.

    Formula: ``initial_lr * (1 - gamma ** num_epochs) / (1 - gamma)``; without num_epochs its
    limit ``initial_lr / (1 - gamma)``. With ``n`` steps an epoch the reach is ``n`` times that.

    Args:
        initial_lr: rate of epoch 0; finite, > 0.
        gamma: factor per epoch; finite, >= 0.
        num_epochs: how many epochs, an integer >= 1 of any size; None means for ever.

    Returns:
        The sum, in the unit of ``initial_lr``; ``math.inf`` for gamma >= 1 and no num_epochs.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    Source: the geometric series.

    >>> round(step_budget(0.1, 0.9), 6), round(step_budget(0.1, 0.9, 4), 6)
    (1.0, 0.3439)
    """
    initial_lr, gamma = check_schedule(initial_lr, gamma)
    if num_epochs is None:
        return initial_lr / (1 - gamma) if gamma < 1 else math.inf
    num_epochs = check_count("num_epochs", num_epochs)
    if gamma == 0:
        return initial_lr
    if gamma == 1:
        return _times(initial_lr, num_epochs)
    growth = _times(math.log(gamma), num_epochs)
    if growth < 700:  # exp of it is a float
        # expm1 keeps the digits that 1 - gamma ** n loses when gamma is close to 1
        return initial_lr * (math.expm1(growth) / (gamma - 1))
    # summed from the last rate backwards, each 1 / gamma of the one before: nothing is left to add at the far end
    return _rate(initial_lr, gamma, _times(1.0, num_epochs - 1)) * (gamma / (gamma - 1))


def gamma_for(initial_lr: float, final_lr: float, num_epochs: int) -> float:
    """Gamma with which the last of num_epochs epochs trains at final_lr.

    Formula: ``(final_lr / initial_lr) ** (1 / (num_epochs - 1))``. The last epoch has the index
    num_epochs - 1, so only that many multiplications come before it.

    Args:
        initial_lr: rate of epoch 0; finite, > 0.
        final_lr: rate of epoch num_epochs - 1; finite, > 0, in the same unit.
        num_epochs: an integer >= 2 of any size.

    Returns:
        The factor per epoch; above 1 if final_lr is above initial_lr.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    Source: ``initial_lr * gamma ** (num_epochs - 1) = final_lr``, solved for gamma.

    >>> round(gamma_for(0.01, 1e-4, 30), 4)
    0.8532
    """
    initial_lr = check_number("initial_lr", initial_lr, above=0)
    final_lr = check_number("final_lr", final_lr, above=0)
    root = 1 / (check_count("num_epochs", num_epochs, least=2) - 1)
    ratio = final_lr / initial_lr
    return ratio**root if SMALLEST <= ratio < math.inf else final_lr**root / initial_lr**root


def _rate(initial_lr: float, gamma: float, epoch: float) -> float:
    """``initial_lr * gamma ** epoch``; in three factors where the power alone leaves the range of floats.

    Each factor is then so far from 1, and all on the same side of it, that the product leaves the range
    only if the result does.
    """
    power = _power(gamma, epoch)
    if SMALLEST <= power < math.inf:
        return initial_lr * power
    third = _power(gamma, epoch / 3)
    return initial_lr * third * third * third


def _power(base: float, exponent: float) -> float:
    try:
        return base**exponent
    except OverflowError:  # Python's floats raise where numpy's give inf
        return math.inf


def _times(number: float, count: int) -> float:
    """``number * count``, also for a count that is itself beyond all floats."""
    numerator, denominator = number.as_integer_ratio()
    try:
        return numerator * count / denominator
    except OverflowError:
        return math.copysign(math.inf, number)
