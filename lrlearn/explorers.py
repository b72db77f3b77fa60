"""The interactive views of the course: controls, a filmstrip and a plot each."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
import numpy as np

from lrlearn import plots, regression
from lrlearn.checks import check_count, check_flag, check_list, check_number, check_schedule, quoted
from lrlearn.filmstrips import Filmstrip
from lrlearn.regression import GAMMAS, SEEDS
from lrlearn.schedules import exponential_lr
from lrlearn.sliders import TOLERANCE

GAMMA = {"name": "gamma", "format": ".2f"}
SWEPT_GAMMAS = [round(0.65 + 0.01 * step, 2) for step in range(36)]  # 0.65, 0.66, ... 1.00
SWEPT_LRS = [float(lr) for lr in np.geomspace(0.003, 3, 24)]
INITIAL_LRS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
CURVATURES = (1.0, 10.0)  # of the valley: its steep side allows constant rates below 2 / 10
_remember_last = functools.lru_cache(maxsize=1)  # a scene is drawn once for all pictures of a strip


class ScheduleExplorer(Filmstrip):
    """Drag gamma: the rate ``initial_lr * gamma ** epoch``, its half-life and the sum of the steps.

    Args:
        initial_lr: rate of epoch 0, from 0.01 to 1; further control.
        gamma: where the slider starts; one of gammas.
        num_epochs: how many epochs are drawn, from 2 to 100; further control.
        log: logarithmic axis for the rate; further control.
        gammas: positions of the slider; 0.50 ... 1.00 if None.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    >>> ScheduleExplorer(gamma=0.8)
    ScheduleExplorer(gamma=0.8, initial_lr=0.1, num_epochs=40, log=False)
    """

    def __init__(
        self,
        initial_lr: float = 0.1,
        gamma: float = 0.9,
        num_epochs: int = 40,
        log: bool = False,
        gammas: Sequence[float] | None = None,
    ) -> None:
        gammas = _checked_gammas(gammas, gamma)
        check_flag("log", log)
        scene = _remember_last(lambda **settings: plots.schedule_scene(gammas=gammas, **settings))
        super().__init__(
            lambda value, **settings: scene(**settings)(value),
            gammas,
            plots.schedule_words,
            **GAMMA,
            controls={
                "initial_lr": _number("initial_lr", initial_lr, 0.01, 1.0, 0.01),
                "num_epochs": _count("num_epochs", num_epochs, 2, 100),
                "log": ipywidgets.ToggleButtons(  # not a Checkbox: Colab's widgets are too old to draw one of today's
                    options=[("linear", False), ("logarithmic", True)], value=log, description="axis of the rate"
                ),
            },
            value=_among("gamma", gamma, gammas),
        )


class DescentExplorer(Filmstrip):
    """A valley and the path of gradient descent on it, forty steps, the rate multiplied by gamma after each.

    The loss is ``(x ** 2 + 10 * y ** 2) / 2``: with a constant rate of 0.2 or more the steep side diverges.

    Args:
        initial_lr: rate of the first step, from 0.005 to 0.3.
        gamma: factor per step, from 0.5 to 1.
        drag: which of the two is the main slider, ``"initial_lr"`` or ``"gamma"``; the other stays fixed.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    >>> DescentExplorer(drag="gamma", initial_lr=0.25, gamma=0.9)
    DescentExplorer(gamma=0.9)
    """

    def __init__(self, initial_lr: float = 0.05, gamma: float = 1.0, drag: str = "initial_lr") -> None:
        ranges = {"initial_lr": [round(0.005 * step, 3) for step in range(1, 61)], "gamma": GAMMAS}
        if drag not in ranges:
            raise ValueError(f"drag must be 'initial_lr' or 'gamma', not {quoted(drag)}")
        fixed: dict[str, Any] = {"initial_lr": initial_lr, "gamma": gamma}
        for name, value in fixed.items():
            _check_between(name, value, ranges[name][0], ranges[name][-1])
        paths = {value: descent_path(**fixed | {drag: value}) for value in ranges[drag]}
        super().__init__(
            plots.descent_scene(paths, CURVATURES, drag),
            ranges[drag],
            lambda value: f"{drag} {value:g}: {_path_words(paths[value])}",
            name=drag,
            value=_among(drag, fixed[drag], ranges[drag]),
            format=".3f" if drag == "initial_lr" else ".2f",
        )


class WorkedExample(Filmstrip):
    """Step through the epochs: every power of gamma and every rate, as one would write them by hand.

    Args:
        initial_lr: rate of epoch 0; finite, > 0.
        gamma: factor per epoch; finite, >= 0.
        num_epochs: how many epochs can be stepped through, from 2 to 16.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    >>> example = WorkedExample()
    >>> example.slider.value = 3
    >>> example.description
    'Epoch 3: 0.9 ** 3 = 0.729, so the rate is 0.1 × 0.729 = 0.0729.'
    """

    def __init__(self, initial_lr: float = 0.1, gamma: float = 0.9, num_epochs: int = 11) -> None:
        exponential_lr(initial_lr, gamma, 0)
        _check_between("num_epochs", check_count("num_epochs", num_epochs), 2, 16)

        def describe(epoch: int) -> str:
            power = f"{gamma**epoch:.6g}"
            rate = f"{exponential_lr(initial_lr, gamma, epoch):.6g}"
            return f"Epoch {epoch}: {gamma:g} ** {epoch} = {power}, so the rate is {initial_lr:g} × {power} = {rate}."

        scene = plots.worked_example_scene(initial_lr, gamma, num_epochs)
        super().__init__(scene, range(num_epochs), describe, name="epoch")


class TrainingExplorer(Filmstrip):
    """Drag gamma: the toy regression trained with 32 orders of its samples; fit, loss and rate together.

    Args:
        initial_lr: rate of epoch 0, from 0.01 to 1; further control: 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1 and this one.
        gamma: where the slider starts, from 0.5 to 1.
        num_epochs: epochs of 8 steps, from 5 to 100; further control.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    >>> TrainingExplorer(gamma=0.5, num_epochs=10).description.partition(" (")[0]
    'gamma 0.50, initial_lr 0.1: after 10 epochs the mean excess loss over 32 seeds is 0.35'
    """

    def __init__(self, initial_lr: float = 0.1, gamma: float = 0.9, num_epochs: int = 40) -> None:
        _check_between("initial_lr", initial_lr, INITIAL_LRS[0], INITIAL_LRS[-1])
        initial_lrs = sorted({*INITIAL_LRS, float(initial_lr)})
        gammas = _checked_gammas(None, gamma)
        runs = _remember_last(lambda initial_lr, num_epochs: regression.sweep([initial_lr], gammas, SEEDS, num_epochs))

        @_remember_last
        def scene(**settings: Any) -> Callable:
            swept, problem = runs(**settings), regression.problem()
            excess, weights = swept.excess[0].numpy(), swept.weights[0].numpy()
            data = (problem.x.numpy(), problem.y.numpy())
            outcomes = [_outcome(losses) for losses in swept.losses[0]]
            best = problem.best.tolist()
            return plots.training_scene(gammas, excess, weights, data, best, settings["initial_lr"], outcomes)

        def describe(gamma: float, **settings: Any) -> str:
            losses = runs(**settings).losses[0, gammas.index(gamma)]
            return f"gamma {gamma:.2f}, initial_lr {settings['initial_lr']:g}: {_training_words(losses)}"

        super().__init__(
            lambda value, **settings: scene(**settings)(value),
            gammas,
            describe,
            **GAMMA,
            controls={
                "initial_lr": ipywidgets.SelectionSlider(
                    options=[(f"{lr:g}", lr) for lr in initial_lrs], value=initial_lr, description="initial_lr"
                ),
                "num_epochs": _count("num_epochs", num_epochs, 5, 100),
            },
            value=_among("gamma", gamma, gammas),
        )


class SweepExplorer(Filmstrip):
    """Drag gamma across a map of 27,648 trainings: final excess loss over initial_lr and gamma.

    Args:
        gamma: where the dragged line starts, from 0.65 to 1.
        num_epochs: epochs of 8 steps, from 5 to 100; further control.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    >>> SweepExplorer(num_epochs=10)
    SweepExplorer(gamma=0.9, num_epochs=10)
    """

    def __init__(self, gamma: float = 0.9, num_epochs: int = 40) -> None:
        gammas = _checked_gammas(SWEPT_GAMMAS, gamma)

        @_remember_last
        def final(num_epochs: int) -> np.ndarray:
            return regression.sweep(SWEPT_LRS, gammas, SEEDS, num_epochs).excess[..., -1].numpy()

        scene = _remember_last(lambda num_epochs: plots.sweep_scene(SWEPT_LRS, gammas, final(num_epochs)))

        def describe(gamma: float, num_epochs: int) -> str:
            means = final(num_epochs)[:, gammas.index(gamma)].mean(-1)
            best = int(means.argmin())
            return (
                f"gamma {gamma:.2f}, {num_epochs} epochs: the lowest mean excess loss over {len(SEEDS)} seeds is "
                f"{means[best]:.2g}, at initial_lr {SWEPT_LRS[best]:.3g}; at {SWEPT_LRS[0]:g} it is {means[0]:.2g}."
            )

        super().__init__(
            lambda value, num_epochs: scene(num_epochs=num_epochs)(value),
            gammas,
            describe,
            **GAMMA,
            controls={"num_epochs": _count("num_epochs", num_epochs, 5, 100)},
            value=_among("gamma", gamma, gammas),
        )


def descent_path(initial_lr: float, gamma: float, num_steps: int = 40, start: tuple = (-4.0, 1.5)) -> np.ndarray:
    """Positions [step, 2] of gradient descent in the valley of `DescentExplorer`, the start first.

    Raises:
        TypeError, ValueError: an argument is out of range, or the start is no pair of numbers.

    >>> descent_path(0.1, 0.9, num_steps=1).tolist()
    [[-4.0, 1.5], [-3.6, 0.0]]
    """
    check_schedule(initial_lr, gamma)
    check_count("num_steps", num_steps, least=0)
    point = check_list("start", start)
    if len(point) != 2:
        raise ValueError(f"start must be two numbers, not {len(point)}")
    path = [np.array(point)]
    for step in range(num_steps):
        gradient = np.asarray(CURVATURES) * path[-1]
        path.append(path[-1] - exponential_lr(initial_lr, gamma, step) * gradient)
    return np.array(path)


def _path_words(path: np.ndarray) -> str:
    losses = (path**2 @ np.asarray(CURVATURES)) / 2
    if (step := regression.diverged_at(losses, untrained=losses[0])) is not None:
        return f"diverged from step {step} on: the loss has grown from {losses[0]:.3g} to {losses[-1]:.2g}."
    return f"after {len(path) - 1} steps the loss has gone from {losses[0]:.3g} to {losses[-1]:.2g}."


def _diverged(losses: Any) -> list[int]:
    """Of the runs [seed, epoch] those that diverged, each by the epoch at which it did."""
    untrained = regression.problem().untrained
    epochs = [regression.diverged_at(run, untrained) for run in losses if not run[-1] <= untrained]
    return [epoch for epoch in epochs if epoch is not None]


def _outcome(losses: Any) -> str:
    if diverged := _diverged(losses):
        return f"{len(diverged)} of {len(losses)} diverged,\nfirst at epoch {min(diverged)}"
    return f"at the end {losses[:, -1].mean() - regression.problem().minimum:.2g}"


def _training_words(losses: Any) -> str:
    """Losses [seed, epoch] of one setting in words."""
    if diverged := _diverged(losses):
        return f"{len(diverged)} of {len(losses)} runs diverged, the first at epoch {min(diverged)}."
    final = losses[:, -1].numpy() - regression.problem().minimum
    low, high = np.percentile(final, plots.BAND)
    return (
        f"after {losses.shape[1]} epochs the mean excess loss over {len(losses)} seeds is {final.mean():.2g} "
        f"(10th to 90th percentile {low:.2g} to {high:.2g})."
    )


def _checked_gammas(gammas: Sequence[float] | None, gamma: float) -> list[float]:
    if gammas is None:
        gammas = GAMMAS
    else:
        gammas = check_list("gammas", gammas, least=0)
        if len(set(gammas)) < len(gammas):
            raise ValueError(f"gammas must differ from one another, not {quoted(gammas)}")
    _check_between("gamma", gamma, min(gammas), max(gammas))
    return gammas


def _among(name: str, value: float, positions: Sequence[float]) -> float:
    """A slider stands at one of its positions: another value is refused, not moved there."""
    check_number(name, value)
    if min(abs(position - value) for position in positions) > TOLERANCE:
        shown = [f"{position:g}" for position in positions]
        listed = ", ".join(shown if len(shown) <= 8 else [*shown[:3], "...", shown[-1]])
        raise ValueError(f"{name} must be one of the slider's positions {listed}, not {quoted(value)}")
    return value


def _check_between(name: str, value: float, low: float, high: float) -> None:
    check_number(name, value)
    if not low <= value <= high:
        raise ValueError(f"{name} must be between {low:g} and {high:g}, not {quoted(value)}")


def _number(name: str, value: float, low: float, high: float, step: float) -> ipywidgets.Widget:
    _check_between(name, value, low, high)
    while abs(round((value - low) / step) * step + low - value) > TOLERANCE:
        step /= 10  # the browser moves a value to the nearest step: this one stays as it is
    return ipywidgets.FloatSlider(min=low, max=high, step=step, value=value, description=name, readout_format=".4g")


def _count(name: str, value: int, low: int, high: int) -> ipywidgets.Widget:
    _check_between(name, check_count(name, value), low, high)
    return ipywidgets.IntSlider(min=low, max=high, value=value, description=name)
