"""Make the notebooks of a class without a hub: copies of a lesson whose questions were answered with known beliefs.

    python tests/load/make_class.py FOLDER --learners 30 --lessons 02-formula 03-worked-example

Every learner gets a home folder. The answers are what somebody who holds a misconception would give; `check` and
`predicted` judge them, so the notebooks hold what a kernel would have saved. Prints who believes what.
"""

import argparse
import contextlib
import copy
import json
from collections import Counter
from pathlib import Path

from lrlearn import comparison
from lrlearn.exercises import EXERCISES, PREDICTIONS, check, predicted
from lrlearn.report import Course, Question, questions_of

LESSONS = Path(__file__).resolve().parent.parent.parent / "lessons"
# what ten learners believe: the right answer is None, a list is one try after the other, nothing is no answer
ADDS, OFF, REDUCES = "additive-decay", "off-by-one-epoch", "gamma-is-the-reduction"
CLASS = [[ADDS], [None], [OFF], [ADDS, None], [ADDS], [REDUCES], [], [ADDS], [OFF, None], [ADDS]]


def answer(asked: str, belief: str | None) -> object:
    """What somebody answers to an exercise who holds a belief, or is right."""
    exercise = EXERCISES[asked]
    function = exercise.truth if belief is None else exercise.mistakes[belief][0]
    return function(*exercise.inputs[0]) if exercise.given else function


def tried(question: Question, beliefs: list[str | None]) -> dict:
    """The output of a cell in which a question was answered so, one try after the other, in a kernel of its own."""
    kind, asked = question
    comparison._tries.clear()
    feedback = check(asked, ...) if kind == "exercise" else predicted(asked, ..., 0)
    for belief in beliefs:
        if kind == "exercise":
            feedback = check(asked, answer(asked, belief))
        else:
            told = PREDICTIONS[asked].beliefs[belief] if belief else 123.0
            feedback = predicted(asked, told[0] if isinstance(told, list) else told, 123.0)
    data = {"text/plain": repr(feedback), "text/html": feedback._repr_html_(), **feedback._repr_mimebundle_()}
    return {"output_type": "execute_result", "execution_count": 7, "metadata": {}, "data": data}


def answered(notebook: dict, tries: dict[Question, list[str | None]]) -> dict:
    """A copy of a notebook, its questions answered."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        for question in questions_of(cell) if cell["cell_type"] == "code" else []:
            if question in tries:
                # as good as any other output of the cell: only this one is counted
                cell["outputs"] = [tried(question, tries[question])]
                cell["execution_count"] = 7
    return notebook


def can_hold(question: Question, belief: str | None) -> bool:
    """Whether an answer to a question can show a belief."""
    kind, asked = question
    with contextlib.suppress(AttributeError):
        known = EXERCISES[asked].mistakes if kind == "exercise" else PREDICTIONS[asked].beliefs
        return belief is None or belief in known
    return False


def make(folder: Path, learners: int, lessons: list[str]) -> Counter:
    """Home folders with answered lessons; how many learners hold each belief now, by what was dealt to them."""
    held: Counter = Counter()
    course = Course(LESSONS)
    for number in range(learners):
        beliefs = CLASS[number % len(CLASS)]
        shown = set()
        for lesson in lessons:
            tries = {
                question: beliefs
                for question in course.questions[lesson]
                if question[0] == "exercise" and all(can_hold(question, belief) for belief in beliefs)
            }
            home = folder / f"learner-{number + 1:02}" / "lessons"
            home.mkdir(parents=True, exist_ok=True)
            given = json.loads((LESSONS / f"{lesson}.ipynb").read_text(encoding="utf-8"))
            text = json.dumps(answered(given, tries), ensure_ascii=False, indent=1)
            (home / f"{lesson}.ipynb").write_text(text, encoding="utf-8")
            if tries and beliefs:
                shown.add(beliefs[-1])
        held.update(shown - {None})
    return held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--learners", type=int, default=30)
    parser.add_argument("--lessons", nargs="+", default=["02-formula"])
    given = parser.parse_args()
    for belief, count in make(given.folder, given.learners, given.lessons).most_common():
        print(f"{count:3} learners hold {belief}")


if __name__ == "__main__":
    main()
