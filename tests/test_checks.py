"""What public functions take and what they refuse: every kind of number, and a short message for anything else."""

import datetime
import decimal
import functools
import itertools
import math
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from lrlearn import chained_lrs, exponential_lr, gamma_for, half_life, plots, step_budget
from lrlearn.checks import quoted
from lrlearn.quadratic import best_rates, expected_loss, noise_floor, simulate
from lrlearn.regression import diverged_at, make_problem, sweep, sweep_rates, train
from lrlearn.verdicts import verdict

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lessons" / "applications"))

from trials import summarise, within_spread


def numpys(*names: str) -> list[Callable]:
    """Makers of arrays of these dtypes, without a dimension if of a number."""
    return [functools.partial(np.array, dtype=name) for name in names]


def torchs(*names: str) -> list[Callable]:
    return [functools.partial(torch.tensor, dtype=getattr(torch, name)) for name in names]


WIDTHS = [f"{sign}int{width}" for sign in ("", "u") for width in (8, 16, 32, 64)]
COUNTS = [int, np.longlong, *(np.dtype(name).type for name in WIDTHS), *numpys(*WIDTHS), *torchs(*WIDTHS)]
REALS = [float, Fraction, decimal.Decimal, np.float16, np.float32, np.float64, np.longdouble]
REALS += numpys("float16", "float32", "float64", "longdouble", "object")
REALS += torchs("bfloat16", "float16", "float32", "float64")

# A function, arguments that it takes, and what each of them is
NUMBER, COUNT, LIST, COUNTS_LIST, TABLE = "number", "count", "list", "list of counts", "table"
PUBLIC = {
    exponential_lr: {"initial_lr": (0.5, NUMBER), "gamma": (0.75, NUMBER), "epoch": (3, NUMBER)},
    chained_lrs: {"initial_lr": (0.5, NUMBER), "gamma": (0.75, NUMBER), "num_epochs": (3, COUNT)},
    half_life: {"gamma": (0.75, NUMBER)},
    step_budget: {"initial_lr": (0.5, NUMBER), "gamma": (0.75, NUMBER), "num_epochs": (3, COUNT)},
    gamma_for: {"initial_lr": (0.5, NUMBER), "final_lr": (0.25, NUMBER), "num_epochs": (3, COUNT)},
    train: {"initial_lr": (0.5, NUMBER), "gamma": (0.75, NUMBER), "seed": (2, COUNT), "num_epochs": (2, COUNT)},
    sweep: {
        "initial_lrs": ([0.5, 0.25], LIST),
        "gammas": ([0.75, 1.0], LIST),
        "seeds": ([1, 2], COUNTS_LIST),
        "num_epochs": (2, COUNT),
    },
    sweep_rates: {"rates": ([[0.5, 0.25], [0.75, 0.0]], TABLE), "seeds": ([1, 2], COUNTS_LIST)},
    make_problem: {
        "weight": (2, NUMBER),
        "bias": (0.5, NUMBER),
        "noise": (0.25, NUMBER),
        "width": (0.75, NUMBER),
        "seed": (1, COUNT),
    },
    diverged_at: {"losses": ([4.0, 0.5, 3.0], LIST), "untrained": (2.0, NUMBER)},
    expected_loss: {
        "rates": ([[0.5, 0.25], [0.75, 0.0]], TABLE),
        "curvature": (0.5, NUMBER),
        "noise": (0.25, NUMBER),
        "start": (2.0, NUMBER),
    },
    simulate: {
        "rates": ([0.5, 0.25], LIST),
        "curvature": ([0.5, 0.25], LIST),
        "noise": (0.25, NUMBER),
        "start": (2.0, NUMBER),
        "num_runs": (2, COUNT),
        "seed": (1, COUNT),
    },
    noise_floor: {"lr": (0.5, NUMBER), "curvature": (0.75, NUMBER), "noise": ([0.25, 1], LIST)},
    best_rates: {"num_steps": (3, COUNT), "curvature": (0.5, NUMBER), "noise": (0.25, NUMBER), "start": (2, NUMBER)},
    summarise: {"scores": ([0.5, 0.25], LIST)},
    verdict: {"ours": ([0.5, 0.25], LIST), "theirs": ([0.25, 0.5], LIST), "margin": (0.25, NUMBER)},
    within_spread: {"score": (0.5, NUMBER), "scores": ([0.5, 0.25], LIST), "least": (0.25, NUMBER)},
}
GOOD = {function: {name: value for name, (value, _) in takes.items()} for function, takes in PUBLIC.items()}
PLACES = [(function, name, value, what) for function, takes in PUBLIC.items() for name, (value, what) in takes.items()]
PLACE_NAMES = [f"{function.__name__}-{name}" for function, name, *_ in PLACES]


def outcome(function: Callable, **changed: object) -> str:
    """What the function returns, with its types and every digit."""
    found = function(**GOOD[function] | changed)
    parts = vars(found).values() if hasattr(found, "__dict__") else [found]
    return repr([part.tolist() if hasattr(part, "tolist") else part for part in parts])


def kinds(value: object, what: str) -> list:
    """The same value in every kind of number and of list that it can be written in without loss."""
    if what == COUNT:
        return [make(value) for make in COUNTS]
    if what == NUMBER:
        return [make(value) for make in REALS + (COUNTS if isinstance(value, int) else [])]
    whole = what == COUNTS_LIST
    makers = [
        list,
        tuple,
        *(numpys("int8", "uint64", "object") if whole else numpys("float16", "longdouble", "object")),
    ]
    makers += torchs("uint8", "int64") if whole else torchs("bfloat16", "float64")
    if what == TABLE:
        makers += [lambda rows: [np.array(row) for row in rows], lambda rows: tuple(torch.tensor(row) for row in rows)]
    else:
        each = COUNTS if whole else REALS
        makers += [iter, *(lambda values, make=make: [make(value) for value in values] for make in each)]
    return [make(value) for make in makers]


@pytest.mark.parametrize(("function", "name", "value", "what"), PLACES, ids=PLACE_NAMES)
def test_every_kind_of_number_is_taken_and_gives_the_same(function, name, value, what):
    expected = outcome(function)
    for other in kinds(value, what):
        assert outcome(function, **{name: other}) == expected, (type(other), getattr(other, "dtype", None))


class Raises:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Long:
    def __repr__(self) -> str:
        return "5 MB\n" * 1_000_000


NEVER = {  # neither a number nor a list of numbers
    "text": "0.5",
    "numpy's text": np.str_("0.5"),
    "bytes": b"0.5",
    "long text": "5" * 5_000_000,
    "True": True,
    "numpy's True": np.True_,
    "torch's True": torch.tensor(True),
    "complex": 1j,
    "numpy's complex": np.complex64(0.5),
    "array of one complex": np.array(0.5 + 0j),
    "torch's complex": torch.tensor(0.5 + 0j),
    "array of one text": np.array("0.5"),
    "array of one object": np.array(None, dtype=object),
    "dict": {0: 0.5},
    "long dict": dict.fromkeys(range(1_000_000)),
    "duration": np.timedelta64(1, "ns"),
    "Python's duration": datetime.timedelta(1),
    "date": np.datetime64("2020-01-01"),
    "function": half_life,
    "class": float,
    "object": object(),
    "repr that raises": Raises(),
    "repr of 5 MB": Long(),
    "name of 1 MB": type("x" * 1_000_000, (), {})(),
    "tensor without value": torch.empty((), device="meta"),
    "NaN": math.nan,
    "infinity": math.inf,
    "numpy's NaN": np.float16("nan"),
    "torch's infinity": torch.tensor(math.inf, dtype=torch.bfloat16),
    "Decimal's NaN": decimal.Decimal("NaN"),
    "Decimal's signalling NaN": decimal.Decimal("sNaN"),
    "Decimal's infinity": decimal.Decimal("-Infinity"),
    "long Decimal": decimal.Decimal("1e999999999"),
    "longdouble": np.longdouble("1e4000"),
    "-5,000 digits": -(10**5000),
    "long Fraction": Fraction(-(10**5000), 3),
}
NO_NUMBER = {
    "list": [0.5],
    "list of a million": [0.5] * 1_000_000,
    "list of lists": [[[["0.5" * 1000] * 1000] * 1000] * 1000] * 1000,
    "array": np.zeros(1_000_000),
    "array of one": np.array([0.5]),
    "tensor": torch.zeros(1000, 1000),
    "tensor of one": torch.tensor([0.5]),
    "range": range(3),
}
NO_COUNT = {
    "half": 0.5,
    "float": 2.0,
    "Fraction": Fraction(2),
    "Decimal": decimal.Decimal(2),
    "numpy's float": np.float64(2),
}
NO_LIST = {
    "empty": [],
    "empty array": np.zeros((0, 3)),
    "empty tensor": torch.zeros(3, 0),
    "in it text": [0.5, "0.5"],
    "in it nothing": [0.5, None],
    "in it True": [True, 0.5],
    "in it 5,000 digits": [-(10**5000)],
    "in it complex": [0.5, 1j],
    "in it repr of 5 MB": [Long()],
    "array of text": np.array(["0.5"]),
    "array of True": np.array([True]),
    "tensor of True": torch.tensor([True]),
    "array of complex": np.array([1j]),
    "tensor of complex": torch.tensor([1j]),
    "array of objects": np.array([0.5, None, "x"], dtype=object),
    "array of dates": np.array(["2020-01-01"], dtype="datetime64[D]"),
    "rows that differ": [[0.5, 0.25], [0.5]],
    "ends": itertools.repeat("0.5"),
}
NO_FLAT_LIST = {
    "number": 0.5,
    "0-d array": np.array(0.5),
    "0-d tensor": torch.tensor(0.5),
    "table": [[0.5]],
    "array table": np.ones((1, 1)),
}


def wrong(function: Callable, name: str, what: str) -> dict:
    """Everything that this argument must refuse, with a name for each."""
    broadcasts = function in (expected_loss, simulate, noise_floor)
    if what in (NUMBER, COUNT):
        bad = NEVER | {"nothing": None} | (NO_LIST if broadcasts and what == NUMBER else NO_NUMBER)
    else:
        bad = NEVER | {"nothing": None} | NO_LIST | ({} if broadcasts or what == TABLE else NO_FLAT_LIST)
    if what in (COUNT, COUNTS_LIST):
        bad |= NO_COUNT | {"below": -1, "numpy's below": np.int8(-1), "torch's below": torch.tensor(-1)}
    fine = {
        "epoch": ["array", "array of one", "tensor", "tensor of one"],
        "losses": ["in it 5,000 digits"],  # of a run that has diverged
        "num_epochs": ["nothing"] if function is step_budget else [],
    }
    return {key: value for key, value in bad.items() if key not in fine.get(name, [])}


@pytest.mark.parametrize(("function", "name", "value", "what"), PLACES, ids=PLACE_NAMES)
def test_anything_else_is_refused_by_name_and_briefly(function, name, value, what):
    for key, bad in wrong(function, name, what).items():
        with pytest.raises((TypeError, ValueError)) as caught:
            print(key, function(**GOOD[function] | {name: bad}))
        message = str(caught.value)
        assert name in message, (key, message)
        assert len(message) <= 250 and "\n" not in message and "0x" not in message, (key, message[:1000])


@pytest.mark.parametrize("bad", [*NEVER.values(), *NO_NUMBER.values()], ids=[*NEVER, *NO_NUMBER])
def test_a_message_quotes_on_one_short_line(bad):
    said = quoted(bad)
    assert 0 < len(said) <= 80 and "\n" not in said and "0x" not in said


def test_a_short_value_is_quoted_as_it_is():
    for value in (-0.5, "0.1", None, [0.1, 0.2], Fraction(1, 3), decimal.Decimal("0.1"), 2**100):
        assert quoted(value) == repr(value)


@pytest.mark.parametrize("bad", [{}, [[1.0]], None, "runs", {"a": "0.5"}, {"a": [["0.5"]]}, {"a": [1.0]}, {"a": [[]]}])
def test_spread_names_the_runs_that_it_cannot_draw(bad):
    with pytest.raises((TypeError, ValueError), match=r"^runs"):
        plots.spread(bad)


@pytest.mark.parametrize(
    ("name", "bad"),
    [("x", [1.0]), ("x", "01"), ("x", [1.0, None]), ("x", 3), ("log", "no"), ("log", 0), ("ax", "left")],
)
def test_spread_names_any_other_argument(name, bad):
    with pytest.raises((TypeError, ValueError), match=f"^{name} must"):
        plots.spread({"a": [[1.0, 2.0]]}, **{name: bad})


def test_spread_refuses_before_it_draws():
    axes = plots.Picture().subplots()
    with pytest.raises(TypeError, match=r"^runs\['b'\] must be a number, not '2' \(a str\)"):
        plots.spread({"a": [[1.0, 2.0]], "b": [[1.0, "2"]]}, ax=axes)
    assert not axes.lines


@pytest.mark.parametrize("kind", [np.array, torch.tensor, lambda rows: [torch.tensor(row) for row in rows]])
def test_spread_takes_every_kind_of_table(kind):
    rows = [[4.0, 2.0], [2.0, 1.0]]
    assert repr(plots.spread({"a": kind(rows)})) == repr(plots.spread({"a": rows}))


def test_a_mean_does_not_overflow():
    assert summarise([1.5e308, 1.6e308])[:2] == pytest.approx((1.55e308, 0.1e308 / 2**0.5))
