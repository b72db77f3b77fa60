"""The toy regression: the readable loop is the oracle of the batched one, autograd of its gradients."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlearn import chained_lrs, regression
from lrlearn.regression import diverged_at, make_problem, problem, sweep, sweep_rates, train

LRS = st.floats(1e-4, 0.5)
GAMMAS = st.floats(0, 1.1)


@settings(max_examples=25)
@given(
    st.lists(LRS, min_size=1, max_size=2),
    st.lists(GAMMAS, min_size=1, max_size=2),
    st.lists(st.integers(0, 10_000), min_size=1, max_size=2),
    st.integers(1, 12),
)
def test_each_run_of_a_sweep_is_that_of_the_loop(initial_lrs, gammas, seeds, num_epochs):
    swept = sweep(initial_lrs, gammas, seeds, num_epochs)
    assert swept.losses.shape == (len(initial_lrs), len(gammas), len(seeds), num_epochs)
    for (i, initial_lr), (j, gamma), (k, seed) in (
        (a, b, c) for a in enumerate(initial_lrs) for b in enumerate(gammas) for c in enumerate(seeds)
    ):
        run = train(initial_lr, gamma, seed, num_epochs)
        assert swept.losses[i, j, k].tolist() == pytest.approx(run.losses, rel=1e-5)
        assert swept.weights[i, j, k].tolist() == pytest.approx([run.weight, run.bias], rel=1e-5)


@settings(max_examples=15)
@given(st.floats(1.2, 1e3), st.floats(0.9, 1.2), st.integers(0, 99))
def test_runs_that_diverge_agree_too(initial_lr, gamma, seed):
    num_epochs = 30
    run = train(initial_lr, gamma, seed, num_epochs)
    swept = sweep([initial_lr], [gamma], [seed], num_epochs).losses[0, 0, 0].tolist()
    assert not any(math.isnan(loss) for loss in run.losses + swept)
    untrained = problem().untrained
    assert diverged_at(swept, untrained) == diverged_at(run.losses, untrained)
    finite = [(a, b) for a, b in zip(swept, run.losses, strict=True) if max(a, b) < 1e90]
    assert all(a == pytest.approx(b, rel=1e-5) for a, b in finite)
    # rounding may put a loss at the very limit on either side of it; anywhere else both are infinite
    assert all(b > 1e90 and a > 1e90 for a, b in zip(swept, run.losses, strict=True) if (a, b) not in finite)


def test_a_rate_far_too_high_diverges_and_says_at_which_epoch():
    run = train(10.0, 1.0, seed=0, num_epochs=40)
    assert run.losses[-1] == math.inf
    assert diverged_at(run.losses, problem().untrained) == 0


@pytest.mark.parametrize(
    ("losses", "epoch"),
    [
        ([3.0, 1.0], None),
        ([3.0, 1.0, 4.0], 2),
        ([3.0, 4.0], 0),
        ([1.0, 3.0, math.inf], 1),
        ([1.0, 3.0, math.nan], 1),
        ([5.0, 1.0, 3.0, 1.5], None),
    ],
)
def test_the_epoch_of_divergence_by_hand(losses, epoch):
    assert diverged_at(losses, untrained=2.0) == epoch
    assert diverged_at(np.array(losses), untrained=2.0) == epoch


def test_seeds_give_the_same_numbers_every_time_whatever_else_is_random():
    torch.manual_seed(1)
    first = (train(0.1, 0.9, seed=5, num_epochs=4), sweep([0.1], [0.9], [5, 6], 4).losses)
    torch.manual_seed(2)
    torch.rand(3)
    second = (train(0.1, 0.9, seed=5, num_epochs=4), sweep([0.1], [0.9], [5, 6], 4).losses)
    assert first[0] == second[0]
    assert torch.equal(first[1], second[1])


def test_another_seed_is_another_order():
    assert train(0.1, 0.9, seed=0, num_epochs=3).losses != train(0.1, 0.9, seed=1, num_epochs=3).losses


def test_the_rates_used_are_torchs():
    assert train(0.1, 0.9, seed=0, num_epochs=6).lrs == chained_lrs(0.1, 0.9, 6)


@settings(max_examples=10)
@given(st.floats(-5, 5), st.floats(-5, 5), st.integers(0, 99))
def test_a_batchs_affine_gradient_is_autograds(weight, bias, seed):
    matrices, offsets = regression._batch_gradients(problem(), [seed], num_epochs=1)
    order = torch.randperm(regression.NUM_SAMPLES, generator=torch.Generator().manual_seed(seed))
    for step, batch in enumerate(order.split(regression.BATCH_SIZE)):
        theta = torch.tensor([weight, bias], dtype=torch.float64, requires_grad=True)
        x, y = problem().x[batch], problem().y[batch]
        (theta[0] * x + theta[1] - y).square().mean().backward()
        affine = matrices[step, 0] @ theta.detach() - offsets[step, 0, :, 0]
        torch.testing.assert_close(affine, theta.grad)


def test_the_problem_is_the_one_that_is_promised():
    x, y, best, minimum, untrained = problem()
    assert x.shape == y.shape == (64,)
    assert best.tolist() == pytest.approx([3, 0.5], abs=0.25)
    assert (y - 3 * x - 0.5).std().item() == pytest.approx(0.5, rel=0.25)
    assert minimum == pytest.approx((best[0] * x + best[1] - y).square().mean().item())
    assert untrained == pytest.approx(y.square().mean().item())
    # at a minimum every direction leads up
    for shift in ([0.01, 0], [-0.01, 0], [0, 0.01], [0, -0.01]):
        weight, bias = best + torch.tensor(shift)
        assert (weight * x + bias - y).square().mean() > minimum


def test_the_excess_is_what_lies_above_the_minimum():
    swept = sweep([0.1], [0.97], range(8), 40)
    assert torch.equal(swept.excess, swept.losses - problem().minimum)
    assert (swept.excess > -1e-12).all()


def test_the_three_regimes_are_there():
    ends = sweep([0.1], [0.5, 0.97, 1.0], range(64), 40).excess[0, :, :, -1]
    frozen, right, noisy = ends.mean(1).tolist()
    assert frozen > 0.1
    assert right < 1e-4
    assert 5e-4 < noisy < 5e-3


GOOD_RUN = {"initial_lr": 0.1, "gamma": 0.9, "seed": 0, "num_epochs": 3}
GOOD_SWEEP = {"initial_lrs": [0.1], "gammas": [0.9], "seeds": [0], "num_epochs": 3}


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("initial_lr", 0, ValueError),
        ("initial_lr", math.nan, ValueError),
        ("initial_lr", "0.1", TypeError),
        ("gamma", -0.1, ValueError),
        ("gamma", math.inf, ValueError),
        ("gamma", None, TypeError),
        ("seed", -1, ValueError),
        ("seed", 0.5, TypeError),
        ("num_epochs", 0, ValueError),
        ("num_epochs", 2.0, TypeError),
        ("num_epochs", True, TypeError),
    ],
)
def test_train_names_bad_input(name, value, error):
    with pytest.raises(error, match=f"^{name} must be ") as caught:
        train(**GOOD_RUN | {name: value})
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("initial_lrs", [], ValueError),
        ("initial_lrs", [0.1, 0], ValueError),
        ("initial_lrs", 0.1, TypeError),
        ("initial_lrs", "0.1", TypeError),
        ("gammas", [], ValueError),
        ("gammas", [0.9, -1], ValueError),
        ("gammas", [0.9, math.nan], ValueError),
        ("gammas", None, TypeError),
        ("seeds", [], ValueError),
        ("seeds", 3, TypeError),
        ("seeds", [0, 1.5], TypeError),
        ("seeds", [-1], ValueError),
        ("num_epochs", 0, ValueError),
        ("num_epochs", [3], TypeError),
        ("initial_lrs", np.array(0.1), TypeError),
        ("gammas", [[0.9]], TypeError),
    ],
)
def test_sweep_names_bad_input(name, value, error):
    with pytest.raises(error) as caught:
        sweep(**GOOD_SWEEP | {name: value})
    assert name in str(caught.value)


def test_a_sweep_takes_one_thread_and_gives_torch_its_threads_back(monkeypatch):
    """On few cores the threads of many kernels would wait for each other."""
    monkeypatch.setattr(regression, "_batch_gradients", lambda *given: seen.append(torch.get_num_threads()) or 1 / 0)
    seen, before = [], torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with pytest.raises(ZeroDivisionError):  # also after an error
            sweep([0.1], [0.9], [0])
        assert (seen, torch.get_num_threads()) == ([1], 3)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.DoubleTensor, iter])
def test_any_collection_of_numbers_may_be_swept(kind):
    values = [0.1, 0.2]
    assert torch.equal(sweep(kind(values), kind([0.5]), range(2), 2).losses, sweep(values, [0.5], [0, 1], 2).losses)


@pytest.mark.parametrize("seed", [2**64, 2**70])
def test_a_seed_larger_than_torchs_is_named(seed):
    for run in (
        lambda: train(0.1, 0.9, seed),
        lambda: sweep([0.1], [0.9], [seed]),
        lambda: make_problem(1, 1, 1, 1, seed),
    ):
        with pytest.raises(ValueError, match=r"^seeds? must be an integer >= 0 and <= 18446744073709551615, not "):
            run()
    assert train(0.1, 0.9, 2**64 - 1, num_epochs=1).losses == pytest.approx(
        sweep([0.1], [0.9], [2**64 - 1], 1).losses[0, 0, 0].tolist()
    )


def test_the_rows_of_a_table_may_be_arrays_in_any_order():
    table = np.array([[0.3, 0.2, 0.1], [0.1, 0.1, 0.1]])
    expected = sweep_rates(table[:, ::-1].copy(), [0]).losses
    for rates in (
        table[:, ::-1],
        list(table[:, ::-1]),
        np.broadcast_to(table[:, ::-1], (2, 3)),
        table[:, ::-1].tolist(),
    ):
        assert torch.equal(sweep_rates(rates, [0]).losses, expected)


def test_only_a_problem_can_be_fitted():
    with pytest.raises(TypeError, match=r"^data must be a Problem"):
        sweep_rates([[0.1]], [0], data=[1.0])
