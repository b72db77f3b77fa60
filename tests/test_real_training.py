"""Lesson 07: what it states holds, the numbers in its prose are those of its cells, and its bench shows its faults."""

import math
from pathlib import Path
from unittest import mock

import nbformat
import numpy as np
import pytest
from test_in_pytorch import run_cells

from lrlearn.faults import NUM_EPOCHS, differing_lines, new_training, record, train

LESSON = Path(__file__).resolve().parent.parent / "lessons" / "07-real-training.ipynb"
CELLS = nbformat.read(LESSON, as_version=4).cells
PROSE = "\n".join(cell.source for cell in CELLS if cell.cell_type == "markdown")


LEFT = math.prod(1 - 0.1 * 0.1 * 0.9**step for step in range(100))  # of a weight, by weight decay alone
# what the lesson tells, each by its name
EXPECTED = {
    "weights alone, first rate": 0.05,
    "optimizer too, first rate": 0.1 * 0.9**40,
    "lr set: ExponentialLR starts at": 0.02,
    "lr set: its base_lrs": 0.1,
    "lr set: LambdaLR starts at": 0.1,
    "lr and initial_lr set: ExponentialLR starts at": 0.02,
    "lr and initial_lr set: its base_lrs": 0.02,
    "lr and initial_lr set: LambdaLR starts at": 0.02,
    "VITS, last_epoch=4, today: rate": 0.1 * 0.9**5,
    "VITS, last_epoch=4, the old rule: rate": 0.1 * 0.9**6,
    "VITS: the scheduler counts": 5,
    "HiFi-GAN, last_epoch=5, today: rate": 0.1 * 0.9**5,
    "HiFi-GAN, last_epoch=5, the old rule: rate": 0.1 * 0.9**6,
    "HiFi-GAN: the scheduler counts": 6,
    "first rate after the resume": 0.1 * 0.9**5,
    "first rate, stepped to catch up": 0.1 * 0.9**10,
    "guarded: steps of the optimizer": 70,
    "guarded: steps of the scheduler": 70,
    "guarded: torch says": "nothing",
    "unguarded: steps of the optimizer": 70,
    "unguarded: steps of the scheduler": 80,
    "unguarded: torch says": "UserWarning",
    "first rate really used, guarded": 0.1,
    "first rate really used, unguarded": 0.1 * 0.9 ** (9 / 8),
    "AdamW, default scale: moved, decayed, torch says": (6, 8, "UserWarning"),
    "AdamW, fused: moved, decayed, torch says": (6, 8, "nothing"),
    "stepped with the optimizer": 0.9,
    "stepped in every micro-batch": 0.9**4,
    "stepped once: factor of an epoch": 0.9,
    "stepped once a process: factor of an epoch": 0.9**4,
    "SGD, gradient 1.0": 1.0,
    "SGD, gradient 0.01": 0.01,
    "with momentum, gradient 1.0": 1 / 0.19,
    "with momentum, gradient 0.01": 0.01 / 0.19,
    "Adam, gradient 1.0": 1.0,
    "Adam, gradient 0.01": 1.0,
    "momentum as a running sum of steps": 10.0,
    "SGD, rate 1.9": "arrives",
    "SGD, rate 2.1": "diverges",
    "with momentum, rate 3.7": "arrives",
    "with momentum, rate 3.9": "diverges",
    "Adam, rate 1.9": "arrives",
    "Adam, rate 100.0": "arrives",
    "Adam, rate 100.0, farthest from the minimum": 99.0,
    "no momentum: the loss falls in each epoch": True,
    "multiplied: the loss falls in each epoch": True,
    "left: the loss falls in each epoch": False,
    "constant rate": 0.99**100,
    "decaying rate": LEFT,
    "decaying rate, SGD": LEFT,
    "decaying rate, weight_decay divided by gamma": 0.99**100,
    "float": (2, 10),
    "tensor": (1, 1),
    "AdamW, foreach, tensor: torch says": "ValueError",
    "with capturable=True, compiled": 1,
    "the average from the start is more than ten times worse": True,
    "scaled rates end within a factor of four of the first row": True,
    "twice the rate diverges with the smallest batch, and with the largest": [False, True],
    "factor of an epoch, new gamma for a step": 0.9,
    "factor of an epoch, old gamma for a step": 0.9 ** (2 / 8),
    "its first": 0.1,
    "one epoch later": 0.09,
    "one epoch later, if it was given today's rate": 0.1 * 0.9**6,
    "rates that get_last_lr() gives": 2,
    "rates in base_lrs": 1,
    "the new group has an initial_lr": False,
    "unknown to LambdaLR, torch says": "ValueError",
    "told of it, one epoch later": 0.1 * 0.9**6,
    "silent": 8,
}
# and what it computes in two ways
PAIRS = {f"{name}, by torch": f"{name}, by hand" for name in ("last weights", "EMA", "second half")}
PAIRS["the loss of one run"] = "the same by lrlearn.regression.train"


@pytest.fixture(scope="module")
def told():
    """What the lesson tells, once it has run: name -> what came."""
    return {}


@pytest.fixture(scope="module")
def lesson(told):
    with mock.patch("lrlearn.faults.tell", told.__setitem__):
        names = run_cells([cell for cell in CELLS if cell.cell_type == "code"], {"__name__": "lesson"})
    names["bench"].refresh()  # a cell's end would draw the whole strip
    return names


def agree(expected, came):
    return math.isclose(expected, came, rel_tol=1e-6) if isinstance(expected, float) else expected == came


def test_everything_told_is_as_it_should_be(lesson, told):
    expected = EXPECTED | {one: told[other] for one, other in PAIRS.items()}
    assert told.keys() == expected.keys() | PAIRS.values()
    assert {what: told[what] for what in expected if not agree(expected[what], told[what])} == {}


def test_what_is_told_wrongly_would_be_found():
    assert not agree(0.1, 0.1001) and not agree((2, 10), (2, 9)) and not agree("nothing", "UserWarning")
    assert agree(0.1, 0.1 + 1e-12)


def test_the_prose_tells_the_gains_that_were_measured(lesson):
    times, ranges = zip(
        *((f"{gain:.0f}", f"({low:.0f} to {high:.0f})") for gain, low, high in lesson["gains"].values()), strict=True
    )
    told = f"With SGD {times[0]} {ranges[0]}, with momentum {times[1]} {ranges[1]}."
    assert f"With Adam {times[2]} times {ranges[2]}, so more than fifty. {told}" in PROSE
    assert lesson["gains"]["Adam"][1] > 50
    told = f"{times[1]} with momentum {ranges[1]}, {times[2]} with Adam {ranges[2]}"
    assert f"{times[0]} times lower with SGD {ranges[0]}, {told}" in PROSE


def test_the_interval_of_a_ratio_holds_it_and_shrinks_with_more_seeds(lesson):
    draws = np.random.default_rng(1)
    above, below = draws.exponential(3, 400), draws.exponential(1, 400)
    (low, high), (wide_low, wide_high) = (lesson["interval"](above[:n], below[:n]) for n in (400, 40))
    assert low < above.mean() / below.mean() < high and high - low < wide_high - wide_low


def test_no_best_setting_lies_at_the_end_of_its_grid(lesson):
    """What is best at the end of what was tried may have a better one beyond it."""
    for name in lesson["KINDS"]:
        first, *_, last = lesson["FIRST"][name]
        for gammas in lesson["GAMMAS"].values():
            lr, gamma, _ = lesson["tuned"](name, gammas)
            assert first < lr < last
            assert len(gammas) == 1 or min(gammas) < gamma < max(gammas)


def test_the_prose_tells_what_averaging_did(lesson):
    (bowl, bowl_words), (line, line_words) = lesson["bowl"], lesson["line"]
    tail, ema, free, alone = "constant, second half", "constant, EMA", "schedule-free, beta", "decay, last weights"
    on_bowl, on_line = (next(name for name in part if name.startswith(free)) for part in (bowl, line))
    told = f"brings {bowl[tail]:.0%} of decay's gain, the EMA {bowl[ema]:.0%}".replace("%", " %")
    assert told in PROSE and f"\n{bowl[on_bowl] * 100:.0f} %, more than decay" in PROSE
    told = f"bring {line[tail]:.0%}, {line[ema]:.0%} and (with `beta` 0.5) {line[on_line]:.0%}".replace("%", " %")
    assert told in PROSE
    assert (on_bowl, on_line) == (f"{free} 0", f"{free} 0.5")
    assert f"| {bowl[tail]:.0%} of decay's gain on the bowl, {line[tail]:.0%} on".replace("%", " %") in PROSE
    assert bowl_words[on_bowl] == "better"
    for words in (bowl_words, line_words):
        assert words["decay, EMA"] == words["decay, second half"] == "worse"
        assert words["decay, ends of two epochs"] == "the same"
    assert (bowl_words["decay, last fifth"], line_words["decay, last fifth"]) == ("the same", "worse")
    losses = lesson["contest"](lesson["Line"], range(200), range(1000, 1400))
    times = [losses[name].mean() / losses[alone].mean() for name in (tail, ema, on_line)]
    assert f"is {times[0]:.1f}, {times[1]:.0f} and {times[2]:.1f} times that of decay" in PROSE


def test_larger_batches_end_lower_for_their_longer_steps_and_not_for_want_of_noise(lesson):
    scaled = {pair: loss for pair, loss in lesson["ends"].items() if pair != (32, 0.1) and pair != (64, 0.1)}
    for (size, lr), loss in scaled.items():
        assert math.isclose(lesson["without_noise"](size, lr), loss, rel_tol=0.1)
    assert list(scaled.values()) == sorted(scaled.values(), reverse=True)


def test_the_strip_is_small_and_complete(lesson):
    strip = lesson["bench"]._film.strip
    assert len(strip["pictures"]) == len(lesson["FAULTS"]) * NUM_EPOCHS == len(set(strip["descriptions"]))
    assert sum(map(len, strip["pictures"])) <= 4e6
    assert not lesson["bench"].controls, "another fault must not need the kernel"
    for row in range(len(lesson["FAULTS"])):
        assert len(set(strip["pictures"][row * NUM_EPOCHS : (row + 1) * NUM_EPOCHS])) == NUM_EPOCHS


def test_every_fault_is_one_says_how_to_notice_it_and_fits_the_picture(lesson):
    for name, case in lesson["cases"].items():
        assert case["broken"] != case["right"], name
        assert case["note"].startswith("Notice: ") and " Fix: " in case["note"], name
        assert {line[:1] for line in case["lines"]} & {"-", "+"}, name
        assert len(case["lines"]) <= 8 and max(map(len, case["lines"])) <= 76, name
        assert case["right"].says == "nothing", name


# ---- the recorder


def test_an_epoch_without_a_step_has_no_rate():
    def idle(run):
        model, _, scheduler = new_training()
        for epoch in range(2):
            for _ in run.batches(epoch):
                pass
            run.log(0.1, model, scheduler)

    run = record(idle)
    assert run.used == [] and run.rate_in(0) is None and run.logged == [0.1, 0.1]


@pytest.mark.parametrize("size", [8, 16, 64])
def test_an_epoch_may_have_any_number_of_steps(size):
    def loop(run):
        model, optimizer, scheduler = new_training(gamma=0.5)
        for epoch in range(3):
            for _ in run.batches(epoch, size):
                optimizer.step()
            run.log(scheduler.get_last_lr()[0], model, scheduler)
            scheduler.step()

    run = record(loop)
    assert len(run.used) == 3 * 64 // size and [run.rate_in(epoch) for epoch in range(3)] == [0.1, 0.05, 0.025]


def test_an_error_ends_the_loop_and_is_told():
    def broken(run):
        train(run, *new_training(), epochs=range(2))
        raise RuntimeError

    run = record(broken)
    assert run.says == "RuntimeError: " and len(run.excess) == 2


def test_the_lines_that_differ_leave_the_notes_out():
    def right(run):
        run.log(1, 2, 3)

    def broken(run):
        """Notice: nothing. Fix: nothing."""
        run.log(1, 2, 4)

    lines = [line.replace(" ", "") for line in differing_lines(broken, right)]
    assert lines == ["-run.log(1,2,3)", "+run.log(1,2,4)"]
