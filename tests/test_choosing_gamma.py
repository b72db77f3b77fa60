"""What lesson 06 says, asked of the lesson's own cells: those that take a second, run in order without a kernel."""

from pathlib import Path

import nbformat
import numpy as np
import pytest

LESSON = Path(__file__).resolve().parent.parent / "lessons" / "06-choosing-gamma.ipynb"
# the cells that these facts need, by id; the long trainings are nbval's part
CELLS = [
    *("5dafe67f", "46f11915", "9f525438", "73a8256f", "6937b111", "13880e6d", "ae3c5472", "9a87f623"),
    *("af2459ce", "bf97dab2", "5bca73ba", "19b41f69", "howhigh2", "256cf9a6", "e9fe3414"),
]


@pytest.fixture(scope="module")
def lesson():
    """The names that the lesson has after each of these cells."""
    cells = {cell.id: cell.source for cell in nbformat.read(LESSON, 4).cells}
    names, seen = {}, {}
    for cell in CELLS:
        exec(compile(cells[cell], cell, "exec"), names)
        seen[cell] = dict(names)
    return seen


def test_the_batched_network_is_torchs_own_loop(lesson):
    names = lesson["13880e6d"]
    assert names["plain"] / names["batched"] == pytest.approx(1, abs=1e-6)


def test_a_run_that_diverges_counts_as_the_answer_0(lesson):
    names = lesson["13880e6d"]
    losses = names["network"]([[5.0] * 5, [0.1] * 5], range(3), names["TEST"])
    nothing = (names["TEST"][1] ** 2).mean().item()
    assert losses[0, :, -1] == pytest.approx(nothing) and losses[1, :, -1].max() < nothing


def test_validation_and_test_points_are_not_the_training_points(lesson):
    names = lesson["73a8256f"]
    x = np.concatenate([names["X"], names["VALIDATION"][0], names["TEST"][0]])
    assert len(set(x.tolist())) == 3 * 64


def test_the_recursion_agrees_with_the_simulation(lesson):
    assert lesson["ae3c5472"]["off"].max() < 5 and lesson["ae3c5472"]["off"].size == 300


def test_the_floor_and_what_is_frozen(lesson):
    names = lesson["9a87f623"]
    assert names["floor"] == pytest.approx(names["settled"], rel=1e-9)
    assert names["left"] == pytest.approx(0.358, abs=1e-3)


def test_what_exponential_decay_costs(lesson):
    names = lesson["5bca73ba"]
    assert 1 < names["decayed"] / names["least"] < 1.3
    both = lesson["19b41f69"]["both"]
    assert both["exponential"] < both["1/t"], "with two curvatures it wins"


def test_without_an_end_1_over_t_goes_on(lesson):
    reached = lesson["af2459ce"]["reached"]
    assert (
        reached["1/t"][-1] < 0.02 * reached["1/t"][999]
        and reached["exponential"][-1] > 0.9 * reached["exponential"][999]
    )


def test_the_prose_tells_how_high_to_start(lesson):
    firsts = [f"{rate:.2g}" for rate in lesson["howhigh2"]["best_firsts"].values()]
    prose = "\n".join(cell.source for cell in nbformat.read(LESSON, 4).cells if cell.cell_type == "markdown")
    assert f"10 / 30 / 100 / 300 epochs | {', '.join(firsts)} |" in prose
    for number in (firsts[0], firsts[1], firsts[3]):
        assert number in prose.split("**First find initial_lr.**")[1].split("**No known end?**")[0]


def test_other_peoples_settings_are_read_to_their_last_epoch(lesson):
    read, configs = lesson["256cf9a6"]["read"], lesson["256cf9a6"]["CONFIGS"]
    assert read(0.1, 0.5, 1, 3, "epochs", True)[1:] == pytest.approx((0.25, 0.175))  # 0.1, 0.05, 0.025
    assert read(0.1, 0.5, 2, 3, "epochs", True)[1:] == pytest.approx((0.5, 0.25))  # 0.1, 0.1, 0.05
    assert read(0.1, 0.25, 2, 3, "epochs", False)[1:] == pytest.approx((0.25, 0.175))  # smooth: 0.1, 0.05, 0.025
    factor = next(config[1] for name, config in configs.items() if name.startswith("DeePMD"))
    assert factor == pytest.approx(0.95, abs=1e-4), "as the file's stop_lr implies"
    assert lesson["e9fe3414"]["reach"] / 30_000 == pytest.approx(0.215, abs=1e-3)
