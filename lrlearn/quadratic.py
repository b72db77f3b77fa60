"""The noisy quadratic: the smallest training in which a learning-rate schedule has something to decide.

One parameter ``x``, the loss ``h / 2 * x ** 2``, and a gradient seen through noise:
``x <- x - lr * (h * x + sigma * noise)`` with standard normal noise. The expected loss under any schedule
follows an exact recursion; `simulate` runs the training itself, many times at once. Only numpy is needed.
"""

from typing import Any, NamedTuple

import numpy as np

from lrlearn.checks import LONGEST, check_count, check_number, check_table


class Expected(NamedTuple):
    """What is known of ``x`` after each step, arrays [..., step]: its mean, its variance, the expected loss."""

    bias: np.ndarray
    variance: np.ndarray
    loss: np.ndarray


def expected_loss(rates: Any, curvature: Any = 1.0, noise: Any = 1.0, start: Any = 1.0) -> Expected:
    """Expected loss after every step under any schedule, exactly.

    Formula: with ``a = 1 - lr * curvature``, ``bias <- a * bias``,
    ``variance <- a ** 2 * variance + lr ** 2 * noise ** 2``, ``loss = curvature / 2 * (bias ** 2 + variance)``.

    Args:
        rates: learning rates [..., step]; finite, >= 0.
        curvature, noise, start: numbers, or arrays that broadcast against rates without its last axis;
            curvature > 0, noise >= 0 (its standard deviation), start finite (the first x).

    Returns:
        `Expected`, three arrays [..., step]; the loss is inf from where it can no longer be told.

    Raises:
        TypeError, ValueError: an argument is empty or out of range; the message names it.

    Source: the bias and variance split of stochastic gradient descent on least squares, as in Ge, Kakade,
    Kidambi and Netrapalli 2019 (arXiv 1904.12838).

    >>> expected_loss([1.0, 0.5], noise=0.2, start=2.0).loss.round(4).tolist()
    [0.02, 0.01]
    """
    (rates, curvature, noise, start), shape = _checked(rates, curvature, noise, start)
    bias, variance = np.empty((2, rates.shape[-1], *shape))
    mean, spread = start, np.zeros(())
    with np.errstate(all="ignore"):  # a diverging schedule ends in inf
        for step, lr in enumerate(np.moveaxis(rates, -1, 0)):
            shrink = 1 - lr * curvature
            mean, spread = shrink * mean, shrink * (shrink * spread) + (lr * noise) ** 2
            bias[step], variance[step] = mean, spread
        bias, variance = np.moveaxis(bias, 0, -1), np.moveaxis(variance, 0, -1)
        half = curvature[..., None] / 2
        loss = bias * (half * bias) + half * variance
    return Expected(bias, variance, np.where(np.isnan(loss), np.inf, loss))


def simulate(
    rates: Any, curvature: Any = 1.0, noise: Any = 1.0, start: Any = 1.0, num_runs: int = 1000, seed: int = 0
) -> np.ndarray:
    """Train the noisy quadratic num_runs times for every schedule, all at once, in float64.

    Run ``i`` meets the same noise under every schedule (and curvature, and start), so schedules can be
    compared run by run.

    Args:
        rates, curvature, noise, start: as for `expected_loss`.
        num_runs: how many runs; an integer from 1 to 10,000,000.
        seed: of the noise; an integer >= 0.

    Returns:
        The loss after each step, an array [..., run, step].

    Raises:
        TypeError, ValueError: an argument is empty or out of range; the message names it.

    >>> simulate([[0.1, 0.1, 0.1], [0.3, 0.2, 0.1]], num_runs=5).shape
    (2, 5, 3)
    """
    parts, shape = _checked(rates, curvature, noise, start)
    rates, curvature, noise, start = (part[..., None] for part in parts)  # the last axis is for the runs
    num_runs = check_count("num_runs", num_runs, most=LONGEST)
    random = np.random.default_rng(check_count("seed", seed, least=0))
    rates = np.moveaxis(rates, -2, 0)  # [step, ..., 1]
    x = np.broadcast_to(start, (*shape, num_runs)).copy()
    push, half = np.empty_like(x), curvature / 2
    losses = np.empty((len(rates), *x.shape))
    with np.errstate(all="ignore"):
        for step, lr in enumerate(rates):
            np.multiply(random.standard_normal(num_runs), lr * noise, out=push)
            np.multiply(x, 1 - lr * curvature, out=x)
            np.subtract(x, push, out=x)
            np.multiply(x, half, out=push)
            np.multiply(x, push, out=losses[step])
    losses[np.isnan(losses)] = np.inf
    return np.moveaxis(losses, 0, -1)


def noise_floor(lr: Any, curvature: Any = 1.0, noise: Any = 1.0) -> Any:
    """Expected loss at which a constant rate settles: ``lr * noise ** 2 / (2 * (2 - lr * curvature))``.

    Where the recursion stands still: ``variance = a ** 2 * variance + lr ** 2 * noise ** 2``.

    Args:
        lr: the rate; finite, > 0.
        curvature: finite, > 0.
        noise: standard deviation of the gradient; finite, >= 0. All three are numbers or arrays that broadcast.

    Returns:
        A float, or an array of the shape that the three have together.

    Raises:
        TypeError, ValueError: an argument is out of range, or lr * curvature is 2 or more (from there on a constant
            rate diverges); the message names it.

    >>> round(noise_floor(0.1), 5)
    0.02632
    """
    lr = np.asarray(check_table("lr", lr))
    curvature = np.asarray(check_table("curvature", curvature, above=0))
    noise = np.asarray(check_table("noise", noise, least=0))
    _broadcast(lr=lr, curvature=curvature, noise=noise)
    with np.errstate(all="ignore"):
        wrong = (lr <= 0) | (lr * curvature >= 2)
        if np.any(wrong):
            raise ValueError(f"lr * curvature must be between 0 and 2, not {(lr * curvature)[wrong][0]:g}")
        floor = lr / (2 * (2 - lr * curvature)) * noise * noise
    return floor if floor.ndim else floor.item()


def best_rates(num_steps: int, curvature: float = 1.0, noise: float = 1.0, start: float = 1.0) -> np.ndarray:
    """The schedule with the lowest expected loss of all, for one curvature: a 1/t schedule.

    The next ``s = E[x ** 2]`` grows with the present one, so the rate that makes each next s smallest is best at
    every horizon: ``lr = curvature * s / (curvature ** 2 * s + noise ** 2)``. Put in, it gives
    ``1 / s <- 1 / s + curvature ** 2 / noise ** 2``, hence ``lr[t] = 1 / (curvature * (t + 1 + b))`` with
    ``b = noise ** 2 / (curvature * start) ** 2``.

    Args:
        num_steps: how many rates; an integer from 1 to 10,000,000.
        curvature, noise: finite numbers, the first > 0, the second >= 0.
        start: the first x; finite and not 0.

    Returns:
        Rates [step]; no real training knows the four numbers they need.

    Raises:
        TypeError, ValueError: an argument is out of range, or start is 0 (nothing is left to do); named.

    >>> best_rates(3).round(4).tolist()
    [0.5, 0.3333, 0.25]
    """
    steps = np.arange(1, check_count("num_steps", num_steps, most=LONGEST) + 1)
    curvature = check_number("curvature", curvature, above=0)
    start = check_number("start", start)
    if start == 0:
        raise ValueError("start must not be 0: the minimum is where it stands")
    blur = check_number("noise", noise, least=0) / start
    with np.errstate(all="ignore"):
        return 1 / (curvature * steps + blur * (blur / curvature))


def _checked(rates: Any, curvature: Any, noise: Any, start: Any) -> tuple[list[np.ndarray], tuple[int, ...]]:
    """The four as arrays, and the shape that they have together, without the axis of the steps."""
    rates = np.asarray(check_table("rates", rates, least=0))
    if rates.ndim == 0:
        raise ValueError(f"rates must be a table [..., step], not {rates:g}")
    curvature = np.asarray(check_table("curvature", curvature, above=0))
    noise = np.asarray(check_table("noise", noise, least=0))
    start = np.asarray(check_table("start", start))
    shape = _broadcast(rates=rates[..., 0], curvature=curvature, noise=noise, start=start)
    return [rates, curvature, noise, start], shape


def _broadcast(**arrays: np.ndarray) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
        raise ValueError(f"{', '.join(arrays)} must broadcast against each other, not {shapes}") from None
