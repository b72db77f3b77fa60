"""A lesson as its learner meets it: guess before you see, change any number, start anywhere.

Every notebook is walked. What its cells once asserted in the learner's sight is in ``facts.py``, and is asked
here of the lesson's own names, after the cell that made them.
"""

import ast
import contextlib
import functools
import io
import itertools
import linecache
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
import refresh_lessons
from facts import FACTS, holds
from test_notebooks import DEMO, PATHS

from lrlearn import ScheduleExplorer, exercises, recaps

BY_NAME = {path.stem: path for path in PATHS}
# their cells train for minutes: nbval runs them, once; what lesson 06 says is asked in test_choosing_gamma.py,
# what lesson 07 says in test_real_training.py
SLOW = {
    "06-choosing-gamma",
    "07-real-training",
    "image-classification",
    "language",
    "optimization",
    "reinforcement-learning",
    "speech-recognition",
}
FOLDS = {"Explain", "Answer", "A solution", "Sources"}
VERDICT = r"\b(?:true|false|yes|no|not|never|better|worse|right|wrong|wins?|won|loses?|lost|diverged?|frozen|ties?)\b"
SKIPPED = "(Run it; you need not read it.)"
# minutes, fitted to a newcomer who needed 9, 27, 40 and 17 for lessons 00 to 03: 10, 22, 42 and 18 by this count
WORDS_A_MINUTE, LINES_A_MINUTE = 200, 15
MINUTES = {"explorer": 2, "prediction": 0.5, "exercise": 3}

# lessons that are still to open with a recap
walked = pytest.mark.parametrize("name", [name for name in BY_NAME if name != DEMO])
run_here = pytest.mark.parametrize("name", [name for name in BY_NAME if name not in SLOW and name != DEMO])


@functools.cache
def cells(name: str) -> list:
    """All but the one that installs the course on Colab: it does nothing here, and test_colab.py is about it."""
    return [cell for cell in nbformat.read(BY_NAME[name], as_version=4).cells if cell.id != "colab"]


def code(name: str) -> list:
    return [cell for cell in cells(name) if cell.cell_type == "code"]


def is_explorer(cell: Any) -> bool:
    return bool(re.search(r"(?:[Ee]xplorer|WorkedExample|filmstrip|fault_bench)\(", cell.source))


def predictions(name: str) -> Iterator[tuple]:
    """Each cell that asks for a prediction, the code cells that answer it, and the prose after them."""
    yield from predictions_in(cells(name))


def predictions_in(found: list) -> Iterator[tuple]:
    for at, question in enumerate(found):
        if question.cell_type == "markdown" and "**Predict" in question.source:
            groups = itertools.groupby(found[at:], key=lambda cell: cell.cell_type)
            _, answers, after = (list(group) for _, group in itertools.islice(groups, 3))
            yield question, answers, "\n\n".join(cell.source for cell in after)


def unfolded(prose: str) -> str:
    """What is read without a click, up to the next heading."""
    return re.split(r"^#", re.sub(r"<details>.*?</details>", "", prose, flags=re.DOTALL), flags=re.MULTILINE)[0]


def first_line(cell: Any) -> str:
    """What JupyterLab shows of a folded output: the first line of its first output, of a picture that of its words."""
    for output in cell.outputs[:1]:
        data = output.get("data", {})
        text = output.get("text") or data.get("text/html") or data.get("text/plain", "")
        return next((line for line in text.splitlines() if line.strip()), "")
    return ""


# ---- guess, then see


@walked
def test_what_answers_a_prediction_is_folded_and_its_first_line_gives_nothing_away(name):
    for question, answers, _ in predictions(name):
        for answer in answers:
            assert answer.metadata.get("jupyter", {}).get("outputs_hidden") is True, question.source
            assert not re.search(rf"\d|{VERDICT}", first_line(answer), flags=re.IGNORECASE), first_line(answer)


@walked
def test_prose_under_a_prediction_that_answers_is_folded(name):
    for question, answers, after in predictions(name):
        printed = " ".join(output.get("text", "") for answer in answers for output in answer.outputs)
        known = "".join(cell.source for cell in [question, *answers])
        given, asked, again = (set(re.findall(r"\d+\.\d+", text)) for text in (printed, known, unfolded(after)))
        assert not (given - asked) & again, after
        assert "**Explain" not in unfolded(after)


@walked
def test_folds_are_named_alike(name):
    text = "\n".join(cell.source for cell in cells(name) if cell.cell_type == "markdown")
    assert set(re.findall(r"<summary>(.*?)</summary>", text)) <= FOLDS


@pytest.mark.parametrize("name", [name for name in BY_NAME if re.match("0[0-5]|review", name)])
def test_under_a_fold_stands_a_heading_or_nothing(name):
    """JupyterLab leaves no gap there: text in the same cell would look as if it belonged to the fold."""
    for cell in cells(name):
        glued = cell.cell_type == "markdown" and re.search(r"</details>\n\n(?!#|<details)", cell.source)
        assert not glued, cell.source


@walked
def test_a_guess_stands_first_and_what_became_of_it_last(name):
    for cell in code(name):
        if "predicted(" in cell.source:
            lines = [line for line in cell.source.splitlines() if line and not re.match(r"from |import ", line)]
            assert lines[0].startswith("guess = ..."), cell.source
            assert re.match(r"predicted\(", cell.source[cell.source.rindex("\npredicted(") + 1 :]), cell.source


@walked
def test_a_cell_that_asks_for_a_guess_does_not_say_what_is_expected(name):
    for cell in code(name):
        if "guess = ..." in cell.source:
            assert not re.search(r"\bexpect\(", cell.source), cell.source


@walked
def test_targets_stand_above_their_explorer(name):
    found = cells(name)
    for at, cell in enumerate(found):
        if cell.cell_type == "markdown" and re.search(r"\*\*Targets?\b", cell.source):
            below = next(later for later in found[at:] if later.cell_type == "code")
            assert is_explorer(below), cell.source


def test_a_button_that_a_lesson_names_is_there():
    buttons = {name for name, _ in ScheduleExplorer().controls["log"].options}
    prose = " ".join(" ".join(cell.source.split()) for name in BY_NAME for cell in cells(name))
    named = re.findall(r"(?<!\w)(?:tick|press) \*([\w ]+)\*", prose)
    assert named and set(named) <= buttons


def test_a_refreshed_lesson_keeps_its_folds():
    fold = {"outputs_hidden": True, "source_hidden": True}
    kept = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", metadata={"jupyter": fold, "trusted": True})])
    assert refresh_lessons.clean(kept).cells[0].metadata == {"jupyter": fold}


# ---- try what you like


def execute(source: str | ast.Module, names: dict) -> str:
    """Run a cell; its value becomes ``_``, as in a notebook, and what it prints is returned."""
    text = source if isinstance(source, str) else ast.unparse(source)
    at, tree = f"<cell {hash(text)}>", ast.parse(text)
    linecache.cache[at] = (
        len(text),
        None,
        text.splitlines(keepends=True),
        at,
    )  # where inspect finds it, as in a notebook
    last = tree.body[-1:]
    shown = isinstance(last[0], ast.Expr) if last else False
    body = ast.Module(tree.body[:-1] if shown else tree.body, type_ignores=[])
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(body, at, "exec"), names)
        if shown:
            names["_"] = eval(compile(ast.Expression(last[0].value), at, "eval"), names)
    return printed.getvalue()


@pytest.fixture(autouse=True)
def scripts_run_here(monkeypatch):
    """A script that a lesson hands to a fresh Python: each would import torch once more. The browser's run has them."""
    fresh = subprocess.run

    def run_script(command, **given):
        if command[0] != sys.executable:
            return fresh(command, **given)
        with contextlib.chdir(given["cwd"]), contextlib.redirect_stdout(io.StringIO()) as printed:
            monkeypatch.setattr("sys.argv", command[1:])
            runpy.run_path(command[1])
        return subprocess.CompletedProcess(command, 0, printed.getvalue())

    monkeypatch.setattr("subprocess.run", run_script)


@functools.cache
def run(name: str) -> dict[str, tuple[dict, dict]]:
    """The names that a lesson has before and after each of its cells, by the cell's id."""
    names, seen = {"__name__": "lesson"}, {}
    for cell in code(name):
        before = dict(names)
        raises = "raises-exception" in cell.metadata.get("tags", [])
        with contextlib.suppress(Exception) if raises else contextlib.nullcontext():
            execute(cell.source, names)
        seen[cell.id] = before, dict(names)
    return seen


@run_here
def test_what_the_lesson_says_holds(name):
    for cell_id, said in FACTS.get(name, {}).items():
        for fact in said:
            assert holds(fact, run(name)[cell_id][1]), f"{name}, cell {cell_id}: {fact}"


def test_a_fact_belongs_to_a_cell():
    for name, said in FACTS.items():
        assert set(said) <= {cell.id for cell in code(name)}, name


@walked
def test_no_cell_ends_in_a_bare_assertion(name):
    for cell in code(name):
        assert not any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(cell.source))), cell.source


@pytest.mark.parametrize("name", [name for name in BY_NAME if re.match("0[0-4]", name)])
def test_what_is_printed_says_in_words_what_was_compared(name):
    for cell in code(name):
        for line in "".join(output.get("text", "") for output in cell.outputs).splitlines():
            assert not re.search(r"\b(?:True|False)$", line), line


@pytest.mark.parametrize(
    ("name", "asks"), [("00-start-here", "^guess = "), ("01-definition", r"^check\("), ("02-formula", "^guess = ")]
)
def test_powers_and_decimal_points_are_explained_before_a_number_is_typed(name, asks):
    """Python itself raises there: `0.1 * 0.9^3` reaches neither `check` nor `predicted`."""
    found = cells(name)
    first = next(at for at, cell in enumerate(found) if re.search(asks, cell.source, re.MULTILINE))
    text = " ".join(" ".join(cell.source.split()) for cell in found[:first] if cell.cell_type == "markdown")
    assert re.search(r"`[\d.]*\*\*\d*`", text) and "0.5, not 0,5" in text


AXES = {"mean", "argmin", "argmax"}


class Changed(ast.NodeTransformer):
    """A cell with other numbers; those that pick an element or an axis, or mark a special case, stay."""

    def __init__(self, change) -> None:
        self.change, self.count = change, itertools.count()

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if type(node.value) not in (int, float):
            return node
        return ast.copy_location(ast.Constant(self.change(next(self.count), node.value)), node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        return node if node.arg == "axis" else self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        return node if isinstance(node.ops[0], ast.Eq) else self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        node.value = self.visit(node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if getattr(node.func, "attr", "") in AXES:  # an axis is chosen by the writer, as an index is
            node.func = self.visit(node.func)
            return node
        return self.generic_visit(node)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        node.value = self.visit(node.value)
        return node


def changed(source: str, change) -> ast.Module:
    return ast.fix_missing_locations(Changed(change).visit(ast.parse(source)))


def neighbour(number: float) -> float:
    return number + 1 if isinstance(number, int) else float(f"{0.9 * number:.2g}")


@run_here
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a rate that is too large overflows, and may
def test_any_number_may_be_changed(name):
    for cell in code(name):
        source = cell.source.replace("SEEDS = range(10)", "SEEDS = range(2)")  # seconds less for each of its numbers
        numbers = []
        changed(source, lambda _, number, numbers=numbers: numbers.append(number) or number)
        for at, number in enumerate(numbers):
            one = changed(source, lambda n, old, at=at: neighbour(old) if n == at else old)
            try:
                execute(one, dict(run(name)[cell.id][0]))
            except Exception as error:
                if "raises-exception" not in cell.metadata.get("tags", []):
                    raise AssertionError(f"{number} -> {neighbour(number)}: {error!r} in\n{cell.source}") from error


@run_here
def test_a_lesson_with_another_gamma_in_every_cell_runs_to_its_end(name):
    names = {"__name__": "lesson"}
    for cell in code(name):
        if "raises-exception" not in cell.metadata.get("tags", []):
            execute(changed(cell.source, lambda _, old: (0.9 if old != 0.9 else 0.8) if 0.5 < old < 1 else old), names)


# lesson, cell, what a newcomer changes, and what stands in what is printed or shown
TRIED = [
    ("01-definition", "b2885ea3", ("(0.15, 0.97)", "(0.15, 1)"), "constant 0.15"),
    ("01-definition", "b2885ea3", (", (0.05, 1), (0.15, 1)", ""), "0.15, gamma 0.97"),
    ("01-definition", "b2885ea3", ("goal = 0.1", "goal = 0"), "(101 stands for never)"),
    ("01-definition", "3db2283c", ("(0.15, 0.97)", "(0.15, 0.9)"), "0.15, gamma 0.9"),
    ("01-definition", "3db2283c", (", (0.15, 1), (0.15, 0.9)", ""), "0.15, gamma 0.97"),
    ("01-definition", "ee653366", ("range(1, 21)", "range(1, 1)"), "0.15, gamma 0.97"),
    ("01-definition", "b1c2ed76", ("0.95", "1"), "came out as never"),
    ("01-definition", "41d5f198", ("gamma, last = 0.9", "gamma, last = 1.1"), "between 0 and 1"),
    ("01-definition", "41d5f198", ("early, halved = min(7", "early, halved = min(40"), "StepLR"),
    ("02-formula", "d1765900", ("(0.9, 1)", "(0, 1)"), "gamma 0:"),
    ("02-formula", "b1fd8d0b", ("0.88", "0.0"), "ends at 0"),
    ("02-formula", "52b52e9a", ("0.9, 100", "0, 100"), "the last bits"),
    ("02-formula", "52b52e9a", ("0.9, 100", "0.9, 8000"), "the last bits"),
    ("02-formula", "887c7d3e", ("num_epochs=300", "num_epochs=100"), "came out as none"),
    ("02-formula", "887c7d3e", ("1.02", "1"), "makes it worse: none"),
    ("03-worked-example", "e48d971e", ("range(4)", "range(0)"), "came out as none"),
    ("03-worked-example", "4bfaf7a6", ("0.098, 0.0686]", "0.098]"), "torch and by hand: different"),
    ("04-training-effects", "c2dec1f2", ("seed=0)", "seed=0, num_epochs=10)"), "epoch  9"),
    ("04-training-effects", "454440f5", ("10, 40, 100", "10, 20, 30"), "noise floor"),
    ("04-training-effects", "454440f5", ("10, 40, 100", "30, 10"), "noise floor"),
    ("04-training-effects", "454440f5", ("10, 40, 100", "(5,)"), "noise floor"),
    ("04-training-effects", "d2ad6e66", ("1e-4", "1e-7"), "for no initial_lr"),
    ("04-training-effects", "9db4aa1b", ("0.87", "0.875"), "gamma 0.875"),
]


@pytest.mark.parametrize(("name", "cell_id", "change", "said"), TRIED)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_a_newcomer_tried_gets_a_result_or_a_sentence(name, cell_id, change, said):
    (source,) = (cell.source for cell in code(name) if cell.id == cell_id)
    old, new = change
    assert source.count(old) == 1, source
    source = re.sub(r"guess = \.\.\.", "guess = 3", source.replace(old, new))
    names = dict(run(name)[cell_id][0])
    assert said in execute(source, names) + repr(names.get("_"))


@walked
def test_words_in_a_cell_take_their_numbers_from_its_variables(name):
    """So that a changed number changes its label."""
    for cell in code(name):
        tree = ast.parse(cell.source)
        formats = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.FormattedValue) and node.format_spec
            for part in ast.walk(node.format_spec)
        }
        told = {
            id(node.args[0])
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and node.args
            and getattr(node.func, "id", "") in ("check", "predicted", "recap")
        }
        documented = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in formats | told | documented
            ):
                assert not re.search(r"(?<![\w-])\d+(?:\.\d+)?(?![\w/-])", node.value), (
                    f"{node.value!r} in\n{cell.source}"
                )


# ---- what is said to an answer

# the beginnings of words of the field that the lessons bring one after the other
TERMS = re.compile(
    r"\b(?:accumulat|checkpoint|compil|dict|exp\b|fence|gradient|group|half-life|logarithm|loss|micro-batch|mini-batch|momentum"
    r"|noise|process|quotient|range test|restor|root|scaler|schedul|seed|state\b|tensor|warm|weight decay)",
    flags=re.IGNORECASE,
)
NAMED = r"\w+(?:\.\w+)*\(\w*\)|\w+_\w+(?:\.\w+)*"  # names of the code: step(), last_epoch


def used(text: str) -> set[str]:
    """The terms and the names of code in a text."""
    return set(TERMS.findall(text)) | set(re.findall(NAMED, text))


def known(text: str, word: str) -> bool:
    name = re.sub(r"\(\w*\)$", "", word)
    return bool(re.search(rf"(?<!\w){re.escape(name.split('.')[-1])}", text, flags=re.IGNORECASE))


def hints(asked: Any) -> set[str]:
    """What may be said to wrong answers, without the misconceptions' slugs."""
    says, also = getattr(asked, "says", {}), getattr(asked, "also", {})
    slugs = [*getattr(asked, "mistakes", getattr(asked, "beliefs", {}))]
    texts = {f"{says.get(slug) or exercises.HINTS[slug]} {also.get(slug, '')}" for slug in slugs}
    texts |= {*getattr(asked, "hints", {}).values()}
    return {re.sub(rf"\b(?:{'|'.join(exercises.HINTS)}|logged-after-step)\b", "", text) for text in texts}


def asked_in(lesson: str) -> Iterator[tuple[str, Any, str]]:
    """Each exercise and prediction of a lesson, and every text that a learner has met by then."""
    before = [name for name in sorted(BY_NAME) if name[0] == "0" and name < lesson]
    text = "\n".join(cell.source for name in before for cell in cells(name))
    for cell in cells(lesson):
        text += "\n" + cell.source
        for kind, of in re.findall(r"^(check|predicted)\(\s*\"([\w.-]+)\"", cell.source, flags=re.MULTILINE):
            yield of, (exercises.EXERCISES if kind == "check" else exercises.PREDICTIONS)[of], text


@pytest.mark.parametrize("lesson", [name for name in BY_NAME if name[0] == "0"])
def test_hints_use_only_words_that_have_been_met(lesson):
    for of, asked, text in asked_in(lesson):
        for hint in hints(asked):
            assert not {word for word in used(hint) if not known(text, word)}, f"{of}: {hint}"


@pytest.mark.parametrize("lesson", [name for name in BY_NAME if re.match("0[1-7]", name)])
def test_hints_of_a_recap_use_only_words_of_the_lessons_before(lesson):
    text = "\n".join(
        cell.source for name in sorted(BY_NAME) if name[0] == "0" and name < lesson for cell in cells(name)
    )
    for round in (1, 2, 3, 4):
        for idea, _, question in recaps.questions(lesson[:2], round):
            for words in hints(question) | {question.text}:
                assert not {word for word in used(words) if not known(text, word)}, f"{idea}: {words}"


# ---- start anywhere, and know how long it takes


@walked
def test_an_exercise_runs_after_a_restart_by_itself(name):
    for cell in code(name):
        if re.search(r"^check\(", cell.source, flags=re.MULTILINE):
            names = {"__name__": "lesson"}
            execute(cell.source, names)
            assert repr(names["_"]).startswith("Not answered yet.")


# the line that a learner edits holds the answers and nothing else, the same in every lesson
RECAP_ANSWERS = """from lrlearn.exercises import recap

answers = [..., ..., ..., ..., ...]
recap("{}", round=1, answers=answers)"""


@pytest.mark.parametrize("name", [name for name in BY_NAME if re.match(r"0[1-7]", name)])
def test_a_lesson_opens_with_questions_on_those_before(name):
    first, second = (cell for cell in code(name)[:2])
    assert f'recap("{name[:2]}", round=1)' in first.source
    assert second.source == RECAP_ANSWERS.format(name[:2])
    assert all("Not answered yet." in str(output) for output in second.outputs[-1:])


@walked
def test_code_that_may_be_skipped_is_folded_and_said_to_be(name):
    found = cells(name)
    for above, cell in itertools.pairwise(found):
        if cell.cell_type == "code" and cell.metadata.get("jupyter", {}).get("source_hidden"):
            assert above.cell_type == "code" or above.source.rstrip().endswith(SKIPPED), above.source


def minutes(found: list) -> float:
    """How long cells take: to read them with their folds open, and to do what they ask."""
    prose = "\n".join(cell.source for cell in found if cell.cell_type == "markdown")
    words = len(re.findall(r"[\w][\w.'’-]*", re.sub(r"```.*?```", "", prose, flags=re.DOTALL)))
    run = [cell for cell in found if cell.cell_type == "code"]
    read = [cell for cell in run if not cell.metadata.get("jupyter", {}).get("source_hidden")]
    lines = sum(bool(line.strip()) for cell in read for line in cell.source.splitlines())
    asked = {
        "explorer": sum(map(is_explorer, run)),
        "prediction": sum(1 for _ in predictions_in(found)),
        "exercise": sum(
            bool(re.search(r"^(?:check\(|recap\(.*answers=)", cell.source, flags=re.MULTILINE)) for cell in run
        ),
    }
    return words / WORDS_A_MINUTE + lines / LINES_A_MINUTE + sum(MINUTES[kind] * n for kind, n in asked.items())


def core(name: str) -> list:
    """The cells above the heading *Further*, if a lesson has one."""
    return list(itertools.takewhile(lambda cell: not re.search("^## Further", cell.source, re.MULTILINE), cells(name)))


@walked
def test_the_minutes_at_the_head_are_true(name):
    head = "\n".join(cell.source for cell in cells(name)[:2])
    (claimed,) = re.findall(r"(\d+) minutes|Minutes:\*\* (?:about )?(\d+)", head)[:1]
    assert_close(float("".join(claimed)), minutes(cells(name)))
    told = re.findall(r"the core, up to \*Further\*, takes (\d+)", head)
    assert len(told) == (core(name) != cells(name))
    for claimed in told:
        assert_close(float(claimed), minutes(core(name)))


def assert_close(claimed: float, measured: float) -> None:
    assert abs(claimed - measured) <= max(2.5, 0.1 * measured), measured


@pytest.mark.parametrize("name", ["02-formula", "04-training-effects", "05-in-pytorch", "06-choosing-gamma"])
def test_a_long_lesson_has_a_core_for_whoever_has_twenty_minutes(name):
    asked_again = re.compile("^## Asked again", re.MULTILINE)
    start = next(at for at, cell in enumerate(core(name)) if asked_again.search(cell.source))
    assert minutes(core(name)[:start] + core(name)[start + 3 :]) <= 20
