"""The mathematics: torch is the oracle of the chained rates, mpmath of the formulas; values by hand, and properties."""

import decimal
import fractions
import functools
import math
import sys

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lrlearn import chained_lrs, exponential_lr, gamma_for, half_life, step_budget
from lrlearn.checks import quoted

LRS = st.floats(1e-6, 1e3)
GAMMAS = st.floats(0, 1.2)
COUNTS = st.integers(1, 60)


@given(LRS, GAMMAS, COUNTS)
def test_chained_rates_are_those_that_torch_uses_to_the_last_bit(initial_lr, gamma, num_epochs):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=initial_lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    used = []
    for _ in range(num_epochs):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert chained_lrs(initial_lr, gamma, num_epochs) == used


@given(LRS, GAMMAS, COUNTS)
def test_closed_and_chained_form_differ_only_by_rounding(initial_lr, gamma, num_epochs):
    closed = [exponential_lr(initial_lr, gamma, epoch) for epoch in range(num_epochs)]
    assert chained_lrs(initial_lr, gamma, num_epochs) == pytest.approx(closed, rel=1e-13, abs=1e-300)


def test_the_two_forms_do_differ_in_the_last_bits():
    # 0.1 * 0.9 * 0.9 is rounded twice, 0.1 * 0.81 once
    assert chained_lrs(0.1, 0.9, 4) != [exponential_lr(0.1, 0.9, epoch) for epoch in range(4)]


def test_the_worked_example():
    assert [exponential_lr(0.1, 0.9, epoch) for epoch in range(4)] == pytest.approx([0.1, 0.09, 0.081, 0.0729])


@pytest.mark.parametrize(
    ("gamma", "epoch", "rate"),
    [(1, 1000, 0.2), (0, 0, 0.2), (0, 1, 0.0), (2, 3, 1.6), (0.25, 0.5, 0.1), (0.5, fractions.Fraction(2), 0.05)],
)
def test_rates_by_hand(gamma, epoch, rate):
    assert exponential_lr(0.2, gamma, epoch) == pytest.approx(rate)


@given(LRS, GAMMAS, st.lists(st.integers(0, 100), min_size=1, max_size=9))
def test_an_array_of_epochs_gives_each_epochs_rate(initial_lr, gamma, epochs):
    one_by_one = [exponential_lr(initial_lr, gamma, epoch) for epoch in epochs]
    assert exponential_lr(initial_lr, gamma, np.array(epochs)).tolist() == pytest.approx(one_by_one)
    assert exponential_lr(initial_lr, gamma, torch.tensor(epochs)).tolist() == pytest.approx(one_by_one, rel=1e-5)
    table = exponential_lr(initial_lr, gamma, np.array([epochs, epochs], dtype=float))
    assert table.shape == (2, len(epochs))


@given(LRS, st.floats(0.01, 1, exclude_max=True), st.floats(0, 50))
def test_one_half_life_later_the_rate_is_half(initial_lr, gamma, epoch):
    before, after = (exponential_lr(initial_lr, gamma, at) for at in (epoch, epoch + half_life(gamma)))
    assert after == pytest.approx(before / 2, rel=1e-9)


def test_half_lives_by_hand():
    assert half_life(0.9) == pytest.approx(6.578813, rel=1e-6)
    assert half_life(0.5) == 1
    assert half_life(0.25) == 0.5
    assert half_life(1) == math.inf
    assert half_life(0) == 0.0


@given(LRS, GAMMAS, COUNTS)
def test_the_budget_is_the_sum_of_the_rates(initial_lr, gamma, num_epochs):
    total = math.fsum(chained_lrs(initial_lr, gamma, num_epochs))
    assert step_budget(initial_lr, gamma, num_epochs) == pytest.approx(total, rel=1e-9)


@given(LRS, st.floats(1e-12, 1e-3), COUNTS)
def test_the_budget_keeps_its_digits_close_to_gamma_one(initial_lr, gap, num_epochs):
    gamma = 1 - gap
    total = math.fsum(exponential_lr(initial_lr, gamma, epoch) for epoch in range(num_epochs))
    assert step_budget(initial_lr, gamma, num_epochs) == pytest.approx(total, rel=1e-9)


@given(LRS, st.floats(0, 0.999), st.integers(1, 2000))
def test_no_number_of_epochs_reaches_past_the_limit(initial_lr, gamma, num_epochs):
    limit = step_budget(initial_lr, gamma)
    assert step_budget(initial_lr, gamma, num_epochs) <= limit * (1 + 1e-12)
    assert step_budget(initial_lr, gamma, 100_000) == pytest.approx(limit, rel=1e-9)


def test_budgets_by_hand():
    assert step_budget(0.1, 0.9) == pytest.approx(1)
    assert step_budget(0.1, 0.5) == pytest.approx(0.2)
    assert step_budget(0.1, 0.5, 2) == pytest.approx(0.15)
    assert step_budget(0.1, 0) == step_budget(0.1, 0, 7) == 0.1
    assert step_budget(0.1, 1, 7) == pytest.approx(0.7)
    assert step_budget(0.1, 1) == step_budget(0.1, 1.5) == math.inf
    assert step_budget(1, 2, 4) == pytest.approx(1 + 2 + 4 + 8)


@given(LRS, LRS, st.integers(2, 500))
def test_the_gamma_found_makes_the_last_epoch_train_at_the_final_rate(initial_lr, final_lr, num_epochs):
    gamma = gamma_for(initial_lr, final_lr, num_epochs)
    assert chained_lrs(initial_lr, gamma, num_epochs)[-1] == pytest.approx(final_lr, rel=1e-9)


def test_gammas_by_hand():
    assert gamma_for(1, 0.25, 3) == pytest.approx(0.5)
    assert gamma_for(1, 0.25, 2) == pytest.approx(0.25)
    assert gamma_for(0.1, 0.1, 9) == pytest.approx(1)


def test_growth_beyond_floats_is_infinite_and_raises_nothing():
    assert exponential_lr(1, 10, 400) == math.inf
    assert chained_lrs(1, 1e200, 3)[-1] == math.inf
    assert step_budget(1, 10, 400) == math.inf


EXACTLY = mpmath.mp.clone()
EXACTLY.dps = 60
KINDS = [
    float,
    fractions.Fraction,
    decimal.Decimal,
    np.float64,
    np.longdouble,
    np.float32,
    np.float16,
    np.array,
    lambda value: np.array(value, dtype="float16"),
    lambda value: torch.tensor(value, dtype=torch.float64),
    lambda value: torch.tensor(value, dtype=torch.bfloat16),
]


def of_all_kinds(floats):
    """The floats, each made a number of another kind; that may round it, but not to 0 or infinity."""

    def made(make, value):
        with np.errstate(all="ignore"):
            number = make(value)
        return number if 0 < float(number) < math.inf or not value else value

    return st.builds(made, st.sampled_from(KINDS), floats)


def of_all_sizes(least=5e-324, most=sys.float_info.max):
    return of_all_kinds(st.floats(least, most) | st.floats(max(least, 1e-9), min(most, 1e3)))


NEAR_ONE = st.builds(
    lambda sign, power: 1 + fractions.Fraction(sign, 2**power), st.sampled_from([-1, 1]), st.integers(1, 70)
)
ANY_GAMMA = of_all_sizes() | of_all_kinds(st.floats(0.5, 2)) | NEAR_ONE
HUGE_COUNTS = st.integers(1, 100) | st.integers(1, 10**18) | st.integers(1, 400).map(lambda digits: 10**digits)
SMALL_COUNTS = st.builds(
    lambda make, count: make(count),
    st.sampled_from([np.int8, np.array, np.uint64, torch.tensor, functools.partial(torch.tensor, dtype=torch.int8)]),
    st.integers(1, 127),
)
COUNTS_OF_ALL_KINDS = HUGE_COUNTS | SMALL_COUNTS


def exactly(*numbers):
    """The numbers as mpmath has them, after they have become floats."""
    return [EXACTLY.mpf(float(number)) for number in numbers]


def agrees(found, exact):
    """Whether a result is the exact one to 12 digits; infinite only where that is beyond all floats."""
    assert type(found) is float
    if math.isinf(found):
        return exact * (1 + EXACTLY.mpf(1e-12)) > sys.float_info.max
    return abs(found - exact) <= 1e-12 * exact + 2e-323  # the last floats before 0 have no more digits


@given(of_all_sizes(), ANY_GAMMA, of_all_sizes(0, 1e18))
def test_a_rate_is_exact_for_numbers_of_all_kinds_and_sizes(initial_lr, gamma, epoch):
    i, g, e = exactly(initial_lr, gamma, epoch)
    assert agrees(exponential_lr(initial_lr, gamma, epoch), i * g**e)


ARRAYS = [functools.partial(np.array, dtype=name) for name in ("float64", "float32", "float16", "longdouble", "object")]
ARRAYS += [functools.partial(torch.tensor, dtype=kind) for kind in (torch.float64, torch.float16, torch.bfloat16)]


@given(of_all_sizes(), ANY_GAMMA, st.lists(st.floats(0, 1e4) | st.floats(0, 10), min_size=1, max_size=4), st.data())
def test_the_rates_of_an_array_are_exact_too(initial_lr, gamma, epochs, data):
    array = data.draw(st.sampled_from(ARRAYS))(epochs)
    rates = exponential_lr(initial_lr, gamma, array)
    assert type(rates) is type(array) and str(rates.dtype).endswith("float64")
    for epoch, rate in zip(array.tolist(), rates.tolist(), strict=True):
        i, g, e = exactly(initial_lr, gamma, epoch)
        assert agrees(rate, i * g**e)


@given(of_all_sizes(), ANY_GAMMA, COUNTS_OF_ALL_KINDS)
def test_a_budget_is_exact_for_numbers_of_all_kinds_and_sizes(initial_lr, gamma, num_epochs):
    (i, g), n = exactly(initial_lr, gamma), int(num_epochs)
    with EXACTLY.workdps(500):  # 1 - g ** n keeps few digits when n or the distance from 1 is extreme
        exact = i * n if g == 1 else i * (1 - g**n) / (1 - g)
    assert agrees(step_budget(initial_lr, gamma, num_epochs), exact)


@given(of_all_sizes(), ANY_GAMMA)
def test_a_limit_is_exact_for_numbers_of_all_kinds_and_sizes(initial_lr, gamma):
    i, g = exactly(initial_lr, gamma)
    assert agrees(step_budget(initial_lr, gamma), i / (1 - g) if g < 1 else EXACTLY.inf)


@given(of_all_sizes(most=1) | of_all_kinds(st.floats(0.5, 1)) | NEAR_ONE.filter(lambda gamma: gamma < 1))
def test_a_half_life_is_exact_for_numbers_of_all_kinds_and_sizes(gamma):
    (g,) = exactly(gamma)
    assert agrees(half_life(gamma), -EXACTLY.log(2) / EXACTLY.log(g) if g < 1 else EXACTLY.inf)


@given(of_all_sizes(), of_all_sizes(), COUNTS_OF_ALL_KINDS.filter(lambda count: count > 1))
def test_a_gamma_found_is_exact_for_numbers_of_all_kinds_and_sizes(initial_lr, final_lr, num_epochs):
    i, f = exactly(initial_lr, final_lr)
    assert agrees(gamma_for(initial_lr, final_lr, num_epochs), (f / i) ** (1 / EXACTLY.mpf(int(num_epochs) - 1)))


@given(of_all_sizes(), ANY_GAMMA, st.integers(1, 9))
def test_chained_rates_of_numbers_of_all_kinds_are_those_of_floats(initial_lr, gamma, num_epochs):
    rates = chained_lrs(initial_lr, gamma, np.int8(num_epochs))
    assert rates == chained_lrs(float(initial_lr), float(gamma), num_epochs)
    assert all(type(rate) is float for rate in rates)


def test_what_could_overflow_or_vanish_on_the_way():
    near = fractions.Fraction(10**20 - 1, 10**20)  # as a float it is 1
    assert exponential_lr(1e-300, 100.0, 200) == pytest.approx(1e100)
    assert exponential_lr(1e-300, 100.0, np.array([0, 200])).tolist() == pytest.approx(
        [1e-300, 1e100], rel=1e-12, abs=0
    )
    assert exponential_lr(1e300, 0.01, 160) == pytest.approx(1e-20, rel=1e-12, abs=0)
    assert gamma_for(1e-200, 1e200, 101) == pytest.approx(1e4)
    assert step_budget(0.1, 0.9, 10**400) == pytest.approx(1)
    assert step_budget(1e-300, 1, 10**400) == pytest.approx(1e100)
    assert step_budget(1e-300, 1e300, 2) == pytest.approx(1)
    assert step_budget(np.int8(100), np.int8(1), 3) == 300
    assert step_budget(0.1, near, 5) == pytest.approx(0.5)
    assert step_budget(0.1, near) == half_life(near) == math.inf


def test_an_arrays_ordinary_rates_keep_their_bits_beside_extreme_ones():
    rates = exponential_lr(0.1, 0.5, np.array([0, 1, 2, 3, 5000]))
    assert rates.tolist() == [0.1, 0.05, 0.025, 0.0125, 0.0]


@pytest.mark.parametrize("num_epochs", [10**8, 10**400])
def test_a_list_longer_than_memory_is_refused(num_epochs):
    with pytest.raises(ValueError, match=r"^num_epochs must be an integer >= 1 and <= 10000000, not "):
        chained_lrs(0.1, 0.9, num_epochs)


NOT_FINITE = [math.nan, math.inf, -math.inf, 10**400, -(10**400)]
NO_NUMBER = ["0.1", None, [0.1], True, 1j, {}]
GOOD = {"initial_lr": 0.1, "gamma": 0.9, "epoch": 3, "num_epochs": 5, "final_lr": 0.01}
TAKES = {
    exponential_lr: ("initial_lr", "gamma", "epoch"),
    chained_lrs: ("initial_lr", "gamma", "num_epochs"),
    half_life: ("gamma",),
    step_budget: ("initial_lr", "gamma", "num_epochs"),
    gamma_for: ("initial_lr", "final_lr", "num_epochs"),
}
BAD = {
    "initial_lr": ([*NOT_FINITE, 0, -0.1], NO_NUMBER),
    "final_lr": ([*NOT_FINITE, 0, -0.1], NO_NUMBER),
    "gamma": ([*NOT_FINITE, -0.1], NO_NUMBER),
    "epoch": ([*NOT_FINITE, -1, -0.5], ["3", None, [1, 2], True]),
    "num_epochs": ([0, -1], [2.5, 2.0, "5", [5], True, math.nan]),
}
FAULTS = [
    pytest.param(function, name, value, error, id=f"{function.__name__}-{name}-{str(value)[:8]}")
    for function, names in TAKES.items()
    for name in names
    for values, error in zip(BAD[name], (ValueError, TypeError), strict=True)
    for value in values
] + [
    pytest.param(half_life, "gamma", 1.01, ValueError, id="half_life-gamma-1.01"),
    pytest.param(gamma_for, "num_epochs", 1, ValueError, id="gamma_for-num_epochs-1"),
    pytest.param(chained_lrs, "num_epochs", None, TypeError, id="chained_lrs-num_epochs-None"),
]


@pytest.mark.parametrize(("function", "name", "value", "error"), FAULTS)
def test_bad_input_is_named_with_its_value_and_what_is_allowed(function, name, value, error):
    arguments = {taken: GOOD[taken] for taken in TAKES[function]} | {name: value}
    with pytest.raises(error) as caught:
        function(**arguments)
    message = str(caught.value)
    assert message.startswith(f"{name} must be ")
    assert quoted(value) in message
    assert any(word in message for word in ("a finite number", "an integer", "<= 1"))


@pytest.mark.parametrize(
    ("epoch", "error"),
    [
        (np.array([0.0, -1.0]), ValueError),
        (np.array([0.0, np.nan]), ValueError),
        (torch.tensor([0.0, torch.inf]), ValueError),
        (np.array(["a"]), TypeError),
        (np.array([True]), TypeError),
        (torch.tensor([True]), TypeError),
        (torch.tensor([1j]), TypeError),
        (np.array(-1.0), ValueError),
        (torch.tensor(math.nan), ValueError),
        (np.float32(-1), ValueError),
    ],
    ids=str,
)
def test_bad_arrays_of_epochs_are_named(epoch, error):
    with pytest.raises(error, match=r"^epoch must "):
        exponential_lr(0.1, 0.9, epoch)
