"""An update of the course by nbgitpuller, for real, on two local repositories: what a learner wrote stays."""

import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("nbgitpuller", reason="nbgitpuller is not installed: updating a learner's copy is not tested")
from nbgitpuller.pull import GitPuller

LESSONS = Path(__file__).resolve().parent.parent / "lessons"
LESSON = "02-formula.ipynb"


def git(folder, *arguments):
    identity = ["-c", "user.name=Teacher", "-c", "user.email=teacher@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def pull(course, copy):
    list(GitPuller(course.as_uri(), str(copy), branch="main").pull())


def edit(path, at, text):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[at].source = text
    nbformat.write(notebook, path)


def source(path, at):
    return nbformat.read(path, as_version=4).cells[at].source


@pytest.fixture
def course(tmp_path):
    """The teacher's repository with two lessons."""
    folder = tmp_path / "course"
    folder.mkdir()
    for name in (LESSON, "03-worked-example.ipynb"):
        shutil.copy(LESSONS / name, folder)
    git(folder, "init", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-m", "first")
    return folder


@pytest.fixture
def copy(course, tmp_path):
    """A learner's copy, as the first click on the teacher's link makes it."""
    pull(course, tmp_path / "learner")
    return tmp_path / "learner"


def test_a_learners_cell_wins_over_a_change_of_the_same_cell(course, copy):
    edit(copy / LESSON, 2, "# what the learner wrote")
    edit(course / LESSON, 2, "# what the teacher changed")
    edit(course / "03-worked-example.ipynb", 0, "# A new opening")
    git(course, "commit", "-am", "update")
    pull(course, copy)
    assert source(copy / LESSON, 2) == "# what the learner wrote"
    assert source(copy / "03-worked-example.ipynb", 0) == "# A new opening"
    nbformat.validate(nbformat.read(copy / LESSON, as_version=4))


def test_changes_of_different_cells_are_both_there(course, copy):
    last = len(nbformat.read(course / LESSON, as_version=4).cells) - 1
    edit(copy / LESSON, 2, "# what the learner wrote")
    edit(course / LESSON, last, "# what the teacher changed")
    git(course, "commit", "-am", "update")
    pull(course, copy)
    assert source(copy / LESSON, 2) == "# what the learner wrote"
    assert source(copy / LESSON, last) == "# what the teacher changed"


def test_a_lesson_that_a_learner_deleted_comes_back_whole(course, copy):
    (copy / LESSON).unlink()
    pull(course, copy)
    assert (copy / LESSON).read_bytes() == (course / LESSON).read_bytes()
