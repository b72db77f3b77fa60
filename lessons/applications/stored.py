"""What compare.py has stored: pictures, an explorer, a verdict and the table of it, for the notebooks."""

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
from trials import summarise, verdict, within_spread

from lrlearn import filmstrip, plots

HERE = Path(__file__).resolve().parent
RATIOS = {1.0: "constant", 0.5: "exponential to 0.5", 0.1: "exponential to 0.1", 0.01: "exponential to 0.01"}
SHORT = {"constant": "constant", "cosine": "cosine"} | {name: name[12:] for name in RATIOS.values() if "to" in name}


@functools.cache
def results() -> dict[str, Any]:
    return json.loads((HERE / "results.json").read_text(encoding="utf-8"))


def best_exponential(task: dict, budget: str) -> str:
    """The end ratio that did best on validation data, at its own best initial rate."""
    sign = 1 if task["higher_is_better"] else -1
    decays = [arm for arm in task["arms"] if arm.startswith("exponential")]
    return max(decays, key=lambda arm: max(sign * score for score in task["arms"][arm][budget]["validation"]))


def judge(task: dict, budget: str, against: str = "constant") -> str:
    """Better, tie or worse: the best ExponentialLR against another arm, on the test scores."""
    ours, theirs = (task["arms"][arm][budget]["test"] for arm in (best_exponential(task, budget), against))
    return verdict(ours, theirs, higher_is_better=task["higher_is_better"])


def says(name: str) -> None:
    """Print what the numbers of a task say, a line for each budget and arm and one with the verdict."""
    task = results()[name]
    for budget, count in task["budgets"].items():
        print(f"{name}, {count} {task['unit']} ({task['score']}, {len(task['seeds'])} seeds)")
        for arm, found in task["arms"].items():
            scores = summarise(found[budget]["test"])
            spread = f"{scores.mean:.3f} ± {scores.sd:.3f}  ({scores.lowest:.3f} to {scores.highest:.3f})"
            print(f"  {arm:20} initial_lr {found[budget]['initial_lr']:<6g} {spread}")
        versus = f"{judge(task, budget)} against constant, {judge(task, budget, 'cosine')} against cosine"
        print(f"  ExponentialLR ({SHORT[best_exponential(task, budget)]}): {versus}")


def draw(name: str) -> plots.Picture:
    """Every stored test score of a task: a column of seeds and their mean for each arm."""
    task = results()[name]
    picture = plots.Picture(4.6 * len(task["budgets"]) + 0.4, 3.6)
    words = []
    for ax, (budget, count) in zip(
        picture.subplots(1, len(task["budgets"]), sharey=True, squeeze=False)[0], task["budgets"].items(), strict=True
    ):
        for at, (style, (arm, found)) in enumerate(zip(plots.STYLES, task["arms"].items(), strict=False)):
            scores = found[budget]["test"]
            ax.plot(
                np.linspace(at - 0.15, at + 0.15, len(scores)), scores, style["marker"], color=style["color"], alpha=0.7
            )
            ax.plot([at - 0.3, at + 0.3], [np.mean(scores)] * 2, color=style["color"], linewidth=2.5)
            words.append(f"{arm}, {count} {task['unit']}: mean {np.mean(scores):.3f}.")
        labels = [f"{SHORT[arm]}\nfrom {found[budget]['initial_lr']:g}" for arm, found in task["arms"].items()]
        ax.set_xticks(range(len(labels)), labels, fontsize=8)
        ax.set(title=f"{count} {task['unit']}", xlabel="schedule, and its own best initial rate")
        ax.grid(alpha=0.3, axis="y")
    picture.axes[0].set_ylabel(task["score"])
    picture.description = f"{name}: {task['score']} of each of {len(task['seeds'])} seeds. " + " ".join(words)
    return picture


def explorer(name: str, budget: str = "long") -> Any:
    """Drag the end ratio: the validation score of each initial rate, and where the best one lies."""
    task = results()[name]
    lrs, best = task["initial_lrs"], max if task["higher_is_better"] else min
    rows = {ratio: task["arms"][arm][budget]["validation"] for ratio, arm in RATIOS.items()}
    picture = plots.Picture(7.5, 3.6)
    ax = picture.subplots()
    ax.set(xscale="log", xlabel="initial_lr", ylabel=f"{task['score']} (validation)")
    ax.set_title(f"{name}, {task['budgets'][budget]} {task['unit']}")
    ax.set_xticks(lrs, [f"{lr:g}" for lr in lrs])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    for row in rows.values():
        ax.plot(lrs, row, ":", color=plots.GREY, alpha=0.6)
    (line,) = ax.plot(lrs, rows[1.0], "o-", color=plots.BLUE, animated=True)
    (star,) = ax.plot([], [], "*", color=plots.ORANGE, markersize=18, animated=True)

    def draw(ratio: float) -> plots.Picture:
        line.set_ydata(rows[ratio])
        star.set_data([lrs[rows[ratio].index(best(rows[ratio]))]], [best(rows[ratio])])
        return picture

    def describe(ratio: float) -> str:
        at = lrs[rows[ratio].index(best(rows[ratio]))]
        gamma = ratio ** (1 / (task["budgets"][budget] - 1))
        return f"end ratio {ratio:g} (gamma {gamma:.4f}): best {best(rows[ratio]):.3f}, at initial_lr {at:g}."

    return filmstrip(draw, list(rows), describe, name="end ratio")


def check(name: str, score: float, *, arm: str, initial_lr: float, budget: str = "long", least: float = 0.01) -> None:
    """Assert that a model trained here and now fits the stored scores of its own setting."""
    task = results()[name]
    found = task["arms"][arm][budget]
    assert found["initial_lr"] == initial_lr, f"stored for initial_lr {found['initial_lr']}, not {initial_lr}"
    assert within_spread(score, found["test"], least=least), f"{score} does not fit {found['test']}: run compare.py"


def table() -> str:
    """The table of all areas, in Markdown."""
    lines = [
        "| area | model | task | best constant | best ExponentialLR | best cosine | against constant | against cosine |"
    ]
    lines += ["|---" * 8 + "|"]
    for name, task in results().items():
        for budget, count in task["budgets"].items():
            arms = ["constant", best_exponential(task, budget), "cosine"]
            cells = []
            for arm in arms:
                scores = summarise(task["arms"][arm][budget]["test"])
                ending = f", {SHORT[arm]}" if arm.startswith("exp") else ""
                cells.append(f"{scores.mean:.3f} ± {scores.sd:.3f}{ending}")
            what = f"{name}, {count} {task['unit']}: {task['score']}"
            link = f"[{task['area']}]({task['notebook']}.ipynb)"
            row = [link, task["model"], what, *cells, judge(task, budget), judge(task, budget, "cosine")]
            lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def write_table() -> None:
    """Put the table between its two marks in README.md."""
    results.cache_clear()
    path = HERE / "README.md"
    before, rest = path.read_text(encoding="utf-8").split("<!-- table -->\n", 1)
    after = rest.split("<!-- end of table -->", 1)[1]
    path.write_text(f"{before}<!-- table -->\n{table()}\n<!-- end of table -->{after}", encoding="utf-8")
