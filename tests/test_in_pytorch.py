"""Lesson 05: its fault bench is small enough to send, tells its faults apart, and its assertions can fail."""

import linecache
from pathlib import Path

import nbformat
import pytest

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
TRUE_OR_FALSE = {
    "off-by-one-epoch": "fourth epoch",
    "additive-decay": "the same 0.01 away",
    "gamma-is-the-reduction": "90 % is taken away",
    "exp-minus-gamma": "called exponential because",
    "one-multiplication": "One product is enough",
    "gamma-to-the-initial-lr": "power covers everything",
    "fence-post": "in 30 epochs, gamma is",
    "gamma-is-weight-decay": "weight decay are two names",
    "adam-ignores-it": "Adam adapts its own rates",
    "decay-always-converges": "gets to the minimum if you only wait",
    "gamma-above-one": "rejects gamma above 1",
    "rounded-to-zero": "four decimals is precise enough",
    "last-epoch-is-the-end": "epoch at which the schedule ends",
}


def run_cells(cells, names):
    """Run code cells so that inspect finds their source, as it does in a notebook."""
    for number, cell in enumerate(cells):
        name = f"<lesson 05, cell {number} of {len(cells)}>"
        linecache.cache[name] = (len(cell.source), None, cell.source.splitlines(keepends=True), name)
        exec(compile(cell.source, name, "exec"), names)
    return names


@pytest.fixture(scope="module")
def lesson():
    cells = [cell for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]
    opened = next(at for at, cell in enumerate(cells) if "bench = fault_bench(" in cell.source)
    names = run_cells(cells[: opened + 1], {"__name__": "lesson"})
    names["bench"].refresh()  # a cell's end would draw the whole strip
    asserted = [cell for cell in cells[opened + 1 :] if 'cases["' in cell.source or "cases[name]" in cell.source]
    checks = [cell for cell in cells[opened + 1 :] if "expected = {" in cell.source and "cases" in cell.source]
    return names, [cell for cell in asserted if cell not in checks] + checks


def test_every_known_mistake_has_its_place(lesson):
    names, _ = lesson
    assert set(IN_THE_BENCH.values()) == set(names["FAULTS"])
    prose = "\n".join(cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "markdown")
    for slug, words in TRUE_OR_FALSE.items():
        (statement,) = [line for line in prose.split("**True or false?**")[1:] if words in line.split("\n\n")[0]]
        assert statement, slug


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
def test_the_lesson_turns_red_if_a_fault_were_none(lesson, name):
    names, checks = lesson
    right = {**names["cases"][name], "broken": names["cases"][name]["right"]}
    changed = {**names, "cases": {**names["cases"], name: right}}
    run_cells(checks, {**names})
    with pytest.raises(AssertionError):
        run_cells(checks, changed)
