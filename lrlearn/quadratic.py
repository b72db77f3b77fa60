"""The noisy quadratic: the smallest training in which a learning-rate schedule has something to decide.

One parameter ``x``, the loss ``h / 2 * x ** 2``, and a gradient seen through noise:
``x <- x - lr * (h * x + sigma * noise)`` with standard normal noise. The expected loss under any schedule
follows an exact recursion; `simulate` runs the training itself, many times at once. Only numpy is needed.
"""

from typing import Any, NamedTuple

import numpy as np

from lrlearn.checks import check_count


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
        `Expected`, three arrays [..., step].

    Raises:
        ValueError: an argument is empty or out of range; the message names it.

    Source: the bias and variance split of stochastic gradient descent on least squares, as in Ge, Kakade,
    Kidambi and Netrapalli 2019 (arXiv 1904.12838).

    >>> expected_loss([1.0, 0.5], noise=0.2, start=2.0).loss.round(4).tolist()
    [0.02, 0.01]
    """
    rates, curvature, noise, start = _checked(rates, curvature, noise, start)
    shape = np.broadcast_shapes(rates.shape[:-1], curvature.shape, noise.shape, start.shape)
    bias, variance = np.empty((2, rates.shape[-1], *shape))
    mean, spread = start, np.zeros(())
    with np.errstate(over="ignore", invalid="ignore"):  # a diverging schedule ends in inf
        for step, lr in enumerate(np.moveaxis(rates, -1, 0)):
            shrink = 1 - lr * curvature
            mean, spread = shrink * mean, shrink**2 * spread + (lr * noise) ** 2
            bias[step], variance[step] = mean, spread
        bias, variance = np.moveaxis(bias, 0, -1), np.moveaxis(variance, 0, -1)
        loss = curvature[..., None] / 2 * (bias**2 + variance)
    return Expected(bias, variance, np.where(np.isnan(loss), np.inf, loss))


def simulate(
    rates: Any, curvature: Any = 1.0, noise: Any = 1.0, start: Any = 1.0, num_runs: int = 1000, seed: int = 0
) -> np.ndarray:
    """Train the noisy quadratic num_runs times for every schedule, all at once, in float64.

    Run ``i`` meets the same noise under every schedule (and curvature, and start), so schedules can be
    compared run by run.

    Args:
        rates, curvature, noise, start: as for `expected_loss`.
        num_runs: how many runs; an integer >= 1.
        seed: of the noise; an integer >= 0.

    Returns:
        The loss after each step, an array [..., run, step].

    Raises:
        TypeError, ValueError: an argument is empty or out of range; the message names it.

    >>> simulate([[0.1, 0.1, 0.1], [0.3, 0.2, 0.1]], num_runs=5).shape
    (2, 5, 3)
    """
    rates, curvature, noise, start = (part[..., None] for part in _checked(rates, curvature, noise, start))
    check_count("num_runs", num_runs)
    random = np.random.default_rng(check_count("seed", seed, least=0))
    rates = np.moveaxis(rates, -2, 0)  # [step, ..., 1]: the last axis is for the runs
    shape = np.broadcast_shapes(rates.shape[1:-1], *(part.shape[:-1] for part in (curvature, noise, start)))
    x = np.broadcast_to(start, (*shape, num_runs)).copy()
    push, half = np.empty_like(x), curvature / 2
    losses = np.empty((len(rates), *x.shape))
    with np.errstate(over="ignore", invalid="ignore"):
        for step, lr in enumerate(rates):
            np.multiply(random.standard_normal(num_runs), lr * noise, out=push)
            np.multiply(x, 1 - lr * curvature, out=x)
            np.subtract(x, push, out=x)
            np.multiply(x, x, out=losses[step])
        losses *= half
    losses[np.isnan(losses)] = np.inf
    return np.moveaxis(losses, 0, -1)


def noise_floor(lr: Any, curvature: Any = 1.0, noise: Any = 1.0) -> Any:
    """Expected loss at which a constant rate settles: ``lr * noise ** 2 / (2 * (2 - lr * curvature))``.

    Where the recursion stands still: ``variance = a ** 2 * variance + lr ** 2 * noise ** 2``.

    Raises:
        ValueError: lr * curvature is not between 0 and 2 (from 2 on a constant rate diverges).

    >>> round(noise_floor(0.1), 5)
    0.02632
    """
    if not np.all((np.asarray(lr) * curvature > 0) & (np.asarray(lr) * curvature < 2)):
        raise ValueError(f"lr * curvature must be between 0 and 2, not {lr * curvature!r}")
    return lr * noise**2 / (2 * (2 - lr * curvature))


def best_rates(num_steps: int, curvature: float = 1.0, noise: float = 1.0, start: float = 1.0) -> np.ndarray:
    """The schedule with the lowest expected loss of all, for one curvature: a 1/t schedule.

    The next ``s = E[x ** 2]`` grows with the present one, so the rate that makes each next s smallest is best at
    every horizon: ``lr = curvature * s / (curvature ** 2 * s + noise ** 2)``. Put in, it gives
    ``1 / s <- 1 / s + curvature ** 2 / noise ** 2``, hence ``lr[t] = 1 / (curvature * (t + 1 + b))`` with
    ``b = noise ** 2 / (curvature * start) ** 2``.

    Returns:
        Rates [step]; no real training knows the four numbers they need.

    Raises:
        TypeError, ValueError: num_steps is no integer >= 1, or start is 0 (nothing is left to do).

    >>> best_rates(3).round(4).tolist()
    [0.5, 0.3333, 0.25]
    """
    if start == 0:
        raise ValueError("start must not be 0: the minimum is where it stands")
    return 1 / (curvature * (np.arange(check_count("num_steps", num_steps)) + 1 + (noise / (curvature * start)) ** 2))


def _checked(rates: Any, curvature: Any, noise: Any, start: Any) -> list[np.ndarray]:
    given = {"rates": rates, "curvature": curvature, "noise": noise, "start": start}
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in given.items()}
    if arrays["rates"].ndim == 0 or not arrays["rates"].size:
        raise ValueError("rates must be a table [..., step] that is not empty")
    fits = {"rates": "finite, >= 0", "curvature": "finite, > 0", "noise": "finite, >= 0", "start": "finite"}
    for name, array in arrays.items():
        low = array < 0 if name in ("rates", "noise") else array <= 0 if name == "curvature" else False
        if np.any(low | ~np.isfinite(array)):
            raise ValueError(f"{name} must be {fits[name]}, not {given[name]!r}")
    return list(arrays.values())
