"""Three deliberate breaks, each in a copy of the checkout, where the suite's own tests must find it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import lab
import pytest

FOLDERS = ("lrlearn", "tests", "lessons")
IGNORED = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", ".hypothesis")


@pytest.fixture
def copy(tmp_path):
    for name in FOLDERS:
        shutil.copytree(lab.ROOT / name, tmp_path / name, ignore=IGNORED)
    shutil.copy(lab.ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def break_it(path: Path, what: str, instead: str) -> None:
    """Replace every match of a regular expression; it must be there."""
    text, count = re.subn(what, instead, path.read_text(encoding="utf-8"))
    assert count, f"{path.name} has changed: nothing is broken"
    path.write_text(text, encoding="utf-8")


def run_suite(copy: Path, path: str, selection: str) -> str:
    """What pytest says of some tests of the copy, its summary last."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV_"))}
    environment |= {"PYTHONPATH": str(copy), "LRLEARN_PATIENCE": "3"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rf",
        "--tb=short",
        "-p",
        "no:cacheprovider",
        path,
        "-k",
        selection,
    ]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=900).stdout


def failed(report: str) -> list[str]:
    """The tests that failed, each by an assertion; an error of another kind is no proof of anything."""
    assert re.search(r"^\d+ failed", report, flags=re.MULTILINE) and not re.search(r"\d error", report), report
    return re.findall(r"^FAILED \S+::(\S+)", report, flags=re.MULTILINE)


@pytest.mark.browser
def test_a_filmstrip_that_ignores_its_index_is_found(browser, copy):
    break_it(copy / "lrlearn/filmstrip.js", r"const index = \(picker.*;", "const index = 0;")
    report = run_suite(copy, "tests/test_browser.py", "two_views")
    assert failed(report) == ["test_two_views_of_one_explorer_agree"]
    assert re.search(r"^E +AssertionError: picture 0 is shown, not \d+$", report, flags=re.MULTILINE)


@pytest.mark.browser
def test_an_explorer_whose_observer_raises_is_found(browser, copy):
    # in the kernel alone: the test compares with an explorer in its own process, which must stay whole
    raises = r"\1        __import__('IPython').get_ipython() and 1 / 0\n"
    break_it(copy / "lrlearn/filmstrips.py", r"(def _snap\(.*\n)", raises)
    report = run_suite(copy, "tests/test_browser.py", "two_views or no_callback")
    assert failed(report) == ["test_no_callback_raised_in_any_kernel"]
    assert re.search(r"^E +AssertionError: A CALLBACK RAISED\n.*ZeroDivisionError", report, flags=re.MULTILINE), report


@pytest.mark.parametrize(
    ("what", "instead"),
    [(r'"alt": ".*"', '"alt": ""'), (r'"# (?=.)', r'"![](images/training-explorer.png)\\n# ')],
    ids=["of an output", "in the prose"],
)
def test_a_missing_alternative_text_is_found(copy, what, instead):
    break_it(copy / "lessons/00-start-here.ipynb", what, instead)
    report = run_suite(copy, "tests/test_notebooks.py", "00-start and every_picture")
    assert failed(report) == ["test_every_picture_says_what_it_shows[00-start-here.ipynb]"]
    assert re.search(r"^E +(AssertionError|assert )", report, flags=re.MULTILINE)
