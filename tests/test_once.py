"""nbval compares what JupyterLab saved, where it has run the lesson, and runs it itself where not."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

CONFTEST = """
from pathlib import Path
import once
def pytest_configure(config):
    plugin = once.Once()
    plugin.runs = {Path(__file__).with_name("lesson.ipynb"): Path(__file__).with_name("saved") / "lesson.ipynb"}
    config.pluginmanager.register(plugin)
"""


def write(path: Path, said: str, count: int | None = 1, source: str = "1 / 0") -> None:
    """A notebook of one cell, which says what its source never would."""
    output = nbformat.v4.new_output("execute_result", {"text/plain": said}, execution_count=count)
    cell = nbformat.v4.new_code_cell(source, execution_count=count, outputs=[output])
    path.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)


def nbval(folder: Path, name: str = "lesson.ipynb") -> str:
    """The last line of pytest on a notebook of the folder."""
    (folder / "conftest.py").write_text(CONFTEST)
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider", name]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
    return done.stdout.strip().splitlines()[-1]


def test_what_was_saved_is_compared_and_nothing_is_run(tmp_path):
    write(tmp_path / "lesson.ipynb", "2")
    write(tmp_path / "saved/lesson.ipynb", "2")
    assert nbval(tmp_path).startswith("1 passed")


@pytest.mark.parametrize(
    "run",
    [{"said": "3"}, {"said": "2", "count": None}, {"said": "2", "source": "2 / 0"}],
    ids=["other", "unrun", "edited"],
)
def test_a_run_that_differs_fails(tmp_path, run):
    write(tmp_path / "lesson.ipynb", "2")
    write(tmp_path / "saved/lesson.ipynb", **run)
    assert nbval(tmp_path).startswith("1 failed")


def test_a_notebook_that_nobody_has_run_is_run(tmp_path):
    write(tmp_path / "other.ipynb", "2")
    assert nbval(tmp_path, "other.ipynb").startswith("1 failed")
    write(tmp_path / "other.ipynb", "2", source="1 + 1")
    assert nbval(tmp_path, "other.ipynb").startswith("1 passed")
