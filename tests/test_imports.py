"""What is loaded when, and who imports whom."""

import ast
import importlib
import itertools
import subprocess
import sys
import tokenize
from pathlib import Path

import nbformat
import pytest

import lrlearn

MODULE = Path(lrlearn.__file__).parent
FILES = sorted(MODULE.glob("*.py"))
HEAVY = ("torch", "matplotlib.pyplot")

LIGHT = {
    "import": "import lrlearn",
    "schedules": "from lrlearn import exponential_lr, half_life; exponential_lr(0.1, 0.9, 3); half_life(0.9)",
    "ScheduleExplorer": "from lrlearn import ScheduleExplorer; ScheduleExplorer(gammas=[0.9, 1.0])._repr_mimebundle_()",
    "DescentExplorer": "from lrlearn import DescentExplorer; DescentExplorer().png",
    "WorkedExample": "from lrlearn import WorkedExample; WorkedExample(num_epochs=3).png",
}


def loaded(code: str) -> set[str]:
    """Which of the heavy modules a fresh Python has loaded after running ``code``."""
    script = f"import sys\n{code}\nprint('loaded', *[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("code", LIGHT.values(), ids=LIGHT)
def test_a_formula_needs_neither_torch_nor_pyplot(code):
    assert loaded(code) == set()


def test_that_the_test_above_can_fail():
    assert loaded("from lrlearn.regression import problem; problem()") == {"torch"}
    assert loaded("import lrlearn, matplotlib.pyplot") == {"matplotlib.pyplot"}


LESSONS = MODULE.parent / "lessons"


def cells_before_torch(lesson: str) -> list[str]:
    """The code cells of a lesson up to the first that names torch."""
    cells = [cell.source for cell in nbformat.read(LESSONS / f"{lesson}.ipynb", 4).cells if cell.cell_type == "code"]
    return list(itertools.takewhile(lambda source: "torch" not in source, cells))


def in_a_notebook(cells: list[str]) -> str:
    """Code that runs cells as the learner does, explorers shown and answers checked; small pictures will do."""
    return f"""
from IPython.core.interactiveshell import InteractiveShell
from lrlearn import rendering
rendering.DPI = 20
shell = InteractiveShell.instance()
for source in {cells!r}:
    shell.run_cell(source, store_history=True).raise_error()
print()
"""


@pytest.mark.parametrize("lesson", ["00-start-here", "01-definition", "02-formula", "03-worked-example"])
def test_a_lesson_stays_clear_of_torch_until_it_shows_it(lesson):
    cells = cells_before_torch(lesson)
    assert len(cells) > 1
    assert loaded(in_a_notebook(cells)) == set()


def test_that_a_lesson_with_torch_would_be_noticed():
    assert loaded(in_a_notebook(["from lrlearn import regression", "regression.problem()"])) == {"torch"}


def test_importing_lrlearn_loads_no_plotting_or_widgets():
    script = "import sys, lrlearn; print([m for m in ('matplotlib', 'ipywidgets', 'numpy') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


def test_every_public_name_is_there_and_listed():
    for name in lrlearn.__all__:
        assert callable(getattr(lrlearn, name)), name
        assert name in dir(lrlearn)
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = lrlearn.nothing_like_it


# Imports run one way. What is not named here may be imported by nobody inside the module.
MAY_IMPORT = {
    "__init__": {"schedules"},
    "checks": set(),
    "schedules": {"checks"},
    "plots": {"checks", "schedules", "steady"},
    "faults": {"filmstrips", "plots", "regression"},
    "regression": {"checks"},
    "quadratic": {"checks"},
    "verdicts": {"checks"},
    "misconceptions": set(),
    "answers": set(),
    "comparison": {"answers", "misconceptions"},
    "predictions": {"answers", "comparison", "misconceptions"},
    "probes": {"answers"},
    "practice": {"comparison", "probes"},
    "questions": {"answers", "comparison", "regression", "schedules"},
    "recaps": {"answers", "checks", "comparison", "plots", "questions"},
    "tuning": {"answers", "comparison", "regression", "schedules", "verdicts"},
    "exercises": {
        *(
            "answers",
            "comparison",
            "misconceptions",
            "practice",
            "predictions",
            "probes",
            "recaps",
            "schedules",
            "tuning",
        )
    },
    "steady": set(),
    "rendering": {"steady"},
    "sliders": {"checks"},
    "cells": set(),
    "kept": {"rendering"},
    "transport": set(),
    "filmstrips": {"cells", "checks", "kept", "rendering", "sliders", "steady", "transport"},
    "explorers": {"checks", "filmstrips", "plots", "regression", "schedules", "sliders"},
    "export": {"commands", "pages"},
    "pages": {"commands", "markup"},
    "markup": set(),
    "strips": {"explorers", "filmstrips"},
    "unpacking": {"pages", "strips"},
    "assets": {"commands", "pages", "tuning", "unpacking"},
    "links": {"commands"},
    "serving": {"commands"},
    "site": {"__init__", "assets", "commands", "links", "pages", "serving", "unpacking"},
    "standin": set(),
    "inpage": {"comparison", "exercises", "recaps", "standin", "tuning"},
    "classroom": {"commands"},
    "gathering": {"commands"},
    "report": {"commands", "comparison", "exercises", "gathering", "misconceptions", "questions"},
    "commands": set(),
    "cli": {"__init__", "commands"},
    "__main__": {"cli"},
}


def imported(tree: ast.Module) -> set[str]:
    """Every module that a file names in an import, also inside functions; not those for type checkers."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "write lrlearn.X, not .X"
            names.add(node.module)
            if node.module == "lrlearn":
                names |= {f"lrlearn.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_imports_run_one_way(path):
    names = imported(ast.parse(path.read_text(encoding="utf-8")))
    inside = {name.split(".")[1] for name in names if name.startswith("lrlearn.")} & {file.stem for file in FILES}
    assert inside <= MAY_IMPORT[path.stem]
    tops = {name.split(".")[0] for name in names}
    if path.stem in ("checks", "schedules"):
        assert tops <= sys.stdlib_module_names | {"lrlearn"}
    if path.stem in ("plots", "rendering", "filmstrips", "explorers"):
        assert "torch" not in tops
    assert "matplotlib.pyplot" not in names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_torch_is_imported_only_when_a_function_needs_it(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not any(name.split(".")[0] == "torch" for name in imported(ast.Module(plain, [])))


def code_lines(path: Path) -> set[int]:
    """Numbers of the lines that hold code: no blanks, comments or docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    words = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            words |= set(range(node.lineno, node.end_lineno + 1))
    skip = (tokenize.NL, tokenize.COMMENT, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    with path.open("rb") as file:
        tokens = [token for token in tokenize.tokenize(file.readline) if token.type not in (*skip, tokenize.ENCODING)]
    return {line for token in tokens for line in range(token.start[0], token.end[0] + 1)} - words


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_room_can_be_read_in_one_sitting(path):
    assert len(code_lines(path)) <= 320


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_functions_fit_on_a_screen_and_public_ones_are_documented(path):
    lines = code_lines(path)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert len(lines & set(range(node.lineno, node.end_lineno + 1))) <= 60, node.name
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
        if isinstance(node, ast.FunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            assert node.returns is not None and all(argument.annotation for argument in given), node.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_public_function_of_the_mathematics_has_a_runnable_example(path):
    if path.stem not in ("checks", "schedules", "regression", "quadratic"):
        pytest.skip("pictures and widgets are shown in lessons")
    module = importlib.import_module(f"lrlearn.{path.stem}")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            assert ">>>" in getattr(module, node.name).__doc__, node.name
