"""A class of two on a real JupyterHub, with everything going wrong that can."""

import asyncio
import contextlib
import os
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LESSON = ROOT / "lessons/02-formula.ipynb"
sys.path.insert(0, str(ROOT / "tests" / "load"))

import hub  # noqa: E402
import nbformat  # noqa: E402
import processes  # noqa: E402
import rehearse_class  # noqa: E402
from learner import FAULTS, Learner, exercise_at, work_through, write_answer  # noqa: E402


@pytest.fixture(scope="module")
def proxy():
    """What a hub needs here, or the reason why there is none."""
    if sys.platform != "linux":
        pytest.skip("a class is rehearsed on Linux only")
    try:
        hub.proxy_command()
    except Exception as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no proxy for the hub: {error}")


@pytest.fixture(scope="module")
def class_of_two(proxy):
    """Two learners, one in a lesson without torch and one with it, and all three faults."""
    before = set(marked_by_anyone())
    # as long as it takes on a machine that is busy with other things
    learners = rehearse_class.rehearse(2, rehearse_class.LESSONS, faults=True, arrival=0, minutes=15)
    return learners, set(marked_by_anyone()) - before


def marked_by_anyone() -> list[int]:
    """Every process that any rehearsal has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if processes.MARK.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def test_every_learner_finishes_with_the_answer_saved_whatever_happens(class_of_two):
    learners, _ = class_of_two
    assert [learner.failed for learner in learners] == [[], []]
    assert sorted(fault for learner in learners for fault in learner.struck) == sorted(FAULTS)
    assert all(0 < learner.lab < learner.explorer < learner.finished for learner in learners)


def test_the_report_finds_what_each_of_them_believes(class_of_two):
    learners, _ = class_of_two  # what it does not find is among what failed
    assert [learner.belief for learner in learners] == ["off-by-one-epoch", "decay-always-converges"]
    assert not any("the report tells" in failed for learner in learners for failed in learner.failed)


def test_a_belief_that_the_report_does_not_find_is_noticed(tmp_path):
    believes, is_right = Learner("a", "", [], "additive-decay"), Learner("b", "", [])
    rehearse_class.check_report([believes, is_right], tmp_path)
    assert believes.failed == ["the answer showed additive-decay, and the report tells []"] and not is_right.failed


def test_memory_was_measured(class_of_two):
    learners, _ = class_of_two
    light, heavy = (learner.peak_mb for learner in learners)
    assert 100 < light < 500 < light + 400 and light < heavy < 1000


def test_nothing_is_left_running(class_of_two):
    _, left = class_of_two
    assert not left


def test_an_answer_that_is_lost_across_a_restart_is_noticed(monkeypatch):
    """A server that begins with a fresh copy of the lessons, as Binder's do."""
    learner = Learner("learner-01", "02-formula.ipynb", ["server restarted"])
    page = types.SimpleNamespace(learner=learner, notebook=nbformat.read(LESSON, as_version=4))

    async def nothing(*_):
        pass

    async def forget(_fault, page, _source):
        page.notebook = nbformat.read(LESSON, as_version=4)

    for name, instead in {"save": nothing, "run": nothing, "suffer": forget, "explorers": lambda *_: []}.items():
        monkeypatch.setattr(f"learner.{name}", instead)
    with pytest.raises(AssertionError, match="the answer is lost: server restarted"):
        asyncio.run(work_through(page))


def break_cells(notebook):
    del notebook.cells[-1]


def mix_up_learners(notebook):
    for cell in notebook.cells:
        cell.source = cell.source.replace("learner-01", "learner-02")


def forget_a_run(notebook):
    next(cell for cell in notebook.cells if cell.cell_type == "code").execution_count = None


def lose_an_output(notebook):
    next(cell for cell in notebook.cells if cell.get("outputs")).outputs = []


def change_something_else(notebook):
    notebook.cells[0].source += "?"


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (None, None),
        (break_cells, "cells are missing"),
        (mix_up_learners, "should be the only change"),
        (forget_a_run, "was not run"),
        (lose_an_output, "outputs are missing"),
        (change_something_else, "should be the only change"),
    ],
)
def test_a_damaged_notebook_is_noticed(tmp_path, damage, says):
    learner = Learner("learner-01", "02-formula.ipynb", [])
    saved = nbformat.read(ROOT / "lessons" / learner.lesson, as_version=4)
    cells = [cell for cell in saved.cells if cell.cell_type == "code"]
    write_answer(cells[exercise_at(cells)], learner)
    if damage:
        damage(saved)
    (tmp_path / learner.name).mkdir()
    nbformat.write(saved, tmp_path / learner.name / learner.lesson)
    wrong = rehearse_class.check_saved(learner, tmp_path)
    assert says in wrong[0] if says else not wrong


def test_a_cut_off_notebook_and_a_fault_that_did_not_happen_are_noticed(tmp_path):
    learner = Learner("learner-01", "02-formula.ipynb", ["kernel killed"])
    (tmp_path / learner.name).mkdir()
    whole = (ROOT / "lessons" / learner.lesson).read_text(encoding="utf-8")
    (tmp_path / learner.name / learner.lesson).write_text(whole, encoding="utf-8")
    assert "the fault did not happen: kernel killed" in rehearse_class.check_saved(learner, tmp_path)
    (tmp_path / learner.name / learner.lesson).write_text(whole[:-500], encoding="utf-8")
    assert "broken" in rehearse_class.check_saved(learner, tmp_path)[0]


def test_in_a_class_every_lesson_meets_every_fault(tmp_path):
    learners = rehearse_class.enrol(30, rehearse_class.LESSONS, True, tmp_path)
    met = {(learner.lesson, *learner.faults) for learner in learners}
    assert len(met) == len(rehearse_class.LESSONS) * len(FAULTS)


def test_a_class_too_large_for_the_machine_is_not_started():
    with pytest.raises(ValueError, match="between 1 and"):
        rehearse_class.rehearse(10_000, rehearse_class.LESSONS, faults=False, arrival=0, minutes=1)
