"""The mathematics: torch is the oracle of the chained rates, hand-derived values and properties the rest."""

import fractions
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lrlearn import chained_lrs, exponential_lr, gamma_for, half_life, step_budget

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
    assert repr(value) in message
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
