"""What compare.py has stored: pictures, an explorer and verdicts of it, for the notebooks.

python lessons/applications/stored.py     every verdict, worked out anew from the scores in results.json
"""

import functools
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from trials import summarise, within_spread

from lrlearn import filmstrip, plots
from lrlearn.verdicts import Pair, Verdict, verdicts

HERE = Path(__file__).resolve().parent
FOREST = HERE / "images" / "verdicts.png"
RATIOS = {1.0: "constant", 0.5: "exponential to 0.5", 0.1: "exponential to 0.1", 0.01: "exponential to 0.01"}
SHORT = {"constant": "constant", "cosine": "cosine"} | {name: name[12:] for name in RATIOS.values() if "to" in name}
RIVALS = ("constant", "cosine")


def rivals(task: dict) -> list[str]:
    """Whom the chosen ExponentialLR is judged against in this task."""
    return [arm for arm in task["against"] if arm in task["arms"]]


class Row(NamedTuple):
    """One comparison: a task and a budget of it, and the rival that the chosen ExponentialLR meets there."""

    task: str
    budget: str
    rival: str


@functools.cache
def results() -> dict[str, Any]:
    return json.loads((HERE / "results.json").read_text(encoding="utf-8"))


def best_exponential(task: dict, budget: str) -> str:
    """The end ratio that did best on validation data, at its own best initial rate."""
    sign = 1 if task["higher_is_better"] else -1
    decays = [arm for arm in task["arms"] if arm.startswith("exponential")]
    return max(decays, key=lambda arm: max(sign * score for score in task["arms"][arm][budget]["validation"]))


def at_an_edge(found: dict) -> bool:
    """Whether the chosen first rate is the smallest or the largest that was tried: a better one may lie beyond."""
    return found["initial_lr"] in (min(found["initial_lrs"]), max(found["initial_lrs"]))


def judge() -> dict[Row, Verdict]:
    """Every verdict: the chosen ExponentialLR minus its rival on test scores, seed by seed, corrected for all rows."""
    pairs = {}
    for name, task in results().items():
        for budget in task["budgets"]:
            ours = task["arms"][best_exponential(task, budget)][budget]["test"]
            for rival in rivals(task):
                theirs = task["arms"][rival][budget]["test"]
                pairs[Row(name, budget, rival)] = Pair(ours, theirs, task["margin"], task["higher_is_better"])
    return dict(zip(pairs, verdicts(list(pairs.values())), strict=True))


def in_words(row: Row, verdict: Verdict) -> str:
    """The verdict's word, the mean difference and its 95 % interval, to a tenth of the margin."""
    digits = max(0, 1 + math.ceil(-math.log10(results()[row.task]["margin"])))
    middle, low, high = (f"{value:+.{digits}f}" for value in verdict[1:4])
    return f"{verdict.word}, {middle} ({low} to {high})"


def says(name: str) -> None:
    """Print what the numbers of a task say, a line for each budget and arm, and its verdicts."""
    task, found_all = results()[name], judge()
    print("mean ± standard deviation (lowest to highest) of the test scores:")
    for budget, count in task["budgets"].items():
        print(f"{name}, {count} {task['unit']} ({task['score']}, {len(task['seeds'])} seeds)")
        for arm, found in task["arms"].items():
            scores = summarise(found[budget]["test"])
            spread = f"{scores.mean:.3f} ± {scores.sd:.3f}  ({scores.lowest:.3f} to {scores.highest:.3f})"
            edge = "  at the edge of its grid" if at_an_edge(found[budget]) else ""
            print(f"  {arm:20} initial_lr {found[budget]['initial_lr']:<6g} {spread}{edge}")
        chosen = SHORT[best_exponential(task, budget)]
        print(f"  ExponentialLR ({chosen}, chosen on validation data), margin ±{task['margin']:g}:")
        for rival in rivals(task):
            row = Row(name, budget, rival)
            print(f"    against {rival:8} {in_words(row, found_all[row])}")


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


def explorer(name: str, budget: str = "long", start: float = 1.0) -> Any:
    """Drag the end ratio: the validation score of each initial rate, and where the best one lies."""
    task = results()[name]
    best = max if task["higher_is_better"] else min
    found = {ratio: task["arms"][arm][budget] for ratio, arm in RATIOS.items() if arm in task["arms"]}
    lrs = sorted({lr for one in found.values() for lr in one["initial_lrs"]})
    rows = {
        ratio: [dict(zip(one["initial_lrs"], one["validation"], strict=True)).get(lr, np.nan) for lr in lrs]
        for ratio, one in found.items()
    }
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
        star.set_data([found[ratio]["initial_lr"]], [best(found[ratio]["validation"])])
        return picture

    def describe(ratio: float) -> str:
        gamma = ratio ** (1 / (task["budgets"][budget] - 1))
        score, lr = best(found[ratio]["validation"]), found[ratio]["initial_lr"]
        return f"end ratio {ratio:g} (gamma {gamma:.4f}): best {score:.3f}, at initial_lr {lr:g}."

    return filmstrip(draw, list(rows), describe, name="end ratio", value=start)


def word(name: str, budget: str, rival: str) -> str:
    """The verdict's word alone, for a prediction to be compared with."""
    return judge()[Row(name, budget, rival)].word


def expect(what: str, value: float, *, at_least: float = -math.inf, at_most: float = math.inf) -> None:
    """Say whether a number is where the lesson expects it; in a cell that was changed it may well not be."""
    limits = [f"at least {at_least:g}"] * (at_least > -math.inf) + [f"at most {at_most:g}"] * (at_most < math.inf)
    if at_least <= value <= at_most:
        print(f"{what}: {' and '.join(limits)}, as expected")
    else:
        print(f"{what}: {value:.4g}, where {' and '.join(limits)} was expected. Was something changed?")


def fits(
    name: str, score: float, *, ratio: float, initial_lr: float, budget: str = "long", least: float = 0.01
) -> bool:
    """Whether a model trained here and now fits the stored scores of its end ratio, at the same initial rate."""
    found = results()[name]["arms"][RATIOS[ratio]][budget]
    return found["initial_lr"] == initial_lr and within_spread(score, found["test"], least=least)


def table() -> str:
    """The table of all areas, in Markdown."""
    head = ["area", "model", "task", "margin", "best constant", "best ExponentialLR", "best cosine"]
    head += ["against constant", "against cosine"]
    lines, found_all = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"], judge()
    for name, task in results().items():
        for budget, count in task["budgets"].items():
            cells = []
            for arm in ("constant", best_exponential(task, budget), "cosine"):
                if arm not in task["arms"]:
                    cells.append("")
                    continue
                found = task["arms"][arm][budget]
                scores = summarise(found["test"])
                ending = f", {SHORT[arm]}" if arm.startswith("exp") else ""
                cells.append(f"{scores.mean:.3f} ± {scores.sd:.3f}{ending}")
            what = f"{name}, {count} {task['unit']}, {len(task['seeds'])} seeds: {task['score']}"
            link = f"[{task['area']}]({task['notebook']}.ipynb)"
            rows = [Row(name, budget, rival) for rival in RIVALS]
            said = [in_words(row, found_all[row]) if row in found_all else "" for row in rows]
            lines.append("| " + " | ".join([link, task["model"], what, f"{task['margin']:g}", *cells, *said]) + " |")
    return "\n".join(lines)


MARKS = {  # each verdict has a colour and a shape of its own
    "better": {"color": plots.BLUE, "marker": ">"},
    "worse": {"color": plots.ORANGE, "marker": "<"},
    "the same": {"color": plots.GREEN, "marker": "s"},
    "cannot tell": {"color": plots.GREY, "marker": "o", "markerfacecolor": "white"},
}
FURTHEST = 60  # margins: an interval that reaches beyond is cut there


def forest() -> plots.Picture:
    """All rows in one picture: each interval in units of its margin, turned so that better lies to the right."""
    found_all = judge()
    labels = list(dict.fromkeys((row.task, row.budget) for row in found_all))
    picture = plots.Picture(11, 0.6 + 0.27 * len(labels))
    axes = dict(zip(RIVALS, picture.subplots(1, 2, sharey=True), strict=True))
    for row, verdict in found_all.items():
        task, at = results()[row.task], labels.index((row.task, row.budget))
        unit = task["margin"] if task["higher_is_better"] else -task["margin"]
        low, middle, high = np.clip(
            sorted(value / unit for value in (verdict.low, verdict.difference, verdict.high)), -FURTHEST, FURTHEST
        )
        style = MARKS[verdict.word]
        axes[row.rival].plot([low, high], [at, at], color=style["color"], linewidth=2)
        axes[row.rival].plot([middle], [at], markersize=7, linestyle="", **style)
    for rival, ax in axes.items():
        ax.axvspan(-1, 1, color=plots.SKY, alpha=0.2, linewidth=0)
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set_xscale("symlog", linthresh=1, linscale=0.6)
        ax.set(title=f"ExponentialLR against {rival}", xlim=(-FURTHEST, FURTHEST), xlabel="margins: worse < 0 < better")
        ax.set_xticks(ticks := [-30, -10, -3, -1, 0, 1, 3, 10, 30], [f"{tick}" for tick in ticks])
        ax.grid(alpha=0.3, axis="x")
    names = [f"{name}, {results()[name]['budgets'][budget]} {results()[name]['unit']}" for name, budget in labels]
    axes[RIVALS[0]].set_yticks(range(len(names)), names, fontsize=8)
    axes[RIVALS[0]].invert_yaxis()
    handles = [picture.axes[0].plot([], [], linestyle="", label=word, **style)[0] for word, style in MARKS.items()]
    picture.legend(handles=handles, loc="outside lower center", ncols=len(MARKS))
    picture.description = forest_words(found_all)
    return picture


def forest_words(found_all: dict[Row, Verdict]) -> str:
    """The forest plot in words: how many verdicts of each kind, and which rows are told apart."""
    counts = ", ".join(f"{word} {sum(v.word == word for v in found_all.values())}" for word in MARKS)
    told = [
        f"{row.task}, {results()[row.task]['budgets'][row.budget]} {results()[row.task]['unit']}: "
        f"{verdict.word} {'as' if verdict.word == 'the same' else 'than'} {row.rival}"
        for row, verdict in found_all.items()
        if verdict.word != "cannot tell"
    ]
    return f"ExponentialLR in {len(found_all)} comparisons: {counts}. " + "; ".join(told) + "."


def write_readme() -> None:
    """Put the picture's words and the table between their marks in README.md, and the picture beside it."""
    results.cache_clear()
    path = HERE / "README.md"
    picture = forest()
    FOREST.parent.mkdir(exist_ok=True)
    picture.savefig(FOREST, dpi=110, metadata={"Software": None, "Description": picture.description})
    text = path.read_text(encoding="utf-8")
    for mark, content in (("picture", f"![{picture.description}](images/{FOREST.name})"), ("table", table())):
        before, rest = text.split(f"<!-- {mark} -->\n", 1)
        text = (
            f"{before}<!-- {mark} -->\n{content}\n<!-- end of {mark} -->" + rest.split(f"<!-- end of {mark} -->", 1)[1]
        )
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for row, verdict in judge().items():
        print(
            f"{row.task + ', ' + row.budget:28} against {row.rival:8}  {in_words(row, verdict)}, {verdict.count} seeds"
        )
