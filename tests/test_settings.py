"""Whatever a learner has set in Python, numpy or torch: our functions give the same and leave it as it was."""

import contextlib
import decimal
import functools
import os
import random
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest
import torch

from lrlearn import (
    DescentExplorer,
    ScheduleExplorer,
    SweepExplorer,
    TrainingExplorer,
    WorkedExample,
    chained_lrs,
    exponential_lr,
    gamma_for,
    half_life,
    plots,
    regression,
    rendering,
    step_budget,
    tuning,
)
from lrlearn.comparison import Comparison
from lrlearn.exercises import EXERCISES, check
from lrlearn.quadratic import best_rates, expected_loss, noise_floor, simulate
from lrlearn.regression import diverged_at, make_problem, problem, sweep, sweep_rates, train

FAR = np.array([[0.0, 3.0], [5e4, 1e9]])


@contextlib.contextmanager
def errors_for_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@contextlib.contextmanager
def changed(get: Callable, change: Callable, value: object) -> Iterator[None]:
    """What ``get`` tells set to a value by ``change``, and put back."""
    before = get()
    change(value)
    try:
        yield
    finally:
        change(before)


@contextlib.contextmanager
def on_device_meta() -> Iterator[None]:
    """Tensors without values, as far as one does not say otherwise."""
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextlib.contextmanager
def strict_decimals() -> Iterator[None]:
    with decimal.localcontext(prec=1) as context:
        context.traps[decimal.FloatOperation] = context.traps[decimal.Inexact] = True
        yield


SETTINGS = {
    "numpy raises": lambda: np.errstate(all="raise"),
    "warnings are errors": errors_for_warnings,
    "no gradients": torch.no_grad,
    "inference": torch.inference_mode,
    "float16 is the default": lambda: changed(torch.get_default_dtype, torch.set_default_dtype, torch.float16),
    "device meta is the default": on_device_meta,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "anomalies are detected": lambda: torch.autograd.set_detect_anomaly(True),
    "deterministic": lambda: changed(
        torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms, True
    ),
    "three threads": lambda: changed(torch.get_num_threads, torch.set_num_threads, 3),
    "strict decimals": strict_decimals,
}


@contextlib.contextmanager
def all_at_once() -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for setting in SETTINGS.values():
            stack.enter_context(setting())
        yield


RUNS = {"a": [[4.0, 2.0], [np.inf, 1.0]], "b": [[3.0, 2.0], [3.0, np.nan]]}
CALLS = {
    "exponential_lr": lambda: [exponential_lr(1e-300, 100.0, 200), exponential_lr(1, 0.9, 1e9)],
    "exponential_lr of an array": lambda: [exponential_lr(0.1, gamma, FAR).tolist() for gamma in (0, 0.9, 1, 1.1)],
    "exponential_lr of a tensor": lambda: exponential_lr(0.1, 1.1, torch.from_numpy(FAR)).tolist(),
    "exponential_lr of other kinds": lambda: exponential_lr(
        decimal.Decimal("0.125"), np.float16(0.1), torch.tensor(2.5, dtype=torch.bfloat16, device="cpu")
    ),
    "exponential_lr of other arrays": lambda: exponential_lr(0.1, 0.9, np.array([1.5, 3e3], "float16")).tolist(),
    "chained_lrs": lambda: chained_lrs(1, 1e-200, 4) + chained_lrs(1, 1e200, 4),
    "half_life": lambda: [half_life(gamma) for gamma in (5e-324, 0.9, 1)],
    "step_budget": lambda: [step_budget(0.1, gamma, 10**400) for gamma in (5e-324, 0.9, 1, 1.1)],
    "gamma_for": lambda: gamma_for(1e-200, 1e200, 101),
    "train": lambda: [train(0.1, 0.9, seed=3, num_epochs=3), train(1e3, 1.0, seed=3)],
    "sweep": lambda: sweep([0.1, 1e3], [0.5, 1], [1, 2], 20).losses.tolist(),
    "excess of a sweep": lambda: sweep([0.1], [0.9], [1], 2).excess.tolist(),
    "sweep_rates": lambda: sweep_rates(np.array([[0.1, 0.0]]), [1]).weights.tolist(),
    "problem": lambda: [*problem()],
    "make_problem": lambda: [*make_problem(1e-2, 2, 0.25)],
    "diverged_at": lambda: diverged_at(sweep([1e3], [1], [1], 40).losses[0, 0, 0], problem().untrained),
    "expected_loss": lambda: expected_loss([[1e3] * 200, [1e-3] * 200], noise=1e-300).loss.tolist(),
    "simulate": lambda: simulate([[1e3] * 200, [1e-3] * 200], noise=1e-300, num_runs=2).tolist(),
    "noise_floor": lambda: [noise_floor(1e-300, 1e-300, 1e200), noise_floor([1e-200], 1, 1e-200).tolist()],
    "best_rates": lambda: best_rates(3, 1e-300, 1e200, 1e-200).tolist(),
    "spread": lambda: [repr(plots.spread(RUNS)), len(plots.spread(RUNS)._repr_mimebundle_()[0]["image/png"])],
}
EXPLORERS = ScheduleExplorer, DescentExplorer, WorkedExample, TrainingExplorer, SweepExplorer
DEAR = {explorer.__name__: lambda explorer=explorer: explorer().png for explorer in EXPLORERS}


def right_answer(name: str) -> object:
    exercise = EXERCISES[name]
    if not isinstance(exercise, Comparison):
        return {"best-gamma": 0.97, "capstone": (0.3, 0.9)}.get(name, 0.5)
    return exercise.truth(*exercise.inputs[0]) if exercise.given else exercise.truth


DEAR |= {f"check {name}": lambda name=name: check(name, right_answer(name)) for name in EXERCISES}


def everything_set() -> dict:
    """The settings and random numbers that a call must leave alone."""
    context = decimal.getcontext()
    return {
        "random": random.getstate(),
        "numpy's random": str(np.random.get_state()),  # noqa: NPY002
        "torch's random": torch.get_rng_state().tolist(),
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "anomalies": torch.is_anomaly_enabled(),
        "threads": torch.get_num_threads(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "numpy's errors": np.geterr(),
        "numpy's print": np.get_printoptions(),
        "warnings": list(warnings.filters),
        "decimals": (context.prec, dict(context.traps)),
        "pictures": dict(matplotlib.rcParams),
        "environment": dict(os.environ),
        "recursion": sys.getrecursionlimit(),
    }


@pytest.fixture(scope="module", autouse=True)
def small_pictures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "DPI", 20)
        yield


def forget() -> None:
    """What has been computed once is computed anew."""
    for cached in (regression.problem, tuning._capstone_steps):
        cached.cache_clear()
    tuning.TRAINED.clear()


def digits(value: object) -> object:
    """Numbers with the digits that do not depend on how the processor finds them in memory."""
    value = value.tolist() if isinstance(value, torch.Tensor) else value
    if isinstance(value, list):
        return [digits(part) for part in value]
    return f"{value:.9g}" if isinstance(value, float) else repr(value)


@functools.cache
def expected(name: str) -> object:
    return digits((CALLS | DEAR)[name]())


def check_in(setting: Callable, name: str) -> None:
    """A call gives what it gives without the setting, and changes nothing."""
    wanted = expected(name)
    forget()
    with setting():
        before = everything_set()
        found = digits((CALLS | DEAR)[name]())
        after = everything_set()
    forget()
    assert found == wanted
    assert {key for key in before if before[key] != after[key]} == set()


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", CALLS)
def test_a_result_does_not_depend_on_a_setting_and_leaves_it_alone(setting, name):
    check_in(SETTINGS[setting], name)


@pytest.mark.parametrize("name", DEAR)
def test_explorers_and_checks_neither_depend_on_settings_nor_change_them(name):
    check_in(all_at_once, name)


def test_that_a_dependence_and_a_change_would_be_seen(monkeypatch):
    monkeypatch.setitem(CALLS, "depends", lambda: str(torch.ones(1).dtype))
    monkeypatch.setitem(CALLS, "changes", lambda: random.random() < 2)
    with pytest.raises(AssertionError, match="float16"):
        check_in(SETTINGS["float16 is the default"], "depends")
    with pytest.raises(AssertionError, match="random"):
        check_in(SETTINGS["no gradients"], "changes")


def test_data_that_were_made_in_inference_mode_can_be_trained_on_outside():
    forget()
    with torch.inference_mode():
        problem(), sweep([0.1], [0.9], [0], 2)
    assert train(0.1, 0.9, seed=0, num_epochs=2).losses[1] < problem().untrained


def test_settings_come_back_after_an_error(monkeypatch):
    monkeypatch.setattr(regression, "check_schedule", lambda *_: (torch.rand(1), torch.nn.Linear(1, 1), 1 / 0))
    before = everything_set()
    with pytest.raises(ZeroDivisionError):
        train(0.1, 0.9, seed=0)
    assert everything_set() == before


def test_two_threads_that_train_at_once_leave_torch_its_threads():
    with changed(torch.get_num_threads, torch.set_num_threads, 3):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda seed: sweep([0.1], [0.9], [seed], 20), range(40)))
        assert torch.get_num_threads() == 3


def test_the_first_use_of_everything_warns_of_nothing_even_where_warnings_are_errors():
    script = """
import warnings, numpy
numpy.seterr(all="raise")
warnings.simplefilter("error")
from lrlearn import WorkedExample, exponential_lr, plots
from lrlearn.exercises import check
from lrlearn.regression import train
exponential_lr(0.1, 0.9, numpy.array([1e9]))
plots.spread({"a": [[1.0, 2.0]]})._repr_mimebundle_()
WorkedExample().png
train(0.1, 0.9, seed=0, num_epochs=2)
assert check("training-loop", print).answered
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
