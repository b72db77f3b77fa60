"""What the lessons say, as expressions in their own names: lesson -> id of a cell -> what holds once it has run.

``_`` is what the cell showed, and ``told(explorer, value)`` what an explorer says at a position of its slider.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lrlearn import filmstrip
from lrlearn.explorers import SWEPT_GAMMAS, SWEPT_LRS
from lrlearn.regression import GAMMAS, SEEDS, diverged_at, problem, sweep, train
from lrlearn.verdicts import Pair, verdicts

# (initial_lr, gamma, seed) of trainings that are compared epoch by epoch
RUNS = [(0.1, 0.9, 0), (0.5, 0.7, 1), (0.02, 1.0, 2)]


def holds(fact: str, names: dict[str, Any]) -> bool:
    """Whether an expression holds, in the names that a lesson has after a cell and in those of this file."""
    return bool(eval(fact, globals() | names))


def told(explorer: filmstrip, value: Any) -> str:
    assert value in explorer.values, "the slider has no such position"
    return explorer._describe(value, **explorer._control_values())  # without drawing the strip


def ends(explorer: filmstrip) -> dict[Any, float]:
    """The last number that an explorer tells, at each position of its slider."""
    return {value: float(told(explorer, value).split()[-1].rstrip(".")) for value in explorer.values}


def agree(loop: Callable, initial_lr: float, gamma: float, seed: int) -> bool:
    """Whether the loop that a lesson shows, `train` and `sweep` give the same rates and losses."""
    (lrs, losses), history = loop(initial_lr, gamma, seed), train(initial_lr, gamma, seed)
    swept = sweep([initial_lr], [gamma], [seed]).losses[0, 0, 0]
    same = np.allclose(history.lrs, lrs, rtol=1e-12) and np.allclose(history.losses, losses, rtol=1e-9)
    return same and np.allclose(swept, losses, rtol=1e-5, atol=0)


def spread_of(losses: Any) -> float:
    """How many times the 90th percentile of the seeds is above the 10th."""
    low, high = np.percentile(losses, [10, 90])
    return high / low


def lowest_of_the_map(num_epochs: int) -> tuple[float, float, float]:
    """The lowest mean excess loss of the explorer's map, with its initial_lr and gamma, in its digits."""
    final = sweep(SWEPT_LRS, SWEPT_GAMMAS, SEEDS, num_epochs).excess[..., -1].mean(-1)
    row, column = divmod(int(final.argmin()), len(SWEPT_GAMMAS))
    return float(f"{final.min():.2g}"), float(f"{SWEPT_LRS[row]:.3g}"), SWEPT_GAMMAS[column]


def verdicts_against_best(initial_lr: float, gammas: list[float]) -> list[str]:
    """How gammas compare with the best one, the margin being the lowest loss."""
    final = sweep([initial_lr], GAMMAS, SEEDS).excess[0, :, :, -1]
    best = final[final.mean(1).argmin()].tolist()
    rows = [final[GAMMAS.index(gamma)].tolist() for gamma in gammas]
    return [found.word for found in verdicts([Pair(row, best, sum(best) / len(best), False) for row in rows])]


def diverging(initial_lr: float, gamma: float) -> int:
    """How many of the runs diverge."""
    losses = sweep([initial_lr], [gamma], SEEDS).losses[0, 0]
    return sum(diverged_at(run, problem().untrained) is not None for run in losses)


FACTS: dict[str, dict[str, list[str]]] = {
    "00-start-here": {
        "9c8a1db4": [
            "'half-life 2.94 epochs' in told(_, 0.79) and 'half-life 3.11 epochs' in told(_, 0.80)",
            "'can never pass 2.' in told(_, 0.95)",
        ],
        "009d5e46": [
            "[round(initial_lr * gamma**e, 4) for e in range(4)] == [0.1, 0.09, 0.081, 0.0729]",
            "all(gamma**e - gamma**(e + 1) > gamma**(e + 1) - gamma**(e + 2) for e in range(9))",
        ],
        "b5379e71": [
            "'diverged' in told(_, 1.0) and 'from 19.2 to 2.3e+04' in told(_, 1.0)",
            "'to 3.2.' in told(_, 0.5) and 'to 2.6e-05.' in told(_, 0.98)",
            "[gamma for gamma, loss in ends(_).items() if loss < 0.0001] == [0.98, 0.99]",
        ],
    },
    "01-definition": {
        "5d5d2006": ["closer == 3"],
        "aa317738": [
            "min(ends(_), key=ends(_).get) == 0.18 and ends(_)[0.18] == 1.2e-06",
            "min(lr for lr, loss in ends(_).items() if loss > 19.25) == 0.205",
            "ends(_)[0.01] > 1 and 'diverged' not in told(_, 0.01) and 'diverged' in told(_, 0.25)",
        ],
        "946c95dc": ["rate == 0.25 * gamma * gamma * gamma * gamma * gamma"],
        "11ddca3e": [
            "max(gamma for gamma, loss in ends(_).items() if loss < 19.25) == 0.98",
            "min(ends(_), key=ends(_).get) == 0.98 and ends(_)[0.98] == 1.8e-06",
            "max(gamma for gamma, loss in ends(_).items() if gamma < 0.98 and loss > 1) == 0.73",
        ],
        "b2885ea3": [
            "scheduled < 0.5 * others[0] and others[1] <= scheduled",
            "round((0.15 * 0.97 ** np.arange(STEPS)).sum(), 2) == 4.76 and round(0.05 * STEPS, 2) == 5",
        ],
        "3db2283c": [
            "round(times_lower(at_the_end(runs))) == 15",
            "runs['0.15, gamma 0.9'][:, -1].mean() > runs['constant 0.15'][:, -1].mean()",
            "runs['0.15, gamma 0.97'][:, -20:].max() < runs['constant 0.15'][:, -20:].max(axis=1).min()",
        ],
        "ee653366": ["[*best] == ['constant 0.04'] and times_lower(at_the_end(dict(reversed(contest.items())))) > 2"],
        "b1c2ed76": [
            "rates[4] >= 0.2 > rates[5]",
            "(runs['constant 0.25'][:, -1] > 19.25).all() and (runs['0.25, gamma 0.95'][:, -1] < 0.1).all()",
            "1e13 < runs['0.5, gamma 0.95'].max(axis=1).mean() < 1e14",
        ],
        "b885b23b": [
            "descend([0.1] * 40)[0, -1] < descend(0.1 * 0.97 ** np.arange(40))[0, -1]",
            "descend(0.1 * 0.97 ** np.arange(40))[0, -1] < descend(0.1 * 0.9 ** np.arange(40))[0, -1]",
            "descend(0.19 * 0.99 ** np.arange(40))[0, -1] < descend([0.19] * 40)[0, -1]",
        ],
        "41d5f198": [
            "np.allclose(schedules['ExponentialLR'], 0.1 * 0.9 ** np.arange(40))",
            "schedules['ExponentialLR'][7] < 0.05 < schedules['LinearLR'][7] < schedules['StepLR'][7]",
            "all(abs(rates[-1] - 0.1 * 0.9**39) < 1e-9 for rates in schedules.values())",
        ],
    },
    "02-formula": {
        "3713213e": ["round(rate, 12) == 0.1458 and rate == exponential_lr(0.2, 0.9, 3)"],
        "df36baf9": [
            "'half-life 9.55 epochs' in told(_, 0.93) and 'half-life 11.20 epochs' in told(_, 0.94)",
            "'half-life 13.51 epochs' in told(_, 0.95)",
        ],
        "6f138288": [
            "f'{half_life(0.9):.2f}' == '6.58' and f'{half_life(0.99):.2f}' == '68.97'",
            "all(abs(exponential_lr(0.1, 0.9, e + half_life(0.9)) * 2 / exponential_lr(0.1, 0.9, e) - 1) < 1e-9"
            " for e in (0, 3, 20))",
        ],
        "d1765900": ["abs(exponential_lr(0.1, 0.9, tenth_life(0.9)) - 0.01) < 1e-12 and tenth_life(1) == math.inf"],
        "e6814e34": ["'to 0.00106 in epoch 39' in told(_, 0.89) and 'to 0.000684 in' in told(_, 0.88)"],
        "b1fd8d0b": [
            "max(steps) - min(steps) < 1e-9 and abs(steps[0] - math.log10(gamma)) < 1e-9",
            "f'{math.log10(0.9):.4f}' == '-0.0458' and f'{gamma:.4f}' == '0.8886'",
        ],
        "608017cf": ["closed != recursive and abs(closed - recursive) < 1e-16"],
        "52b52e9a": [
            "all(math.isclose(one, other, rel_tol=1e-12) for one, other in zip(recursive, closed, strict=True))",
            "max(apart) < 1e-14 and sum(part > 0 for part in apart) > 50",
            "Fraction(9, 10) ** 99 / 10 == math.prod([Fraction(9, 10)] * 99) / 10",
        ],
        "5141d815": ["math.isclose(closed_power(0.9, 3), recursive_power(0.9, 3))"],
        "f3b6d7e9": [
            "math.isclose(walk(0.9)[-1], 1.0) and abs(walk(0.97)[-1] - 3) < 0.01",
            "sum(0.1 / k for k in range(1, 12_001)) < 1 < sum(0.1 / k for k in range(1, 12_401))",
        ],
        "39e4bbbb": [
            "'x is at 2.50;' in told(_, 0.96) and 'x is at 3.00;' in told(_, 0.97) and 'x is at 1.00;' in told(_, 0.9)",
            "'x is hopping between 2.90 and 3.00;' in told(_, 1.0)",
        ],
        "8059dfea": [
            "[round(walk(0.9, minimum=30, **more)[-1], 2) for more in ({}, {'slope': 2}, {'momentum': 0.9})]"
            " == [1, 2, 5.26]",
            "f'{min(hops):.2f} {max(hops):.2f}' == '2.96 3.04'",
        ],
        "866d4a9c": [
            "'never pass 0.2.' in told(_, 0.5) and 'have no limit' in told(_, 1.0)",
            "'to 0.214 in epoch 8' in told(_, 1.1) and 'to 0.148 in epoch 8' in told(_, 1.05)",
            "'the rate goes from 0.1 in epoch 0 to 0 in epoch 8' in told(_, 0.0)",
        ],
        "887c7d3e": ["2 < lr < 2.03 and abs(1 - lr) > 1 > abs(1 - lr / 1.02)"],
    },
    "03-worked-example": {
        "f96c4156": [
            "'0.1 × 0.478297 = 0.0478297' in told(_, 7) and '= 0.0531441' in told(_, 6)",
        ],
        "e48d971e": ["[round(lr, 4) for lr in python_lrs] == [0.2, 0.14, 0.098, 0.0686]"],
        "4bfaf7a6": [
            "torch_lrs == python_lrs",
            "close(torch_lrs, by_hand) and close(moved, by_hand) and close(moved, torch_lrs)",
            "torch_lrs != by_hand and python_lrs != by_hand",
        ],
        "0e2a97e7": ["odd == 3"],
        "acaf3c00": ["repr(product) == '0.08100000000000002'"],
        "22e2cbca": ["math.nextafter(0.081, 1) == product"],
        "7700e8f5": ["exact == Fraction(81, 1000)", "1e-16 < Fraction(product) / exact - 1 < 3e-16"],
        "0a17ce7c": [
            "[f'{0.2 * 0.5**e:.4g}' for e in range(6)] == ['0.2', '0.1', '0.05', '0.025', '0.0125', '0.00625']",
            "(0.2 * 0.5) * 0.5 == 0.05",
            "'= 0.00625' in told(_, 5) and '= 0.0125' in told(_, 4)",
        ],
    },
    "04-training-effects": {
        "c2dec1f2": [
            "0.001 < lrs[-1] < 0.002 and losses[-1] < losses[-2] < losses[29]",
            # the loop that is read, train and sweep: the same losses, epoch by epoch
            "all(agree(train_line, *run) for run in RUNS)",
        ],
        "8b23fd03": [
            "'is 0.11 ' in told(_, 0.69) and float(told(_, 0.7).split(' is ')[1].split()[0]) < 0.1",
            "min(_.values, key=lambda v: float(told(_, v).split(' is ')[1].split()[0])) == 0.94",
            "'is 1.8e-06 ' in told(_, 0.94) and 'is 0.00066 ' in told(_, 1.0)",
        ],
        "454440f5": [
            "columns[1][0] > 0.999 * mean_curves(0.1, [0.6], 20)[0, -1] and columns[2][0] > 0.2",  # frozen
            "columns[1][1] < mean_curves(0.1, [0.94], 20)[0, -1] / 10",  # still on its way down
            "columns[2][1] < columns[1][1] / 2",
            "0.5 < columns[1][2] / columns[0][2] < 2 and columns[2][2] > columns[1][2] / 2",  # going nowhere
            "sweep([0.1], [0.8], SEEDS, num_epochs=100).excess[0, 0].mean(0).min() > 0.015",
        ],
        "a30227db": [
            "abs(runs.weights[0, 0, :, 0].mean() - 2.04) < 0.005 and abs(best[0] - 2.90) < 0.005",
            "spread_of(runs.excess[0, 2, :, -1]) > 50 and spread_of(runs.excess[0, 0, :, -1]) < 1.1",
        ],
        "c79fdae3": [
            "all('at initial_lr 0.11;' in told(_, v).replace('0.111', '0.11') for v in (0.94, 0.95))",
            "'5.8e-07, at initial_lr 0.201' in told(_, 0.9)",
            "lowest_of_the_map(20) == (3.2e-06, 0.367, 0.78)",
        ],
        "809a2a4f": [
            "best_gammas == sorted(best_gammas, reverse=True) and best_gammas[0] == 1.0",
            "[50 - verdicts_against_best(lr, GAMMAS).count('worse') for lr in (0.05, 0.5)] == [0, 9]",
        ],
        "3afe8c0c": [
            "f'{ratios[0]:.0f} {ratios[1]:.0f}' == '61 3' and abs(constants[best] - 0.027) < 0.001",
            "f'{100 * chosen(flat, False)[1] / minimum:.3f}' == '0.015'",
        ],
        "d2ad6e66": ["(round(min(good), 3), round(max(good), 3)) == (0.033, 0.045)"],
        "9db4aa1b": [
            "verdicts_against_best(0.2, [0.87, 0.88, 0.91, 0.92]) == ['worse', 'the same', 'the same', 'cannot tell']",
            "GAMMAS[sweep([0.2], GAMMAS, SEEDS).excess[0, :, :, -1].mean(1).argmin()] == 0.9",
        ],
        "b2ce5279": [
            "verdicts_against_best(0.5, [0.80, 0.83, 0.86, 0.90, 0.92])"
            " == ['worse', 'cannot tell', 'the same', 'cannot tell', 'worse']",
        ],
        "ae925ca0": ["count == 32 and diverging(1.5, 1.0) == 32 and diverging(1.5, 0.9) == 0"],
        "16a35e8e": [
            "'17 of 32 runs diverged, the first at epoch 8' in told(_, 1.0)",
            "not any('diverged' in told(_, v) for v in _.values if v < 1)",
        ],
    },
    "05-in-pytorch": {
        "2351426e": ["np.isclose(held, initial_lr * gamma**num_epochs, rtol=1e-9, atol=0)"],
        "5b47932f": [
            "scheduler.last_epoch == num_epochs and scheduler.get_last_lr() == [held]",
            "{'gamma', 'base_lrs', 'last_epoch'} <= scheduler.state_dict().keys() and 'optimizer' not in"
            " scheduler.state_dict()",
        ],
        "10f67ca0": ["math.isclose(FIRST * math.exp(-natural * 3), torch_rates[3])"],
        "e25ff62d": ["math.isclose(last, end)"],
        "bf08e6ee": ["0 < worst < 1e-15"],
        "931f87de": ["(alone, afterwards) == (1, 0)"],
        "01adee8d": ["scheduler.last_epoch == given + 1", "scheduler.get_last_lr() == [FIRST]"],
        "48c976d2": ["math.isclose(weight.item(), (1 - FIRST * weight_decay) ** steps)"],
        "a56c05ed": ["moved[torch.optim.SGD] == moved[torch.optim.Adam] == [0.1, 0.05, 0.025]"],
        "b9c724ce": ["math.isclose(weight.item(), FIRST / (1 - DECAY))"],
        "3c5f43df": ["accepted == [True, True]"],
        "58761ac5": ["np.allclose(rates[::BATCHES], torch_rates[:3], rtol=1e-9, atol=0)"],
        "a896b56c": [
            "np.allclose(after, [0.02, 0.04, 0.06, 0.08, *FIRST * DECAY ** np.arange(8)], rtol=1e-9, atol=0)",
            "np.allclose(at_once, [FIRST * DECAY**e * min(1, 0.2 + 0.2 * e) for e in range(12)], rtol=1e-9, atol=0)",
        ],
        "85bd2254": ["agree is True"],
        "cdea2a92": ["others == []"],
    },
}
