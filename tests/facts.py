"""What the lessons say, as expressions in their own names: lesson -> id of a cell -> what holds once it has run.

``_`` is what the cell showed, and ``told(explorer, value)`` what an explorer says at a position of its slider.
"""

from typing import Any

from lrlearn import filmstrip


def told(explorer: filmstrip, value: Any) -> str:
    explorer.slider.value = value
    assert explorer.value == value, "the slider has no such position"
    return explorer.description


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
            "[v for v in _.values if float(told(_, v).split()[-1].rstrip('.')) < 0.0001] == [0.98, 0.99]",
        ],
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
