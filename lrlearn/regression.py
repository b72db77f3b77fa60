"""The toy regression: one readable torch loop, and the same loop for thousands of runs at once.

A straight line ``y = weight * x + bias`` is fitted to 64 fixed samples of ``y = 3 x + 0.5 + noise``
by mini-batch SGD, 8 samples a step, 8 steps an epoch. The model starts at zero; the seed decides
only the order of the samples. torch is imported when a function needs it; its settings and its random numbers
are the caller's, so what is computed here does not depend on them and leaves them as they were.
"""

import contextlib
import functools
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from lrlearn.checks import (
    LARGEST_SEED,
    LONGEST,
    check_count,
    check_list,
    check_number,
    check_schedule,
    check_table,
    quoted,
)

if TYPE_CHECKING:
    import torch

NUM_SAMPLES = 64
BATCH_SIZE = 8
STEPS_PER_EPOCH = NUM_SAMPLES // BATCH_SIZE
GAMMAS = [round(0.5 + 0.01 * step, 2) for step in range(51)]  # 0.50, 0.51, ... 1.00: what one drags over
SEEDS = range(32)  # orders of the samples; enough for a mean with its spread, few enough to drag
LOSS_LIMIT = 1e100  # beyond it a loss is recorded as inf: close to the end of float64 no digit can be trusted


class Problem(NamedTuple):
    """The data and what is known of its least-squares solution."""

    x: "torch.Tensor"  # [64], in -1 ... 1
    y: "torch.Tensor"  # [64]
    best: "torch.Tensor"  # [2]: the weight and the bias with the smallest loss
    minimum: float  # that smallest mean squared error
    untrained: float  # the mean squared error of the model before training, weight = bias = 0


@dataclass(frozen=True)
class History:
    """What one run did: ``lrs`` used in each epoch, ``losses`` after each, final ``weight`` and ``bias``."""

    lrs: list[float]
    losses: list[float]
    weight: float
    bias: float


@dataclass(frozen=True)
class Sweep:
    """What many runs did: ``losses`` [initial_lr, gamma, seed, epoch], final ``weights`` [..., seed, 2]."""

    losses: "torch.Tensor"
    weights: "torch.Tensor"
    minimum: float  # the least-squares minimum of the data that were fitted

    @property
    def excess(self) -> "torch.Tensor":
        """``losses`` minus the least-squares minimum: 0 is perfect."""
        return self.losses - self.minimum


_settings = threading.RLock()  # torch's are one for all threads: two that change them would put back each other's


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Gradients on, one thread, and what torch was set to, with its random numbers, put back at the end.

    One thread, for steps this small gain nothing from a second, and on few cores those of many kernels would fight.
    """
    import torch

    with contextlib.ExitStack() as stack:
        stack.enter_context(_settings)
        stack.callback(torch.set_num_threads, torch.get_num_threads())
        torch.set_num_threads(1)
        stack.enter_context(torch.random.fork_rng([]))  # nn.Linear draws numbers; [] leaves out graphics cards
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(torch.autograd.set_detect_anomaly(False))  # a run that diverges may end in NaN
        yield


@functools.cache
def problem() -> Problem:
    """The fixed data set, in float64, and its least-squares solution.

    >>> problem().x.shape
    torch.Size([64])
    """
    return make_problem(weight=3, bias=0.5, noise=0.5)


@_undisturbed()
def make_problem(weight: float, bias: float, noise: float, width: float = 1.0, seed: int = 0) -> Problem:
    """64 samples of ``y = weight * x + bias + noise``, x between -width and width, and what is known of them.

    Args:
        weight, bias: the line; finite.
        noise: standard deviation of what is added to it; finite, >= 0.
        width: of the samples, to either side of 0; finite, > 0.
        seed: decides the samples; an integer from 0 to 2 ** 64 - 1.

    Returns:
        `Problem`: ``x`` and ``y`` [64], ``best`` [2] (weight, bias) by least squares, and two mean squared errors.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    >>> make_problem(weight=2, bias=1, noise=0.0).best.round(decimals=6).tolist()
    [2.0, 1.0]
    """
    weight, bias = check_number("weight", weight), check_number("bias", bias)
    noise, width = check_number("noise", noise, least=0), check_number("width", width, above=0)
    seed = check_count("seed", seed, least=0, most=LARGEST_SEED)
    import torch

    random = torch.Generator("cpu").manual_seed(seed)
    drawn = {"generator": random, "dtype": torch.float64, "device": "cpu"}
    x = (torch.rand(NUM_SAMPLES, **drawn) * 2 - 1) * width
    y = weight * x + bias + noise * torch.randn(NUM_SAMPLES, **drawn)
    design = torch.stack([x, torch.ones_like(x)], dim=1)
    best = torch.linalg.lstsq(design, y[:, None]).solution[:, 0]
    minimum = (design @ best - y).square().mean().item()
    return Problem(x, y, best, minimum, y.square().mean().item())


@_undisturbed()
def train(initial_lr: float, gamma: float, seed: int, num_epochs: int = 40) -> History:
    """Fit the line with mini-batch SGD and ExponentialLR, the loop as torch's documentation writes it.

    Args:
        initial_lr: rate of epoch 0; finite, > 0.
        gamma: factor per epoch; finite, >= 0.
        seed: decides the order of the samples; an integer from 0 to 2 ** 64 - 1.
        num_epochs: passes over the data; an integer from 1 to 10,000,000.

    Returns:
        The history: the rate used in each epoch and the mean squared error over all samples after
        it (``inf`` above 1e100: the run has diverged).

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    >>> [round(lr, 3) for lr in train(0.1, 0.5, seed=0, num_epochs=3).lrs]
    [0.1, 0.05, 0.025]
    """
    initial_lr, gamma = check_schedule(initial_lr, gamma)
    seed = check_count("seed", seed, least=0, most=LARGEST_SEED)
    num_epochs = check_count("num_epochs", num_epochs, most=LONGEST)
    import torch

    x, y = problem().x[:, None], problem().y[:, None]
    model = torch.nn.Linear(1, 1, dtype=torch.float64, device="cpu")
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    loss_fn = torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=initial_lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    order = torch.Generator("cpu").manual_seed(seed)

    lrs, losses = [], []
    for _ in range(num_epochs):
        lrs.append(scheduler.get_last_lr()[0])
        for batch in torch.randperm(NUM_SAMPLES, generator=order, device="cpu").split(BATCH_SIZE):
            optimizer.zero_grad()
            loss_fn(model(x[batch]), y[batch]).backward()
            optimizer.step()
        scheduler.step()
        with torch.no_grad():
            loss = loss_fn(model(x), y).item()
            losses.append(loss if loss < LOSS_LIMIT else torch.inf)
    return History(lrs, losses, model.weight.item(), model.bias.item())


@_undisturbed()
def sweep(initial_lrs: Iterable[float], gammas: Iterable[float], seeds: Iterable[int], num_epochs: int = 40) -> Sweep:
    """All runs of ``train`` for every combination, at once, in float64.

    A straight line's mini-batch gradient is an affine map of (weight, bias), ``A @ theta - c`` with
    ``A`` and ``c`` from the batch alone, so one step of all runs is a small matrix product:
    ``theta <- theta - lr * (A @ theta - c)``.

    Args:
        initial_lrs, gammas, seeds: what to combine, numbers as for `train`; each a collection that is not empty.
        num_epochs: passes over the data; an integer from 1 to 10,000,000.

    Returns:
        ``.losses``, a tensor [initial_lr, gamma, seed, epoch], and the final ``.weights``
        [initial_lr, gamma, seed, 2] (weight, bias). Each run equals ``train`` to 1e-5 relative.

    Raises:
        TypeError, ValueError: an argument is empty or out of range; the message names it.

    >>> sweep([0.1, 0.2], [0.9], range(4), num_epochs=5).losses.shape
    torch.Size([2, 1, 4, 5])
    """
    initial_lrs = check_list("initial_lrs", initial_lrs, above=0)
    gammas = check_list("gammas", gammas, least=0)
    seeds = check_list("seeds", seeds, check_count, least=0, most=LARGEST_SEED)
    num_epochs = check_count("num_epochs", num_epochs, most=LONGEST)
    import torch

    shape = (len(initial_lrs), len(gammas))
    float64 = {"dtype": torch.float64, "device": "cpu"}
    factors = torch.tensor(gammas, **float64).expand(shape).reshape(-1)
    rates = [torch.tensor(initial_lrs, **float64)[:, None].expand(shape).reshape(-1)]
    for _ in range(num_epochs - 1):
        rates.append(rates[-1] * factors)  # multiplied step by step, as torch does
    runs = sweep_rates(torch.stack(rates, dim=1), seeds)
    return Sweep(runs.losses.unflatten(0, shape), runs.weights.unflatten(0, shape), runs.minimum)


@_undisturbed()
def sweep_rates(rates: Any, seeds: Iterable[int], data: Problem | None = None, *, replacement: bool = False) -> Sweep:
    """All runs under any schedules, at once: what `sweep` does, for a table of learning rates.

    Args:
        rates: learning rates [schedule, epoch], an array, a tensor or lists in a list; finite, >= 0.
        seeds: each decides one order of the samples; integers from 0 to 2 ** 64 - 1.
        data: what to fit, from `make_problem`; the fixed data set if None.
        replacement: draw every sample anew from all 64, instead of shuffling them once an epoch, as `train` does.
            A shuffled epoch sees each sample once, so much of the noise of its steps cancels; drawn anew, it does not.

    Returns:
        ``.losses`` [schedule, seed, epoch] and ``.weights`` [schedule, seed, 2] (weight, bias).

    Raises:
        TypeError, ValueError: rates is no such table, or seeds are empty or out of range.

    >>> sweep_rates([[0.1, 0.1], [0.1, 0.05]], seeds=range(3)).losses.shape
    torch.Size([2, 3, 2])
    """
    import torch

    float64 = {"dtype": torch.float64, "device": "cpu"}
    rates = torch.as_tensor(check_table("rates", rates, least=0), **float64)
    if rates.ndim != 2:
        raise ValueError(f"rates must be a table [schedule, epoch], not of shape {list(rates.shape)}")
    seeds = check_list("seeds", seeds, check_count, least=0, most=LARGEST_SEED)
    if not isinstance(data, Problem | None):
        raise TypeError(f"data must be a Problem of make_problem or None, not {quoted(data)}")
    data = problem() if data is None else data
    num_epochs = rates.shape[1]
    matrices, offsets = _batch_gradients(data, seeds, num_epochs, replacement)
    theta = torch.zeros(len(seeds), 2, len(rates), **float64)
    gradient = torch.empty_like(theta)
    losses = torch.empty(num_epochs, len(seeds), len(rates), **float64)
    for epoch, lr in enumerate(rates.T.contiguous()):
        for step in range(epoch * STEPS_PER_EPOCH, (epoch + 1) * STEPS_PER_EPOCH):
            torch.baddbmm(offsets[step], matrices[step], theta, beta=-1, out=gradient)
            theta.addcmul_(gradient, lr, value=-1)
        losses[epoch] = _loss(data, theta)
    losses[~(losses < LOSS_LIMIT)] = torch.inf  # NaN is not below the limit either
    return Sweep(losses.permute(2, 1, 0), theta.permute(2, 0, 1), data.minimum)


def diverged_at(losses: Iterable[float], untrained: float) -> int | None:
    """Epoch from which a run stays worse than its untrained model to the end; None if it ends better.

    Args:
        losses: one number for each epoch; inf and NaN are worse than any other.
        untrained: the loss before training, in the same unit; finite.

    Raises:
        TypeError, ValueError: losses are empty or no numbers, or untrained is no finite number.

    >>> diverged_at([1.0, 0.5], untrained=2.0), diverged_at([1.0, 99.0, float("inf")], untrained=2.0)
    (None, 1)
    """
    losses = check_list("losses", losses, finite=False)
    untrained = check_number("untrained", untrained)
    better = [epoch for epoch, loss in enumerate(losses) if loss <= untrained]
    first = better[-1] + 1 if better else 0
    return first if first < len(losses) else None


@_undisturbed()
def sample_orders(seeds: Iterable[int], num_epochs: int, *, replacement: bool = False) -> "torch.Tensor":
    """Which samples are seen, one after another: numbers [seed, epoch * 64], in train's own order.

    >>> sample_orders(range(3), num_epochs=2).shape
    torch.Size([3, 128])
    """
    import torch

    def one_epoch(order: torch.Generator) -> torch.Tensor:
        if replacement:
            return torch.randint(NUM_SAMPLES, (NUM_SAMPLES,), generator=order, device="cpu")
        return torch.randperm(NUM_SAMPLES, generator=order, device="cpu")

    orders = []
    for seed in seeds:
        order = torch.Generator("cpu").manual_seed(seed)
        orders.append(torch.cat([one_epoch(order) for _ in range(num_epochs)]))
    return torch.stack(orders)


def _batch_gradients(
    data: Problem, seeds: list[int], num_epochs: int, replacement: bool = False
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Each step's ``A`` [step, seed, 2, 2] and ``c`` [step, seed, 2, 1]."""
    import torch

    orders = sample_orders(seeds, num_epochs, replacement=replacement)
    batches = orders.reshape(len(seeds), num_epochs * STEPS_PER_EPOCH, BATCH_SIZE).transpose(0, 1)
    x, y = data.x[batches], data.y[batches]
    one, mean_x = torch.ones_like(x[..., 0]), x.mean(-1)
    matrices = torch.stack([x.square().mean(-1), mean_x, mean_x, one], -1)
    offsets = torch.stack([(x * y).mean(-1), y.mean(-1)], -1)
    return 2 * matrices.unflatten(-1, (2, 2)), 2 * offsets[..., None]


def _loss(data: Problem, theta: "torch.Tensor") -> "torch.Tensor":
    """Mean squared error over all samples: the minimum plus a quadratic form around it."""
    x, _, best, minimum, _ = data
    weight, bias = theta[:, 0] - best[0], theta[:, 1] - best[1]
    return x.square().mean() * weight**2 + 2 * x.mean() * weight * bias + bias**2 + minimum
