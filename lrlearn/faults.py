"""Broken training loops beside right ones: each is run on real torch, recorded, and drawn on a bench.

A loop is a function ``loop(run)`` that trains the straight line of `lrlearn.regression` for a few epochs. It takes
its samples from ``run.batches(epoch)`` and calls ``run.log`` after each epoch; the rates that the optimizer really
used are noted by a hook of torch's. torch is imported when a loop is run.
"""

import difflib
import inspect
import io
import math
import reprlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from lrlearn.filmstrips import Filmstrip, filmstrip
from lrlearn.plots import BLUE, GREY, ORANGE, STYLES, Picture, drawable
from lrlearn.regression import BATCH_SIZE, NUM_SAMPLES, Problem, problem

if TYPE_CHECKING:
    import torch

NUM_EPOCHS = 10
FIRST_HALF, SECOND_HALF = range(NUM_EPOCHS // 2), range(NUM_EPOCHS // 2, NUM_EPOCHS)


@dataclass
class Run:
    """What a loop did.

    Of each ``optimizer.step()``: the rate ``used`` (of the newest parameter group) and when, ``at``, counted in epochs.
    Of each epoch: the ``logged`` rate, the ``excess`` loss, the scheduler's ``last_epochs``.
    """

    seed: int = 0
    data: Problem = field(default_factory=problem, compare=False, repr=False)
    used: list[float] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    logged: list[float] = field(default_factory=list)
    excess: list[float] = field(default_factory=list)
    last_epochs: list[int] = field(default_factory=list)
    says: str = "nothing"
    now: float = field(default=0.0, compare=False, repr=False)

    def batches(self, epoch: int, size: int = BATCH_SIZE) -> "Iterator[torch.Tensor]":
        """Which samples go into the batches of an epoch; the order depends on the seed and the epoch alone."""
        import torch

        order = torch.randperm(NUM_SAMPLES, generator=torch.Generator().manual_seed(1000 * self.seed + epoch))
        parts = order.split(size)
        for number, batch in enumerate(parts):
            self.now = epoch + number / len(parts)
            yield batch

    def log(self, rate: Any, model: Any, scheduler: Any) -> None:
        """Note the end of an epoch; ``rate`` is what the loop believes to have used."""
        import torch

        with torch.no_grad():
            loss = torch.nn.functional.mse_loss(model(self.data.x[:, None].to(model.weight)), self.data.y[:, None])
        self.excess.append(loss.item() - self.data.minimum)
        self.logged.append(rate)
        self.last_epochs.append(scheduler.last_epoch)

    def rate_in(self, epoch: int) -> float | None:
        """The first rate used in an epoch; None if the optimizer made no step in it."""
        return next((rate for rate, at in zip(self.used, self.at, strict=True) if epoch <= at < epoch + 1), None)


def expect(what: str, expected: Any, came: Any, within: float = 1e-9) -> None:
    """Say so, in words, if torch does not do what a lesson says of it; say nothing if it does.

    Args:
        what: what is compared, in a few words.
        expected: what the lesson says: a number, anything that ``==`` compares, or a list of such.
        came: what torch did.
        within: relative; numbers that close are the same.

    >>> expect("the second rate", 0.1 * 0.9, 0.09)
    >>> expect("the second rate", 0.09, 0.1)  # doctest: +ELLIPSIS
    Not what this lesson says of torch: the second rate. Expected 0.09, came 0.1. If you changed a number, that is ...
    """
    if not _alike(expected, came, within):
        import torch

        print(
            f"Not what this lesson says of torch: {what}. "
            f"Expected {reprlib.repr(expected)}, came {reprlib.repr(came)}. "
            f"If you changed a number, that is why; if not, torch {torch.__version__} behaves differently."
        )


def tell(what: str, came: Any) -> None:
    """Print what came out, a number with four digits.

    >>> tell("the rate of epoch 5", 0.1 * 0.9**5)
    the rate of epoch 5: 0.05905
    """
    print(f"{what}: {came:.4g}" if isinstance(came, float) else f"{what}: {came}")


def _alike(one: Any, other: Any, within: float) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_alike(*pair, within) for pair in zip(one, other, strict=True))
    if isinstance(one, Real) and isinstance(other, Real):
        return math.isclose(one, other, rel_tol=within)
    return bool(one == other)


def new_training(
    lr: Any = 0.1, gamma: float = 0.9, schedule: Callable[[Any], Any] | None = None, dtype: Any = None
) -> tuple[Any, Any, Any]:
    """A line that starts at zero, SGD, and the scheduler that ``schedule(optimizer)`` makes: ExponentialLR if None."""
    import torch

    model = torch.nn.Linear(1, 1, dtype=dtype or torch.float64)
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    return (
        model,
        optimizer,
        schedule(optimizer) if schedule else torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma),
    )


def batch_loss(model: Any, batch: "torch.Tensor", data: Problem | None = None) -> "torch.Tensor":
    """Mean squared error over the samples of a batch; the fixed data set if ``data`` is None."""
    import torch

    x, y, *_ = data or problem()
    return torch.nn.functional.mse_loss(model(x[batch, None].to(model.weight)), y[batch, None].to(model.weight))


def train_batch(model: Any, optimizer: Any, batch: "torch.Tensor", data: Problem | None = None) -> None:
    """One step: forget the last gradient, compute this batch's, move the weights."""
    optimizer.zero_grad()
    batch_loss(model, batch, data).backward()
    optimizer.step()


def train(run: Run, model: Any, optimizer: Any, scheduler: Any, epochs: Iterable[int] = range(NUM_EPOCHS)) -> None:
    """The right loop: the rate is logged before the epoch, and the scheduler is stepped once, after its batches."""
    for epoch in epochs:
        rate = scheduler.get_last_lr()[0]
        for batch in run.batches(epoch):
            train_batch(model, optimizer, batch, run.data)
        run.log(rate, model, scheduler)
        scheduler.step()


def first_half(run: Run, schedule: Callable[[Any], Any] | None = None) -> dict[str, dict]:
    """Train the first half, save model, optimizer and scheduler, and read them back as a new process would."""
    import torch

    model, optimizer, scheduler = new_training(schedule=schedule)
    train(run, model, optimizer, scheduler, FIRST_HALF)
    file = io.BytesIO()
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    torch.save({name: part.state_dict() for name, part in parts.items()}, file)
    file.seek(0)
    return torch.load(file)


def record(loop: Callable[[Run], None], seed: int = 0) -> Run:
    """Run a loop on real torch and return the `Run` with all that it did; an error ends the loop and is noted.

    >>> record(lambda run: train(run, *new_training(gamma=0.5))).used[::8][:3]
    [0.1, 0.05, 0.025]
    """
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    run = Run(seed)

    def note(optimizer: Any, *_: Any) -> None:
        run.used.append(float(optimizer.param_groups[-1]["lr"]))
        run.at.append(run.now)

    hook = register_optimizer_step_pre_hook(note)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            loop(run)
        except Exception as error:
            run.says = f"{type(error).__name__}: {error.args[0] if error.args else ''}"
        finally:
            hook.remove()
    if caught:
        run.says = f"{caught[0].category.__name__}: {caught[0].message}"
    run.logged = [float(rate) for rate in run.logged]
    return run


def run_cases(faults: Mapping[str, tuple[Callable, Callable]]) -> dict[str, dict[str, Any]]:
    """Run every fault and the right loop beside it.

    Args:
        faults: name -> the broken loop and the right one. The broken loop's docstring is its ``note``.

    Returns:
        name -> ``right`` and ``broken``, two `Run`; ``lines``, their source's diff; ``says``, torch's first sentence.
    """
    cases = {}
    for name, (fault, partner) in faults.items():
        broken = record(fault)
        says = broken.says.split(". ")[0].split("\n")[0]
        lines, note = differing_lines(fault, partner), inspect.getdoc(fault) or ""
        cases[name] = {"right": record(partner), "broken": broken, "lines": lines, "says": says, "note": note}
    return cases


def differing_lines(fault: Callable, partner: Callable) -> list[str]:
    """The lines that differ, ``-`` right and ``+`` broken, with one on each side of them; notes do not count."""
    sources = [inspect.getsource(loop).splitlines()[1:] for loop in (partner, fault)]
    right_lines, broken_lines = ([line[4:] for line in lines if '"""' not in line] for lines in sources)
    diff = list(difflib.unified_diff(right_lines, broken_lines, n=1, lineterm=""))[2:]
    return [line for line in diff if not line.startswith("@@")]


def fault_bench(cases: Mapping[str, Mapping[str, Any]], value: int = NUM_EPOCHS // 2) -> Filmstrip:
    """The explorer over what `run_cases` returned: pick a fault, drag the epoch."""
    import ipywidgets

    def describe(epoch: int, choice: str) -> str:
        case = cases[choice]
        runs = [(name, case[name]) for name in ("right", "broken") if epoch < len(case[name].excess)]
        rates = " and ".join(f"{_told(run.rate_in(epoch), '.3g')} ({name})" for name, run in runs)
        return f"{choice}, epoch {epoch}: rate used {rates}; torch says {case['says']}. {case['note']}"

    picker = ipywidgets.Dropdown(options=list(cases), description="fault")
    return filmstrip(fault_scene(cases), range(NUM_EPOCHS), describe, name="epoch", value=value, picker=picker)


def fault_scene(cases: Mapping[str, Mapping[str, Any]]) -> Callable[..., Figure]:
    """A right and a broken run side by side: rates, excess loss, the lines that differ, what torch says.

    Args:
        cases: name -> ``right`` and ``broken``, two runs; ``lines``, a diff from right to broken; ``says``.
            A run is a `Run`; a broken one may be shorter.

    Returns:
        ``draw(epoch, choice) -> Figure``, choice being one of the names.
    """
    picture = Picture(9, 3.9)
    picture.set_layout_engine("none")  # it would be worked out anew for every fault, which takes longer than drawing it
    places = {"left": 0.075, "right": 0.985, "top": 0.93, "bottom": 0.01, "wspace": 0.16, "hspace": 0.42}
    axes = picture.subplot_mosaic([["rate", "loss"], ["code", "code"]], height_ratios=(3, 2.2), gridspec_kw=places)
    rate, loss, code = (axes[name] for name in ("rate", "loss", "code"))
    runs = [case[side] for case in cases.values() for side in ("right", "broken")]
    rate.set(title="rate used in each epoch")
    loss.set(title="excess loss after each epoch", yscale="log")
    code.set_axis_off()
    kinds = {"right": STYLES[0] | {"linewidth": 3}, "broken": STYLES[1] | {"linewidth": 2}}
    curves = {}
    for name, style in kinds.items():
        curves[rate, name] = rate.step([], [], where="post", label=name, **style | {"marker": ""})[0]
        curves[loss, name] = loss.plot([], [], label=name, **style)[0]
    (logged,) = rate.plot([], [], "kD", fillstyle="none", label="broken, in its log")
    tops = ((rate, 0.8), (loss, 1))  # under the legend
    cursors = [ax.axvline(0, 0, top, color=GREY, linestyle=":", linewidth=2, animated=True) for ax, top in tops]
    for ax in (rate, loss):
        ax.set_xlim(-0.5, max(len(run.excess) for run in runs) + 0.2)
    rate.legend(loc="upper center", ncols=3, fontsize=9, frameon=False)
    common: dict[str, Any] = {"family": "monospace", "fontsize": 9, "va": "top"}
    diff = [code.text(0, 0.95 - 0.125 * row, "", **common) for row in range(8)]
    says = code.text(0, 1.02, "", fontsize=9.5)
    table = code.text(1, 0.95, "", ha="right", animated=True, **common)
    for artist in picture.findobj(lambda artist: hasattr(artist, "set_antialiased")):
        artist.set(antialiased=False)  # at double resolution it looks the same, and there are many pictures to send
    shown: list[str] = []

    def draw(epoch: int, choice: str) -> Figure:
        case = cases[choice]
        if shown != [choice]:  # the picker has moved: everything but the cursors and the table is drawn anew
            shown[:] = [choice]
            both = case["right"], case["broken"]
            losses = np.concatenate([drawable(run.excess) for run in both])
            rate.set_ylim(0, 1.35 * max(max(run.used) for run in both))
            loss.set_ylim(losses.min() / 1.5, losses.max() * 1.5)
            for (ax, name), curve in curves.items():
                run = case[name]
                values = drawable(run.excess)
                curve.set_data((run.at, run.used) if ax is rate else (np.arange(len(values)), values))
            logged.set_data(range(len(case["broken"].logged)), case["broken"].logged)
            for text, line in zip(diff, [*case["lines"], *[""] * len(diff)], strict=False):
                text.set(text=line, color={"-": BLUE, "+": ORANGE}.get(line[:1], "black"))
            says.set_text(f"torch says: {case['says']}")
            picture.stale = True
        for cursor in cursors:
            cursor.set_xdata([epoch, epoch])
        table.set_text(_fault_table(case["right"], case["broken"], epoch))
        return picture

    return draw


def _fault_table(right: Any, broken: Any, epoch: int) -> str:
    """The numbers of one epoch of the two runs; a run that has stopped by then has none."""
    rows = {
        "rate used": lambda run: _told(run.rate_in(epoch), ".4g"),
        "in the log": lambda run: f"{run.logged[epoch]:.4g}",
        "excess loss": lambda run: f"{run.excess[epoch]:.2e}",
        "last_epoch": lambda run: f"{run.last_epochs[epoch]:.4g}",
    }
    lines = [f"epoch {epoch:<6}{'right':>10}{'broken':>10}"]
    for name, tell in rows.items():
        cells = [tell(run) if epoch < len(run.excess) else "stopped" for run in (right, broken)]
        lines.append(f"{name:<12}{cells[0]:>10}{cells[1]:>10}")
    return "\n".join(lines)


def _told(rate: float | None, digits: str) -> str:
    return "no step" if rate is None else f"{rate:{digits}}"
