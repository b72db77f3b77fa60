"""Numbers in, matplotlib Figure out: the pictures of the lessons, without pyplot and without torch.

A function whose name ends in ``_scene`` draws the axes once and returns ``draw(value) -> Figure``,
which moves only the artists made with ``animated=True``: what a filmstrip needs to be quick.
"""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from lrlearn.checks import check_count, check_flag, check_number, check_schedule, check_table, quoted
from lrlearn.schedules import exponential_lr, half_life, step_budget
from lrlearn.steady import SteadyFigure, steadily

# After Okabe and Ito: told apart with any colour vision, at least 3:1 on white; every curve has dashes or a marker too
BLUE, ORANGE, GREEN, PURPLE, SKY, GREY = "#0072b2", "#d55e00", "#009e73", "#aa4488", "#2f8fcb", "#666666"
STYLES: list[dict[str, Any]] = [
    {"color": BLUE, "linestyle": "-", "marker": "o"},
    {"color": ORANGE, "linestyle": "--", "marker": "s"},
    {"color": GREEN, "linestyle": "-.", "marker": "^"},
    {"color": PURPLE, "linestyle": ":", "marker": "D"},
    {"color": SKY, "linestyle": (0, (5, 1, 1, 1, 1, 1)), "marker": "v"},
    {"color": "black", "linestyle": (0, (1, 3)), "marker": "x"},
    {"color": "#8a6d00", "linestyle": (0, (8, 3)), "marker": "P"},
]
BAND = (10, 90)  # percentiles over the seeds that a shaded band covers
LOWEST, HIGHEST = 1e-8, 1e2  # excess losses are drawn between these; a diverged run stays at the upper edge


class Picture(SteadyFigure):
    """A Figure that shows itself in a notebook, with its content in words for those who cannot see it.

    It looks the same whatever styles or settings of matplotlib the learner has chosen.

    Args:
        width, height: in inches; 100 CSS pixels each.
        description: what it shows, in words.

    Raises:
        TypeError, ValueError: width or height is no number > 0, or description no str.

    >>> picture = Picture(6, 3, "A line that falls from 1 to 0.")
    >>> picture.subplots().plot([1, 0])  # doctest: +ELLIPSIS
    [...]
    >>> picture
    A line that falls from 1 to 0.
    """

    def __init__(self, width: float = 9.0, height: float = 3.5, description: str = "") -> None:
        check_number("width", width, above=0)
        check_number("height", height, above=0)
        if not isinstance(description, str):
            raise TypeError(f"description must be a str, the picture in words, not {quoted(description)}")
        super().__init__(figsize=(width, height), dpi=100, layout="constrained", facecolor="white")
        FigureCanvasAgg(self)
        self.description = description

    def __repr__(self) -> str:
        return self.description or f"Picture with {len(self.axes)} axes"

    def _repr_mimebundle_(self, **_kwargs: Any) -> tuple[dict, dict]:
        data = io.BytesIO()
        self.savefig(data, format="png", dpi=150, metadata={"Software": None})
        width = round(self.get_figwidth() * 100)
        bundle = {
            "text/plain": f"The picture in words:\n{self!r}",
            "image/png": base64.b64encode(data.getvalue()).decode(),
        }
        return bundle, {"image/png": {"width": width, "alt": self.description}}


@steadily
def spread(
    runs: Mapping[str, Any],
    *,
    x: Sequence[float] | None = None,
    xlabel: str = "epoch",
    ylabel: str = "loss",
    title: str = "",
    log: bool = True,
    ax: Axes | None = None,
) -> Figure:
    """Mean of many runs as a line and the 10th to 90th percentile as a band, a curve for each name.

    Args:
        runs: name -> array [run, x] of what was measured; a single run is a curve without a band.
        x: what the columns stand for; 0, 1, 2, ... if None.
        log: logarithmic vertical axis; only values above 0 can be drawn then.
        ax: draw into these axes of a larger picture; its figure is returned.

    Returns:
        A `Picture`; its description gives each curve's mean and band at the start and at the end.

    Raises:
        TypeError, ValueError: runs is empty, one of them is no table [run, x] of numbers, or x does not fit it.

    >>> spread({"a": [[4.0, 2.0], [4.0, 2.0]]})
    a: mean 4 at epoch 0, 2 at epoch 1 (10th to 90th percentile 2 to 2).
    >>> spread({"a": [[4.0, 2.0]]})
    a: 4 at epoch 0, 2 at epoch 1.
    """
    tables, columns = _checked_runs(runs, x, xlabel)
    check_flag("log", log)
    if not isinstance(ax, Axes | None):
        raise TypeError(f"ax must be matplotlib's Axes or None, not {quoted(ax)}")
    picture = Picture(7.5, 4) if ax is None else cast(Figure, ax.figure)
    ax = picture.subplots() if ax is None else ax
    says = []
    for style, (name, table) in zip(STYLES * len(tables), tables.items(), strict=False):
        at = np.arange(table.shape[1]) if columns is None else columns
        with np.errstate(all="ignore"):  # inf minus inf, where runs have diverged
            mean, (low, high) = table.mean(0), np.percentile(table, BAND, axis=0)
        if len(table) > 1:
            ax.fill_between(at, low, high, color=style["color"], alpha=0.2, linewidth=0)
        ax.plot(at, mean, label=name, markevery=max(1, len(at) // 10), markersize=5, **style)
        ends = f"{mean[0]:.3g} at {xlabel} {at[0]:g}, {mean[-1]:.3g} at {xlabel} {at[-1]:g}"
        band = f"({BAND[0]}th to {BAND[1]}th percentile {low[-1]:.3g} to {high[-1]:.3g})"
        says.append(f"{name}: mean {ends} {band}." if len(table) > 1 else f"{name}: {ends}.")
    if log:
        ax.set_yscale("log")
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.grid(alpha=0.3)
    ax.legend()
    if isinstance(picture, Picture):
        picture.description = " ".join(filter(None, [picture.description, title and f"{title}.", *says]))
    return picture


def _checked_runs(runs: Any, x: Any, xlabel: str) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """The tables of `spread`, and what their columns stand for, as arrays."""
    if not isinstance(runs, Mapping):
        raise TypeError(f"runs must map names to tables [run, {xlabel}], not {quoted(runs)}")
    if not runs:
        raise ValueError("runs must not be empty")
    x, tables = None if x is None else np.asarray(check_table("x", x)), {}
    for name, table in runs.items():
        label = f"runs[{quoted(name)}]"
        tables[name] = table = np.asarray(check_table(label, table, finite=False))
        if table.ndim != 2:
            raise ValueError(f"{label} must be a table [run, {xlabel}], not of shape {table.shape}")
        if x is not None and x.shape != table.shape[1:]:
            raise ValueError(f"x must have a number for each of the {table.shape[1]} columns, not shape {x.shape}")
    return tables, x


@steadily
def schedule_scene(
    initial_lr: float, gammas: Sequence[float], num_epochs: int, log: bool = False
) -> Callable[[float], Figure]:
    """The rate over the epochs with its half-life, and the sum of the rates with its limit.

    Args:
        initial_lr: rate of epoch 0.
        gammas: all values that will be drawn; the axes hold the largest.
        num_epochs: how many epochs are drawn.
        log: logarithmic axis for the rate.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    >>> draw = schedule_scene(0.1, [0.8, 0.9], num_epochs=40)
    >>> draw(0.9).axes[0].get_title("left")
    'the rates'
    """
    for gamma in _listed("gammas", gammas):
        check_schedule(initial_lr, gamma)
    check_count("num_epochs", num_epochs)
    check_flag("log", log)
    epochs, top = np.arange(num_epochs), max(gammas)
    smooth = np.linspace(0, num_epochs - 1, 200)
    picture = Picture()
    left, right = picture.subplots(1, 2)
    highest = max(initial_lr, exponential_lr(initial_lr, top, num_epochs - 1))
    left.set(xlabel="epoch e", ylabel="learning rate", xlim=(-0.5, num_epochs))
    left.set(yscale="log" if log else "linear", ylim=(initial_lr * 1e-5, highest * 2) if log else (0, highest * 1.08))
    right.set(xlabel="epoch e", ylabel="sum of the rates")
    right.set(xlim=(-0.5, num_epochs), ylim=(0, step_budget(initial_lr, top, num_epochs) * 1.08))
    for ax in (left, right):
        ax.grid(alpha=0.3)
    (curve,) = left.plot(smooth, smooth, color=BLUE, alpha=0.5, animated=True)
    (dots,) = left.plot(epochs, epochs, "o", color=BLUE, markersize=5, animated=True)
    (half,) = left.plot([0], [0], "D:", color=ORANGE, markersize=9, animated=True)
    half_says = _headed(left, "the rates", ORANGE)
    (total,) = right.plot(epochs, epochs, "s-", color=GREEN, markersize=4, animated=True)
    limit = right.axhline(0, color=ORANGE, linestyle="--", linewidth=2, animated=True)
    limit_says = _headed(right, "the rates added up", ORANGE)

    def draw(gamma: float) -> Figure:
        curve.set_ydata(exponential_lr(initial_lr, gamma, smooth))
        rates = exponential_lr(initial_lr, gamma, epochs)
        dots.set_ydata(rates)
        total.set_ydata(np.cumsum(rates))
        halved = half_life(gamma) if gamma <= 1 else np.inf
        half.set_data([halved, halved, -1], [0, initial_lr / 2, initial_lr / 2])
        half.set_visible(bool(np.isfinite(halved)))
        half_says.set_text(f"gamma {gamma:.4g}: {_half_life_words(gamma)}")
        reach = step_budget(initial_lr, gamma)
        limit.set_visible(bool(np.isfinite(reach)))
        limit.set_ydata([reach, reach] if np.isfinite(reach) else [0, 0])
        limit_says.set_text(f"for ever: {reach:.3g}" if np.isfinite(reach) else "for ever: no limit")
        return picture

    return draw


def schedule_words(gamma: float, initial_lr: float, num_epochs: int, log: bool = False) -> str:
    """What `schedule_scene` shows, in words.

    >>> schedule_words(0.9, 0.1, 40)[:54]
    'gamma 0.9: the rate goes from 0.1 in epoch 0 to 0.0016'
    """
    last = exponential_lr(initial_lr, gamma, num_epochs - 1)
    reach, so_far = step_budget(initial_lr, gamma), step_budget(initial_lr, gamma, num_epochs)
    limit = f"and can never pass {reach:.3g}" if np.isfinite(reach) else "and have no limit"
    return (
        f"gamma {gamma:.4g}: the rate goes from {initial_lr:.4g} in epoch 0 to {last:.3g} in epoch {num_epochs - 1}; "
        f"{_half_life_words(gamma)}. The rates add up to {so_far:.3g} {limit}."
        + (" On the logarithmic axis the rate is a straight line." if log else "")
    )


def _half_life_words(gamma: float) -> str:
    if gamma > 1:
        return "the rate grows"
    if gamma == 1:
        return "the rate never halves"
    return f"half-life {half_life(gamma):.2f} epochs"


@steadily
def descent_scene(
    paths: Mapping[float, np.ndarray], curvatures: tuple[float, float], name: str
) -> Callable[[float], Figure]:
    """A valley from above with the path of gradient descent, and the loss after each step.

    Args:
        paths: value of the main control -> positions [step, 2]; the loss is ``sum(curvatures * p ** 2) / 2``.
        curvatures: of the valley along its two parameters.
        name: what the main control is called.

    Raises:
        TypeError, ValueError: there are no paths, one of them is no table [step, 2], or a curvature no number.

    >>> draw = descent_scene({0.5: [[2.0, 1.0], [1.0, 0.0]]}, (1.0, 10.0), "initial_lr")
    >>> draw(0.5).axes[1].get_title("left")
    'loss'
    """
    if not isinstance(paths, Mapping) or not paths:
        raise TypeError(f"paths must map values of {name} to positions [step, 2], not {type(paths).__name__}")
    paths = {value: _table(f"paths[{quoted(value)}]", path, "step, 2", (None, 2)) for value, path in paths.items()}
    for curvature in _listed("curvatures", curvatures, 2):
        check_number("curvatures", curvature)
    (start, *_), steps = next(iter(paths.values())), len(next(iter(paths.values())))
    picture = Picture()
    left, right = picture.subplots(1, 2)
    across, along = np.linspace(-5, 5, 120), np.linspace(-2.2, 2.2, 80)
    height = (curvatures[0] * across**2 + curvatures[1] * along[:, None] ** 2) / 2
    left.contourf(across, along, height, levels=np.arange(0, 6.5, 0.5) ** 2, cmap="Greys", alpha=0.6, extend="max")
    left.plot(*start, "s", color="black", markersize=9)
    left.plot(0, 0, "*", color=GREEN, markersize=16)
    left.set(title="the valley from above", xlabel="first parameter", ylabel="second parameter")
    left.annotate("start", start, (6, 8), textcoords="offset points")
    left.annotate("minimum", (0, 0), (8, -18), textcoords="offset points")
    right.set(xlabel="step", ylabel="loss", yscale="log")
    right.set(ylim=(1e-8, 1e4), xlim=(-0.5, steps))
    right.grid(alpha=0.3)
    (path,) = left.plot([], [], "o-", color=ORANGE, markersize=4, linewidth=1.5, animated=True)
    (loss,) = right.plot([], [], "o-", color=BLUE, markersize=4, animated=True)
    says = _headed(right, "loss", "black")

    def draw(value: float) -> Figure:
        points = np.clip(paths[value], -1e3, 1e3)
        path.set_data(points[:, 0], points[:, 1])
        losses = (paths[value] ** 2 @ np.asarray(curvatures)) / 2
        loss.set_data(np.arange(steps), np.clip(losses, 1e-12, 1e6))
        grown = " (diverged)" if losses[-1] > losses[0] else ""
        says.set_text(f"{name} {value:.4g}: last loss {losses[-1]:.2g}{grown}")
        return picture

    return draw


@steadily
def worked_example_scene(initial_lr: float, gamma: float, num_epochs: int) -> Callable[[int], Figure]:
    """The rates of the first epochs as a table filled in line by line, and as bars.

    Raises:
        TypeError, ValueError: an argument is out of range; the message names it.

    >>> draw = worked_example_scene(0.1, 0.9, num_epochs=4)
    >>> draw(2).axes[1].get_title()
    'the same as bars'
    """
    check_schedule(initial_lr, gamma)
    check_count("num_epochs", num_epochs)
    picture = Picture(9, 4)
    left, right = picture.subplots(1, 2, width_ratios=(3, 2))
    left.set_axis_off()
    left.set(xlim=(0, 1), ylim=(num_epochs + 0.5, -1.5))
    for x, head in ((0.0, "epoch e"), (0.2, f"gamma$^e$ = {gamma:g}$^e$"), (0.55, "lr = initial_lr × gamma$^e$")):
        left.text(x, -1, head, fontweight="bold")
    powers = [gamma**epoch for epoch in range(num_epochs)]
    rows = []
    for epoch, power in enumerate(powers):
        texts = f"{epoch}", f"{power:.6g}", f"{initial_lr:g} × {power:.6g} = {initial_lr * power:.6g}"
        places = zip((0.05, 0.2, 0.55), texts, strict=True)
        rows.append([left.text(x, epoch, text, animated=True) for x, text in places])
    right.set(xlabel="epoch e", ylabel="learning rate", title="the same as bars", xlim=(-0.6, num_epochs - 0.4))
    right.set_ylim(0, initial_lr * max(powers) * 1.1)
    done = right.bar(range(num_epochs), [initial_lr * power for power in powers], color=SKY, animated=True)

    def draw(epoch: int) -> Figure:
        for row, (texts, bar) in enumerate(zip(rows, done, strict=True)):
            bar.set(visible=row <= epoch, hatch="//" if row == epoch else None, edgecolor=BLUE)
            for text in texts:
                text.set(visible=row <= epoch, fontweight="bold" if row == epoch else "normal")
        return picture

    return draw


@steadily
def training_scene(
    gammas: Sequence[float],
    excess: np.ndarray,
    weights: np.ndarray,
    data: tuple[np.ndarray, np.ndarray],
    best: tuple[float, float],
    initial_lr: float,
    outcomes: Sequence[str],
) -> Callable[[float], Figure]:
    """Fit, excess loss and rate for each gamma.

    Args:
        excess: [gamma, seed, epoch]; weights: [gamma, seed, 2]; data: the samples' x and y;
        best: the least-squares weight and bias; outcomes: how the runs of each gamma ended, in words.

    Raises:
        TypeError, ValueError: an argument is out of range, or of another shape than the others.

    >>> runs, weights = np.ones((1, 4, 10)), np.ones((1, 4, 2))
    >>> draw = training_scene([0.9], runs, weights, ([0, 1], [0, 3]), (3.0, 0.5), 0.1, ["at the end 1"])
    >>> draw(0.9).axes[1].get_title("left").strip()
    'excess loss'
    """
    for gamma in _listed("gammas", gammas):
        check_schedule(initial_lr, gamma)
    excess = _table("excess", excess, "gamma, seed, epoch", (len(gammas), None, None))
    weights = _table("weights", weights, "gamma, seed, 2", (*excess.shape[:2], 2))
    _listed("outcomes", outcomes, len(gammas))
    num_epochs = excess.shape[-1]
    epochs, ends = np.arange(num_epochs), np.array([-1.0, 1.0])
    means, (lows, highs) = drawable(excess.mean(1)), np.percentile(drawable(excess), BAND, axis=1)
    with np.errstate(invalid="ignore"):
        lines = np.nan_to_num(np.clip(weights[..., :1] * ends + weights[..., 1:], -1e3, 1e3), nan=1e3)
    picture = Picture(10, 3.6)
    fit, loss, rate = picture.subplots(1, 3)
    fit.plot(*data, ".", color=GREY, alpha=0.6)
    fit.plot(ends, best[0] * ends + best[1], "--", color="black", label="least squares")
    fit.set_title("fitted lines", loc="left")
    fit.set(xlabel="x", ylabel="y", ylim=(-4.5, 5.5))
    fit.legend(loc="upper left", fontsize=9)
    loss.set(xlabel="epoch", yscale="log", ylim=(LOWEST, HIGHEST))
    rate.set(xlabel="epoch", ylim=(0, initial_lr * max(1, max(gammas) ** num_epochs) * 1.08))
    for ax in (fit, loss, rate):
        ax.grid(alpha=0.3)
    seeds = LineCollection([], colors=ORANGE, alpha=0.35, linewidths=1, animated=True)
    fit.add_collection(seeds, autolim=False)
    band = loss.fill_between(epochs, 1, 2, color=BLUE, alpha=0.25, linewidth=0, animated=True)
    (mean,) = loss.plot(epochs, epochs, "-", color=BLUE, animated=True)
    (used,) = rate.plot(epochs, epochs, "o-", color=GREEN, markersize=3, animated=True)
    ended, dragged = _headed(loss, "excess loss", "black", lines=2), _headed(rate, "learning rate", "black")

    def draw(gamma: float) -> Figure:
        at = gammas.index(gamma)
        seeds.set_segments([np.column_stack([ends, run]) for run in lines[at]])
        band.set_data(epochs, lows[at], highs[at])
        mean.set_ydata(means[at])
        used.set_ydata(exponential_lr(initial_lr, gamma, epochs))
        ended.set_text(outcomes[at])
        dragged.set_text(f"gamma {gamma:.4g}")
        return picture

    return draw


@steadily
def sweep_scene(initial_lrs: Sequence[float], gammas: Sequence[float], excess: np.ndarray) -> Callable[[float], Figure]:
    """Map of the final excess loss, and a cut through it along the dragged gamma.

    Args:
        excess: final excess loss [initial_lr, gamma, seed].

    Raises:
        TypeError, ValueError: a rate or a gamma is out of range, or excess of another shape.

    >>> draw = sweep_scene([0.1, 1.0], [0.8, 0.9], np.ones((2, 2, 4)))
    >>> draw(0.9).axes[1].get_title("left").strip()
    'along the line'
    """
    for initial_lr in _listed("initial_lrs", initial_lrs):
        for gamma in _listed("gammas", gammas):
            check_schedule(initial_lr, gamma)
    excess = _table("excess", excess, "initial_lr, gamma, seed", (len(initial_lrs), len(gammas), None))
    means, (lows, highs) = excess.mean(2), np.percentile(drawable(excess), BAND, axis=2)
    picture = Picture(10, 4)
    left, right = picture.subplots(1, 2)
    steps = colormaps["cividis"].resampled(12)  # half a decade each: read off the bar, and few colours to send
    decades = np.log10(drawable(means))
    colours = left.pcolormesh(gammas, initial_lrs, decades, cmap=steps, vmin=-5, vmax=1, shading="nearest")
    picture.colorbar(colours, ax=left, extend="both", label="log10 of the mean excess loss")
    diverged = np.argwhere(means > 10)
    left.plot(np.take(gammas, diverged[:, 1]), np.take(initial_lrs, diverged[:, 0]), "kx", markersize=4)
    left.set(title="excess loss at the end (x: above 10)", xlabel="gamma", ylabel="initial_lr", yscale="log")
    right.set(xlabel="initial_lr", ylabel="excess loss", xscale="log", yscale="log")
    right.set(ylim=(LOWEST, HIGHEST), xlim=(min(initial_lrs), max(initial_lrs)))
    right.grid(alpha=0.3)
    cut = left.axvline(gammas[0], color="white", linewidth=4, animated=True)
    core = left.axvline(gammas[0], color=ORANGE, linewidth=2, linestyle="--", animated=True)
    band = right.fill_between(initial_lrs, 1, 2, color=BLUE, alpha=0.25, linewidth=0, animated=True)
    (mean,) = right.plot(initial_lrs, initial_lrs, "o-", color=BLUE, markersize=4, animated=True)
    (lowest,) = right.plot([1], [1], "*", color=ORANGE, markersize=16, animated=True)
    says = _headed(right, "along the line", "black", lines=2)

    def draw(gamma: float) -> Figure:
        at = gammas.index(gamma)
        for line in (cut, core):
            line.set_xdata([gamma, gamma])
        band.set_data(initial_lrs, lows[:, at], highs[:, at])
        mean.set_ydata(drawable(means[:, at]))
        best = int(means[:, at].argmin())
        lowest.set_data([initial_lrs[best]], [drawable(means[best, at])])
        says.set_text(f"gamma {gamma:.4g}: lowest {means[best, at]:.2g}\nat initial_lr {initial_lrs[best]:.3g}")
        return picture

    return draw


def _headed(ax: Axes, title: str, color: str, lines: int = 1) -> Text:
    """A title on the left, and on its right words that change: above the axes no curve is covered.

    The title stands beside the last of the lines, as high as the titles of the axes next to it.
    """
    ax.set_title("\n" * (lines - 1) + title, loc="left")
    return ax.text(1, 1.02, "", transform=ax.transAxes, animated=True, ha="right", va="bottom", color=color)


def drawable(excess: Any) -> np.ndarray:
    """Excess losses kept between the edges of the axes, so that a diverged run cannot break a plot.

    >>> drawable([0.1, np.inf]).tolist()
    [0.1, 100.0]
    """
    return np.clip(np.nan_to_num(excess, nan=HIGHEST, posinf=HIGHEST), LOWEST, HIGHEST)


def _listed(name: str, values: Any, length: int | None = None) -> Sequence[Any]:
    """The values of an argument that must be a list, of a given length if there is one."""
    if isinstance(values, str) or not hasattr(values, "__len__") or not hasattr(values, "__getitem__"):
        raise TypeError(f"{name} must be a list, not {quoted(values)}")
    if not len(values) or (length is not None and len(values) != length):
        raise ValueError(f"{name} must have {length or 'some'} values, not {len(values)}")
    return values


def _table(name: str, values: Any, axes: str, shape: Sequence[int | None] = (None, None)) -> np.ndarray:
    """An argument as an array of numbers whose shape is the given one; None stands for any length but 0."""
    try:
        table = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be a table [{axes}] of numbers: {error}") from None
    fits = len(table.shape) == len(shape) and all(
        want in (None, length) for want, length in zip(shape, table.shape, strict=True)
    )
    if not fits or not table.size:
        raise ValueError(f"{name} must be a table [{axes}], not of shape {table.shape}")
    return table
