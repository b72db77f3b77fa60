"""Lesson 05: its fault bench is small enough to send, tells its faults apart, and what it expects of torch can fail."""

import linecache
import re
from pathlib import Path

import nbformat
import pytest
import torch

from lrlearn.faults import expect

LESSON = Path(__file__).resolve().parent.parent / "lessons" / "05-in-pytorch.ipynb"
# the mistakes known from public threads, and where the lesson shows each
IN_THE_BENCH = {
    "never-stepped": "never stepped",
    "per-batch-step": "stepped per batch",
    "scheduler-before-optimizer": "scheduler before optimizer",
    "double-step": "stepped twice",
    "two schedulers": "two schedulers",
    "get-lr-as-current": "logged get_lr()",
    "logged-after-step": "logged after step()",
    "scheduler-state-not-saved": "scheduler not restored",
    "the same where it shows": "the same with LambdaLR",
    "optimizer-state-not-restored": "optimizer not restored",
    "last-epoch-is-the-end": "last_epoch alone",
    "new-gamma-on-resume": "new gamma lost",
    "plotting-consumes-it": "plotted first",
    "step-takes-the-loss": "step(val_loss)",
    "manual-edit-lasts": "edited by hand",
    "recreated-optimizer": "optimizer recreated",
    "tensor-lr-alias": "tensor in the log",
}
YES_OR_NO = {
    "off-by-one-epoch": "fourth epoch",
    "additive-decay": "the same 0.01 away",
    "gamma-is-the-reduction": "90 % of the rate is kept",
    "exp-minus-gamma": "called exponential because",
    "one-multiplication": "one product enough",
    "gamma-to-the-initial-lr": "power cover everything",
    "fence-post": "first of 30 epochs",
    "gamma-is-weight-decay": "weight decay two names",
    "adam-ignores-it": "Adam adapts its own rates",
    "decay-always-converges": "stop short of the minimum, however long you wait",
    "gamma-above-one": "accept gamma above 1",
    "rounded-to-zero": "four decimals precise enough",
    "last-epoch-is-the-end": "epoch at which the schedule ends",
}
CHANGED = "Not what this lesson says of torch: "


def run_cells(cells, names):
    """Run code cells so that inspect finds their source, as it does in a notebook."""
    for cell in cells:
        name = f"<lesson 05, cell {cell.id}>"
        linecache.cache[name] = (len(cell.source), None, cell.source.splitlines(keepends=True), name)
        exec(compile(cell.source, name, "exec"), names)
    return names


def code_cells():
    return [cell for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def lesson():
    cells = code_cells()
    opened = next(at for at, cell in enumerate(cells) if "bench = fault_bench(" in cell.source)
    names = run_cells(cells[: opened + 1], {"__name__": "lesson"})
    names["bench"].refresh()  # a cell's end would draw the whole strip
    return names, [cell for cell in cells[opened + 1 :] if "expect(" in cell.source and "cases[" in cell.source]


def test_every_known_mistake_has_its_place(lesson):
    names, _ = lesson
    assert set(IN_THE_BENCH.values()) == set(names["FAULTS"])
    prose = "\n".join(cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "markdown")
    questions = [asked.split("\n\n")[0] for asked in prose.split("**Predict, yes or no:**")[1:]]
    for slug, words in YES_OR_NO.items():
        assert sum(words in question for question in questions) == 1, slug


def test_a_public_thread_is_named_for_each_fault_or_said_not_to_have_been_found(lesson):
    (listed,) = (cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.id == "05threads")
    rows = [[part.strip() for part in line.split("|")[1:3]] for line in listed.splitlines() if line.startswith("| ")]
    threads = dict(rows[1:])  # without the head
    assert list(threads) == list(lesson[0]["FAULTS"])
    thread = r"\[([\w./-]+)#(\d+)\]\(https://github\.com/\1/(?:issues|pull)/\2\)"
    found = [name for name, link in threads.items() if re.fullmatch(thread, link)]
    assert len(found) == 16 and threads["plotted first"] == "none found"
    assert len({threads[name] for name in found}) == 16


def test_the_strip_is_small_and_complete(lesson):
    bench, faults = lesson[0]["bench"], lesson[0]["FAULTS"]
    strip = bench._film.strip
    assert len(strip["pictures"]) == len(faults) * lesson[0]["NUM_EPOCHS"] == len(set(strip["descriptions"]))
    assert sum(map(len, strip["pictures"])) <= 4e6
    assert not bench.controls, "another fault must not need the kernel"


def test_every_fault_says_how_to_notice_and_how_to_fix_it(lesson):
    for name, (fault, _) in lesson[0]["FAULTS"].items():
        assert fault.__doc__.startswith("Notice: ") and " Fix: " in fault.__doc__, name


def test_every_case_shows_a_line_that_differs_and_fits_the_picture(lesson):
    for name, case in lesson[0]["cases"].items():
        marks = {line[:1] for line in case["lines"]}
        assert marks & {"-", "+"}, name
        assert len(case["lines"]) <= 8 and max(map(len, case["lines"])) <= 76, name


def test_the_pictures_of_a_fault_differ_from_epoch_to_epoch(lesson):
    strip, num_epochs = lesson[0]["bench"]._film.strip, lesson[0]["NUM_EPOCHS"]
    for row in range(len(lesson[0]["FAULTS"])):
        assert len(set(strip["pictures"][row * num_epochs : (row + 1) * num_epochs])) == num_epochs


@pytest.mark.parametrize("name", IN_THE_BENCH.values())
def test_the_lesson_says_so_if_a_fault_were_none(lesson, name, capsys):
    names, checks = lesson
    assert len(checks) == 2
    right = {**names["cases"][name], "broken": names["cases"][name]["right"]}
    run_cells(checks, {**names})
    assert CHANGED not in capsys.readouterr().out
    run_cells(checks, {**names, "cases": {**names["cases"], name: right}})
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith(CHANGED)]
    assert said and all(line.startswith(f"{CHANGED}{name}") for line in said)


@pytest.mark.parametrize(
    ("expected", "came"),
    [(0.1, 0.1000001), ([1, 2], [1]), ([0.1], 0.1), ("a", "b"), (True, False), ([[1], [2]], [[1], [3]]), (1, None)],
)
def test_what_differs_is_told_in_words_and_raises_nothing(expected, came, capsys):
    expect("a thing", expected, expected)
    assert capsys.readouterr().out == ""
    expect("a thing", expected, came)
    words = capsys.readouterr().out
    assert words.startswith(f"{CHANGED}a thing. Expected {expected!r}, came {came!r}. If you changed a number")
    assert f"torch {torch.__version__} behaves differently" in words


def test_rounding_is_no_difference(capsys):
    expect("a thing", [0.1 * 0.9 * 0.9, 0.5], [0.081, 0.5])
    expect("a thing", 0.1, 0.1000001, within=1e-5)
    assert capsys.readouterr().out == ""
