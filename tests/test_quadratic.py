"""The noisy quadratic: its exact recursion against simulation, torch's own loop and values derived by hand."""

import functools

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlearn import exponential_lr
from lrlearn.quadratic import best_rates, expected_loss, noise_floor, simulate
from lrlearn.regression import make_problem, problem, sweep, sweep_rates

NUM_RUNS = 2000
curvatures = st.floats(0.05, 4)
noises = st.floats(0.01, 5)
gammas = st.floats(0.3, 1.1)
fractions = st.floats(0.01, 1.9)  # of 1 / curvature: a constant rate is stable below 2


def standard_errors(runs: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return np.abs(runs.mean(-2) - expected) / (runs.std(-2, ddof=1) / runs.shape[-2] ** 0.5)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(fractions, gammas, curvatures, noises, st.floats(-3, 3), st.integers(0, 3))
def test_recursion_agrees_with_simulation(fraction, gamma, curvature, noise, start, seed):
    rates = exponential_lr(fraction / curvature, gamma, np.arange(20))
    exact = expected_loss(rates, curvature, noise, start).loss
    runs = simulate(rates, curvature, noise, start, num_runs=NUM_RUNS, seed=seed)
    assert standard_errors(runs, exact).max() < 5


def test_that_test_can_fail():
    rates = np.full(20, 0.3)
    runs = simulate(rates, noise=1.0, num_runs=NUM_RUNS)
    assert standard_errors(runs, expected_loss(rates, noise=1.2).loss).max() > 5
    assert standard_errors(runs, expected_loss(rates * 0.7, noise=1.0).loss).max() > 5


@settings(max_examples=60, deadline=None)
@given(fractions, curvatures, noises)
def test_a_constant_rate_settles_at_the_noise_floor(fraction, curvature, noise):
    lr = fraction / curvature
    settled = expected_loss(np.full(3000, lr), curvature, noise).loss[-1]
    floor = lr * noise**2 / (2 * (2 - lr * curvature))
    assert noise_floor(lr, curvature, noise) == pytest.approx(floor)
    assert settled == pytest.approx(floor, rel=1e-6)


def test_values_derived_by_hand():
    # lr 0.5, h 2: the first step lands on the minimum and only its own noise is left
    one = expected_loss([0.5], curvature=2.0, noise=0.4, start=3.0)
    assert one.bias[0] == 0
    assert one.variance[0] == pytest.approx(0.04)
    assert one.loss[0] == pytest.approx(0.04)
    # two steps of 0.1 from 1 with noise 1: bias 0.81, variance 0.81 * 0.01 + 0.01
    two = expected_loss([0.1, 0.1])
    assert two.bias[1] == pytest.approx(0.81)
    assert two.variance[1] == pytest.approx(0.0181)
    assert two.loss[1] == pytest.approx((0.81**2 + 0.0181) / 2)


def test_without_noise_it_freezes_before_it_arrives():
    left = expected_loss(exponential_lr(0.1, 0.9, np.arange(1000)), noise=0).bias[-1]
    assert left == pytest.approx(0.358, abs=5e-4)


@settings(max_examples=60, deadline=None)
@given(curvatures, noises, st.floats(0.1, 5), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_no_schedule_is_better_than_the_best(curvature, noise, start, num_steps, seed):
    best = expected_loss(best_rates(num_steps, curvature, noise, start), curvature, noise, start).loss[-1]
    # 1 / s grows by curvature ** 2 / noise ** 2 a step
    assert best == pytest.approx(curvature / 2 / (1 / start**2 + num_steps * (curvature / noise) ** 2), rel=1e-9)
    others = np.random.default_rng(seed).uniform(0, 2 / curvature, (50, num_steps))
    others[:25] = best_rates(num_steps, curvature, noise, start) * np.linspace(0.5, 1.5, 25)[:, None]
    assert expected_loss(others, curvature, noise, start).loss[:, -1].min() >= best * (1 - 1e-9)


@settings(max_examples=20, deadline=None)
@given(fractions, gammas, curvatures, noises, st.integers(0, 5))
def test_simulation_is_torchs_own_loop(fraction, gamma, curvature, noise, seed):
    import torch

    initial_lr, draws = fraction / curvature, np.random.default_rng(seed)
    x = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    optimizer = torch.optim.SGD([x], lr=initial_lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
    losses = []
    for _ in range(6):
        optimizer.zero_grad()
        (curvature / 2 * x.square()).sum().backward()
        x.grad += noise * torch.from_numpy(draws.standard_normal(3))
        optimizer.step()
        scheduler.step()
        losses.append((curvature / 2 * x.detach() ** 2).numpy())
    runs = simulate(exponential_lr(initial_lr, gamma, np.arange(6)), curvature, noise, num_runs=3, seed=seed)
    np.testing.assert_allclose(runs, np.transpose(losses), rtol=1e-9, atol=1e-12)


def test_arrays_broadcast_and_equal_one_at_a_time():
    rates = np.array([[0.1] * 5, [0.3, 0.2, 0.1, 0.05, 0.0]])
    h, noise = np.array([0.5, 2.0, 1.0])[:, None], np.array([0.1, 1.0])
    together, runs = expected_loss(rates, h, noise), simulate(rates, h, noise, num_runs=7)
    assert together.loss.shape == (3, 2, 5)
    assert runs.shape == (3, 2, 7, 5)
    for i in range(3):
        for j in range(2):
            np.testing.assert_allclose(together.loss[i, j], expected_loss(rates[j], h[i, 0], noise[j]).loss)
            np.testing.assert_allclose(runs[i, j], simulate(rates[j], h[i, 0], noise[j], num_runs=7))


def test_seeds_decide_the_noise_and_schedules_share_it():
    rates = np.full((2, 4), 0.1)
    first, other = simulate(rates, num_runs=5, seed=1), simulate(rates, num_runs=5, seed=2)
    assert np.array_equal(first[0], first[1])
    assert np.array_equal(first, simulate(rates, num_runs=5, seed=1))
    assert not np.array_equal(first, other)


def test_divergence_is_inf_and_not_nan():
    rates = np.full(2000, 1e3)
    assert expected_loss(rates).loss[-1] == np.inf
    assert np.all(simulate(rates, num_runs=3)[:, -1] == np.inf)


@pytest.mark.parametrize("function", [expected_loss, simulate])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("rates", {"rates": []}),
        ("rates", {"rates": 0.1}),
        ("rates", {"rates": [-0.1]}),
        ("rates", {"rates": [np.nan]}),
        ("curvature", {"rates": [0.1], "curvature": 0}),
        ("noise", {"rates": [0.1], "noise": -1}),
        ("start", {"rates": [0.1], "start": np.inf}),
    ],
)
def test_a_bad_argument_is_named(function, name, arguments):
    with pytest.raises(ValueError, match=name):
        function(**arguments)


def test_other_bad_arguments():
    for lr in (0, 2.0, -1):
        with pytest.raises(ValueError, match="between 0 and 2"):
            noise_floor(lr)
    with pytest.raises(ValueError, match="start"):
        best_rates(3, start=0)
    with pytest.raises(TypeError, match="num_runs"):
        simulate([0.1], num_runs=2.0)


def test_a_table_of_rates_trains_as_the_sweep_does():
    rates = [exponential_lr(0.2, gamma, np.arange(6)) for gamma in (0.5, 1.0)]
    table, swept = sweep_rates(np.array(rates), range(3)), sweep([0.2], [0.5, 1.0], range(3), 6)
    np.testing.assert_allclose(table.losses, swept.losses[0], rtol=1e-12)
    np.testing.assert_allclose(table.weights, swept.weights[0], rtol=1e-12)


def test_other_data_have_a_minimum_of_their_own():
    data = make_problem(weight=2, bias=1, noise=0.1, width=0.5, seed=3)
    runs = sweep_rates([[0.3] * 300], range(4), data)
    assert runs.excess.min() >= -1e-12 and runs.excess[0, :, -1].max() < 1e-3
    assert make_problem(3, 0.5, 0.5).minimum == pytest.approx(problem().minimum)


def test_shuffling_cancels_noise_that_drawing_anew_does_not():
    """Halving a small rate halves the noise floor if samples are drawn anew; shuffled, it falls by far more."""
    rates = np.repeat([[0.1], [0.05]], 400, axis=1)
    for replacement, low, high in ((False, 5, 10), (True, 1.7, 2.4)):
        floors = sweep_rates(rates, range(32), replacement=replacement).excess[..., 200:].mean((1, 2))
        assert low < floors[0] / floors[1] < high


@pytest.mark.parametrize("rates", [[], [0.1], [[0.1, -1.0]], [[float("nan")]], [[float("inf")]]])
def test_a_bad_table_of_rates_is_named(rates):
    with pytest.raises(ValueError, match="rates"):
        sweep_rates(rates, [0])


sizes = st.floats(1e-300, 1e300) | st.floats(1e-3, 1e3)


def agrees(found, exact):
    """Whether numbers are the exact ones to 9 digits; infinite only where those are beyond all floats."""
    return all(
        value * (1 + 1e-9) > np.finfo(float).max if np.isinf(one) else abs(one - value) <= 1e-9 * value + 1e-300
        for one, value in zip(np.ravel(found).tolist(), exact, strict=True)
    )


@given(sizes, sizes, sizes)
def test_a_noise_floor_is_exact_for_all_sizes(lr, curvature, noise):
    lr = min(lr, 1 / curvature)
    exact = [mpmath.mpf(lr) * mpmath.mpf(noise) ** 2 / (2 * (2 - mpmath.mpf(lr) * curvature))]
    assert agrees(noise_floor(lr, curvature, noise), exact)
    assert agrees(noise_floor([lr], curvature, noise), exact)


@given(st.integers(1, 4), sizes, sizes, sizes | sizes.map(lambda start: -start))
def test_the_best_rates_are_exact_for_all_sizes(num_steps, curvature, noise, start):
    h, sigma, x = map(mpmath.mpf, (curvature, noise, start))
    exact = [1 / (h * (t + 1) + sigma**2 / (h * x**2)) for t in range(num_steps)]
    assert agrees(best_rates(num_steps, curvature, noise, start), exact)


@given(sizes, sizes, sizes, sizes)
def test_a_first_step_is_exact_for_all_sizes(lr, curvature, noise, start):
    lr = min(lr, 1e300 / curvature)
    r, h, sigma, x = map(mpmath.mpf, (lr, curvature, noise, start))
    found = expected_loss([lr], curvature, noise, start)
    shrink = 1 - r * h
    if abs(shrink) < 1e-6:
        return  # what is left is the rounding of lr * curvature
    mean, variance = shrink * x, (r * sigma) ** 2
    assert agrees(abs(found.bias), [abs(mean)])
    assert agrees(found.variance, [variance])
    if np.isfinite(found.bias).all() and np.isfinite(found.variance).all():
        assert agrees(found.loss, [h / 2 * (mean**2 + variance)])


def test_nothing_overflows_on_the_way():
    assert noise_floor(1e-300, noise=1e200) == pytest.approx(2.5e99)
    assert noise_floor(1e-200, curvature=1e-200) == pytest.approx(2.5e-201, rel=1e-12, abs=0)
    assert best_rates(1, curvature=1e-300, noise=1e-100) == pytest.approx([1e-100], rel=1e-12, abs=0)
    assert expected_loss([0.0], curvature=1e-300, noise=0, start=1e200).loss == pytest.approx([5e99])
    assert simulate([0.0], curvature=1e-300, noise=0, start=1e200, num_runs=1)[0] == pytest.approx([5e99])
    assert expected_loss([1e200, 0.0]).variance.tolist() == [np.inf, np.inf]
    assert expected_loss([1e100], curvature=1e200).variance.tolist() == [1e200]


@pytest.mark.parametrize("function", [expected_loss, simulate, functools.partial(noise_floor, 0.1)])
def test_shapes_that_do_not_fit_are_named(function):
    function = function if isinstance(function, functools.partial) else functools.partial(function, [0.1])
    with pytest.raises(ValueError, match=r"curvature, noise.* must broadcast against each other, not .*noise \[3\]"):
        function(curvature=[1.0, 2.0], noise=[1.0, 2.0, 3.0])
