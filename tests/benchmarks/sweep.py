"""``sweep`` of 24 rates x 36 gammas x 32 seeds beside the plain torch loop of ``train``: cost of a run.

python tests/benchmarks/sweep.py
"""

import time

from lrlearn import explorers
from lrlearn.regression import sweep, train

ROUNDS = 5
PLAIN_RUNS = 10  # in each round, beside one whole sweep


def seconds(function, *arguments) -> float:
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


def main() -> None:
    rates, gammas, seeds = explorers.SWEPT_LRS, explorers.SWEPT_GAMMAS, explorers.SEEDS
    runs = len(rates) * len(gammas) * len(seeds)
    sweep(rates, gammas, seeds)
    train(0.1, 0.9, 0)
    print(f"{runs} runs of 40 epochs of 8 steps, float64\n{'round':>5}{'train ms':>10}{'sweep us':>10}{'ratio':>9}")
    ratios = []
    for number in range(ROUNDS):
        plain = sum(seconds(train, 0.1, 0.9, seed) for seed in range(PLAIN_RUNS)) / PLAIN_RUNS
        batched = seconds(sweep, rates, gammas, seeds) / runs
        ratios.append(plain / batched)
        print(f"{number:5}{plain * 1e3:10.2f}{batched * 1e6:10.2f}{ratios[-1]:9.0f}")
    print(f"median ratio {sorted(ratios)[ROUNDS // 2]:.0f}, best {max(ratios):.0f} (wanted: at least 15000)")


if __name__ == "__main__":
    main()
