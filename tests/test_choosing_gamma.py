"""What lesson 06 says, asked of the lesson's own cells: those that take a second, run in order without a kernel."""

from pathlib import Path

import nbformat
import numpy as np
import pytest

LESSON = Path(__file__).resolve().parent.parent / "lessons" / "06-choosing-gamma.ipynb"
# the cells that these facts need, by id; the long trainings are nbval's part
CELLS = [
    *("5dafe67f", "46f11915", "9f525438", "72bfab34", "73a8256f", "6937b111", "13880e6d", "8cc987c2"),
    *("1ca7e244", "pilots01", "ae3c5472", "9a87f623"),
    *("af2459ce", "bf97dab2", "5bca73ba", "19b41f69", "howhigh2", "256cf9a6", "e9fe3414"),
]


PROSE = "\n".join(cell.source for cell in nbformat.read(LESSON, 4).cells if cell.cell_type == "markdown")


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


def test_the_prose_tells_from_which_ratio_of_curvatures_on_1_over_t_is_behind(lesson):
    times = lesson["19b41f69"]["times"]
    assert [flatter for flatter, ratio in times.items() if ratio > 1] == [10, 33, 100, 333]
    above, below = 100 * times[33] - 100, 100 - 100 * times[3]
    assert f"1/t ends {above:.0f} % higher than exponential; with 3 times, {below:.0f} % lower" in PROSE


def test_without_an_end_1_over_t_goes_on(lesson):
    reached = lesson["af2459ce"]["reached"]
    assert (
        reached["1/t"][-1] < 0.02 * reached["1/t"][999]
        and reached["exponential"][-1] > 0.9 * reached["exponential"][999]
    )


def test_the_prose_tells_how_high_to_start(lesson):
    firsts = [f"{rate:.2g}" for rate in lesson["howhigh2"]["best_firsts"].values()]
    assert f"10 / 30 / 100 / 300 epochs | {', '.join(firsts)} |" in PROSE
    for number in (firsts[0], firsts[1], firsts[3]):
        assert number in PROSE.split("**First find initial_lr.**")[1].split("**No known end?**")[0]


def test_the_prose_tells_where_to_end_from_the_best_first_rate(lesson):
    names = lesson["howhigh2"]
    ratios = [f"1/{1 / end:.0f}" for end in names["best_ends"].values()]
    assert f"its best end ratio there | {', '.join(ratios)} |" in PROSE
    (hundredth, constant), *later = names["price"].values()
    most = max(factor for factor, _ in later)
    assert f"1/100 costs a factor of {hundredth:.2f} at 10 epochs, and at most {most:.2f} after that" in PROSE
    assert f"the best constant rate ends {constant:.0f} times as high" in PROSE, "with 10 epochs decay pays"


def test_a_longer_pilot_tells_a_longer_distance_and_the_prose_what_becomes_of_it(lesson):
    names = lesson["pilots01"]
    distances = list(names["arrived"].values())
    assert distances == sorted(distances) and distances[-1] > 2 * distances[0]
    scores = names["scores"]
    short, middle, long = (f"x{ratio:.3g}" for ratio, _, _ in scores.values())
    assert f"100 epochs | {short}, {middle} or {long} after a pilot of 60, 100 or 300 epochs |" in PROSE
    assert [sign for _, _, sign in scores.values()] == ["=", ">", ">"]


def test_other_peoples_settings_are_read_to_their_last_epoch(lesson):
    read, configs = lesson["256cf9a6"]["read"], lesson["256cf9a6"]["CONFIGS"]
    assert read(0.1, 0.5, 1, 3, "epochs", True)[1:] == pytest.approx((0.25, 0.175))  # 0.1, 0.05, 0.025
    assert read(0.1, 0.5, 2, 3, "epochs", True)[1:] == pytest.approx((0.5, 0.25))  # 0.1, 0.1, 0.05
    assert read(0.1, 0.25, 2, 3, "epochs", False)[1:] == pytest.approx((0.25, 0.175))  # smooth: 0.1, 0.05, 0.025
    factor = next(config[1] for name, config in configs.items() if name.startswith("DeePMD"))
    assert factor == pytest.approx(0.95, abs=1e-4), "as the file's stop_lr implies"
    assert lesson["e9fe3414"]["reach"] / 30_000 == pytest.approx(0.215, abs=1e-3)
