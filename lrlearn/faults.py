"""The fault bench of lessons 05 and 07: a right and a broken training run side by side."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lrlearn.plots import BLUE, GREY, ORANGE, STYLES, Picture, drawable


def fault_scene(cases: Mapping[str, Mapping[str, Any]], steps_per_epoch: int) -> Callable[..., Figure]:
    """A right and a broken run side by side: rates, excess loss, the lines that differ, what torch says.

    Args:
        cases: name -> ``right`` and ``broken``, two runs; ``lines``, a diff from right to broken; ``says``.
            A run has ``used`` [step], and ``logged``, ``excess``, ``last_epochs`` [epoch]; a broken one may be shorter.
        steps_per_epoch: how many steps an epoch has.

    Returns:
        ``draw(epoch, choice) -> Figure``, choice being one of the names.
    """
    picture = Picture(9, 3.9)
    axes = picture.subplot_mosaic([["rate", "loss"], ["code", "code"]], height_ratios=(3, 2.2))
    rate, loss, code = (axes[name] for name in ("rate", "loss", "code"))
    runs = [case[side] for case in cases.values() for side in ("right", "broken")]
    losses = np.concatenate([drawable(run.excess) for run in runs])
    rate.set(title="rate used in each epoch", ylim=(0, 1.35 * max(max(run.used) for run in runs)))
    loss.set(title="excess loss after each epoch", yscale="log", ylim=(losses.min() / 1.5, losses.max() * 1.5))
    code.set_axis_off()
    kinds = {"right": STYLES[0] | {"linewidth": 3}, "broken": STYLES[1] | {"linewidth": 2}}
    curves = {}
    for name, style in kinds.items():
        curves[rate, name] = rate.step([], [], where="post", label=name, **style | {"marker": ""})[0]
        curves[loss, name] = loss.plot([], [], label=name, **style)[0]
    (logged,) = rate.plot([], [], "kD", fillstyle="none", label="broken, in its log")
    cursors = [ax.axvline(0, color=GREY, linestyle=":", linewidth=2, animated=True) for ax in (rate, loss)]
    for ax in (rate, loss):
        ax.set_xlim(-0.5, max(len(run.excess) for run in runs) + 0.2)
    rate.legend(loc="upper center", ncols=3, fontsize=9, frameon=False)
    common = {"family": "monospace", "fontsize": 9, "va": "top"}
    diff = [code.text(0, 0.95 - 0.125 * row, "", **common) for row in range(8)]
    says = code.text(0, 1.02, "", fontsize=9.5)
    table = code.text(1, 0.95, "", ha="right", animated=True, **common)
    for artist in picture.findobj(lambda artist: hasattr(artist, "set_antialiased")):
        artist.set_antialiased(False)  # at double resolution it looks the same, and there are many pictures to send
    shown = []

    def draw(epoch: int, choice: str) -> Figure:
        case = cases[choice]
        if shown != [choice]:  # the picker has moved: everything but the cursors and the table is drawn anew
            shown[:] = [choice]
            for (ax, name), curve in curves.items():
                values = case[name].used if ax is rate else drawable(case[name].excess)
                curve.set_data(np.arange(len(values)) / (steps_per_epoch if ax is rate else 1), values)
            logged.set_data(range(len(case["broken"].logged)), case["broken"].logged)
            for text, line in zip(diff, [*case["lines"], *[""] * len(diff)], strict=False):
                text.set(text=line, color={"-": BLUE, "+": ORANGE}.get(line[:1], "black"))
            says.set_text(f"torch says: {case['says']}")
            picture.stale = True
        for cursor in cursors:
            cursor.set_xdata([epoch, epoch])
        table.set_text(_fault_table(case["right"], case["broken"], epoch, steps_per_epoch))
        return picture

    return draw


def _fault_table(right: Any, broken: Any, epoch: int, steps_per_epoch: int) -> str:
    """The numbers of one epoch of the two runs; a run that has stopped by then has none."""
    rows = {
        "rate used": lambda run: f"{run.used[epoch * steps_per_epoch]:.4g}",
        "in the log": lambda run: f"{run.logged[epoch]:.4g}",
        "excess loss": lambda run: f"{run.excess[epoch]:.2e}",
        "last_epoch": lambda run: f"{run.last_epochs[epoch]:.4g}",
    }
    lines = [f"epoch {epoch:<6}{'right':>10}{'broken':>10}"]
    for name, tell in rows.items():
        cells = [tell(run) if epoch < len(run.excess) else "stopped" for run in (right, broken)]
        lines.append(f"{name:<12}{cells[0]:>10}{cells[1]:>10}")
    return "\n".join(lines)
