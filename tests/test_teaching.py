"""What TEACHING.md promises a teacher is what the class will see."""

import functools
import itertools
import re
from pathlib import Path

import nbformat
import pytest
from test_exercises import ASKED_IN

import lrlearn
from lrlearn import exercises
from lrlearn.schedules import exponential_lr, half_life

LESSONS = Path(__file__).resolve().parent.parent / "lessons"
TEXT = (LESSONS / "TEACHING.md").read_text(encoding="utf-8")
CELLS = nbformat.read(LESSONS / "classroom-demo.ipynb", as_version=4).cells
# "NameExplorer(...)" without what makes it large
EXPLORERS = [cell.source.split(".add_class")[0] for cell in CELLS if ".add_class" in cell.source]


def rows(heading: str) -> list[list[str]]:
    """The cells of the table that follows a line of the text, without its head."""
    lines = TEXT.split(heading, 1)[1].strip().splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("|--"))
    table = lines[first + 1 :]
    end = next((at for at, line in enumerate(table) if not line.startswith("|")), len(table))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[:end]]


@functools.cache
def explorer(question: int) -> lrlearn.filmstrip:
    names = {name: getattr(lrlearn, name) for name in lrlearn.__all__}
    exec(next(cell.source for cell in CELLS if cell.cell_type == "code"), names)  # what the demo prepares
    return eval(EXPLORERS[question - 1], names)


SEEN = rows("## What the class will see")


def test_every_question_is_in_the_table():
    assert {int(question) for question, _, _ in SEEN} == set(range(1, len(EXPLORERS) + 1))


@pytest.mark.parametrize("question, value, says", SEEN, ids=lambda cell: cell[:12])
def test_the_text_under_the_picture_says_so(question, value, says):
    shown = explorer(int(question))
    wanted = min(shown.values, key=lambda other: abs(other - float(value)))
    assert wanted == pytest.approx(float(value)), "the slider has no such position"
    shown.slider.value = wanted
    assert says in shown.description


@pytest.mark.parametrize("said, _belief, name", rows("Question 2, the rate of epoch 3:"))
def test_a_wrong_answer_has_the_name_that_the_exercise_gives_it(said, _belief, name):
    asked = exercises.Comparison(exponential_lr, exercises.WRONG_RATES, inputs=[(0.1, 0.9, 3)], given=True)
    judged = asked(float(said))
    assert not judged.correct and f"`{judged.misconception}`" == name


def test_numbers_in_the_prose():
    assert "the half-life is\n  13.51 epochs" in TEXT and f"{half_life(0.95):.2f}" == "13.51"
    walk = lrlearn.DescentExplorer(drag="gamma", initial_lr=0.25, gamma=0.99)
    assert "will 0.99 do? It diverges as well" in TEXT and "diverged" in walk.description


def test_most_comparisons_of_the_applications_are_ties():
    table = (LESSONS / "applications" / "README.md").read_text(encoding="utf-8")
    against_constant = [line.split("|")[-3].strip() for line in table.splitlines() if line.startswith("| [")]
    assert len(against_constant) > 15 and against_constant.count("tie") > 0.7 * len(against_constant)


def test_what_it_names_exists():
    for link in re.findall(r"\]\(([^)]+)\)", TEXT):
        assert link.startswith("https://") or (LESSONS / link).exists(), link
    for slug in re.findall(r"\(`([a-z-]+)`\)|\| `([a-z-]+)` \|", TEXT):
        assert "".join(slug) in exercises.HINTS
    homework = re.sub(r"\n  +", " ", TEXT.split("## Homework")[1])
    for lesson, rest in re.findall(r"\]\(([\w-]+)\.ipynb\)([^\[\n]*)", homework):
        named = re.findall(r"`([a-z-]+)`", rest)
        assert named and set(named) <= set(ASKED_IN[lesson]), lesson


def test_the_minutes_add_up():
    for heading, length in (("## Fifty minutes", 50), ("## Fifteen minutes", 15)):
        spans = [[int(minute) for minute in cells[0].split("–")] for cells in rows(heading)]
        assert spans[0][0] == 0 and spans[-1][1] == length
        assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))
