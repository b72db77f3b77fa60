"""What a run costs when many are trained at once, against the plain torch loop that it stands for.

python tests/benchmarks/quadratic.py

Run it on an idle machine. The simulation and the contest's sweeps must cost at most a thousandth; the lesson's
network is reported as well: it has tanh and matrix work to do, and no target.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from lrlearn.quadratic import simulate
from lrlearn.regression import sweep_rates, train

LESSON = Path(__file__).resolve().parents[2] / "lessons" / "06-choosing-gamma.ipynb"


def seconds(function: Callable, repeat: int = 5) -> float:
    """The median of several calls, after one that is not counted."""
    function()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def plain_quadratic(rates: np.ndarray) -> None:
    """One noisy quadratic as torch's documentation would train it."""
    x = torch.nn.Parameter(torch.ones((), dtype=torch.float64))
    optimizer = torch.optim.SGD([x], lr=1.0)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rates[min(step, len(rates) - 1)])
    for _ in rates:
        optimizer.zero_grad()
        (x.square() / 2).backward()
        x.grad += 0.3 * torch.randn((), dtype=torch.float64)
        optimizer.step()
        scheduler.step()


def plain_network(num_epochs: int) -> None:
    """One small network, 8 steps an epoch."""
    model = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).double()
    optimizer, x = torch.optim.SGD(model.parameters(), lr=0.1), torch.rand(64, 1, dtype=torch.float64)
    for _ in range(num_epochs):
        for batch in torch.randperm(64).split(8):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(x[batch]), x[batch]).backward()
            optimizer.step()


def lesson_network() -> Callable:
    """The function of the lesson itself, so that what is measured is what learners run."""
    cells = ["".join(cell["source"]) for cell in json.loads(LESSON.read_text(encoding="utf-8"))["cells"]]
    scope = {"np": np, "torch": torch}
    for cell in cells:
        if cell.startswith(("points = ", "def network")):
            exec(cell, scope)
    return scope["network"]


def main() -> int:
    torch.set_num_threads(1)  # as in the lesson
    rates = 0.3 * 0.97 ** np.arange(100)
    many = rates * np.linspace(0.1, 1, 504)[:, None]  # the contest's 7 schedules of 72 settings
    epochs = many[:, :30]
    network = lesson_network()
    # name -> (plain loop of one run, all runs at once, how many they are, is there a target)
    cases = {
        "simulate, 1 schedule x 10,000 runs": (
            lambda: plain_quadratic(rates),
            lambda: simulate(rates, noise=0.3, num_runs=10_000),
            10_000,
            True,
        ),
        "simulate, contest: 504 x 200": (
            lambda: plain_quadratic(rates),
            lambda: simulate(many, noise=0.3, num_runs=200),
            504 * 200,
            True,
        ),
        "sweep_rates, contest: 504 x 64": (
            lambda: train(0.1, 0.9, 0, 30),
            lambda: sweep_rates(epochs, range(64)),
            504 * 64,
            True,
        ),
        "network, contest: 72 x 40": (
            lambda: plain_network(30),
            lambda: network(epochs[:72], range(40), first=29),
            72 * 40,
            False,
        ),
    }
    missed = 0
    for name, (plain, batched, num_runs, target) in cases.items():
        one, run = seconds(plain), seconds(batched, 3) / num_runs
        missed += target and one / run < 1000
        print(f"{name:36} plain {one * 1e3:6.1f} ms, here {run * 1e6:7.2f} us a run: {one / run:7.0f} times cheaper")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
