"""What the lessons say, as expressions in their own names: lesson -> id of a cell -> what holds once it has run.

``_`` is what the cell showed, and ``told(explorer, value)`` what an explorer says at a position of its slider.
"""

from typing import Any

from lrlearn import filmstrip


def told(explorer: filmstrip, value: Any) -> str:
    assert value in explorer.values, "the slider has no such position"
    return explorer._describe(value, **explorer._control_values())  # without drawing the strip


def ends(explorer: filmstrip) -> dict[Any, float]:
    """The last number that an explorer tells, at each position of its slider."""
    return {value: float(told(explorer, value).split()[-1].rstrip(".")) for value in explorer.values}


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
            "scheduled < 0.5 * slow and quick <= scheduled",
            "round((0.15 * 0.97 ** np.arange(STEPS)).sum(), 2) == 4.76 and round(0.05 * STEPS, 2) == 5",
        ],
        "3db2283c": [
            "decayed < constant / 10 and early > constant and round(constant / decayed) == 15",
            "runs['0.15, gamma 0.97'][:, -20:].max() < runs['constant 0.15'][:, -20:].max(axis=1).min()",
        ],
        "ee653366": ["best == 'constant 0.04' and decayed < 0.5 * constants[best][:, -1].mean()"],
        "b1c2ed76": [
            "rates[4] >= 0.2 > rates[5]",
            "(runs['constant 0.25'][:, -1] > 19.25).all() and (runs['0.25, gamma 0.95'][:, -1] < 0.1).all()",
            "1e13 < runs['0.5, gamma 0.95'].max(axis=1).mean() < 1e14",
        ],
        "b885b23b": [
            "descend([0.1] * 40)[0, -1] < descend(0.1 * 0.97 ** np.arange(40))[0, -1]",
            "descend(0.1 * 0.97 ** np.arange(40))[0, -1] < descend(0.1 * 0.9 ** np.arange(40))[0, -1]",
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
}
