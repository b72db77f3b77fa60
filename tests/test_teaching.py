"""What TEACHING.md promises a teacher is what the class will see."""

import functools
import itertools
import math
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest
from test_exercises import asked

import lrlearn
from lrlearn import exercises
from lrlearn.misconceptions import IN_CLASS
from lrlearn.regression import sweep
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


def test_the_first_row_of_a_question_is_where_its_slider_starts():
    for question, of_it in itertools.groupby(SEEN, key=lambda row: row[0]):
        assert float(next(of_it)[1]) == explorer.__wrapped__(int(question)).value


def test_the_lesson_that_a_question_comes_from_has_its_explorer():
    places = re.search(r"Question 1 comes from .*?\n\n", TEXT, flags=re.DOTALL)[0]
    lessons = re.findall(r"\]\(([\w-]+\.ipynb)\)", places)
    for source, lesson in zip(EXPLORERS, [*lessons, lessons[-1]], strict=True):
        assert source.split("(")[0] + "(" in (LESSONS / lesson).read_text(encoding="utf-8"), lesson


def told(question: int, pattern: str) -> dict[float, float]:
    """A number in the words of every position of a question's slider; inf where it is missing."""
    shown = explorer(question)
    found = [re.search(pattern, words) for words in shown._strip()["descriptions"]]
    return {
        value: float(number[1]) if number else float("inf") for value, number in zip(shown.values, found, strict=True)
    }


@pytest.fixture(params=range(1, len(EXPLORERS) + 1))
def question(request):
    return request.param


def test_the_answer_in_the_demo_is_the_one_that_the_slider_gives(question):
    answer = [cell.source for cell in CELLS if cell.source.startswith("<details>")][question - 1]
    number = r"(\d[\d.]*(?:e-?\+?\d+)?\d|\d)"
    if question == 1:
        halves = told(1, f"half-life {number}")
        best = min(halves, key=lambda gamma: abs(halves[gamma] - 10))
        assert f"<strong>{best}</strong> has a half-life of {halves[best]} epochs (0.94: {halves[0.94]:.2f})" in answer
    if question == 2:
        assert f"<strong>{told(2, f' = {number}.$')[3]}.</strong>" in answer
    if question == 3:
        ends = told(3, f"has gone from 19.2 to {number}")
        best = min(ends, key=ends.get)
        assert best == max(gamma for gamma in ends if ends[gamma] < 19.2)
        assert f"<strong>{best}</strong>" in answer and f"ends at {ends[best]:.7f}" in answer
        assert f"from {max(gamma for gamma in ends if 1 < ends[gamma] < 19.2)} down" in answer
    if question == 4:
        ends = told(4, f"over 32 seeds is {number}")
        best, second = sorted(ends, key=ends.get)[:2]
        assert (
            f"<strong>{best}</strong>: the excess loss ends at {ends[best]:.7f}" in answer and f"{second} is" in answer
        )
        assert f"({ends[0.6]} at gamma 0.6)" in answer and f"({ends[1]} at gamma 1)" in answer
    if question == 5:
        stars = told(5, f"at initial_lr {number}")
        assert all(right <= left for left, right in itertools.pairwise(stars.values())), (
            "never to the left, as gamma falls"
        )
        assert f"from {stars[1]:.2g} at gamma 1 to {stars[0.9]:.1g} at 0.9 and {stars[0.7]:.1g} at 0.7" in answer


def test_numbers_in_the_prose():
    assert "the half-life is\n  13.51 epochs" in TEXT and f"{half_life(0.95):.2f}" == "13.51"
    walk = lrlearn.DescentExplorer(drag="gamma", initial_lr=0.25, gamma=0.99)
    assert "will 0.99 do? It diverges as well" in TEXT and "diverged" in walk.description
    slow = sweep([0.02], [step / 100 for step in range(50, 101)], range(32)).excess[0, ..., -1].mean(-1)
    assert "`initial_lr` to 0.02 and ask again: the best gamma is now 1." in TEXT and slow.argmin() == len(slow) - 1


def test_decay_beats_a_constant_rate_in_the_tasks_that_are_named_and_changes_nothing_on_the_digits():
    assert "in some tasks (speech, writing, the pole) and makes no difference that matters in others" in TEXT
    table = (LESSONS / "applications" / "README.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")] for line in table.splitlines() if line.startswith("| [")]

    def words(task: str, column: int) -> set[str]:
        return {cells[column].split(",")[0] for cells in rows if cells[3].startswith(task) and cells[column]}

    assert all("better" in words(task, -3) for task in ("speech", "writing", "pole"))
    assert words("objects", -3) == {"the same"}
    assert {"better", "worse"} < words("", -2), "against cosine it goes either way"


def test_what_it_names_exists():
    for link in re.findall(r"\]\(([^)]+)\)", TEXT):
        assert link.startswith("https://") or (LESSONS / link).exists(), link
    for slug in re.findall(r"\(`([a-z-]+)`\)|\| `([a-z-]+)` \|", TEXT):
        assert "".join(slug) in exercises.HINTS
    homework = re.sub(r"\n  +", " ", TEXT.split("## Homework")[1])
    for lesson, rest in re.findall(r"\]\(([\w-]+)\.ipynb\)([^\[\n]*)", homework):
        named = re.findall(r"`([a-z-]+)`", rest)
        cells = nbformat.read(LESSONS / f"{lesson}.ipynb", as_version=4).cells
        assert named and set(named) <= {name for cell in cells for name in asked(cell.source)}, lesson


@pytest.mark.parametrize("slug", IN_CLASS)
def test_what_to_do_in_class_about_a_belief_can_be_done(slug):
    words = IN_CLASS[slug]
    if bench := re.match(r'Lesson (0\d), fault bench, "(.+?)", drag to (\d):', words):
        (lesson,) = LESSONS.glob(f"{bench[1]}-*.ipynb")
        cells = [cell.source for cell in nbformat.read(lesson, as_version=4).cells]
        faults = next(source for source in cells if "FAULTS = {" in source)
        assert all(f'"{name}": (' in faults for name in [bench[2], *re.findall(r'pick "(.+?)"', words)])
    elif question := re.match(r"Question (\d)", words):
        asked, shown = question[1], {(row[0], row[1]) for row in SEEN}
        for other, value in re.findall(r"(?:question (\d), )?(?:drag|then) to ([\d.]*\d)", words):
            asked = other or asked
            assert (asked, value) in shown
    else:
        assert words.startswith(("At the board: ", "Lesson 07, section 1: "))


def test_the_table_of_what_to_do_is_the_one_of_the_report():
    told = {slug.strip("`"): words for slug, words in rows("### What to do about each")}
    assert told == IN_CLASS


def test_the_minutes_add_up():
    for heading, length in (("## Fifty minutes", 50), ("## Fifteen minutes", 15)):
        spans = [[int(minute) for minute in cells[0].split("–")] for cells in rows(heading)]
        assert spans[0][0] == 0 and spans[-1][1] == length
        assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))


SIZING = TEXT.split("## A whole class: which hub, how big", 1)[1]


def stated(pattern: str) -> float:
    """The one number, with its commas, that the page states in these words."""
    (found,) = re.findall(pattern, " ".join(SIZING.split()))
    return float(found.replace(",", ""))


@pytest.mark.parametrize("learners, memory, order, cores", rows("### How big"))
def test_the_sizing_follows_from_the_measured_figures(learners, memory, order, cores):
    shared, largest = stated(r"hub and its proxy took (\d+) MB"), stated(r"took 306 MB and (\d+) MB")
    assert (shared, largest) == (stated(r"(\d+) MB for the hub and"), stated(r"and (\d+) MB for each learner"))
    needed = shared + int(learners) * largest
    assert float(memory.replace(",", "")) == needed
    assert int(order) == math.ceil(needed / 1024 + 1)
    measured_on, wait = int(stated(r"--learners (\d+) --faults")), stated(r"at most (\d+) s after the bell")
    each = stated(r"two cores: ([\d.]+) processor")
    assert each == pytest.approx(2 * wait / measured_on, abs=0.05)
    assert wait == 60 + stated(r"262 s \((\d+)\)")  # the last click a minute after the first
    assert int(cores) == math.ceil(int(learners) * each / stated(r"see one after (\d+) s"))


def test_the_link_opens_the_first_lesson():
    (link,) = re.findall(r"https://HUB\S+", SIZING)
    asked = parse_qs(urlsplit(link).query)
    course, _, path = asked["urlpath"][0].removeprefix("lab/tree/").partition("/")
    assert asked["repo"][0].endswith("/" + course) and (LESSONS.parent / path).is_file()
