"""Lesson 05 is true with every release of torch that the project supports, and it is told where one behaves otherwise.

The oldest and the newest supported scheduler are read from wheels, if a folder of them is named:

    pip download --no-deps --only-binary=:all: --platform macosx_11_0_arm64 --python-version 3.11 -d wheels torch==2.8.0
    LRLEARN_TORCH_WHEELS=wheels pytest tests/test_torch_versions.py

(The wheels for macOS are the smallest, and the scheduler is the same file in all of them.) Without such a folder the
installed scheduler is changed to what those releases do.
"""

import os
import subprocess
import sys
import tomllib
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from facts import FACTS, holds
from test_in_pytorch import CHANGED, LESSON, code_cells, run_cells
from torch.optim import lr_scheduler

TESTS = LESSON.parent.parent / "tests"
OLDEST = "2.8"
VARIABLE = "LRLEARN_TORCH_WHEELS"
NO_WHEELS = f"reads the wheels in the folder that {VARIABLE} names; the head of the file says how to get them"
WHEELS = sorted(Path(os.environ[VARIABLE]).glob("torch-*.whl")) if os.environ.get(VARIABLE) else []
# found by every Python that starts with it on its path, the lesson's own processes and kernels too
OTHER_SCHEDULER = """
import importlib.util, sys

class Finder:
    def find_spec(name, path=None, target=None):
        if name == "torch.optim.lr_scheduler":
            return importlib.util.spec_from_file_location(name, {file!r})

sys.meta_path.insert(0, Finder)
"""
RUN = """
import sys, pytest, torch
if torch.optim.lr_scheduler.__file__ != sys.argv[1]:
    sys.exit("the other scheduler was not taken")
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[2:]]))
"""


def test_the_oldest_release_is_the_one_that_is_said_to_be():
    project = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())["project"]
    assert f"torch>={OLDEST}" in project["dependencies"]
    assert f"PyTorch {OLDEST} or newer" in LESSON.read_text()


@pytest.mark.parametrize(
    "wheel",
    WHEELS or [pytest.param(None, marks=pytest.mark.skip(reason=NO_WHEELS))],
    ids=lambda wheel: wheel.name.split("-")[1] if wheel else "none",
)
def test_the_course_holds_with_the_scheduler_of_a_wheel(wheel, tmp_path):
    other = tmp_path / "lr_scheduler.py"
    with zipfile.ZipFile(wheel) as packed:
        other.write_bytes(packed.read("torch/optim/lr_scheduler.py"))
    (tmp_path / "sitecustomize.py").write_text(OTHER_SCHEDULER.format(file=str(other)))
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    exercises = [
        "the_truth_is_right",
        "every_misconception_is_diagnosed_with_its_slug",
        "faults_that_people_reported_have_a_name_of_their_own",
    ]
    asked = [
        str(TESTS / "test_schedules.py"),
        f"{__file__}::test_the_lesson_says_nothing_with_this_release",
        *(f"{TESTS / 'test_exercises.py'}::test_{name}" for name in exercises),
    ]
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(other), *asked],
        env=os.environ | {"PYTHONPATH": path},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# ---- what other releases do, done to the installed one


def multiplies_when_made(patch):
    """Up to 2.7: made with last_epoch, it multiplies at once; get_lr() before the first step multiplies nothing."""

    def get_lr(self):
        if not self._get_lr_called_within_step:
            warnings.warn("To get the last learning rate, use `get_last_lr()`.", UserWarning, stacklevel=2)
        factor = 1.0 if self.last_epoch == 0 else self.gamma
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    patch.setattr(lr_scheduler.ExponentialLR, "get_lr", get_lr)


def hands_the_tensor_out(patch):
    """Up to 2.9: get_last_lr() is the optimizer's own tensor, if its rate is one."""
    original = lr_scheduler.LRScheduler.get_last_lr

    def get_last_lr(self):
        rates = [group["lr"] for group in self.optimizer.param_groups]
        return rates if any(isinstance(rate, torch.Tensor) for rate in rates) else original(self)

    patch.setattr(lr_scheduler.LRScheduler, "get_last_lr", get_last_lr)


def warns_of_its_own_epoch(patch):
    """Up to 2.8: SequentialLR warns of the epoch that it passes itself."""
    original = lr_scheduler.SequentialLR.step

    def step(self):
        warnings.warn("The epoch parameter in `scheduler.step()` was not necessary", UserWarning, stacklevel=2)
        original(self)

    patch.setattr(lr_scheduler.SequentialLR, "step", step)


def said(capsys):
    """What does not hold: statements of the lesson's own cells, then facts that the tests hold for it."""
    slow = ("SEEDS = ", "run_script(", "find_spec(")  # ten orders, new processes, other frameworks
    capsys.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names, facts = {"__name__": "lesson", "np": np}, []
        for cell in code_cells():
            if not any(part in cell.source for part in slow):
                run_cells([cell], names)
                facts += [fact for fact in FACTS["05-in-pytorch"].get(cell.id, []) if not holds(fact, names)]
    lines = capsys.readouterr().out.splitlines()
    return [line.removeprefix(CHANGED).split(". Expected")[0] for line in lines if line.startswith(CHANGED)] + facts


def test_the_lesson_says_nothing_with_this_release(capsys):
    assert said(capsys) == []


@pytest.mark.parametrize("older", [hands_the_tensor_out, warns_of_its_own_epoch])
def test_the_lesson_holds_with_what_supported_releases_do(older, monkeypatch, capsys):
    older(monkeypatch)
    assert said(capsys) == []


def test_the_lesson_says_what_releases_before_the_oldest_do_differently(monkeypatch, capsys):
    multiplies_when_made(monkeypatch)
    assert said(capsys) == ["logged get_lr(), the log", "scheduler.get_last_lr() == [FIRST]"]
